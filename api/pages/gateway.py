"""The page about the box in a home: how it is, setting one up with a code, shutting one out.

For the family and for the doctor, under the address of either. May hold: these three routes. May
not: judgement of a box (`api/view/gateway.py`), certificates (`api/authority.py`), SQL.
"""

import logging
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from api.access import Deed
from api.authority import shut_out
from api.config import ApiSettings
from api.enrolment import authority_of, invite
from api.errors import NoAuthority, Unknown
from api.render import locale_of, page
from api.view import gateway as view
from api.visitor import Db, Now, Settings, SignedIn, allowed, signed_form
from store import enrolment, people
from store.pool import transaction
from vitals.enrol import grouped
from vitals.errors import MendSettings

log = logging.getLogger(__name__)

BASE = "/{role}/patients/{patient_id}/gateway"

router = APIRouter(tags=["pages"], include_in_schema=False)

Household = Annotated[int, Depends(allowed(Deed.SET_UP_GATEWAY))]


@router.get(BASE, response_class=HTMLResponse)
def gateway_page(
    request: Request, patient_id: Household, db: Db, now: Now, settings: Settings
) -> HTMLResponse:
    """The boxes of a home, and how to set one up."""
    return _page(request, patient_id, db=db, now=now, settings=settings)


@router.post(f"{BASE}/code", dependencies=[Depends(signed_form)], response_class=HTMLResponse)
def make_code(
    request: Request,
    patient_id: Household,
    visitor: SignedIn,
    db: Db,
    now: Now,
    settings: Settings,
) -> HTMLResponse:
    """The page with a fresh code on it, which is shown this once."""
    if not _can_enrol(settings):
        raise NoAuthority("This server cannot enrol gateways.")
    with transaction(db) as connection:
        code = invite(connection, patient_id=patient_id, account_id=visitor.account.id, now=now)
    return _page(request, patient_id, db=db, now=now, settings=settings, code=grouped(code))


@router.post(f"{BASE}/shut-out", dependencies=[Depends(signed_form)], response_class=HTMLResponse)
def shut_out_gateway(
    request: Request,
    patient_id: Household,
    db: Db,
    now: Now,
    settings: Settings,
    name: Annotated[str, Form()],
) -> HTMLResponse:
    """Shuts a box of this home out, with all its certificates."""
    authority = authority_of(settings)
    with transaction(db) as connection:
        mine = {each.name for each in enrolment.enrolled_of_patient(connection, patient_id)}
        if name not in mine:
            raise Unknown("There is no such gateway in this home.")
        enrolment.revoke_gateway(connection, name, now=now)
        revoked = enrolment.revoked(connection, now=now)
    if authority is not None:
        try:
            shut_out(authority, revoked, now=now)
        except MendSettings as error:
            # it is shut out all the same: ingest takes nothing of it any more
            log.error("%s", error)
    return _page(request, patient_id, db=db, now=now, settings=settings, told_broker=True)


def _page(
    request: Request,
    patient_id: int,
    *,
    db: Db,
    now: Now,
    settings: ApiSettings,
    code: str = "",
    told_broker: bool = False,
) -> HTMLResponse:
    with transaction(db) as connection:
        patient = people.patient(connection, patient_id)
        rows = enrolment.enrolled_of_patient(connection, patient_id)
    if patient is None:
        raise Unknown("There is no such patient.")
    role = request.path_params["role"]
    shown = {
        "patient": patient,
        "zone": ZoneInfo(patient.timezone),
        "gateways": [view.shown(each, now=now, locale=locale_of(request)) for each in rows],
        "now": now,
        "role": role,
        "base": f"/{role}/patients/{patient_id}/gateway",
        "server": (settings.public_url or str(request.base_url)).rstrip("/"),
        "can_enrol": _can_enrol(settings),
        "code": code,
        "told_broker": told_broker,
    }
    return page(request, "gateway.html", shown)


def _can_enrol(settings: ApiSettings) -> bool:
    return authority_of(settings) is not None and bool(settings.gateway_mqtt_url)
