"""Day-to-day differences and excursions: worked examples, gaps, a day of 25 hours."""

import math
from datetime import datetime

import numpy as np
import pytest
from series_builders import every

from rules.metrics.grid import grid
from rules.metrics.variability import mage, modd

A_DAY = 288


def two_days(second: float) -> list[float]:
    return [100.0] * A_DAY + [second] * A_DAY


def test_modd_is_the_mean_difference_to_the_day_before() -> None:
    assert modd(grid(every(5, two_days(130)), 5)) == pytest.approx(30)


def test_a_day_alone_has_no_day_before() -> None:
    assert math.isnan(modd(grid(every(5, [100.0] * A_DAY), 5)))


def test_a_gap_of_more_than_45_minutes_is_in_no_difference() -> None:
    values: list[float | None] = [*two_days(130)]
    # from one reading to the next 45 minutes: drawn through; 50 minutes: a gap
    drawn, gap = list(values), list(values)
    drawn[300:308] = [None] * 8
    gap[300:309] = [None] * 9
    assert np.isnan(grid(every(5, drawn), 5).values).sum() == 0
    assert np.isnan(grid(every(5, gap), 5).values).sum() == 9
    assert modd(grid(every(5, gap), 5)) == pytest.approx(30)


def test_on_the_day_of_25_hours_the_day_before_is_24_hours_ago() -> None:
    # Berlin, 2026-10-25: two days of five-minute values from midnight on
    midnight = datetime(2026, 10, 25)  # noqa: DTZ001 - a wall clock
    found = every(5, two_days(130), start=midnight, zone="Europe/Berlin")
    assert modd(grid(found, 5)) == pytest.approx(30)


def swings(heights: list[float], *, each_min: int = 240, base: float = 100) -> list[float]:
    """Waves of four hours, up by these heights and back."""
    points = each_min // 5
    wave = [(1 - math.cos(2 * math.pi * n / points)) / 2 for n in range(points)]
    return [base + height * share for height in heights for share in wave]


def test_equal_waves_have_their_height_as_amplitude() -> None:
    assert mage(grid(every(5, swings([80] * 8)), 5)) == pytest.approx(80, abs=0.5)


def test_waves_below_one_sd_do_not_count() -> None:
    with_ripples = swings([100, 5, 5, 100, 5, 5, 100, 5, 5, 100])
    assert mage(grid(every(5, with_ripples), 5)) == pytest.approx(100, abs=1)


def test_a_flat_line_has_no_excursion() -> None:
    assert math.isnan(mage(grid(every(5, [120.0] * 500), 5)))


def test_a_gap_of_three_hours_parts_the_series_and_pieces_weigh_by_their_length() -> None:
    long, short = swings([60] * 12), swings([120] * 6)
    parted = [*long, *[None] * 40, *short]
    low, high = (mage(grid(every(5, each), 5)) for each in (long, short))
    n, m = len(long) - 1, len(short) - 1
    assert mage(grid(every(5, parted), 5)) == pytest.approx((low * n + high * m) / (n + m), abs=2)


def test_a_piece_shorter_than_the_long_average_has_no_amplitude() -> None:
    assert math.isnan(mage(grid(every(5, [60.0, 250.0] * 15), 5)))
    assert math.isnan(mage(grid(every(5, []), 5)))


def test_lo_is_no_peak() -> None:
    values: list[float | str] = [*swings([80] * 8)]
    values[100] = "LO"
    assert mage(grid(every(5, values), 5)) == pytest.approx(80, abs=0.5)
