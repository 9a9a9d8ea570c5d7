"""A sensor's two weeks in the report: what is counted, over which days, and what is too little."""

from datetime import date, datetime, timedelta

import pytest
from report_builders import AS_OF, sensor_points, sensor_week_of, week
from rule_builders import every_day, local_moment

from rules.metrics.sufficiency import Standing
from rules.report.sensor_week import SensorWeek
from vitals.units import Unit


def found_in(points: tuple, as_of: datetime = AS_OF, **patient: str) -> SensorWeek:  # type: ignore[type-arg]
    found = sensor_week_of(points, as_of, **patient).sensor
    assert found is not None
    return found


def low_at(*moments: datetime, minutes: int = 30) -> object:
    def value(at: datetime) -> float:
        low = any(each <= at < each + timedelta(minutes=minutes) for each in moments)
        return 3.2 if low else 7.0

    return value


def test_finger_sticks_have_no_time_in_range() -> None:
    found = week(*every_day(["06:30 glucose 7.4 fasting", "21:00 glucose 9.9"], first=27))
    assert found.sensor is None
    assert found.glucose is not None


def test_a_sensors_values_are_in_no_table_of_finger_sticks() -> None:
    found = sensor_week_of(sensor_points())
    assert found.glucose is None
    assert found.sensor is not None


def test_two_weeks_to_the_end_of_the_week_are_looked_at() -> None:
    # what lay before the two weeks was high
    high_before = lambda at: 15.0 if at < local_moment("00:00", 13) else 7.0  # noqa: E731
    found = found_in(sensor_points(first=27, value=high_before))
    assert (found.first_day, found.last_day) == (date(2026, 11, 9), date(2026, 11, 22))
    assert found.metrics.glycemia.bands.in_range == 100
    assert found.metrics.glycemia.n == 14 * 288
    assert found.worn_percent == pytest.approx(100, abs=0.1)
    assert found.standing is Standing.FULL
    shares = [each.glycemia and each.glycemia.bands.in_range for each in found.weeks]
    assert shares == [None, 0, 0, 100, 100]


@pytest.mark.parametrize(
    ("first", "last", "standing"),
    [
        (13, 0, Standing.FULL),
        (6, 0, Standing.PRELIMINARY),
        (5, 0, Standing.EVENTS_ONLY),
        (13, 3, Standing.PRELIMINARY),
    ],
)
def test_thin_data_are_said_to_be_thin(first: int, last: int, standing: Standing) -> None:
    assert found_in(sensor_points(first=first, last=last)).standing is standing


def test_a_sensor_that_was_not_worn_this_week_makes_no_panel() -> None:
    assert sensor_week_of(sensor_points(first=20, last=7)).sensor is None


def test_lows_are_those_of_the_week_and_last_fifteen_minutes() -> None:
    value = low_at(local_moment("03:00", 9), local_moment("03:00", 2))
    found = found_in(sensor_points(value=value))  # type: ignore[arg-type]
    (low,) = found.lows
    assert low.started_at == local_moment("03:00", 2)
    assert (low.minutes, low.worst) == (30, 3.2)
    assert len(found.metrics.episodes.low.episodes) == 2

    brief = low_at(local_moment("03:00", 2), minutes=10)
    assert found_in(sensor_points(value=brief)).lows == ()  # type: ignore[arg-type]


def test_a_running_week_is_looked_at_to_now() -> None:
    as_of = local_moment("12:00", 3)
    found = found_in(sensor_points(first=20), as_of)
    assert found.last_day == date(2026, 11, 19)
    assert found.metrics.glycemia.n == 13 * 288 + 145
    assert found.worn_percent == pytest.approx(100, abs=0.2)


@pytest.mark.parametrize(("locale", "shown"), [("zh-CN", Unit.MMOL_PER_L), ("en", Unit.MG_PER_DL)])
def test_values_are_judged_as_measured_and_shown_as_the_reader_knows_them(
    locale: str, shown: Unit
) -> None:
    # 180 mg/dL is in range, though 180 / 18.0156 = 9.99 and 181 is 10.05
    found = found_in(sensor_points(value=lambda at: 180, unit=Unit.MG_PER_DL), locale=locale)
    assert found.shown is shown
    assert found.metrics.glycemia.unit is Unit.MG_PER_DL
    assert found.metrics.glycemia.bands.in_range == 100
