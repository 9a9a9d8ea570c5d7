"""Device time to UTC: when was this measured, and how sure are we?

Home devices keep a local time of their own: never set, set to the wrong year, an hour off since the
end of summer. Where the device's clock could be read in the visit, its error is measured and taken
off: that is exact whatever the clock shows, and knows no time zone. Where it could not, the time is
taken as local time. Where the result cannot be, the moment of receipt stands in, and says so.
Pure: `received_at` and the clock reading come as arguments. May hold: this judgement. May not:
setting a device's clock, the identity of records.
"""

from dataclasses import dataclass
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


def place_in_time(
    reading: Reading, *, seen: ClockSeen | None, received_at: datetime, zone: tzinfo
) -> Placement:
    """The moment at which a reading was taken.

    `seen`: the device's clock as read in this visit, before its records; `zone`: what the device's
    clock is assumed to show where it could not be read. Both datetimes of receipt must be aware.
    """
    if reading.device_time is None:
        return Placement(taken_at=_utc(received_at), clock=Clock.RECEIVED, offset=timedelta())
    placed = _placed(reading.device_time, seen=seen, zone=zone)
    if placed is None or not EARLIEST <= placed.taken_at <= received_at + AHEAD:
        return Placement(taken_at=_utc(received_at), clock=Clock.UNSURE, offset=timedelta())
    if Flag.TIME_FAULT in reading.flags:
        # the device says itself that its clock may have been wrong at this record
        return Placement(taken_at=placed.taken_at, clock=Clock.UNSURE, offset=placed.offset)
    return placed


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
    try:
        if seen is not None:
            offset, clock = clock_offset(seen), Clock.MEASURED
            taken_at = (device_time + offset).replace(tzinfo=UTC)
        else:
            taken_at, clock = device_time.replace(tzinfo=zone).astimezone(UTC), Clock.ASSUMED
            offset = taken_at.replace(tzinfo=None) - device_time
    except OverflowError:
        return None
    if abs(offset) > _FARTHEST:
        return None
    return Placement(taken_at=taken_at, clock=clock, offset=offset)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
