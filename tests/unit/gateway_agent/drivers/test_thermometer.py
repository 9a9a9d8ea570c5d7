"""A visit to a thermometer: what it sends is kept in its own unit, then its clock may be set."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from formats.thermometer import temperatures
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import EIGHT_FIFTEEN
from pump import START, Arrival, Device, Visited, pump

from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.device_information import MODEL
from gateway_agent.drivers.thermometer import (
    INTERMEDIATE,
    MEASUREMENT,
    Temperature,
    reading_of,
    talk,
)
from gateway_agent.gatt import Special
from gateway_agent.quirk import STANDARD, ClockSetting
from gateway_agent.talk import ClockSeen, Keep, LinkLost, Read, SetClock, Subscribe, Visit
from vitals.errors import TryAgain
from vitals.kinds import Kind
from vitals.measurement import Reading, Value
from vitals.units import Unit

VISIT = Visit(device="ble:C0:00:00:00:00:04")
CLOCK = {CURRENT_TIME: CurrentTime(date_time=EIGHT_FIFTEEN).encode()}
# 36.6 °C in the armpit
FEVERLESS = Temperature(temperature=Decimal("36.6"), time_stamp=EIGHT_FIFTEEN, type=1)


def read(measurement: Temperature, at: datetime = START) -> Reading:
    return reading_of(measurement, raw=measurement.encode(), at=at)


def fever(minute: int) -> Arrival:
    stamp = replace(EIGHT_FIFTEEN, minutes=minute)
    return MEASUREMENT, replace(FEVERLESS, time_stamp=stamp).encode()


def minutes(visited: Visited) -> list[int]:
    return [each.device_time.minute for each in visited.kept if each.device_time]


@pytest.mark.parametrize(
    ("said", "in_fahrenheit", "value", "unit"),
    [
        ("36.6", False, 36.6, Unit.CELSIUS),
        ("36.97", False, 36.97, Unit.CELSIUS),
        # kept as measured: 98.6 °F is not turned into 37.0 °C
        ("98.6", True, 98.6, Unit.FAHRENHEIT),
    ],
)
def test_a_temperature_is_kept_in_the_unit_in_which_it_was_measured(
    said: str, in_fahrenheit: bool, value: float, unit: Unit
) -> None:
    measurement = Temperature(temperature=Decimal(said), in_fahrenheit=in_fahrenheit)
    reading = read(Temperature.decode(measurement.encode()))
    assert reading.values == (Value(kind=Kind.BODY_TEMPERATURE, value=value, unit=unit),)
    assert reading.withheld is None


@pytest.mark.parametrize("special", list(Special))
def test_a_temperature_that_is_no_number_is_kept_and_never_shown(special: Special) -> None:
    reading = reading_of(replace(FEVERLESS, temperature=special), raw=b"raw", at=START)
    assert (reading.values, reading.withheld, reading.raw) == ((), "not_a_number", b"raw")


def test_a_dated_record_has_the_same_number_whenever_it_is_sent_and_an_undated_one_has_not() -> (
    None
):
    later = START + timedelta(days=1)
    assert read(FEVERLESS).device_time == datetime(2026, 11, 22, 8, 15)
    assert read(FEVERLESS).sequence == read(FEVERLESS, later).sequence
    undated = replace(FEVERLESS, time_stamp=None)
    assert read(undated).sequence != read(undated, later).sequence


@pytest.mark.parametrize("radio_asks", range(12))
def test_a_link_lost_anywhere_loses_nothing_that_had_arrived(radio_asks: int) -> None:
    sends = [fever(each) for each in range(4)]
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=sends, radio_asks=radio_asks))
    assert minutes(visited) == ([0, 1, 2, 3] if radio_asks else [])
    assert visited.error is None or radio_asks == 0


def test_the_clock_is_seen_before_the_first_reading_and_set_after_the_last() -> None:
    sends = [fever(1), fever(2)]
    visited = pump(talk(VISIT), Device(reads={**CLOCK, MODEL: b"T1"}, sends=sends))
    order = [type(ask) for ask in visited.asks]
    assert order[0] is Subscribe
    assert order.index(ClockSeen) < order.index(Keep)
    assert visited.asks.index(Keep(reading=visited.kept[-1])) < order.index(SetClock)
    # kept before the model is asked for: the thermometer has forgotten it
    assert visited.asks.index(Keep(reading=visited.kept[0])) < visited.asks.index(
        Read(characteristic=MODEL)
    )


def test_a_clock_that_must_not_be_set_is_not() -> None:
    quirk = replace(STANDARD, clock_setting=ClockSetting.NEVER)
    visited = pump(talk(replace(VISIT, quirk=quirk)), Device(reads=CLOCK, sends=[fever(1)]))
    assert visited.of(SetClock) == []


def test_a_thermometer_that_hangs_up_is_not_asked_to_set_its_clock() -> None:
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=[fever(1)], hangs_up=True))
    assert (minutes(visited), visited.error) == ([1], None)
    assert visited.of(SetClock) == []


def test_what_it_shows_while_measuring_is_not_asked_for() -> None:
    visited = pump(talk(VISIT), Device(reads=CLOCK))
    assert Subscribe(characteristic=INTERMEDIATE) not in visited.asks
    assert (visited.kept, visited.error) == ([], None)


def test_a_truncated_value_is_refused_and_the_next_one_kept() -> None:
    torn = (MEASUREMENT, FEVERLESS.encode()[:-1])
    visited = pump(talk(VISIT), Device(sends=[fever(1), torn, fever(2)], hangs_up=True))
    assert minutes(visited) == [1, 2]
    assert [each.data for each in visited.refused] == [torn[1]]


def test_a_full_disk_ends_the_visit_with_its_own_word() -> None:
    def keep(reading: Reading) -> None:
        raise TryAgain("the disk is full")

    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=[fever(1)]), keep=keep)
    assert str(visited.error) == "the disk is full"
    assert visited.of(SetClock) == []


def test_a_link_that_never_came_up_is_tried_again() -> None:
    assert isinstance(pump(talk(VISIT), Device(radio_asks=0)).error, LinkLost)


@settings(max_examples=200, deadline=None)
@given(st.lists(temperatures, max_size=6), st.integers(1, 20))
def test_each_arrival_is_one_reading_in_order(sent: list[Temperature], radio_asks: int) -> None:
    arrivals = [(MEASUREMENT, each.encode()) for each in sent]
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=arrivals, radio_asks=radio_asks))
    assert [each.raw for each in visited.kept] == [data for _, data in arrivals]
