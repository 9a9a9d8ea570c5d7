"""Patients over JSON: who they are, the newest values, a series, days.

Pydantic stands only here at the door; the shapes below are what programs may rely on. May hold:
shapes and reads. May not: SQL, judgement.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from api.access import Deed
from api.errors import Unknown
from api.visitor import Db, Now, SignedIn, allowed
from store import measurements, people
from store.measurements import Stored
from store.pool import transaction
from vitals.errors import MendData
from vitals.kinds import VITALS, Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit

# a series is for a chart or an export of some months, not for a copy of the database
LONGEST = timedelta(days=400)
JSON = "application/json"

router = APIRouter(prefix="/api/patients", tags=["patients"])

Viewed = Annotated[int, Depends(allowed(Deed.VIEW))]


class PatientOut(BaseModel):
    """A patient of the caller; `relation` is self, family or doctor."""

    id: int
    name: str
    sex: str | None
    born_on: date | None
    conditions: list[str]
    timezone: str
    relation: str


class ValueOut(BaseModel):
    """One measurement, as it was measured. `loinc` is the code for this kind in this unit."""

    kind: Kind
    loinc: str
    value: float
    unit: Unit
    taken_at: datetime
    received_at: datetime
    clock: Clock
    meal: Meal | None
    flags: list[Flag]
    device: str
    sequence: int


class DayOut(BaseModel):
    """One local day of one kind in one unit; a day that is absent was not measured."""

    kind: Kind
    unit: Unit
    day: date
    n: int
    mean: float
    min: float
    max: float
    last_at: datetime


@router.get("")
def patients(visitor: SignedIn, db: Db) -> list[PatientOut]:
    """The patients that the caller is related to."""
    with transaction(db) as connection:
        found = people.patients_of_account(connection, visitor.account.id)
    return [PatientOut.model_validate(each, from_attributes=True) for each in found]


@router.get("/{patient_id}")
def patient(patient_id: Viewed, visitor: SignedIn, db: Db) -> PatientOut:
    """One patient of the caller."""
    for each in patients(visitor, db):
        if each.id == patient_id:
            return each
    raise Unknown("There is no such patient for you.")


@router.get("/{patient_id}/latest")
def latest(patient_id: Viewed, db: Db) -> list[ValueOut]:
    """The newest measurement of each kind."""
    with transaction(db) as connection:
        found = measurements.newest(connection, patient_id)
    return [value_out(each) for each in found.values()]


@router.get("/{patient_id}/series", response_model=list[ValueOut])
def series(
    patient_id: Viewed,
    db: Db,
    now: Now,
    kind: Annotated[list[Kind] | None, Query(description="kinds; all when left out")] = None,
    since: Annotated[datetime | None, Query(description="default: 14 days before until")] = None,
    until: Annotated[datetime | None, Query(description="default: now")] = None,
) -> Response:
    """Measurements with since <= taken_at < until, in order of time; at most 400 days."""
    end = _aware(until) or now
    begin = _aware(since) or end - timedelta(days=14)
    if not timedelta() <= end - begin <= LONGEST:
        raise MendData(f"since must lie before until, at most {LONGEST.days} days.")
    with transaction(db) as connection:
        found = measurements.series(
            connection,
            patient_id=patient_id,
            since=begin,
            until=end,
            kinds=tuple(kind) if kind else tuple(Kind),
        )
    # ninety days of a sensor are 26,000 values: by way of ValueOut they took eight times as long
    return Response(msgspec.json.encode([_said(each) for each in found]), media_type=JSON)


@router.get("/{patient_id}/days")
def days(
    patient_id: Viewed,
    db: Db,
    first: date,
    last: date,
    kind: Annotated[list[Kind] | None, Query(description="kinds; all when left out")] = None,
) -> list[DayOut]:
    """The patient's local days from first to last, both included; at most 400."""
    if not timedelta() <= last - first <= LONGEST:
        raise MendData(f"first must not lie after last, at most {LONGEST.days} days.")
    with transaction(db) as connection:
        found = measurements.days(
            connection,
            patient_id=patient_id,
            first=first,
            last=last,
            kinds=tuple(kind) if kind else tuple(Kind),
        )
    return [
        DayOut(
            kind=each.kind,
            unit=each.unit,
            day=each.local_day,
            n=each.n,
            mean=each.mean,
            min=each.min,
            max=each.max,
            last_at=each.last_at,
        )
        for each in found
    ]


def value_out(stored: Stored) -> ValueOut:
    """A stored measurement as programs see it."""
    return ValueOut(**_said(stored))


def _said(stored: Stored) -> dict[str, Any]:
    """The fields of `ValueOut`, for `series` without it."""
    return {
        "kind": stored.kind,
        "loinc": VITALS[stored.kind].scale(stored.unit).loinc,
        "value": stored.value,
        "unit": stored.unit,
        "taken_at": stored.taken_at,
        "received_at": stored.received_at,
        "clock": stored.clock,
        "meal": stored.meal,
        "flags": list(stored.flags),
        "device": stored.device,
        "sequence": stored.sequence,
    }


def _aware(at: datetime | None) -> datetime | None:
    """Raises MendData for a moment without its offset from UTC."""
    if at is not None and at.utcoffset() is None:
        raise MendData("A moment needs its offset from UTC: 2026-11-22T07:00:00Z.")
    return at
