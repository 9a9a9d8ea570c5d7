"""The demo, played as a newcomer would: with one command, twice, and stopped with Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

KANGBAN = [sys.executable, "-m", "kangban"]
# what would point a demo at somebody's real data
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("KANGBAN_")}

# the bound, seconds from the radio to the alert
ALERT_BOUND_S = 3.0


def check(folder: Path, *more: str) -> dict[str, object]:
    """The figures of a demo that plays by itself."""
    done = subprocess.run(
        [*KANGBAN, "demo", "--check", "--data", str(folder), "--port", "0", *more],
        capture_output=True,
        text=True,
        env=ENVIRON,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(figures, dict)
    return figures


def remains(folder: Path) -> list[str]:
    """Processes that still name the folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                words = (each / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words:
                found.append(words.replace("\0", " "))
    return found


@pytest.mark.slow
def test_eight_weeks_arrive_once_and_a_low_glucose_alarms_within_three_seconds(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    first = check(folder, "--fresh")
    assert first["sent"] == first["stored"]
    assert isinstance(first["sent"], int)
    # fifteen people, eight weeks, one to sixteen values a day
    assert first["sent"] > 5_000
    assert (first["lost"], first["doubled"], first["rejected"]) == (0, 0, 0)
    live = first["live"]
    assert isinstance(live, dict)
    assert live["stored_s"] <= live["alert_s"] <= live["family_page_s"]
    assert live["alert_s"] <= ALERT_BOUND_S
    assert remains(folder) == []

    again = check(folder)
    # the same people: what happened between the two runs, and one more low glucose
    assert isinstance(again["sent"], int)
    assert 1 <= again["sent"] < 100
    assert (again["lost"], again["doubled"], again["rejected"]) == (0, 0, 0)
    assert remains(folder) == []


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    playing = subprocess.Popen(
        [*KANGBAN, "demo", "--data", str(tmp_path / "demo"), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRON,
        start_new_session=True,
    )
    yield playing
    playing.kill()
    playing.wait()


@pytest.mark.slow
def test_three_links_are_printed_and_ctrl_c_stops_everything(
    demo: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    too_late = threading.Timer(240, demo.kill)
    too_late.start()
    links = []
    assert demo.stdout is not None
    for line in demo.stdout:
        links += re.findall(r"http://127\.0\.0\.1:\d+/enter/[\w-]{43}", line)
        if len(links) == 3:
            break
    assert len(set(links)) == 3
    demo.send_signal(signal.SIGINT)
    demo.send_signal(signal.SIGINT)
    rest = demo.stdout.read()
    assert demo.wait() == 0, rest
    too_late.cancel()
    assert "Traceback" not in rest
    assert remains(tmp_path) == []


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("dear mother")
    done = subprocess.run(
        [*KANGBAN, "demo", "--fresh", "--data", str(tmp_path), "--port", "0"],
        capture_output=True,
        text=True,
        env=ENVIRON,
    )
    assert done.returncode == 1
    assert "choose an empty folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert letter.read_text() == "dear mother"
