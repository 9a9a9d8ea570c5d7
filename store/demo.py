"""What the demo asks of the database to show that nothing was lost or doubled.

May hold: counting over `sql/demo.sql`. May not: writing.
"""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import scalar_row

from store.named import queries

_SQL = queries("demo")


def distinct_measurements(connection: Connection[Any]) -> int:
    """How many different things devices said, whatever identity the rows were given."""
    return int(_scalar(connection, "distinct_measurements"))


def is_stored_since(connection: Connection[Any], *, device: str, since: datetime) -> bool:
    """Has something of this device been committed at `since` or later?"""
    return bool(_scalar(connection, "is_stored_since", device=device, since=since))


def low_glucose_alert(
    connection: Connection[Any], *, patient_id: int, since: datetime
) -> int | None:
    """The number of the living alert about low glucose that knows what came at `since` or later."""
    found = _scalar(connection, "alert_since", patient_id=patient_id, since=since)
    return None if found is None else int(found)


def waiting_for_judgement(connection: Connection[Any]) -> int:
    """How many patients have news that no rule has seen yet."""
    return int(_scalar(connection, "waiting_for_judgement"))


def numbers(connection: Connection[Any]) -> dict[tuple[str, str, str], int]:
    """The numbers of accounts and patients: ("account", role, name) or ("patient", "", name)."""
    rows = connection.execute(_SQL["cast"]).fetchall()
    return {(what, role, name): number for what, role, name, number in rows}


def _scalar(connection: Connection[Any], name: str, **values: object) -> Any:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_SQL[name], values).fetchone()
