"""All metrics of 14 days of continuous glucose, beside iglu-python, in turns, in one run.

Ours: from arrays of times and values to every metric of `rules.metrics.cgm`, and the profile of the
day, which iglu-python has not. Theirs: the functions of iglu-python for the same metrics, from
a table in memory. Processor time, the median of the rounds. Both results are compared. iglu-python
is GPL-2: it is installed for this benchmark alone, into an environment of its own; where it cannot
be had, ours stands alone. The last line is JSON.

    python -m bench.metrics [--rounds 5] [--iglu PYTHON]
"""

import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from rules.metrics.agp import profile
from rules.metrics.cgm import Cgm, cgm
from rules.metrics.local_time import ns_of
from rules.metrics.series import series_of
from vitals.units import Unit

# the version whose outputs the reference tests were made with
_IGLU = "iglu-python==0.4.3"
_HOME = Path(tempfile.gettempdir()) / "kangban-bench-iglu"
# days and minutes of the series
_DAYS, _STEP_MIN = 14, 5
# computations of ours in one round: one alone is too short for the clock
_TIMES = 20
# LBGI and HBGI: R iglu multiplies by 22.77 as Kovatchev printed it, and so do we; iglu-python by
# 10 * 1.509^2 = 22.7708
_RISK = 10 * 1.509**2 / 22.77
# iglu-python counts 1e-6 apart as equal in its own tests
_EQUAL = 1e-6

