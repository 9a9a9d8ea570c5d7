"""When was this measured? At the edges of what a home device's clock can show."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway_agent.clock import (
    AHEAD,
    EARLIEST,
    SAME,
    Before,
    Placement,
    clock_offset,
    fell_back,
    is_changed,
    place_in_time,
    settle,
)
from gateway_agent.talk import ClockSeen
from vitals.measurement import Clock, Flag, Reading

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
RECEIVED = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
NEVER = timedelta()


def reading(device_time: datetime | None, *flags: Flag) -> Reading:
    return Reading(sequence=1, device_time=device_time, values=(), raw=b"", flags=flags)


def seen(device_time: datetime, at: datetime = RECEIVED) -> ClockSeen:
    return ClockSeen(device_time=device_time, at=at)


def test_a_clock_that_is_right_gives_the_time_of_the_record() -> None:
    # the meter shows 08:30:00 at 00:30:00 UTC: -8 h; the record says 08:15:00
    placed = place_in_time(
        reading(datetime(2026, 11, 22, 8, 15)),
        seen=seen(datetime(2026, 11, 22, 8, 30)),
        received_at=RECEIVED,
        zone=SHANGHAI,
    )
    assert placed.taken_at == datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
    assert (placed.clock, placed.offset) == (Clock.MEASURED, timedelta(hours=-8))


@pytest.mark.parametrize(
    "shown",
    [
        datetime(2000, 1, 3, 4, 5),  # never set
        datetime(2026, 11, 22, 20, 30),  # morning and evening swapped
        datetime(2026, 11, 22, 9, 30),  # still on summer time
        datetime(2027, 11, 22, 8, 30),  # wrong year
        datetime(1970, 1, 1, 0, 20),
    ],
)
def test_a_clock_that_is_wrong_is_repaired_when_it_could_be_read(shown: datetime) -> None:
    # a quarter of an hour before the visit by the meter's own clock, whatever it shows
    placed = place_in_time(
        reading(shown - timedelta(minutes=15)),
        seen=seen(shown),
        received_at=RECEIVED,
        zone=SHANGHAI,
    )
    assert placed.taken_at == RECEIVED - timedelta(minutes=15)
    assert placed.clock is Clock.MEASURED


def test_the_time_zone_does_not_matter_when_the_clock_was_read() -> None:
    places = {
        place_in_time(
            reading(datetime(2026, 11, 22, 8, 15)),
            seen=seen(datetime(2026, 11, 22, 8, 30)),
            received_at=RECEIVED,
            zone=zone,
        )
        for zone in (SHANGHAI, BERLIN, UTC)
    }
    assert len(places) == 1


def test_a_clock_that_could_not_be_read_is_taken_for_local_time() -> None:
    placed = place_in_time(
        reading(datetime(2026, 11, 22, 8, 15)), seen=None, received_at=RECEIVED, zone=SHANGHAI
    )
    assert placed.taken_at == datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
    assert (placed.clock, placed.offset) == (Clock.ASSUMED, timedelta(hours=-8))


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        # Berlin leaves summer time on 2026-10-25 at 03:00: before, between (first pass), after
        (datetime(2026, 10, 25, 1, 59), datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 3, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        # and enters it on 2026-03-29 at 02:00: 02:30 does not exist, the clock was not set yet
        (datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_an_assumed_clock_follows_summer_time(local: datetime, utc: datetime) -> None:
    placed = place_in_time(reading(local), seen=None, received_at=RECEIVED, zone=BERLIN)
    assert placed.taken_at == utc
    assert placed.taken_at.replace(tzinfo=None) == local + placed.offset


def test_a_device_without_a_clock_gives_the_moment_of_receipt() -> None:
    placed = place_in_time(
        reading(None), seen=seen(datetime(2026, 11, 22, 8, 30)), received_at=RECEIVED, zone=SHANGHAI
    )
    assert (placed.taken_at, placed.clock, placed.offset) == (RECEIVED, Clock.RECEIVED, NEVER)


@pytest.mark.parametrize(("late", "clock"), [(0, Clock.ASSUMED), (1, Clock.UNSURE)])
def test_a_record_from_the_future_is_placed_at_its_receipt(late: int, clock: Clock) -> None:
    ahead = RECEIVED + AHEAD + timedelta(seconds=late)
    placed = place_in_time(
        reading(ahead.replace(tzinfo=None)), seen=None, received_at=RECEIVED, zone=UTC
    )
    assert placed.clock is clock
    assert placed.taken_at == (RECEIVED if late else ahead)


@pytest.mark.parametrize(("early", "clock"), [(0, Clock.ASSUMED), (1, Clock.UNSURE)])
def test_a_record_from_before_there_were_such_devices_is_placed_at_its_receipt(
    early: int, clock: Clock
) -> None:
    before = EARLIEST - timedelta(seconds=early)
    placed = place_in_time(
        reading(before.replace(tzinfo=None)), seen=None, received_at=RECEIVED, zone=UTC
    )
    assert placed.clock is clock
    assert placed.taken_at == (RECEIVED if early else before)


def test_a_record_from_before_the_clock_was_set_is_unsure() -> None:
    # the battery was changed, a record was made in the year 2000, then somebody set the clock
    placed = place_in_time(
        reading(datetime(2000, 1, 1, 0, 5)),
        seen=seen(datetime(2026, 11, 22, 8, 30)),
        received_at=RECEIVED,
        zone=SHANGHAI,
    )
    assert (placed.taken_at, placed.clock, placed.offset) == (RECEIVED, Clock.UNSURE, NEVER)


@pytest.mark.parametrize("shown", [datetime(1582, 1, 1), datetime(9999, 12, 31, 23, 59, 59)])
def test_a_clock_that_is_centuries_off_is_no_clock(shown: datetime) -> None:
    # the offset would not fit into the 32 bits in which it travels
    placed = place_in_time(reading(shown), seen=seen(shown), received_at=RECEIVED, zone=SHANGHAI)
    assert (placed.taken_at, placed.clock, placed.offset) == (RECEIVED, Clock.UNSURE, NEVER)


def test_a_sum_beyond_the_calendar_is_no_crash() -> None:
    placed = place_in_time(
        reading(datetime(9999, 12, 31)),
        seen=seen(datetime(2020, 1, 1)),
        received_at=RECEIVED,
        zone=SHANGHAI,
    )
    assert placed.clock is Clock.UNSURE


def test_a_meter_that_doubts_its_own_clock_is_unsure_but_not_overruled() -> None:
    placed = place_in_time(
        reading(datetime(2026, 11, 22, 8, 15), Flag.TIME_FAULT),
        seen=seen(datetime(2026, 11, 22, 8, 30)),
        received_at=RECEIVED,
        zone=SHANGHAI,
    )
    assert placed.taken_at == datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
    assert placed.clock is Clock.UNSURE


def test_receipt_in_another_zone_is_still_utc() -> None:
    placed = place_in_time(
        reading(None), seen=None, received_at=RECEIVED.astimezone(SHANGHAI), zone=SHANGHAI
    )
    assert placed.taken_at.utcoffset() == timedelta()
    assert placed.taken_at == RECEIVED


def test_an_offset_is_whole_seconds() -> None:
    at = RECEIVED + timedelta(milliseconds=600)
    assert clock_offset(seen(datetime(2026, 11, 22, 8, 30), at)) == timedelta(hours=-8, seconds=1)


@pytest.mark.parametrize(
    ("seconds", "settled"),
    [
        (0, True),
        (SAME.total_seconds() - 1, True),
        (SAME.total_seconds(), False),
        (-SAME.total_seconds() + 1, True),
        (-SAME.total_seconds(), False),
    ],
)
def test_a_clock_read_again_a_little_later_is_the_same_clock(seconds: float, settled: bool) -> None:
    last = timedelta(hours=-8)
    clock = seen(datetime(2026, 11, 22, 8, 30) - timedelta(seconds=seconds))
    assert (clock_offset(settle(clock, last)) == last) is settled or seconds == 0
    assert clock_offset(settle(clock, last)) == (last if settled else clock_offset(clock))


def test_a_first_clock_reading_stands_as_it_is() -> None:
    clock = seen(datetime(2026, 11, 22, 8, 30))
    assert settle(clock, None) == clock


# the last visit ended at noon UTC, its offset was -8 h; this visit is at 20:00 UTC
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
BEFORE = Before(offset=timedelta(hours=-8), read_at=NOON)


def across(device_time: datetime, *, shows: datetime, before: Before | None = BEFORE) -> Placement:
    return place_in_time(
        reading(device_time),
        seen=seen(shows, EVENING),
        received_at=EVENING,
        zone=SHANGHAI,
        before=before,
    )


# at 20:00 UTC it is 04:00 of the next day in Shanghai; the clock was set back by an hour: -7 h
SET_BACK = datetime(2026, 11, 23, 3, 0)


@pytest.mark.parametrize(
    ("record", "taken_at", "clock", "hours"),
    [
        # 13:00 by the old offset, 14:00 by the new one: both lie between the visits
        (datetime(2026, 11, 22, 21, 0), "14:00", Clock.UNSURE, -7),
        # 19:30 or 20:30: the second is ahead of now
        (datetime(2026, 11, 23, 3, 30), "19:30", Clock.MEASURED, -8),
        # 11:30 or 12:30: the first lies before the last visit, which would have read it
        (datetime(2026, 11, 22, 19, 30), "12:30", Clock.MEASURED, -7),
        # on the edges: begun five minutes before the last visit ended, two minutes ahead of now
        (datetime(2026, 11, 22, 19, 55), "12:55", Clock.UNSURE, -7),
        (datetime(2026, 11, 22, 19, 54), "12:54", Clock.MEASURED, -7),
        (datetime(2026, 11, 23, 3, 2), "20:02", Clock.MEASURED, -7),
        (datetime(2026, 11, 23, 3, 3), "19:03", Clock.MEASURED, -8),
        # measured just now, up to ten minutes ago
        (datetime(2026, 11, 23, 2, 50), "19:50", Clock.MEASURED, -7),
        (datetime(2026, 11, 23, 2, 49), "19:49", Clock.UNSURE, -7),
        # 10:00 or 11:00: both would have been read at the last visit
        (datetime(2026, 11, 22, 18, 0), "11:00", Clock.UNSURE, -7),
    ],
)
def test_a_record_from_around_a_change_of_the_clock_gets_the_offset_that_can_be(
    record: datetime, taken_at: str, clock: Clock, hours: int
) -> None:
    placed = across(record, shows=SET_BACK)
    assert (f"{placed.taken_at:%H:%M}", placed.clock) == (taken_at, clock)
    assert placed.offset == timedelta(hours=hours)


def test_a_record_from_before_a_new_battery_keeps_its_own_time() -> None:
    # the battery was changed an hour ago: the clock shows an hour after its factory date
    shows = datetime(2019, 1, 1, 1, 0)
    old = across(datetime(2026, 11, 22, 23, 0), shows=shows)
    assert (old.taken_at, old.clock) == (NOON + timedelta(hours=3), Clock.MEASURED)
    new = across(datetime(2019, 1, 1, 0, 30), shows=shows)
    assert (new.taken_at, new.clock) == (EVENING - timedelta(minutes=30), Clock.MEASURED)


@pytest.mark.parametrize(
    ("minutes", "days", "changed"),
    [
        (2, 0, False),
        (3, 0, True),
        # twenty seconds a day are drift: after nine days five minutes, six are a change
        (5, 9, False),
        (6, 9, True),
        (-3, 0, True),
    ],
)
def test_a_change_is_more_than_drift(minutes: int, days: int, changed: bool) -> None:
    offset = BEFORE.offset + timedelta(minutes=minutes)
    assert is_changed(offset, BEFORE, NOON + timedelta(days=days)) is changed


def test_a_clock_that_only_drifts_places_as_it_always_did() -> None:
    placed = across(datetime(2026, 11, 22, 18, 0), shows=datetime(2026, 11, 23, 4, 1))
    # taken before the last visit and sent only now, as a cuff does for its second user
    assert (f"{placed.taken_at:%H:%M}", placed.clock) == ("09:59", Clock.MEASURED)


def test_without_an_earlier_visit_nothing_is_known_of_a_change() -> None:
    placed = across(datetime(2026, 11, 22, 18, 0), shows=SET_BACK, before=None)
    assert placed.clock is Clock.MEASURED


@pytest.mark.parametrize(("minutes", "fell"), [(1, False), (0, False), (-2, False), (-3, True)])
def test_a_time_that_falls_back_between_two_records_shows_a_clock_that_was_set_back(
    minutes: int, fell: bool
) -> None:
    first = reading(datetime(2026, 11, 22, 8, 0))
    second = reading(datetime(2026, 11, 22, 8, 0) + timedelta(minutes=minutes))
    assert fell_back(first, second) is fell
    assert not fell_back(reading(None), second)
    assert not fell_back(first, reading(None))
