"""A visit to a cuff: it sends what it has, forgets it, and hangs up; everything is kept."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import EIGHT_FIFTEEN, PRESSURE, blood_pressures
from pump import START, Arrival, Device, Visited, pump

from gateway_agent.drivers.blood_pressure import MEASUREMENT, BloodPressure, reading_of, talk
from gateway_agent.drivers.current_time import CURRENT_TIME, DATE_TIME, CurrentTime
from gateway_agent.drivers.device_information import MODEL
from gateway_agent.gatt import DateTime, Special
from gateway_agent.quirk import ClockSetting, Quirk
from gateway_agent.talk import About, ClockSeen, Keep, LinkLost, Read, SetClock, Subscribe, Visit
from vitals.errors import TryAgain
from vitals.kinds import Kind
from vitals.measurement import Flag, Reading
from vitals.units import Unit

VISIT = Visit(device="ble:C0:00:00:00:00:02")
CLOCK = {CURRENT_TIME: CurrentTime(date_time=EIGHT_FIFTEEN).encode()}


def read(measurement: BloodPressure, at: datetime = START) -> Reading:
    return reading_of(measurement, raw=measurement.encode(), at=at)


def pressure(minute: int) -> Arrival:
    stamp = replace(EIGHT_FIFTEEN, minutes=minute)
    return MEASUREMENT, replace(PRESSURE, time_stamp=stamp).encode()


def minutes(visited: Visited) -> list[int]:
    return [each.device_time.minute for each in visited.kept if each.device_time]


def test_one_record_gives_systolic_diastolic_mean_and_pulse() -> None:
    reading = read(PRESSURE)
    assert [(each.kind, each.value, each.unit) for each in reading.values] == [
        (Kind.SYSTOLIC, 120.0, Unit.MMHG),
        (Kind.DIASTOLIC, 80.0, Unit.MMHG),
        (Kind.MEAN_ARTERIAL_PRESSURE, 93.0, Unit.MMHG),
        (Kind.PULSE, 72.0, Unit.PER_MINUTE),
    ]
    assert (reading.device_time, reading.user) == (datetime(2026, 11, 22, 8, 15), 1)
    assert (reading.flags, reading.withheld, reading.raw) == ((), None, PRESSURE.encode())


def test_a_cuff_that_measures_in_kilopascal_is_kept_in_kilopascal() -> None:
    # 16.0 kPa, not 15.999999999999998
    kpa = BloodPressure(systolic=Decimal("16.0"), diastolic=Decimal("10.7"), in_kpa=True)
    values = read(BloodPressure.decode(kpa.encode())).values
    assert [(each.value, each.unit) for each in values] == [(16.0, Unit.KPA), (10.7, Unit.KPA)]


@pytest.mark.parametrize("field", ["systolic", "diastolic"])
@pytest.mark.parametrize("special", list(Special))
def test_a_pressure_that_is_no_number_withholds_the_whole_reading(
    field: str, special: Special
) -> None:
    failed = replace(PRESSURE, **{field: special})  # type: ignore[arg-type]
    reading = reading_of(failed, raw=b"raw", at=START)
    assert (reading.values, reading.withheld) == ((), "not_a_number")
    assert reading.raw == b"raw"


def test_a_missing_mean_or_pulse_leaves_the_pressures() -> None:
    for spoiled in (
        replace(PRESSURE, mean_arterial_pressure=Special.NAN, pulse_rate=Special.NAN),
        replace(PRESSURE, mean_arterial_pressure=Special.NRES, pulse_rate=None),
    ):
        assert [each.kind for each in read(spoiled).values] == [Kind.SYSTOLIC, Kind.DIASTOLIC]


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (0, ()),
        (1 << 0, (Flag.BODY_MOVEMENT,)),
        (1 << 1, (Flag.CUFF_LOOSE,)),
        (1 << 2, (Flag.IRREGULAR_PULSE,)),
        (1 << 3, (Flag.PULSE_TOO_HIGH,)),
        (2 << 3, (Flag.PULSE_TOO_LOW,)),
        (3 << 3, ()),  # reserved
        (1 << 5, (Flag.IMPROPER_POSITION,)),
        (0xFFC0, ()),  # reserved
    ],
)
def test_each_status_bit_is_a_flag_on_the_reading(status: int, flags: tuple[Flag, ...]) -> None:
    assert read(replace(PRESSURE, status=status)).flags == flags


@pytest.mark.parametrize(("sent", "user"), [(None, None), (0, 0), (254, 254), (255, None)])
def test_the_cuffs_slot_is_the_user_and_255_is_nobody(sent: int | None, user: int | None) -> None:
    assert read(replace(PRESSURE, user_id=sent)).user == user


def test_a_dated_record_has_the_same_number_whenever_it_is_sent() -> None:
    later = START + timedelta(days=1)
    assert read(PRESSURE, START).sequence == read(PRESSURE, later).sequence
    assert read(replace(PRESSURE, user_id=2)).sequence != read(PRESSURE).sequence
    assert read(replace(PRESSURE, systolic=Decimal(121))).sequence != read(PRESSURE).sequence


@pytest.mark.parametrize("stamp", [None, replace(EIGHT_FIFTEEN, year=0)])
def test_equal_records_without_a_date_on_two_days_are_two(stamp: DateTime | None) -> None:
    undated = replace(PRESSURE, time_stamp=stamp)
    first, second = read(undated, START), read(undated, START + timedelta(days=1))
    assert first.device_time is None
    assert first.sequence != second.sequence


def test_a_number_fits_into_what_the_database_counts_with() -> None:
    assert 0 <= read(PRESSURE).sequence < 2**63


def test_everything_is_kept_though_the_cuff_hangs_up_before_the_first_question() -> None:
    # a cuff that sends at once and hangs up: its clock could not be read, its readings are here
    sends = [pressure(each) for each in range(5)]
    visited = pump(talk(VISIT), Device(sends=sends, radio_asks=1, hangs_up=True))
    assert minutes(visited) == [0, 1, 2, 3, 4]
    assert visited.error is None


@pytest.mark.parametrize("radio_asks", range(12))
def test_a_link_lost_anywhere_loses_nothing_that_had_arrived(radio_asks: int) -> None:
    sends = [pressure(each) for each in range(4)]
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=sends, radio_asks=radio_asks))
    assert minutes(visited) == ([0, 1, 2, 3] if radio_asks else [])
    assert visited.error is None or radio_asks == 0


def test_the_clock_is_known_before_the_first_reading_and_the_model_after() -> None:
    # what a cuff has sent is gone from the cuff: it is not left in memory while the model is read
    reads = {**CLOCK, MODEL: b"HEM-1"}
    visited = pump(talk(VISIT), Device(reads=reads, sends=[pressure(1)], hangs_up=False))
    order = [type(ask) for ask in visited.asks]
    assert order[0] is Subscribe
    assert order.index(ClockSeen) < order.index(Keep)
    assert visited.asks.index(Keep(reading=visited.kept[0])) < visited.asks.index(
        Read(characteristic=MODEL)
    )
    assert About(model="HEM-1") in visited.asks


def of_a(setting: ClockSetting, **device: object) -> Visited:
    quirk = Quirk(id="x", zh="", en="", names=("X",), clock_setting=setting)
    known = Visit(device="ble:C0:00:00:00:00:02", quirk=quirk)
    readings = [pressure(1), pressure(2), pressure(3)]
    return pump(talk(known), Device(sends=readings, reads=CLOCK, **device))  # type: ignore[arg-type]


def kept_before_the_clock(visited: Visited) -> int:
    kinds = [type(ask) for ask in visited.asks]
    return kinds[: kinds.index(SetClock)].count(Keep)


def test_a_clock_is_set_when_all_was_kept_or_at_the_first_reading_where_the_row_says_so() -> None:
    assert kept_before_the_clock(of_a(ClockSetting.AFTER_RECORDS)) == 3
    at_first = of_a(ClockSetting.AT_FIRST_NOTIFICATION)
    # it was read before, and the first reading is on disk
    kinds = [type(ask) for ask in at_first.asks]
    assert kinds.index(ClockSeen) < kinds.index(SetClock)
    assert kept_before_the_clock(at_first) == 1
    assert len(at_first.of(SetClock)) == 1
    assert minutes(at_first) == [1, 2, 3]
    assert of_a(ClockSetting.NEVER).of(SetClock) == []


@pytest.mark.parametrize("setting", list(ClockSetting))
def test_a_cuff_that_hangs_up_before_its_clock_is_set_is_a_good_visit(
    setting: ClockSetting,
) -> None:
    for radio_asks in range(1, 10):
        visited = of_a(setting, hangs_up=True, radio_asks=radio_asks)
        assert (visited.error, minutes(visited)) == (None, [1, 2, 3])


def test_a_cuff_whose_clock_is_elsewhere_is_asked_there() -> None:
    reads = {DATE_TIME: EIGHT_FIFTEEN.encode()}
    visited = pump(talk(VISIT), Device(reads=reads))
    assert visited.of(ClockSeen)


def test_a_silent_cuff_ends_the_visit_in_peace() -> None:
    visited = pump(talk(VISIT), Device(reads=CLOCK))
    assert (visited.kept, visited.error) == ([], None)


def test_a_truncated_reading_is_refused_and_the_next_one_kept() -> None:
    torn = (MEASUREMENT, PRESSURE.encode()[:-1])
    visited = pump(talk(VISIT), Device(sends=[pressure(1), torn, pressure(2)], hangs_up=True))
    assert minutes(visited) == [1, 2]
    assert [each.data for each in visited.refused] == [torn[1]]
    assert "refused whole" in visited.refused[0].reason


def test_a_full_disk_ends_the_visit_with_its_own_word() -> None:
    def keep(reading: Reading) -> None:
        raise TryAgain("the disk is full")

    visited = pump(talk(VISIT), Device(sends=[pressure(1)]), keep=keep)
    assert str(visited.error) == "the disk is full"


def test_a_link_that_never_came_up_is_tried_again() -> None:
    visited = pump(talk(VISIT), Device(radio_asks=0))
    assert isinstance(visited.error, LinkLost)


@settings(max_examples=200, deadline=None)
@given(st.lists(blood_pressures, max_size=6), st.integers(1, 20))
def test_each_arrival_is_one_reading_in_order(sent: list[BloodPressure], radio_asks: int) -> None:
    arrivals = [(MEASUREMENT, each.encode()) for each in sent]
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=arrivals, radio_asks=radio_asks))
    assert [each.raw for each in visited.kept] == [data for _, data in arrivals]
