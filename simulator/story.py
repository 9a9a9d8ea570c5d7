"""Patients with a story: what their devices will measure, as long as one asks.

Each story is a frozen dataclass with the person's numbers and `records(start, end)`: everything
that is measured in [start, end), by seed alone, the same for any division of the time. Pressures in
mmHg, glucose in mmol/L, whatever unit the device shows. The shapes are engineering choices, made to
be recognised on a page, not taken from patients. Pure. May hold: these shapes. May not: devices,
names of people.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from simulator.chance import normal, uniform, wave
from simulator.record import CuffRecord, GlucoseRecord, HeartRateRecord, Record
from vitals.measurement import Meal
from vitals.units import Unit, convert

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Story(Protocol):
    """Whatever can tell what was measured in a stretch of time."""

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time; both must be aware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressureStory:
    """Cuff readings of one person, mornings and evenings, twice each.

    `systolic`, `diastolic`: mmHg on the day `begins`; `drift_mmhg_per_day` is added to the systolic
    each day, 0.45 of it to the diastolic. `measures`: how likely a session takes place.
    """

    seed: str
    begins: date
    systolic: float
    diastolic: float
    drift_mmhg_per_day: float = 0.0
    day_sd_mmhg: float = 4.0
    reading_sd_mmhg: float = 2.5
    evening_mmhg: float = -3.0
    pulse_per_minute: float = 70.0
    measures: float = 0.95
    irregular: float = 0.0
    unit: Unit = Unit.MMHG
    user: int | None = None
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time."""
        return between(start, end, self.zone, self._of_day)

    def _of_day(self, day: date) -> Iterator[CuffRecord]:
        for session, clock in (("morning", time(7)), ("evening", time(20))):
            if uniform(self.seed, day, session, "measures") > self.measures:
                continue
            minutes = 15 * normal(self.seed, day, session, "minutes")
            at = at_clock(day, clock, self.zone) + timedelta(seconds=round(60 * minutes))
            yield self._reading(day, session, 1, at)
            yield self._reading(day, session, 2, at + timedelta(seconds=75))

    def _reading(self, day: date, session: str, number: int, at: datetime) -> CuffRecord:
        days = (day - self.begins).days
        level = self.drift_mmhg_per_day * days + 1.5 * wave(days, 9)
        level += self.day_sd_mmhg * normal(self.seed, day, session, "level")
        level += self.evening_mmhg if session == "evening" else 0
        # the first of two readings runs higher
        level += 1.5 if number == 1 else -0.5
        noise = self.reading_sd_mmhg * normal(self.seed, day, session, number, "systolic")
        systolic = self.systolic + level + noise
        noise = 0.7 * self.reading_sd_mmhg * normal(self.seed, day, session, number, "diastolic")
        diastolic = min(self.diastolic + 0.45 * level + noise, systolic - 20)
        pulse = self.pulse_per_minute + 4 * normal(self.seed, day, session, number, "pulse")
        irregular = uniform(self.seed, day, session, number, "irregular") < self.irregular
        return CuffRecord(
            at=at,
            systolic=self._pressure(systolic),
            diastolic=self._pressure(diastolic),
            mean=self._pressure(diastolic + (systolic - diastolic) / 3),
            pulse=Decimal(round(pulse)),
            unit=self.unit,
            user=self.user,
            irregular_pulse=irregular,
        )

    def _pressure(self, mmhg: float) -> Decimal:
        if self.unit is Unit.KPA:
            return Decimal(f"{convert(mmhg, Unit.MMHG, Unit.KPA):.1f}")
        return Decimal(round(mmhg))


