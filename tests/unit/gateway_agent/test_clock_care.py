"""What ails a clock, how fast it goes, when it may be set: on both sides of every edge."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway_agent.clock_care import (
    AILMENT_TEXT,
    BEHIND,
    REFUSED_FOR,
    SET_AGAIN_AFTER,
    Ailment,
    Happened,
    Look,
    ailment,
    drift_s_per_day,
    look,
    own_clock_trouble,
    should_set,
)
from gateway_agent.quirk import STANDARD, ClockSetting, Quirk
from gateway_agent.talk import ClockSeen

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai, 01:30 in Berlin
LOCAL = datetime(2026, 11, 22, 8, 30)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def seen(shown: datetime, at: datetime = NOW) -> ClockSeen:
    return ClockSeen(device_time=shown, at=at)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (timedelta(0), Ailment.NONE),
        (60 * SECOND, Ailment.NONE),
        (-60 * SECOND, Ailment.NONE),
        (61 * SECOND, Ailment.OFF),
        # morning and evening swapped, with up to five minutes of drift
        (12 * HOUR, Ailment.TWELVE_HOURS),
        (-12 * HOUR, Ailment.TWELVE_HOURS),
        (12 * HOUR + 5 * MINUTE, Ailment.TWELVE_HOURS),
        (12 * HOUR + 6 * MINUTE, Ailment.OFF),
        (12 * HOUR - 6 * MINUTE, Ailment.OFF),
        # Shanghai has no summer time: an hour is Tokyo, seven and a half are Mumbai's other way
        (HOUR, Ailment.OTHER_ZONE),
        (-2 * HOUR - 30 * MINUTE, Ailment.OTHER_ZONE),
        (-8 * HOUR - MINUTE, Ailment.OTHER_ZONE),
        (-8 * HOUR - 61 * SECOND, Ailment.OFF),
        (7 * MINUTE, Ailment.OFF),
        # whole days
        (timedelta(days=3), Ailment.WRONG_DAY),
        (timedelta(days=-3, minutes=5), Ailment.WRONG_DAY),
        (timedelta(days=3, minutes=6), Ailment.OFF),
        (timedelta(days=400), Ailment.WRONG_DAY),
    ],
)
def test_a_wrong_clock_is_known_by_how_it_is_wrong(error: timedelta, expected: Ailment) -> None:
    assert ailment(seen(LOCAL + error), SHANGHAI) is expected
    assert AILMENT_TEXT[expected]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (datetime(2025, 11, 22, 8, 30), Ailment.WRONG_YEAR),
        (datetime(2027, 11, 22, 8, 35), Ailment.WRONG_YEAR),
        (datetime(2027, 11, 22, 8, 36), Ailment.OFF),
        # before there were such devices
        (datetime(2014, 12, 31, 23, 59), Ailment.UNSET),
        (datetime(2015, 1, 1, 0, 0), Ailment.OFF),
        (datetime(2000, 1, 1), Ailment.UNSET),
        # a day that this year does not have
        (datetime(2024, 2, 29, 8, 30), Ailment.WRONG_DAY),
    ],
)
def test_a_year_is_a_slip_and_a_factory_date_is_no_time(shown: datetime, expected: Ailment) -> None:
    assert ailment(seen(shown), SHANGHAI) is expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (BERLIN, Ailment.SUMMER_TIME),
        # gave it up in 2016, within the ten years in which a clock may still show it
        (ZoneInfo("Europe/Istanbul"), Ailment.SUMMER_TIME),
        (SHANGHAI, Ailment.OTHER_ZONE),
        (ZoneInfo("UTC"), Ailment.OTHER_ZONE),
    ],
)
def test_an_hour_is_summer_time_where_there_is_one(zone: ZoneInfo, expected: Ailment) -> None:
    local = NOW.astimezone(zone).replace(tzinfo=None)
    assert ailment(seen(local + HOUR), zone) is expected
    assert ailment(seen(local - HOUR), zone) is expected


def a_look(days: float, offset_s: int, happened: Happened) -> Look:
    return Look(
        at=NOW - timedelta(days=days),
        before=None,
        after=timedelta(hours=-8, seconds=offset_s),
        happened=happened,
    )


@pytest.mark.parametrize(
    ("history", "ahead_s", "drift"),
    [
        ([], 0, None),
        # right ten days ago, now 20 s ahead
        ([a_look(10, 0, Happened.FIRST)], 20, 2.0),
        ([a_look(10, 0, Happened.FIRST)], -20, -2.0),
        # since it was set, not since it was first seen
        ([a_look(100, 300, Happened.FIRST), a_look(4, 0, Happened.SET)], 2, 0.5),
        ([a_look(10, 0, Happened.FIRST), a_look(5, -3600, Happened.CHANGED)], 3610, 2.0),
        # looks and refusals change nothing
        ([a_look(10, 0, Happened.FIRST), a_look(1, -18, Happened.LOOKED)], 20, 2.0),
        ([a_look(10, 0, Happened.FIRST), a_look(1, -18, Happened.REFUSED)], 20, 2.0),
        # within a day a second's resolution says nothing
        ([a_look(0.99, 0, Happened.SET)], 20, None),
    ],
)
def test_drift_is_counted_from_the_last_change(
    history: list[Look], ahead_s: int, drift: float | None
) -> None:
    assert drift_s_per_day(history, seen(LOCAL + ahead_s * SECOND)) == drift


@pytest.mark.parametrize(
    ("history", "ahead_s", "happened"),
    [
        ([], 500, Happened.FIRST),
        ([a_look(0.5, 0, Happened.FIRST)], 5, None),
        ([a_look(1, 0, Happened.FIRST)], 5, Happened.LOOKED),
        # two minutes and 20 s for each day
        ([a_look(1, 0, Happened.LOOKED)], 140, Happened.LOOKED),
        ([a_look(1, 0, Happened.LOOKED)], 141, Happened.CHANGED),
        ([a_look(0.01, 0, Happened.SET)], 3600, Happened.CHANGED),
    ],
)
def test_the_history_gets_a_row_for_a_change_and_for_one_look_a_day(
    history: list[Look], ahead_s: int, happened: Happened | None
) -> None:
    row = look(history, seen(LOCAL + ahead_s * SECOND))
    assert (row.happened if row else None) is happened


def setting(
    ahead_s: float = 3600,
    *,
    quirk: Quirk = STANDARD,
    history: tuple[Look, ...] = (),
    time_is_sure: bool | None = True,
    zone: ZoneInfo = SHANGHAI,
    at: datetime = NOW,
) -> datetime | None:
    local = at.astimezone(zone).replace(tzinfo=None)
    return should_set(
        seen(local + timedelta(seconds=ahead_s), at),
        at=at + timedelta(milliseconds=400),
        zone=zone,
        quirk=quirk,
        history=history,
        time_is_sure=time_is_sure,
    )


def a_quirk(**more: object) -> Quirk:
    return Quirk(id="x", zh="", en="", names=("X",), **more)  # type: ignore[arg-type]


def test_a_clock_that_is_an_hour_off_is_set_to_whole_seconds_of_local_time() -> None:
    assert setting() == LOCAL


@pytest.mark.parametrize(
    ("ahead_s", "beyond_s", "is_set"),
    [
        (60, None, False),
        (61, None, True),
        (-60, None, False),
        (-61, None, True),
        # Omron: ten minutes
        (600, 600, False),
        (601, 600, True),
        # a row may want it to the second
        (1, 0, True),
        (0, 0, False),
    ],
)
def test_a_clock_is_set_only_beyond_what_its_row_says(
    ahead_s: int, beyond_s: int | None, is_set: bool
) -> None:
    quirk = a_quirk(clock_set_beyond_s=beyond_s)
    assert (setting(ahead_s, quirk=quirk) is not None) is is_set


def test_a_clock_is_left_where_its_row_forbids_it_or_it_was_not_read() -> None:
    assert setting(quirk=a_quirk(clock_setting=ClockSetting.NEVER)) is None
    assert setting(quirk=a_quirk(clock_setting=ClockSetting.AT_FIRST_NOTIFICATION)) == LOCAL
    assert (
        should_set(None, at=NOW, zone=SHANGHAI, quirk=STANDARD, history=(), time_is_sure=True)
        is None
    )


def test_a_clock_that_can_never_be_read_is_set_once_a_day() -> None:
    def blindly(*history: Look, quirk: Quirk = STANDARD, sure: bool = True) -> datetime | None:
        return should_set(
            None,
            at=NOW,
            zone=SHANGHAI,
            quirk=quirk,
            history=history,
            time_is_sure=sure,
            readable=False,
        )

    assert blindly() == LOCAL
    assert blindly(a_look(0.9, 0, Happened.SET)) is None
    assert blindly(a_look(1.1, 0, Happened.SET)) == LOCAL
    assert blindly(quirk=a_quirk(clock_setting=ClockSetting.NEVER)) is None
    assert blindly(sure=False) is None


@pytest.mark.parametrize(("sure", "is_set"), [(True, True), (None, True), (False, False)])
def test_a_gateway_that_is_not_sure_of_its_time_sets_nobodys_clock(
    sure: bool | None, is_set: bool
) -> None:
    assert (setting(time_is_sure=sure) is not None) is is_set
    assert setting(at=datetime(2014, 12, 31, 12, tzinfo=UTC), time_is_sure=sure) is None


@pytest.mark.parametrize(
    ("at", "is_set"),
    [
        # Berlin leaves summer time on 2026-10-25 at 01:00 UTC
        (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), False),
        (datetime(2026, 10, 25, 1, 59, tzinfo=UTC), False),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), True),
    ],
)
def test_no_clock_is_set_around_the_change_of_summer_time(at: datetime, is_set: bool) -> None:
    assert (setting(zone=BERLIN, at=at) is not None) is is_set
    assert setting(zone=SHANGHAI, at=at) is not None


@pytest.mark.parametrize(
    ("happened", "pause"),
    [(Happened.SET, SET_AGAIN_AFTER), (Happened.REFUSED, REFUSED_FOR)],
)
def test_a_clock_that_was_set_or_refused_lately_is_left_alone(
    happened: Happened, pause: timedelta
) -> None:
    for spare, is_set in ((timedelta(seconds=-1), False), (timedelta(seconds=1), True)):
        ago = Look(at=NOW - pause - spare, before=None, after=timedelta(), happened=happened)
        assert (setting(history=(ago,)) is not None) is is_set
    only_looked = Look(at=NOW, before=None, after=timedelta(), happened=Happened.LOOKED)
    assert setting(history=(only_looked,)) is not None


@pytest.mark.parametrize(
    ("now", "last", "sure", "trouble"),
    [
        (NOW, None, None, None),
        (datetime(1970, 1, 1, tzinfo=UTC), None, True, "shows 1970-01-01"),
        # a correction of less than an hour is none of our business
        (NOW, NOW + BEHIND, None, None),
        (NOW, NOW + BEHIND + SECOND, None, "what it has on disk is from 2026-11-22 01:30"),
        (NOW, NOW + BEHIND + SECOND, False, "connect it to the network"),
        # the spool is from a year that has not come: it is the spool that was wrong
        (NOW, NOW + timedelta(days=4000), True, None),
        (NOW + timedelta(days=4000), NOW, None, None),
    ],
)
def test_a_gateway_whose_own_clock_fell_back_places_nothing(
    now: datetime, last: datetime | None, sure: bool | None, trouble: str | None
) -> None:
    said = own_clock_trouble(now, last_spooled_at=last, time_is_sure=sure)
    assert (said is None) is (trouble is None)
    assert trouble is None or trouble in str(said)
