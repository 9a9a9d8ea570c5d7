"""Metrics of home blood pressure: sessions, day means, morning and evening, control and load.

All numbers are mmHg. Daily values come first (mean of a day's readings), then the mean across days,
so that a day with many readings weighs no more than another; only a protocol block averages all
readings alike, as its guideline says (`home_protocol.py`). A person has tens of cuff readings, so
these functions take the readings themselves, not arrays. May hold: pure arithmetic on cuff
readings. May not: alarms, words.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

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
        return mean([each.systolic for each in self.counted])

    @property
    def diastolic(self) -> float:
        """Mean diastolic of the session."""
        return mean([each.diastolic for each in self.counted])


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMean:
    """The mean of one local day's readings."""

    day: date
    n: int
    systolic: float
    diastolic: float

    @property
    def pulse_pressure(self) -> float:
        """Systolic minus diastolic."""
        return self.systolic - self.diastolic


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


def day_means(readings: Sequence[CuffReading], zone: str) -> list[DayMean]:
    """One mean for each local day that has readings, oldest first."""
    by_day: dict[date, list[CuffReading]] = {}
    for reading in readings:
        by_day.setdefault(local_day(reading.at, zone), []).append(reading)
    return [
        DayMean(
            day=day,
            n=len(found),
            systolic=mean([each.systolic for each in found]),
            diastolic=mean([each.diastolic for each in found]),
        )
        for day, found in sorted(by_day.items())
    ]


def in_hours(
    readings: Sequence[CuffReading], hours: tuple[int, int], zone: str
) -> list[CuffReading]:
    """The readings whose local hour lies in [from, to)."""
    return [each for each in readings if hours[0] <= local(each.at, zone).hour < hours[1]]


def control(
    found: Sequence[Session], *, systolic: float = HOME_SYSTOLIC, diastolic: float = HOME_DIASTOLIC
) -> Control:
    """How many sessions were below both limits (mmHg): 134.9/84.9 is, 135/80 is not."""

    def is_controlled(each: Session) -> bool:
        return each.systolic < systolic and each.diastolic < diastolic

    controlled = sum(map(is_controlled, found))
    return Control(sessions=len(found), controlled=controlled, loaded=len(found) - controlled)


def mean_arterial(systolic: float, diastolic: float) -> float:
    """Mean arterial pressure where the cuff sent none: (systolic + 2 diastolic) / 3, mmHg."""
    return (systolic + 2 * diastolic) / 3


def mean_of_days(found: Sequence[DayMean], value: Callable[[DayMean], float]) -> float:
    """The mean across days; NaN without days."""
    return mean([value(each) for each in found])


def mean(values: Sequence[float]) -> float:
    """The mean; NaN without values."""
    return math.fsum(values) / len(values) if values else math.nan
