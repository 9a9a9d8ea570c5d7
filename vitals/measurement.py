"""Reading and Measurement: what a device said, and what we keep of it.

A *Reading* is one record of one device: raw bytes, the device's own clock, no patient. It may carry
several values (a cuff gives systolic, diastolic, mean and pulse). A *Measurement* is one value
placed in UTC time, with unit as measured, with the doubt attached. Its identity is frozen when the
gateway reads the record: every resend carries the same, so that a second arrival is a no-op.
May hold: the two nouns, their parts and their identity. May not: I/O, clocks, patients.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from vitals.errors import MendData
from vitals.kinds import VITALS, Kind
from vitals.units import Unit


class Meal(StrEnum):
    """When, relative to food (Glucose Measurement Context, Meal: 1-5 in this order)."""

    PREPRANDIAL = "preprandial"
    POSTPRANDIAL = "postprandial"
    FASTING = "fasting"
    CASUAL = "casual"
    BEDTIME = "bedtime"


# GATT Specification Supplement, Glucose Measurement Context, Meal field; also the database code.
MEAL_CODE: dict[Meal, int] = {meal: number for number, meal in enumerate(Meal, start=1)}
MEAL_OF_CODE: dict[int, Meal] = {code: meal for meal, code in MEAL_CODE.items()}


class Flag(StrEnum):
    """A doubt or remark on a reading, mostly of its device; never hidden, never an error."""

    IRREGULAR_PULSE = "irregular_pulse"
    BODY_MOVEMENT = "body_movement"
    CUFF_LOOSE = "cuff_loose"
    IMPROPER_POSITION = "improper_position"
    PULSE_TOO_HIGH = "pulse_too_high"
    PULSE_TOO_LOW = "pulse_too_low"
    BATTERY_LOW = "battery_low"
    SENSOR_FAULT = "sensor_fault"
    SAMPLE_TOO_SMALL = "sample_too_small"
    STRIP_ERROR = "strip_error"
    RESULT_TOO_HIGH = "result_too_high"
    RESULT_TOO_LOW = "result_too_low"
    TEMPERATURE_TOO_HIGH = "temperature_too_high"
    TEMPERATURE_TOO_LOW = "temperature_too_low"
    READ_INTERRUPTED = "read_interrupted"
    DEVICE_FAULT = "device_fault"
    TIME_FAULT = "time_fault"
    NO_SKIN_CONTACT = "no_skin_contact"
    EARLY_ESTIMATE = "early_estimate"
    QUESTIONABLE = "questionable"
    POOR_SIGNAL = "poor_signal"
    LOW_PERFUSION = "low_perfusion"
    # said on the server: it was not believable, and a person vouched for it
    RELEASED = "released"


# No device says these: they do not travel from a gateway.
OF_SERVER = frozenset({Flag.RELEASED})

# The bit that stands for a flag in the database. Never renumber: rows hold these.
FLAG_BIT: dict[Flag, int] = {flag: 1 << place for place, flag in enumerate(Flag)}


class Clock(StrEnum):
    """How sure we are of `taken_at`."""

    # the device clock was read in this visit and its offset applied
    MEASURED = "measured"
    # the device gave a time, its clock could not be read: its time is taken as local time
    ASSUMED = "assumed"
    # the device's time cannot be right (year 2000, far off): the time of receipt, or a guess
    UNSURE = "unsure"
    # the device keeps no clock: the time of receipt
    RECEIVED = "received"


CLOCK_CODE: dict[Clock, int] = {clock: number for number, clock in enumerate(Clock, start=1)}
CLOCK_OF_CODE: dict[int, Clock] = {code: clock for clock, code in CLOCK_CODE.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One number of a reading, in the unit the device used (after exact decimal scaling)."""

    kind: Kind
    value: float
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One record of one device, as said. `sequence` is its record number, or a content number.

    `device_time` is naive: the device's own clock, with the record's own offset already added.
    `withheld` says why there are no values to show (control solution, not a number): such a
    reading is kept and counted, never shown.
    """

    sequence: int
    device_time: datetime | None
    values: tuple[Value, ...]
    raw: bytes
    user: int | None = None
    meal: Meal | None = None
    flags: tuple[Flag, ...] = ()
    withheld: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One vital, placed in time. Field names are those of the wire envelope.

    `device` is the device's lasting identity ("ble:" and its address); `taken_at` aware UTC;
    `clock_offset_s` seconds added to the device's time to get it; `value` in `unit` as measured
    (a float read back from its shortest decimal, so 5.6 stays 5.6). Raises MendData when built of
    parts that cannot be: naive time, not a number, unit that the kind does not have.
    """

    id: str
    device: str
    kind: Kind
    value: float
    unit: Unit
    taken_at: datetime
    sequence: int
    clock: Clock
    device_time: datetime | None = None
    clock_offset_s: int = 0
    user: int | None = None
    meal: Meal | None = None
    flags: tuple[Flag, ...] = ()
    raw: bytes = b""

    def __post_init__(self) -> None:
        if self.taken_at.utcoffset() is None:
            raise MendData("taken_at must carry its offset from UTC (…Z).")
        if not math.isfinite(self.value):
            raise MendData("value must be a finite number.")
        if not any(scale.unit == self.unit for scale in VITALS[self.kind].scales):
            VITALS[self.kind].scale(self.unit)


def identity(
    *, device: str, kind: Kind, sequence: int, taken_at: datetime, correction: str = ""
) -> str:
    """The id by which a receipt names a measurement: 16 hex digits over what makes it unique.

    `correction`: the words of one that its device has corrected; none for what it said first.
    """
    text = f"{device}|{kind}|{sequence}|{taken_at.astimezone(UTC).isoformat()}"
    if correction:
        text = f"{text}|{correction}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


def words(measurement: Measurement) -> str:
    """What the device says with a measurement, in one line that begins with its kind; where one
    record says two different lines, its device has corrected it.

    "glucose 5.6 mmol/L user=2 meal=fasting battery_low"
    """
    said = [measurement.kind.value, repr(measurement.value), measurement.unit.value]
    if measurement.user is not None:
        said.append(f"user={measurement.user}")
    if measurement.meal is not None:
        said.append(f"meal={measurement.meal.value}")
    return " ".join([*said, *sorted({flag.value for flag in measurement.flags})])


def content_number(*parts: bytes) -> int:
    """A record number for devices that have none: 63 bits over the raw bytes of the record."""
    digest = blake2b(b"|".join(parts), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def place(
    reading: Reading, *, device: str, taken_at: datetime, clock: Clock, offset: timedelta
) -> tuple[Measurement, ...]:
    """The measurements of one reading, one for each value."""
    return tuple(
        Measurement(
            id=identity(
                device=device, kind=each.kind, sequence=reading.sequence, taken_at=taken_at
            ),
            device=device,
            kind=each.kind,
            value=each.value,
            unit=each.unit,
            taken_at=taken_at,
            sequence=reading.sequence,
            clock=clock,
            device_time=reading.device_time,
            clock_offset_s=round(offset.total_seconds()),
            user=reading.user,
            meal=reading.meal,
            flags=reading.flags,
            raw=reading.raw,
        )
        for each in reading.values
    )
