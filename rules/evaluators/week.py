"""A week of days: its level, or how far it lies from the weeks before.

A band brings a value a minute: its days come from the daily rollup (`DayCount`), and no single
value of it is judged. A cuff's or oximeter's pulses are few: their day is the mean of the trusted
ones (`metrics/heart.py`). A day that still runs is left out where its value still grows.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import fmean, median

import numpy as np

from rules.episode import Level, Mark, episodes
from rules.finding import Evidence
from rules.history import DayCount, History, Point
from rules.metrics.activity import steps
from rules.metrics.heart import resting_of_cuff
from rules.pack import Rule
from rules.seen import MAX_EVIDENCE, Seen, fires, is_clear
from rules.words import number_text, same, unit_text
from vitals.kinds import VITALS, Kind
from vitals.units import Unit

# days whose weeks are told of: the window of findings and as much before; engineering choice
_MARK_DAYS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    day: date
    first_at: datetime
    last_at: datetime
    n: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Week:
    days: tuple[_Day, ...]
    recent: float
    baseline: float | None
    value: float | None
    unit: Unit


# what stands for a week; the weeks before it are always told by their median
_RECENT: dict[Kind, Callable[[Sequence[_Day]], float]] = {
    Kind.PULSE: lambda days: median(each.value for each in days),
    Kind.HEART_RATE: lambda days: median(each.value for each in days),
    Kind.SLEEP_DURATION: lambda days: fmean(each.value for each in days),
    Kind.STEPS: lambda days: _mean_steps(days),
}


def week(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of such weeks."""
    days = _days(rule, history, now)
    if len(days) < rule.min_days:
        return
    for episode in episodes(_marks(rule, history, days, now), gap=timedelta(hours=rule.stale_h)):
        yield _seen(
            rule,
            episode.firing[-1].seen,
            started_at=episode.started_at,
            ended_at=episode.ended_by.at if episode.ended_by else None,
        )


def _days(rule: Rule, history: History, now: datetime) -> list[_Day]:
    assert rule.kind is not None
    today = history.day_of(now)
    if rule.kind is Kind.PULSE:
        return _of_points(history, history.trusted(rule.kind))
    # last night's sleep is whole in the morning; steps and a band's mean grow until midnight
    last = today if rule.kind is Kind.SLEEP_DURATION else today - timedelta(days=1)
    found = [_of_count(each) for each in history.days if each.kind is rule.kind]
    return sorted(
        (
            each
            for each in found
            if each.value > 0 and each.day <= last and each.n >= rule.min_readings
        ),
        key=lambda each: each.day,
    )


def _of_points(history: History, points: list[Point]) -> list[_Day]:
    by_day: dict[date, list[Point]] = {}
    for point in points:
        by_day.setdefault(history.day_of(point.at), []).append(point)
    return [
        _Day(
            day=day,
            first_at=there[0].at,
            last_at=there[-1].at,
            n=len(there),
            value=resting_of_cuff(np.array([each.value for each in there])) or 0.0,
        )
        for day, there in by_day.items()
    ]


def _of_count(count: DayCount) -> _Day:
    value = count.mean if count.kind is Kind.HEART_RATE else count.most
    # a band that lay on the table counts no step: `metrics/activity.py`
    return _Day(
        day=count.day,
        first_at=count.last_at,
        last_at=count.last_at,
        n=count.n,
        value=value or 0.0,
    )


def _mean_steps(days: Sequence[_Day]) -> float:
    numbers = np.array([each.day.toordinal() for each in days], dtype=np.int64)
    return steps(numbers, np.array([each.value for each in days])).mean


def _marks(rule: Rule, history: History, days: list[_Day], now: datetime) -> Iterator[Mark[_Week]]:
    since = history.day_of(now) - timedelta(days=_MARK_DAYS)
    for newest in days:
        if newest.day > since:
            seen = _week(rule, days, newest.day)
            level = _level(rule, seen)
            yield Mark(at=newest.last_at, level=level, seen=seen, since=newest.first_at)


def _week(rule: Rule, days: list[_Day], last: date) -> _Week:
    assert rule.kind is not None
    before = last - timedelta(days=rule.window_days)
    there = _within(days, before, last)
    recent = _RECENT[rule.kind](there)
    unit = VITALS[rule.kind].scales[0].unit
    if rule.measure == "level":
        return _Week(days=there, recent=recent, baseline=None, value=round(recent, 2), unit=unit)
    usual = _within(days, before - timedelta(days=rule.baseline_days), before)
    if len(usual) < rule.min_baseline_days:
        return _Week(days=there, recent=recent, baseline=None, value=None, unit=unit)
    baseline = median(each.value for each in usual)
    percent = rule.measure == "percent"
    value = 100 * recent / baseline if percent else recent - baseline
    return _Week(
        days=there,
        recent=recent,
        baseline=baseline,
        value=round(value, 2),
        unit=Unit.PERCENT if percent else unit,
    )


def _within(days: list[_Day], after: date, last: date) -> tuple[_Day, ...]:
    first = bisect_right(days, after, key=lambda each: each.day)
    return tuple(days[first : bisect_right(days, last, key=lambda each: each.day)])


def _level(rule: Rule, seen: _Week) -> Level:
    if seen.value is None or len(seen.days) < rule.min_days:
        return Level.BETWEEN
    assert rule.kind is not None
    values = {rule.kind: (seen.value, seen.unit)}
    if fires(rule, values):
        return Level.FIRING
    return Level.CLEAR if is_clear(rule, values) else Level.BETWEEN


def _seen(rule: Rule, seen: _Week, *, started_at: datetime, ended_at: datetime | None) -> Seen:
    assert rule.kind is not None
    assert seen.value is not None
    own, limit = VITALS[rule.kind].scales[0].unit, rule.when[0].number(seen.unit)
    baseline = seen.recent if seen.baseline is None else seen.baseline
    return Seen(
        started_at=started_at,
        at=seen.days[-1].last_at,
        ended_at=ended_at,
        severity=rule.severity,
        numbers={
            "recent": round(seen.recent, 2),
            "baseline": round(baseline, 2),
            "value": seen.value,
            "unit": seen.unit.value,
            "days": len(seen.days),
            "limit": limit,
            "beyond": round(abs(seen.value - limit), 4),
        },
        texts={
            "recent": same(_amount(rule.kind, seen.recent)),
            "baseline": same(_amount(rule.kind, baseline)),
            "change": same(f"{number_text(seen.value)} {unit_text(seen.unit)}"),
            "unit": same(unit_text(own)),
            "days": same(str(len(seen.days))),
            "limit": same(_amount(rule.kind, limit)),
        },
        evidence=tuple(
            Evidence(
                at=each.last_at, kind=rule.kind, value=round(each.value, 1), unit=own, n=each.n
            )
            for each in seen.days[-MAX_EVIDENCE:]
        ),
    )


def _amount(kind: Kind, value: float) -> str:
    """A computed value as people read it; sleep in hours."""
    return number_text(value / 60) if kind is Kind.SLEEP_DURATION else f"{value:.0f}"
