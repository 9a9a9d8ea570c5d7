"""Finger-sticks: slots, targets, shares with their interval, and what few readings cannot tell."""

import math
from dataclasses import fields
from datetime import datetime

import pytest
from rule_builders import SHANGHAI, every_day, points

from rules.metrics.share import wilson
from rules.metrics.slot import Slot, slot_of
from rules.metrics.smbg import Smbg, smbg
from vitals.measurement import Meal
from vitals.units import Unit


def found(*lines: str) -> Smbg:
    numbers = smbg(points(lines), SHANGHAI)
    assert numbers is not None
    return numbers


@pytest.mark.parametrize(
    ("meal", "clock", "slot"),
    [
        (Meal.FASTING, "06:30", Slot.FASTING),
        (Meal.PREPRANDIAL, "07:00", Slot.FASTING),
        (Meal.PREPRANDIAL, "10:29", Slot.FASTING),
        (Meal.PREPRANDIAL, "10:30", Slot.BEFORE_LUNCH),
        (Meal.PREPRANDIAL, "18:00", Slot.BEFORE_DINNER),
        (Meal.POSTPRANDIAL, "09:30", Slot.AFTER_BREAKFAST),
        (Meal.POSTPRANDIAL, "14:00", Slot.AFTER_LUNCH),
        (Meal.POSTPRANDIAL, "20:00", Slot.AFTER_DINNER),
        (Meal.BEDTIME, "22:30", Slot.BEDTIME),
        (None, "03:10", Slot.NIGHT),
        (None, "05:00", Slot.UNMARKED),
        (Meal.CASUAL, "13:00", Slot.UNMARKED),
    ],
)
def test_a_finger_stick_finds_its_slot(meal: Meal | None, clock: str, slot: Slot) -> None:
    at = datetime.strptime(clock, "%H:%M")  # noqa: DTZ007 - only the hour is wanted
    assert slot_of(meal, at.hour + at.minute / 60) is slot


def test_wilson_interval_of_published_example() -> None:
    # 8 of 10: 0.4902 to 0.9433 (Brown, Cai and DasGupta 2001, Wilson interval)
    share = wilson(8, 10)
    assert (share.low, share.high) == (
        pytest.approx(0.4902, abs=1e-4),
        pytest.approx(0.9433, abs=1e-4),
    )
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert wilson(0, 7).low == pytest.approx(0.0, abs=1e-12)


def test_finger_sticks_have_no_field_for_gmi_or_time_in_range() -> None:
    assert {"gmi", "ea1c", "tir", "bands", "mage", "modd"}.isdisjoint(
        each.name for each in fields(Smbg)
    )


@pytest.mark.parametrize(
    ("line", "in_target"),
    [
        ("07:00 glucose 4.3 mmol/L fasting", 0),
        ("07:00 glucose 4.4 mmol/L fasting", 1),
        ("07:00 glucose 7.0 mmol/L fasting", 1),
        ("07:00 glucose 7.1 mmol/L fasting", 0),
        ("07:00 glucose 79 mg/dL fasting", 0),
        ("07:00 glucose 80 mg/dL fasting", 1),
        ("07:00 glucose 126 mg/dL fasting", 1),
        ("07:00 glucose 127 mg/dL fasting", 0),
        ("09:00 glucose 9.9 mmol/L postprandial", 1),
        # below 10.0, which is not of this target
        ("09:00 glucose 10.0 mmol/L postprandial", 0),
        ("09:00 glucose 179 mg/dL postprandial", 1),
        ("09:00 glucose 180 mg/dL postprandial", 0),
        ("22:00 glucose 3.9 mmol/L bedtime", 1),
        ("22:00 glucose 3.8 mmol/L bedtime", 0),
    ],
)
def test_a_target_is_that_of_the_slot_in_the_reading_s_own_unit(line: str, in_target: int) -> None:
    assert found(line).in_target.k == in_target


