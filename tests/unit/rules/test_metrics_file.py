"""Metrics of CSV files: against R iglu, by group, with faults named by line."""

import json
from pathlib import Path
from typing import Any

import pytest

from rules.metrics_file import bp_metrics_of_file, glucose_metrics_of_file
from vitals.errors import MendData
from vitals.units import Unit

SHANGHAI = "Asia/Shanghai"
KEYS = {
    "mean": ("mean_glu", "mean"),
    "sd": ("sd_glu", "SD"),
    "cv": ("cv_glu", "CV"),
    "gmi": ("gmi", "GMI"),
    "ea1c": ("ea1c", "eA1C"),
    "tir": ("in_range_percent", "in_range_70_180"),
    "below_54": ("below_percent", "below_54"),
    "below_70": ("below_percent", "below_70"),
    "above_180": ("above_percent", "above_180"),
    "above_250": ("above_percent", "above_250"),
    "lbgi": ("lbgi", "LBGI"),
    "hbgi": ("hbgi", "HBGI"),
    "gri": ("gri", "GRI"),
    "days": ("active_percent", "ndays"),
}


def test_a_file_of_three_people_agrees_with_r_iglu(shared: Path) -> None:
    found = glucose_metrics_of_file(
        shared / "data" / "cgm_iglu_subjects_1_3.csv",
        time_column="time",
        value_column="gl",
        group_column="id",
        unit=Unit.MG_PER_DL,
        timezone="Asia/Jerusalem",
    )
    published = json.loads((shared / "data" / "reference_metrics.json").read_text("utf-8"))
    assert list(found) == ["Subject 1", "Subject 2", "Subject 3"]
    for key, (function, column) in KEYS.items():
        for row in published["iglu_subjects_1_3"][function]:
            assert found[row["id"]][key] == pytest.approx(row[column], abs=1e-6), key


def test_a_real_home_cuff_file_is_summed_up(shared: Path) -> None:
    found = bp_metrics_of_file(
        shared / "data" / "bp_home_jhs.csv",
        time_column="time",
        systolic_column="sbp",
        diastolic_column="dbp",
        pulse_column="pulse",
        timezone="UTC",
    )["all"]
    assert found["n"] == found["systolic"]["n"] == 165
    assert 100 < found["systolic"]["mean"] < 160
    assert found["control_rate"] + found["load"] == pytest.approx(100)
    assert found["morning"]["n"] + found["evening"]["n"] <= found["n"]


def written(folder: Path, *lines: str) -> Path:
    path = folder / "readings.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def glucose(path: Path, **others: Any) -> dict[str, dict[str, Any]]:
    return glucose_metrics_of_file(
        path,
        time_column="when",
        value_column="value",
        unit=others.get("unit", Unit.MMOL_PER_L),
        timezone=others.get("timezone", SHANGHAI),
    )


def test_values_are_told_and_judged_in_their_own_unit(tmp_path: Path) -> None:
    path = written(tmp_path, "when,value", "2026-11-22 07:00,10.0", "2026-11-22 07:05,3.9")
    found = glucose(path)["all"]
    assert (found["mean"], found["unit"], found["tir"]) == (6.95, "mmol/L", 100)


def test_an_empty_cell_is_no_value_and_one_value_has_no_spread(tmp_path: Path) -> None:
    path = written(tmp_path, "when,value", "2026-11-22 07:00,", "2026-11-22 07:05,5.6")
    found = glucose(path)["all"]
    assert (found["n"], found["sd"], found["cv"]) == (1, None, None)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["when,other", "2026-11-22 07:00,5"], "no column 'value'; it has: when, other"),
        (["when,value", "2026-11-22 07:00,high"], r"readings.csv:2: 'high' in value is not"),
        (["when,value", "yesterday,5.6"], r"readings.csv:2: 'yesterday' is no time"),
        (["when,value"], "holds no value"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, lines: list[str], says: str) -> None:
    with pytest.raises(MendData, match=says):
        glucose(written(tmp_path, *lines))


def test_a_zone_that_is_none_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    path = written(tmp_path, "when,value", "2026-11-22 07:00,5")
    with pytest.raises(MendData, match="Mars/Olympus"):
        glucose(path, timezone="Mars/Olympus")
    with pytest.raises(MendData, match="cannot be read"):
        glucose(tmp_path / "absent.csv")


def test_mornings_are_those_of_the_zone(tmp_path: Path) -> None:
    path = written(
        tmp_path, "when,s,d", "2026-11-22T23:00:00Z,130,80", "2026-11-22T12:00:00Z,140,90"
    )
    found = bp_metrics_of_file(
        path,
        time_column="when",
        systolic_column="s",
        diastolic_column="d",
        timezone=SHANGHAI,
    )["all"]
    # 23:00 UTC is 07:00 there, 12:00 UTC is 20:00
    assert (found["morning"]["systolic"], found["evening"]["systolic"]) == (130, 140)
    assert found["pulse"]["n"] == 0
    assert found["pulse"]["mean"] is None
