"""Readings that wait for a name over JSON: list, give, hand over, set aside, take back; numbers.

May hold: shapes, and the one way in which a page or a program says whose a reading is. May not:
what a move does (`store/assignment.py`), SQL.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from psycopg import Connection
from pydantic import AwareDatetime, BaseModel, Field

from api import likely
from api.access import Answer, Deed, Relation, may
from api.errors import NotAllowed, TooLate, Unknown
from api.likely import SPREADS, USUAL_DAYS, Guess, habit
from api.patients import ValueOut, value_out
from api.view import inbox as view
from api.visitor import Db, Now, SignedIn, allowed, signed_json
from api.words import LOCALES
from store import assignment, inbox, people, sharing
from store.assignment import UNDO_FOR, Done, Outcome
from store.inbox import Recent, Visit, Waiting
from store.people import RelatedPatient
from store.pool import transaction

# records in one answer: more than a household measures in a week
MOST = 30

router = APIRouter(prefix="/api/patients/{patient_id}/inbox", tags=["inbox"])

Assigned = Annotated[int, Depends(allowed(Deed.ASSIGN))]


class RecordIn(BaseModel):
    """One record of one device: what its values have in common."""

    device: str
    sequence: Annotated[int, Field(ge=0, lt=2**63)]
    taken_at: AwareDatetime


class HandOverIn(RecordIn):
    """A record that is not this patient's; `to` is whose it is, if that is known."""

    to: Annotated[int | None, Field(ge=1, lt=2**31)] = None


class NumberIn(BaseModel):
    """A user number of a device."""

    device: str
    user: Annotated[int, Field(ge=0, le=254)]


class ChanceOut(BaseModel):
    """How probable it is that a record is this patient's; a guess, never an assignment."""

    patient_id: int
    name: str
    probability: float


class WaitingOut(BaseModel):
    """A record that waits. Chances are of those whom the caller looks after; the rest up to 1 is
    others' at home and a guest's. `likely` is named only with a clear lead."""

    device: str
    sequence: int
    taken_at: datetime
    user: int | None
    values: list[ValueOut]
    chances: list[ChanceOut]
    likely: int | None
    why: dict[str, str]


class DoneOut(BaseModel):
    """What became of it: done, or already so. `assignment` undoes it, within a day."""

    outcome: Outcome
    assignment: int | None
    moved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What waits for some patients, each with a guess, and what was said within the last day."""

    waiting: list[tuple[Waiting, Guess]]
    recent: list[Recent]


# -- routes ----------------------------------------------------------------------------------------


@router.get("")
def waiting(patient_id: Assigned, visitor: SignedIn, db: Db, now: Now) -> list[WaitingOut]:
    """What waits in the patient's household, newest first, at most thirty records."""
    with transaction(db) as connection:
        mine = looked_after(connection, visitor.account.id)
        desk = read(connection, [patient_id], now=now)
    return [_waiting_out(found, guess, mine) for found, guess in desk.waiting]


@router.post("/give", dependencies=[Depends(signed_json)])
def give(patient_id: Assigned, record: RecordIn, visitor: SignedIn, db: Db, now: Now) -> DoneOut:
    """A waiting record becomes this patient's. 409 where somebody said otherwise before."""
    with transaction(db) as connection:
        visit = _visit(connection, record)
        done = assignment.give(
            connection, visit, patient_id=patient_id, account_id=visitor.account.id, now=now
        )
    return _out(done)


