"""Metrics of CSV files: against R iglu, by group, with faults named by line."""

import json
from pathlib import Path
from typing import Any

import pytest

from rules.metrics_file import Source, bp_metrics_of_file, glucose_metrics_of_file
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
    "j_index": ("j_index", "J_index"),
    "modd": ("modd", "MODD"),
    "mage": ("mage", "MAGE"),
    "active_percent": ("active_percent", "active_percent"),
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
    for row in published["iglu_subjects_1_3"]["episode_calculation"]:
        ours = next(
            each
            for each in found[row["id"]]["episodes"]
            if (each["type"], each["level"]) == (row["type"], row["level"])
        )
        for key in ("avg_ep_per_day", "avg_ep_duration", "avg_ep_gl", "total_episodes"):
            assert ours[key] == (None if row[key] is None else pytest.approx(row[key], abs=1e-6)), (
                key
            )


def test_a_real_home_cuff_file_is_summed_up(shared: Path) -> None:
    found = bp_metrics_of_file(
        shared / "data" / "bp_home_jhs.csv",
        time_column="time",
        systolic_column="sbp",
        diastolic_column="dbp",
        pulse_column="pulse",
        timezone="UTC",
    )["all"]
    assert found["n"] == found["systolic"]["n"] == found["pulse"]["n"] == 165
    assert (found["block"]["protocol"], found["block"]["standing"]) == ("CN2025", "valid")
    assert 0 <= found["ttr"] <= 100
    assert found["not_used"] == []
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
        (["when,value", "2026-11-22 07:00,much"], r"readings.csv:2: 'much' in value is not"),
        (["when,value", "2026-11-22 07:00,5", "2026-11-32 07:05,5"], r"readings.csv:3: '2026"),
        (["when,value", "2026-11-22 07:00,123"], "cannot be mmol/L. Say --unit mg/dL"),
        (["when,value", "yesterday,5.6"], r"readings.csv:2: 'yesterday' is no time"),
        (["when,value"], "holds no value in value \\(no row\\)"),
        (["when,value", "2026-11-22 07:00,"], "holds no value in value \\(no value\\)"),
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


def test_lo_and_hi_are_counted_and_enter_no_mean(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "when,value",
        "2026-11-22 07:00,LO",
        "2026-11-22 07:05,6.0",
        "2026-11-22 07:10,High",
        "2026-11-22 07:15,>27.8",
    )
    found = glucose(path)["all"]
    assert (found["n"], found["n_low"], found["n_high"], found["mean"]) == (4, 1, 2, 6.0)
    assert (found["below_54"], found["above_250"]) == (25, 50)
    chosen = glucose_metrics_of_file(
        path,
        timezone=SHANGHAI,
        time_column="when",
        value_column="value",
        unit=Unit.MMOL_PER_L,
        low_as=2.0,
        high_as=28.0,
    )["all"]
    assert chosen["mean"] == pytest.approx((2 + 6 + 28 + 28) / 4)
    assert (chosen["n_low"], chosen["n_high"]) == (1, 2)


def test_what_was_not_used_is_told_with_reason_and_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "when,value",
        "2026-11-22 07:00,5.6",
        "2026-11-22 07:05,",
        "2026-11-22 07:10,-",
        "2026-11-22 07:15,2044.8",
        "2026-11-22 07:00,5.6",
        "2026-11-22 07:20,6.0",
    )
    found = glucose(path)["all"]
    assert found["n"] == 2
    assert found["not_used"] == [
        {"why": "no value", "rows": 2, "lines": [3, 4]},
        {"why": "no glucose that a device could show (2044.8 mmol/L)", "rows": 1, "lines": [5]},
        {"why": "said again", "rows": 1, "lines": []},
    ]


