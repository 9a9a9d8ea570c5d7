"""Episodes: when one begins and ends, at every edge of the 15-minute rule."""

import math
from datetime import timedelta

import pytest
from series_builders import MMOL, MORNING, every

from rules.metrics.cgm import cgm
from rules.metrics.glucose_episodes import GlucoseEpisodes
from rules.metrics.series import Series

OK, LOW, VERY_LOW, HIGH = 100.0, 65.0, 50.0, 200.0


def found(values: list[float | str | None], minutes: float = 5) -> GlucoseEpisodes:
    return cgm(every(minutes, values)).episodes


def around(middle: list[float | str | None]) -> list[float | str | None]:
    """An hour in range, what is in the middle, an hour in range."""
    return [OK] * 12 + middle + [OK] * 12


@pytest.mark.parametrize(
    ("middle", "minutes"),
    [
        # two readings of five minutes: ten minutes are no event
        ([LOW] * 2, []),
        ([LOW] * 3, [15]),
        ([LOW] * 7, [35]),
        # back for ten minutes: still the same event, which lasts to the end of the second low
        ([LOW] * 3 + [OK] * 2 + [LOW], [30]),
        # back for fifteen: ended
        ([LOW] * 3 + [OK] * 3 + [LOW], [15]),
        ([LOW] * 3 + [OK] * 3 + [LOW] * 3, [15, 15]),
        # one value back within does not make two
        ([LOW, LOW, OK, LOW, LOW], []),
        # exactly 70 is in range
        ([70.0] * 6, []),
        ([69.9] * 3, [15]),
        # a lost reading is drawn through
        ([LOW, None, LOW], [15]),
        ([LOW, None, None, LOW], [20]),
    ],
)
def test_a_low_begins_and_ends_with_fifteen_minutes(
    middle: list[float | str | None], minutes: list[int]
) -> None:
    assert [each.minutes for each in found(around(middle)).low.episodes] == minutes


def test_an_episode_says_when_how_deep_and_how_long() -> None:
    (episode,) = found(around([65.0, 55.0, 60.0])).low.episodes
    begun = MORNING + timedelta(hours=1)
    assert episode.started_at.hour == (begun.hour - 8) % 24  # Shanghai is eight hours ahead
    assert episode.ended_at - episode.started_at == timedelta(minutes=15)
    assert (episode.mean, episode.worst) == (60, 55)


def test_a_gap_of_more_than_45_minutes_ends_an_episode_and_begins_none() -> None:
    tallies = found(around([LOW] * 4 + [None] * 10 + [LOW] * 2)).low
    assert [each.minutes for each in tallies.episodes] == [20]


@pytest.mark.parametrize(("points", "prolonged"), [(23, 0), (24, 1), (25, 1)])
def test_a_low_of_two_hours_is_prolonged(points: int, prolonged: int) -> None:
    assert len(found(around([LOW] * points)).prolonged_low.episodes) == prolonged


def test_a_deep_low_counts_at_both_levels_and_not_as_a_plain_one() -> None:
    middle: list[float | str | None] = [LOW] * 3 + [VERY_LOW] * 3 + [LOW] * 3
    episodes = found(around([*middle, *[OK] * 6, *[LOW] * 3]))
    assert [each.minutes for each in episodes.low.episodes] == [45, 15]
    assert [each.minutes for each in episodes.very_low.episodes] == [15]
    assert [each.minutes for each in episodes.only_low.episodes] == [15]


def test_lo_and_hi_count_as_beyond_and_have_no_mean() -> None:
    low = found(around(["LO"] * 4)).very_low.episodes
    assert [each.minutes for each in low] == [20]
    assert low[0].worst == -math.inf
    assert math.isnan(low[0].mean)
    high = found(around([HIGH, "HI", "HI", HIGH])).high.episodes
    assert [(each.minutes, each.mean, each.worst) for each in high] == [(20, 200, math.inf)]


def test_of_a_fifteen_minute_sensor_one_reading_is_enough() -> None:
    tallies = found([OK] * 4 + [LOW] + [OK] * 4, minutes=15)
    assert [each.minutes for each in tallies.low.episodes] == [15]


@pytest.mark.parametrize(("value", "n"), [(13.9, 0), (14.0, 1)])
def test_a_very_high_episode_is_compared_in_its_own_unit(value: float, n: int) -> None:
    # 13.9 * 18 = 250.2: very high by the other unit's number
    series: Series = every(5, [6.0] * 12 + [value] * 6 + [6.0] * 12, unit=MMOL)
    assert len(cgm(series).episodes.very_high.episodes) == n


def test_episodes_are_counted_per_day_of_data_not_of_the_calendar() -> None:
    # one day of data, then two days of nothing, then one day of data: two episodes in two days
    day: list[float | str | None] = [*around([LOW] * 4), *[OK] * 260]
    tally = found([*day, *[None] * 576, *day]).low
    assert len(tally.episodes) == 2
    assert tally.per_day == pytest.approx(1.0, abs=0.01)


def test_two_days_without_an_episode_have_none_a_day() -> None:
    tally = found([OK] * 576).low
    assert (tally.per_day, tally.minutes) == (0, 0)
    assert math.isnan(tally.mean)