Rows = list[tuple[datetime, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Medians of the rounds, milliseconds of processor time; None where there was no iglu-python.

    `differ` names the metrics that are more than 1e-6 apart.
    """

    readings: int
    ours_ms: float
    iglu_ms: float | None
    ratio: float | None
    compared: int
    differ: tuple[str, ...]


def main() -> int:
    """The benchmark; 1 if the two disagree."""
    parser = argparse.ArgumentParser(description="All metrics of 14 days of CGM, beside iglu.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iglu", help="an interpreter that has iglu-python")
    asked = parser.parse_args()
    found = cgm_beside_iglu(rounds=asked.rounds, python=asked.iglu or _installed(), say=print)
    print(json.dumps({"bench": "metrics", "load": os.getloadavg()[0], **asdict(found)}))
    return 1 if found.differ else 0


def cgm_beside_iglu(*, rounds: int, python: str | None, say: Callable[[str], None]) -> Comparison:
    """Both in turns over one made-up person; without `python` only ours."""
    rows = fortnight(seed=7)
    ours: list[float] = []
    theirs: list[float] = []
    numbers: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="kangban-bench-") as folder:
        other = _start(python, Path(folder) / "series.csv", rows) if python else None
        try:
            for number in range(rounds):
                ours.append(_ours_s(rows))
                line = f"round {number + 1}: ours {1000 * ours[-1]:.2f} ms"
                if other is not None:
                    seconds, numbers = _ask(other)
                    theirs.append(seconds)
                    line += f", iglu-python {1000 * seconds:.0f} ms, {seconds / ours[-1]:.0f} times"
                say(line)
        finally:
            if other is not None:
                other.communicate()
    return _compared(rows, ours, theirs, numbers)


def fortnight(*, seed: int) -> Rows:
    """14 days of 5-minute values of a made-up person with meals, noise, lost readings and gaps."""
    chance = np.random.default_rng(seed)
    n = _DAYS * 1440 // _STEP_MIN
    hour = np.arange(n) * _STEP_MIN / 60
    meals = sum(
        height * np.exp(-(((hour % 24) - at) ** 2) / 1.5)
        for at, height in ((8.5, 90), (13.5, 70), (19.5, 80))
    )
    drift = np.cumsum(chance.normal(0, 3, n))
    drift -= np.convolve(drift, np.ones(96) / 96, mode="same")
    values = np.clip(np.round(105 + meals + drift), 40, 400)
    there = chance.random(n) > 0.02
    for begin in chance.integers(0, n - 60, 5):
        there[begin : begin + chance.integers(12, 60)] = False
    start = datetime(2026, 11, 9, 8, 3, tzinfo=UTC)
    return [
        (start + timedelta(minutes=_STEP_MIN * place), float(values[place]))
        for place in np.flatnonzero(there).tolist()
    ]


def _ours_s(rows: Rows) -> float:
    """Seconds of one computation, from arrays to numbers."""
    times, values = [ns_of(at) for at, _ in rows], [value for _, value in rows]
    as_times, as_values = np.asarray(times), np.asarray(values)
    begun = time.process_time()
    for _ in range(_TIMES):
        series = series_of(as_times, as_values, unit=Unit.MG_PER_DL, zone="UTC")
        cgm(series)
        profile(series)
    return (time.process_time() - begun) / _TIMES


def _compared(
    rows: Rows, ours: Sequence[float], theirs: Sequence[float], numbers: dict[str, float]
) -> Comparison:
    series = series_of(
        [ns_of(at) for at, _ in rows],
        [value for _, value in rows],
        unit=Unit.MG_PER_DL,
        zone="UTC",
    )
    own = _numbers(cgm(series))
    theirs_as_ours = {
        name: value / _RISK if name in ("lbgi", "hbgi") else value
        for name, value in numbers.items()
    }
    ours_ms = 1000 * statistics.median(ours)
    iglu_ms = 1000 * statistics.median(theirs) if theirs else None
    return Comparison(
        readings=len(rows),
        ours_ms=round(ours_ms, 3),
        iglu_ms=round(iglu_ms, 1) if iglu_ms else None,
        ratio=round(iglu_ms / ours_ms, 1) if iglu_ms else None,
        compared=len(numbers),
        differ=tuple(
            f"{name}: {own[name]:.9g}, iglu-python {value:.9g}"
            for name, value in theirs_as_ours.items()
            if not math.isclose(own[name], value, abs_tol=_EQUAL)
        ),
    )


def _numbers(found: Cgm) -> dict[str, float]:
    glycemia, share = found.glycemia, found.glycemia.bands
    numbers = {
        name: getattr(glycemia, name)
        for name in ("mean", "sd", "cv", "gmi", "ea1c", "lbgi", "hbgi", "gri", "j_index")
    }
    numbers |= {
        "tir": share.in_range,
        "below_54": share.very_low,
        "below_70": share.very_low + share.low,
        "above_180": share.high + share.very_high,
        "above_250": share.very_high,
        "modd": found.modd,
        "mage": found.mage,
        "active_percent": found.sufficiency.active_percent,
    }
    for tally in found.episodes.tallies:
        name = f"{'hypo' if tally.is_low else 'hyper'}_{tally.level.value}"
        numbers |= {f"{name}_n": len(tally.episodes), f"{name}_min": tally.minutes}
    return numbers


def _installed() -> str | None:
    """An interpreter of its own that has iglu-python; None where it cannot be had."""
    python = _HOME / "bin" / "python"
    try:
        if not python.exists():
            venv.create(_HOME, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", _IGLU],
            check=True,
            capture_output=True,
            timeout=600,
        )
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{_IGLU} cannot be had here ({type(error).__name__}): ours stands alone.")
        return None
    return str(python)


def _start(python: str, path: Path, rows: Rows) -> "subprocess.Popen[str]":
    if not Path(python).exists():
        sys.exit(f"There is no interpreter at {python}.")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "time", "gl"])
        writer.writerows(["one", at.replace(tzinfo=None).isoformat(), value] for at, value in rows)
    return subprocess.Popen(
        [python, Path(__file__).with_name("iglu_alone.py"), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ask(other: "subprocess.Popen[str]") -> tuple[float, dict[str, float]]:
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write("go\n")
    other.stdin.flush()
    answer = other.stdout.readline()
    if not answer:
        sys.exit("iglu-python ended without an answer; see its words above.")
    found = json.loads(answer)
    return float(found["s"]), found["numbers"]


if __name__ == "__main__":
    sys.exit(main())
