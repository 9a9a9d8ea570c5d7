"""Metrics of finger-sticks: by slot of the day, with how sure a share of a few readings is.

From a few points a day there is no time in range, no GMI and no eA1c: none is computed here. Lows
and highs are counted in the unit in which each was measured; means are told in the unit of most
readings. LO and HI are counted as low and high and enter no mean. May hold: this arithmetic on
points. May not: which slot is which (`slot.py`), words.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, median, stdev

import numpy as np

from rules.history import Point, local_day
from rules.metrics.cgm import risk_indices
from rules.metrics.glucose_band import LOW, VERY_HIGH, VERY_LOW
from rules.metrics.share import Share, wilson
from rules.metrics.slot import (
    MEALS,
    Slot,
    is_above,
    is_below,
    is_coded,
    is_in_target,
    slot_at,
)
from vitals.measurement import Flag
from vitals.units import Unit, convert

# readings below which the spread of fasting values says nothing (clinical reference §2.2)
_FASTING_N = 7
# hours between the readings before and after one meal, at most (clinical reference §2.2)
_MEAL_H = 3
# readings a day and days of fourteen that risk indices need; unconfirmed (clinical reference §2.2)
_RISK_A_DAY, _RISK_DAYS, _RISK_OF_DAYS = 3, 10, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow:
    """One slot of the day; values in the unit of the whole, NaN where all were LO or HI.

    `worst` is the lowest reading where one was low, else the highest.
    """

    slot: Slot
    n: int
    mean: float
    median: float
    min: float
    max: float
    in_target: Share
    lows: int
    very_lows: int
    very_highs: int
    worst: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class MealDelta:
    """What one meal did: the reading after it minus the one before, in the unit of the whole."""

    before: Point
    after: Point
    delta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Smbg:
    """The metrics of some days of finger-sticks.

    `fasting_sd` and `fasting_cv` (per cent) are None below seven fasting values; `risk` (LBGI,
    HBGI) is None below three readings a day on ten of fourteen days.
    """

    unit: Unit
    n: int
    days: int
    coded_low: int
    coded_high: int
    slots: tuple[SlotRow, ...]
    in_target: Share
    lows: tuple[Point, ...]
    very_lows: int
    very_highs: tuple[Point, ...]
    fasting_sd: float | None
    fasting_cv: float | None
    meals: tuple[MealDelta, ...]
    risk: tuple[float, float] | None


def smbg(points: Sequence[Point], zone: str) -> Smbg | None:
    """The metrics of finger-sticks in any order; None without any."""
    if not points:
        return None
    ordered = sorted(points, key=lambda each: (each.at, each.device, each.sequence))
    unit = unit_of(ordered)
    by_slot: dict[Slot, list[Point]] = {}
    for each in ordered:
        by_slot.setdefault(slot_at(each, zone), []).append(each)
    rows = tuple(_row(slot, by_slot[slot], unit) for slot in Slot if slot in by_slot)
    fasting = _spread(numbers(by_slot.get(Slot.FASTING, []), unit))
    return Smbg(
        unit=unit,
        n=len(ordered),
        days=len({local_day(each.at, zone) for each in ordered}),
        coded_low=sum(Flag.RESULT_TOO_LOW in each.flags for each in ordered),
        coded_high=sum(Flag.RESULT_TOO_HIGH in each.flags for each in ordered),
        slots=rows,
        in_target=wilson(sum(each.in_target.k for each in rows), len(ordered)),
        lows=tuple(each for each in ordered if is_below(each, LOW)),
        very_lows=sum(is_below(each, VERY_LOW) for each in ordered),
        very_highs=tuple(each for each in ordered if is_above(each, VERY_HIGH)),
        fasting_sd=fasting[0] if fasting else None,
        fasting_cv=fasting[1] if fasting else None,
        meals=tuple(_meals(by_slot, unit)),
        risk=_risk(ordered, zone),
    )


def unit_of(points: Sequence[Point]) -> Unit:
    """The unit of most readings; mmol/L where there are as many of each."""
    counts = Counter(each.unit for each in points)
    return max(counts, key=lambda each: (counts[each], each is Unit.MMOL_PER_L))


def numbers(points: Sequence[Point], unit: Unit) -> list[float]:
    """The readings that are numbers, in this unit."""
    return [convert(each.value, each.unit, unit) for each in points if not is_coded(each)]


def _row(slot: Slot, points: Sequence[Point], unit: Unit) -> SlotRow:
    values = numbers(points, unit) or [math.nan]
    return SlotRow(
        slot=slot,
        n=len(points),
        mean=fmean(values),
        median=median(values),
        min=min(values),
        max=max(values),
        in_target=wilson(sum(is_in_target(each, slot) for each in points), len(points)),
        lows=sum(is_below(each, LOW) for each in points),
        very_lows=sum(is_below(each, VERY_LOW) for each in points),
        very_highs=sum(is_above(each, VERY_HIGH) for each in points),
        worst=_worst(points),
    )


def _worst(points: Sequence[Point]) -> Point:
    lowest = min(points, key=rank)
    return lowest if is_below(lowest, LOW) else max(points, key=rank)


def rank(point: Point) -> float:
    """Where a reading stands among others: in mmol/L, LO before and HI after every number."""
    if is_coded(point):
        return -math.inf if Flag.RESULT_TOO_LOW in point.flags else math.inf
    return convert(point.value, point.unit, Unit.MMOL_PER_L)


def _spread(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < _FASTING_N:
        return None
    sd = stdev(values)
    return sd, 100 * sd / fmean(values)


def _meals(by_slot: dict[Slot, list[Point]], unit: Unit) -> list[MealDelta]:
    """Each reading after a meal with the newest one before it, at most three hours earlier."""
    found = []
    for after_slot, before_slot in MEALS.items():
        before = [each for each in by_slot.get(before_slot, []) if not is_coded(each)]
        for after in by_slot.get(after_slot, []):
            near = [
                each
                for each in before
                if timedelta(0) < after.at - each.at <= timedelta(hours=_MEAL_H)
            ]
            if near and not is_coded(after):
                delta = _in(after, unit) - _in(near[-1], unit)
                found.append(MealDelta(before=near[-1], after=after, delta=delta))
    return sorted(found, key=lambda each: each.after.at)


def _in(point: Point, unit: Unit) -> float:
    return convert(point.value, point.unit, unit)


def _risk(points: Sequence[Point], zone: str) -> tuple[float, float] | None:
    if not points:
        return None
    newest = local_day(points[-1].at, zone)
    since = newest - timedelta(days=_RISK_OF_DAYS - 1)
    there = [each for each in points if local_day(each.at, zone) >= since and not is_coded(each)]
    a_day = Counter(local_day(each.at, zone) for each in there)
    if sum(n >= _RISK_A_DAY for n in a_day.values()) < _RISK_DAYS:
        return None
    return risk_indices(np.asarray(numbers(there, Unit.MG_PER_DL)))
