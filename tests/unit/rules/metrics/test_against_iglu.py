"""Every metric of continuous glucose against R iglu 4.3.0, on three people, to 1e-6."""

import csv
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.metrics.cgm import Cgm, cgm
from rules.metrics.local_time import ns_of
from rules.metrics.series import series_of
from vitals.units import Unit

# the zone in which R read the file (reference_metrics.json, config)
ZONE = "Asia/Jerusalem"
PEOPLE = ("Subject 1", "Subject 2", "Subject 3")


@pytest.fixture(scope="module")
def ours(shared: Path) -> dict[str, Cgm]:
    rows: dict[str, list[tuple[int, float]]] = {}
    with (shared / "data" / "cgm_iglu_subjects_1_3.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["time"]).replace(tzinfo=ZoneInfo(ZONE))
            rows.setdefault(row["id"], []).append((ns_of(at), float(row["gl"])))
    return {
        name: cgm(
            series_of(
                [ns for ns, _ in found],
                [value for _, value in found],
                unit=Unit.MG_PER_DL,
                zone=ZONE,
            )
        )
        for name, found in rows.items()
    }


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, list[dict[str, Any]]]:
    text = (shared / "data" / "reference_metrics.json").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = json.loads(text)["iglu_subjects_1_3"]
    return found


# iglu's function and column -> ours
SAME = {
    ("mean_glu", "mean"): lambda c: c.glycemia.mean,
    ("sd_glu", "SD"): lambda c: c.glycemia.sd,
    ("cv_glu", "CV"): lambda c: c.glycemia.cv,
    ("median_glu", "median"): lambda c: c.glycemia.median,
    ("quantile_glu", "25"): lambda c: c.glycemia.quartiles[0],
    ("quantile_glu", "75"): lambda c: c.glycemia.quartiles[1],
    ("gmi", "GMI"): lambda c: c.glycemia.gmi,
    ("ea1c", "eA1C"): lambda c: c.glycemia.ea1c,
    ("in_range_percent", "in_range_70_180"): lambda c: c.glycemia.bands.in_range,
    ("below_percent", "below_54"): lambda c: c.glycemia.bands.very_low,
    ("below_percent", "below_70"): lambda c: c.glycemia.bands.very_low + c.glycemia.bands.low,
    ("above_percent", "above_180"): lambda c: c.glycemia.bands.high + c.glycemia.bands.very_high,
    ("above_percent", "above_250"): lambda c: c.glycemia.bands.very_high,
    ("lbgi", "LBGI"): lambda c: c.glycemia.lbgi,
    ("hbgi", "HBGI"): lambda c: c.glycemia.hbgi,
    ("gri", "GRI"): lambda c: c.glycemia.gri,
    ("j_index", "J_index"): lambda c: c.glycemia.j_index,
    ("modd", "MODD"): lambda c: c.modd,
    ("mage", "MAGE"): lambda c: c.mage,
    ("active_percent", "active_percent"): lambda c: c.sufficiency.active_percent,
    ("active_percent", "ndays"): lambda c: round(c.sufficiency.days, 1),
}


@pytest.mark.parametrize(("function", "column"), SAME)
def test_a_metric_agrees_with_r_iglu(
    function: str,
    column: str,
    ours: dict[str, Cgm],
    published: dict[str, list[dict[str, Any]]],
) -> None:
    assert [row["id"] for row in published[function]] == list(PEOPLE)
    for row in published[function]:
        found = SAME[function, column](ours[row["id"]])
        assert found == pytest.approx(row[column], abs=1e-6), row["id"]


def test_every_level_of_episodes_agrees_with_r_iglu(
    ours: dict[str, Cgm], published: dict[str, list[dict[str, Any]]]
) -> None:
    rows = published["episode_calculation"]
    assert len(rows) == 7 * len(PEOPLE)
    for row in rows:
        tally = next(
            each
            for each in ours[row["id"]].episodes.tallies
            if each.level.value == row["level"] and each.is_low == (row["type"] == "hypo")
        )
        where = (row["id"], row["type"], row["level"])
        assert len(tally.episodes) == row["total_episodes"], where
        assert tally.per_day == pytest.approx(row["avg_ep_per_day"], abs=1e-6), where
        assert tally.minutes == pytest.approx(row["avg_ep_duration"], abs=1e-6), where
        if row["avg_ep_gl"] is None:
            assert math.isnan(tally.mean), where
        else:
            assert tally.mean == pytest.approx(row["avg_ep_gl"], abs=1e-6), where


def test_these_people_are_counted_by_readings_as_r_does(ours: dict[str, Cgm]) -> None:
    assert [each.glycemia.by_time for each in ours.values()] == [False, False, False]
