"""Metrics of continuous glucose at their edges: one reading, none, LO and HI, both units."""

import math

import pytest
from series_builders import MG, MMOL, SHANGHAI, every

from rules.metrics.cgm import cgm, gmi, gri, risk_indices
from rules.metrics.glucose_band import Bands
from rules.metrics.series import series_of, with_substitutes
from rules.metrics.sufficiency import Standing


def test_the_same_person_in_both_units_has_the_same_metrics() -> None:
    # five hours: up, down, up; multiples of 1.8 mg/dL are exact in mmol/L
    mmol = [5.0 + 4 * math.sin(n / 6) + n / 40 for n in range(400)]
    mmol = [round(each, 1) for each in mmol]
    a, b = cgm(every(5, mmol, unit=MMOL)), cgm(every(5, [each * 18 for each in mmol], unit=MG))
    for field in ("cv", "gmi", "ea1c", "lbgi", "hbgi", "j_index"):
        found = getattr(a.glycemia, field)
        assert found == pytest.approx(getattr(b.glycemia, field)), field
    for field in ("mean", "sd", "median"):
        assert getattr(a.glycemia, field) * 18 == pytest.approx(getattr(b.glycemia, field)), field
    assert a.modd * 18 == pytest.approx(b.modd)
    assert a.mage * 18 == pytest.approx(b.mage)


def test_without_a_reading_there_is_nothing_to_tell_and_nothing_breaks() -> None:
    found = cgm(series_of([], [], unit=MG, zone=SHANGHAI))
    glycemia = found.glycemia
    assert glycemia.n == 0
    assert all(
        math.isnan(each)
        for each in (
            glycemia.mean,
            glycemia.sd,
            glycemia.cv,
            glycemia.gmi,
            glycemia.lbgi,
            glycemia.bands.in_range,
            found.modd,
            found.mage,
            found.sufficiency.active_percent,
            found.episodes.low.per_day,
        )
    )
    assert found.episodes.low.episodes == ()
    assert found.sufficiency.standing is Standing.EVENTS_ONLY


def test_one_reading_has_a_mean_and_no_spread_and_is_no_episode() -> None:
    found = cgm(every(5, [45]))
    assert (found.glycemia.mean, found.glycemia.bands.very_low) == (45, 100)
    assert math.isnan(found.glycemia.sd)
    assert math.isnan(found.modd)
    assert math.isnan(found.mage)
    assert found.episodes.very_low.episodes == ()
    assert (found.sufficiency.days, found.sufficiency.cadence_min) == (0.0, None)


def test_lo_and_hi_are_in_the_bands_and_in_no_mean() -> None:
    glycemia = cgm(every(5, [100, "LO", "HI", 140])).glycemia
    assert (glycemia.n, glycemia.n_below, glycemia.n_above) == (4, 1, 1)
    assert glycemia.mean == 120
    bands = glycemia.bands
    assert (bands.very_low, bands.in_range, bands.very_high) == (25, 50, 25)
    # 3.0 * 25 + 1.6 * 25: the risk index is made of the bands, and bounded
    assert glycemia.gri == 100


def test_numbers_in_place_of_lo_and_hi_enter_the_mean_because_the_caller_chose_them() -> None:
    series = with_substitutes(every(5, [100, "LO", "HI", 140]), low=40, high=400)
    glycemia = cgm(series).glycemia
    assert (glycemia.mean, glycemia.n_below, glycemia.n_above) == (170, 1, 1)
    assert glycemia.bands == cgm(every(5, [100, "LO", "HI", 140])).glycemia.bands


def test_a_series_of_codes_alone_has_bands_and_no_mean() -> None:
    glycemia = cgm(every(5, ["HI"] * 20)).glycemia
    assert glycemia.bands.very_high == 100
    assert math.isnan(glycemia.mean)
    assert math.isnan(glycemia.gmi)


def test_gmi_of_a_worked_example() -> None:
    # 3.31 + 0.02392 * 154 = 6.99
    assert gmi(154) == pytest.approx(6.99368)


@pytest.mark.parametrize(
    ("bands", "index"),
    [
        ((0, 0, 100, 0, 0), 0),
        ((1, 0, 99, 0, 0), 3.0),
        ((0, 1, 99, 0, 0), 2.4),
        ((0, 0, 99, 1, 0), 0.8),
        ((0, 0, 99, 0, 1), 1.6),
        ((50, 0, 50, 0, 0), 100),
    ],
)
def test_the_risk_index_weighs_the_outer_bands(
    bands: tuple[float, float, float, float, float], index: float
) -> None:
    names = ("very_low", "low", "in_range", "high", "very_high")
    assert gri(Bands(**dict(zip(names, bands, strict=True)))) == pytest.approx(index)


def test_risk_is_zero_at_its_middle_and_parted_there() -> None:
    import numpy as np

    low, high = risk_indices(np.asarray([112.5]))
    assert (low, high) == (0.0, pytest.approx(0, abs=1e-6))
    assert risk_indices(np.asarray([60.0]))[1] == 0
    assert risk_indices(np.asarray([300.0]))[0] == 0


def test_two_sensors_of_different_cadence_are_told_and_weighed_by_time() -> None:
    slow, fast = [200.0] * 200, [100.0] * 3000
    first, second = every(15, slow), every(1, fast)
    shift = int(first.times_ns[-1]) + 15 * 60_000_000_000 - int(second.times_ns[0])
    both = series_of(
        [*first.times_ns, *(second.times_ns + shift)], [*slow, *fast], unit=MG, zone=SHANGHAI
    )
    glycemia = cgm(both).glycemia
    assert glycemia.by_time
    assert glycemia.bands.high == pytest.approx(50, abs=0.1)
    assert glycemia.mean == pytest.approx(150, abs=0.1)
