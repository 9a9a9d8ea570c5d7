"""Who uses a device under which number, and whether several people use it without any.

Whose a new reading is then follows from the view `wearer` (`migrations/0007_inbox.sql`). May hold:
these reads and settings over `sql/inbox.sql`. May not: giving readings that came before
(`assignment.py`), who may do it (`api/access.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from store import intake
from store.measurements import Stored, stored_of
from store.named import queries
from vitals.kinds import Kind

_SQL = queries("inbox")

# readings that carry no user number
NO_NUMBER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDevice:
    """A device; `shared`: several people use it without numbers."""

    id: int
    name: str
    kind: str
    model: str
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A user number of a device (NO_NUMBER: readings without), whose it is, what came of it.

    `n` records since the moment asked for, of which `waiting` have no name; `values` of the newest,
    with whose they are (`values_of`, None: nobody's yet).
    """

    slot: int
    patient_id: int | None
    n: int
    waiting: int
    newest_at: datetime | None
    values: dict[Kind, Stored]
    values_of: int | None


def device(connection: Connection[Any], device_id: int) -> SharedDevice | None:
    """One device, None where there is none."""
    with connection.cursor(row_factory=class_row(SharedDevice)) as cursor:
        return cursor.execute(_SQL["shared_device"], {"device_id": device_id}).fetchone()


def possible_users(connection: Connection[Any], device_id: int) -> set[int]:
    """The patients who may use a device: of the household it stands in, or said to use it."""
    rows = connection.execute(_SQL["users_of_device"], {"device_id": device_id}).fetchall()
    return {patient_id for (patient_id,) in rows}


def numbers(connection: Connection[Any], device_id: int, *, since: datetime) -> list[Number]:
    """The numbers of a device that are somebody's or were seen since a moment, in their order."""
    rows = connection.execute(_SQL["numbers"], {"device_id": device_id, "since": since}).fetchall()
    found = []
    for slot, patient_id, n, waiting, newest_at in rows:
        values_of, values = _values_at(connection, device_id, slot, newest_at)
        found.append(
            Number(
                slot=slot,
                patient_id=patient_id,
                n=n,
                waiting=waiting,
                newest_at=newest_at,
                values=values,
                values_of=values_of,
            )
        )
    return found


def owner(connection: Connection[Any], device_id: int, slot: int) -> int | None:
    """Whose a number of a device is; None: nobody's."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(
            _SQL["slot_owner"], {"device_id": device_id, "slot": slot}
        ).fetchone()
    return found


def share(
    connection: Connection[Any], *, device_id: int, shared: bool, patient_id: int | None = None
) -> None:
    """Says whether several people use a device without numbers, and if not, who uses it.

    A shared device keeps whose it was: that person's page goes on showing it.
    """
    intake.lock_devices(connection, [device_id], alone=[device_id])
    connection.execute(_SQL["set_shared"], {"device_id": device_id, "shared": shared})
    if patient_id is not None:
        asked = {"device_id": device_id, "slot": NO_NUMBER, "patient_id": patient_id}
        connection.execute(_SQL["set_slot"], asked)


def free_number(connection: Connection[Any], *, device_id: int, slot: int) -> None:
    """A number of a device is nobody's from now on; what came before keeps whom it had."""
    intake.lock_devices(connection, [device_id], alone=[device_id])
    connection.execute(_SQL["clear_slot"], {"device_id": device_id, "slot": slot})


def _values_at(
    connection: Connection[Any], device_id: int, slot: int, taken_at: datetime | None
) -> tuple[int | None, dict[Kind, Stored]]:
    if taken_at is None:
        return None, {}
    rows = connection.execute(
        _SQL["values_at"], {"device_id": device_id, "slot": slot, "taken_at": taken_at}
    ).fetchall()
    return rows[0][0], {each.kind: each for each in (stored_of(row[1:]) for row in rows)}
