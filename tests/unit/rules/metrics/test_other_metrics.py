"""Resting heart rate, steps, sleep, weight and adherence: worked examples and their edges."""

import csv
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from rules.metrics.activity import steps
from rules.metrics.adherence import Supply, days_covered, doses_on_time, measuring
from rules.metrics.heart import heart_rate, resting_of_cuff
from rules.metrics.local_time import ns_of
from rules.metrics.sleep import sleep
from rules.metrics.weight import change, daily, other_person_days

MONDAY = date(2026, 11, 16)


def masks(n: int, *, still: int, asleep: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `still` minutes still and awake, the last `asleep` asleep."""
    places = np.arange(n)
    return (places < still) | (places >= n - asleep), places >= n - asleep


def test_resting_rate_is_the_fifth_percentile_of_waking_stillness() -> None:
    bpm = np.concatenate((np.linspace(60, 80, 100), np.full(500, 120.0), np.full(120, 52.0)))
    is_still, is_asleep = masks(720, still=100, asleep=120)
    found = heart_rate(bpm, is_still=is_still, is_asleep=is_asleep)
    assert found.resting == pytest.approx(61, abs=0.1)
    assert (found.night, found.awake_min, found.asleep_min) == (52, 100, 120)


@pytest.mark.parametrize(("minutes", "has"), [(59, False), (60, True)])
def test_a_rate_needs_an_hour_of_stillness(minutes: int, has: bool) -> None:
    is_still, is_asleep = masks(200, still=minutes, asleep=0)
    found = heart_rate(np.full(200, 70.0), is_still=is_still, is_asleep=is_asleep)
    assert (found.resting is not None) is has
    assert found.night is None


def test_a_cuff_s_resting_rate_is_its_mean_pulse() -> None:
    assert resting_of_cuff(np.asarray([60.0, 70.0])) == 65
    assert resting_of_cuff(np.empty(0)) is None


def test_a_day_of_no_step_is_a_band_not_worn() -> None:
    found = steps(np.asarray([1, 2, 3]), np.asarray([4000.0, 0.0, 8000.0]), goal=6000)
    assert (found.days, found.unworn, found.mean, found.at_goal) == (2, 1, 6000, 1)


def test_a_day_told_twice_counts_with_its_larger_total() -> None:
    found = steps(np.asarray([1, 1]), np.asarray([4000.0, 4500.0]))
    assert (found.days, found.most, found.at_goal) == (1, 4500, None)
    assert math.isnan(steps(np.empty(0, dtype=np.int64), np.empty(0)).mean)


def test_real_days_of_a_band_are_counted_with_those_not_worn(shared: Path) -> None:
    with (shared / "data" / "fitbit_daily_activity.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    unworn = 0
    for person in {row["Id"] for row in rows}:
        own = [row for row in rows if row["Id"] == person]
        days = [date.fromisoformat(row["ActivityDate"]).toordinal() for row in own]
        totals = [float(row["TotalSteps"]) for row in own]
        found = steps(np.asarray(days), np.asarray(totals))
        assert found.days + found.unworn == len(own)
        unworn += found.unworn
    # the data's description: 77 days of zero steps
    assert unworn == 77


def night(
    day: int, begun: str, hours: float, asleep_min: float, zone: str
) -> tuple[int, int, float]:
    hour, minute = map(int, begun.split(":"))
    at = datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(zone))
    return ns_of(at), ns_of(at.astimezone(UTC) + timedelta(hours=hours)), asleep_min


def of_nights(*nights: tuple[int, int, float], zone: str = "Asia/Shanghai"):  # type: ignore[no-untyped-def]
    begun, ended, asleep = zip(*nights, strict=True)
    return sleep(np.asarray(begun), np.asarray(ended), np.asarray(asleep), zone)


def test_a_bedtime_before_and_one_after_midnight_are_an_hour_apart() -> None:
    zone = "Asia/Shanghai"
    found = of_nights(night(16, "23:30", 8, 420, zone), night(18, "00:30", 8, 450, zone))
    assert (found.nights, found.asleep_min, found.bedtime_min) == (2, 435, 0)
    # SD of -30 and 30: 60 / sqrt(2)
    assert found.bedtime_sd_min == pytest.approx(60 / 2**0.5)
    assert found.midpoint_min == 240
    # 870 of 960 minutes
    assert found.efficiency_percent == pytest.approx(90.625)


def test_a_night_that_is_there_twice_is_one_night() -> None:
    one = night(16, "23:00", 8, 420, "Asia/Shanghai")
    found = of_nights(one, one)
    assert (found.nights, found.repeated) == (1, 1)
    assert math.isnan(found.bedtime_sd_min)


def test_no_night_tells_nothing() -> None:
    none = np.empty(0, dtype=np.int64)
    found = sleep(none, none, np.empty(0), "Asia/Shanghai")
    assert found.nights == 0
    assert math.isnan(found.asleep_min)


def test_a_day_s_weight_is_the_median_of_its_weighings() -> None:
    days, kg = daily(np.asarray([2, 1, 1, 1]), np.asarray([80.0, 82.0, 79.0, 81.0]))
    assert (days.tolist(), kg.tolist()) == ([1, 2], [81, 80])


@pytest.mark.parametrize(
    ("days", "kg", "change_kg"),
    [
        ([0, 3], [80.0, 82.1], 2.1),
        # two days further back is near enough, four are not
        ([0, 5], [80.0, 82.1], 2.1),
        ([0, 7], [80.0, 82.1], None),
        # too young
        ([1, 3], [80.0, 82.1], None),
        ([0], [80.0], None),
        ([], [], None),
    ],
)
def test_a_change_over_three_days_needs_a_weighing_then(
    days: list[int], kg: list[float], change_kg: float | None
) -> None:
    found = change(np.asarray(days, dtype=np.int64), np.asarray(kg), over_days=3)
    if change_kg is None:
        assert math.isnan(found.kg)
        assert found.from_day is None
    else:
        assert found.kg == pytest.approx(change_kg)
        assert found.percent == pytest.approx(100 * change_kg / 80)


def test_eight_kilograms_overnight_are_another_person() -> None:
    days = np.asarray([1, 2, 3, 9])
    assert other_person_days(days, np.asarray([80.0, 88.0, 79.9, 70.0])) == (3,)


@pytest.mark.parametrize(
    ("supplies", "covered"),
    [
        ([(0, 7)], 7),
        ([(0, 5)], 5),
        # an early refill is used after the first
        ([(0, 5), (3, 5)], 7),
        # a late one leaves a gap
        ([(0, 3), (5, 5)], 5),
        # what began before the window reaches into it
        ([(-3, 5)], 2),
        ([(6, 30)], 1),
        ([(7, 30)], 0),
        ([], 0),
    ],
)
def test_days_covered_of_a_week(supplies: list[tuple[int, int]], covered: int) -> None:
    found = days_covered(
        [Supply(day=MONDAY + timedelta(days=day), days=days) for day, days in supplies],
        first_day=MONDAY,
        last_day=MONDAY + timedelta(days=6),
    )
    assert (found.due, found.kept) == (7, covered)
    assert found.percent == pytest.approx(100 * covered / 7)


def at_min(*minutes: int) -> np.ndarray:
    return np.asarray([each * 60_000_000_000 for each in minutes], dtype=np.int64)


@pytest.mark.parametrize(
    ("taken", "kept"),
    [
        ((480, 1200), 2),
        # two hours before and after are on time, a minute more is not
        ((360, 1320), 2),
        ((359, 1321), 0),
        # two taps at one time are one dose
        ((480, 481), 1),
        ((), 0),
    ],
)
def test_a_dose_is_on_time_within_two_hours(taken: tuple[int, ...], kept: int) -> None:
    found = doses_on_time(at_min(480, 1200), at_min(*taken))
    assert (found.due, found.kept) == (2, kept)


def test_a_dose_that_the_doctor_paused_is_not_due() -> None:
    found = doses_on_time(at_min(480, 1200), at_min(480), paused=np.asarray([False, True]))
    assert (found.due, found.percent) == (1, 100)
    assert math.isnan(doses_on_time(at_min(), at_min()).percent)


def test_a_session_counts_once_however_often_it_was_measured() -> None:
    found = measuring(np.asarray([2, 2, 2, 0]), np.asarray([2, 4, 1, 3]))
    assert (found.due, found.kept) == (3, 2.5)


def test_nothing_planned_has_no_share() -> None:
    assert math.isnan(measuring(np.asarray([]), np.asarray([])).percent)
