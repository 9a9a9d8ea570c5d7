"""Pairing a device again that has lost its key: one press, without removing and searching.

Whose the device is stays as it is, and so do its user numbers. What follows is shown by the page of
a talk (`devices.py`). May hold: this press. May not: judgement (`api/view`), SQL.
"""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from api import asking
from api.errors import Busy, TooOften
from api.pages.devices import TROUBLES
from api.pages.place import BASE, Here, back
from api.pages.removing import device_of
from api.visitor import signed_form

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.post(f"{BASE}/{{device_id}}/pair", dependencies=[Depends(signed_form)])
def pair_again(here: Here, device_id: int) -> Response:
    """Lets the gateway make a new key with a device that has lost its own."""
    try:
        with here.asker() as asker:
            flow = asking.pair_again(asker, device_of(asker, device_id).device)
    except (Busy, TooOften) as error:
        return back(here.path, trouble=TROUBLES[type(error)])
    return back(f"{here.path}/adding/{flow}")
