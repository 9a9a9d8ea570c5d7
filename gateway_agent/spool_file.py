"""The file of the spool: opened, brought up to date, mended where it was damaged, kept small.

Write-ahead log with an fsync at each commit, so that a power cut at any instruction leaves the last
commit whole. A file that is damaged all the same (a worn SD card) is set aside as `….broken-1` with
its log, and what can still be read of it is carried over into a new one: the gateway goes on, and
says so. May hold: the connection, transactions, errors, room on disk. May not: what the rows mean.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway_agent.reserve import Reserve
from gateway_agent.spool_rescue import is_damage, mend, take_over
from gateway_agent.spool_schema import STEPS
from vitals.errors import KangbanError, MendSettings, TryAgain

log = logging.getLogger(__name__)

# bytes to which the write-ahead log is cut back after a checkpoint; an engineering choice
_LOG_BYTES = 4 * 1024 * 1024
# free pages (4 kB each) that are left in the file for what comes next; an engineering choice
_FREE_PAGES = 256


class SpoolFile:
    """One open SQLite file; every method may be called from any thread.

    Raises MendSettings when the file cannot be opened, TryAgain when the disk is full or fails:
    then nothing of that call was kept, and all that was kept before still is.
    """

    def __init__(self, path: Path, *, reserve_bytes: int = 0) -> None:
        self.path = path
        self._reserve = Reserve(path.with_name(f"{path.name}.reserve"), reserve_bytes)
        self._lock = threading.RLock()
        self._watchers: list[Callable[[], object]] = []
        self._full: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            take_over(path)
            self._base = self._opened()
            self.has_room()
        except (OSError, sqlite3.Error) as error:
            raise MendSettings(
                f"The spool {path} cannot be opened ({error}): set KANGBAN_GATEWAY_DATA to a "
                "folder that this program may write, on a disk with free space."
            ) from error

    def close(self) -> None:
        """Closes the file; what was kept is there at the next start."""
        with self._lock:
            self._base.close()

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Calls `watcher` after each change, from whatever thread made it; gives the way to stop
        that."""
        with self._lock:
            self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def has_room(self) -> bool:
        """May something be taken from a device? The room that is held back must be there."""
        held = self._reserve.hold()
        if not held:
            self._full = (
                "The gateway's disk is nearly full: free some space. What was read is safe and "
                "goes on being sent; no device is called on before there is room."
            )
        return held

    def troubles(self) -> Mapping[str, str]:
        """What is wrong with disk and file, each a short word with a sentence."""
        found = {}
        if self._full is not None:
            found["disk"] = self._full
        broken = sorted(self.path.parent.glob(f"{self.path.name}.broken-*[0-9]"))
        if broken:
            found["spool"] = (
                f"The spool was damaged and is set aside as {broken[-1].name}: {self._rescued()} "
                "Replace the SD card, keep that file for support, and delete it when it was seen."
            )
        return found

    def size_bytes(self) -> int:
        """How much the file holds, pages that are free left out."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._number("PRAGMA page_size")

    def give_back(self, *, all_of_it: bool = False) -> None:
        """Gives pages that are free back to the disk: all, or what is more than a few."""
        if not all_of_it and self._number("PRAGMA freelist_count") <= _FREE_PAGES:
            return
        with self._lock, self._told():
            # a statement of this kind gives back one page a step, and only a script takes them all
            self._base.executescript("PRAGMA incremental_vacuum")
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _opened(self) -> sqlite3.Connection:
        try:
            return connect(self.path)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._set_aside(error)
            return connect(self.path)

    def _set_aside(self, error: sqlite3.Error) -> None:
        said = mend(self.path, lambda path: connect(path, checked=False))
        log.error("The spool %s is damaged (%s). %s", self.path, error, said)

    def _rescued(self) -> str:
        rows = self._rows("SELECT value FROM setting WHERE name = 'rescued'")
        return str(rows[0][0]) if rows else "what it held could not be read."

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._told():
            return self._base.execute(query, values).fetchall()

    def _number(self, query: str, values: Sequence[Any] = ()) -> int:
        return int(self._rows(query, values)[0][0])

    def _tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            try:
                self._base.execute("BEGIN IMMEDIATE")
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise
            if self._reserve.is_held:
                self._full = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of SQLite leave as sentences; a file found damaged in mid-work is mended."""
        try:
            yield
        except sqlite3.OperationalError as error:
            self._full = (
                f"The gateway's disk does not take more ({error}): free some space. "
                "What was read before is safe; reading goes on when there is room."
            )
            # whoever tries again has this room, and the receipts that make more of it
            self._reserve.give_up()
            raise TryAgain(self._full) from error
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._mend_while_open(error)
            raise TryAgain(
                f"The spool was damaged ({error}) and is set aside; what could be read of it is "
                "in a new one, and the work goes on: replace the SD card soon."
            ) from error

    def _mend_while_open(self, error: sqlite3.Error) -> None:
        self._base.close()
        try:
            self._set_aside(error)
            self._base = connect(self.path)
        except (OSError, sqlite3.Error, KangbanError) as again:
            self._base = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            raise TryAgain(
                f"The spool {self.path} is damaged and no new one can be made ({again}): replace "
                "the SD card or free some space, and start the gateway again."
            ) from error


def connect(path: Path, *, checked: bool = True) -> sqlite3.Connection:
    """An open spool of this release's shape. Raises sqlite3.Error."""
    base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        base.execute("PRAGMA busy_timeout = 5000")
        # of effect in a file that is new; an older one is rebuilt once, see below
        base.execute("PRAGMA auto_vacuum = INCREMENTAL")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        base.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        if checked:
            _check(base)
        _upgrade(base)
        _let_shrink(base)
    except BaseException:
        base.close()
        raise
    return base


def _check(base: sqlite3.Connection) -> None:
    said = base.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        damage = sqlite3.DatabaseError(str(said).splitlines()[-1])
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _upgrade(base: sqlite3.Connection) -> None:
    """Takes the steps that this file has not gone yet, each in a transaction of its own."""
    (gone,) = base.execute("PRAGMA user_version").fetchone()
    if gone == 0:
        gone = _unmarked(base)
    for number, step in enumerate(STEPS[gone:], start=gone + 1):
        base.execute("BEGIN IMMEDIATE")
        try:
            for statement in step:
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {number}")
            base.execute("COMMIT")
        except BaseException:
            if base.in_transaction:
                base.execute("ROLLBACK")
            raise


def _unmarked(base: sqlite3.Connection) -> int:
    """How many steps a file has gone that does not say: earlier releases did not write it down."""
    columns = {row[1] for row in base.execute("PRAGMA table_info(device)")}
    return (2 if "added_at" in columns else 1) if columns else 0


def _let_shrink(base: sqlite3.Connection) -> None:
    """Lets a file of an earlier release give room back; where the disk has none for that, later."""
    if base.execute("PRAGMA auto_vacuum").fetchone()[0] == 0:
        try:
            base.execute("VACUUM")
        except sqlite3.OperationalError as error:
            log.info("The spool cannot be made smaller yet: %s", error)
