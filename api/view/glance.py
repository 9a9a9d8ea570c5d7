"""What one value says at a glance: within reference, beyond it, or too old to say anything.

A remark on a single number for the person who was measured; it raises nothing and concludes
nothing: rules do. Cut-points are the guidelines' pairs, compared in the unit of the value, with the
doctor's own targets in place of the home reference. May hold: these comparisons. May not: alarms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.metrics.blood_pressure import HOME_DIASTOLIC, HOME_SYSTOLIC
from rules.metrics.glucose_band import HIGH, LOW, VERY_HIGH, VERY_LOW
from vitals.units import Unit


class Mood(StrEnum):
    """How grave: the colour and icon of a state; also the name of its style."""

    WELL = "well"
    LOOK = "look"
    CALL = "call"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A mood with the key of its word and the name of its icon."""

    mood: Mood
    word: str
    icon: str


# After two days a value says nothing about today; engineering choice, unconfirmed.
FRESH = timedelta(hours=48)

# mmHg; urgent referral: 国家基本公共卫生服务规范 (third edition), hypertension; as rule bp.severe
SEVERE_SYSTOLIC, SEVERE_DIASTOLIC = 180.0, 110.0
# mmHg; low at home (clinical §1.4 bp.low), unconfirmed
LOW_SYSTOLIC, LOW_DIASTOLIC = 90.0, 50.0

OLD = Glance(mood=Mood.NONE, word="glance_old", icon="next")
KEPT = Glance(mood=Mood.NONE, word="glance_kept", icon="well")
DOUBTED = Glance(mood=Mood.NONE, word="glance_doubted", icon="none")
_IN_RANGE = Glance(mood=Mood.WELL, word="glance_in_range", icon="well")
_HIGH = Glance(mood=Mood.LOOK, word="glance_high", icon="look")
_LOW = Glance(mood=Mood.LOOK, word="glance_low", icon="look")
_VERY_HIGH = Glance(mood=Mood.CALL, word="glance_very_high", icon="alarm")
_VERY_LOW = Glance(mood=Mood.CALL, word="glance_very_low", icon="alarm")


def is_fresh(at: datetime, now: datetime) -> bool:
    """Does a value of then still speak of today?"""
    return now - at <= FRESH


def of_glucose(value: float, unit: Unit) -> Glance:
    """A glucose value: consensus bands 3.0/3.9/10.0/13.9 mmol/L, 54/70/180/250 mg/dL."""
    if value < VERY_LOW.in_unit(unit):
        return _VERY_LOW
    if value < LOW.in_unit(unit):
        return _LOW
    if value > VERY_HIGH.in_unit(unit):
        return _VERY_HIGH
    return _HIGH if value > HIGH.in_unit(unit) else _IN_RANGE


def of_pressure(systolic: float, diastolic: float, targets: Mapping[str, object]) -> Glance:
    """A blood pressure in mmHg: the patient's own target, or the home reference 135/85."""
    if systolic >= SEVERE_SYSTOLIC or diastolic >= SEVERE_DIASTOLIC:
        return _VERY_HIGH
    if systolic < LOW_SYSTOLIC or diastolic < LOW_DIASTOLIC:
        return _LOW
    above_systolic = systolic >= target(targets, "systolic_mmhg", HOME_SYSTOLIC)
    above_diastolic = diastolic >= target(targets, "diastolic_mmhg", HOME_DIASTOLIC)
    return _HIGH if above_systolic or above_diastolic else _IN_RANGE


def target(targets: Mapping[str, object], key: str, otherwise: float) -> float:
    """The doctor's own number, or the reference where there is none."""
    own = targets.get(key)
    return float(own) if isinstance(own, int | float) else otherwise
