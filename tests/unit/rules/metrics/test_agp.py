"""The profile of a day: percentiles, days behind them, the clock's two odd days."""

from datetime import datetime

import numpy as np
import pytest
from series_builders import MG, SHANGHAI, every

from rules.metrics.agp import PERCENTILES, profile
from rules.metrics.local_time import local_ns
from rules.metrics.series import series_of

MIDNIGHT = datetime(2026, 11, 9)  # noqa: DTZ001 - a wall clock


def test_a_part_holds_the_percentiles_of_all_days_at_that_time() -> None:
    rng = np.random.default_rng(7)
    values = rng.integers(60, 300, 14 * 288).astype(float)
    series = every(5, values.tolist(), start=MIDNIGHT)
    found = profile(series)
    assert (len(found.parts), found.unit) == (96, MG)
    quarter = local_ns(series.times_ns, SHANGHAI) // (15 * 60_000_000_000) % 96
    for place in (0, 1, 50, 95):
        wanted = np.percentile(series.values[quarter == place], PERCENTILES)
        part = found.parts[place]
        assert part.percentiles == pytest.approx(tuple(wanted))
        assert (part.minute, part.n, part.days, part.is_enough) == (15 * place, 42, 14, True)


@pytest.mark.parametrize(("days", "enough"), [(4, False), (5, True)])
def test_a_part_of_fewer_than_five_days_is_not_enough(days: int, enough: bool) -> None:
    found = profile(every(5, [100.0] * 288 * days, start=MIDNIGHT))
    assert {part.is_enough for part in found.parts} == {enough}


def test_a_part_without_readings_has_no_percentile() -> None:
    found = profile(every(5, [100.0] * 12, start=MIDNIGHT))
    assert [part.percentiles is None for part in found.parts] == [False] * 4 + [True] * 92
    assert all(part.percentiles is None for part in profile(every(5, [])).parts)


def test_lo_takes_its_rank_and_is_no_number() -> None:
    values = ["LO" if n == 0 else 100.0 for _ in range(3) for n in range(288)]
    first = profile(every(5, values, start=MIDNIGHT)).parts[0].percentiles
    # nine values, three LO: the 5th percentile is LO, the median is 100
    assert first is not None
    assert (first[0], first[2]) == (-np.inf, 100)


@pytest.mark.parametrize(
    ("day", "n"),
    [
        # Berlin: 02:00 to 03:00 is skipped on 2026-03-29 and comes twice on 2026-10-25
        (datetime(2026, 3, 29), 0),  # noqa: DTZ001 - a wall clock
        (datetime(2026, 10, 25), 6),  # noqa: DTZ001 - a wall clock
        (datetime(2026, 11, 1), 3),  # noqa: DTZ001 - a wall clock
    ],
)
def test_the_skipped_hour_is_empty_and_the_double_one_counts_twice(day: datetime, n: int) -> None:
    found = profile(every(5, [100.0] * 288, start=day, zone="Europe/Berlin"))
    assert found.parts[9].n == n


def test_no_reading_makes_an_empty_profile() -> None:
    found = profile(series_of([], [], unit=MG, zone=SHANGHAI))
    assert {part.n for part in found.parts} == {0}
