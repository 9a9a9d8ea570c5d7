"""Stories of what is measured once a day: oxygen, weight, temperature.

The same way as `story.py`: by seed alone, the same for any division of the time; the shapes are
engineering choices. Pure. May hold: these shapes. May not: devices, names of people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from simulator.chance import normal, wave
from simulator.record import OximeterRecord, Record, TemperatureRecord, WeightRecord
from simulator.story import SHANGHAI, at_clock, between


@dataclass(frozen=True, slots=True, kw_only=True)
class OxygenStory:
    """One spot check each evening: oxygen in per cent, pulse in beats per minute."""

    seed: str
    begins: date
    spo2_percent: float = 96.0
    pulse_per_minute: float = 71.0
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time."""
        return between(start, end, self.zone, self._of_day)

    def _of_day(self, day: date) -> Iterator[OximeterRecord]:
        spo2 = min(100.0, self.spo2_percent + normal(self.seed, day, "spo2"))
        pulse = self.pulse_per_minute + 3 * normal(self.seed, day, "pulse")
        yield OximeterRecord(
            at=at_clock(day, time(21), self.zone),
            spo2=Decimal(round(spo2)),
            pulse=Decimal(round(pulse)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStory:
    """One weighing each morning, in kg; body fat in per cent where the scale tells it."""

    seed: str
    begins: date
    weight_kg: float = 66.0
    drift_kg_per_day: float = 0.0
    body_fat_percent: float | None = None
    user: int | None = None
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time."""
        return between(start, end, self.zone, self._of_day)

    def _of_day(self, day: date) -> Iterator[WeightRecord]:
        days = (day - self.begins).days
        weight = self.weight_kg + self.drift_kg_per_day * days + 0.4 * wave(days, 9)
        weight += 0.2 * normal(self.seed, day, "weight")
        fat = None
        if self.body_fat_percent is not None:
            level = self.body_fat_percent + 0.4 * normal(self.seed, day, "fat")
            fat = Decimal(f"{level:.1f}")
        yield WeightRecord(
            at=at_clock(day, time(6, 45), self.zone),
            weight=Decimal(f"{weight:.1f}"),
            body_fat=fat,
            user=self.user,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureStory:
    """One temperature each morning, in °C, in the ear."""

    seed: str
    begins: date
    temperature_celsius: float = 36.5
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time."""
        return between(start, end, self.zone, self._of_day)

    def _of_day(self, day: date) -> Iterator[TemperatureRecord]:
        level = self.temperature_celsius + 0.15 * normal(self.seed, day, "temperature")
        # 3 is the ear
        yield TemperatureRecord(
            at=at_clock(day, time(6, 50), self.zone), value=Decimal(f"{level:.1f}"), place=3
        )
