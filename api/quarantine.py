"""Readings that nobody believes over JSON: list, release, discard; and the one way a page does it.

A decision is kept here and carried out by ingest (ADR 0021). May hold: shapes, and the one way in
which a page or a program decides. May not: SQL, what is believable.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from psycopg import Connection
from pydantic import BaseModel

from api.access import Deed
from api.errors import TooLate, Unknown
from api.inbox import looked_after
from api.visitor import Db, Now, SignedIn, allowed, signed_json
from ingest.reason import Reason
from store import doubt, quarantine
from store.assignment import Outcome
from store.doubt import Doubt
from store.pool import transaction
from store.quarantine import Decision
from vitals.kinds import Kind
from vitals.units import Unit

# records in one answer
MOST = 30

router = APIRouter(prefix="/api/patients/{patient_id}/quarantine", tags=["quarantine"])

Decides = Annotated[int, Depends(allowed(Deed.RELEASE))]


class DoubtedOut(BaseModel):
    """One value, in the unit in which it was measured, and why it is doubted."""

    kind: Kind
    value: float
    unit: Unit
    reasons: list[Reason]


class DoubtOut(BaseModel):
    """A record that waits for a decision. `patient_id` null: nobody is known yet whose it is."""

    key: int
    patient_id: int | None
    device: str
    user: int | None
    taken_at: datetime
    received_at: datetime
    values: list[DoubtedOut]


class DecidedOut(BaseModel):
    """What became of it: done, or already so. What was released is stored within seconds."""

    outcome: Outcome


@router.get("")
def waiting(patient_id: Decides, visitor: SignedIn, db: Db) -> list[DoubtOut]:
    """What waits for a decision about this patient, the last to come first, at most thirty."""
    with transaction(db) as connection:
        found = doubt.waiting(
            connection,
            [patient_id],
            at_home=is_at_home(connection, visitor.account.id, patient_id),
            limit=MOST,
        )
    return [_out(each) for each in found]


@router.post("/{key}/{decision}", dependencies=[Depends(signed_json)])
def decide(
    patient_id: Decides, key: int, decision: Decision, visitor: SignedIn, db: Db, now: Now
) -> DecidedOut:
    """Release: it is real, and is stored and judged like any reading. Discard: it is not.

    409 where somebody decided otherwise before; a release is final.
    """
    with transaction(db) as connection:
        outcome = settle(
            connection,
            key,
            decision,
            patient_id=patient_id,
            account_id=visitor.account.id,
            now=now,
        )
    if outcome is Outcome.TOO_LATE:
        raise TooLate("Somebody decided otherwise before.")
    return DecidedOut(outcome=outcome)


# -- what pages use too ----------------------------------------------------------------------------


def is_at_home(connection: Connection[Any], account_id: int, patient_id: int) -> bool:
    """May this account see what is nobody's yet in the patient's home? As in the inbox."""
    return patient_id in looked_after(connection, account_id)


def settle(
    connection: Connection[Any],
    key: int,
    decision: Decision,
    *,
    patient_id: int,
    account_id: int,
    now: datetime,
) -> Outcome:
    """What became of the decision. Raises Unknown for what is not there for this patient."""
    # PostgreSQL's bigint
    if not 0 < key < 2**63:
        raise Unknown("There is no such reading for this patient.")
    outcome = quarantine.decide(
        connection,
        key,
        decision,
        patient_id=patient_id,
        at_home=is_at_home(connection, account_id, patient_id),
        account_id=account_id,
        now=now,
    )
    if outcome is Outcome.ABSENT:
        raise Unknown("There is no such reading for this patient.")
    return outcome


def _out(found: Doubt) -> DoubtOut:
    return DoubtOut(
        key=found.key,
        patient_id=found.patient_id,
        device=found.device,
        user=found.user,
        taken_at=found.taken_at,
        received_at=found.received_at,
        values=[
            DoubtedOut(
                kind=each.kind,
                value=each.value,
                unit=each.unit,
                reasons=sorted(Reason(code) for code in each.codes),
            )
            for each in found.values
        ],
    )
