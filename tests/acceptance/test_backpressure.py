"""An hour without a database, and ten times the load: memory flat, nothing told, nothing lost.

A tenth of the load of `make backpressure`, played faster.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.chain import MOSQUITTO


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--burst"]], ids=["outage", "burst"])
def test_the_database_is_away_or_too_much_comes_at_once(words: list[str]) -> None:
    if not MOSQUITTO.exists() and os.environ.get("CI") != "true":
        pytest.skip("mosquitto is missing: run make services")
    done = subprocess.run(
        [sys.executable, "-m", "bench.backpressure", "--devices=30", "--seconds=8", *words],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    said = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert done.returncode == 0, said
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["lost"], figures["doubled"], figures["out_of_order"]) == (0, 0, 0), said
    assert figures["growing"] == [], said
    # something did wait, and was stored afterwards
    assert figures["waiting_in_spools_at_the_end"] > 1000, said
    assert figures["told_afterwards"]["acknowledged"] > 0, said
    if not words:
        assert figures["told_while_away"] == {"acknowledged": 0, "receipts": 0}, said
