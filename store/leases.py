"""Leases on blocks of shards: the rows by which ingest workers share them out.

A step is one short transaction: `attend` locks all blocks and says what is true, `hold` writes what
was decided of it. The server's clock counts, so that workers need not agree on the time. May hold:
the calls over `sql/leases.sql`. May not: who gets what (`ingest/lease.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from store.named import queries

_SQL = queries("leases")


class WorkerRow(NamedTuple):
    """A worker that was heard of."""

    name: str
    seen_at: datetime
    reaches_broker: bool


class LeaseRow(NamedTuple):
    """A block, its holder if it has one, and until when."""

    block: int
    holder: str | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is true at `now`, until the transaction ends."""

    now: datetime
    workers: list[WorkerRow]
    leases: list[LeaseRow]


def attend(
    connection: Connection[Any], name: str, *, reaches_broker: bool, patience_s: float
) -> Standing:
    """Says that a worker lives; gives what is true, with every block locked.

    Ends with TryAgain where another worker stands still in its step for longer than `patience_s`.
    """
    connection.execute(_SQL["be_brief"], {"ms": str(round(patience_s * 1000))})
    with connection.cursor(row_factory=class_row(LeaseRow)) as cursor:
        leases = cursor.execute(_SQL["leases"]).fetchall()
    row = connection.execute(
        _SQL["say"], {"name": name, "reaches_broker": reaches_broker}
    ).fetchone()
    assert row is not None
    with connection.cursor(row_factory=class_row(WorkerRow)) as cursor:
        workers = cursor.execute(_SQL["workers"]).fetchall()
    return Standing(now=row[0], workers=workers, leases=leases)


def hold(
    connection: Connection[Any], name: str, *, blocks: Collection[int], until: datetime
) -> None:
    """Gives these blocks to a worker until a moment. Call it after `attend`, in its transaction."""
    connection.execute(_SQL["hold"], {"name": name, "blocks": list(blocks), "until": until})


def give_up(connection: Connection[Any], name: str, *, blocks: Collection[int]) -> None:
    """Frees those of these blocks that the worker holds."""
    connection.execute(_SQL["give_up"], {"name": name, "blocks": list(blocks)})


def leave(connection: Connection[Any], name: str, *, blocks: Collection[int]) -> None:
    """Frees the blocks of a worker that stops, and forgets it."""
    give_up(connection, name, blocks=blocks)
    connection.execute(_SQL["leave"], {"name": name})


def holders(connection: Connection[Any]) -> dict[int, str | None]:
    """Who holds each block."""
    return dict(connection.execute("SELECT block, holder FROM shard_lease").fetchall())
