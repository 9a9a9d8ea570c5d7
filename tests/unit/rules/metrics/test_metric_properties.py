"""What holds for every series: units, order, sums, shifts, and what more of a thing does."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from series_builders import MG, MMOL, SHANGHAI, series_from

from rules.metrics.cgm import Cgm, cgm
from rules.metrics.glucose_band import bands
from rules.metrics.series import Series, series_of
from rules.metrics.target_range import time_in_target
from vitals.units import Unit

MINUTE = 60_000_000_000
START = 1_762_646_400 * 1_000_000_000  # 2025-11-09 00:00 UTC

# tenths of mmol/L: exact in both units at a factor of 18
TENTHS = st.integers(22, 278)


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[int, float | str]]:
    """Readings of a five-minute sensor with gaps, repeats, LO and HI; values in mmol/L."""
    n = draw(st.integers(2, 60))
    steps = draw(st.lists(st.sampled_from([5, 5, 5, 5, 5, 6, 10, 60, 200]), min_size=n, max_size=n))
    times = START + np.cumsum(steps) * MINUTE
    kinds = st.one_of(TENTHS, TENTHS, TENTHS, st.sampled_from(["LO", "HI"]))
    values = draw(st.lists(kinds, min_size=n, max_size=n))
    found: list[tuple[int, float | str]] = [
        (int(ns), value if isinstance(value, str) else value / 10)
        for ns, value in zip(times, values, strict=True)
    ]
    return found + draw(st.lists(st.sampled_from(found), max_size=5))


def numbers(found: Cgm) -> list[float]:
    """All numbers of a result that do not depend on the unit, in one order."""
    glycemia = found.glycemia
    return [
        *astuple(glycemia.bands),
        glycemia.cv,
        glycemia.lbgi,
        glycemia.hbgi,
        glycemia.gri,
        glycemia.gmi,
        found.sufficiency.active_percent,
        *(each.per_day for each in found.episodes.tallies),
        *(each.minutes for each in found.episodes.tallies),
    ]


@given(rows())
@settings(max_examples=60, deadline=None)
def test_a_person_in_mmol_and_in_mg_has_the_same_numbers(
    found: list[tuple[int, float | str]],
) -> None:
    # 13.9 and 3.9 mmol/L are on other sides of 250 and 70 mg/dL than 250.2 and 70.2: published
    # pairs are no conversions of each other, so values at the edge are left out here
    away = [
        (ns, value)
        for ns, value in found
        if isinstance(value, str) or round(value, 1) not in (3.9, 3.0, 10.0, 13.9)
    ]
    mmol = series_from(away, unit=MMOL)
    mg = series_from([(ns, v if isinstance(v, str) else v * 18) for ns, v in away], unit=MG)
    a, b = cgm(mmol), cgm(mg)
    assert astuple(a.glycemia.bands) == pytest.approx(astuple(b.glycemia.bands), nan_ok=True)
    for field in ("cv", "gmi", "ea1c", "lbgi", "hbgi", "gri", "j_index"):
        one, other = getattr(a.glycemia, field), getattr(b.glycemia, field)
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True), field
    for field in ("modd", "mage"):
        one, other = getattr(a, field) * 18, getattr(b, field)
        assert one == pytest.approx(other, rel=1e-6, nan_ok=True), field


@given(rows(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_rows_changes_nothing(
    found: list[tuple[int, float | str]], chance: object
) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    a, b = cgm(series_from(found, unit=MMOL)), cgm(series_from(shuffled, unit=MMOL))
    assert numbers(a) == pytest.approx(numbers(b), nan_ok=True)
    assert (a.modd, a.mage) == pytest.approx((b.modd, b.mage), nan_ok=True)
    assert a.glycemia.repeated == b.glycemia.repeated


@given(rows())
@settings(max_examples=60, deadline=None)
def test_the_bands_add_up_to_a_hundred(found: list[tuple[int, float | str]]) -> None:
    glycemia = cgm(series_from(found, unit=MMOL)).glycemia
    assert sum(astuple(glycemia.bands)) == pytest.approx(100)
    assert 0 <= glycemia.gri <= 100
    assert glycemia.n == len(dict.fromkeys(found))


@given(rows(), st.integers(-400, 400))
@settings(max_examples=60, deadline=None)
def test_the_same_days_later_are_the_same_numbers(
    found: list[tuple[int, float | str]], days: int
) -> None:
    # whole days in a zone whose clock is never changed: the grid lies the same
    series = series_from(found, unit=MMOL)
    moved = replace(series, times_ns=series.times_ns + days * 1440 * MINUTE)
    a, b = cgm(series), cgm(moved)
    assert numbers(a) == pytest.approx(numbers(b), nan_ok=True)
    assert (a.modd, a.mage) == pytest.approx((b.modd, b.mage), nan_ok=True)


@given(rows(), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_a_rise_of_every_value_lowers_no_high_and_raises_no_low(
    found: list[tuple[int, float | str]], tenths: int
) -> None:
    values = [(ns, v if isinstance(v, str) else v + tenths / 10) for ns, v in found]
    before, after = (cgm(series_from(each, unit=MMOL)).glycemia for each in (found, values))
    # sums of shares differ in their last bits
    below = [each.bands.very_low + each.bands.low for each in (before, after)]
    assert after.bands.very_low <= before.bands.very_low
    assert below[1] <= below[0] + 1e-9
    assert after.bands.very_high >= before.bands.very_high
    if not math.isnan(before.mean):
        assert after.mean == pytest.approx(before.mean + tenths / 10)
        assert after.lbgi <= before.lbgi + 1e-12
        assert after.hbgi >= before.hbgi - 1e-12


@given(st.lists(TENTHS, min_size=1, max_size=50), TENTHS)
@settings(max_examples=60, deadline=None)
def test_one_more_low_reading_lowers_no_share_of_lows(tenths: list[int], more: int) -> None:
    values = np.asarray(tenths) / 10
    longer = np.append(values, min(more, 38) / 10)
    before, after = bands(values, MMOL), bands(longer, MMOL)
    assert after.very_low + after.low >= before.very_low + before.low - 1e-9


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(90, 200)), min_size=2, max_size=30),
    st.integers(100, 120),
    st.integers(1, 40),
)
@settings(max_examples=120, deadline=None)
def test_a_wider_range_holds_no_less_time(
    found: list[tuple[int, int]], low: int, width: int
) -> None:
    from datetime import date, timedelta

    by_day = dict(found)
    days = [date(2026, 1, 1) + timedelta(days=each) for each in by_day]
    values = list(by_day.values())
    narrow = time_in_target(days, values, low=low, high=low + width)
    wide = time_in_target(days, values, low=low - 5, high=low + width + 5)
    assert math.isnan(narrow.percent) == math.isnan(wide.percent)
    if not math.isnan(narrow.percent):
        assert 0 <= narrow.percent <= wide.percent + 1e-9 <= 100 + 1e-6


def test_a_series_does_not_change_under_its_reader() -> None:
    series: Series = series_of([START], [5.0], unit=Unit.MMOL_PER_L, zone=SHANGHAI)
    with pytest.raises(ValueError, match="read-only"):
        series.values[0] = 6.0
