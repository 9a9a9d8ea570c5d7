"""Metrics of home blood pressure: sessions, blocks, means, spread, control."""

import csv
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from rule_builders import SHANGHAI, history, points

from rules.history import CuffReading, cuff_readings
from rules.metrics.blood_pressure import (
    MORNING_H,
    control,
    day_means,
    in_hours,
    mean_arterial,
    sessions,
)
from rules.metrics.spread import spread


def cuff(*lines: str) -> list[CuffReading]:
    return cuff_readings(points(lines))


def test_readings_ten_minutes_apart_are_one_session_and_eleven_are_two() -> None:
    assert len(sessions(cuff("07:00 bp 130/80", "07:10 bp 132/82"))) == 1
    assert len(sessions(cuff("07:00 bp 130/80", "07:11 bp 132/82"))) == 2


def test_the_first_of_three_readings_is_left_out_of_the_session_mean() -> None:
    two = sessions(cuff("07:00 bp 140/90", "07:01 bp 130/80"))[0]
    three = sessions(cuff("07:00 bp 150/95", "07:01 bp 130/80", "07:02 bp 132/82"))[0]
    assert (two.systolic, two.diastolic) == (135, 85)
    assert (three.systolic, three.diastolic) == (131, 81)


@pytest.mark.parametrize(
    ("values", "n", "controlled"),
    [
        ("134.9/84.9", 1, 1),
        ("135/84", 1, 0),
        ("134/85", 1, 0),
        ("134.99/84.99", 1, 1),
    ],
)
def test_control_needs_both_pressures_below_the_line(values: str, n: int, controlled: int) -> None:
    found = control(sessions(cuff(f"07:00 bp {values}")))
    assert (found.sessions, found.controlled, found.loaded) == (n, controlled, n - controlled)


def test_no_session_has_no_rate() -> None:
    assert math.isnan(control([]).rate_percent)


def test_arv_is_the_mean_of_successive_differences() -> None:
    # 120 -> 130 -> 126: (10 + 4) / 2
    assert spread([120, 130, 126]).arv == 7
    # SV: sqrt((100 + 16) / 2)
    assert spread([120, 130, 126]).sv == pytest.approx(58**0.5)
    assert math.isnan(spread([120]).arv)
    assert math.isnan(spread([]).mean)


def test_a_day_with_many_readings_weighs_no_more_than_another() -> None:
    days = day_means(cuff("-1d 07:00 bp 120/80", "07:00 bp 140/90", "08:00 bp 140/90"), SHANGHAI)
    assert [(each.n, each.systolic) for each in days] == [(1, 120), (2, 140)]


def test_a_day_of_twenty_three_hours_is_one_day() -> None:
    # Berlin, 2026-03-29: the clock jumps from 02:00 to 03:00
    lines = ["00:30 bp 120/80", "03:30 bp 122/80", "23:30 bp 124/80"]
    found = history(lines, zone="Europe/Berlin", today=date(2026, 3, 29))
    days = day_means(found.cuff(), "Europe/Berlin")
    assert [(each.day, each.n) for each in days] == [(date(2026, 3, 29), 3)]
    assert found.points[-1].at - found.points[0].at == timedelta(hours=22)


def test_the_hour_that_comes_twice_belongs_to_its_own_day() -> None:
    # Berlin, 2026-10-25: 02:30 comes twice; both, and 23:30 of that day, are the 25th
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    late = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
    readings = [CuffReading(at=at, systolic=120, diastolic=80) for at in (*twice, late)]
    assert [each.n for each in day_means(readings, "Europe/Berlin")] == [3]


def test_morning_is_the_wall_clock_of_the_patient() -> None:
    readings = cuff("03:59 bp 120/80", "04:00 bp 121/80", "11:59 bp 122/80", "12:00 bp 123/80")
    assert [each.systolic for each in in_hours(readings, MORNING_H, SHANGHAI)] == [121, 122]


def test_means_of_a_real_ambulatory_record_agree_with_the_bp_package(shared: Path) -> None:
    # published in the README of R's bp package for these visits, three significant digits
    wanted = {
        ("70417.0", "1.0", "0.0"): (123, 60.5, 10),
        ("70417.0", "1.0", "1.0"): (128, 66.6, 20),
    }
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    with (shared / "data" / "bp_abpm_hypnos.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = (row["id"], row["visit"], row["wake"])
            found.setdefault(key, []).append((float(row["sbp"]), float(row["dbp"])))
    for key, (systolic, diastolic, n) in wanted.items():
        assert len(found[key]) == n
        assert spread([s for s, _ in found[key]]).mean == pytest.approx(systolic, abs=0.5)
        assert spread([d for _, d in found[key]]).mean == pytest.approx(diastolic, abs=0.05)


def test_mean_pressure_without_the_cuff_s_own_is_a_third_of_the_way_up() -> None:
    # 120/90: (120 + 180) / 3
    assert mean_arterial(120, 90) == 100
    assert day_means(cuff("07:00 bp 130/85"), SHANGHAI)[0].pulse_pressure == 45
