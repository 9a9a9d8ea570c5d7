"""Who uses a shared device: a person for each of its user numbers, or "ask each time".

Only people whom the visitor looks after can be chosen, and a number of somebody else's stays
theirs. May hold: reading and putting together. May not: whose a reading then is (the view `wearer`
of `store/`), SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import Connection

from api.access import Deed, Relation
from api.errors import NotAllowed, Unknown
from api.inbox import give_number, looked_after
from api.render import page
from api.view import latest as latest_view
from api.view.chain import DEVICE_KINDS
from api.view.inbox import choices
from api.view.latest import Shown
from api.visitor import Db, Now, SignedIn, allowed, signed_form
from store import sharing
from store.people import RelatedPatient
from store.pool import transaction
from store.sharing import NO_NUMBER, Number, SharedDevice
from vitals.errors import MendData

# numbers seen within so long are listed
_SEEN = timedelta(days=365)
# what is chosen instead of a person: several use it without numbers; nobody yet
SEVERAL, NOBODY = "several", "nobody"

router = APIRouter(tags=["pages"], include_in_schema=False)

Assigned = Annotated[int, Depends(allowed(Deed.ASSIGN))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number. `owner` is who it is to the visitor; somebody unseen cannot be changed."""

    slot: int
    owner: int | None
    is_unseen: bool
    waiting: int
    newest_at: datetime | None
    last: Shown | None


@router.get("/family/patients/{patient_id}/devices/{device_id}/users", response_class=HTMLResponse)
def users(
    request: Request,
    patient_id: Assigned,
    device_id: int,
    visitor: SignedIn,
    db: Db,
    now: Now,
    told: str = "",
) -> HTMLResponse:
    """Every number of the device with its last values, and whose it is."""
    with transaction(db) as connection:
        device, mine = _device(connection, visitor, patient_id, device_id)
        found = sharing.numbers(connection, device_id, since=now - _SEEN)
        people = choices(mine, sorted(sharing.possible_users(connection, device_id)))
    rows = [_row(each, mine, now) for each in found]
    without = next((each for each in rows if each.slot == NO_NUMBER), None)
    shown = {
        "patient_id": patient_id,
        "device": device,
        "device_kinds": DEVICE_KINDS,
        "without": without,
        "numbers": [each for each in rows if each.slot != NO_NUMBER],
        "people": people,
        "zone": ZoneInfo(mine[patient_id].timezone),
        "now": now,
        "is_saved": told == "saved",
    }
    return page(request, "device_users.html", shown)


@router.post(
    "/family/patients/{patient_id}/devices/{device_id}/users",
    dependencies=[Depends(signed_form)],
)
def save(
    patient_id: Assigned,
    device_id: int,
    visitor: SignedIn,
    db: Db,
    now: Now,
    without: Annotated[str | None, Form()] = None,
    slot: Annotated[list[int] | None, Form()] = None,
    person: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Keeps who uses the device; what waits of a number goes to whose it became."""
    wanted = list(zip(slot or [], person or [], strict=False))
    with transaction(db) as connection:
        device, mine = _device(connection, visitor, patient_id, device_id)
        possible = _possible(connection, mine, device_id)
        if without is not None:
            _share(connection, device, without, possible)
        for number, chosen in wanted:
            if not 0 <= number <= 254:
                raise MendData("A user number is between 0 and 254.")
            owner = sharing.owner(connection, device_id, number)
            who = _chosen(chosen, possible)
            if owner == who:
                continue
            if who is None:
                _must_be_seen(owner, mine)
                sharing.free_number(connection, device_id=device_id, slot=number)
            else:
                give_number(
                    connection,
                    device_id=device_id,
                    slot=number,
                    patient_id=who,
                    account_id=visitor.account.id,
                    now=now,
                )
    where = f"/family/patients/{patient_id}/devices/{device_id}/users?told=saved"
    return RedirectResponse(where, status_code=303)


def _device(
    connection: Connection[Any], visitor: SignedIn, patient_id: int, device_id: int
) -> tuple[SharedDevice, dict[int, RelatedPatient]]:
    """A device of this patient's home, and whom the visitor looks after. Raises Unknown."""
    device = sharing.device(connection, device_id) if 0 < device_id < 2**31 else None
    if device is None or patient_id not in sharing.possible_users(connection, device_id):
        raise Unknown("There is no such device for this patient.")
    mine = looked_after(connection, visitor.account.id)
    family = {who: each for who, each in mine.items() if each.relation == Relation.FAMILY}
    if patient_id not in family:
        raise Unknown("There is no such patient for you here.")
    return device, family


def _possible(
    connection: Connection[Any], mine: Mapping[int, RelatedPatient], device_id: int
) -> set[int]:
    return sharing.possible_users(connection, device_id) & mine.keys()


def _share(
    connection: Connection[Any], device: SharedDevice, without: str, possible: set[int]
) -> None:
    """Says who uses the device without a number: one person, several, or nobody yet."""
    owner = sharing.owner(connection, device.id, NO_NUMBER)
    if without == SEVERAL:
        if not device.shared:
            _must_be_seen(owner, possible)
            sharing.share(connection, device_id=device.id, shared=True)
        return
    who = _chosen(without, possible)
    if owner != who:
        _must_be_seen(owner, possible)
    sharing.share(connection, device_id=device.id, shared=False, patient_id=who)
    if who is None:
        sharing.free_number(connection, device_id=device.id, slot=NO_NUMBER)


def _chosen(text: str, possible: set[int]) -> int | None:
    """Raises Unknown for a person who cannot be chosen here."""
    if text == NOBODY:
        return None
    if not (text.isascii() and text.isdecimal() and int(text[:10]) in possible):
        raise Unknown("There is no such person for you here.")
    return int(text)


def _must_be_seen(owner: int | None, mine: Mapping[int, Any] | set[int]) -> None:
    if owner is not None and owner not in mine:
        raise NotAllowed("This number is somebody's whom you do not look after.")


def _row(found: Number, mine: Mapping[int, RelatedPatient], now: datetime) -> Row:
    # values of somebody whom the visitor does not look after are not theirs to see
    is_open = found.values_of is None or found.values_of in mine
    lines = latest_view.shown(found.values, targets={}, now=now) if is_open else []
    return Row(
        slot=found.slot,
        owner=found.patient_id if found.patient_id in mine else None,
        is_unseen=found.patient_id is not None and found.patient_id not in mine,
        waiting=found.waiting,
        newest_at=found.newest_at,
        last=lines[0] if lines else None,
    )
