"""Counts the rows of one load into the days of their patients, as the database would.

Rows that are all new need not be counted by the database. They come in the order of the table's
key, so that neighbours mostly belong to one day: stretches of such neighbours are summed first,
then the stretches of a day. The limits of local days come from the database itself (`Calendar`), so
that both agree about every clock change. May hold: this counting. May not: SQL, clocks, I/O.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.moment import microseconds
from store.columns import EPOCH, NOBODY, Columns

# a user number that is nobody's own; whose it is then, the view `wearer` says
_ANY_NUMBER = -2
# Thousandths in which values are summed, and the largest of them that are: a number of at most 15
# digits is the float nearest to it, and 2**22 such values still fit into int8.
_PARTS, _MOST_PARTS = 1000, 2**40


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The days of one time zone: the day `first` begins at `starts[0]` (UTC), and so on."""

    first: date
    starts: Sequence[datetime]

    def covers(self, moment: datetime) -> bool:
        """Does it know the day of this moment?"""
        return self.starts[0] <= moment < self.starts[-1]

    @cached_property
    def _limits(self) -> NDArray[np.int64]:
        return np.array([microseconds(each) for each in self.starts])

    def days_of(self, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """The local day of each of these moments, which it covers, as `date.toordinal` says it."""
        return np.searchsorted(self._limits, moments, side="right") + self.first.toordinal() - 1


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


Wearers = Mapping[tuple[int, int], tuple[int, str]]


def count(
    columns: Columns, *, wearers: Wearers, calendars: Mapping[str, Calendar]
) -> tuple[NDArray[np.int32], list[DayCount]]:
    """Whose each row is (NOBODY: nobody's yet), and what the rows add to days, in the days' order.

    `wearers` gives patient and time zone by device and slot (-1 no number, -2 any number that is
    nobody's own); `calendars`, by time zone, must cover every row.
    """
    patients, zones, names = _wearers_of(columns, wearers)
    days = np.zeros(len(columns), np.int64)
    for place, name in enumerate(names):
        theirs = zones == place
        days[theirs] = calendars[name].days_of(columns.taken_at[theirs])
    worn = np.flatnonzero(patients != NOBODY)
    if not len(worn):
        return patients, []
    keys = [each[worn] for each in (patients, columns.kind, columns.unit, days)]
    return patients, _count(keys, columns.value[worn], columns.taken_at[worn])


def _wearers_of(
    columns: Columns, wearers: Wearers
) -> tuple[NDArray[np.int32], NDArray[np.int32], list[str]]:
    """Whose each row is, and the place of that person's time zone among those named."""
    begins = _begins([columns.device, columns.slot])
    sizes = np.diff(begins, append=len(columns))
    names: dict[str, int] = {}
    found = []
    for device, slot in zip(
        columns.device[begins].tolist(), columns.slot[begins].tolist(), strict=True
    ):
        wearer = wearers.get((device, slot)) or wearers.get((device, _ANY_NUMBER))
        if wearer is None:
            found.append((NOBODY, NOBODY))
        else:
            patient_id, zone = wearer
            found.append((patient_id, names.setdefault(zone, len(names))))
    pairs = np.array(found, np.int32).reshape(len(found), 2)
    patients, zones = np.repeat(pairs, sizes, axis=0).T
    return patients, zones, list(names)


def _count(
    keys: Sequence[NDArray[Any]], values: NDArray[np.float64], moments: NDArray[np.int64]
) -> list[DayCount]:
    """The days of rows with these keys: patient, kind, unit, day."""
    parts, are_exact = _parts(values)
    # first the stretches of neighbours with one key, then the stretches of each key
    begins = _begins(keys)
    keys = [each[begins] for each in keys]
    order = np.lexsort(keys[::-1])
    keys = [each[order] for each in keys]
    bounds = _begins(keys)

    def summed(how: np.ufunc, column: NDArray[Any]) -> list[Any]:
        found: list[Any] = how.reduceat(how.reduceat(column, begins)[order], bounds).tolist()
        return found

    sums = [Decimal(each) / _PARTS for each in summed(np.add, parts)]
    if not are_exact.all():
        # which day each stretch, and by it each row, was counted into
        of_stretch = np.empty(len(order), np.int64)
        of_stretch[order] = np.repeat(np.arange(len(bounds)), np.diff(bounds, append=len(order)))
        of_row = np.repeat(of_stretch, np.diff(begins, append=len(values)))
        for place in np.flatnonzero(~are_exact).tolist():
            sums[of_row[place]] += exact(float(values[place]))
    patients, kinds, units, days = (each[bounds].tolist() for each in keys)
    return [
        DayCount(
            patient_id=patient_id,
            kind=kind,
            unit=unit,
            local_day=date.fromordinal(day),
            n=n,
            sum=total,
            min=low,
            max=high,
            first_at=_moment(first),
            last_at=_moment(last),
        )
        for patient_id, kind, unit, day, n, total, low, high, first, last in zip(
            patients,
            kinds,
            units,
            days,
            summed(np.add, np.ones(len(values), np.int64)),
            sums,
            summed(np.minimum, values),
            summed(np.maximum, values),
            summed(np.minimum, moments),
            summed(np.maximum, moments),
            strict=True,
        )
    ]


def _begins(keys: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
    """Where stretches of rows with the same keys begin."""
    changes = np.zeros(len(keys[0]), np.bool_)
    changes[:1] = True
    for each in keys:
        changes[1:] |= each[1:] != each[:-1]
    return np.flatnonzero(changes)


def _parts(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Each value in thousandths, and whether that is exact; 0 where it is not.

    It is where the float is the one nearest to so many thousandths: then no other decimal of up to
    fifteen digits is nearer, and PostgreSQL casts it to this one. 5.6 -> 5600; 1/3 -> not exact
    """
    parts = np.rint(values * _PARTS)
    are_exact = (np.abs(parts) < _MOST_PARTS) & (parts / _PARTS == values)
    return np.where(are_exact, parts, 0).astype(np.int64), are_exact


def _moment(number: int) -> datetime:
    return EPOCH + timedelta(microseconds=number)


@lru_cache(maxsize=4096)
def exact(value: float) -> Decimal:
    """The number as PostgreSQL casts float8 to numeric: fifteen significant digits.

    5.6 -> 5.6; 0.1 + 0.2 -> 0.3
    """
    return Decimal(f"{value:.15g}")
