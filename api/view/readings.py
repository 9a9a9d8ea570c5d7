"""The first reading of a new device, as its gateway tells it before it is stored: text and unit.

What arrives here has not been through ingest, so whatever cannot be a value of ours is left out.
May hold: this reading of an event's values. May not: judgement of values, words.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.words import Said, kind_text, value_text
from store.commands import Heard
from vitals.command import Step
from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.units import UNIT_TEXT, Unit

# a reading has at most so many values worth a line on the page of its pairing
_MOST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One value of the newest reading."""

    name: Said
    text: str
    unit: str
    at: datetime | None


def readings_of(answers: Sequence[Heard]) -> tuple[Seen, ...]:
    """The values of the newest reading that was told, blood pressure as one."""
    told = [each.event.values for each in answers if each.event.step is Step.READING]
    if not told:
        return ()
    values = {kind: seen for value in told[-1] for kind, seen in _value(value)}
    systolic, diastolic = values.get(Kind.SYSTOLIC), values.pop(Kind.DIASTOLIC, None)
    if systolic is not None and diastolic is not None:
        values[Kind.SYSTOLIC] = Seen(
            name=systolic.name,
            text=f"{systolic.text}/{diastolic.text}",
            unit=systolic.unit,
            at=systolic.at,
        )
    values.pop(Kind.MEAN_ARTERIAL_PRESSURE, None)
    return tuple(values.values())[:_MOST]


def _value(value: Mapping[str, Any]) -> list[tuple[Kind, Seen]]:
    try:
        kind, unit, number = Kind(value["kind"]), Unit(value["unit"]), float(value["value"])
        if not math.isfinite(number):
            return []
        text = value_text(kind, number, unit)
    except (KeyError, ValueError, TypeError, OverflowError, MendData):
        return []
    return [(kind, Seen(name=kind_text(kind), text=text, unit=UNIT_TEXT[unit], at=_at(value)))]


def _at(value: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(value["taken_at"])
    except (KeyError, ValueError, TypeError):
        return None
    return at if at.utcoffset() is not None else None