# the tests of a day: name, local time, meal, and how much of the rise after a meal they see
_TESTS: tuple[tuple[str, time, Meal, float], ...] = (
    ("fasting", time(6, 40), Meal.FASTING, 0.0),
    ("breakfast", time(9, 10), Meal.POSTPRANDIAL, 1.0),
    ("lunch", time(13, 40), Meal.POSTPRANDIAL, 0.85),
    ("before_dinner", time(17, 30), Meal.PREPRANDIAL, 0.15),
    ("dinner", time(20, 10), Meal.POSTPRANDIAL, 0.95),
    ("bedtime", time(22, 0), Meal.BEDTIME, 0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseStory:
    """Finger-stick tests of one person, two to four a day, with the meal they belong to.

    `fasting`, `after_meal`: mmol/L. `day_sd`, `test_sd`: mmol/L. `lows`: days since `begins` on
    which the test before dinner is low (between 3.2 and 3.8 mmol/L).
    """

    seed: str
    begins: date
    fasting: float
    after_meal: float
    drift_per_day: float = 0.0
    day_sd: float = 0.5
    test_sd: float = 0.7
    tests_per_day: float = 3.0
    measures: float = 0.97
    lows: frozenset[int] = field(default_factory=frozenset)
    control_every_days: int = 0
    unit: Unit = Unit.MMOL_PER_L
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time."""
        return between(start, end, self.zone, self._of_day)

    def _of_day(self, day: date) -> Iterator[GlucoseRecord]:
        days = (day - self.begins).days
        if self.control_every_days and days % self.control_every_days == 0:
            at = at_clock(day, time(6, 30), self.zone)
            shown = self._shown(6.4)
            yield GlucoseRecord(at=at, value=shown, unit=self.unit, control_solution=True)
        if uniform(self.seed, day, "measures") > self.measures:
            return
        wanted = self._tests(day)
        for name, clock, meal, rise in _TESTS:
            low = days in self.lows and name == "before_dinner"
            if name in wanted or low:
                minutes = 12 * normal(self.seed, day, name, "minutes")
                at = at_clock(day, clock, self.zone) + timedelta(seconds=round(60 * minutes))
                usual = self._value(day, name, rise)
                value = 3.5 + 0.1 * normal(self.seed, day, "low") if low else usual
                yield GlucoseRecord(at=at, value=self._shown(value), unit=self.unit, meal=meal)

    def _tests(self, day: date) -> set[str]:
        """Fasting, and one to three more: the likeliest of the day."""
        number = round(self.tests_per_day - 1 + 0.6 * normal(self.seed, day, "number"))
        others = [name for name, *_ in _TESTS[1:]]
        others.sort(key=lambda name: uniform(self.seed, day, name, "wanted"))
        return {"fasting", *others[: max(1, min(3, number))]}

    def _value(self, day: date, name: str, rise: float) -> float:
        days = (day - self.begins).days
        level = self.fasting + self.drift_per_day * days + 0.3 * wave(days, 11)
        level += self.day_sd * normal(self.seed, day, "level")
        level += rise * (self.after_meal - self.fasting)
        spread = self.test_sd * (0.5 + rise)
        # 4.2 mmol/L: only `lows` are low; 24 mmol/L: only emergencies are higher
        return max(4.2, min(24.0, level + spread * normal(self.seed, day, name, "value")))

    def _shown(self, mmol_per_l: float) -> Decimal:
        if self.unit is Unit.MG_PER_DL:
            return Decimal(round(convert(mmol_per_l, Unit.MMOL_PER_L, Unit.MG_PER_DL)))
        return Decimal(f"{mmol_per_l:.1f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRateStory:
    """One spell of heart rate a day from a wristband, some time in the morning."""

    seed: str
    begins: date
    resting_per_minute: float = 66.0
    measures: float = 0.9
    values: int = 12
    zone: ZoneInfo = SHANGHAI

    def records(self, start: datetime, end: datetime) -> list[Record]:
        """Everything in [start, end), in order of time."""
        return between(start, end, self.zone, self._of_day)

    def _of_day(self, day: date) -> Iterator[HeartRateRecord]:
        if uniform(self.seed, day, "measures") > self.measures:
            return
        minutes = 40 * normal(self.seed, day, "minutes")
        level = self.resting_per_minute + 3 * normal(self.seed, day, "level")
        rates = (level + 2 * normal(self.seed, day, n, "rate") for n in range(self.values))
        yield HeartRateRecord(
            at=at_clock(day, time(10), self.zone) + timedelta(seconds=round(60 * minutes)),
            rates=tuple(round(rate) for rate in rates),
        )


class _OfDay(Protocol):
    def __call__(self, day: date, /) -> Iterator[Record]: ...


def between(start: datetime, end: datetime, zone: ZoneInfo, of_day: _OfDay) -> list[Record]:
    """Everything that days tell, in [start, end) and in order of time."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    found: list[Record] = []
    while day <= last:
        found += [each for each in of_day(day) if start <= each.at < end]
        day += timedelta(days=1)
    return sorted(found, key=lambda each: each.at)


def at_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which clocks of this zone show this."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
