"""Each reading by itself: a low, a very high value. Readings in a row are one episode.

A reading that its meter doubts is left out. One whose moment is a guess may be years old: it goes
to the doctor's list at most, wakes nobody and gives no all-clear.

With `severity_unheld` a first reading only asks to measure again; the full severity comes with a
second one beyond the limit, or once the first has stood unrepeated for `hold_min`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rules.episode import Episode, Level, Mark, episodes
from rules.history import History, Point
from rules.pack import Rule
from rules.seen import Seen, beyond, fires, is_clear, point_evidence
from rules.words import Said, moment_text, same, unit_text, value_text

# severity to which a guess of the moment is held down: the doctor's list, nobody woken
_UNSURE_AT_MOST = 2


def single(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of single readings."""
    assert rule.kind is not None
    points = [each for each in history.of(rule.kind) if not each.is_suspect]
    # nearly always nothing fires: a sensor's 20,000 points then need no marks
    if not any(_fires(rule, each) for each in points):
        return
    marks = [Mark(at=each.at, level=_level(rule, each), seen=each) for each in points]
    for episode in episodes(marks, gap=timedelta(hours=rule.gap_h)):
        yield _seen(rule, episode, history.patient.timezone, now)


def _fires(rule: Rule, point: Point) -> bool:
    return fires(rule, {point.kind: (point.value, point.unit)})


def _level(rule: Rule, point: Point) -> Level:
    if _fires(rule, point):
        return Level.FIRING
    values = {point.kind: (point.value, point.unit)}
    # a reading whose moment is a guess may be from before the trouble: it ends none
    return Level.CLEAR if is_clear(rule, values) and not point.is_unsure else Level.BETWEEN


def _severity(rule: Rule, episode: Episode[Point], now: datetime) -> int:
    if rule.severity_unheld is None or len(episode.firing) > 1:
        return rule.severity
    until = episode.ended_by.at if episode.ended_by else now
    held = until - episode.started_at >= timedelta(minutes=rule.hold_min)
    return rule.severity if held else rule.severity_unheld


def _seen(rule: Rule, episode: Episode[Point], zone: str, now: datetime) -> Seen:
    points = [mark.seen for mark in episode.firing]
    worst = max(points, key=lambda each: (_beyond(rule, each), each.at))
    unsure = all(each.is_unsure for each in points)
    ended = episode.ended_by
    limit = rule.when[0].number(worst.unit)
    severity = _severity(rule, episode, now)
    recovered = ended is not None and ended.level is Level.CLEAR
    return Seen(
        started_at=episode.started_at,
        at=episode.at,
        ended_at=ended.at if ended else None,
        severity=min(severity, _UNSURE_AT_MOST) if unsure else severity,
        numbers={
            "value": worst.value,
            "unit": worst.unit.value,
            "n": len(points),
            "limit": limit,
            "beyond": round(_beyond(rule, worst), 4),
            "clock_unsure": int(unsure),
        },
        texts={
            "value": same(value_text(worst.kind, worst.value, worst.unit)),
            "unit": same(unit_text(worst.unit)),
            "time": moment_text(worst.at, zone),
            "n": same(str(len(points))),
            "limit": same(value_text(worst.kind, limit, worst.unit)),
        },
        evidence=point_evidence([*points, *([ended.seen] if ended and recovered else [])]),
        later=_later(ended.seen, zone) if ended and recovered else None,
    )


def _beyond(rule: Rule, point: Point) -> float:
    return beyond(rule, {point.kind: (point.value, point.unit)})


def _later(point: Point, zone: str) -> Said:
    value = f"{value_text(point.kind, point.value, point.unit)} {unit_text(point.unit)}"
    when = moment_text(point.at, zone)
    return Said(zh=f"其后 {when.zh} 测得 {value}。", en=f"Later, {when.en}: {value}.")
