"""The doctor's own targets, which go before a pack's numbers.

A rule names what it may take from them (`personal`); safety rules name nothing, so nothing loosens
them. The distance between the limit that fires and the one that clears stays the pack's. May hold:
this substitution. May not: targets of its own.

    home_blood_pressure   systolic_mmhg, diastolic_mmhg
    fasting_glucose       fasting_mmol_per_l, fasting_mg_per_dl
    after_meal_glucose    after_meal_mmol_per_l, after_meal_mg_per_dl
    low_pulse             pulse_low_per_min
    high_pulse            pulse_high_per_min
    weight_gain_1d        weight_gain_1d_kg
    weight_gain_7d        weight_gain_7d_kg

`spo2_low_percent` moves no number: by setting it the doctor says that 88-92 % is this patient's
aim, and another safety row, with a number of its own, takes the place of the usual one
(`scope.py`).
"""

from collections.abc import Mapping
from dataclasses import replace

from rules.history import Patient
from rules.pack import Limit, Rule
from vitals.kinds import Kind
from vitals.units import Unit

_TARGETS: dict[str, dict[str, tuple[Kind, Unit]]] = {
    "home_blood_pressure": {
        "systolic_mmhg": (Kind.SYSTOLIC, Unit.MMHG),
        "diastolic_mmhg": (Kind.DIASTOLIC, Unit.MMHG),
    },
    "fasting_glucose": {
        "fasting_mmol_per_l": (Kind.GLUCOSE, Unit.MMOL_PER_L),
        "fasting_mg_per_dl": (Kind.GLUCOSE, Unit.MG_PER_DL),
    },
    "after_meal_glucose": {
        "after_meal_mmol_per_l": (Kind.GLUCOSE, Unit.MMOL_PER_L),
        "after_meal_mg_per_dl": (Kind.GLUCOSE, Unit.MG_PER_DL),
    },
    "low_pulse": {"pulse_low_per_min": (Kind.PULSE, Unit.PER_MINUTE)},
    "weight_gain_1d": {"weight_gain_1d_kg": (Kind.WEIGHT, Unit.KG)},
    "weight_gain_7d": {"weight_gain_7d_kg": (Kind.WEIGHT, Unit.KG)},
    "high_pulse": {"pulse_high_per_min": (Kind.PULSE, Unit.PER_MINUTE)},
}
PERSONAL = tuple(_TARGETS)
# the keys of each, and those that choose between rows without moving a number
TARGET_KEYS = {name: tuple(keys) for name, keys in _TARGETS.items()}
CHOOSING = ("spo2_low_percent",)


def with_targets(rule: Rule, patient: Patient) -> Rule:
    """The rule with this patient's own numbers where the doctor set them."""
    own: dict[Kind, dict[Unit, float]] = {}
    for key, (kind, unit) in _TARGETS.get(rule.personal, {}).items():
        if key in patient.targets:
            own.setdefault(kind, {})[unit] = float(patient.targets[key])
    if not own:
        return rule
    packed = {limit.kind: limit for limit in rule.when}
    return replace(
        rule,
        when=tuple(_own_limit(limit, own) for limit in rule.when),
        clear=tuple(_shifted(limit, packed, own) for limit in rule.clear),
    )


def _own_limit(limit: Limit, own: Mapping[Kind, Mapping[Unit, float]]) -> Limit:
    return replace(limit, by_unit=own[limit.kind]) if limit.kind in own else limit


def _shifted(
    limit: Limit, packed: Mapping[Kind, Limit], own: Mapping[Kind, Mapping[Unit, float]]
) -> Limit:
    if limit.kind not in own or limit.kind not in packed:
        return limit
    numbers = {
        unit: value + limit.number(unit) - packed[limit.kind].number(unit)
        for unit, value in own[limit.kind].items()
    }
    return replace(limit, by_unit=numbers)
