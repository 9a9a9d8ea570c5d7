"""Erases one person: all that is theirs goes, all that is not stays, and both is proved.

One transaction on one snapshot, with no load of the person's devices running. Each table is named
here, with what is done to it or why nothing is; a test holds the list to the schema, `ledger.py`
proves the deed. What a gateway or a device brings again of the person stays out (`forgotten.py`).
May hold: these steps over `sql/erasure.sql`. May not: who may ask for it
(`kangban/commands/erase.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.errors import DeadlockDetected, ForeignKeyViolation, SerializationFailure
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from store import intake
from store.ledger import Done, Ledger
from store.named import queries
from store.pool import connect
from vitals.errors import AskPerson, MendData, TryAgain

_SQL = queries("erasure")

# Rows of these tables go, in this order: what refers to another goes before it.
REMOVED = (
    "assigned", "assignment", "gateway_event", "gateway_command", "gateway_invitation", "outbox",
    "reminder", "plan_change", "plan_task", "proposal", "plan", "alert", "finding", "judgement",
    "report", "news", "measurement_day", "revision", "measurement", "quarantine_deed",
    "quarantine", "rejection", "dead_letter", "device_user", "relation", "contact", "login_link",
    "session",
)  # fmt: skip
# Columns of rows that stay, in which the person, or an account of theirs, becomes nobody.
FORGOTTEN_PATIENT = (
    ("assignment", "mapped_before"), ("assigned", "was_patient"),
    ("gateway_command", "bound_from"),
)  # fmt: skip
FORGOTTEN_ACCOUNT = (
    ("assignment", "undone_by"), ("alert", "acknowledged_by"), ("proposal", "decided_by"),
    ("plan_change", "undone_by"), ("gateway_certificate", "allowed_by"),
    ("quarantine_deed", "account_id"),
)  # fmt: skip
# Tables that hold nothing of a person, or nothing that may go, and why.
KEPT = {
    "gateway": "a box and its health; it must stay welcome, or its spool would become dead letters",
    "gateway_certificate": "which keys were issued to which box",
    "heartbeat": "server processes",
    "ingest_worker": "server processes",
    "shard_lease": "which worker serves which shards",
    "schema_migration": "the schema",
    "retention": "when old readings were removed",
}
# What an erasure writes itself; the digest of the rest leaves them out.
WRITTEN = ("erasure", "forgotten", "forgotten_record")

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure did, or would do.

    `alone`: devices, and user numbers of devices (None: the whole device), that were theirs alone.
    `by_hand`: how many refused readings and messages of their home may be anybody's.
    """

    name: str
    reports: int
    tables: dict[str, Done]
    alone: tuple[tuple[str, int | None], ...]
    by_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """An erasure as it is kept."""

    patient_no: int
    at: datetime
    asked_by: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who is to be erased, who asked for it and why; no word of their health belongs here."""

    patient_id: int
    asked_by: str
    because: str
    with_reports: bool = False


class _OnlyLookedAt(Exception):
    """Ends a preview."""


def preview(url: str, patient_id: int, *, now: datetime) -> Erased:
    """What an erasure would do: it is done and taken back. Raises as `erase` does."""
    wish = Wish(patient_id=patient_id, asked_by="", because="", with_reports=True)
    return _erase(url, wish, now=now, keep=False)


def erase(url: str, wish: Wish, *, now: datetime) -> Erased:
    """What was done, committed.

    Raises MendData where there is no such person, or where something of theirs or less than
    everything else would be left (then nothing is done); AskPerson for signed reports that are not
    wished for; TryAgain while others keep changing what is to go.
    """
    return _erase(url, wish, now=now, keep=True)


def since(connection: Connection[Any], moment: datetime) -> list[Past]:
    """Who was erased since then: after an older backup was restored, they must be erased again."""
    with connection.cursor(row_factory=class_row(Past)) as cursor:
        return cursor.execute(_SQL["erasures"], {"since": moment}).fetchall()


def _erase(url: str, wish: Wish, *, now: datetime, keep: bool) -> Erased:
    with connect(url, autocommit=True) as connection:
        for _ in range(_TRIES):
            devices = _hold_devices(connection, wish.patient_id)
            found: list[Erased] = []
            try:
                with connection.transaction():
                    # one snapshot from the first statement on: what others do meanwhile is not seen
                    connection.execute(_SQL["one_snapshot"])
                    if devices == _devices(connection, wish.patient_id):
                        found.append(_steps(connection, wish, devices, now=now))
                        if not keep:
                            raise _OnlyLookedAt
                if found:
                    return found[0]
            except _OnlyLookedAt:
                return found[0]
            except (SerializationFailure, DeadlockDetected, ForeignKeyViolation):
                # somebody changed a row of the person meanwhile, or wrote a new one
                pass
            connection.execute(_SQL["release"])
    raise TryAgain(
        "Others keep writing about this person: stop the server processes, or try again later."
    )


def _devices(connection: Connection[Any], patient_id: int) -> list[int]:
    rows = connection.execute(_SQL["devices"], {"patient": patient_id}).fetchall()
    return [device for (device,) in rows]


def _hold_devices(connection: Connection[Any], patient_id: int) -> list[int]:
    """The person's devices, of which no load runs until the connection ends."""
    devices = _devices(connection, patient_id)
    connection.execute(
        _SQL["hold"], {"class": intake.LOCK_CLASS, "buckets": intake.buckets(devices)}
    )
    return devices


