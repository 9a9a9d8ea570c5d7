"""Single readings that come again: the same trouble several times within a window of days.

Readings closer together than `apart_min` count once: a re-test of the same low is no second low.
The episode ends with a reading whose whole window is free of the trouble.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from rules.episode import Episode, Level, Mark, episodes
from rules.history import History, Point
from rules.pack import Rule
from rules.personal import with_targets
from rules.seen import Seen, beyond, fires, point_evidence
from rules.words import same, unit_text, value_text


def repeat(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each run of repeated trouble."""
    rule = with_targets(rule, history.patient)
    assert rule.kind is not None
    points = history.trusted(rule.kind)
    runs = _runs(rule, [each for each in points if _fires(rule, each)])
    if not runs:
        return
    times = [each[0] for each in runs]
    window = timedelta(days=rule.window_days)
    moments = [each.at for each in times]
    marks = []
    for point in points:
        # a sensor gives thousands of points: each looks for its window, none at all the others
        first = bisect_right(moments, point.at - window)
        inside = tuple(times[first : bisect_right(moments, point.at, lo=first)])
        marks.append(Mark(at=point.at, level=_level(rule, point, inside, history), seen=inside))
    for episode in episodes(marks, gap=timedelta(hours=rule.stale_h)):
        found = episode.firing[-1].seen
        # the window that ends with the newest is told of, however busy an earlier one was; a run is
        # counted by its beginning, which stays, and told of by its worst
        worst = {each[0]: max(each, key=partial(_worse, rule)) for each in runs}
        yield _seen(rule, tuple(worst[each] for each in found), history, episode)


def _fires(rule: Rule, point: Point) -> bool:
    return fires(rule, {point.kind: (point.value, point.unit)})


def _runs(rule: Rule, points: list[Point]) -> list[list[Point]]:
    """Readings that are one and the same trouble, by their times."""
    apart = timedelta(minutes=rule.apart_min)
    found: list[list[Point]] = []
    for point in points:
        if found and point.at - found[-1][-1].at < apart:
            found[-1].append(point)
        else:
            found.append([point])
    return found


def _level(rule: Rule, point: Point, inside: tuple[Point, ...], history: History) -> Level:
    if not inside:
        return Level.CLEAR
    if not _fires(rule, point):
        return Level.BETWEEN
    days = {history.day_of(each.at) for each in inside}
    enough = len(inside) >= rule.min_readings and len(days) >= rule.min_days
    return Level.FIRING if enough else Level.BETWEEN


def _seen(
    rule: Rule, points: tuple[Point, ...], history: History, episode: Episode[tuple[Point, ...]]
) -> Seen:
    worst = max(points, key=partial(_worse, rule))
    days = {history.day_of(each.at) for each in points}
    limit = rule.when[0].number(worst.unit)
    return Seen(
        started_at=episode.started_at,
        at=episode.at,
        ended_at=episode.ended_by.at if episode.ended_by else None,
        severity=rule.severity,
        numbers={
            "n": len(points),
            "days": len(days),
            "worst": worst.value,
            "unit": worst.unit.value,
            "window_days": rule.window_days,
            "beyond": round(_beyond(rule, worst), 4),
        },
        texts={
            "n": same(str(len(points))),
            "days": same(str(len(days))),
            "worst": same(value_text(worst.kind, worst.value, worst.unit)),
            "unit": same(unit_text(worst.unit)),
            "window": same(str(rule.window_days)),
            "limit": same(value_text(worst.kind, limit, worst.unit)),
        },
        evidence=point_evidence(points),
    )


def _beyond(rule: Rule, point: Point) -> float:
    return beyond(rule, {point.kind: (point.value, point.unit)})


def _worse(rule: Rule, point: Point) -> tuple[float, datetime]:
    return _beyond(rule, point), point.at
