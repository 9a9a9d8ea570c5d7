"""What waits in quarantine, for pages and for a shell: a record with why nobody believes it.

May hold: these reads over `sql/quarantine.sql` and their nouns. May not: decisions
(`quarantine.py`), who may see what (`api/access.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row, scalar_row

from store.named import queries
from store.quarantine import State
from vitals.kinds import KIND_OF_CODE, Kind
from vitals.units import UNIT_OF_CODE, Unit

_SQL = queries("quarantine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """One value with the words of its reasons (`ingest/reason.py`)."""

    kind: Kind
    value: float
    unit: Unit
    codes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A record that waits for a decision; `key` names it.

    `patient_id`: whose it would be; None: nobody is known, and it may be one of `candidates`.
    """

    key: int
    patient_id: int | None
    candidates: tuple[int, ...]
    gateway: str
    device: str
    device_kind: str
    user: int | None
    taken_at: datetime
    received_at: datetime
    values: tuple[Doubted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What somebody decided of a record lately; `by` is '' for the server's shell.

    `through`: whose it would be, or one of those whose it may be.
    """

    key: int
    at: datetime
    by: str
    deed: str
    patient_id: int | None
    through: int
    taken_at: datetime
    received_at: datetime
    loaded_at: datetime | None
    codes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a shell's list says of one value: nothing of its content."""

    id: int
    received_at: datetime
    gateway: str
    device: str
    kind: Kind
    codes: list[str]
    state: State
    loaded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One value with all that came of it."""

    id: int
    received_at: datetime
    gateway: str
    device: str
    kind: Kind
    codes: list[str]
    reasons: list[str]
    state: State
    loaded_at: datetime | None
    document: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DeedDone:
    """What somebody decided, and when."""

    at: datetime
    deed: str
    by: str
    note: str


def waiting(
    connection: Connection[Any], patients: Collection[int], *, at_home: bool, limit: int
) -> list[Doubt]:
    """The records that wait and are these patients', the last to come first.

    `at_home`: also those of nobody known that came from their homes.
    """
    asked = {"patients": list(patients), "at_home": at_home, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_SQL["waiting"], asked).fetchall()
    return [_doubt(row) for row in rows]


def count_waiting(
    connection: Connection[Any], patients: Collection[int], *, at_home: bool, limit: int
) -> int:
    """How many records wait; `limit` stands for more too."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute(
            _SQL["count_waiting"], {"patients": list(patients), "at_home": at_home, "limit": limit}
        ).fetchone()
    return int(found or 0)


def recent(
    connection: Connection[Any],
    patients: Collection[int],
    *,
    at_home: bool,
    since: datetime,
    limit: int = 20,
) -> list[Decided]:
    """What was decided since then and stands, the last first."""
    asked = {"patients": list(patients), "at_home": at_home, "since": since, "limit": limit}
    with connection.cursor(row_factory=class_row(Decided)) as cursor:
        return cursor.execute(_SQL["recent"], asked).fetchall()


def listed(
    connection: Connection[Any],
    *,
    state: State | None = State.WAITING,
    device: str | None = None,
    limit: int = 20,
) -> list[Line]:
    """What is in quarantine, of whomever, the newest first."""
    asked = {"state": state, "device": device, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_SQL["listed"], asked).fetchall()
    return [Line(**{**row, **_named(row)}) for row in rows]


def one(connection: Connection[Any], number: int) -> tuple[Whole, list[DeedDone]] | None:
    """One value in quarantine, and who decided of it."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["one"], {"id": number}).fetchone()
    if row is None:
        return None
    with connection.cursor(row_factory=class_row(DeedDone)) as cursor:
        deeds = cursor.execute(_SQL["deeds"], {"id": number}).fetchall()
    return Whole(**{**row, **_named(row)}), deeds


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {"kind": KIND_OF_CODE[row["kind"]], "state": State(row["state"])}


def _doubt(row: dict[str, Any]) -> Doubt:
    return Doubt(
        key=row["key"],
        patient_id=row["patient_id"],
        candidates=tuple(row["candidates"]),
        gateway=row["gateway"],
        device=row["device"],
        device_kind=row["device_kind"],
        user=None if row["slot"] < 0 else row["slot"],
        taken_at=row["taken_at"],
        received_at=row["received_at"],
        values=tuple(
            Doubted(
                kind=KIND_OF_CODE[each["kind"]],
                value=float(each["value"]),
                unit=UNIT_OF_CODE[each["unit"]],
                codes=frozenset(each["codes"]),
            )
            for each in row["values"]
        ),
    )
