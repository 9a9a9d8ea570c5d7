"""An ingest worker whose threads are watched: which functions take its processor time.

Time is each thread's own processor time, so that waiting counts for nothing. Watching costs several
times what small functions take themselves: shares are to be trusted, rates are not. May hold: the
watching. May not: a worker that differs from the real one.
"""

import cProfile
import io
import pstats
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ingest.__main__ import run
from ingest.config import IngestSettings

# functions shown of each thread, and the least share of the whole for a thread to be shown
_FUNCTIONS, _LEAST = 14, 0.03


def watched(settings: IngestSettings, stop: Any, told: Path) -> None:
    """Runs a worker until `stop`, and writes down what its threads did."""
    profiles = {"judging": cProfile.Profile(time.thread_time)}

    def begin(*_: Any) -> None:
        sys.setprofile(None)
        profile = profiles[threading.current_thread().name] = cProfile.Profile(time.thread_time)
        profile.enable()

    threading.setprofile(begin)
    with profiles["judging"]:
        run(settings, stop)
    told.write_text(_report(profiles))


def _report(profiles: dict[str, cProfile.Profile]) -> str:
    text = io.StringIO()
    found = {name: pstats.Stats(each, stream=text) for name, each in profiles.items()}
    whole_s = sum(_own_s(each) for each in found.values())
    for name, stats in sorted(found.items(), key=lambda each: -_own_s(each[1])):
        share = _own_s(stats) / whole_s
        if share >= _LEAST:
            text.write(f"-- thread {name}: {share:.0%} of the worker's processor time\n")
            stats.strip_dirs().sort_stats("tottime").print_stats(_FUNCTIONS)
    lines = (line.rstrip() for line in text.getvalue().splitlines())
    return "\n".join(line for line in lines if line and "Ordered by" not in line)


def _own_s(stats: Any) -> float:
    return float(stats.total_tt)
