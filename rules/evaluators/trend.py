"""A rise of daily medians over weeks: Theil-Sen slope with a Mann-Kendall test.

The cheap part comes first: the test runs only where the slope is large enough to matter. Several
measured days must agree before the rise is over again (`hold_days`), and with `level_from` a rise
that ends in a quiet range is let alone: both keep chance from crying.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from rules.episode import Level, Mark, episodes
from rules.finding import Evidence
from rules.history import History
from rules.pack import Rule
from rules.seen import MAX_EVIDENCE, Seen
from rules.trends import Trend, mann_kendall_p, slope, trend
from rules.words import number_text, same
from vitals.kinds import Kind
from vitals.units import Unit, convert

# days at each end of the window that say "from … to …"
_END_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    day: date
    first_at: datetime
    last_at: datetime
    n: int
    value: float


def rising(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of a confirmed rise."""
    assert rule.kind is not None
    days = _daily_medians(history, rule.kind)
    marks = [_mark(rule, days, each) for each in days]
    for episode in episodes(marks, gap=timedelta(hours=rule.stale_h), after=rule.hold_days):
        window = episode.firing[-1].seen
        yield _seen(
            rule,
            window,
            trend(*_series(window)),
            started_at=episode.started_at,
            ended_at=episode.ended_by.at if episode.ended_by else None,
        )


def _daily_medians(history: History, kind: Kind) -> list[_Day]:
    unit = _unit_of(kind)
    by_day: dict[date, list[tuple[datetime, float]]] = {}
    for point in history.trusted(kind):
        value = convert(point.value, point.unit, unit)
        by_day.setdefault(history.day_of(point.at), []).append((point.at, value))
    return [
        _Day(
            day=day,
            first_at=found[0][0],
            last_at=found[-1][0],
            n=len(found),
            value=median(value for _, value in found),
        )
        for day, found in sorted(by_day.items())
    ]


def _unit_of(kind: Kind) -> Unit:
    return Unit.MMOL_PER_L if kind is Kind.GLUCOSE else Unit.MMHG


def _mark(rule: Rule, days: list[_Day], newest: _Day) -> Mark[tuple[_Day, ...]]:
    first = newest.day - timedelta(days=rule.window_days - 1)
    window = tuple(each for each in days if first <= each.day <= newest.day)
    level = _level(rule, window)
    return Mark(at=newest.last_at, level=level, seen=window, since=newest.first_at)


def _level(rule: Rule, window: tuple[_Day, ...]) -> Level:
    if len(window) < rule.min_days:
        return Level.BETWEEN
    rise = slope(*_series(window)) * 14
    if rise < rule.rise_per_14d:
        # below half the least effect the rise is over
        return Level.CLEAR if rise < rule.rise_per_14d / 2 else Level.BETWEEN
    if rule.level_from is not None and _end(window) < rule.level_from:
        return Level.BETWEEN
    values = [each.value for each in window]
    return Level.FIRING if mann_kendall_p(values) < rule.p_below else Level.BETWEEN


def _series(days: tuple[_Day, ...]) -> tuple[list[float], list[float]]:
    return [float(each.day.toordinal()) for each in days], [each.value for each in days]


def _end(days: tuple[_Day, ...]) -> float:
    return median(each.value for each in days[-_END_DAYS:])


def _seen(
    rule: Rule,
    days: tuple[_Day, ...],
    found: Trend,
    *,
    started_at: datetime,
    ended_at: datetime | None,
) -> Seen:
    assert rule.kind is not None
    begin, end = median(each.value for each in days[:_END_DAYS]), _end(days)
    return Seen(
        started_at=started_at,
        at=days[-1].last_at,
        ended_at=ended_at,
        severity=rule.severity,
        numbers={
            "rise_per_14d": round(found.slope_per_day * 14, 4),
            "low_per_14d": round(found.low * 14, 4),
            "high_per_14d": round(found.high * 14, 4),
            "p": round(found.p, 6),
            "n": found.n,
            "first": round(begin, 4),
            "last": round(end, 4),
            "window_days": rule.window_days,
            "beyond": round(found.slope_per_day * 14 - rule.rise_per_14d, 4),
        },
        texts={
            "rise": same(number_text(found.slope_per_day * 14)),
            "first": same(number_text(begin)),
            "last": same(number_text(end)),
            "n": same(str(found.n)),
            "p": same("p<0.001" if found.p < 0.001 else f"p={found.p:.3f}"),
            "window": same(str(rule.window_days)),
        },
        evidence=tuple(
            Evidence(
                at=each.last_at,
                kind=rule.kind,
                value=round(each.value, 1),
                unit=_unit_of(rule.kind),
                n=each.n,
            )
            for each in days[-MAX_EVIDENCE:]
        ),
    )
