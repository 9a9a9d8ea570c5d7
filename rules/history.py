"""What rules look at: one patient's measurements and the line on which they arrive.

A `History` is all that a rule may know; with `now` it determines the findings, byte for byte. May
hold: the nouns and the plain questions they answer (which readings form a cuff reading, which day
is it there). May not: thresholds, I/O, a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit, convert

# Flags that say "this value may not be what it should": kept and shown, but no alarm and no mean
# rests on them. Battery, irregular pulse and a temperature remark do not spoil the value itself,
# nor does a cold finger (low perfusion): it must not hush an alarm for want of oxygen. Source: GATT
# Specification Supplement, Blood Pressure Measurement Status and Glucose Sensor Status
# Annunciation; Pulse Oximeter Service, Measurement Status and Device and Sensor Status. Which of
# them spoil a value is an engineering choice, unconfirmed.
SUSPECT = frozenset(
    {
        Flag.BODY_MOVEMENT,
        Flag.CUFF_LOOSE,
        Flag.IMPROPER_POSITION,
        Flag.SENSOR_FAULT,
        Flag.SAMPLE_TOO_SMALL,
        Flag.STRIP_ERROR,
        Flag.READ_INTERRUPTED,
        Flag.DEVICE_FAULT,
        Flag.NO_SKIN_CONTACT,
        Flag.EARLY_ESTIMATE,
        Flag.QUESTIONABLE,
        Flag.POOR_SIGNAL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Who is judged. `targets` are the doctor's own: they go before a pack's."""

    id: int
    name: str = ""
    sex: str | None = None
    born_on: date | None = None
    conditions: tuple[str, ...] = ()
    timezone: str = "Asia/Shanghai"
    locale: str = "zh-CN"
    targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One stored measurement: value and unit as measured."""

    at: datetime
    kind: Kind
    value: float
    unit: Unit
    meal: Meal | None = None
    flags: tuple[Flag, ...] = ()
    clock: Clock = Clock.MEASURED
    device: str = ""
    sequence: int = 0

    @property
    def is_suspect(self) -> bool:
        """Did the device itself doubt the value?"""
        return bool(SUSPECT.intersection(self.flags))

    @property
    def is_unsure(self) -> bool:
        """Is the moment a guess? Then it wakes nobody and enters no mean by day."""
        return self.clock is Clock.UNSURE


@dataclass(frozen=True, slots=True, kw_only=True)
class CuffReading:
    """One reading of a cuff, in mmHg (kPa is converted: the two are one scale)."""

    at: datetime
    systolic: float
    diastolic: float
    pulse: float | None = None
    flags: tuple[Flag, ...] = ()
    clock: Clock = Clock.MEASURED
    device: str = ""

    @property
    def is_suspect(self) -> bool:
        """Did the cuff doubt the value (movement, loose, position)?"""
        return bool(SUSPECT.intersection(self.flags))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """How many measurements of a kind a local day holds, and when the newest was committed.

    `mean` and `most` are of its values; None where the day holds two units.
    """

    kind: Kind
    day: date
    n: int
    last_at: datetime
    received_at: datetime | None = None
    mean: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySeen:
    """A gateway of the patient's household, as it last reported.

    `troubles`: the short words of what it said is wrong with itself (`vitals/wire.py`).
    """

    name: str
    last_seen_at: datetime | None
    spooled: int = 0
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSeen:
    """A device of the patient, as its gateway last saw it. `kinds`: what it delivered."""

    name: str
    kinds: tuple[Kind, ...]
    last_seen_at: datetime | None
    battery_percent: int | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The way of a reading: devices, gateways, and the server's own pulse.

    `server_seen_at`: when ingest last said that it works; None: nothing is known of it.
    """

    gateways: tuple[GatewaySeen, ...] = ()
    devices: tuple[DeviceSeen, ...] = ()
    server_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that a rule may know of one patient. Points are in order of time."""

    patient: Patient
    points: tuple[Point, ...] = ()
    days: tuple[DayCount, ...] = ()
    line: Line = Line()
    _cuff: list[CuffReading] | None = field(default=None, init=False, repr=False, compare=False)
    _by_kind: dict[Kind, list[Point]] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    _trusted: dict[Kind, list[Point]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of(self, kind: Kind) -> list[Point]:
        """The points of one kind, oldest first."""
        by_kind = self._by_kind
        if by_kind is None:
            # thirty rules ask: sorted out once, and a rule whose kind is absent costs nothing
            by_kind = {}
            for each in self.points:
                by_kind.setdefault(each.kind, []).append(each)
            object.__setattr__(self, "_by_kind", by_kind)
        return by_kind.get(kind, [])

    def trusted(self, kind: Kind) -> list[Point]:
        """The points of one kind that neither the device nor our clock doubts."""
        if kind not in self._trusted:
            self._trusted[kind] = [
                each for each in self.of(kind) if not each.is_suspect and not each.is_unsure
            ]
        return self._trusted[kind]

    def cuff(self) -> list[CuffReading]:
        """The trusted cuff readings, oldest first."""
        if self._cuff is None:
            found = [
                each
                for each in cuff_readings(self.points)
                if not each.is_suspect and each.clock is not Clock.UNSURE
            ]
            # several rules ask for them: put together once
            object.__setattr__(self, "_cuff", found)
            return found
        return self._cuff

    def day_of(self, at: datetime) -> date:
        """The patient's calendar day."""
        return local_day(at, self.patient.timezone)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_day(at: datetime, zone: str) -> date:
    """The calendar day on the wall clock of a time zone; a day may have 23 or 25 hours."""
    return at.astimezone(_zone(zone)).date()


def cuff_readings(points: tuple[Point, ...] | list[Point]) -> list[CuffReading]:
    """Cuff readings: systolic, diastolic and pulse that one record of one device holds.

    A record of which only one pressure was accepted gives none.
    """
    records: dict[tuple[str, datetime, int], dict[Kind, Point]] = {}
    for point in points:
        if point.kind in (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.PULSE):
            records.setdefault((point.device, point.at, point.sequence), {})[point.kind] = point
    found = [
        _cuff_reading(parts)
        for parts in records.values()
        if Kind.SYSTOLIC in parts and Kind.DIASTOLIC in parts
    ]
    return sorted(found, key=lambda each: (each.at, each.device, each.systolic, each.diastolic))


def _cuff_reading(parts: dict[Kind, Point]) -> CuffReading:
    systolic, diastolic = parts[Kind.SYSTOLIC], parts[Kind.DIASTOLIC]
    pulse = parts.get(Kind.PULSE)
    return CuffReading(
        at=systolic.at,
        systolic=convert(systolic.value, systolic.unit, Unit.MMHG),
        diastolic=convert(diastolic.value, diastolic.unit, Unit.MMHG),
        pulse=pulse.value if pulse else None,
        flags=systolic.flags,
        clock=systolic.clock,
        device=systolic.device,
    )
