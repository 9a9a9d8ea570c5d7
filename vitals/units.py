"""Units of measurement and the only conversions in the house.

Values are kept in the unit in which they were measured; a conversion is for display and for metrics
that a guideline defines in one unit. Cut-points are never converted: rule packs store them as
published pairs. Each factor stands here once, with a worked example and its source. Units are
written in UCUM. May hold: units and factors. May not: ranges or thresholds.
"""

from enum import StrEnum

from vitals.errors import MendData


class Unit(StrEnum):
    """A UCUM unit, as it stands on the wire."""

    MMOL_PER_L = "mmol/L"
    MG_PER_DL = "mg/dL"
    MMHG = "mm[Hg]"
    KPA = "kPa"
    PER_MINUTE = "/min"
    PERCENT = "%"
    KG = "kg"
    LB = "[lb_av]"
    CELSIUS = "Cel"
    FAHRENHEIT = "[degF]"
    STEPS = "{steps}"
    MINUTE = "min"


# The number that stands for a unit in the database. Never renumber: rows hold these.
UNIT_CODE: dict[Unit, int] = {
    Unit.MMOL_PER_L: 1,
    Unit.MG_PER_DL: 2,
    Unit.MMHG: 3,
    Unit.KPA: 4,
    Unit.PER_MINUTE: 5,
    Unit.PERCENT: 6,
    Unit.KG: 7,
    Unit.LB: 8,
    Unit.CELSIUS: 9,
    Unit.FAHRENHEIT: 10,
    Unit.STEPS: 11,
    Unit.MINUTE: 12,
}
UNIT_OF_CODE: dict[int, Unit] = {code: unit for unit, code in UNIT_CODE.items()}

# How people read the unit.
UNIT_TEXT: dict[Unit, str] = {
    Unit.MMOL_PER_L: "mmol/L",
    Unit.MG_PER_DL: "mg/dL",
    Unit.MMHG: "mmHg",
    Unit.KPA: "kPa",
    Unit.PER_MINUTE: "/min",
    Unit.PERCENT: "%",
    Unit.KG: "kg",
    Unit.LB: "lb",
    Unit.CELSIUS: "°C",
    Unit.FAHRENHEIT: "°F",
    Unit.STEPS: "steps",
    Unit.MINUTE: "min",
}

# mg/dL per mmol/L of glucose. Guidelines, meters and R iglu use 18 (70 <-> 3.9, 180 <-> 10.0);
# the molar mass gives 18.0156. 5.5 mmol/L * 18 = 99 mg/dL.
GLUCOSE_MG_PER_DL_PER_MMOL_PER_L = 18.0

# mmHg per kPa, conventional millimetre of mercury = 133.322387415 Pa (ISO 80000-4, BIPM table 8).
# 16.0 kPa * 7.500615... = 120.0 mmHg.
MMHG_PER_KPA = 1000 / 133.322387415

# kg per avoirdupois pound, exact by definition (international yard and pound agreement, 1959).
# 154 lb * 0.45359237 = 69.85 kg.
KG_PER_LB = 0.45359237

_FACTOR: dict[tuple[Unit, Unit], float] = {
    (Unit.MMOL_PER_L, Unit.MG_PER_DL): GLUCOSE_MG_PER_DL_PER_MMOL_PER_L,
    (Unit.MG_PER_DL, Unit.MMOL_PER_L): 1 / GLUCOSE_MG_PER_DL_PER_MMOL_PER_L,
    (Unit.KPA, Unit.MMHG): MMHG_PER_KPA,
    (Unit.MMHG, Unit.KPA): 1 / MMHG_PER_KPA,
    (Unit.LB, Unit.KG): KG_PER_LB,
    (Unit.KG, Unit.LB): 1 / KG_PER_LB,
}


def convert(value: float, unit: Unit, to: Unit) -> float:
    """The value in another unit, unrounded.

    mmol/L <-> mg/dL is for glucose only (ketones differ). Raises MendData where no conversion is
    defined, e.g. kg to mmHg.
    """
    if unit is to:
        return value
    if (unit, to) == (Unit.FAHRENHEIT, Unit.CELSIUS):
        # 98.6 °F -> 37.0 °C
        return (value - 32) * 5 / 9
    if (unit, to) == (Unit.CELSIUS, Unit.FAHRENHEIT):
        return value * 9 / 5 + 32
    try:
        return value * _FACTOR[unit, to]
    except KeyError:
        raise MendData(f"No conversion from {unit} to {to} is defined; check the unit.") from None
