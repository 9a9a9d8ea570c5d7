"""Units: codes that never change, conversions with their published examples."""

from itertools import permutations

import pytest

from vitals.errors import MendData
from vitals.units import UNIT_CODE, UNIT_OF_CODE, UNIT_TEXT, Unit, convert

DEFINED = {
    frozenset({Unit.MMOL_PER_L, Unit.MG_PER_DL}),
    frozenset({Unit.KPA, Unit.MMHG}),
    frozenset({Unit.LB, Unit.KG}),
    frozenset({Unit.FAHRENHEIT, Unit.CELSIUS}),
}


@pytest.mark.parametrize(
    ("value", "unit", "to", "converted", "tolerance"),
    [
        # the published pairs of the guidelines: 70 <-> 3.9, 180 <-> 10.0 (to the decimal shown)
        (70, Unit.MG_PER_DL, Unit.MMOL_PER_L, 3.9, 0.05),
        (180, Unit.MG_PER_DL, Unit.MMOL_PER_L, 10.0, 1e-9),
        (5.5, Unit.MMOL_PER_L, Unit.MG_PER_DL, 99, 1e-9),
        # 1 mmHg = 133.322387415 Pa
        (120, Unit.MMHG, Unit.KPA, 15.9986864898, 1e-9),
        (16, Unit.KPA, Unit.MMHG, 120.0, 0.05),
        # 1 lb = 0.45359237 kg
        (154, Unit.LB, Unit.KG, 69.85322498, 1e-9),
        (0.45359237, Unit.KG, Unit.LB, 1, 1e-12),
        (98.6, Unit.FAHRENHEIT, Unit.CELSIUS, 37.0, 1e-9),
        (36.6, Unit.CELSIUS, Unit.FAHRENHEIT, 97.88, 1e-9),
        (-40, Unit.CELSIUS, Unit.FAHRENHEIT, -40, 1e-9),
    ],
)
def test_a_conversion_gives_its_published_example(
    value: float, unit: Unit, to: Unit, converted: float, tolerance: float
) -> None:
    assert convert(value, unit, to) == pytest.approx(converted, abs=tolerance)


@pytest.mark.parametrize("unit", list(Unit))
def test_a_value_in_its_own_unit_is_untouched(unit: Unit) -> None:
    assert convert(5.6, unit, unit) == 5.6


def test_only_units_of_one_quantity_convert_and_back_again() -> None:
    for unit, to in permutations(Unit, 2):
        if frozenset({unit, to}) in DEFINED:
            assert convert(convert(7.3, unit, to), to, unit) == pytest.approx(7.3)
        else:
            with pytest.raises(MendData, match="No conversion"):
                convert(7.3, unit, to)


def test_every_unit_has_a_code_and_a_text_and_none_is_used_twice() -> None:
    assert set(UNIT_CODE) == set(UNIT_TEXT) == set(Unit)
    assert {code: unit for unit, code in UNIT_CODE.items()} == UNIT_OF_CODE
    assert len(UNIT_OF_CODE) == len(Unit)


def test_the_codes_in_the_database_are_what_they_were() -> None:
    # rows hold these: a new unit goes to the end
    names = "MMOL_PER_L MG_PER_DL MMHG KPA PER_MINUTE PERCENT KG LB CELSIUS FAHRENHEIT STEPS MINUTE"
    first = {Unit[name]: code for code, name in enumerate(names.split(), start=1)}
    assert {unit: UNIT_CODE[unit] for unit in first} == first
