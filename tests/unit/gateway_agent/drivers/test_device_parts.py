"""What devices of every kind share: their clock, what they say of themselves, their battery."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeGuard

import pytest
from payloads import EIGHT_FIFTEEN
from pump import START, Device, Visited, pump

from gateway_agent.drivers.battery import BATTERY_LEVEL, BatteryLevelStatus
from gateway_agent.drivers.current_time import (
    CURRENT_TIME,
    DATE_TIME,
    CurrentTime,
    LocalTime,
    see_clock,
    set_clock,
    set_clock_after_records,
)
from gateway_agent.drivers.device_information import (
    FIRMWARE,
    MANUFACTURER,
    MODEL,
    SERIAL,
    Text,
    about,
)
from gateway_agent.gatt import DateTime
from gateway_agent.quirk import STANDARD, ClockSetting
from gateway_agent.talk import About, Ask, ClockSeen, Heard, LinkLost, Read, SetClock
from vitals.errors import KangbanError, MendDevice, TryAgain

UNSET = DateTime(year=0, month=0, day=0, hours=0, minutes=0, seconds=0)
CURRENT = CurrentTime(date_time=EIGHT_FIFTEEN).encode()
BARE = EIGHT_FIFTEEN.encode()


def is_setting(ask: Ask) -> TypeGuard[SetClock]:
    return isinstance(ask, SetClock)


def clock(reads: dict[str, bytes]) -> tuple[list[datetime], Visited]:
    visited = pump(see_clock(), Device(reads=reads))
    return [ask.device_time for ask in visited.asks if isinstance(ask, ClockSeen)], visited


def test_the_clock_is_seen_at_the_moment_of_its_answer() -> None:
    half_past = CurrentTime(date_time=EIGHT_FIFTEEN, fractions256=128)
    seen, visited = clock({CURRENT_TIME: half_past.encode()})
    assert seen == [datetime(2026, 11, 22, 8, 15, 0, 500_000)]
    (ask,) = visited.of(ClockSeen)
    assert isinstance(ask, ClockSeen)
    assert ask.at > START


def test_a_meter_that_keeps_a_bare_time_is_asked_for_that() -> None:
    seen, visited = clock({DATE_TIME: EIGHT_FIFTEEN.encode()})
    assert seen == [datetime(2026, 11, 22, 8, 15)]
    assert visited.asks[0] == Read(characteristic=CURRENT_TIME)


def test_a_clock_that_was_never_set_is_not_a_clock_but_the_next_one_may_be() -> None:
    unset = CurrentTime(date_time=UNSET).encode()
    assert clock({CURRENT_TIME: unset})[0] == []
    seen, _ = clock({CURRENT_TIME: unset, DATE_TIME: EIGHT_FIFTEEN.encode()})
    assert seen == [datetime(2026, 11, 22, 8, 15)]


def test_a_truncated_clock_is_named_and_the_other_one_read() -> None:
    seen, visited = clock({CURRENT_TIME: b"\xea\x07", DATE_TIME: EIGHT_FIFTEEN.encode()})
    assert seen == [datetime(2026, 11, 22, 8, 15)]
    assert [each.characteristic for each in visited.refused] == [CURRENT_TIME]


def test_a_device_without_a_clock_has_none() -> None:
    assert clock({})[0] == []


@pytest.mark.parametrize(
    ("moment", "fraction", "day"),
    [
        (datetime(2026, 11, 22, 12, 30), 0, 7),  # a Sunday
        (datetime(2026, 11, 23, 0, 0, 0, 500_000), 128, 1),
        (datetime(2026, 11, 23, 0, 0, 0, 999_999), 255, 1),
    ],
)
def test_a_simulated_device_shows_day_and_fraction(
    moment: datetime, fraction: int, day: int
) -> None:
    shown = CurrentTime.of(moment)
    assert (shown.fractions256, shown.day_of_week) == (fraction, day)
    assert CurrentTime.decode(shown.encode()) == shown


def test_a_device_says_what_it_is() -> None:
    visited = pump(
        about(),
        Device(
            reads={
                MANUFACTURER: "康康\0\0".encode(),
                MODEL: b"G1",
                SERIAL: b"SN 1",
                FIRMWARE: b"\xff1.0",
                BATTERY_LEVEL: b"\x57",
            }
        ),
    )
    assert visited.asks[-1] == About(
        manufacturer="康康", model="G1", serial="SN 1", firmware="�1.0", battery_percent=87
    )


@pytest.mark.parametrize("level", [b"", b"\x65", b"\xff", b"\x57\x00"])
def test_a_battery_that_is_not_known_is_not_known(level: bytes) -> None:
    visited = pump(about(), Device(reads={BATTERY_LEVEL: level}))
    assert visited.asks[-1] == About()


def test_an_empty_text_is_no_text() -> None:
    visited = pump(about(), Device(reads={MODEL: b"\0\0 ", SERIAL: b""}))
    assert visited.asks[-1] == About()


def test_a_device_that_hangs_up_in_between_is_reported_with_what_it_said() -> None:
    visited = pump(about(), Device(reads={MANUFACTURER: b"A", MODEL: b"B"}, radio_asks=2))
    assert visited.asks[-1] == About(manufacturer="A", model="B")
    assert isinstance(visited.error, LinkLost)
    assert pump(about(), Device(radio_asks=2)).of(About) == []


def test_a_text_goes_out_as_it_came() -> None:
    assert Text.decode(Text(text="血压计").encode()) == Text(text="血压计")


@pytest.mark.parametrize(
    ("zone", "saving", "hours"),
    [
        (32, 0, 8.0),  # China
        (-14, 4, -2.5),  # Newfoundland in summer
        (23, 0, 5.75),  # Nepal
        (56, 8, 16.0),
        (-48, 0, -12.0),
        (-128, 0, None),  # not known
        (57, 0, None),  # reserved
        (32, 255, None),
        (32, 1, None),
    ],
)
def test_a_device_may_say_where_it_is(zone: int, saving: int, hours: float | None) -> None:
    offset = LocalTime(zone_quarters=zone, dst_quarters=saving).utc_offset()
    assert offset == (None if hours is None else timedelta(hours=hours))


@pytest.mark.parametrize(
    ("power_state", "level"),
    [(1 << 7, "good"), (2 << 7, "low"), (3 << 7, "critical"), (0, None), (0x7E7F, None)],
)
def test_a_battery_says_how_it_is(power_state: int, level: str | None) -> None:
    assert BatteryLevelStatus(power_state=power_state).charge_level() == level


@pytest.mark.parametrize(
    ("reads", "written"),
    [
        # Sunday 2026-11-22 12:30:00, set by hand
        ({CURRENT_TIME: CURRENT}, (CURRENT_TIME, "ea070b160c1e00070001")),
        ({DATE_TIME: BARE}, (DATE_TIME, "ea070b160c1e00")),
        # where it has both, the one that says more
        ({CURRENT_TIME: CURRENT, DATE_TIME: BARE}, (CURRENT_TIME, "ea070b160c1e00070001")),
        ({}, None),
    ],
)
def test_a_clock_is_set_where_the_device_keeps_it(
    reads: dict[str, bytes], written: tuple[str, str] | None
) -> None:
    asked = [ask for ask in pump(set_clock(), Device(reads=reads)).asks if is_setting(ask)]
    noon = datetime(2026, 11, 22, 12, 30)
    assert [(ask.characteristic, ask.encode(noon).hex()) for ask in asked] == (
        [written] if written else []
    )


def test_a_model_whose_clock_is_elsewhere_is_set_there() -> None:
    both = Device(reads={CURRENT_TIME: CURRENT, DATE_TIME: BARE})
    quirk = replace(STANDARD, clock=DATE_TIME)
    asked = [ask for ask in pump(set_clock_after_records(quirk), both).asks if is_setting(ask)]
    assert [ask.characteristic for ask in asked] == [DATE_TIME]


@pytest.mark.parametrize("setting", list(ClockSetting))
def test_a_clock_is_set_after_the_records_only_where_the_model_allows_it(
    setting: ClockSetting,
) -> None:
    quirk = replace(STANDARD, clock_setting=setting)
    visited = pump(set_clock_after_records(quirk), Device(reads={CURRENT_TIME: CURRENT}))
    allowed = setting is ClockSetting.AFTER_RECORDS
    assert any(is_setting(ask) for ask in visited.asks) is allowed


@pytest.mark.parametrize("error", [MendDevice("refused"), LinkLost("gone"), TryAgain("busy")])
def test_a_clock_that_cannot_be_set_is_no_failure_of_the_visit(error: KangbanError) -> None:
    setting = set_clock()
    assert next(setting) == Read(characteristic=CURRENT_TIME)
    heard = Heard(characteristic=CURRENT_TIME, data=CURRENT, at=START)
    assert is_setting(setting.send(heard))
    with pytest.raises(StopIteration):
        setting.throw(error)
