"""Proposals of the care plan over JSON: list, accept, refuse; changes: list, undo.

May hold: shapes, and the one way in which a proposal is decided. May not: what a proposal does
(`care_plans`), SQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from psycopg import Connection
from pydantic import BaseModel

from api.access import Deed
from api.errors import TooLate, Unknown
from api.visitor import Db, Now, SignedIn, allowed, signed_json
from care_plans import records
from care_plans.records import ChangeShown, ProposalShown
from store.pool import Pool, transaction
from vitals.errors import AskPerson, MendData

router = APIRouter(prefix="/api/patients/{patient_id}", tags=["proposals"])

Viewed = Annotated[int, Depends(allowed(Deed.VIEW))]
Decided = Annotated[int, Depends(allowed(Deed.DECIDE))]
Undone = Annotated[int, Depends(allowed(Deed.UNDO))]


class ProposalOut(BaseModel):
    """A proposed change of the plan. `state`: proposed, accepted, refused or withdrawn."""

    id: int
    kind: str
    title: dict[str, str]
    reason: dict[str, str]
    numbers: dict[str, Any]
    state: str
    proposed_at: datetime
    decided_at: datetime | None


class ChangeOut(BaseModel):
    """A change of the plan, explained. `may_undo`: it is the newest that stands."""

    id: int
    title: dict[str, str]
    explained: dict[str, str]
    at: datetime
    undone_at: datetime | None
    may_undo: bool


@router.get("/proposals")
def proposals(patient_id: Viewed, db: Db) -> list[ProposalOut]:
    """What was proposed for a patient, newest first."""
    with transaction(db) as connection:
        return [_out(each) for each in records.proposals_of(connection, patient_id)]


@router.post("/proposals/{proposal_id}/accept", dependencies=[Depends(signed_json)])
def accept(
    patient_id: Decided, proposal_id: int, visitor: SignedIn, db: Db, now: Now
) -> ProposalOut:
    """Accepts a proposal; from tomorrow on the plan is what it says."""
    accept_proposal(
        db, patient_id=patient_id, proposal_id=proposal_id, account_id=visitor.account.id, now=now
    )
    return _one(db, patient_id, proposal_id)


@router.post("/proposals/{proposal_id}/refuse", dependencies=[Depends(signed_json)])
def refuse(
    patient_id: Decided, proposal_id: int, visitor: SignedIn, db: Db, now: Now
) -> ProposalOut:
    """Refuses a proposal; it does not come back for the same episode."""
    refuse_proposal(
        db, patient_id=patient_id, proposal_id=proposal_id, account_id=visitor.account.id, now=now
    )
    return _one(db, patient_id, proposal_id)


@router.get("/changes")
def changes(patient_id: Viewed, db: Db) -> list[ChangeOut]:
    """The changes of a patient's plan, newest first."""
    with transaction(db) as connection:
        return [_change_out(each) for each in records.changes_of(connection, patient_id)]


@router.post("/changes/{change_id}/undo", dependencies=[Depends(signed_json)])
def undo(
    patient_id: Undone, change_id: int, visitor: SignedIn, db: Db, now: Now
) -> list[ChangeOut]:
    """Puts the plan back as it was before the newest change; gives the changes."""
    undo_change(
        db, patient_id=patient_id, change_id=change_id, account_id=visitor.account.id, now=now
    )
    return changes(patient_id, db)


def accept_proposal(
    db: Pool, *, patient_id: int, proposal_id: int, account_id: int, now: datetime
) -> None:
    """Accepts a proposal of this patient. Raises Unknown, or TooLate for a decided one."""
    with transaction(db) as connection:
        _must_be_of(connection, patient_id, proposal_id)
        with _conflicts_are_too_late():
            records.accept(connection, proposal_id=proposal_id, account_id=account_id, now=now)


def refuse_proposal(
    db: Pool, *, patient_id: int, proposal_id: int, account_id: int, now: datetime
) -> None:
    """Refuses a proposal of this patient. Raises Unknown, or TooLate for a decided one."""
    with transaction(db) as connection:
        _must_be_of(connection, patient_id, proposal_id)
        with _conflicts_are_too_late():
            records.refuse(connection, proposal_id=proposal_id, account_id=account_id, now=now)


def undo_change(
    db: Pool, *, patient_id: int, change_id: int, account_id: int, now: datetime
) -> None:
    """Undoes a change of this patient's plan. Raises Unknown, or TooLate for an older one."""
    with transaction(db) as connection:
        if all(each.id != change_id for each in records.changes_of(connection, patient_id)):
            raise Unknown("There is no such change.")
        with _conflicts_are_too_late():
            records.undo(connection, change_id=change_id, account_id=account_id, now=now)


def _must_be_of(connection: Connection[Any], patient_id: int, proposal_id: int) -> None:
    if all(each.id != proposal_id for each in records.proposals_of(connection, patient_id)):
        raise Unknown("There is no such proposal.")


@contextmanager
def _conflicts_are_too_late() -> Iterator[None]:
    """Access was asked before: what the plan still refuses was decided or changed meanwhile."""
    try:
        yield
    except (AskPerson, MendData) as error:
        raise TooLate(str(error)) from error


def _one(db: Pool, patient_id: int, proposal_id: int) -> ProposalOut:
    return next(each for each in proposals(patient_id, db) if each.id == proposal_id)


def _out(shown: ProposalShown) -> ProposalOut:
    return ProposalOut(
        id=shown.id,
        kind=shown.kind,
        title=shown.title.document(),
        reason=shown.reason.document(),
        numbers=dict(shown.numbers),
        state=shown.state,
        proposed_at=shown.proposed_at,
        decided_at=shown.decided_at,
    )


def _change_out(shown: ChangeShown) -> ChangeOut:
    return ChangeOut(
        id=shown.id,
        title=shown.title.document(),
        explained=shown.explained.document(),
        at=shown.at,
        undone_at=shown.undone_at,
        may_undo=shown.may_undo,
    )
