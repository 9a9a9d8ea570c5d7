"""Moving a patient to another time zone: the one change after which every day is another one.

A load counts into days of the zone that it read at its start. So no load runs while a zone changes:
this waits for those that do, and those that come wait for it, as long as it takes to count one
patient's readings anew. Locks are taken in the order of every load: devices (all of them), days,
news. May hold: this change. May not: other changes of people (`people.py`).
"""

from typing import Any

from psycopg import Connection

from store import intake, people, recount
from store.named import queries
from store.recount import Mended
from vitals.errors import MendData

_SQL = queries("people")


def set_zone(connection: Connection[Any], *, patient_id: int, timezone: str) -> list[Mended]:
    """The days that were counted anew, in no order; from now on days are those of this zone.

    The patient is judged again. Call it in a transaction of its own. Raises MendData for a zone or
    a patient that nobody knows.
    """
    people.check_zone(timezone)
    intake.stop_loads(connection)
    changed = connection.execute(
        _SQL["set_timezone"], {"id": patient_id, "timezone": timezone}
    ).rowcount
    if not changed:
        raise MendData(f"There is no patient {patient_id}.")
    return recount.recount_patient(connection, patient_id)
