"""Record numbers for devices that count by the day: steps so far, a pulse every few minutes, sleep.

A watch or ring has no record numbers, only days. The number of a reading is made of what it says,
so that reading the same again is the same record, and it rises with the day, so that the highest
number on disk tells how far the device was read:

    bit 50 set | the day's ordinal (1 = 0001-01-01) | what (2 bits) | part (20 bits)

    what   0 pulse       part: minute of the day
           1 sleep       part: minute of the day at which it ended
           2 steps       part: the total so far

Bit 50 lies above every number made of milliseconds since 1970 (41 bits). Why so: ADR 0016. May
hold: this arithmetic. May not: bytes, asking.
"""

from datetime import date
from enum import IntEnum

_MARK = 1 << 50
_DAY, _WHAT = 22, 20
_MOST = (1 << _WHAT) - 1


class What(IntEnum):
    """What a number of a day counts."""

    PULSE = 0
    SLEEP = 1
    STEPS = 2


def day_number(day: date, what: What, part: int) -> int:
    """The number of a reading of this day; a part of more than 20 bits is the largest."""
    return _MARK | day.toordinal() << _DAY | what << _WHAT | min(part, _MOST)


def day_of(number: int | None) -> date | None:
    """The day of a number; None where it is not of this kind."""
    if number is None or number >> 50 != 1:
        return None
    ordinal = (number ^ _MARK) >> _DAY
    return date.fromordinal(ordinal) if 0 < ordinal <= date.max.toordinal() else None


def is_news(total: int, day: date, last: int | None) -> bool:
    """Does a day's total say more than what is on disk? `last`: the highest number on disk.

    A total that fell on the same day is none: the device began to count anew, and the day keeps its
    highest. A number of another day says nothing: the device's clock may have been wrong.
    """
    if day_of(last) != day or last is None or last >> _WHAT & 3 != What.STEPS:
        return True
    return total > last & _MOST
