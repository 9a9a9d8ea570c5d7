"""From a meter's bytes to a reading: what is shown, what is flagged, what is withheld."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from datetime import datetime
from decimal import Decimal

import pytest
from payloads import EIGHT_FIFTEEN, GLUCOSE, glucose

from gateway_agent.drivers.glucose_record import (
    MOL_PER_L,
    GlucoseContext,
    GlucoseMeasurement,
    concentration,
    reading_of,
)
from gateway_agent.gatt import CannotDecode, DateTime, Special
from vitals.kinds import Kind
from vitals.measurement import Flag, Meal, Reading, Value
from vitals.units import Unit


def read(measurement: GlucoseMeasurement, context: GlucoseContext | None = None) -> Reading:
    return reading_of(measurement, context, raw=b"raw")


@pytest.mark.parametrize(
    ("number", "unit", "value"),
    [
        # 99e-5 kg/L * 100000 = 99 mg/dL
        (Decimal("0.00099"), "kg/L", Value(kind=Kind.GLUCOSE, value=99.0, unit=Unit.MG_PER_DL)),
        # 55e-4 mol/L * 1000 = 5.5 mmol/L
        (Decimal("0.0055"), MOL_PER_L, Value(kind=Kind.GLUCOSE, value=5.5, unit=Unit.MMOL_PER_L)),
        # 56e-4: binary floats would give 5.6000000000000005
        (Decimal("0.0056"), MOL_PER_L, Value(kind=Kind.GLUCOSE, value=5.6, unit=Unit.MMOL_PER_L)),
        (Decimal("0.00001"), "kg/L", Value(kind=Kind.GLUCOSE, value=1.0, unit=Unit.MG_PER_DL)),
    ],
)
def test_glucose_is_shown_in_the_unit_of_the_meter_exactly(
    number: Decimal, unit: str, value: Value
) -> None:
    reading = read(glucose(42, concentration=number, unit=unit))
    assert reading.values == (value,)
    assert reading.withheld is None
    assert (reading.sequence, reading.raw) == (42, b"raw")


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        ({"type": 10}, "control_solution"),
        ({"sample_location": 4}, "control_solution"),
        ({"type": 10, "concentration": Special.NAN}, "control_solution"),
        ({"concentration": None}, "no_concentration"),
        ({"concentration": Special.NAN}, "not_a_number"),
        ({"concentration": Special.NRES}, "not_a_number"),
        ({"concentration": Special.RESERVED}, "not_a_number"),
        ({"concentration": Special.SUSPECT}, "not_a_number"),
        ({"concentration": Special.POSITIVE_INFINITY}, "result_too_high"),
        ({"concentration": Special.NEGATIVE_INFINITY}, "result_too_low"),
        ({"status": 1 << 5}, "result_too_high"),
        ({"status": 1 << 6}, "result_too_low"),
        ({"concentration": Decimal("-0.1")}, "filler"),
        ({"concentration": Decimal(0)}, "not_positive"),
        ({"concentration": Decimal("-0.00001")}, "not_positive"),
    ],
)
def test_what_is_no_glucose_of_a_person_is_kept_and_never_shown(
    spoiled: dict[str, object], why: str
) -> None:
    reading = read(glucose(42, **spoiled))
    assert reading.values == ()
    assert reading.withheld == why
    assert (reading.sequence, reading.raw) == (42, b"raw")


@pytest.mark.parametrize(
    ("bit", "flag"),
    [
        (0, Flag.BATTERY_LOW),
        (1, Flag.SENSOR_FAULT),
        (2, Flag.SAMPLE_TOO_SMALL),
        (3, Flag.STRIP_ERROR),
        (4, Flag.STRIP_ERROR),
        (5, Flag.RESULT_TOO_HIGH),
        (6, Flag.RESULT_TOO_LOW),
        (7, Flag.TEMPERATURE_TOO_HIGH),
        (8, Flag.TEMPERATURE_TOO_LOW),
        (9, Flag.READ_INTERRUPTED),
        (10, Flag.DEVICE_FAULT),
        (11, Flag.TIME_FAULT),
    ],
)
def test_each_status_bit_is_a_flag_on_the_reading(bit: int, flag: Flag) -> None:
    assert read(glucose(42, status=1 << bit)).flags == (flag,)


def test_reserved_status_bits_say_nothing_and_two_strip_errors_are_one_flag() -> None:
    assert read(glucose(42, status=0xF000)).flags == ()
    assert read(glucose(42, status=0b11000)).flags == (Flag.STRIP_ERROR,)


@pytest.mark.parametrize(
    ("meal", "meant"),
    [
        (0, None),
        (1, Meal.PREPRANDIAL),
        (2, Meal.POSTPRANDIAL),
        (3, Meal.FASTING),
        (4, Meal.CASUAL),
        (5, Meal.BEDTIME),
        (7, None),
    ],
)
def test_the_meal_of_the_context_is_the_meal_of_the_reading(meal: int, meant: Meal | None) -> None:
    reading = read(GLUCOSE, GlucoseContext(sequence_number=42, meal=meal))
    assert reading.meal is meant
    assert reading.values


def test_a_ketone_is_never_shown_as_glucose() -> None:
    reading = read(GLUCOSE, GlucoseContext(sequence_number=42, meal=6))
    assert (reading.values, reading.withheld) == ((), "ketone")


@pytest.mark.parametrize(
    ("offset", "meant"),
    [
        (None, datetime(2026, 11, 22, 8, 15)),
        (0, datetime(2026, 11, 22, 8, 15)),
        (-60, datetime(2026, 11, 22, 7, 15)),
        (0x7FFE, datetime(2026, 12, 15, 2, 21)),  # 32766 min = 22 d 18 h 6 min
        (0x7FFF, None),  # overrun
        (-0x8000, None),  # underrun
    ],
)
def test_the_records_own_offset_is_part_of_its_time(
    offset: int | None, meant: datetime | None
) -> None:
    assert read(glucose(42, time_offset_min=offset)).device_time == meant


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    last = DateTime.of(datetime(9999, 12, 31, 23, 59, 59))
    assert read(glucose(42, base_time=last, time_offset_min=1)).device_time is None


def test_a_record_without_concentration_may_fill_the_whole_structure() -> None:
    short = glucose(42, concentration=None).encode()
    assert len(short) == 10
    padded = GlucoseMeasurement.decode(short + bytes(7))
    assert padded == GlucoseMeasurement(sequence_number=42, base_time=EIGHT_FIFTEEN)
    for length in (*range(1, 7), 8):
        with pytest.raises(CannotDecode):
            GlucoseMeasurement.decode(short + bytes(length))
    with pytest.raises(CannotDecode):
        GlucoseMeasurement.decode(GLUCOSE.encode() + bytes(17 - len(GLUCOSE.encode())))


@pytest.mark.parametrize(
    ("value", "unit"),
    [("5.6", Unit.MMOL_PER_L), ("101", Unit.MG_PER_DL), ("33.3", Unit.MMOL_PER_L)],
)
def test_a_simulated_meter_sends_what_it_shows(value: str, unit: Unit) -> None:
    number, name = concentration(Decimal(value), unit)
    sent = glucose(42, concentration=number, unit=name).encode()
    assert read(GlucoseMeasurement.decode(sent)).values == (
        Value(kind=Kind.GLUCOSE, value=float(value), unit=unit),
    )
