"""A record that nobody believes, as a card: what was measured, why it is doubted, whose it would
be.

May hold: this shaping. May not: SQL, what is believable (`ingest/dismantle.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from api.moment import age, is_chinese, when
from api.words import say, unit_in
from ingest.reason import OF_TIME, Reason, in_order
from rules.words import value_text
from store.doubt import Decided, Doubt, Doubted
from store.people import Patient
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_TEXT

# beyond this a number is written as 1e+06: no column is as wide as what a broken device may say
_WIDE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One record. `through` is the patient through whom it is decided, `name` whose it would be.

    `reasons` are words of `ingest/reason.py`; `said_at` is the time that the device said.
    """

    key: int
    through: int
    name: str | None
    device_kind: str
    headline: str
    reasons: tuple[Reason, ...]
    said_at: str
    received_at: datetime
    zone: ZoneInfo

    @property
    def is_time_doubted(self) -> bool:
        """Is it (also) in doubt when this was measured?"""
        return not OF_TIME.isdisjoint(self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody decided lately; one that was discarded may still be kept after all."""

    key: int
    through: int
    text: str
    is_discarded: bool
    is_on_its_way: bool


def card(doubt: Doubt, *, mine: Mapping[int, Patient], now: datetime, locale: str) -> Card:
    """The card of a record; `mine` are the patients whom the reader looks after."""
    through = _through(doubt.patient_id, doubt.candidates, mine)
    zone = ZoneInfo(mine[through].timezone)
    reasons = in_order({Reason(code) for each in doubt.values for code in each.codes})
    words = "quarantine_head_time" if OF_TIME.issuperset(reasons) else "quarantine_head_value"
    return Card(
        key=doubt.key,
        through=through,
        name=mine[through].name if doubt.patient_id is not None else None,
        device_kind=doubt.device_kind,
        headline=say(words, locale, what=measured(doubt.values, locale=locale)),
        reasons=reasons,
        said_at=when(doubt.taken_at, now=now, zone=zone, locale=locale),
        received_at=doubt.received_at,
        zone=zone,
    )


def measured(values: Sequence[Doubted], *, locale: str) -> str:
    """What was measured, in one line: "血压 310/190 mmHg、脉搏 72 次/分"."""
    by_kind = {each.kind: each for each in values}
    parts = []
    upper, lower = by_kind.get(Kind.SYSTOLIC), by_kind.get(Kind.DIASTOLIC)
    if upper and lower and upper.unit == lower.unit:
        text = f"{_number(upper)}/{_number(lower)} {unit_in(locale, UNIT_TEXT[upper.unit])}"
        parts.append(f"{say('kind_blood_pressure', locale)} {text}")
        by_kind = {kind: each for kind, each in by_kind.items() if each not in (upper, lower)}
    for kind, each in by_kind.items():
        name = VITALS[kind].zh if is_chinese(locale) else VITALS[kind].en
        parts.append(f"{name} {_number(each)} {unit_in(locale, UNIT_TEXT[each.unit])}")
    return ("、" if is_chinese(locale) else ", ").join(parts)


def said(
    decided: Sequence[Decided], *, mine: Mapping[int, Patient], now: datetime, locale: str
) -> list[Said]:
    """What was decided lately of those whom the reader looks after, each as a sentence."""
    found = []
    for each in decided:
        person = mine[each.through]
        # the moment of a record that says an impossible one is that of its receipt
        is_time_doubted = not OF_TIME.isdisjoint(Reason(code) for code in each.codes)
        at = each.received_at if is_time_doubted else each.taken_at
        name = person.name if each.patient_id is not None else say("quarantine_nobody", locale)
        text = say(
            "quarantine_said_release" if each.deed == "release" else "quarantine_said_discard",
            locale,
            name=name,
            when=when(at, now=now, zone=ZoneInfo(person.timezone), locale=locale),
            by=each.by or say("quarantine_at_server", locale),
            age=age(now - each.at, locale=locale),
        )
        found.append(
            Said(
                key=each.key,
                through=each.through,
                text=text,
                is_discarded=each.deed == "discard",
                is_on_its_way=each.deed == "release" and each.loaded_at is None,
            )
        )
    return found


def _through(whose: int | None, candidates: Sequence[int], mine: Mapping[int, Patient]) -> int:
    return whose if whose is not None else next(each for each in candidates if each in mine)


def _number(each: Doubted) -> str:
    if abs(each.value) >= _WIDE:
        return f"{each.value:g}"
    return value_text(each.kind, each.value, each.unit)
