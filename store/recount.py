"""Counting days anew: what every change but an added row needs, wherever it comes from.

A load adds what is new to a day. Whatever else happens to a row (its device corrects it, it changes
hands, it is deleted, its patient moves to another time zone), the day is counted again from its
measurements: there is no subtraction that could be wrong. Days are held before they are counted, in
the order of every load, so that no load is missed and none is waited for in a circle; call it when
rows have their new place, and after the last row was touched. May hold: these recounts over
`sql/recount.sql`. May not: changes of rows, judgement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from store.named import queries

_SQL = queries("recount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Where a row was, or is now: the day of this moment is this patient's. Codes of the tables."""

    patient_id: int
    kind: int
    unit: int
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A day that was wrong: how many readings it said it had, and has. Codes of the tables."""

    patient_id: int
    kind: int
    unit: int
    local_day: date
    had: int
    has: int
    first_at: datetime
    last_at: datetime


def recount_rows(connection: Connection[Any], touched: Sequence[Touched]) -> None:
    """Counts the days of these places anew; has everybody concerned judged again.

    A row that changed hands, unit or day is given twice: where it was, and where it is.
    """
    if not touched:
        return
    moments = [each.taken_at for each in touched]
    places = {
        "patients": [each.patient_id for each in touched],
        "kinds": [each.kind for each in touched],
        "units": [each.unit for each in touched],
        "moments": moments,
    }
    days = connection.execute(_SQL["hold_days"], places).fetchall()
    names = ("patients", "kinds", "units", "days")
    wanted = dict(zip(names, map(list, zip(*days, strict=True)), strict=True))
    # a statement of its own: it must see what was committed while the days were waited for
    connection.execute(
        _SQL["recount_days"],
        {**wanted, "first": min(moments), "last": max(moments)},
        prepare=False,
    )
    connection.execute(_SQL["drop_empty_days"], wanted)
    connection.execute(_SQL["leave_news"], places)


def recount_patient(
    connection: Connection[Any],
    patient_id: int,
    *,
    first: date | None = None,
    last: date | None = None,
) -> list[Mended]:
    """The days of a patient that were wrong and are right now, in no order; they are news.

    `first` and `last` (both included) limit it to some local days. Days that began before raw
    readings were removed stay as they are. Reads every measurement of the patient twice.
    """
    row = connection.execute(_SQL["first_countable"]).fetchone()
    if row and row[0] is not None:
        first = max(first or row[0], row[0])
    span = {"patient_id": patient_id, "first": first, "last": last}
    connection.execute(_SQL["hold_patient"], span, prepare=False)
    # a statement of its own: it must see what was committed while the days were waited for
    with connection.cursor(row_factory=class_row(Mended)) as cursor:
        mended = cursor.execute(_SQL["recount_patient"], span, prepare=False).fetchall()
    connection.execute(_SQL["drop_empty_days_of_patient"], span)
    if mended:
        moments = [moment for day in mended for moment in (day.first_at, day.last_at)]
        connection.execute(
            _SQL["leave_news"], {"patients": [patient_id] * len(moments), "moments": moments}
        )
    return mended
