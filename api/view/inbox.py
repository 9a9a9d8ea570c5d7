"""A record that waits for a name, as a card: values, the likeliest person first, why; and its key.

Only people whom the reader looks after are named: that a reading is more like somebody else's is
said without a name. May hold: this shaping. May not: SQL, the guess itself (`api/likely.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from api.likely import SPREADS, Guess, Reason
from api.moment import age, hour_of_day, is_chinese, when
from api.view.latest import Shown, shown
from api.words import say, unit_in
from rules.words import value_text
from store.inbox import Recent, Visit, Waiting
from store.people import Patient
from vitals.errors import MendData
from vitals.kinds import VITALS, Kind
from vitals.measurement import Clock
from vitals.units import UNIT_TEXT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# a record without a number of its own has one of up to nineteen digits, made of its content
_KEY = re.compile(r"(\d{1,9})\.(\d{1,19})\.(\d{1,17})", re.ASCII)
# PostgreSQL's bigint
_MOST_SEQUENCE = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A person who may be chosen."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One record. `named` stands first where it is clear enough; `why` is a sentence or "".

    `through` is the patient through whom it is said that it was a guest's.
    """

    key: str
    device_id: int
    device_kind: str
    user: int | None
    at: datetime
    is_at_sure: bool
    zone: ZoneInfo
    lines: list[Shown]
    named: Choice | None
    others: list[Choice]
    doubt: str
    why: str

    @property
    def choices(self) -> list[Choice]:
        """Everybody who may be chosen, the likeliest first."""
        return ([self.named] if self.named else []) + self.others

    @property
    def through(self) -> int:
        """Any of them: the household is the same."""
        return self.choices[0].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody said within the last day, to be undone."""

    id: int
    patient_id: int
    text: str


def card(
    found: Waiting, guess: Guess, *, mine: Mapping[int, Patient], now: datetime, locale: str
) -> Card:
    """The card of a waiting record; `mine` are the patients whom the reader looks after."""
    ranked = [
        Choice(id=each.patient_id, name=mine[each.patient_id].name)
        for each in guess.chances
        if each.patient_id is not None and each.patient_id in mine
    ]
    named = next((each for each in ranked if each.id == guess.named), None)
    return Card(
        key=key_of(found.visit),
        device_id=found.visit.device_id,
        device_kind=found.device_kind,
        user=found.user,
        at=found.visit.taken_at,
        is_at_sure=is_at_sure(found),
        zone=ZoneInfo(mine[ranked[0].id].timezone),
        lines=shown(found.values, targets={}, now=now),
        named=named,
        # where nobody is clear, the order of their names says nothing about whose it is
        others=[each for each in ranked if each != named]
        if named
        else sorted(ranked, key=lambda each: each.id),
        doubt=_doubt(guess, named),
        why=reason(guess.reason, named.name, locale=locale) if named else "",
    )


def is_at_sure(found: Waiting) -> bool:
    """Is it known when this was measured?"""
    return all(each.clock is not Clock.UNSURE for each in found.values.values())


def reason(why: Reason, name: str, *, locale: str) -> str:
    """Why this person is named, in one line."""
    hour = None if why.hour is None else hour_of_day(why.hour, locale=locale)
    if why.kind is not None and why.mean is not None:
        parts = {"name": name, **_usual(why.kind, why.mean, locale)}
        if hour is None:
            return say("inbox_why_value", locale, **parts)
        return say("inbox_why_hour_value", locale, hour=hour, **parts)
    if hour is not None:
        return say("inbox_why_hour", locale, name=name, hour=hour)
    return say("inbox_why_uses" if why.uses else "inbox_why_only", locale, name=name)


def said(
    recent: Sequence[Recent], *, mine: Mapping[int, Patient], now: datetime, locale: str
) -> list[Said]:
    """What was said of those whom the reader looks after, each as a sentence."""
    return [
        Said(
            id=each.id,
            patient_id=each.patient_id,
            text=_sentence(each, mine[each.patient_id], now, locale),
        )
        for each in recent
        if each.patient_id in mine
    ]


def _sentence(each: Recent, person: Patient, now: datetime, locale: str) -> str:
    parts = {"by": each.by, "age": age(now - each.at, locale=locale)}
    if each.mapped_slot is not None:
        return say("inbox_said_number", locale, user=each.mapped_slot, name=person.name, **parts)
    at, zone = each.newest_at or each.at, ZoneInfo(person.timezone)
    parts["when"] = when(at, now=now, zone=zone, locale=locale)
    if each.deed == "set_aside":
        return say("inbox_said_aside", locale, **parts)
    key = "inbox_said_release" if each.deed == "release" else "inbox_said_give"
    return say(key, locale, name=person.name, **parts)


def key_of(visit: Visit) -> str:
    """A record as it stands in a form: device, sequence, microseconds since 1970."""
    return f"{visit.device_id}.{visit.sequence}.{(visit.taken_at - _EPOCH) // _MICROSECOND}"


def visit_of(key: str) -> Visit:
    """The record of a key. Raises MendData for what is none."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise MendData("This names no reading: reload the page.")
    device_id, sequence, microseconds = map(int, found.groups())
    if sequence > _MOST_SEQUENCE:
        raise MendData("This names no reading: reload the page.")
    taken_at = _EPOCH + microseconds * _MICROSECOND
    return Visit(device_id=device_id, sequence=sequence, taken_at=taken_at)


def choices(mine: Mapping[int, Patient], among: Sequence[int]) -> list[Choice]:
    """Those of these patients whom the reader looks after."""
    return [Choice(id=each, name=mine[each].name) for each in among if each in mine]


def _doubt(guess: Guess, named: Choice | None) -> str:
    """The key of the sentence that stands where nobody is named."""
    if named is not None:
        return ""
    if guess.named is not None:
        return "inbox_unseen_likely"
    first = guess.chances[0]
    return "inbox_guest_likely" if first.patient_id is None else "inbox_not_sure"


def _usual(kind: Kind, mean: float, locale: str) -> dict[str, str]:
    vital, unit = VITALS[kind], SPREADS[kind].unit
    in_english = vital.en if kind is Kind.SPO2 else vital.en.lower()
    return {
        "kind": vital.zh if is_chinese(locale) else in_english,
        "value": f"{value_text(kind, mean, unit)} {unit_in(locale, UNIT_TEXT[unit])}",
    }
