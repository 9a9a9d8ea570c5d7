"""What devices of every kind share: their clock, what they say of themselves, their battery."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from datetime import datetime

import pytest
from payloads import EIGHT_FIFTEEN
from pump import START, Device, Visited, pump

from gateway_agent.drivers.battery import BATTERY_LEVEL
from gateway_agent.drivers.current_time import CURRENT_TIME, DATE_TIME, CurrentTime, see_clock
from gateway_agent.drivers.device_information import (
    FIRMWARE,
    MANUFACTURER,
    MODEL,
    SERIAL,
    Text,
    about,
)
from gateway_agent.gatt import DateTime
from gateway_agent.talk import About, ClockSeen, LinkLost, Read

UNSET = DateTime(year=0, month=0, day=0, hours=0, minutes=0, seconds=0)


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