def test_a_row_tells_its_slot_in_the_unit_of_most_readings() -> None:
    numbers = found(
        "-1d 07:00 glucose 5.0 mmol/L fasting",
        "07:00 glucose 108 mg/dL fasting",
        "09:00 glucose 14.0 mmol/L postprandial",
        "03:00 glucose 2.9 mmol/L",
    )
    rows = {each.slot: each for each in numbers.slots}
    assert numbers.unit is Unit.MMOL_PER_L
    # 108 mg/dL is 6.0 mmol/L
    assert (rows[Slot.FASTING].n, rows[Slot.FASTING].mean) == (2, 5.5)
    assert (rows[Slot.AFTER_BREAKFAST].very_highs, rows[Slot.AFTER_BREAKFAST].worst.value) == (
        1,
        14,
    )
    assert (rows[Slot.NIGHT].lows, rows[Slot.NIGHT].very_lows) == (1, 1)
    assert list(rows) == [Slot.NIGHT, Slot.FASTING, Slot.AFTER_BREAKFAST]


@pytest.mark.parametrize(
    ("value", "unit", "lows", "very_lows"),
    [
        ("3.9", "mmol/L", 0, 0),
        ("3.8", "mmol/L", 1, 0),
        ("3.0", "mmol/L", 1, 0),
        ("2.9", "mmol/L", 1, 1),
        ("70", "mg/dL", 0, 0),
        ("69", "mg/dL", 1, 0),
        ("54", "mg/dL", 1, 0),
        ("53", "mg/dL", 1, 1),
    ],
)
def test_lows_are_counted_at_the_published_pair(
    value: str, unit: str, lows: int, very_lows: int
) -> None:
    numbers = found(f"08:00 glucose {value} {unit}")
    assert (len(numbers.lows), numbers.very_lows) == (lows, very_lows)


def test_lo_is_a_low_and_enters_no_mean() -> None:
    numbers = found(
        "07:00 glucose 0.1 mmol/L fasting #result_too_low",
        "-1d 07:00 glucose 6.0 mmol/L fasting",
        "-2d 07:00 glucose 99 mmol/L fasting #result_too_high",
    )
    (row,) = numbers.slots
    assert (numbers.coded_low, numbers.coded_high) == (1, 1)
    assert (row.n, row.mean, row.min, row.max) == (3, 6.0, 6.0, 6.0)
    assert (numbers.very_lows, len(numbers.very_highs)) == (1, 1)
    assert (numbers.in_target.k, numbers.in_target.n) == (1, 3)
    assert row.worst.flags


def test_a_slot_of_codes_alone_has_no_mean() -> None:
    numbers = found("07:00 glucose 0.1 mmol/L fasting #result_too_low")
    assert math.isnan(numbers.slots[0].mean)


@pytest.mark.parametrize(("days", "has_spread"), [(6, False), (7, True)])
def test_fasting_spread_needs_seven_values(days: int, has_spread: bool) -> None:
    numbers = found(*every_day(["07:00 glucose 6.0 mmol/L fasting"], first=days - 1))
    assert (numbers.fasting_sd is not None, numbers.fasting_cv is not None) == (
        has_spread,
        has_spread,
    )


@pytest.mark.parametrize(
    ("after", "delta"), [("09:00", 3.0), ("10:00", 3.0), ("10:01", None), ("06:59", None)]
)
def test_a_meal_is_a_pair_within_three_hours(after: str, delta: float | None) -> None:
    numbers = found("07:00 glucose 6.0 mmol/L fasting", f"{after} glucose 9.0 mmol/L postprandial")
    assert [each.delta for each in numbers.meals] == ([] if delta is None else [delta])


def test_a_reading_before_lunch_is_no_pair_for_one_after_breakfast() -> None:
    numbers = found("10:35 glucose 6.0 mmol/L preprandial", "11:30 glucose 9.0 mmol/L postprandial")
    assert numbers.meals == ()


THRICE = ["07:00 glucose 6.0 mmol/L", "12:00 glucose 8.0 mmol/L", "22:00 glucose 7.0 mmol/L"]


@pytest.mark.parametrize(("days", "a_day", "has"), [(10, 3, True), (9, 3, False), (14, 2, False)])
def test_risk_needs_three_readings_on_ten_of_fourteen_days(
    days: int, a_day: int, has: bool
) -> None:
    numbers = found(*every_day(THRICE[:a_day], first=days - 1))
    assert (numbers.risk is not None) is has


def test_no_reading_makes_no_numbers() -> None:
    assert smbg([], SHANGHAI) is None
