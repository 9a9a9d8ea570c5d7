"""A person who wears a glucose sensor: a value every few minutes, with meals, lows and gaps.

The shape is an engineering choice, made to be recognised on a page, not taken from patients: three
meals of three sizes, a rise at dawn, a slow wander, now and then a low at night. The same for any
division of the time. Pure. May hold: this shape. May not: devices, names of people.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from simulator.chance import normal, uniform
from simulator.record import SensorRecord
from simulator.story import SHANGHAI, at_clock
from vitals.units import Unit, convert

# local hour, rise in mmol/L at its height, minutes until then
_MEALS = ((7.2, 4.2, 60.0), (12.0, 3.4, 65.0), (18.3, 4.6, 75.0))
# a sensor that is changed gives nothing so long, minutes
_CHANGE_MIN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorStory:
    """Values in mg/dL, as sensors tell them, every `step_min` minutes.

    `level`: mmol/L between meals; `meals`: how high they go, 1 is usual. `lows`: days since
    `begins` with a low before dawn; `changes`: days on which the sensor is changed at noon; `off`:
    days on which none is worn. `received`: how many of its values arrive.
    """

    seed: str
    begins: date
    level: float = 7.0
    meals: float = 1.0
    wander: float = 0.8
    lows: frozenset[int] = field(default_factory=frozenset)
    changes: frozenset[int] = field(default_factory=frozenset)
    off: frozenset[int] = field(default_factory=frozenset)
    received: float = 0.98
    step_min: int = 5
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[SensorRecord]:
        """Everything in [start, end), in order of time."""
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        found: list[SensorRecord] = []
        while day <= last:
            found += [each for each in self._of_day(day) if start <= each.at < end]
            day += timedelta(days=1)
        return found

    def _of_day(self, day: date) -> Iterator[SensorRecord]:
        days = (day - self.begins).days
        if days in self.off:
            return
        midnight = at_clock(day, time(0), self.zone)
        shape = _Day(self, day)
        for minute in range(0, 24 * 60, self.step_min):
            is_changing = days in self.changes and 0 <= minute - 720 < _CHANGE_MIN
            if is_changing or uniform(self.seed, day, minute, "received") > self.received:
                continue
            value = convert(shape.at(minute / 60), Unit.MMOL_PER_L, Unit.MG_PER_DL)
            yield SensorRecord(at=midnight + timedelta(minutes=minute), value=Decimal(round(value)))


class _Day:
    """What this day's curve is made of."""

    def __init__(self, story: SensorStory, day: date) -> None:
        seed = story.seed
        self._story, self._day = story, day
        self._low = (day - story.begins).days in story.lows
        # hours and heights of the meals of this day
        self._meals = [
            (
                hour + 0.4 * normal(seed, day, number, "hour"),
                story.meals * rise * (1 + 0.28 * normal(seed, day, number, "rise")),
                minutes / 60,
            )
            for number, (hour, rise, minutes) in enumerate(_MEALS)
        ]
        # a slow wander through one number every two hours, joined by half waves
        self._wander = [self._place(day, number) for number in range(12)]
        self._wander.append(self._place(day + timedelta(days=1), 0))

    def at(self, hour: float) -> float:
        """mmol/L at this hour of the day."""
        story = self._story
        dawn = 1.3 * math.exp(-(((hour - 6.0) / 1.8) ** 2))
        fed = sum(rise * _meal((hour - at) / peak) for at, rise, peak in self._meals)
        place, share = divmod(hour / 2, 1)
        share = (1 - math.cos(math.pi * share)) / 2
        before, after = self._wander[int(place)], self._wander[int(place) + 1]
        value = story.level + dawn + fed + before + (after - before) * share
        if self._low:
            # down to about 2.8 at three in the morning, for most of an hour
            depth = math.exp(-(((hour - 3.0) / 0.75) ** 4))
            value += (2.8 - value) * depth
        noise = 0.12 * normal(story.seed, self._day, round(hour * 60), "noise")
        return max(2.3, min(24.0, value + noise))

    def _place(self, day: date, number: int) -> float:
        return self._story.wander * normal(self._story.seed, day, number, "wander")


def _meal(times_peak: float) -> float:
    """The rise after a meal, 1 at its height; `times_peak` in times of the way there."""
    return times_peak**2 * math.exp(2 * (1 - times_peak)) if times_peak > 0 else 0.0
