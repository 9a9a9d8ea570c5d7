"""The median of a window of finger-sticks with certain meal marks, against a target.

Values of both units may stand in one window: the median is taken in the unit of most of them (the
others are converted for it) and compared with that unit's number of the pair.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median as middle

from rules.episode import Level, Mark, episodes
from rules.history import History, Point
from rules.pack import Rule
from rules.personal import with_targets
from rules.seen import Seen, fires, is_clear, point_evidence
from rules.words import day_text, same, unit_text, value_text
from vitals.kinds import VITALS, Kind
from vitals.units import Unit, convert

_Window = tuple[Point, ...]


def median(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of medians beyond the target."""
    rule = with_targets(rule, history.patient)
    assert rule.kind is not None
    points = [each for each in history.trusted(rule.kind) if each.meal in rule.meals]
    dated = [(history.day_of(each.at), each) for each in points]
    marks: list[Mark[_Window]] = []
    for day in sorted({day for day, _ in dated}):
        first = day - timedelta(days=rule.window_days - 1)
        window = tuple(each for there, each in dated if first <= there <= day)
        since = next(each.at for there, each in dated if there == day)
        level = _level(rule, window)
        marks.append(Mark(at=window[-1].at, level=level, seen=window, since=since))
    for episode in episodes(marks, gap=timedelta(hours=rule.stale_h)):
        yield _seen(
            rule,
            episode.firing[-1].seen,
            history,
            started_at=episode.started_at,
            ended_at=episode.ended_by.at if episode.ended_by else None,
        )


def median_of(window: _Window) -> tuple[float, Unit]:
    """The median and its unit: that of most values, mmol/L where they are even."""
    counts = Counter(each.unit for each in window)
    unit = max(counts, key=lambda each: (counts[each], each is Unit.MMOL_PER_L))
    return middle(convert(each.value, each.unit, unit) for each in window), unit


def _level(rule: Rule, window: _Window) -> Level:
    if len(window) < rule.min_readings:
        return Level.BETWEEN
    values = {window[0].kind: median_of(window)}
    if fires(rule, values):
        return Level.FIRING
    return Level.CLEAR if is_clear(rule, values) else Level.BETWEEN


def _text(kind: Kind, value: float, unit: Unit, limit: float) -> str:
    """The median with one decimal more where rounding would write it as its limit: 7.05."""
    text = value_text(kind, value, unit)
    if value == limit or text != value_text(kind, limit, unit):
        return text
    return f"{value:.{VITALS[kind].scale(unit).decimals + 1}f}"


def _seen(
    rule: Rule,
    window: _Window,
    history: History,
    *,
    started_at: datetime,
    ended_at: datetime | None,
) -> Seen:
    value, unit = median_of(window)
    kind = window[0].kind
    limit = rule.when[0].number(unit)
    return Seen(
        started_at=started_at,
        at=window[-1].at,
        ended_at=ended_at,
        severity=rule.severity,
        numbers={
            "median": round(value, 4),
            "unit": unit.value,
            "n": len(window),
            "limit": limit,
            "beyond": round(convert(abs(value - limit), unit, Unit.MMOL_PER_L), 4),
        },
        texts={
            "median": same(_text(kind, value, unit, limit)),
            "unit": same(unit_text(unit)),
            "n": same(str(len(window))),
            "limit": same(value_text(kind, limit, unit)),
            "from": day_text(history.day_of(window[0].at)),
            "to": day_text(history.day_of(window[-1].at)),
        },
        evidence=point_evidence(window),
    )
