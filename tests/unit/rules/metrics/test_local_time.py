"""Many moments on a wall clock: as zoneinfo has it, on every kind of day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.metrics.local_time import (
    date_of,
    day_numbers,
    local_ns,
    minutes_of_day,
    moment_of,
    ns_of,
)

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",
    "Pacific/Apia",  # skipped a whole day in 2011
    "Africa/Casablanca",  # goes back for Ramadan
    "UTC",
)


@given(
    zone=st.sampled_from(ZONES),
    seconds=st.lists(st.integers(1_262_304_000, 1_893_456_000), min_size=1, max_size=20),
)
@settings(max_examples=200, deadline=None)
def test_it_shows_what_zoneinfo_shows(zone: str, seconds: list[int]) -> None:
    times = np.asarray(sorted(seconds), dtype=np.int64) * 1_000_000_000
    shown = local_ns(times, zone) // 1_000_000_000
    for second, there in zip(sorted(seconds), shown, strict=True):
        wall = datetime.fromtimestamp(second, tz=ZoneInfo(zone)).replace(tzinfo=UTC)
        assert int(wall.timestamp()) == there


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Asia/Shanghai", date(2026, 10, 25), 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_says(zone: str, day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    around = [ns_of(noon + timedelta(minutes=n)) for n in range(-1440, 1440)]
    numbers = day_numbers(np.asarray(around, dtype=np.int64), zone)
    found = [date_of(number) for number in numbers]
    assert found.count(day) == hours * 60


def test_a_moment_and_its_nanoseconds_are_one() -> None:
    at = datetime(2026, 11, 22, 7, 30, 1, 250_000, tzinfo=UTC)
    assert moment_of(ns_of(at)) == at
    assert (
        minutes_of_day(np.asarray([ns_of(at)], dtype=np.int64), "Asia/Shanghai")[0] == 15 * 60 + 30
    )


def test_no_moment_shows_nothing() -> None:
    assert len(local_ns(np.empty(0, dtype=np.int64), "Asia/Shanghai")) == 0
