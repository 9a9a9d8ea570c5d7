"""What was refused, as it came, with its reasons: kept, listed, judged again.

A message that could not be taken apart is a *letter*, a measurement that could not be accepted a
*rejection*; on a shell they are L12 and R7. Nothing here is ever deleted: what was judged again
says what became of it. May hold: these steps over `sql/refused.sql` and their nouns. May not:
judgement (`ingest`), what waits for a person (`quarantine.py`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from store.named import queries

_SQL = queries("refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One measurement to be kept as refused; the digest makes a repeat a no-op."""

    digest: bytes
    gateway: str
    id: str | None
    document: Any
    reasons: Sequence[str]
    codes: Sequence[str]
    resync: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """One message to be kept as it is; the digest makes a repeat a no-op."""

    digest: bytes
    topic: str
    payload: bytes
    reasons: Sequence[str]
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a list says of one; `source` is its gateway or its topic. Nothing of its content."""

    name: str
    received_at: datetime
    source: str
    codes: list[str]
    replayed_at: datetime | None
    became: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One measurement that was refused, whole."""

    id: int
    gateway: str
    document: Any
    reasons: list[str]
    codes: list[str]
    resync: bool
    received_at: datetime
    replayed_at: datetime | None
    became: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message that could not be taken apart, whole."""

    id: int
    topic: str
    payload: bytes
    reasons: list[str]
    code: str
    received_at: datetime
    replayed_at: datetime | None
    became: str | None


# -- keeping ---------------------------------------------------------------------------------------


def reject(connection: Connection[Any], refused: Collection[Refused]) -> None:
    """Keeps measurements that were refused."""
    with connection.cursor() as cursor:
        cursor.executemany(
            _SQL["reject"],
            [
                {
                    "digest": each.digest,
                    "gateway": each.gateway,
                    "id": each.id,
                    "document": Jsonb(each.document),
                    "reasons": list(each.reasons),
                    "codes": list(each.codes),
                    "resync": each.resync,
                }
                for each in sorted(refused, key=lambda one: one.digest)
            ],
        )


def bury(connection: Connection[Any], messages: Collection[Buried]) -> None:
    """Keeps messages that could not be taken apart."""
    with connection.cursor() as cursor:
        cursor.executemany(
            _SQL["bury"],
            [
                {
                    "digest": each.digest,
                    "topic": each.topic,
                    "payload": each.payload,
                    "reasons": list(each.reasons),
                    "code": each.code,
                }
                for each in sorted(messages, key=lambda one: one.digest)
            ],
        )


# -- looking ---------------------------------------------------------------------------------------


def listed(
    connection: Connection[Any],
    *,
    code: str | None = None,
    since: datetime | None = None,
    everything: bool = False,
    limit: int = 20,
) -> list[Line]:
    """What was refused, the newest first; with `everything` also what was judged again since."""
    with connection.cursor(row_factory=class_row(Line)) as cursor:
        return cursor.execute(
            _SQL["listed"],
            {"code": code, "since": since, "everything": everything, "limit": limit},
        ).fetchall()


def counts(
    connection: Connection[Any], *, since: datetime | None = None, everything: bool = False
) -> dict[str, int]:
    """How many were refused for each reason (the first of each), the most frequent first."""
    asked = {"since": since, "everything": everything}
    return dict(connection.execute(_SQL["counts"], asked).fetchall())


def rejection(connection: Connection[Any], number: int) -> Rejection | None:
    """One measurement that was refused."""
    with connection.cursor(row_factory=class_row(Rejection)) as cursor:
        return cursor.execute(_SQL["rejection"], {"id": number}).fetchone()


def letter(connection: Connection[Any], number: int) -> Letter | None:
    """One message that could not be taken apart."""
    with connection.cursor(row_factory=class_row(Letter)) as cursor:
        return cursor.execute(_SQL["letter"], {"id": number}).fetchone()


# -- judging again ---------------------------------------------------------------------------------


def to_replay(connection: Connection[Any], *, code: str | None = None) -> list[str]:
    """The names of all that was refused and not judged again, the oldest first."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_SQL["to_replay"], {"code": code}).fetchall()


def mark_replayed(
    connection: Connection[Any], kept: Rejection | Letter, *, became: str, now: datetime
) -> bool:
    """Whether this says first what became of it."""
    query = "mark_letter" if isinstance(kept, Letter) else "mark_rejection"
    asked = {"id": kept.id, "became": became, "now": now}
    return connection.execute(_SQL[query], asked).fetchone() is not None


def mark_still(
    connection: Connection[Any],
    kept: Rejection | Letter,
    *,
    reasons: Sequence[str],
    codes: Sequence[str],
) -> None:
    """Keeps why it is still refused."""
    asked = {"id": kept.id, "reasons": list(reasons)}
    if isinstance(kept, Letter):
        connection.execute(_SQL["letter_still"], {**asked, "code": codes[0]})
    else:
        connection.execute(_SQL["rejection_still"], {**asked, "codes": list(codes)})
