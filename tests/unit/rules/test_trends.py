"""Slope and test against their libraries, on a real drifting cuff and on what cannot be a trend."""

import csv
import statistics
from datetime import datetime
from pathlib import Path

import numpy as np
import pymannkendall
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes

from rules.trends import mann_kendall_p, slope, trend


@given(st.lists(st.integers(80, 220), min_size=3, max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_slope_is_theil_and_sens(values: list[int]) -> None:
    days = list(range(len(values)))
    assert slope(days, values) == pytest.approx(theilslopes(values, days).slope)


def test_gaps_between_days_count() -> None:
    assert slope([0, 10, 20], [100, 105, 110]) == pytest.approx(0.5)


def test_one_wild_value_moves_neither_slope_nor_test() -> None:
    values = [120.0 + (day % 2) for day in range(28)]
    values[20] = 210
    assert abs(slope(range(28), values)) < 0.1
    assert mann_kendall_p(values) > 0.05


def test_equal_values_and_two_days_are_no_trend() -> None:
    assert mann_kendall_p([120.0] * 10) == 1.0
    assert mann_kendall_p([120.0, 140.0]) == 1.0


def test_a_real_home_cuff_rises_as_its_reference_says(shared: Path) -> None:
    days: dict[int, list[int]] = {}
    with (shared / "data" / "bp_home_jhs.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = datetime.fromisoformat(row["time"]).date().toordinal()
            days.setdefault(day, []).append(int(row["sbp"]))
    values = [statistics.median(found) for _, found in sorted(days.items())]
    found = trend(sorted(days), values)
    # about +2 mmHg in 30 days
    assert found.slope_per_day * 30 == pytest.approx(2.3, abs=0.5)
    assert pymannkendall.original_test(values).p < 0.05


def test_neighbours_that_resemble_each_other_are_corrected_for() -> None:
    rng = np.random.default_rng(11)
    noise = [0.0]
    for _ in range(27):
        noise.append(0.8 * noise[-1] + rng.normal())
    assert mann_kendall_p(noise) > pymannkendall.original_test(noise).p


def test_a_perfect_line_is_a_trend() -> None:
    assert mann_kendall_p([120.0 + day for day in range(28)]) < 0.001
