"""Days and density of a series, and what its numbers may be used for."""

import pytest
from series_builders import every

from rules.metrics.sufficiency import Standing, standing, sufficiency


@pytest.mark.parametrize(
    ("days", "percent", "is_"),
    [
        (14.0, 70.0, Standing.FULL),
        (13.5, 70.0, Standing.FULL),
        (13.4, 70.0, Standing.PRELIMINARY),
        (14.0, 69.9, Standing.PRELIMINARY),
        (14.0, 50.0, Standing.PRELIMINARY),
        (14.0, 49.9, Standing.EVENTS_ONLY),
        (7.0, 50.0, Standing.PRELIMINARY),
        (6.5, 90.0, Standing.PRELIMINARY),
        (6.4, 90.0, Standing.EVENTS_ONLY),
    ],
)
def test_fourteen_days_and_seventy_per_cent_are_full(
    days: float, percent: float, is_: Standing
) -> None:
    assert standing(days=days, active_percent=percent) is is_


def test_every_reading_there_is_a_hundred_per_cent() -> None:
    found = sufficiency(every(5, [100.0] * 288))
    assert (found.active_percent, found.cadence_min) == (100, 5)
    assert found.longest_gap_min == 5


def test_missing_readings_are_counted_between_the_first_and_the_last() -> None:
    # 8 there, 2 missing between
    found = sufficiency(every(5, [100.0] * 4 + [None] * 2 + [100.0] * 4 + [None] * 50))
    assert found.active_percent == pytest.approx(80)
    assert found.longest_gap_min == 15
