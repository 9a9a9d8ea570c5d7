"""What one value says: one below each cut-point, on it, one above; in both units."""

import pytest
from page_builders import NOW, ago

from api.view.glance import FRESH, is_fresh, of_glucose, of_pressure, target
from vitals.units import Unit


@pytest.mark.parametrize(
    ("value", "unit", "word"),
    [
        (2.9, Unit.MMOL_PER_L, "glance_very_low"),
        (3.0, Unit.MMOL_PER_L, "glance_low"),
        (3.8, Unit.MMOL_PER_L, "glance_low"),
        (3.9, Unit.MMOL_PER_L, "glance_in_range"),
        # 10.0 mmol/L is 180.16 mg/dL by molar mass: still in range, because units are not mixed
        (10.0, Unit.MMOL_PER_L, "glance_in_range"),
        (10.1, Unit.MMOL_PER_L, "glance_high"),
        (13.9, Unit.MMOL_PER_L, "glance_high"),
        (14.0, Unit.MMOL_PER_L, "glance_very_high"),
        (53, Unit.MG_PER_DL, "glance_very_low"),
        (54, Unit.MG_PER_DL, "glance_low"),
        (69, Unit.MG_PER_DL, "glance_low"),
        (70, Unit.MG_PER_DL, "glance_in_range"),
        (180, Unit.MG_PER_DL, "glance_in_range"),
        (181, Unit.MG_PER_DL, "glance_high"),
        (250, Unit.MG_PER_DL, "glance_high"),
        (251, Unit.MG_PER_DL, "glance_very_high"),
    ],
)
def test_glucose_is_compared_in_its_own_unit(value: float, unit: Unit, word: str) -> None:
    assert of_glucose(value, unit).word == word


@pytest.mark.parametrize(
    ("systolic", "diastolic", "word"),
    [
        (134, 84, "glance_in_range"),
        (135, 84, "glance_high"),
        (134, 85, "glance_high"),
        (179, 109, "glance_high"),
        (180, 70, "glance_very_high"),
        (120, 110, "glance_very_high"),
        (90, 50, "glance_in_range"),
        (89, 60, "glance_low"),
        (100, 49, "glance_low"),
    ],
)
def test_pressure_against_the_home_reference(systolic: int, diastolic: int, word: str) -> None:
    assert of_pressure(systolic, diastolic, {}).word == word


def test_the_doctors_own_target_goes_before_the_reference() -> None:
    own = {"systolic_mmhg": 150, "diastolic_mmhg": 90}
    assert of_pressure(149, 89, own).word == "glance_in_range"
    assert of_pressure(150, 89, own).word == "glance_high"
    # but never before what is severe
    assert of_pressure(181, 80, {"systolic_mmhg": 200}).word == "glance_very_high"


def test_a_target_that_is_no_number_is_no_target() -> None:
    assert target({"systolic_mmhg": "low"}, "systolic_mmhg", 135) == 135


def test_after_two_days_a_value_says_nothing_about_today() -> None:
    assert is_fresh(NOW - FRESH, NOW)
    assert not is_fresh(ago(hours=48, seconds=1), NOW)
