"""Devices over JSON: list them, add one step by step.

`POST …/devices/adding` begins a search, `GET …/devices/adding/{flow}` says how far it is, and
`POST …/devices/adding/{flow}` goes on: pair one of the devices found, give its passkey, say whether
two numbers are the same, stop. May hold: shapes. May not: what is asked of a gateway
(`asking.py`), judgement (`view`), SQL.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api import asking
from api.access import Deed
from api.asking import Asker, home_zone, household_gateways
from api.view.devices import added, devices_of
from api.visitor import Db, Now, SignedIn, allowed, signed_json
from store import commands
from store.pool import transaction

router = APIRouter(prefix="/api/patients/{patient_id}/devices", tags=["devices"])

Managed = Annotated[int, Depends(allowed(Deed.MANAGE_DEVICES))]


class DeviceOut(BaseModel):
    """A device of the home. `whose`: mine, shared, other or nobody, seen from this patient."""

    id: int
    device: str
    name: str
    drawing: str
    whose: str
    gateway: str
    seen_at: datetime | None
    battery_percent: int | None
    troubles: list[str]
    said: str


class FoundOut(BaseModel):
    """A device on the air; `hint` and `reason` in zh and en."""

    device: str
    name: str
    drawing: str
    signal: str
    supported: bool
    hint: dict[str, str]
    reason: dict[str, str]


class AddingOut(BaseModel):
    """How far a search or a pairing has come."""

    flow: str
    stage: str
    found: list[FoundOut]
    device: str
    number: int | None
    failure: str | None
    silence: str
    read: int


class Begin(BaseModel):
    """The gateway of the patient's household that is to search."""

    gateway: str = Field(max_length=63)


class Step(BaseModel):
    """What to do next in a talk. `whose` decides over a device that somebody else has."""

    do: Literal["search", "pair", "passkey", "same", "different", "stop"]
    device: str = Field("", max_length=64)
    whose: Literal["", "mine", "theirs"] = ""
    digits: str = Field("", max_length=40)


@router.get("")
def devices(patient_id: Managed, db: Db) -> list[DeviceOut]:
    """The devices of a patient's home."""
    with transaction(db) as connection:
        gateways = household_gateways(connection, patient_id)
        around = commands.devices_around(
            connection, patient_id=patient_id, named=tuple(added(gateways))
        )
        zone = home_zone(connection, patient_id)
    lines = devices_of(around, gateways, patient_id=patient_id, zone=zone)
    return [DeviceOut.model_validate(each, from_attributes=True) for each in lines]


@router.post("/adding", dependencies=[Depends(signed_json)])
def begin(patient_id: Managed, visitor: SignedIn, db: Db, now: Now, asked: Begin) -> AddingOut:
    """Begins a search, or gives back the one of the same account that is going on."""
    with transaction(db) as connection:
        asker = Asker(
            connection=connection, account_id=visitor.account.id, patient_id=patient_id, now=now
        )
        return _adding(asker, asking.search(asker, asked.gateway))


@router.get("/adding/{flow}")
def adding(patient_id: Managed, flow: str, visitor: SignedIn, db: Db, now: Now) -> AddingOut:
    """How far it is."""
    with transaction(db) as connection:
        asker = Asker(
            connection=connection, account_id=visitor.account.id, patient_id=patient_id, now=now
        )
        return _adding(asker, flow)


@router.post("/adding/{flow}", dependencies=[Depends(signed_json)])
def go_on(
    patient_id: Managed, flow: str, visitor: SignedIn, db: Db, now: Now, step: Step
) -> AddingOut:
    """Does the next step; one that does not fit the moment changes nothing."""
    with transaction(db) as connection:
        asker = Asker(
            connection=connection, account_id=visitor.account.id, patient_id=patient_id, now=now
        )
        asking.go_on(
            asker,
            asking.talk_of(asker, flow),
            do=step.do,
            device=step.device,
            whose=step.whose,
            digits=step.digits,
        )
        return _adding(asker, flow)


def _adding(asker: Asker, flow: str) -> AddingOut:
    pairing = asking.talk_of(asker, flow).pairing
    return AddingOut(
        flow=flow,
        stage=pairing.stage,
        found=[FoundOut.model_validate(each, from_attributes=True) for each in pairing.found],
        device=pairing.device,
        number=pairing.number,
        failure=pairing.failure,
        silence=pairing.silence,
        read=pairing.read,
    )
