"""Readings of nobody known: what waits for a name, and what helps to find it.

A record waits for the households whose gateway brought it, and for nobody else. May hold: these
reads over `sql/inbox.sql` and their nouns. May not: moves (`assignment.py`), who may see what
(`api/access.py`), whose a reading probably is (`api/likely.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from store.measurements import Stored, stored_of
from store.named import queries
from vitals.kinds import KIND_OF_CODE, VITALS, Kind
from vitals.units import UNIT_OF_CODE, Unit

_SQL = queries("inbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One record of one device: the values of one measuring have these three in common."""

    device_id: int
    sequence: int
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A record that waits for a name; `candidates` are the patients whose it may be."""

    visit: Visit
    device_kind: str
    user: int | None
    candidates: tuple[int, ...]
    values: dict[Kind, Stored]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualDay:
    """One day of one patient, kind and unit, for what is usual."""

    patient_id: int
    kind: Kind
    unit: Unit
    n: int
    sum: float
    min: float
    max: float
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How many records of one number of a device were a patient's; slot -1: without a number."""

    device_id: int
    slot: int
    patient_id: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What somebody said of `n` records; it can still be undone."""

    id: int
    at: datetime
    by: str
    deed: str
    patient_id: int
    device_id: int
    device: str
    kind: str
    mapped_slot: int | None
    n: int
    newest_at: datetime | None


def waiting(connection: Connection[Any], patients: Collection[int], *, limit: int) -> list[Waiting]:
    """What waits in the households of these patients, newest first, at most so many records."""
    rows = connection.execute(
        _SQL["waiting"], {"patients": list(patients), "limit": limit}
    ).fetchall()
    found = []
    # device, sequence, taken_at
    for (device_id, sequence, taken_at), group in groupby(
        rows, lambda row: (row[0], row[7], row[6])
    ):
        members = list(group)
        values = {each.kind: each for each in (stored_of(row[3:]) for row in members)}
        found.append(
            Waiting(
                visit=Visit(device_id=device_id, sequence=sequence, taken_at=taken_at),
                device_kind=members[0][1],
                user=next(iter(values.values())).user,
                candidates=tuple(members[0][2]),
                values=values,
            )
        )
    return found


def count_waiting(connection: Connection[Any], patients: Collection[int], *, limit: int) -> int:
    """How many records wait in the households of these patients; `limit` stands for more too."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute(
            _SQL["count_waiting"], {"patients": list(patients), "limit": limit}
        ).fetchone()
    return int(found or 0)


def usual_days(
    connection: Connection[Any],
    patients: Collection[int],
    *,
    kinds: Collection[Kind],
    since: date,
) -> list[UsualDay]:
    """The days of these patients and kinds since a day."""
    rows = connection.execute(
        _SQL["usual_days"],
        {
            "patients": list(patients),
            "kinds": [VITALS[kind].code for kind in kinds],
            "since": since,
        },
    ).fetchall()
    return [
        UsualDay(
            patient_id=patient_id,
            kind=KIND_OF_CODE[kind],
            unit=UNIT_OF_CODE[unit],
            n=n,
            sum=total,
            min=least,
            max=most,
            first_at=first_at,
            last_at=last_at,
        )
        for patient_id, kind, unit, n, total, least, most, first_at, last_at in rows
    ]


def uses(connection: Connection[Any], devices: Collection[int], *, since: datetime) -> list[Use]:
    """Whose the records of these devices were since a moment."""
    with connection.cursor(row_factory=class_row(Use)) as cursor:
        return cursor.execute(_SQL["uses"], {"devices": list(devices), "since": since}).fetchall()


def recent(
    connection: Connection[Any], patients: Collection[int], *, since: datetime, limit: int = 20
) -> list[Recent]:
    """What was said in the name of these patients since then and stands, newest first."""
    with connection.cursor(row_factory=class_row(Recent)) as cursor:
        return cursor.execute(
            _SQL["recent"], {"patients": list(patients), "since": since, "limit": limit}
        ).fetchall()
