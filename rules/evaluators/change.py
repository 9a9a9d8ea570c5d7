"""How much a weight changed over some days, by the medians of its days.

The arithmetic is `metrics/weight.py`'s: the newest day against the one `over_days` before it, or
the newest of the days just before that, as far as `within_days`. A day on which another person
seems to have stood on the scale is left out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from rules.episode import Level, Mark, episodes
from rules.history import History, Point
from rules.metrics import weight
from rules.pack import Limit, Rule
from rules.personal import with_targets
from rules.seen import Seen, fires, is_clear, point_evidence
from rules.words import day_text, number_text, same, unit_text
from vitals.units import Unit, convert

# days whose changes are told of: the window of findings and as much before; engineering choice
_MARK_DAYS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """A change up to one day: in kg and per cent, and between which days."""

    found: weight.WeightChange
    unit: Unit
    points: tuple[Point, ...]

    def value(self, measure: str) -> tuple[float, Unit]:
        # 154.4 - 150.0 is a hair more than 4.4: scales show one decimal, a median two
        if measure == "percent":
            return round(self.found.percent, 2), Unit.PERCENT
        return round(convert(self.found.kg, Unit.KG, self.unit), 2), self.unit


def change(rule: Rule, history: History, now: datetime) -> Iterator[Seen]:
    """One Seen for each episode of too great a change."""
    assert rule.kind is not None
    points = history.trusted(rule.kind)
    if not points:
        return
    rule = with_targets(rule, history.patient)
    for episode in episodes(_marks(rule, history, points, now), gap=timedelta(hours=rule.stale_h)):
        yield _seen(
            rule,
            episode.firing[-1].seen,
            started_at=episode.started_at,
            at=episode.at,
            ended_at=episode.ended_by.at if episode.ended_by else None,
        )


def _marks(
    rule: Rule, history: History, points: list[Point], now: datetime
) -> Iterator[Mark[_Changed]]:
    numbers = np.array([history.day_of(each.at).toordinal() for each in points], dtype=np.int64)
    kg = np.array([convert(each.value, each.unit, Unit.KG) for each in points])
    mine = ~np.isin(numbers, weight.other_person_days(numbers, kg))
    numbers, kg = numbers[mine], kg[mine]
    points = [each for each, kept in zip(points, mine, strict=True) if kept]
    since = history.day_of(now).toordinal() - _MARK_DAYS
    for day in sorted({int(each) for each in numbers if each > since}):
        end = int(np.searchsorted(numbers, day, side="right"))
        found = weight.change(numbers[:end], kg[:end], over_days=rule.over_days)
        there = points[int(np.searchsorted(numbers, day)) : end]
        seen = _Changed(found=found, unit=_unit(there), points=_between(points, numbers, found))
        yield Mark(at=there[-1].at, level=_level(rule, seen), seen=seen, since=there[0].at)


def _unit(points: list[Point]) -> Unit:
    return Counter(each.unit for each in points).most_common(1)[0][0]


def _between(
    points: list[Point],
    numbers: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    found: weight.WeightChange,
) -> tuple[Point, ...]:
    if found.from_day is None or found.to_day is None:
        return ()
    first = int(np.searchsorted(numbers, found.from_day))
    return tuple(points[first : int(np.searchsorted(numbers, found.to_day, side="right"))])


def _level(rule: Rule, seen: _Changed) -> Level:
    found = seen.found
    if found.from_day is None or found.to_day is None:
        return Level.BETWEEN
    if found.to_day - found.from_day > rule.within_days:
        return Level.BETWEEN
    assert rule.kind is not None
    values = {rule.kind: seen.value(rule.measure)}
    if fires(rule, values):
        return Level.FIRING
    return Level.CLEAR if is_clear(rule, values) else Level.BETWEEN


def _seen(
    rule: Rule, seen: _Changed, *, started_at: datetime, at: datetime, ended_at: datetime | None
) -> Seen:
    found = seen.found
    assert found.from_day is not None
    assert found.to_day is not None
    value, unit = seen.value(rule.measure)
    limit: Limit = rule.when[0]
    before, after = (
        round(convert(each, Unit.KG, seen.unit), 2) for each in (found.from_kg, found.to_kg)
    )
    return Seen(
        started_at=started_at,
        at=at,
        ended_at=ended_at,
        severity=rule.severity,
        numbers={
            "change": value,
            "change_unit": unit.value,
            "before": before,
            "after": after,
            "unit": seen.unit.value,
            "days": found.to_day - found.from_day,
            "limit": limit.number(unit),
            "beyond": round(_beyond(limit, value, unit), 4),
        },
        texts={
            "change": same(f"{number_text(abs(value))} {unit_text(unit)}"),
            "before": same(number_text(before)),
            "after": same(number_text(after)),
            "unit": same(unit_text(seen.unit)),
            "days": same(str(found.to_day - found.from_day)),
            "limit": same(f"{number_text(abs(limit.number(unit)))} {unit_text(unit)}"),
            "from": day_text(date.fromordinal(found.from_day)),
            "to": day_text(date.fromordinal(found.to_day)),
        },
        evidence=point_evidence(seen.points),
    )


def _beyond(limit: Limit, value: float, unit: Unit) -> float:
    """How far beyond, in kg or per cent."""
    far = abs(value - limit.number(unit))
    return far if unit is Unit.PERCENT else convert(far, unit, Unit.KG)