def _steps(connection: Connection[Any], wish: Wish, devices: list[int], *, now: datetime) -> Erased:
    asked = {"patient": wish.patient_id, "devices": devices, "at": now}
    person = connection.execute(_SQL["person"], asked).fetchone()
    if person is None:
        raise MendData(f"There is no patient {wish.patient_id}: nothing was erased.")
    name, reports = person
    if reports and not wish.with_reports:
        raise AskPerson(
            f"{reports} reports of this person are signed. A clinic may have to keep medical "
            "records for years whatever the person wishes: save them first, let whoever answers "
            "for the clinic decide, and then say --signed-reports."
        )
    connection.execute(_SQL["unpack_all"])
    gateways = [each for (each,) in connection.execute(_SQL["gateways"], asked)]
    ledger = Ledger(connection, wish.patient_id, known=known_tables(), written=WRITTEN)
    for each in ("list_devices", "list_rows", "list_accounts", "list_gateways"):
        connection.execute(_SQL[each], asked)
    first, last = connection.execute(_SQL["span"]).fetchone() or (None, None)
    _take_out(ledger, {**asked, "first": first, "last": last})
    tables = ledger.balance()
    _remember(connection, wish, tables, at=now)
    alone = tuple(connection.execute(_SQL["ranges"]).fetchall())
    by_hand = connection.execute(_SQL["left_by_hand"], {"gateways": gateways}).fetchone()
    connection.execute(_SQL["look"], asked)
    return Erased(
        name=name,
        reports=reports,
        tables=tables,
        alone=alone,
        by_hand=by_hand[0] if by_hand else 0,
    )


def _take_out(ledger: Ledger, asked: dict[str, Any]) -> None:
    for table in REMOVED:
        ledger.remove(table, asked)
    # what is left of these rows is somebody else's
    for table, column in FORGOTTEN_PATIENT:
        ledger.change(table, "forget_patient", asked, column=column)
    for table, column in FORGOTTEN_ACCOUNT:
        ledger.change(table, "forget_account", asked, column=column)
    ledger.change("device", "change_device", asked)
    ledger.remove("account", asked)
    ledger.change("account", "change_account", asked)
    ledger.change("household", "change_household", asked)
    ledger.remove("patient", asked)


def _remember(
    connection: Connection[Any], wish: Wish, tables: dict[str, Done], *, at: datetime
) -> None:
    done = {
        table: {"removed": each.removed, "changed": each.changed}
        for table, each in tables.items()
        if each.removed or each.changed
    }
    rest = {
        table: {"rows": each.rest.rows, "digest": each.rest.text} for table, each in tables.items()
    }
    row = connection.execute(
        _SQL["add_erasure"],
        {
            "patient": wish.patient_id,
            "at": at,
            "asked_by": wish.asked_by,
            "because": wish.because,
            "done": Jsonb(done),
            "rest": Jsonb(rest),
        },
    ).fetchone()
    assert row is not None
    connection.execute(_SQL["bar_ranges"], {"erasure": row[0], "at": at})
    connection.execute(_SQL["bar_records"], {"erasure": row[0]})


def known_tables() -> set[str]:
    """Every table of which is said what an erasure does with it."""
    changed = (table for table, _ in (*FORGOTTEN_PATIENT, *FORGOTTEN_ACCOUNT))
    return {*REMOVED, *changed, *KEPT, *WRITTEN, "patient", "account", "household", "device"}