@router.post("/set-aside", dependencies=[Depends(signed_json)])
def set_aside(
    patient_id: Annotated[int, Depends(allowed(Deed.SET_ASIDE))],
    record: RecordIn,
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> DoneOut:
    """A waiting record was a guest's: it is kept and offered to nobody."""
    with transaction(db) as connection:
        visit = _visit(connection, record)
        done = assignment.set_aside(
            connection, visit, patient_id=patient_id, account_id=visitor.account.id, now=now
        )
    return _out(done)


@router.post("/not-mine", dependencies=[Depends(signed_json)])
def not_mine(
    patient_id: Assigned, record: HandOverIn, visitor: SignedIn, db: Db, now: Now
) -> DoneOut:
    """A record of this patient is not theirs: it is `to`'s, or waits for a name again."""
    who: dict[str, Any] = {
        "patient_id": patient_id,
        "account_id": visitor.account.id,
        "now": now,
    }
    with transaction(db) as connection:
        visit = _visit(connection, record)
        if record.to is None:
            return _out(assignment.release(connection, visit, **who))
        must_look_after(connection, visitor.account.id, record.to)
        return _out(assignment.hand_over(connection, visit, to=record.to, **who))


@router.post("/number", dependencies=[Depends(signed_json)])
def number(patient_id: Assigned, wanted: NumberIn, visitor: SignedIn, db: Db, now: Now) -> DoneOut:
    """A user number of a device is this patient's from now on, and so is what waits of it."""
    with transaction(db) as connection:
        done = give_number(
            connection,
            device_id=_device(connection, wanted.device),
            slot=wanted.user,
            patient_id=patient_id,
            account_id=visitor.account.id,
            now=now,
        )
    return _out(done)


@router.post("/{assignment_id}/undo", dependencies=[Depends(signed_json)])
def undo(patient_id: Assigned, assignment_id: int, visitor: SignedIn, db: Db, now: Now) -> DoneOut:
    """Takes back what was said, within a day, as far as nobody has said otherwise since."""
    with transaction(db) as connection:
        done = assignment.undo(
            connection,
            assignment_id=assignment_id,
            patient_id=patient_id,
            account_id=visitor.account.id,
            now=now,
        )
    return _out(done)


# -- what pages use too ----------------------------------------------------------------------------


def looked_after(
    connection: Connection[Any], account_id: int, *, deed: Deed = Deed.ASSIGN
) -> dict[int, RelatedPatient]:
    """The patients for whom an account may do this, by their numbers."""
    return {
        each.id: each
        for each in people.patients_of_account(connection, account_id)
        if may(Relation(each.relation), deed) is Answer.YES
    }


def must_look_after(connection: Connection[Any], account_id: int, patient_id: int) -> None:
    """Raises Unknown or NotAllowed where the account may not say what is this patient's."""
    related = {each.id for each in people.patients_of_account(connection, account_id)}
    if patient_id not in related:
        raise Unknown("There is no such patient for you.")
    if patient_id not in looked_after(connection, account_id):
        raise NotAllowed("Your relation to this patient does not permit this.")


def read(
    connection: Connection[Any], patients: Collection[int], *, now: datetime, limit: int = MOST
) -> Desk:
    """What waits in the households of these patients, with whose it probably is."""
    found = inbox.waiting(connection, patients, limit=limit)
    since = now - timedelta(days=USUAL_DAYS)
    members = {
        each.id: each
        for number in sorted({who for one in found for who in one.candidates})
        if (each := people.patient(connection, number)) is not None
    }
    days = inbox.usual_days(connection, list(members), kinds=SPREADS, since=since.date())
    habits = {
        each.id: habit(each.id, days, zone=ZoneInfo(each.timezone)) for each in members.values()
    }
    uses = inbox.uses(connection, {each.visit.device_id for each in found}, since=since)
    return Desk(
        waiting=[
            (
                each,
                likely.guess(
                    each.values,
                    at=each.visit.taken_at if view.is_at_sure(each) else None,
                    habits=[habits[who] for who in each.candidates if who in habits],
                    uses={use.patient_id: use.n for use in uses if _is_like(use, each)},
                ),
            )
            for each in found
        ],
        recent=inbox.recent(connection, patients, since=now - UNDO_FOR),
    )


def give_number(
    connection: Connection[Any],
    *,
    device_id: int,
    slot: int,
    patient_id: int,
    account_id: int,
    now: datetime,
) -> Done:
    """A number of a device that this patient may use becomes theirs.

    Raises Unknown where the device is not of their home, NotAllowed where the number is somebody's
    whom the account does not look after.
    """
    if patient_id not in sharing.possible_users(connection, device_id):
        raise Unknown("There is no such device for this patient.")
    owner = sharing.owner(connection, device_id, slot)
    if owner is not None and owner not in looked_after(connection, account_id):
        raise NotAllowed("This number is somebody's whom you do not look after.")
    return assignment.give_number(
        connection,
        device_id=device_id,
        slot=slot,
        patient_id=patient_id,
        account_id=account_id,
        now=now,
    )


def _is_like(use: inbox.Use, found: Waiting) -> bool:
    slot = sharing.NO_NUMBER if found.user is None else found.user
    return (use.device_id, use.slot) == (found.visit.device_id, slot)


# -- shapes ----------------------------------------------------------------------------------------


def _visit(connection: Connection[Any], record: RecordIn) -> Visit:
    return Visit(
        device_id=_device(connection, record.device),
        sequence=record.sequence,
        taken_at=record.taken_at,
    )


def _device(connection: Connection[Any], name: str) -> int:
    found = people.device_named(connection, name)
    if found is None:
        raise Unknown("There is no such device.")
    return found.id


def _out(done: Done) -> DoneOut:
    """Raises Unknown for what is not there, TooLate where somebody said otherwise before."""
    if done.outcome is Outcome.ABSENT:
        raise Unknown("There is no such reading for this patient.")
    if done.outcome is Outcome.TOO_LATE:
        raise TooLate("Somebody said otherwise before.")
    return DoneOut(outcome=done.outcome, assignment=done.assignment_id, moved=done.moved)


def _waiting_out(found: Waiting, guess: Guess, mine: Mapping[int, RelatedPatient]) -> WaitingOut:
    named = mine.get(guess.named) if guess.named is not None else None
    return WaitingOut(
        device=next(iter(found.values.values())).device,
        sequence=found.visit.sequence,
        taken_at=found.visit.taken_at,
        user=found.user,
        values=[value_out(each) for each in found.values.values()],
        chances=[
            ChanceOut(
                patient_id=each.patient_id,
                name=mine[each.patient_id].name,
                probability=round(each.probability, 3),
            )
            for each in guess.chances
            if each.patient_id is not None and each.patient_id in mine
        ],
        likely=named.id if named else None,
        why={
            locale[:2]: view.reason(guess.reason, named.name, locale=locale)
            for locale in LOCALES
            if named
        },
    )
