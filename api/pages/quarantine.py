"""Readings that nobody believes: the family or the doctor says whether they are real.

Every press is one decision and leads back here with a word of what became of it. May hold: reading
and putting together. May not: what is believable, SQL.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import Connection

from api.access import Deed, Relation
from api.errors import Unknown
from api.inbox import looked_after
from api.quarantine import MOST, Decides, settle
from api.render import locale_of, page
from api.view.chain import DEVICE_KINDS
from api.view.quarantine import card, said
from api.visitor import Db, Now, SignedIn, signed_form
from store import doubt
from store.assignment import Outcome
from store.people import RelatedPatient
from store.pool import transaction
from store.quarantine import Decision

# decisions stay in sight for so long
LOOK_BACK = timedelta(hours=24)
# whose pages have it
_ROLES = {"family": Relation.FAMILY, "doctor": Relation.DOCTOR}
# what is said over the page, by the word in its address
_TOLD = {
    "release": "quarantine_told_release",
    "discard": "quarantine_told_discard",
    "late": "quarantine_told_late",
}

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/family/quarantine", response_class=HTMLResponse)
def family_quarantine(
    request: Request, visitor: SignedIn, db: Db, now: Now, told: str = ""
) -> HTMLResponse:
    """What waits for those whom the visitor looks after, and of nobody known in their homes."""
    return _page(request, visitor, db, now=now, relation=Relation.FAMILY, told=told)


@router.get("/doctor/quarantine", response_class=HTMLResponse)
def doctor_quarantine(
    request: Request, visitor: SignedIn, db: Db, now: Now, told: str = ""
) -> HTMLResponse:
    """What waits of the doctor's patients."""
    return _page(request, visitor, db, now=now, relation=Relation.DOCTOR, told=told)


@router.post(
    "/{role}/patients/{patient_id}/quarantine/{key}/{decision}",
    dependencies=[Depends(signed_form)],
)
def decide(
    role: str,
    patient_id: Decides,
    key: int,
    decision: Decision,
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Response:
    """A reading is real, or it is not."""
    if role not in _ROLES:
        raise Unknown("There is no such page.")
    with transaction(db) as connection:
        outcome = settle(
            connection, key, decision, patient_id=patient_id, account_id=visitor.account.id, now=now
        )
    word = "late" if outcome is Outcome.TOO_LATE else decision
    return RedirectResponse(f"/{role}/quarantine?told={word}", status_code=303)


def count(connection: Connection[Any], account_id: int, relation: Relation) -> int:
    """How many records wait for this account in this role, counted no further than a page."""
    mine = _mine(connection, account_id, relation)
    if not mine:
        return 0
    return doubt.count_waiting(
        connection, list(mine), at_home=relation is Relation.FAMILY, limit=MOST
    )


def _mine(
    connection: Connection[Any], account_id: int, relation: Relation
) -> dict[int, RelatedPatient]:
    found = looked_after(connection, account_id, deed=Deed.RELEASE)
    return {number: each for number, each in found.items() if each.relation == relation}


def _page(
    request: Request,
    visitor: SignedIn,
    db: Db,
    *,
    now: datetime,
    relation: Relation,
    told: str,
) -> HTMLResponse:
    at_home = relation is Relation.FAMILY
    with transaction(db) as connection:
        mine: Mapping[int, RelatedPatient] = _mine(connection, visitor.account.id, relation)
        # one more than is shown tells whether there are more
        found = doubt.waiting(connection, list(mine), at_home=at_home, limit=MOST + 1)
        decided = doubt.recent(connection, list(mine), at_home=at_home, since=now - LOOK_BACK)
    locale = locale_of(request)
    shown: dict[str, Any] = {
        "role": relation.value,
        "cards": [card(each, mine=mine, now=now, locale=locale) for each in found[:MOST]],
        "has_more": len(found) > MOST,
        "recent": said(decided, mine=mine, now=now, locale=locale),
        "told": _TOLD.get(told, ""),
        "now": now,
        "device_kinds": DEVICE_KINDS,
    }
    return page(request, "quarantine.html", shown)
