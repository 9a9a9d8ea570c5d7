"""A series: order, repeats, LO and HI, cadence, and what a reading of a mixed cadence weighs."""

import numpy as np
import pytest
from series_builders import MG, MMOL, SHANGHAI, at, every

from rules.metrics.series import (
    by_moment,
    cadence_min,
    is_mixed,
    series_of,
    weights,
    with_substitutes,
)
from vitals.errors import MendData

MINUTE = 60_000_000_000


def test_rows_come_in_order_of_time_whatever_the_file_s_order_was() -> None:
    found = series_of([3 * MINUTE, MINUTE, 2 * MINUTE], [7.0, 5.0, 6.0], unit=MMOL, zone=SHANGHAI)
    assert found.values.tolist() == [5.0, 6.0, 7.0]


def test_the_same_row_twice_is_one_reading_and_is_counted() -> None:
    found = at([("08:00", 100), ("08:00", 100), ("08:05", "LO"), ("08:05", "LO"), ("08:10", 90)])
    assert (len(found), found.repeated, found.below) == (3, 2, 1)


def test_two_values_of_one_moment_both_stay_and_are_one_point_of_the_grid() -> None:
    found = at([("08:00", 100), ("08:00", 120), ("08:05", 90)])
    assert (len(found), found.repeated) == (3, 0)
    times, values, _ = by_moment(found)
    assert (len(times), values.tolist()) == (2, [110, 90])
    assert cadence_min(found) == 5


def test_a_number_goes_before_a_code_of_the_same_moment() -> None:
    _, values, codes = by_moment(at([("08:00", "HI"), ("08:00", 120), ("08:05", "LO")]))
    assert values[0] == 120
    assert codes.tolist() == [0, -1]


def test_lo_and_hi_are_codes_and_no_numbers() -> None:
    found = every(5, [100, "LO", "HI", "HI"])
    assert (len(found), found.below, found.above) == (4, 1, 2)
    assert found.numbers.tolist() == [100]


def test_whoever_wants_numbers_for_lo_and_hi_says_which_and_they_are_still_told() -> None:
    found = with_substitutes(every(5, [100, "LO", "HI"]), low=40, high=400)
    assert found.numbers.tolist() == [100, 40, 400]
    assert (found.below, found.above) == (1, 1)
    assert with_substitutes(found, low=None, high=None).numbers.tolist() == [100, 40, 400]


@pytest.mark.parametrize(
    ("times", "values", "says"),
    [
        ([1, 2], [5.0], "differ in number"),
        ([1], [float("nan")], "not a number"),
        ([1], [float("inf")], "not a number"),
    ],
)
def test_what_is_no_series_is_refused(times: list[int], values: list[float], says: str) -> None:
    with pytest.raises(MendData, match=says):
        series_of(times, values, unit=MG, zone=SHANGHAI)


@pytest.mark.parametrize(
    ("minutes", "values", "step"),
    [
        (5, [100.0] * 10, 5),
        (15, [100.0] * 10, 15),
        # a sensor that is two seconds late each time
        (5.03, [100.0] * 10, 5),
        # every second one lost: the median is that of what came
        (5, [100.0, None] * 10, 10),
        (5, [100.0], None),
        (5, [], None),
        (0.5, [100.0] * 10, 1),
    ],
)
def test_the_cadence_is_the_median_step_in_whole_minutes(
    minutes: float, values: list[float | None], step: int | None
) -> None:
    assert cadence_min(every(minutes, values)) == step


def day_of_two_sensors() -> list[tuple[int, float]]:
    slow = [(n * 15 * MINUTE, 200.0) for n in range(200)]
    fast = [((3000 + n) * MINUTE, 100.0) for n in range(3000)]
    return slow + fast


def test_two_sensors_of_different_cadence_are_weighed_by_time() -> None:
    rows = day_of_two_sensors()
    found = series_of([ns for ns, _ in rows], [value for _, value in rows], unit=MG, zone=SHANGHAI)
    assert is_mixed(found)
    weight = weights(found)
    assert weight is not None
    # 3000 minutes at 200 and 3000 at 100: the mean is 150, of readings it would be 106
    assert float(np.average(found.values, weights=weight)) == pytest.approx(150, abs=0.1)


@pytest.mark.parametrize(
    "values",
    [
        [100.0] * 300,
        # a lost reading now and then
        ([100.0] * 9 + [None]) * 40,
        # a gap of ten hours
        [100.0] * 200 + [None] * 120 + [100.0] * 200,
    ],
)
def test_lost_readings_and_gaps_do_not_make_a_cadence_mixed(values: list[float | None]) -> None:
    assert weights(every(5, values)) is None
