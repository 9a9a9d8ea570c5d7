"""A simulated sensor tells the same in steps of any length, with the lows and gaps it was given."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from simulator.sensor_story import SensorStory

BEGINS = date(2026, 11, 1)
# local midnight in Shanghai
START = datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_the_story_is_the_same_in_steps_of_any_length() -> None:
    story = SensorStory(seed="a", begins=BEGINS)
    end = START + timedelta(days=2)
    whole = story.records(START, end)
    steps, at = [], START
    while at < end:
        after = min(end, at + timedelta(hours=7))
        steps += story.records(at, after)
        at = after
    assert steps == whole
    assert len({each.at for each in whole}) == len(whole)


def test_a_day_has_a_value_every_step_but_for_what_is_lost() -> None:
    all_ = SensorStory(seed="a", begins=BEGINS, received=1.0)
    assert len(all_.records(START, START + timedelta(days=1))) == 288
    some = SensorStory(seed="a", begins=BEGINS, received=0.9)
    assert 230 < len(some.records(START, START + timedelta(days=1))) < 285


def test_a_low_night_goes_below_three_before_dawn_and_others_do_not() -> None:
    story = SensorStory(seed="a", begins=BEGINS, lows=frozenset({1}))
    lows = [each.at for each in story.records(START, START + timedelta(days=3)) if each.value < 54]  # type: ignore[operator]
    assert lows
    for at in lows:
        assert timedelta(hours=26) < at - START < timedelta(hours=28)


def test_what_is_not_worn_tells_nothing() -> None:
    story = SensorStory(
        seed="a", begins=BEGINS, received=1.0, off=frozenset({0}), changes=frozenset({1})
    )
    assert story.records(START, START + timedelta(days=1)) == []
    changed = story.records(START + timedelta(days=1), START + timedelta(days=2))
    assert len(changed) == 288 - 24
    steps = {b.at - a.at for a, b in pairwise(changed)}
    assert max(steps) == timedelta(minutes=125)
