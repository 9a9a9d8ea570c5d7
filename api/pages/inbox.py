"""Readings that wait for a name: the family says whose they are, a patient claims the own ones.

Every press is one move (`store/assignment.py`) and leads back here with a word of what became of
it; within a day it can be undone. May hold: reading and putting together. May not: the guess
(`api/likely.py`), SQL.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import Connection

from api.access import Deed, Relation
from api.errors import Unknown
from api.inbox import MOST, Desk, give_number, looked_after, read
from api.render import locale_of, page
from api.view.chain import DEVICE_KINDS
from api.view.inbox import card, said, visit_of
from api.visitor import Db, Now, SignedIn, allowed, signed_form
from store import assignment
from store.assignment import Done, Outcome
from store.people import RelatedPatient
from store.pool import Pool, transaction

router = APIRouter(tags=["pages"], include_in_schema=False)

Assigned = Annotated[int, Depends(allowed(Deed.ASSIGN))]

# what is said over the page, by the word in its address
_TOLD = {
    "done": "inbox_told_done",
    "undone": "inbox_told_undone",
    "late": "inbox_told_late",
}


@router.get("/family/inbox", response_class=HTMLResponse)
def family_inbox(
    request: Request, visitor: SignedIn, db: Db, now: Now, told: str = ""
) -> HTMLResponse:
    """What waits in the homes of those whom the visitor looks after."""
    mine = _mine(db, visitor, Relation.FAMILY)
    desk = _desk(db, mine, now)
    return _page(request, desk, mine, now=now, told=told)


@router.get("/family/patients/{patient_id}/inbox", response_class=HTMLResponse)
def one_inbox(
    request: Request, patient_id: Assigned, visitor: SignedIn, db: Db, now: Now
) -> HTMLResponse:
    """What waits in the home of one of them."""
    mine = _mine(db, visitor, Relation.FAMILY)
    if patient_id not in mine:
        raise Unknown("There is no such patient for you here.")
    return _page(request, _desk(db, [patient_id], now), mine, now=now)


@router.get("/patient/inbox", response_class=HTMLResponse)
def own_inbox(
    request: Request, visitor: SignedIn, db: Db, now: Now, told: str = ""
) -> HTMLResponse:
    """What waits in the visitor's own home: theirs to claim, nobody else's."""
    mine = _mine(db, visitor, Relation.SELF)
    desk = _desk(db, mine, now)
    return _page(request, desk, mine, now=now, told=told)


@router.post("/{role}/patients/{patient_id}/inbox/give", dependencies=[Depends(signed_form)])
def give(
    role: str,
    patient_id: Assigned,
    visit: Annotated[str, Form()],
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Response:
    """A waiting record becomes this patient's."""
    record = visit_of(visit)
    return _moved(
        db,
        role,
        lambda connection: assignment.give(
            connection, record, patient_id=patient_id, account_id=visitor.account.id, now=now
        ),
    )


@router.post("/{role}/patients/{patient_id}/inbox/set-aside", dependencies=[Depends(signed_form)])
def set_aside(
    role: str,
    patient_id: Annotated[int, Depends(allowed(Deed.SET_ASIDE))],
    visit: Annotated[str, Form()],
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Response:
    """A waiting record was a guest's."""
    record = visit_of(visit)
    return _moved(
        db,
        role,
        lambda connection: assignment.set_aside(
            connection, record, patient_id=patient_id, account_id=visitor.account.id, now=now
        ),
    )


@router.post("/{role}/patients/{patient_id}/inbox/number", dependencies=[Depends(signed_form)])
def number(
    role: str,
    patient_id: Assigned,
    device_id: Annotated[int, Form(ge=1, lt=2**31)],
    user: Annotated[int, Form(ge=0, le=254)],
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Response:
    """A user number of a device is this patient's from now on, and so is what waits of it."""
    return _moved(
        db,
        role,
        lambda connection: give_number(
            connection,
            device_id=device_id,
            slot=user,
            patient_id=patient_id,
            account_id=visitor.account.id,
            now=now,
        ),
    )


@router.post(
    "/{role}/patients/{patient_id}/inbox/{assignment_id}/undo",
    dependencies=[Depends(signed_form)],
)
def undo(
    role: str, patient_id: Assigned, assignment_id: int, visitor: SignedIn, db: Db, now: Now
) -> Response:
    """Takes back what was said."""
    return _moved(
        db,
        role,
        lambda connection: assignment.undo(
            connection,
            assignment_id=assignment_id,
            patient_id=patient_id,
            account_id=visitor.account.id,
            now=now,
        ),
        told="undone",
    )


def _mine(db: Pool, visitor: SignedIn, relation: Relation) -> dict[int, RelatedPatient]:
    with transaction(db) as connection:
        found = looked_after(connection, visitor.account.id)
    return {number: each for number, each in found.items() if each.relation == relation}


def _desk(db: Pool, patients: Collection[int], now: Now) -> Desk:
    with transaction(db) as connection:
        # one more than is shown tells whether there are more
        return read(connection, patients, now=now, limit=MOST + 1)


def _page(
    request: Request, desk: Desk, mine: dict[int, RelatedPatient], *, now: Now, told: str = ""
) -> HTMLResponse:
    locale = locale_of(request)
    cards = [
        card(found, guess, mine=mine, now=now, locale=locale)
        for found, guess in desk.waiting[:MOST]
    ]
    shown: dict[str, Any] = {
        "role": request.url.path.split("/")[1],
        "cards": cards,
        "has_more": len(desk.waiting) > MOST,
        "recent": said(desk.recent, mine=mine, now=now, locale=locale),
        "told": _TOLD.get(told, ""),
        "now": now,
        "device_kinds": DEVICE_KINDS,
    }
    return page(request, "inbox.html", shown)


def _moved(
    db: Pool, role: str, move: Callable[[Connection[Any]], Done], *, told: str = "done"
) -> Response:
    """Back to the page with a word of what became of it. Raises Unknown for what is not there."""
    if role not in ("family", "patient"):
        raise Unknown("There is no such page.")
    with transaction(db) as connection:
        done = move(connection)
    if done.outcome is Outcome.ABSENT:
        raise Unknown("There is no such reading for this patient.")
    word = "late" if done.outcome is Outcome.TOO_LATE else told
    return RedirectResponse(f"/{role}/inbox?told={word}", status_code=303)
