"""May this account do this with this patient? Every route asks here, and only here.

Access comes from a living relation between an account and a patient, never from knowing a number
in an address. Where there is no relation the patient does not exist for the asker; where there is
one, the table below says what it permits. Who may decide is narrow on purpose: the system proposes,
a clinician disposes (architecture §6). May hold: the table and questions about it. May not: HTTP,
SQL, sessions.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum


class Relation(StrEnum):
    """As what an account is related to a patient."""

    SELF = "self"
    FAMILY = "family"
    DOCTOR = "doctor"


class Deed(StrEnum):
    """What somebody wants to do with one patient."""

    VIEW = "view"
    SET_UP_GATEWAY = "set_up_gateway"
    ACKNOWLEDGE = "acknowledge"
    READ_REPORT = "read_report"
    SIGN = "sign"
    DECIDE = "decide"
    UNDO = "undo"
    ASSIGN = "assign"
    SET_ASIDE = "set_aside"
    MANAGE_DEVICES = "manage_devices"
    # saying whether a reading that nobody believes is real
    RELEASE = "release"


class Answer(StrEnum):
    """Yes; no to somebody who knows the patient; no to a stranger, who learns nothing."""

    YES = "yes"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"


# Whose a reading of a shared device is, only the people at home know; what has no name yet may be
# anybody's there, so that nobody else sees it. Each claims for themselves; the family also for
# whom they look after, and it alone says that something was a guest's.
AT_HOME = frozenset({Deed.ASSIGN, Deed.SET_ASIDE})

# The patient cannot silence an alert meant for others but may undo a change of the plan; the
# family sees values and safety events, not the doctor's page (clinical reference §6). Devices are
# added by whoever stands beside them, or helps over the telephone. What nobody believes is judged
# by the family, who can ask, and by the doctor, who knows what can be.
PERMITS: dict[Relation, frozenset[Deed]] = {
    Relation.SELF: frozenset(
        {Deed.VIEW, Deed.READ_REPORT, Deed.UNDO, Deed.ASSIGN, Deed.MANAGE_DEVICES}
    ),
    Relation.FAMILY: frozenset(
        {
            Deed.VIEW,
            Deed.ACKNOWLEDGE,
            Deed.ASSIGN,
            Deed.SET_ASIDE,
            Deed.MANAGE_DEVICES,
            Deed.SET_UP_GATEWAY,
            Deed.RELEASE,
        }
    ),
    Relation.DOCTOR: frozenset(Deed) - AT_HOME,
}


# What one account may ask of gateways in a minute: a pairing takes about five commands, and nobody
# does more than a few in a minute; engineering choice.
MOST_COMMANDS = 20
MINUTE = timedelta(minutes=1)


def is_too_often(asked_at: Sequence[datetime], *, now: datetime) -> bool:
    """Has an account asked gateways for so much within a minute that it must wait?"""
    return sum(now - each < MINUTE for each in asked_at) >= MOST_COMMANDS


def may(relation: Relation | None, deed: Deed) -> Answer:
    """The answer for one account's relation to one patient; None where there is none."""
    if relation is None:
        return Answer.UNKNOWN
    return Answer.YES if deed in PERMITS[relation] else Answer.NOT_ALLOWED
