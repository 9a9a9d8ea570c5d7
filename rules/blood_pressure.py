"""Metrics of home blood pressure, each in one place: sessions, blocks, means, spread, control.

All numbers are mmHg. Daily values come first (mean of a day's readings), then the mean across days,
so that a day with many readings weighs no more than another; only a protocol block averages all
readings alike, as its guideline says. May hold: pure arithmetic on cuff readings. May not: alarms,
words.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np

from rules.history import CuffReading, local_day
from rules.words import local

# minutes between readings of one session; engineering choice
SESSION_GAP_MIN = 10
# mmHg; home equivalent of 140/90 in the office: China 2024, primary care 2025, ESH, NICE NG136
HOME_SYSTOLIC, HOME_DIASTOLIC = 135.0, 85.0
# Local hours of morning and evening readings. The 2019 Chinese home guideline asks for 6-9 and
# 18-21; readings near them are taken in, an engineering choice, unconfirmed.
MORNING_H = (4, 12)
EVENING_H = (17, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Readings at most ten minutes apart. Means leave the first of three or more out."""

    readings: tuple[CuffReading, ...]

    @property
    def counted(self) -> tuple[CuffReading, ...]:
        """The readings that the means are made of."""
        return self.readings[1:] if len(self.readings) >= 3 else self.readings

    @property
    def systolic(self) -> float:
        """Mean systolic of the session."""
        return _mean([each.systolic for each in self.counted])

    @property
    def diastolic(self) -> float:
        """Mean diastolic of the session."""
        return _mean([each.diastolic for each in self.counted])


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a guideline averages home readings: window, least evidence, is day one dropped."""

    id: str
    window_days: int
    min_days: int
    min_readings: int
    preliminary_readings: int
    drops_first_day: bool


# 国家基层高血压防治管理指南 2025 §4.1-4.2: all readings of 5-7 days, at least 3 days and 12
# readings, nothing dropped. Calling 6-11 readings preliminary: engineering choice, unconfirmed.
CN2025 = Protocol(
    id="CN2025",
    window_days=7,
    min_days=3,
    min_readings=12,
    preliminary_readings=6,
    drops_first_day=False,
)
PROTOCOLS = {CN2025.id: CN2025}


class Standing(StrEnum):
    """What a block may be used for."""

    VALID = "valid"
    PRELIMINARY = "preliminary"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The average over one protocol block; means are NaN where there is no reading."""

    protocol: str
    first_day: date
    last_day: date
    days: int
    n: int
    systolic: float
    diastolic: float
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMean:
    """The mean of one local day's readings."""

    day: date
    n: int
    systolic: float
    diastolic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """n, mean, SD (n - 1), CV in per cent and ARV of a series; NaN where undefined."""

    n: int
    mean: float
    sd: float
    cv: float
    arv: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Of `sessions`, how many were below both limits, and how many at or above either."""

    sessions: int
    controlled: int
    loaded: int

    @property
    def rate_percent(self) -> float:
        """Per cent of sessions below both limits; NaN without sessions."""
        return 100 * self.controlled / self.sessions if self.sessions else math.nan

    @property
    def load_percent(self) -> float:
        """Per cent of sessions at or above either limit; NaN without sessions."""
        return 100 * self.loaded / self.sessions if self.sessions else math.nan


def sessions(readings: Sequence[CuffReading]) -> list[Session]:
    """Readings in order of time, grouped where they are at most ten minutes apart."""
    groups: list[list[CuffReading]] = []
    for reading in sorted(readings, key=lambda each: each.at):
        gap = timedelta(minutes=SESSION_GAP_MIN)
        if groups and reading.at - groups[-1][-1].at <= gap:
            groups[-1].append(reading)
        else:
            groups.append([reading])
    return [Session(readings=tuple(group)) for group in groups]


def block(
    readings: Sequence[CuffReading], *, last_day: date, zone: str, protocol: Protocol = CN2025
) -> Block:
    """The block that ends with `last_day`, of the patient's own days."""
    dated = [(local_day(each.at, zone), each) for each in readings]
    return dated_block(dated, last_day=last_day, protocol=protocol)


def dated_block(
    dated: Sequence[tuple[date, CuffReading]], *, last_day: date, protocol: Protocol = CN2025
) -> Block:
    """The block that ends with `last_day`, of readings with their local days."""
    first_day = last_day - timedelta(days=protocol.window_days - 1)
    inside = [(day, each) for day, each in dated if first_day <= day <= last_day]
    if protocol.drops_first_day and inside:
        begun = min(day for day, _ in inside)
        inside = [(day, each) for day, each in inside if day != begun]
    measured = {day for day, _ in inside}
    return Block(
        protocol=protocol.id,
        first_day=first_day,
        last_day=last_day,
        days=len(measured),
        n=len(inside),
        systolic=_mean([each.systolic for _, each in inside]),
        diastolic=_mean([each.diastolic for _, each in inside]),
        standing=standing(days=len(measured), n=len(inside), protocol=protocol),
    )


def standing(*, days: int, n: int, protocol: Protocol) -> Standing:
    """Is that much evidence valid, preliminary or insufficient under this protocol?"""
    if days >= protocol.min_days and n >= protocol.min_readings:
        return Standing.VALID
    return Standing.PRELIMINARY if n >= protocol.preliminary_readings else Standing.INSUFFICIENT


def day_means(readings: Sequence[CuffReading], zone: str) -> list[DayMean]:
    """One mean for each local day that has readings, oldest first."""
    by_day: dict[date, list[CuffReading]] = {}
    for reading in readings:
        by_day.setdefault(local_day(reading.at, zone), []).append(reading)
    return [
        DayMean(
            day=day,
            n=len(found),
            systolic=_mean([each.systolic for each in found]),
            diastolic=_mean([each.diastolic for each in found]),
        )
        for day, found in sorted(by_day.items())
    ]


def in_hours(
    readings: Sequence[CuffReading], hours: tuple[int, int], zone: str
) -> list[CuffReading]:
    """The readings whose local hour lies in [from, to)."""
    return [each for each in readings if hours[0] <= local(each.at, zone).hour < hours[1]]


def spread(values: Sequence[float]) -> Spread:
    """Mean and variability of values in order of time.

    ARV is the mean absolute difference of successive values (Mena 2005; R package bp).
    120, 130, 126: ARV = (10 + 4) / 2 = 7.
    """
    series = np.asarray(values, dtype=np.float64)
    n = len(series)
    mean = float(series.mean()) if n else math.nan
    sd = float(series.std(ddof=1)) if n > 1 else math.nan
    arv = float(np.abs(np.diff(series)).mean()) if n > 1 else math.nan
    return Spread(n=n, mean=mean, sd=sd, cv=100 * sd / mean, arv=arv)


def control(
    found: Sequence[Session], *, systolic: float = HOME_SYSTOLIC, diastolic: float = HOME_DIASTOLIC
) -> Control:
    """How many sessions were below both limits (mmHg): 134.9/84.9 is, 135/80 is not."""

    def is_controlled(each: Session) -> bool:
        return each.systolic < systolic and each.diastolic < diastolic

    controlled = sum(map(is_controlled, found))
    return Control(sessions=len(found), controlled=controlled, loaded=len(found) - controlled)


def mean_of_days(found: Sequence[DayMean], value: Callable[[DayMean], float]) -> float:
    """The mean across days; NaN without days."""
    return _mean([value(each) for each in found])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
