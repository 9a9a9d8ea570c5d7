"""Which values a sensor measured: how a device measures tells, and in doubt it is a meter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from report_builders import sensor_points
from rule_builders import every_day, history, local_moment, points

from rules.history import History, Patient, Point
from rules.metrics.series import Beyond
from rules.sensor import sensor_series, sensors, split
from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit, convert

FROM, TO = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("step_min", "is_sensor"),
    [(1, True), (5, True), (15, True), (45, True), (46, False), (60, False), (240, False)],
)
def test_a_device_that_measures_all_the_time_is_a_sensor(step_min: int, is_sensor: bool) -> None:
    found = sensor_points(first=3, step_min=step_min)
    assert sensors(found) == (frozenset({"sensor"}) if is_sensor else frozenset())


def test_a_sensor_worn_for_a_quarter_of_the_day_is_still_one() -> None:
    found = [each for each in sensor_points(step_min=15) if each.at.hour < 6]
    assert sensors(found) == {"sensor"}


def test_a_person_who_pricks_twice_each_time_has_no_sensor() -> None:
    pairs = ["06:30 glucose 6.1", "06:31 glucose 6.3", "12:00 glucose 7.1", "12:01 glucose 7.0"]
    assert sensors(points(every_day(pairs, first=27))) == frozenset()


def test_a_device_that_knows_of_meals_is_a_meter() -> None:
    found = list(sensor_points(first=3))
    found[100] = replace(found[100], meal=Meal.FASTING)
    assert sensors(found) == frozenset()


def test_a_person_with_both_has_each_value_in_one_place() -> None:
    sticks = history(every_day(["06:30 glucose 7.4 fasting"], first=13)).points
    worn, pricked = split(
        History(patient=Patient(id=1), points=tuple(sorted((*sensor_points(), *sticks), key=_at)))
    )
    assert {each.device for each in worn} == {"sensor"}
    assert {each.device for each in pricked} == {"glucose"}
    assert len(worn) == 14 * 288
    assert len(pricked) == 14


def test_doubted_values_are_in_neither() -> None:
    found = list(sensor_points(first=1))
    found[7] = replace(found[7], flags=(Flag.SENSOR_FAULT,))
    found[8] = replace(found[8], clock=Clock.UNSURE)
    worn, pricked = split(History(patient=Patient(id=1), points=tuple(found)))
    assert (len(worn), len(pricked)) == (2 * 288 - 2, 0)


def test_the_series_is_in_the_unit_of_most_and_keeps_what_the_device_said() -> None:
    found = list(sensor_points(first=0, value=lambda at: 99, unit=Unit.MG_PER_DL))
    found[0] = replace(found[0], value=6.0, unit=Unit.MMOL_PER_L)
    found[1] = replace(found[1], value=39, flags=(Flag.RESULT_TOO_LOW,))
    found[2] = replace(found[2], value=401, flags=(Flag.RESULT_TOO_HIGH,))
    series = sensor_series(found, "Asia/Shanghai", since=FROM, until=TO)
    assert series is not None
    assert series.unit is Unit.MG_PER_DL
    assert series.values[0] == convert(6.0, Unit.MMOL_PER_L, Unit.MG_PER_DL)
    assert list(series.beyond[:4]) == [Beyond.WITHIN, Beyond.BELOW, Beyond.ABOVE, Beyond.WITHIN]
    assert series.values[3] == 99


def test_the_end_of_a_span_is_not_in_it() -> None:
    found = sensor_points(first=0)
    since = local_moment("08:00")
    series = sensor_series(found, "UTC", since=since, until=since + timedelta(hours=1))
    assert series is not None
    assert len(series) == 12


def test_no_values_are_no_series() -> None:
    assert sensor_series([], "UTC", since=FROM, until=TO) is None
    assert sensors([]) == frozenset()


def _at(point: Point) -> tuple[datetime, Kind]:
    return point.at, point.kind
