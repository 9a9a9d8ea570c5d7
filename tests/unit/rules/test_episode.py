"""Marks become episodes: hysteresis, gaps, and agreement of several marks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.episode import Level, Mark, episodes

LEVELS = {"!": Level.FIRING, "-": Level.BETWEEN, ".": Level.CLEAR}


def marks(text: str) -> list[Mark[int]]:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    return [
        Mark(at=start + timedelta(hours=hour), level=LEVELS[sign], seen=hour)
        for hour, sign in enumerate(text)
        if sign != " "
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("....", []),
        ("-.-.", []),
        (".!.", [(1, 1, 2)]),
        ("!-!.", [(0, 2, 3)]),  # between holds
        ("!--", [(0, 0, None)]),  # and does not end
        (".!!", [(1, 2, None)]),
        ("!.!", [(0, 0, 1), (2, 2, None)]),
        ("", []),
    ],
)
def test_an_episode_begins_with_a_firing_mark_and_ends_with_a_clear_one(
    text: str, found: list[tuple[int, int, int | None]]
) -> None:
    assert [
        (each.firing[0].seen, each.firing[-1].seen, each.ended_by.seen if each.ended_by else None)
        for each in episodes(marks(text))
    ] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # a meter that shows whole minutes: low, tested again, low
        ("!.!", [(0, 2, None)]),
        ("!.", [(0, 0, 1)]),
        (".!", [(1, 1, None)]),
        ("!.!.!", [(0, 4, None)]),
        ("!.!.", [(0, 2, 3)]),
    ],
)
def test_what_is_over_and_back_at_one_moment_is_one_episode(
    text: str, found: list[tuple[int, int, int | None]]
) -> None:
    together = [replace(each, at=marks("!")[0].at) for each in marks(text)]
    assert [
        (each.firing[0].seen, each.firing[-1].seen, each.ended_by.seen if each.ended_by else None)
        for each in episodes(together)
    ] == found


def test_a_long_gap_ends_an_episode() -> None:
    found = episodes(marks("!     !"), gap=timedelta(hours=5))
    assert [each.started_at.hour for each in found] == [0, 6]
    assert found[0].ended_by is not None
    assert len(episodes(marks("!    !"), gap=timedelta(hours=5))) == 1


def test_several_marks_must_agree_where_that_is_asked() -> None:
    # a clear mark begins the count anew, one between does not
    assert episodes(marks("!!.!!-.!!"), after=3) == []
    assert [each.started_at.hour for each in episodes(marks("!-!-!"), after=3)] == [4]
    assert [each.started_at.hour for each in episodes(marks("!!!-!"), after=3)] == [2]
