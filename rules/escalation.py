"""Who is told when an alert moves, in which words, and when.

    S0 nobody · S1 the patient · S2 patient and family (the doctor sees it in the list)
    S3 patient, family and doctor now · S4 all, now

Up to S2 nobody is told in the quiet hours of the patient's night, but for what would be too old by
the morning: "take sugar now" is told to the patient who has just measured, or not at all. Each
message has a key made of what caused it: the same work done twice tells nobody twice. May hold:
this table and the messages. May not: channels, trying again (`notify/`), I/O.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from rules.alert import Event, Step
from rules.history import Patient
from rules.words import Said, local, said_of

# relations that are told from each severity on
TOLD: dict[int, tuple[str, ...]] = {
    0: (),
    1: ("self",),
    2: ("self", "family"),
    3: ("self", "family", "doctor"),
    4: ("self", "family", "doctor"),
}
# the words for each relation
AUDIENCE = {"self": "patient", "family": "family", "doctor": "doctor"}
# Local hours in which nothing up to S2 is told; engineering choice, unconfirmed.
QUIET_FROM, QUIET_UNTIL = time(22), time(7)
QUIET_UP_TO = 2
# From this severity on those who were told are told that it is over.
_OVER_FROM = 3

_OVER = Said(zh="已恢复：", en="Over: ")
_STEP_TELLS = (Event.RAISED, Event.WORSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account that is related to the patient as self, family or doctor."""

    account_id: int
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one account is to be told, and from when on."""

    key: str
    account_id: int
    patient_id: int
    severity: int
    title: Said
    text: Said
    due_at: datetime

    def body(self, link: str) -> dict[str, Any]:
        """What stands in the outbox."""
        return {"title": self.title.document(), "text": self.text.document(), "link": link}


def messages(
    step: Step, *, patient: Patient, people: Sequence[Person], fresh_h: float, now: datetime
) -> tuple[Message, ...]:
    """The messages that one move of an alert causes, in order of accounts.

    `fresh_h`: hours after its evidence beyond which the rule's words must not be said any more.
    """
    finding = step.finding
    if finding is None:
        return ()
    if step.event in _STEP_TELLS:
        prefix, severity = Said(zh="", en=""), step.alert.severity
    elif _was_told_and_is_over(step):
        prefix, severity = _OVER, 1
    else:
        return ()
    due_at = when_to_tell(now, severity=step.alert.severity, zone=patient.timezone)
    if due_at - finding.at > timedelta(hours=fresh_h):
        due_at = now
    return tuple(
        Message(
            key=key(step, patient_id=patient.id, account_id=each.account_id),
            account_id=each.account_id,
            patient_id=patient.id,
            severity=severity,
            title=_title(prefix, patient, finding.title, each.relation),
            text=finding.sentences[AUDIENCE[each.relation]],
            due_at=due_at,
        )
        for each in _told(people, step.alert.severity)
    )


def _was_told_and_is_over(step: Step) -> bool:
    alert = step.alert
    # raised and over in one move: the first message already says how it ended
    at_once = alert.opened_at == alert.closed_at
    return step.event is Event.RECOVERED and alert.severity >= _OVER_FROM and not at_once


def when_to_tell(now: datetime, *, severity: int, zone: str) -> datetime:
    """Now, or the end of the patient's night for what can wait."""
    there = local(now, zone)
    if severity > QUIET_UP_TO or QUIET_UNTIL <= there.time() < QUIET_FROM:
        return now
    day = there.date() + timedelta(days=1 if there.time() >= QUIET_FROM else 0)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=there.tzinfo).astimezone(now.tzinfo)


def key(step: Step, *, patient_id: int, account_id: int) -> str:
    """The name of a message: one for each account and each rise of an alert's severity."""
    alert = step.alert
    event = "over" if step.event is Event.RECOVERED else f"S{alert.severity}"
    return f"alert/{patient_id}/{alert.rule}/{alert.episode}/{event}/{account_id}"


def _told(people: Iterable[Person], severity: int) -> list[Person]:
    wanted = [each for each in people if each.relation in TOLD[severity]]
    return sorted(wanted, key=lambda each: each.account_id)


def _title(prefix: Said, patient: Patient, title: Said, relation: str) -> Said:
    if relation == "self" or not patient.name:
        return Said(zh=f"{prefix.zh}{title.zh}", en=f"{prefix.en}{title.en}")
    return Said(
        zh=f"{prefix.zh}{patient.name}：{title.zh}", en=f"{prefix.en}{patient.name}: {title.en}"
    )


def text_of(body: dict[str, Any]) -> tuple[Said, Said]:
    """Title and text of an outbox body."""
    return said_of(body["title"]), said_of(body["text"])
