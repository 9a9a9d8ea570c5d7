"""Removing a device: a question first, then how far the gateway is with letting it go.

What was measured stays. May hold: these pages. May not: judgement (`api/view/removing.py`), SQL.
"""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from api import asking
from api.asking import Asker, home_zone, household_gateways
from api.errors import TooOften, Unknown
from api.pages.devices import TROUBLES, look_ms
from api.pages.place import BASE, Here, back
from api.render import page
from api.view.devices import DeviceLine, added, devices_of
from api.view.removing import Removal, Removing, removing_of
from api.visitor import signed_form
from store import commands
from vitals.command import Do

router = APIRouter(tags=["pages"], include_in_schema=False)
_signed = [Depends(signed_form)]


@router.get(f"{BASE}/{{device_id}}/remove", response_class=HTMLResponse)
def ask_page(request: Request, here: Here, device_id: int) -> HTMLResponse:
    """Asks whether the device is to be removed, and says what that means."""
    with here.asker() as asker:
        shown = here.frame(asker.connection)
        shown |= {"device": device_of(asker, device_id), "removing": None, "flow": ""}
    return page(request, "devices_remove.html", shown | {"look_ms": None})


@router.post(f"{BASE}/{{device_id}}/remove", dependencies=_signed)
def remove(here: Here, device_id: int) -> Response:
    """Lets the gateway forget the device."""
    try:
        with here.asker() as asker:
            flow = asking.remove(asker, device_of(asker, device_id).device)
    except TooOften:
        return back(here.path, trouble=TROUBLES[TooOften])
    return back(here.path if flow is None else f"{here.path}/removing/{flow}")


@router.get(f"{BASE}/removing/{{flow}}", response_class=HTMLResponse)
def removing_page(request: Request, here: Here, flow: str) -> HTMLResponse:
    """How far the removal is; and a way to do without a gateway that says nothing."""
    with here.asker() as asker:
        removing, device = _removal(asker, flow)
        shown = here.frame(asker.connection)
    shown |= {
        "device": device,
        "removing": removing,
        "flow": flow,
        "look_ms": look_ms(removing.look_at, here.now),
    }
    return page(request, "devices_remove.html", shown)


@router.post(f"{BASE}/removing/{{flow}}/leave", dependencies=_signed)
def leave(here: Here, flow: str) -> Response:
    """Takes the device off the list although its gateway said nothing, or could not."""
    with here.asker() as asker:
        removing, _ = _removal(asker, flow)
        if removing.state in (Removal.SILENT, Removal.FAILED):
            asking.leave(asker, removing.device)
    return back(here.path)


def device_of(asker: Asker, device_id: int) -> DeviceLine:
    """A device of this patient's home. Raises Unknown for any other."""
    for each in _lines(asker):
        if each.id == device_id:
            return each
    raise Unknown("There is no such device in this home.")


def _removal(asker: Asker, flow: str) -> tuple[Removing, DeviceLine | None]:
    asked, heard = commands.talk(asker.connection, flow, patient_id=asker.patient_id)
    first = next((each for each in asked if each.verb is Do.FORGET), None)
    if first is None:
        raise Unknown("There is no such removal.")
    removing = removing_of(first, heard, now=asker.now)
    return removing, next((each for each in _lines(asker) if each.device == removing.device), None)


def _lines(asker: Asker) -> list[DeviceLine]:
    gateways = household_gateways(asker.connection, asker.patient_id)
    around = commands.devices_around(
        asker.connection, patient_id=asker.patient_id, named=tuple(added(gateways))
    )
    zone = home_zone(asker.connection, asker.patient_id)
    return devices_of(around, gateways, patient_id=asker.patient_id, zone=zone)
