"""The blood-pressure numbers of one week: block, morning, evening, spread, control, earlier weeks.

Every mean here is the mean of all readings (the way of protocol CN2025), so that the rows of a
table agree with each other; spread is over day means. May hold: this arithmetic. May not: words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rules.history import CuffReading, History
from rules.metrics.blood_pressure import (
    EVENING_H,
    HOME_DIASTOLIC,
    HOME_SYSTOLIC,
    MORNING_H,
    Control,
    DayMean,
    control,
    day_means,
    in_hours,
    sessions,
)
from rules.metrics.home_protocol import Block, Standing, dated_block
from rules.metrics.spread import Spread, spread

_Dated = Sequence[tuple[date, CuffReading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOfDay:
    """Readings of a part of the day: how many, their means and spreads in mmHg."""

    n: int
    systolic: Spread
    diastolic: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """One reading that stands out."""

    at: datetime
    systolic: float
    diastolic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureWeek:
    """The week's numbers, mmHg; `before` are the blocks of earlier weeks, oldest first.

    `change` is systolic and diastolic against the newest valid block before, None without one.
    `limit` is the doctor's own target, else the home reference line.
    """

    block: Block
    whole: PartOfDay
    morning: PartOfDay
    evening: PartOfDay
    day_systolic: Spread
    day_diastolic: Spread
    pulse: Spread
    control: Control
    highest: Extreme
    lowest: Extreme
    before: tuple[Block, ...]
    change: tuple[float, float] | None
    days: tuple[DayMean, ...]
    limit: tuple[float, float]
    limit_is_personal: bool


def pressure_week(
    history: History, *, first_day: date, last_day: date, weeks_before: int = 4
) -> PressureWeek | None:
    """The numbers of a week, None where it has no trusted cuff reading."""
    zone = history.patient.timezone
    dated = [(history.day_of(each.at), each) for each in history.cuff()]
    week = [each for day, each in dated if first_day <= day <= last_day]
    if not week:
        return None
    before = [
        dated_block(dated, last_day=first_day - timedelta(days=7 * ago + 1))
        for ago in range(weeks_before - 1, -1, -1)
    ]
    block = dated_block(dated, last_day=last_day)
    means = day_means(week, zone)
    limit, is_personal = limit_of(history)
    return PressureWeek(
        block=block,
        whole=_part(week),
        morning=_part(in_hours(week, MORNING_H, zone)),
        evening=_part(in_hours(week, EVENING_H, zone)),
        day_systolic=spread([each.systolic for each in means]),
        day_diastolic=spread([each.diastolic for each in means]),
        pulse=spread([each.pulse for each in week if each.pulse is not None]),
        control=control(sessions(week), systolic=limit[0], diastolic=limit[1]),
        highest=_extreme(max(week, key=lambda each: (each.systolic, each.diastolic))),
        lowest=_extreme(min(week, key=lambda each: (each.systolic, each.diastolic))),
        before=tuple(before),
        change=_change(block, before),
        days=tuple(_charted(dated, zone, last_day)),
        limit=limit,
        limit_is_personal=is_personal,
    )


def limit_of(history: History) -> tuple[tuple[float, float], bool]:
    """Systolic and diastolic that the week is compared with, and whether the doctor set them."""
    targets = history.patient.targets
    systolic = float(targets.get("systolic_mmhg", HOME_SYSTOLIC))
    diastolic = float(targets.get("diastolic_mmhg", HOME_DIASTOLIC))
    return (systolic, diastolic), bool({"systolic_mmhg", "diastolic_mmhg"} & targets.keys())


def _part(readings: Sequence[CuffReading]) -> PartOfDay:
    return PartOfDay(
        n=len(readings),
        systolic=spread([each.systolic for each in readings]),
        diastolic=spread([each.diastolic for each in readings]),
    )


def _extreme(reading: CuffReading) -> Extreme:
    return Extreme(at=reading.at, systolic=reading.systolic, diastolic=reading.diastolic)


def _change(block: Block, before: Sequence[Block]) -> tuple[float, float] | None:
    valid = [each for each in before if each.standing is Standing.VALID]
    if block.standing is not Standing.VALID or not valid:
        return None
    return block.systolic - valid[-1].systolic, block.diastolic - valid[-1].diastolic


def _charted(dated: _Dated, zone: str, last_day: date) -> list[DayMean]:
    first = last_day - timedelta(days=27)
    return day_means([each for day, each in dated if first <= day <= last_day], zone)
