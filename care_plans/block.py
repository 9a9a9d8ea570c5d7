"""What a protocol block has brought so far: days, readings, and the plain mean of all of them.

Averaging all readings of the block alike is what 国家基层高血压防治管理指南 2025 §4.1 asks for
(clinical check §4.1a); `rules/` averages its blocks the same way, and a test holds the two
together. May hold: this mean, pure. May not: judgement, I/O.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vitals.kinds import Kind
from vitals.measurement import FLAG_BIT, Flag
from vitals.units import Unit, convert

# Doubts of the device that keep a value out of every mean; the same set as the rules judge by.
# Source: GATT Specification Supplement, Blood Pressure Measurement Status; unconfirmed.
DOUBTS = frozenset(
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
DOUBT_BITS = sum(FLAG_BIT[each] for each in DOUBTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """One measured systolic or diastolic pressure, in the unit of the cuff."""

    kind: Kind
    value: float
    unit: Unit
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSoFar:
    """What an accepted block of this episode has brought; `readings` counts systolic values."""

    episode: str
    days: int
    readings: int
    systolic_mmhg: float
    diastolic_mmhg: float


def so_far(values: Sequence[Pressure], *, episode: str, zone: ZoneInfo) -> BlockSoFar | None:
    """The mean of all values of a block; None where nothing was measured."""
    systolic = _mmhg(values, Kind.SYSTOLIC)
    diastolic = _mmhg(values, Kind.DIASTOLIC)
    if not systolic or not diastolic:
        return None
    return BlockSoFar(
        episode=episode,
        days=len({each.at.astimezone(zone).date() for each in values}),
        readings=len(systolic),
        systolic_mmhg=math.fsum(systolic) / len(systolic),
        diastolic_mmhg=math.fsum(diastolic) / len(diastolic),
    )


def window(*, starts_on: date, today: date, days: int) -> tuple[date, date]:
    """The first and last whole day that count: the last `days` of a block before today."""
    last = date.fromordinal(today.toordinal() - 1)
    return max(starts_on, date.fromordinal(today.toordinal() - days)), last


def _mmhg(values: Sequence[Pressure], kind: Kind) -> list[float]:
    return [convert(each.value, each.unit, Unit.MMHG) for each in values if each.kind is kind]
