"""The table of vitals: complete, consistent over its units, strict at the edges of what can be."""

import pytest

from vitals.errors import MendData
from vitals.kinds import KIND_OF_CODE, VITALS, Kind, Scale, is_plausible
from vitals.units import Unit, convert

SCALES = [
    pytest.param(kind, scale, id=f"{kind}-{scale.unit}")
    for kind, vital in VITALS.items()
    for scale in vital.scales
]


def test_every_kind_is_in_the_table_under_one_code() -> None:
    assert set(VITALS) == set(Kind)
    assert len(KIND_OF_CODE) == len(Kind)
    assert all(KIND_OF_CODE[vital.code] is kind for kind, vital in VITALS.items())


def test_the_codes_in_the_database_are_what_they_were() -> None:
    # rows hold these: a new vital goes to the end
    names = (
        "glucose ketone systolic diastolic mean_arterial_pressure pulse heart_rate spo2 weight "
        "body_temperature steps sleep_duration body_fat"
    )
    first = {Kind(name): code for code, name in enumerate(names.split(), start=1)}
    assert {kind: VITALS[kind].code for kind in first} == first


def test_every_kind_has_a_name_in_both_languages_and_a_unit() -> None:
    for vital in VITALS.values():
        assert vital.zh
        assert vital.en
        assert vital.scales
        units = [scale.unit for scale in vital.scales]
        assert len(units) == len(set(units))


@pytest.mark.parametrize(("kind", "scale"), SCALES)
def test_the_edges_of_what_is_plausible(kind: Kind, scale: Scale) -> None:
    step = 10.0**-scale.decimals
    assert is_plausible(kind, scale.low, scale.unit)
    assert is_plausible(kind, scale.high, scale.unit)
    assert not is_plausible(kind, scale.low - step, scale.unit)
    assert not is_plausible(kind, scale.high + step, scale.unit)
    assert not is_plausible(kind, float("nan"), scale.unit)


@pytest.mark.parametrize(("kind", "scale"), SCALES)
def test_the_edges_in_one_unit_are_the_edges_in_another(kind: Kind, scale: Scale) -> None:
    first = VITALS[kind].scales[0]
    for edge in ("low", "high"):
        meant = convert(getattr(first, edge), first.unit, scale.unit)
        # rounded to the decimals in which the unit is written
        assert getattr(scale, edge) == pytest.approx(meant, abs=1.5 * 10.0**-scale.decimals)


@pytest.mark.parametrize(
    ("value", "plausible"), [(0.5, False), (0.6, True), (33.3, True), (33.4, False)]
)
def test_glucose_is_plausible_from_lo_to_hi(value: float, plausible: bool) -> None:
    assert is_plausible(Kind.GLUCOSE, value, Unit.MMOL_PER_L) is plausible


def test_a_unit_that_the_kind_does_not_have_is_named_with_those_it_has() -> None:
    with pytest.raises(MendData, match=r"glucose cannot be in kg; accepted: mmol/L, mg/dL"):
        is_plausible(Kind.GLUCOSE, 5.6, Unit.KG)
