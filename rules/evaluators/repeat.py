"""Single readings that come again: the same trouble several times within a window of days.

Readings closer together than `apart_min` count once: a re-test of the same low is no second low.
The episode ends with a reading whose whole window is free of the trouble.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta

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
    times = _times(rule, [each for each in points if _fires(rule, each)])
    if not times:
        return
    window = timedelta(days=rule.window_days)
    moments = [each.at for each in times]
    marks = []
    for point in points:
        # a sensor gives thousands of points: each looks for its window, none at all the others
        first = bisect_right(moments, point.at - window)
        inside = tuple(times[first : bisect_right(moments, point.at, lo=first)])
        marks.append(Mark(at=point.at, level=_level(rule, point, inside, history), seen=inside))
    for episode in episodes(marks, gap=timedelta(hours=rule.stale_h)):
        found = max(
            (mark.seen for mark in episode.firing), key=lambda seen: (len(seen), seen[-1].at)
        )
        yield _seen(rule, found, history, episode)


def _fires(rule: Rule, point: Point) -> bool:
    return fires(rule, {point.kind: (point.value, point.unit)})


def _times(rule: Rule, points: list[Point]) -> list[Point]:
    apart = timedelta(minutes=rule.apart_min)
    kept: list[Point] = []
    newest: datetime | None = None
    for point in points:
        if newest is None or point.at - newest >= apart:
            kept.append(point)
        newest = point.at
    return kept


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
    worst = max(points, key=lambda each: (_beyond(rule, each), each.at))
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
