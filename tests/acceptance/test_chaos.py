"""The whole chain under faults: a short campaign of `bench/chaos.py`, another one each time.

`KANGBAN_SEED` repeats a plan of faults; `make chaos CYCLES=15000` runs a long one.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.chain import MOSQUITTO, engines
from bench.chaos import FAULTS, plan

CYCLES = int(os.environ.get("KANGBAN_CYCLES") or 200)
# seconds until a campaign that does not end is a failure; one of 200 cycles takes about a minute
PATIENCE_S = 900 + 3 * CYCLES


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_alarmed_from_old_whatever_happens(tmp_path: Path) -> None:
    if not MOSQUITTO.exists() and os.environ.get("CI") != "true":
        pytest.skip("mosquitto is missing: run make services")
    seed = int(os.environ.get("KANGBAN_SEED") or time.time_ns() % 1_000_000)
    print(f"KANGBAN_SEED={seed}")
    # the engine too is another one each time, where both are there
    engine = list(engines())[seed % len(engines())]
    words = [f"--cycles={CYCLES}", f"--seed={seed}", "--reckon-every=100", f"--engine={engine}"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *words, f"--keep={tmp_path}"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    said = f"seed {seed}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert done.returncode == 0, said
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["is_well"], said
    # a campaign that hardly measured, stored or killed anything would prove nothing
    assert figures["readings"] > 3 * CYCLES, said
    assert figures["stored_in_storm"] > figures["values"] / 4, said
    assert sum(figures["faults"].values()) == CYCLES, said
    assert figures["recoveries"] > 0, said
    # critical values of now did alarm: the rules were at work
    assert figures["alarms"] > 0, said


def test_in_fifteen_thousand_cycles_each_fault_comes_hundreds_of_times() -> None:
    first = [plan(1, number)[1][0] for number in range(1, 15_001)]
    assert min(first.count(name) for name in FAULTS) >= 200


def test_a_seed_repeats_its_plan() -> None:
    assert [plan(5, number)[:2] for number in range(50)] == [
        plan(5, number)[:2] for number in range(50)
    ]
    assert plan(5, 1)[:2] != plan(6, 1)[:2]
