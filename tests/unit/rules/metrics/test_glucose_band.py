"""Bands of glucose: every edge in both units, and the traps between them."""

from dataclasses import astuple

import numpy as np
import pytest

from rules.metrics.glucose_band import (
    HIGH,
    LOW,
    TIGHT_HIGH,
    VERY_HIGH,
    VERY_LOW,
    bands,
    tight_range,
)
from vitals.errors import MendData
from vitals.units import Unit

MMOL, MG = Unit.MMOL_PER_L, Unit.MG_PER_DL


@pytest.mark.parametrize(
    ("value", "unit", "band"),
    [
        (2.9, MMOL, "very_low"),
        # 3.0 * 18 = 54: level 1, not 2
        (3.0, MMOL, "low"),
        (3.8, MMOL, "low"),
        # 3.9 * 18 = 70.2: in range either way
        (3.9, MMOL, "in_range"),
        # 10.0 * 18.0156 = 180.16 > 180: still in range, because 10.0 is compared in mmol/L
        (10.0, MMOL, "in_range"),
        (10.1, MMOL, "high"),
        # 13.9 * 18 = 250.2 > 250: high by its own unit, not very high
        (13.9, MMOL, "high"),
        (14.0, MMOL, "very_high"),
        (53, MG, "very_low"),
        (54, MG, "low"),
        (69, MG, "low"),
        (70, MG, "in_range"),
        (180, MG, "in_range"),
        (181, MG, "high"),
        (250, MG, "high"),
        (251, MG, "very_high"),
    ],
)
def test_a_value_stands_in_one_band_of_its_own_unit(value: float, unit: Unit, band: str) -> None:
    share = bands(np.asarray([float(value)]), unit)
    assert getattr(share, band) == 100
    assert sum(astuple(share)) == 100


@pytest.mark.parametrize(
    ("value", "unit", "percent"),
    [(3.8, MMOL, 0), (3.9, MMOL, 100), (7.8, MMOL, 100), (7.9, MMOL, 0), (140, MG, 100)],
)
def test_the_tight_range_includes_both_its_ends(value: float, unit: Unit, percent: float) -> None:
    assert tight_range(np.asarray([float(value)]), unit) == percent


def test_cut_points_are_the_published_pairs_and_none_is_derived_from_the_other() -> None:
    pairs = [(each.mmol_per_l, each.mg_per_dl) for each in (VERY_LOW, LOW, HIGH, VERY_HIGH)]
    assert pairs == [(3.0, 54), (3.9, 70), (10.0, 180), (13.9, 250)]
    # 13.9 * 18 = 250.2 and 3.9 * 18.0156 = 70.26: a derived pair would differ
    assert VERY_HIGH.in_unit(MMOL) * 18 != VERY_HIGH.in_unit(MG)
    assert (TIGHT_HIGH.in_unit(MMOL), TIGHT_HIGH.in_unit(MG)) == (7.8, 140)


def test_another_unit_is_refused() -> None:
    with pytest.raises(MendData, match="accepted: mmol/L, mg/dL"):
        bands(np.asarray([5.0]), Unit.KPA)


def test_no_reading_has_no_shares() -> None:
    assert np.isnan(astuple(bands(np.empty(0), MG))).all()
