"""A process that ends when its owner ends, even when the owner is killed.

The owner keeps the write end of the child's standard input open and never writes; the system closes
it when the owner is gone, however it went, and the child then stops as if asked to. Works on every
system that has pipes. May hold: this agreement, both sides of it. May not: anything else.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_OWNED = "KANGBAN_OWNED"


def start(
    words: Sequence[str], *, environ: Mapping[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    """The running `kangban` command, its output appended to `log`; ends when this process ends."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "kangban", *words],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environ, _OWNED: "1", "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )


def follow_owner() -> None:
    """Asks this process to stop once its owner is gone; does nothing in a process of its own."""
    if os.environ.pop(_OWNED, None):
        threading.Thread(target=_wait, args=(sys.stdin.fileno(),), daemon=True).start()


def _wait(line: int) -> None:
    # the bare descriptor: a buffered stream would be locked by this thread when Python ends
    while os.read(line, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