def test_a_group_of_which_nothing_could_be_used_is_told_too(tmp_path: Path) -> None:
    path = written(tmp_path, "id,time,gl", "a,2026-11-22 07:00,100", "b,2026-11-22 07:00,")
    found = glucose_metrics_of_file(path, group_column="id", timezone=SHANGHAI)
    assert (found["a"]["n"], found["b"]["n"], found["b"]["mean"]) == (1, 0, None)
    assert found["b"]["not_used"] == [{"why": "no value", "rows": 1, "lines": [3]}]


def test_finger_sticks_have_no_time_in_range_and_no_gmi(tmp_path: Path) -> None:
    lines = [
        f"2026-11-{day} {clock},{value}"
        for day in range(10, 15)
        for clock, value in (("03:10", 3.5), ("07:00", 6.0), ("12:00", 11.0), ("22:00", 7.5))
    ]
    found = glucose(written(tmp_path, "when,value", *lines, "2026-11-15 07:00,LO"))["all"]
    assert found["source"] == "smbg"
    assert (found["tir"], found["gmi"], found["ea1c"]) == (None, None, None)
    assert (found["n"], found["n_below_70"], found["n_below_54"], found["n_low"]) == (21, 6, 1, 1)
    assert (found["in_target"]["k"], found["in_target"]["n"]) == (10, 21)
    assert found["in_target"]["low"] < 47.7 < found["in_target"]["high"]
    assert found["slots"]["night"]["n"] == 5


def test_who_knows_better_says_what_measured(tmp_path: Path) -> None:
    path = written(tmp_path, "when,value", "2026-11-22 07:00,5.0", "2026-11-22 12:00,11.0")
    columns = {"time_column": "when", "value_column": "value", "unit": Unit.MMOL_PER_L}
    told = glucose_metrics_of_file(path, timezone=SHANGHAI, source=Source.CGM, **columns)  # type: ignore[arg-type]
    assert told["all"]["tir"] == 50


def test_kilopascal_is_told_in_mmhg_and_a_low_above_a_high_is_no_reading(tmp_path: Path) -> None:
    path = written(
        tmp_path, "time,sys,dia", "2026-11-22 07:00,16.0,10.7", "2026-11-22 19:00,10.0,10.7"
    )
    found = bp_metrics_of_file(path, timezone=SHANGHAI, unit=Unit.KPA)["all"]
    # 16.0 kPa * 7.50062 = 120.0
    assert found["systolic"]["mean"] == pytest.approx(120.01, abs=0.01)
    assert found["not_used"] == [{"why": "systolic not above diastolic", "rows": 1, "lines": [3]}]


@pytest.mark.parametrize(("protocol", "n"), [("CN2025", 8), ("NICE", 4)])
def test_a_block_is_that_of_the_protocol_asked_for(tmp_path: Path, protocol: str, n: int) -> None:
    rows = [
        f"2026-11-{day} {clock},130,80"
        for day in (20, 21)
        for clock in ("07:00", "07:01", "20:00", "20:01")
    ]
    path = written(tmp_path, "time,sbp,dbp", *rows)
    found = bp_metrics_of_file(path, timezone=SHANGHAI, protocol=protocol)["all"]
    assert (found["block"]["protocol"], found["block"]["n"]) == (protocol, n)
    with pytest.raises(MendData, match="there are: CN2025, CN2019, NICE, TW722"):
        bp_metrics_of_file(path, timezone=SHANGHAI, protocol="WHO")


def test_a_pulse_that_cannot_be_costs_no_pressure(tmp_path: Path) -> None:
    path = written(
        tmp_path, "time,sbp,dbp,pulse", "2026-11-22 07:00,130,80,999", "2026-11-22 07:01,132,82,70"
    )
    found = bp_metrics_of_file(path, timezone=SHANGHAI)["all"]
    assert (found["n"], found["pulse"]["n"]) == (2, 1)
    assert found["not_used"] == [
        {
            "why": "no pulse that a device could show (999 /min); the pressures are used",
            "rows": 1,
            "lines": [2],
        }
    ]
