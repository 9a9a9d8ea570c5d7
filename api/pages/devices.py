"""Devices of a home, and adding one: pages for the person, the family and the doctor alike.

Every step is a page that works without script; with it, what the gateway answers shows by itself.
May hold: reading, putting together, and handing what was pressed to `api/asking.py`. May not:
judgement (`api/view`), SQL.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from api import asking
from api.access import Relation
from api.asking import Asker, Talk, household_gateways
from api.errors import AnotherHomes, Busy, SomebodyElses, TooOften, Unknown
from api.pages.place import BASE, Here, back, if_there
from api.render import page
from api.view.devices import added, devices_of, gateways_of
from api.view.drawing import SHARED, drawing_of
from api.view.pairing import Found, Pairing, Stage
from api.visitor import Db, SignedIn, signed_form
from store import commands, people
from store.people import Device
from store.pool import transaction
from vitals.errors import KangbanError, MendData

router = APIRouter(tags=["pages"], include_in_schema=False)

# what went wrong at a press is told on the page that it leads back to, by these words
TROUBLES: dict[type[KangbanError], str] = {
    Busy: "busy",
    TooOften: "often",
    AnotherHomes: "home",
    MendData: "entry",
}
_Trouble = Annotated[str, Query(max_length=20)]


@router.get("/patient/devices")
def own_devices(visitor: SignedIn, db: Db) -> Response:
    """The way to one's own devices."""
    with transaction(db) as connection:
        for each in people.patients_of_account(connection, visitor.account.id):
            if each.relation == Relation.SELF:
                return back(f"/patient/patients/{each.id}/devices")
    raise Unknown("This account belongs to no patient.")


@router.get(BASE, response_class=HTMLResponse)
def devices_page(request: Request, here: Here, trouble: _Trouble = "") -> HTMLResponse:
    """The devices of a home, its gateways, and the button that adds one."""
    with here.asker() as asker:
        gateways = household_gateways(asker.connection, here.patient_id)
        around = commands.devices_around(
            asker.connection, patient_id=here.patient_id, named=tuple(added(gateways))
        )
        busy = {
            each.name: talk
            for each in gateways
            if (talk := asking.busy_with(asker.connection, each.id, now=here.now)) is not None
        }
        shown = here.frame(asker.connection)
    shown |= {
        "devices": devices_of(
            around,
            gateways,
            patient_id=here.patient_id,
            zone=shown["zone"],
            coming={talk.device for talk in busy.values() if talk.device and talk.bound},
        ),
        "gateways": gateways_of(gateways, now=here.now),
        "busy": busy,
        "trouble": _known(trouble),
        "enrol_path": if_there(request, here.path.removesuffix("/devices") + "/gateway"),
        "users_paths": {each.id: _users_path(request, here.path, each.id) for each in around},
    }
    return page(request, "devices.html", shown)


@router.post(f"{BASE}/search", dependencies=[Depends(signed_form)])
def search(here: Here, gateway: Annotated[str, Form(max_length=63)]) -> Response:
    """Lets a gateway look for devices."""
    try:
        with here.asker() as asker:
            return back(f"{here.path}/adding/{asking.search(asker, gateway)}")
    except (Busy, TooOften) as error:
        return back(here.path, trouble=TROUBLES[type(error)])


@router.get(f"{BASE}/adding/{{flow}}", response_class=HTMLResponse)
def adding_page(
    request: Request,
    here: Here,
    flow: str,
    trouble: _Trouble = "",
    whose: Annotated[str, Query(max_length=64, description="a device that has an owner")] = "",
) -> HTMLResponse:
    """How far a search or a pairing has come, and what the person can do next."""
    with here.asker() as asker:
        talk = asking.talk_of(asker, flow)
        pairing = talk.pairing
        device = people.device_named(asker.connection, pairing.device)
        has = commands.wearers_of(asker.connection, pairing.device)
        wearers = commands.wearers_of(asker.connection, whose) if whose else []
        shown = here.frame(asker.connection) | {"other": _other_talk(asker, talk)}
    may_choose = pairing.is_over or pairing.stage is Stage.SEARCHING
    shown |= {
        "flow": flow,
        "pairing": pairing,
        "chosen": pairing.chosen or (device and _as_found(device)),
        "gateway": talk.asked[-1].gateway,
        "look_ms": look_ms(pairing.look_at, here.now),
        "trouble": _known(trouble),
        "whose": _found(pairing, whose) if wearers and may_choose else None,
        "wearer": wearers[0] if wearers else None,
        "is_theirs": any(each.patient_id == here.patient_id for each in has),
        "users_path": "",
    }
    if device is not None and pairing.chosen and pairing.chosen.drawing in SHARED:
        shown["users_path"] = _users_path(request, here.path, device.id)
    return page(request, "devices_adding.html", shown)


@router.post(f"{BASE}/adding/{{flow}}", dependencies=[Depends(signed_form)])
def press(
    here: Here,
    flow: str,
    do: Annotated[str, Form(max_length=16)],
    device: Annotated[str, Form(max_length=64)] = "",
    whose: Annotated[str, Form(max_length=8)] = "",
    digits: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Does what was pressed on the page of a talk, and leads back to it."""
    path = f"{here.path}/adding/{flow}"
    try:
        with here.asker() as asker:
            talk = asking.talk_of(asker, flow)
            asking.go_on(asker, talk, do=do, device=device, whose=whose, digits=digits)
    except SomebodyElses:
        return back(path, whose=device)
    except (Busy, TooOften, AnotherHomes, MendData) as error:
        return back(path, trouble=TROUBLES[type(error)])
    return back(path)


def look_ms(at: datetime | None, now: datetime) -> int | None:
    """Milliseconds until the page is to look again by itself."""
    return None if at is None else max(0, round((at - now).total_seconds() * 1000))


def _other_talk(asker: Asker, talk: Talk) -> Any:
    """What somebody else lets this gateway do meanwhile."""
    going_on = asking.busy_with(asker.connection, talk.asked[-1].gateway_id, now=asker.now)
    return going_on if going_on is not None and going_on.flow != talk.flow else None


def _as_found(device: Device) -> Found:
    """A device that was not searched for: it is paired again."""
    return Found(
        device=device.name,
        name=device.model,
        kind=device.kind,
        drawing=drawing_of(kind=device.kind),
        signal="unknown",
        supported=True,
        hint={},
        reason={},
    )


def _found(pairing: Pairing, device: str) -> Any:
    return next((each for each in pairing.found if each.device == device), None)


def _known(trouble: str) -> str:
    return trouble if trouble in TROUBLES.values() else ""


def _users_path(request: Request, base: str, device_id: int) -> str:
    return if_there(request, f"{base}/{device_id}/users")
