"""Removing raw readings that are older than is kept, compressing old ones, and how chunks are cut.

Days, findings, alerts, reports and what was said of whose a reading is stay: they are the record. A
cut is said first and removed afterwards, so that a kill in between loses nothing of it: the next
run removes the rest. May hold: these steps over `sql/retention.sql`. May not: when and how much
(`kangban/keeping/decide.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from store import intake
from store.named import queries

_SQL = queries("retention")

# any number that nothing else here locks on: "keep" in ASCII
_LOCK = 0x6B656570
# Rows this much younger than a cut's removal are here too: the days of the patients' zones that a
# cut goes through are whole, for every zone and for a clock change.
SPARED = timedelta(days=2)
# pages of the disk whose rows go in one transaction: about 80,000 rows; an engineering choice
_PAGES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides about keeping. `timescaledb` and `licence`: None where the table is plain."""

    timescaledb: str | None
    licence: str | None
    raw_since: datetime | None
    oldest_waiting: datetime | None

    @property
    def may_compress(self) -> bool:
        """Does this server compress? Only TimescaleDB's community edition does."""
        return self.timescaledb is not None and self.licence == "timescale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a cut removed; `chunks` were dropped whole."""

    rows: int = 0
    chunks: int = 0


def keep_alone(connection: Connection[Any]) -> bool:
    """Does nobody else do this work now? Held until the connection ends."""
    return bool(_scalar(connection, "keep_alone", lock=_LOCK))


def facts(connection: Connection[Any]) -> Facts:
    """What decides about keeping in this database."""
    with connection.cursor(row_factory=class_row(Facts)) as cursor:
        found = cursor.execute(_SQL["facts"]).fetchone()
    assert found is not None
    return found


# -- removing --------------------------------------------------------------------------------------


def count_older(connection: Connection[Any], before: datetime) -> tuple[int, int]:
    """How many raw readings a cut at this moment removes, and how many of them wait for a name."""
    row = connection.execute(_SQL["count_older"], {"before": before - SPARED}).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def cut(connection: Connection[Any], *, complete_since: datetime, now: datetime) -> None:
    """Says that raw readings are here since then and none before; nothing is removed by this.

    Waits for the loads that run, so that each knows of it: what they brought before is removed with
    the rest, and what is brought again is not taken in.
    """
    with connection.transaction():
        intake.stop_loads(connection)
        connection.execute(_SQL["add_cut"], {"at": now, "complete_since": complete_since})


def remove(connection: Connection[Any], known: Facts) -> Removed:
    """Removes what lies before the last cut, in small transactions; the connection commits each."""
    if known.raw_since is None:
        return Removed()
    before = known.raw_since - SPARED
    if known.timescaledb:
        done = _remove_chunks(connection, before, whole=known.may_compress)
    else:
        done = _remove(connection, before)
    connection.execute(_SQL["delete_older_revisions"], {"before": before})
    if done != Removed():
        connection.execute(_SQL["note_removed"], {"rows": done.rows, "chunks": done.chunks})
    return done


def _remove_chunks(connection: Connection[Any], before: datetime, *, whole: bool) -> Removed:
    asked = {"before": before}
    rows = int(_scalar(connection, "count_chunks_rows", **asked))
    chunks = int(_scalar(connection, "drop_chunks", **asked))
    if not whole:
        # the beginning of the chunk through which the cut goes: as much is left as elsewhere. One
        # that is compressed would have to be unpacked for it, and waits until all of it goes.
        rows += connection.execute(_SQL["delete_older"], asked).rowcount
    return Removed(rows=rows, chunks=chunks)


def _remove(connection: Connection[Any], before: datetime) -> Removed:
    rows = 0
    for first in range(0, int(_scalar(connection, "pages")), _PAGES):
        asked = {"before": before, "first": first, "end": first + _PAGES}
        rows += connection.execute(_SQL["delete_older_in_pages"], asked).rowcount
    return Removed(rows=rows)


# -- chunks ----------------------------------------------------------------------------------------


def chunk_interval(connection: Connection[Any]) -> timedelta:
    """How much time a new chunk spans; for a hypertable."""
    found: timedelta = _scalar(connection, "chunk_interval")
    return found


def set_chunk_interval(connection: Connection[Any], interval: timedelta) -> None:
    """Has new chunks span so much time; those that exist stay as they are."""
    connection.execute(_SQL["set_chunk_interval"], {"interval": interval})


def compress(connection: Connection[Any], *, before: datetime) -> int:
    """How many chunks that ended before a moment were compressed now, each in a transaction."""
    if not _scalar(connection, "is_compressing"):
        connection.execute(_SQL["allow_compression"])
    chunks = connection.execute(_SQL["chunks_to_compress"], {"before": before}).fetchall()
    for (chunk,) in chunks:
        connection.execute(_SQL["compress_chunk"], {"chunk": chunk})
    return len(chunks)


def _scalar(connection: Connection[Any], name: str, **values: object) -> Any:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_SQL[name], values).fetchone()
