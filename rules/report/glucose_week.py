"""The finger-stick numbers of one week: by slot of the day, with lows, and the weeks before.

Values are told in the unit of most of the week's readings; lows and highs are counted in the unit
in which each was measured. The metrics of a set of readings are `rules/metrics/smbg.py`. May hold:
which readings make a week, and the weeks beside it. May not: words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from rules.history import History, Point
from rules.metrics.glucose_band import LOW
from rules.metrics.share import Share
from rules.metrics.slot import is_below
from rules.metrics.smbg import SlotRow, numbers, smbg
from vitals.measurement import Meal
from vitals.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWeek:
    """One week of the comparison: its lows, medians before and after meals (None without)."""

    first_day: date
    n: int
    before_meals: float | None
    after_meals: float | None
    lows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseWeek:
    """The week's numbers. `points` are those of the chart's days, as measured."""

    unit: Unit
    n: int
    slots: tuple[SlotRow, ...]
    in_target: Share
    before_meals: float | None
    after_meals: float | None
    lows: tuple[Point, ...]
    very_lows: int
    very_highs: tuple[Point, ...]
    # this week's line in the comparison is the last
    weeks: tuple[OneWeek, ...]
    points: tuple[Point, ...]


def glucose_week(
    history: History,
    pricked: Sequence[Point],
    *,
    first_day: date,
    last_day: date,
    weeks_before: int = 4,
) -> GlucoseWeek | None:
    """The numbers of a week, None where it has no trusted finger-stick."""
    dated = [(history.day_of(each.at), each) for each in pricked]
    week = [each for day, each in dated if first_day <= day <= last_day]
    if not week:
        return None
    found = smbg(week, history.patient.timezone)
    assert found is not None
    charted = last_day - timedelta(days=27)
    return GlucoseWeek(
        unit=found.unit,
        n=found.n,
        slots=found.slots,
        in_target=found.in_target,
        before_meals=_median(week, found.unit, _IS_BEFORE),
        after_meals=_median(week, found.unit, _IS_AFTER),
        lows=found.lows,
        very_lows=found.very_lows,
        very_highs=found.very_highs,
        weeks=tuple(
            _one_week(dated, first_day - timedelta(days=7 * ago), found.unit)
            for ago in range(weeks_before, -1, -1)
        ),
        points=tuple(each for day, each in dated if charted <= day <= last_day),
    )


_IS_BEFORE = frozenset({Meal.FASTING, Meal.PREPRANDIAL})
_IS_AFTER = frozenset({Meal.POSTPRANDIAL})


def _median(points: Sequence[Point], unit: Unit, meals: frozenset[Meal]) -> float | None:
    values = numbers([each for each in points if each.meal in meals], unit)
    return median(values) if values else None


def _one_week(dated: Sequence[tuple[date, Point]], monday: date, unit: Unit) -> OneWeek:
    week = [each for day, each in dated if monday <= day < monday + timedelta(days=7)]
    return OneWeek(
        first_day=monday,
        n=len(week),
        before_meals=_median(week, unit, _IS_BEFORE),
        after_meals=_median(week, unit, _IS_AFTER),
        lows=sum(is_below(each, LOW) for each in week),
    )
