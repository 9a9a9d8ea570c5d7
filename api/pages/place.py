"""Where a page about somebody's devices stands: whose session, which patient, and what they share.

May hold: what the pages of devices have in common. May not: what one of them shows, SQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from psycopg import Connection
from starlette.routing import Match

from api.access import Deed
from api.asking import Asker
from api.errors import Unknown
from api.visitor import Db, Now, SignedIn, Visitor, allowed
from store import people
from store.pool import Pool, transaction

BASE = "/{role}/patients/{patient_id}/devices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A visitor at the devices of a patient whose devices they may manage."""

    role: str
    patient_id: int
    visitor: Visitor
    db: Pool
    now: datetime

    @property
    def path(self) -> str:
        """The address of the list of devices."""
        return BASE.format(role=self.role, patient_id=self.patient_id)

    @contextmanager
    def asker(self) -> Iterator[Asker]:
        """One transaction in which things are read, or asked of a gateway."""
        with transaction(self.db) as connection:
            yield Asker(
                connection=connection,
                account_id=self.visitor.account.id,
                patient_id=self.patient_id,
                now=self.now,
            )

    def frame(self, connection: Connection[Any]) -> dict[str, Any]:
        """What all these pages show. Names only of people that the visitor is related to."""
        patient = people.patient(connection, self.patient_id)
        if patient is None:
            raise Unknown("There is no such patient for you.")
        related = people.patients_of_account(connection, self.visitor.account.id)
        return {
            "role": self.role,
            "base": self.path,
            "patient": patient,
            "zone": ZoneInfo(patient.timezone),
            "now": self.now,
            "names": {each.id: each.name for each in related},
        }


def place(
    role: Literal["patient", "family", "doctor"],
    patient_id: Annotated[int, Depends(allowed(Deed.MANAGE_DEVICES))],
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Place:
    """The place of an address, asked for by each route."""
    return Place(role=role, patient_id=patient_id, visitor=visitor, db=db, now=now)


Here = Annotated[Place, Depends(place)]


def back(path: str, **query: str) -> Response:
    """The browser is led to a page of ours."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)


def if_there(request: Request, path: str) -> str:
    """The path, "" where this application has no such page."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    found = any(each.matches(scope)[0] is Match.FULL for each in request.app.routes)
    return path if found else ""
