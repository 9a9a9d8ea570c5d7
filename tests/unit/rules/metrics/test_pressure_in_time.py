"""Time in target range and dipping: worked examples and the bp package's published dips."""

import csv
import json
import math
from datetime import date, timedelta
from pathlib import Path

import pytest

from rules.metrics.dipping import DipClass, dip, dip_class
from rules.metrics.target_range import HOME_RANGE, time_in_target

MONDAY = date(2026, 11, 16)


def ttr(*values: tuple[int, float]) -> float:
    """Per cent in 110-135 of (day after Monday, mmHg)."""
    days = [MONDAY + timedelta(days=day) for day, _ in values]
    found = time_in_target(days, [value for _, value in values], low=110, high=135)
    return found.percent


@pytest.mark.parametrize(
    ("values", "percent"),
    [
        # 120 to 140 in two days: out from 135 on, a quarter of the way before the end
        ([(0, 120), (2, 140)], 75),
        ([(0, 120), (1, 130)], 100),
        ([(0, 140), (1, 150)], 0),
        # through the whole range: 25 of 50 mmHg
        ([(0, 100), (5, 150)], 50),
        # the limits belong to the range
        ([(0, 135), (1, 135)], 100),
        ([(0, 135.1), (1, 135.1)], 0),
        # a line of three days weighs three times that of one
        ([(0, 120), (1, 120), (4, 150)], 100 * (1 + 3 * 0.5) / 4),
        # order of the rows does not matter
        ([(2, 140), (0, 120)], 75),
    ],
)
def test_time_in_target_is_that_of_the_line_between_days(
    values: list[tuple[int, float]], percent: float
) -> None:
    assert ttr(*values) == pytest.approx(percent)


def test_no_line_is_drawn_across_more_than_fourteen_days() -> None:
    assert ttr((0, 120), (14, 120)) == 100
    assert math.isnan(ttr((0, 120), (15, 120)))
    days = [MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=20)]
    found = time_in_target(days, [120, 120, 200], low=110, high=135)
    assert (found.percent, found.days, found.breaks) == (100, 1, 1)


def test_one_day_or_none_has_no_time() -> None:
    assert math.isnan(ttr((0, 120)))
    assert math.isnan(time_in_target([], [], low=110, high=135).percent)
    assert HOME_RANGE == (110, 135)


@pytest.mark.parametrize(
    ("fall", "is_"),
    [
        (-0.01, DipClass.REVERSE),
        (0.0, DipClass.REVERSE),
        (0.001, DipClass.NON_DIPPER),
        (0.0999, DipClass.NON_DIPPER),
        (0.1, DipClass.DIPPER),
        (0.2, DipClass.DIPPER),
        (0.2001, DipClass.EXTREME),
    ],
)
def test_a_dip_has_one_class(fall: float, is_: DipClass) -> None:
    assert dip_class(fall) is is_


def test_a_night_without_a_day_has_no_dip() -> None:
    assert dip([], [120]).dip_class is None
    assert dip([120, 120], [102, 102]).dip == pytest.approx(0.15)


# R's bp package sets diastolic values outside of 40-140 mmHg to missing before it counts
_SCREEN = (40, 140)


def test_dips_of_real_nights_agree_with_the_bp_package(shared: Path) -> None:
    rows: dict[tuple[int, int], list[dict[str, str]]] = {}
    with (shared / "data" / "bp_abpm_hypnos.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows.setdefault((int(float(row["id"])), int(float(row["visit"]))), []).append(row)
    text = (shared / "data" / "reference_metrics.json").read_text("utf-8")
    published = json.loads(text)["bp_package"]["published"]["dip"]
    assert len(published) == 4
    for wanted in published:
        there = rows[wanted["id"], wanted["visit"]]
        for column, number, name in (
            ("sbp", "dip_sys", "class_sys"),
            ("dbp", "dip_dias", "class_dias"),
        ):
            day, night = (
                [
                    float(row[column])
                    for row in there
                    if float(row["wake"]) == wake
                    and (column == "sbp" or _SCREEN[0] <= float(row["dbp"]) <= _SCREEN[1])
                ]
                for wake in (1, 0)
            )
            found = dip(day, night)
            # published with three significant digits: equal to half of the last of them
            digits = 3 - 1 - math.floor(math.log10(abs(wanted[number])))
            assert found.dip == pytest.approx(wanted[number], abs=0.5001 * 10**-digits), wanted
            assert found.dip_class is not None
            assert found.dip_class.value == wanted[name], wanted
