"""Counts the rows of one load into the days of their patients, as the database would.

Rows that are all new need not be counted by the database: here it costs half a microsecond a row.
The limits of local days come from the database itself (`Calendar`), so that both agree about every
clock change. May hold: this counting. May not: SQL, clocks, I/O.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from ingest.batch import DEVICE, KIND, SLOT, TAKEN_AT, UNIT, VALUE, Row

# a user number that is nobody's own; whose it is then, the view `wearer` says
_ANY_NUMBER = -2
_DAY = timedelta(days=1)
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of one time zone: the day `first` begins at `starts[0]` (UTC), and so on."""

    first: date
    starts: Sequence[datetime]

    def covers(self, moment: datetime) -> bool:
        """Does it know the day of this moment?"""
        return self.starts[0] <= moment < self.starts[-1]

    def day_of(self, moment: datetime) -> tuple[date, datetime, datetime]:
        """The local day of a moment that it covers, and the day's limits."""
        place = bisect_right(self.starts, moment)
        return self.first + (place - 1) * _DAY, self.starts[place - 1], self.starts[place]


class DayCount(NamedTuple):
    """What one load adds to one day of one patient, one kind, one unit; a row of the table."""

    patient_id: int
    kind: int
    unit: int
    local_day: date
    n: int
    sum: Decimal
    min: float
    max: float
    first_at: datetime
    last_at: datetime


def count(
    rows: Sequence[Row],
    *,
    wearers: Mapping[tuple[int, int], tuple[int, str]],
    calendars: Mapping[str, Calendar],
) -> tuple[list[int | None], list[DayCount]]:
    """Whose each row is (None: nobody's yet), and what the rows add to days, in the days' order.

    `wearers` gives patient and time zone by device and slot (-1 no number, -2 any number that is
    nobody's own); `calendars`, by time zone, must cover every row.
    """
    patients: list[int | None] = []
    days: dict[tuple[int, int, int, date], tuple[list[float], list[datetime]]] = {}
    run, begin, end = None, *_EVER
    patient_id: int | None = None
    values: list[float] = []
    moments: list[datetime] = []
    for row in rows:
        same = (row[DEVICE], row[SLOT], row[KIND], row[UNIT])
        taken_at = row[TAKEN_AT]
        # neighbours are mostly of one device and one day: looked up once
        if same != run or not begin <= taken_at < end:
            run = same
            wearer = wearers.get((row[DEVICE], row[SLOT])) or wearers.get(
                (row[DEVICE], _ANY_NUMBER)
            )
            if wearer is None:
                patient_id, values, moments = None, [], []
                begin, end = _EVER
            else:
                patient_id, zone = wearer
                day, begin, end = calendars[zone].day_of(taken_at)
                key = (patient_id, row[KIND], row[UNIT], day)
                values, moments = days.setdefault(key, ([], []))
        patients.append(patient_id)
        values.append(row[VALUE])
        moments.append(taken_at)
    return patients, [_day(key, *kept) for key, kept in sorted(days.items())]


def _day(key: tuple[int, int, int, date], values: list[float], moments: list[datetime]) -> DayCount:
    patient_id, kind, unit, local_day = key
    return DayCount(
        patient_id=patient_id,
        kind=kind,
        unit=unit,
        local_day=local_day,
        n=len(values),
        sum=sum(map(exact, values), start=Decimal(0)),
        min=min(values),
        max=max(values),
        first_at=min(moments),
        last_at=max(moments),
    )


@lru_cache(maxsize=4096)
def exact(value: float) -> Decimal:
    """The number as PostgreSQL casts float8 to numeric: fifteen significant digits.

    5.6 -> 5.6; 0.1 + 0.2 -> 0.3
    """
    return Decimal(f"{value:.15g}")
