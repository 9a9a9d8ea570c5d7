"""May this account do this with this patient? Every route asks here, and only here.

Access comes from a living relation between an account and a patient, never from knowing a number
in an address. Where there is no relation the patient does not exist for the asker; where there is
one, the table below says what it permits. Who may decide is narrow on purpose: the system proposes,
a clinician disposes (architecture §6). May hold: the table and questions about it. May not: HTTP,
SQL, sessions.
"""

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


class Answer(StrEnum):
    """Yes; no to somebody who knows the patient; no to a stranger, who learns nothing."""

    YES = "yes"
    NOT_ALLOWED = "not_allowed"
    UNKNOWN = "unknown"


# The patient cannot silence an alert meant for others but may undo a change of the plan; the
# family sees values and safety events, not the doctor's page (clinical reference §6).
PERMITS: dict[Relation, frozenset[Deed]] = {
    Relation.SELF: frozenset({Deed.VIEW, Deed.READ_REPORT, Deed.UNDO}),
    Relation.FAMILY: frozenset({Deed.VIEW, Deed.SET_UP_GATEWAY, Deed.ACKNOWLEDGE}),
    Relation.DOCTOR: frozenset(Deed),
}


def may(relation: Relation | None, deed: Deed) -> Answer:
    """The answer for one account's relation to one patient; None where there is none."""
    if relation is None:
        return Answer.UNKNOWN
    return Answer.YES if deed in PERMITS[relation] else Answer.NOT_ALLOWED
