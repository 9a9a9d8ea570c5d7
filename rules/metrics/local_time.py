"""Many moments at once on the wall clock of a time zone: offsets, days, minutes of the day.

`zoneinfo` answers for one moment; here it is asked once a day of UTC, and within a day on which the
clock was changed the moment of change is looked for, so that a year of readings costs a few hundred
questions. May hold: this arithmetic on int64 nanoseconds. May not: values, days of a plan.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]

NS_PER_S = 1_000_000_000
NS_PER_MIN = 60 * NS_PER_S
NS_PER_DAY = 1440 * NS_PER_MIN
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)
_DAY_S = 86_400


def ns_of(at: datetime) -> int:
    """An aware moment in nanoseconds since 1970 UTC, exact to the microsecond."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def moment_of(ns: int) -> datetime:
    """The moment in UTC, cut to the microsecond."""
    return _EPOCH + timedelta(microseconds=int(ns) // 1000)


def local_ns(times_ns: Times, zone: str) -> Times:
    """What the wall clock showed, as nanoseconds since its own 1970-01-01 00:00."""
    if not len(times_ns):
        return times_ns
    days, place = np.unique(times_ns // NS_PER_DAY, return_inverse=True)
    changes = [_day(zone, int(day)) for day in days]
    before = np.asarray([each[0] for each in changes], dtype=np.int64)
    change_s = np.asarray([each[1] for each in changes], dtype=np.int64)
    after = np.asarray([each[2] for each in changes], dtype=np.int64)
    is_after = times_ns >= change_s[place] * NS_PER_S
    offset_s = np.where(is_after, after[place], before[place])
    there: Times = times_ns + offset_s * NS_PER_S
    return there


def day_numbers(times_ns: Times, zone: str) -> Times:
    """The local calendar day of each moment, as days since 1970-01-01."""
    return local_ns(times_ns, zone) // NS_PER_DAY


def minutes_of_day(times_ns: Times, zone: str) -> Times:
    """The local minute of the day of each moment, 0 to 1439."""
    return local_ns(times_ns, zone) % NS_PER_DAY // NS_PER_MIN


def date_of(day_number: int) -> date:
    """The calendar day of a day number."""
    return _EPOCH_DAY + timedelta(days=int(day_number))


@lru_cache(maxsize=8192)
def _day(zone: str, day: int) -> tuple[int, int, int]:
    """Offset at the start of a UTC day, the second at which it changes, offset from then on."""
    start, end = day * _DAY_S, (day + 1) * _DAY_S
    before, after = _offset_s(zone, start), _offset_s(zone, end)
    if before == after:
        return before, end, after
    low, high = start, end
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_s(zone, middle) == before else (low, middle)
    return before, high, after


def _offset_s(zone: str, second: int) -> int:
    at = _EPOCH + timedelta(seconds=second)
    offset = at.astimezone(_zone(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
