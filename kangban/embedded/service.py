"""What our PostgreSQL and our broker have in common: a folder, one owner, a guarded server.

May hold: start, wait and stop of a server in a folder. May not: anything about a particular one.
"""

import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from kangban.embedded.guarded import FolderLock, Guarded
from kangban.embedded.running import is_running
from vitals.errors import TryAgain

_LOOK_EVERY_S = 0.02


class Service(ABC):
    """A server that runs while this is entered as a context, in a folder of its own.

    The folder has one owner at a time: a second one is told who holds it, and one whose owner was
    killed takes over what it finds. A server that dies is started again by its guard, and a guard
    that dies by us.
    """

    # seconds: until it answers, even after a long recovery; and until it has stopped in order
    start_patience_s: float
    stop_patience_s: float

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self._lock: FolderLock | None = None
        self._server: Guarded | None = None
        # held while the server changes hands, so that nothing starts behind a stop
        self._changing = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server does for a client what it is there for."""

    @abstractmethod
    def _begin(self, lock: FolderLock) -> Guarded:
        """Starts the server in the folder that `lock` holds; does not wait for it."""

    @property
    def pid(self) -> int:
        """The server's process id, 0 while it is down."""
        server = self._server
        return server.listen() if server else 0

    def start(self) -> None:
        """Returns when the server answers.

        Raises MendSettings if the folder is in use or cannot be used, TryAgain with the end of the
        log if the server does not come up.
        """
        if self._server is None:
            self.data.mkdir(parents=True, exist_ok=True)
            self.data.chmod(0o700)
            self._lock = FolderLock(self.data, patience_s=self.stop_patience_s)
        try:
            if self._server is None:
                self._server = self._begin(self._lock_held())
                threading.Thread(target=self._watch, daemon=True).start()
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self, patience_s: float | None = None) -> None:
        """Returns when the server answers, after a start or a crash. Raises TryAgain."""
        server = self._server
        if server is None:
            raise TryAgain(f"The server in {self.data} is not running: start it first.")
        server.wait_until(self.answers, patience_s=patience_s or self.start_patience_s)

    def stop(self) -> None:
        """Returns when the server has stopped in order; what it keeps in the folder stays."""
        with self._changing:
            server, self._server = self._server, None
            if server is not None:
                server.stop()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _end_stray(self, pid: int, signals: Sequence[signal.Signals]) -> None:
        """Ends a server of ours that outlived its guard, the kinder signals first."""
        for each in signals:
            with suppress(ProcessLookupError):
                os.kill(pid, each)
            deadline = time.monotonic() + self.stop_patience_s
            while is_running(pid) and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)
            if not is_running(pid):
                return

    def _watch(self) -> None:
        while (server := self._server) is not None:
            server.wait_for_guard()
            with self._changing:
                if self._server is server:
                    server.stop()
                    self._server = self._begin(self._lock_held())

    def _lock_held(self) -> FolderLock:
        assert self._lock is not None
        return self._lock
