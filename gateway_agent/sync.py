"""How far a device was read, and when its whole memory must be read anew.

A device with record numbers is asked for what lies above the highest number on disk, the mark. That
holds while its numbers rise. They begin anew when its memory is cleared, its battery is changed or
another meter takes its place under the same address; what it has then lies partly below the mark,
and would never be asked for. So:

1. A record at or below the mark that is *new* shows that the numbers began anew: the mark goes back
   to it and rises from there. A record below it that is known is only a repeat.
2. A battery that is fuller by half, a clock that jumped back, another serial number or another
   firmware: the memory is read anew from its beginning, in the same visit, once.
3. After the highest number (65,535) comes 0 or 1. With the mark at the top a meter is asked for
   everything, and rule 1 takes it from there. While it still holds numbers from before, more than
   needed is read at each visit; the memory of records (`spool_records.py`) makes that no news.

Whatever is read twice is marked `resync`, so that the server matches it over all time. A mark that
is too low costs time on the air and nothing else: in doubt it goes down. Numbers above 65,535 are
made of a record's bytes or of its moment: nothing follows from their order. Pure. May hold: these
rules. May not: I/O, the bytes of a device.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway_agent.talk import About

# Glucose Service 1.0.1 §3.1: a record number has 16 bits
LAST_NUMBER = 0xFFFF

# per cent by which a battery is fuller than at the last visit when it was changed; an engineering
# choice, unconfirmed: a cold battery recovers by less
BATTERY_JUMP_PERCENT = 50
# a clock that shows so much less than it should went back to where it begins; an engineering choice
CLOCK_JUMP = timedelta(days=30)


class Anew(StrEnum):
    """Why a device's whole memory is read once more."""

    BATTERY = "its battery was changed"
    CLOCK = "its clock went back to its beginning"
    SERIAL = "it has another serial number"
    FIRMWARE = "it has another firmware"
    NUMBERS = "its record numbers began anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a device said of itself at an earlier visit; None: nothing."""

    serial: str | None = None
    firmware: str | None = None
    battery_percent: int | None = None


def anew_by_word(before: Said, about: About) -> Anew | None:
    """Does what a device says of itself show that its memory may be another one?"""
    if _differ(before.serial, about.serial):
        return Anew.SERIAL
    if _differ(before.firmware, about.firmware):
        return Anew.FIRMWARE
    was, now = before.battery_percent, about.battery_percent
    if was is not None and now is not None and now - was >= BATTERY_JUMP_PERCENT:
        return Anew.BATTERY
    return None


def anew_by_clock(shows: datetime, *, expected: datetime) -> Anew | None:
    """Does the device's clock show that it lost its power? Both as the device shows time."""
    return Anew.CLOCK if shows < expected - CLOCK_JUMP else None


def _differ(before: str | None, now: str | None) -> bool:
    return before is not None and now is not None and before != now


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a device was read, record by record; `began`: the mark when the visit began.

    `mark` None: nothing of it is on disk, or everything is to be read anew.
    """

    mark: int | None
    began: int | None
    # a new record at or below the mark has come in this visit
    went_back: bool = False

    @classmethod
    def at(cls, mark: int | None) -> "Progress":
        """The beginning of a visit."""
        return cls(mark=mark, began=mark)

    def mark_with(self, sequence: int) -> int | None:
        """The mark that is written together with this record, before it is known to be new."""
        if self.mark is None:
            return sequence
        if sequence > LAST_NUMBER:
            return max(self.mark, sequence)
        # a repeat of the time before must not lift a mark that has just gone back
        return self.mark if self.went_back else max(self.mark, sequence)

    def after(self, sequence: int, *, new: bool) -> "Progress":
        """What holds when this record is on disk."""
        if self.mark is None or sequence > LAST_NUMBER:
            return replace(self, mark=self.mark_with(sequence))
        if new and sequence <= self.mark:
            return replace(self, mark=sequence, went_back=True)
        if new or not self.went_back:
            return replace(self, mark=max(self.mark, sequence))
        return self

    def began_anew(self, sequence: int, *, new: bool) -> bool:
        """Does this record show that the numbers began anew since the last visit?"""
        return new and self.began is not None and sequence <= min(self.began, LAST_NUMBER)
