"""Metrics of glucose, against R iglu and at the edges of every band."""

import csv
import json
import math
from datetime import datetime
from pathlib import Path

import pytest

from rules.glycemia import Slot, bands, glycemia, slot_of, wilson
from vitals.errors import MendData
from vitals.measurement import Meal
from vitals.units import Unit

MMOL, MG = Unit.MMOL_PER_L, Unit.MG_PER_DL


@pytest.fixture(scope="module")
def subjects(shared: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    with (shared / "data" / "cgm_iglu_subjects_1_3.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["id"], []).append(float(row["gl"]))
    return found


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, list[dict[str, float]]]:
    text = (shared / "data" / "reference_metrics.json").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, float]]] = json.loads(text)["iglu_subjects_1_3"]
    return found


# our field -> iglu's function and column
SAME = {
    "mean": ("mean_glu", "mean"),
    "sd": ("sd_glu", "SD"),
    "cv": ("cv_glu", "CV"),
    "gmi": ("gmi", "GMI"),
    "ea1c": ("ea1c", "eA1C"),
    "lbgi": ("lbgi", "LBGI"),
    "hbgi": ("hbgi", "HBGI"),
    "gri": ("gri", "GRI"),
    "j_index": ("j_index", "J_index"),
}


@pytest.mark.parametrize("field", SAME)
def test_a_metric_agrees_with_r_iglu(
    field: str, subjects: dict[str, list[float]], published: dict[str, list[dict[str, float]]]
) -> None:
    function, column = SAME[field]
    for row in published[function]:
        ours = getattr(glycemia(subjects[str(row["id"])], MG), field)
        assert ours == pytest.approx(row[column], abs=1e-6)


def test_shares_agree_with_r_iglu(
    subjects: dict[str, list[float]], published: dict[str, list[dict[str, float]]]
) -> None:
    for number, (name, values) in enumerate(subjects.items()):
        share = glycemia(values, MG).bands
        below, above = published["below_percent"][number], published["above_percent"][number]
        assert below["id"] == name
        assert share.in_range == pytest.approx(
            published["in_range_percent"][number]["in_range_70_180"], abs=1e-6
        )
        assert share.very_low == pytest.approx(below["below_54"], abs=1e-6)
        assert share.very_low + share.low == pytest.approx(below["below_70"], abs=1e-6)
        assert share.very_high == pytest.approx(above["above_250"], abs=1e-6)
        assert share.high + share.very_high == pytest.approx(above["above_180"], abs=1e-6)


@pytest.mark.parametrize(
    ("value", "unit", "band"),
    [
        (2.9, MMOL, "very_low"),
        (3.0, MMOL, "low"),
        (3.8, MMOL, "low"),
        (3.9, MMOL, "in_range"),
        # 10.0 * 18.0156 = 180.16: still in range, because 10.0 is compared in mmol/L
        (10.0, MMOL, "in_range"),
        (10.1, MMOL, "high"),
        # 13.9 * 18 = 250.2 > 250: level 1 by its own unit
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
    share = glycemia([value], unit).bands
    assert getattr(share, band) == 100
    assert sum(getattr(share, each) for each in share.__dataclass_fields__) == 100


def test_the_same_person_in_both_units_has_the_same_metrics() -> None:
    mmol = [3.4, 5.6, 7.8, 11.2, 14.4]
    a, b = glycemia(mmol, MMOL), glycemia([each * 18 for each in mmol], MG)
    assert a.mean * 18 == pytest.approx(b.mean)
    for field in ("cv", "gmi", "ea1c", "lbgi", "hbgi", "gri", "j_index"):
        assert getattr(a, field) == pytest.approx(getattr(b, field))


def test_one_value_has_no_spread_and_none_has_no_metrics() -> None:
    assert math.isnan(glycemia([100], MG).sd)
    with pytest.raises(MendData, match="No glucose values"):
        glycemia([], MG)
    with pytest.raises(MendData, match="accepted: mmol/L, mg/dL"):
        bands(glycemia_values(), Unit.KPA)


def glycemia_values():  # type: ignore[no-untyped-def]
    import numpy as np

    return np.asarray([5.0])


@pytest.mark.parametrize(
    ("meal", "clock", "slot"),
    [
        (Meal.FASTING, "06:30", Slot.FASTING),
        (Meal.PREPRANDIAL, "07:00", Slot.FASTING),
        (Meal.PREPRANDIAL, "10:29", Slot.FASTING),
        (Meal.PREPRANDIAL, "10:30", Slot.BEFORE_LUNCH),
        (Meal.PREPRANDIAL, "18:00", Slot.BEFORE_DINNER),
        (Meal.POSTPRANDIAL, "09:30", Slot.AFTER_BREAKFAST),
        (Meal.POSTPRANDIAL, "14:00", Slot.AFTER_LUNCH),
        (Meal.POSTPRANDIAL, "20:00", Slot.AFTER_DINNER),
        (Meal.BEDTIME, "22:30", Slot.BEDTIME),
        (None, "03:10", Slot.NIGHT),
        (None, "05:00", Slot.UNMARKED),
        (Meal.CASUAL, "13:00", Slot.UNMARKED),
    ],
)
def test_a_finger_stick_finds_its_slot(meal: Meal | None, clock: str, slot: Slot) -> None:
    at = datetime.strptime(clock, "%H:%M")  # noqa: DTZ007 - only the hour is wanted
    assert slot_of(meal, at.hour + at.minute / 60) is slot


def test_wilson_interval_of_published_example() -> None:
    # 8 of 10: 0.4902 to 0.9433 (Brown, Cai and DasGupta 2001, Wilson interval)
    share = wilson(8, 10)
    assert (share.low, share.high) == (
        pytest.approx(0.4902, abs=1e-4),
        pytest.approx(0.9433, abs=1e-4),
    )
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert wilson(0, 7).low == pytest.approx(0.0, abs=1e-12)
