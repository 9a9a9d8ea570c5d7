"""The newest values of one person, as a page shows them: blood pressure as one, units always.

May hold: the pairing of pressures, text of numbers, the glance at each. May not: SQL, words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from api.view import glance
from api.view.glance import Glance
from rules.history import SUSPECT
from rules.words import value_text
from store.measurements import Stored
from store.revisions import Name, Revision, name_of
from vitals.kinds import Kind
from vitals.measurement import Clock, Meal
from vitals.units import UNIT_TEXT, Unit, convert

# mean arterial pressure is of use to a report only; diastolic and pulse stand with their systolic,
# an oximeter's pulse with its oxygen
_ORDER = (
    Kind.SYSTOLIC,
    Kind.GLUCOSE,
    Kind.KETONE,
    Kind.SPO2,
    Kind.HEART_RATE,
    Kind.WEIGHT,
    Kind.BODY_FAT,
    Kind.BODY_TEMPERATURE,
    Kind.STEPS,
    Kind.SLEEP_DURATION,
)


_NEVER: Mapping[Name, Sequence[Revision]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line of the list: `name` and `remarks` are keys of words, `text` goes before `unit`.

    `was`: text and unit of what the device said before it corrected itself.
    """

    name: str
    text: str
    unit: str
    at: datetime
    glance: Glance
    pulse: str | None = None
    meal: Meal | None = None
    remarks: tuple[str, ...] = ()
    was: tuple[str, str] | None = None


def shown(
    found: Mapping[Kind, Stored],
    *,
    targets: Mapping[str, object],
    now: datetime,
    corrected: Mapping[Name, Sequence[Revision]] = _NEVER,
) -> list[Shown]:
    """The lines of the list, blood pressure and glucose first."""
    before = {kind: _before(value, corrected) for kind, value in found.items()}
    lines = []
    for kind in _ORDER:
        if kind in found:
            line, was = (_line(each, kind, targets=targets, now=now) for each in (found, before))
            is_corrected = (line.text, line.unit) != (was.text, was.unit)
            lines.append(replace(line, was=(was.text, was.unit)) if is_corrected else line)
    return lines


def newest(lines: Sequence[Shown]) -> datetime | None:
    """When the newest of these was measured."""
    return max((line.at for line in lines), default=None)


def _before(value: Stored, corrected: Mapping[Name, Sequence[Revision]]) -> Stored:
    """The measurement as it was before its last correction, if there was one."""
    *_, last = (None, *corrected.get(name_of(value), ()))
    return value if last is None else replace(value, value=last.value, unit=last.unit)


def _line(
    found: Mapping[Kind, Stored], kind: Kind, *, targets: Mapping[str, object], now: datetime
) -> Shown:
    if kind is Kind.SYSTOLIC:
        return _pressure(found, targets=targets, now=now)
    value = found[kind]
    seen = glance.of_glucose(value.value, value.unit) if kind is Kind.GLUCOSE else glance.KEPT
    pulse = _of_record(found, Kind.PULSE, value) if kind is Kind.SPO2 else None
    return Shown(
        name=f"kind_{kind}",
        text=value_text(kind, value.value, value.unit),
        unit=UNIT_TEXT[value.unit],
        at=value.taken_at,
        glance=_unless_doubted(value, seen, now),
        pulse=value_text(Kind.PULSE, pulse.value, pulse.unit) if pulse else None,
        meal=value.meal,
        remarks=_remarks(value),
    )


def _pressure(
    found: Mapping[Kind, Stored], *, targets: Mapping[str, object], now: datetime
) -> Shown:
    systolic = found[Kind.SYSTOLIC]
    diastolic = _of_record(found, Kind.DIASTOLIC, systolic)
    pulse = _of_record(found, Kind.PULSE, systolic)
    if diastolic is None:
        text, seen = f"{value_text(systolic.kind, systolic.value, systolic.unit)}/–", glance.KEPT
    else:
        text = "/".join(
            value_text(each.kind, each.value, each.unit) for each in (systolic, diastolic)
        )
        seen = glance.of_pressure(
            convert(systolic.value, systolic.unit, Unit.MMHG),
            convert(diastolic.value, diastolic.unit, Unit.MMHG),
            targets,
        )
    return Shown(
        name="kind_blood_pressure",
        text=text,
        unit=UNIT_TEXT[systolic.unit],
        at=systolic.taken_at,
        glance=_unless_doubted(systolic, seen, now),
        pulse=value_text(Kind.PULSE, pulse.value, pulse.unit) if pulse else None,
        remarks=_remarks(systolic),
    )


def _of_record(found: Mapping[Kind, Stored], kind: Kind, other: Stored) -> Stored | None:
    """The value of the same record of the same device."""
    value = found.get(kind)
    if value is None or _record(value) != _record(other):
        return None
    return value


def _record(value: Stored) -> tuple[str, int, datetime]:
    return value.device, value.sequence, value.taken_at


def _unless_doubted(value: Stored, seen: Glance, now: datetime) -> Glance:
    if not glance.is_fresh(value.taken_at, now):
        return glance.OLD
    is_doubted = SUSPECT.intersection(value.flags) or value.clock is Clock.UNSURE
    return glance.DOUBTED if is_doubted else seen


def _remarks(value: Stored) -> tuple[str, ...]:
    unsure = ("clock_unsure",) if value.clock is Clock.UNSURE else ()
    return tuple(f"flag_{flag}" for flag in value.flags) + unsure
