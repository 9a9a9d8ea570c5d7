"""Slots of the day for finger-sticks: which one a reading belongs to, and its target there.

May hold: the slots and these two questions. May not: means (`smbg.py`), words.
"""

from enum import StrEnum

from rules.history import Point
from rules.metrics.glucose_band import HIGH, LOW, Pair
from rules.words import local
from vitals.measurement import Flag, Meal

# mmol/L, mg/dL; 中国糖尿病防治指南（2024版）, fasting and pre-meal 4.4-7.0
FASTING_FROM = Pair(mmol_per_l=4.4, mg_per_dl=80)
FASTING_TO = Pair(mmol_per_l=7.0, mg_per_dl=126)


class Slot(StrEnum):
    """A slot of the day for finger-sticks; the report's rows, in this order."""

    NIGHT = "night"
    FASTING = "fasting"
    AFTER_BREAKFAST = "after_breakfast"
    BEFORE_LUNCH = "before_lunch"
    AFTER_LUNCH = "after_lunch"
    BEFORE_DINNER = "before_dinner"
    AFTER_DINNER = "after_dinner"
    BEDTIME = "bedtime"
    UNMARKED = "unmarked"


# slots that have the fasting target; every other has 3.9 to below 10.0
BEFORE_MEALS = (Slot.FASTING, Slot.BEFORE_LUNCH, Slot.BEFORE_DINNER)
# the slot before a meal and the one after it
MEALS = {
    Slot.AFTER_BREAKFAST: Slot.FASTING,
    Slot.AFTER_LUNCH: Slot.BEFORE_LUNCH,
    Slot.AFTER_DINNER: Slot.BEFORE_DINNER,
}

# Local hours; engineering choice, unconfirmed: which meal a marked reading belongs to.
_LUNCH_FROM_H, _DINNER_FROM_H = 10.5, 15.5


def slot_of(meal: Meal | None, hour: float) -> Slot:
    """The slot of a finger-stick from its mark and the local hour (7.5 is half past seven).

    What the device did not mark is not guessed, but for the night hours (00-05), in which nobody
    eats: the report shows it as unmarked.
    """
    if meal is Meal.FASTING:
        return Slot.FASTING
    if meal is Meal.BEDTIME:
        return Slot.BEDTIME
    if meal is Meal.PREPRANDIAL:
        return _by_meal(hour, Slot.FASTING, Slot.BEFORE_LUNCH, Slot.BEFORE_DINNER)
    if meal is Meal.POSTPRANDIAL:
        return _by_meal(hour, Slot.AFTER_BREAKFAST, Slot.AFTER_LUNCH, Slot.AFTER_DINNER)
    return Slot.NIGHT if hour < 5 else Slot.UNMARKED


def slot_at(point: Point, zone: str) -> Slot:
    """The slot of one reading on the patient's clock."""
    there = local(point.at, zone)
    return slot_of(point.meal, there.hour + there.minute / 60)


def is_coded(point: Point) -> bool:
    """Did the meter show LO or HI? Then the flag is what it said, and no number counts."""
    return Flag.RESULT_TOO_LOW in point.flags or Flag.RESULT_TOO_HIGH in point.flags


def is_below(point: Point, limit: Pair) -> bool:
    """Below the limit, in the reading's own unit? LO is below every limit."""
    if is_coded(point):
        return Flag.RESULT_TOO_LOW in point.flags
    return point.value < limit.in_unit(point.unit)


def is_above(point: Point, limit: Pair) -> bool:
    """Above the limit, in the reading's own unit? HI is above every limit."""
    if is_coded(point):
        return Flag.RESULT_TOO_HIGH in point.flags
    return point.value > limit.in_unit(point.unit)


def is_in_target(point: Point, slot: Slot) -> bool:
    """Before meals 4.4-7.0 (80-126); otherwise 3.9 to below 10.0 (70 to below 180)."""
    if is_coded(point):
        return False
    if slot in BEFORE_MEALS:
        return FASTING_FROM.in_unit(point.unit) <= point.value <= FASTING_TO.in_unit(point.unit)
    return LOW.in_unit(point.unit) <= point.value < HIGH.in_unit(point.unit)


def _by_meal(hour: float, breakfast: Slot, lunch: Slot, dinner: Slot) -> Slot:
    # after lunch is measured two hours later than before it
    later = 1.5 if breakfast is Slot.AFTER_BREAKFAST else 0.0
    if hour < _LUNCH_FROM_H + later:
        return breakfast
    return lunch if hour < _DINNER_FROM_H + later else dinner
