"""What can still be read of a damaged spool, carried over into a new one.

Row by row, from both ends of each table, and one by one in between: a bad page costs the rows on
it, not the table. The new file is whole before the damaged one is moved, so that a power cut in the
midst of this costs nothing either. May hold: this rescue. May not: what the rows mean.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from gateway_agent.spool_schema import TABLES

# rows between the first and the last bad one that are asked for one by one: 100,000 take a few
# seconds; an engineering choice
_PROBED = 100_000

Row = tuple[Any, ...]


def is_damage(error: sqlite3.Error) -> bool:
    """Does SQLite say that the file itself is broken, and not the disk full or the query wrong?"""
    # the low octet is the primary result code (SQLite, "Result and Error Codes")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def take_over(path: Path) -> None:
    """Ends a mending that a power cut broke off after the damaged file was moved."""
    if _mended(path).exists():
        _swap(path)


def mend(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> str:
    """Sets the damaged file aside and puts a new one in its place; what was saved, as a sentence.

    `connect` makes and opens a spool. Raises sqlite3.Error and OSError where no file can be made.
    """
    mending = path.with_name(f"{path.name}.mending")
    for each in _with_log(mending):
        each.unlink(missing_ok=True)
    with closing(connect(mending)) as base:
        said = _carry_over(path, base)
        base.execute(
            "INSERT INTO setting (name, value) VALUES ('rescued', ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (said,),
        )
        # one file alone: it is moved by one rename
        base.execute("PRAGMA journal_mode = DELETE")
    os.replace(mending, _mended(path))
    _swap(path)
    return said


def _swap(path: Path) -> None:
    """Moves the damaged file out of the way and the mended one in; may be begun again anywhere."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    # the log first: it must never lie beside the new file
    for old, new in reversed(list(zip(_with_log(path), _with_log(aside), strict=True))):
        if old.exists():
            os.replace(old, new)
    os.replace(_mended(path), path)


def _carry_over(path: Path, base: sqlite3.Connection) -> str:
    counts, whole = dict.fromkeys(TABLES, 0), True
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as damaged:
        damaged.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for table in TABLES:
            counts[table], complete = _copy(damaged, base, table)
            whole = whole and complete
        said = f"{counts['measurement']} measurements and {counts['device']} devices were saved"
        return f"{said}." if whole else f"{said}; some rows could not be read."
    return "nothing of it could be read; devices must be added again."


def _copy(damaged: sqlite3.Connection, base: sqlite3.Connection, table: str) -> tuple[int, bool]:
    """How many rows were carried over, and whether that was all."""
    try:
        there = _columns(damaged, table)
    except sqlite3.Error:
        return 0, False
    columns = [each for each in _columns(base, table) if each in there]
    if not columns:
        return 0, True
    marks = ", ".join("?" * len(columns))
    put = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    copied, complete = 0, True
    base.execute("BEGIN")
    for row in _salvaged(damaged, table, columns):
        if row is None or not _is_sound(table, dict(zip(columns, row, strict=True))):
            complete = False
            continue
        try:
            copied += max(base.execute(put, row).rowcount, 0)
        except sqlite3.Error:
            complete = False
    base.execute("COMMIT")
    return copied, complete


def _columns(base: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in base.execute(f"PRAGMA table_info({table})")]


def _salvaged(base: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[Row | None]:
    """The rows from both ends and in between; None where some could not be read."""
    chosen = f"SELECT {', '.join(columns)} FROM {table}"
    forward = _Reading(base, chosen)
    yield from forward
    if not forward.broke:
        return
    yield None
    backward = _Reading(base, f"{chosen} ORDER BY rowid DESC")
    yield from backward
    if "place" not in columns:
        return
    at = columns.index("place")
    low = 0 if forward.last is None else int(forward.last[at])
    high = low + _PROBED if backward.last is None else int(backward.last[at])
    for place in range(low + 1, min(high, low + _PROBED)):
        yield from _Reading(base, f"{chosen} WHERE place = {place}")


class _Reading:
    """The rows of a query until the first that cannot be read."""

    def __init__(self, base: sqlite3.Connection, query: str) -> None:
        self._base, self._query = base, query
        self.broke = False
        self.last: Row | None = None

    def __iter__(self) -> Iterator[Row]:
        try:
            for row in self._base.execute(self._query):
                self.last = row
                yield row
        except sqlite3.Error:
            self.broke = True


def _is_sound(table: str, row: dict[str, Any]) -> bool:
    """A document that is no JSON would hold up everything behind it."""
    if table != "measurement":
        return True
    try:
        return isinstance(json.loads(row["document"]), dict) and isinstance(row["id"], str)
    except (ValueError, TypeError):
        return False


def _mended(path: Path) -> Path:
    """The new file, whole, on its way to its place."""
    return path.with_name(f"{path.name}.mended")


def _with_log(path: Path) -> list[Path]:
    """The file with its write-ahead log and that log's index."""
    return [path, *(path.with_name(path.name + each) for each in ("-wal", "-shm"))]
