"""Device time to UTC: when was this measured, and how sure are we?

Home devices keep a local time of their own: never set, set to the wrong year, an hour off since the
end of summer. Where the device's clock could be read in the visit, its error is measured and taken
off: that is exact whatever the clock shows, and knows no time zone. Where it could not, the time is
taken as local time. Where the result cannot be, the moment of receipt stands in, and says so.

A clock that was changed between two visits has two offsets, and a record in between belongs to one
of them. What came since the last visit must have been measured after it, and before this one:

    last visit 12:00 UTC, offset -8 h; somebody sets the clock back by an hour; this visit 20:00 UTC
    record says   by the old offset   by the new offset   so
    21:00         13:00               14:00               both can be: UNSURE, by the new one
    03:30 (+1 d)  19:30               20:30               the new one lies ahead of now: the old one
    19:30         11:30               12:30               the old one lies before the last visit:
                                                          the new one
    02:55 (+1 d)  18:55               19:55               the new one is five minutes old: it is the
                                                          test for which the device came on the air

Where a meter numbers its records and the time falls back between two of them, the clock was changed
there: what comes after belongs to the new offset, and what came before it in this visit is doubted
(`fell_back`). A change that shows in neither cannot be known.

Pure: `received_at` and the clock reading come as arguments. May hold: this judgement. May not: what
ails a clock and when it is set (`clock_care.py`), the identity of records.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from gateway_agent.talk import ClockSeen
from vitals.measurement import Clock, Flag, Reading

# No record is older than this: the first Glucose Service devices of this project's world are
# younger, and clocks without battery start at 2000 or 2010. An engineering choice, unconfirmed.
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)

# A record may lie this far ahead of its receipt: both clocks show whole seconds, and the reading of
# the clock takes its time on the air. An engineering choice, unconfirmed.
AHEAD = timedelta(minutes=2)

# Offsets that differ by less are one: a re-read clock is off by its resolution (1 s) and by the
# time on the air, and a record must not move for that. An engineering choice, unconfirmed.
SAME = timedelta(seconds=10)

# What a clock may drift in a day: cheap quartz is off by 2 s, a bad one by ten times as much. An
# engineering choice, unconfirmed.
DRIFT_A_DAY = timedelta(seconds=20)
# An offset that differs from the last visit's by more than this and the drift since: somebody (or a
# new battery) changed the clock. An engineering choice.
CHANGED = timedelta(minutes=2)
# a record carries the moment at which it was begun: a cuff takes a minute, a test strip less
BEGUN = timedelta(minutes=5)

# what a device comes on the air for is no older than this; an engineering choice
JUST = timedelta(minutes=10)

# the offset is sent and stored as 32 bits of seconds, 68 years
_FARTHEST = timedelta(seconds=2**31 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """When a reading was taken: aware UTC, how sure, and what was added to the device's time.

    `offset` is zero where the device's time was not used (RECEIVED, and UNSURE by receipt).
    """

    taken_at: datetime
    clock: Clock
    offset: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was known of a device's clock when it was last read to the end, at the aware `read_at`:
    the records that are new now are younger."""

    offset: timedelta
    read_at: datetime


def place_in_time(
    reading: Reading,
    *,
    seen: ClockSeen | None,
    received_at: datetime,
    zone: tzinfo,
    before: Before | None = None,
) -> Placement:
    """The moment at which a reading was taken.

    `seen`: the device's clock as read in this visit, before its records; `zone`: what the device's
    clock is assumed to show where it could not be read; `before`: the last visit's offset, where
    this reading cannot be older than that visit and its order tells nothing more. Moments of
    receipt must be aware.
    """
    if reading.device_time is None:
        return Placement(taken_at=_utc(received_at), clock=Clock.RECEIVED, offset=timedelta())
    placed = _placed(reading.device_time, seen=seen, zone=zone)
    if seen is not None and before is not None and is_changed(clock_offset(seen), before, seen.at):
        placed = _across_change(reading.device_time, placed, before=before, until=received_at)
    if placed is None or not EARLIEST <= placed.taken_at <= received_at + AHEAD:
        return Placement(taken_at=_utc(received_at), clock=Clock.UNSURE, offset=timedelta())
    if Flag.TIME_FAULT in reading.flags:
        # the device says itself that its clock may have been wrong at this record
        return Placement(taken_at=placed.taken_at, clock=Clock.UNSURE, offset=placed.offset)
    return placed


def is_changed(offset: timedelta, before: Before, at: datetime) -> bool:
    """Was the clock changed since? Drift alone does not bring it so far."""
    drift = DRIFT_A_DAY * (abs(at - before.read_at) / timedelta(days=1))
    return abs(offset - before.offset) > CHANGED + drift


def fell_back(earlier: Reading, later: Reading) -> bool:
    """Was the clock set back between these two records, the second with the higher number?"""
    if earlier.device_time is None or later.device_time is None:
        return False
    return later.device_time < earlier.device_time - CHANGED


def _across_change(
    device_time: datetime, placed: Placement | None, *, before: Before, until: datetime
) -> Placement | None:
    """The placement by the one of two offsets that can be; UNSURE where that is both or none."""
    former = _by_offset(device_time, before.offset)
    if placed is not None and until - JUST <= placed.taken_at <= until + AHEAD:
        return placed

    def can_be(each: Placement | None) -> bool:
        return each is not None and before.read_at - BEGUN <= each.taken_at <= until + AHEAD

    if can_be(placed) != can_be(former):
        return placed if can_be(placed) else former
    return None if placed is None else replace(placed, clock=Clock.UNSURE)


def clock_offset(seen: ClockSeen) -> timedelta:
    """What must be added to the device's time to get UTC, in whole seconds.

    A device that shows 08:15:00 at 00:15:00 UTC: -8 h.
    """
    ahead = seen.at.astimezone(UTC).replace(tzinfo=None) - seen.device_time
    return timedelta(seconds=round(ahead.total_seconds()))


def settle(seen: ClockSeen, last: timedelta | None) -> ClockSeen:
    """The clock reading, moved onto the last visit's offset where it differs by less than `SAME`.

    So a record that is read again, in another visit, gets the same time to the second.
    """
    if last is None or abs(clock_offset(seen) - last) >= SAME:
        return seen
    device_time = (seen.at.astimezone(UTC) - last).replace(tzinfo=None)
    return ClockSeen(device_time=device_time, at=seen.at)


def _placed(device_time: datetime, *, seen: ClockSeen | None, zone: tzinfo) -> Placement | None:
    """The device's time in UTC; None where the sum leaves the calendar or the wire's 32 bits."""
    if seen is not None:
        return _by_offset(device_time, clock_offset(seen))
    try:
        taken_at = device_time.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None
    offset = taken_at.replace(tzinfo=None) - device_time
    return Placement(taken_at=taken_at, clock=Clock.ASSUMED, offset=offset)


def _by_offset(device_time: datetime, offset: timedelta) -> Placement | None:
    if abs(offset) > _FARTHEST:
        return None
    try:
        taken_at = (device_time + offset).replace(tzinfo=UTC)
    except OverflowError:
        return None
    return Placement(taken_at=taken_at, clock=Clock.MEASURED, offset=offset)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
