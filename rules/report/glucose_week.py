"""The finger-stick numbers of one week: by slot of the day, with lows, and the weeks before.

Values are told in the unit of most of the week's readings; lows and highs are counted in the unit
in which each was measured. No GMI and no time in range: those need continuous data. May hold: this
arithmetic. May not: words.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, median

from rules.glycemia import (
    HIGH,
    LOW,
    VERY_HIGH,
    VERY_LOW,
    Pair,
    Share,
    Slot,
    slot_of,
    wilson,
)
from rules.history import History, Point
from rules.words import local
from vitals.kinds import Kind
from vitals.measurement import Meal
from vitals.units import Unit, convert

# mmol/L, mg/dL; 中国糖尿病防治指南（2024版）, fasting and pre-meal 4.4-7.0
FASTING_FROM = Pair(mmol_per_l=4.4, mg_per_dl=80)
FASTING_TO = Pair(mmol_per_l=7.0, mg_per_dl=126)
# slots that have the fasting target; every other has 3.9 to below 10.0
BEFORE_MEALS = (Slot.FASTING, Slot.BEFORE_LUNCH, Slot.BEFORE_DINNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow:
    """One slot of the day over the week; values in the week's unit."""

    slot: Slot
    n: int
    mean: float
    median: float
    min: float
    max: float
    in_target: Share
    lows: int
    very_highs: int


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
    history: History, *, first_day: date, last_day: date, weeks_before: int = 4
) -> GlucoseWeek | None:
    """The numbers of a week, None where it has no trusted glucose reading."""
    dated = [(history.day_of(each.at), each) for each in history.trusted(Kind.GLUCOSE)]
    week = [each for day, each in dated if first_day <= day <= last_day]
    if not week:
        return None
    counts = Counter(each.unit for each in week)
    unit = max(counts, key=lambda each: (counts[each], each is Unit.MMOL_PER_L))
    zone = history.patient.timezone
    rows = [_row(slot, _of_slot(week, slot, zone), unit) for slot in Slot]
    found = [each for each in rows if each is not None]
    charted = last_day - timedelta(days=27)
    return GlucoseWeek(
        unit=unit,
        n=len(week),
        slots=tuple(found),
        in_target=wilson(sum(each.in_target.k for each in found), len(week)),
        before_meals=_median(week, unit, _IS_BEFORE),
        after_meals=_median(week, unit, _IS_AFTER),
        lows=tuple(each for each in week if is_low(each)),
        very_lows=sum(each.value < VERY_LOW.in_unit(each.unit) for each in week),
        very_highs=tuple(each for each in week if each.value > VERY_HIGH.in_unit(each.unit)),
        weeks=tuple(
            _one_week(dated, first_day - timedelta(days=7 * ago), unit)
            for ago in range(weeks_before, -1, -1)
        ),
        points=tuple(each for day, each in dated if charted <= day <= last_day),
    )


def slot_at(point: Point, zone: str) -> Slot:
    """The slot of one reading on the patient's clock."""
    there = local(point.at, zone)
    return slot_of(point.meal, there.hour + there.minute / 60)


def is_low(point: Point) -> bool:
    """Below 3.9 mmol/L or 70 mg/dL, in its own unit?"""
    return point.value < LOW.in_unit(point.unit)


def is_in_target(point: Point, slot: Slot) -> bool:
    """Before meals 4.4-7.0; otherwise 3.9 to below 10.0; in its own unit."""
    if slot in BEFORE_MEALS:
        return FASTING_FROM.in_unit(point.unit) <= point.value <= FASTING_TO.in_unit(point.unit)
    return LOW.in_unit(point.unit) <= point.value < HIGH.in_unit(point.unit)


_IS_BEFORE = frozenset({Meal.FASTING, Meal.PREPRANDIAL})
_IS_AFTER = frozenset({Meal.POSTPRANDIAL})


def _of_slot(points: Sequence[Point], slot: Slot, zone: str) -> list[Point]:
    return [each for each in points if slot_at(each, zone) is slot]


def _row(slot: Slot, points: Sequence[Point], unit: Unit) -> SlotRow | None:
    if not points:
        return None
    values = [convert(each.value, each.unit, unit) for each in points]
    return SlotRow(
        slot=slot,
        n=len(points),
        mean=fmean(values),
        median=median(values),
        min=min(values),
        max=max(values),
        in_target=wilson(sum(is_in_target(each, slot) for each in points), len(points)),
        lows=sum(map(is_low, points)),
        very_highs=sum(each.value > VERY_HIGH.in_unit(each.unit) for each in points),
    )


def _median(points: Sequence[Point], unit: Unit, meals: frozenset[Meal]) -> float | None:
    values = [convert(each.value, each.unit, unit) for each in points if each.meal in meals]
    return median(values) if values else None


def _one_week(dated: Sequence[tuple[date, Point]], monday: date, unit: Unit) -> OneWeek:
    week = [each for day, each in dated if monday <= day < monday + timedelta(days=7)]
    return OneWeek(
        first_day=monday,
        n=len(week),
        before_meals=_median(week, unit, _IS_BEFORE),
        after_meals=_median(week, unit, _IS_AFTER),
        lows=sum(map(is_low, week)),
    )
