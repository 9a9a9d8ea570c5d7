"""The owner's end of a guard: a server program that runs while this object is held.

May hold: starting and letting go of `guard.py`, the lock that gives a data folder one owner, and
what the guard reports. May not: anything about a particular server.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from kangban.embedded import guard
from kangban.embedded.running import is_running
from vitals.errors import MendSettings, TryAgain

# how often a server may fall while it starts before we believe that it never will: with the
# guard's pauses this is some four seconds, time enough for the remains of a killed one to go
_FALLS = 8
# an owner that was just killed may still look alive for a moment
_OWNER_GRACE_S = 2.0
_LOOK_EVERY_S = 0.02


class Guarded:
    """One server program under a guard of its own."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        lock: "FolderLock",
        stop: signal.Signals,
        force: signal.Signals,
        patience_s: float,
    ) -> None:
        self.pid = 0  # of the server; 0 while it is down
        self.falls = 0
        self._log = log
        self._heard = b""
        self._patience_s = patience_s
        options = [f"--stop={stop.name}", f"--force={force.name}", f"--patience={patience_s}"]
        self._guard: subprocess.Popen[bytes] = subprocess.Popen(
            # isolated and without site-packages: it starts in milliseconds and needs neither
            [sys.executable, "-I", "-S", guard.__file__, *options, f"--log={log}", "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[lock.fileno()],  # the folder stays ours until the server has stopped
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the owner, who then stops us in order
        )

    @property
    def guard_pid(self) -> int:
        """The process that would restart the server and outlives the owner by one clean stop."""
        return self._guard.pid

    def wait_until(self, answers: Callable[[], bool], *, patience_s: float) -> None:
        """Returns once `answers()` is true. Raises TryAgain with the log's end if it never is."""
        deadline = time.monotonic() + patience_s
        falls = self.falls
        while not (self.listen() and answers()):
            if self.falls - falls >= _FALLS or self._guard.poll() is not None:
                raise TryAgain(f"The server does not start; its log {self._log} ends:\n{self._end}")
            if time.monotonic() > deadline:
                raise TryAgain(f"No answer for {patience_s:.0f} s; see its log {self._log}")
            time.sleep(_LOOK_EVERY_S)

    def listen(self) -> int:
        """The server's process id as last reported by the guard, 0 while it is down."""
        out = self._guard.stdout
        assert out is not None
        while select.select([out], [], [], 0)[0] and (news := os.read(out.fileno(), 4096)):
            *lines, self._heard = (self._heard + news).split(b"\n")
            for line in lines:
                started = line.startswith(b"started ")
                self.pid = int(line.split()[1]) if started else 0
                self.falls += not started
        return self.pid

    def is_guarded(self) -> bool:
        """Whether the guard itself still runs."""
        return self._guard.poll() is None

    def wait_for_guard(self) -> None:
        """Returns when the guard has ended: because it was let go, or because it was killed."""
        self._guard.wait()

    def stop(self) -> None:
        """Returns when the server has stopped and its guard is gone."""
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        # the guard tries three signals, each with this patience
        self._guard.wait(3 * self._patience_s + 5)
        self.pid = 0

    @property
    def _end(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(lines[-12:])


class FolderLock:
    """A data folder has one owner at a time; its death, however sudden, frees the folder."""

    def __init__(self, folder: Path, *, patience_s: float) -> None:
        self._file: IO[str] = (folder / "owner").open("a+")
        begun = time.monotonic()
        while not self._taken():
            owner = self._owner()
            # the guard of an owner that died is still stopping the server: worth waiting for
            if time.monotonic() > begun + (_OWNER_GRACE_S if is_running(owner) else patience_s):
                self._file.close()
                raise MendSettings(
                    f"{folder} is in use by process {owner or '?'}."
                    " Stop that one first, or choose another folder with --data."
                )
            time.sleep(_LOOK_EVERY_S)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def fileno(self) -> int:
        """The descriptor that holds the lock."""
        return self._file.fileno()

    def release(self) -> None:
        """Gives the folder free (once the guard, which holds it too, is gone)."""
        self._file.close()

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _owner(self) -> int:
        self._file.seek(0)
        words = self._file.read().split()
        return int(words[0]) if words and words[0].isdigit() else 0


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and their like are meant for other servers than ours
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}
