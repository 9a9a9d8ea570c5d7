"""People, households, gateways and devices: who is served by what, and who may see whom.

Every function takes an open connection; the caller's transaction decides when it counts. May hold:
the nouns of `migrations/0001_people.sql` and the calls over `sql/people.sql`. May not: sessions
(`sessions.py`), measurements, or who may do what (`api/access.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from store.named import queries
from vitals.errors import MendData
from vitals.wire import GATEWAY_NAME

_SQL = queries("people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Somebody whose readings are kept; `targets` are the doctor's own, over a pack's."""

    id: int
    household_id: int | None
    name: str
    sex: str | None
    born_on: date | None
    conditions: list[str]
    timezone: str
    locale: str
    targets: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in: `role` is patient, family or doctor."""

    id: int
    name: str
    role: str
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedPatient(Patient):
    """A patient as one account sees them: `relation` is self, family or doctor."""

    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedAccount(Account):
    """An account as one patient knows it: `relation` is self, family or doctor."""

    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where an account wants to be told: an Apprise URL, from `min_severity` (0-4) on."""

    id: int
    account_id: int
    url: str
    min_severity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The box in the home; `last_seen_at` and `spooled` are of its last health message."""

    id: int
    name: str
    household_id: int | None
    registered_at: datetime
    last_seen_at: datetime | None
    spooled: int | None
    health: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A meter, cuff or band; `gateway_id` is the gateway that delivered last."""

    id: int
    name: str
    kind: str
    model: str
    gateway_id: int | None
    battery_percent: int | None
    clock_offset_s: int | None
    last_seen_at: datetime | None
    failure: str | None
    first_seen_at: datetime


# -- households, patients --------------------------------------------------------------------------


def create_household(connection: Connection[Any], name: str) -> int:
    """The id of a new household."""
    return _id(connection.execute(_SQL["create_household"], {"name": name}).fetchone())


def create_patient(
    connection: Connection[Any],
    *,
    name: str,
    household_id: int | None = None,
    sex: str | None = None,
    born_on: date | None = None,
    conditions: Sequence[str] = (),
    timezone: str = "Asia/Shanghai",
    locale: str = "zh-CN",
    targets: dict[str, Any] | None = None,
) -> int:
    """The id of a new patient; `sex` is female, male or unknown (None).

    Raises MendData for a time zone that nobody knows: the patient's days are counted in it.
    """
    check_zone(timezone)
    row = connection.execute(
        _SQL["create_patient"],
        {
            "household_id": household_id,
            "name": name,
            "sex": sex,
            "born_on": born_on,
            "conditions": list(conditions),
            "timezone": timezone,
            "locale": locale,
            "targets": Jsonb(targets or {}),
        },
    ).fetchone()
    return _id(row)


def check_zone(timezone: str) -> None:
    """Raises MendData for a time zone that nobody knows."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MendData(f"{timezone!r} is no time zone: use a name like Asia/Shanghai.") from error


def patient(connection: Connection[Any], patient_id: int) -> Patient | None:
    """One patient, None where there is none."""
    with connection.cursor(row_factory=class_row(Patient)) as cursor:
        return cursor.execute(_SQL["patient"], {"id": patient_id}).fetchone()


def patients(connection: Connection[Any], household_id: int | None = None) -> list[Patient]:
    """Every patient, or those of one household."""
    with connection.cursor(row_factory=class_row(Patient)) as cursor:
        return cursor.execute(_SQL["patients"], {"household_id": household_id}).fetchall()


def set_targets(connection: Connection[Any], *, patient_id: int, targets: dict[str, Any]) -> None:
    """Replaces the doctor's own targets."""
    connection.execute(_SQL["set_targets"], {"id": patient_id, "targets": Jsonb(targets)})


# -- accounts, relations, contacts -----------------------------------------------------------------


def create_account(
    connection: Connection[Any], *, name: str, role: str, locale: str = "zh-CN"
) -> int:
    """The id of a new account; `role` is patient, family or doctor."""
    row = connection.execute(
        _SQL["create_account"], {"name": name, "role": role, "locale": locale}
    ).fetchone()
    return _id(row)


def account(connection: Connection[Any], account_id: int) -> Account | None:
    """One account, None where there is none."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_SQL["account"], {"id": account_id}).fetchone()


def set_locale(connection: Connection[Any], *, account_id: int, locale: str) -> None:
    """Changes the language in which an account is spoken to."""
    connection.execute(_SQL["set_locale"], {"id": account_id, "locale": locale})


def relate(connection: Connection[Any], *, account_id: int, patient_id: int, relation: str) -> None:
    """Lets an account see a patient as self, family or doctor."""
    connection.execute(
        _SQL["relate"],
        {"account_id": account_id, "patient_id": patient_id, "relation": relation},
    )


def end_relation(
    connection: Connection[Any], *, account_id: int, patient_id: int, at: datetime
) -> None:
    """Ends what lets an account see a patient."""
    connection.execute(
        _SQL["end_relation"], {"account_id": account_id, "patient_id": patient_id, "at": at}
    )


def patients_of_account(connection: Connection[Any], account_id: int) -> list[RelatedPatient]:
    """The patients that an account may see today."""
    with connection.cursor(row_factory=class_row(RelatedPatient)) as cursor:
        return cursor.execute(_SQL["patients_of_account"], {"account_id": account_id}).fetchall()


def accounts_of_patient(connection: Connection[Any], patient_id: int) -> list[RelatedAccount]:
    """Who may see a patient today: those who can be told."""
    with connection.cursor(row_factory=class_row(RelatedAccount)) as cursor:
        return cursor.execute(_SQL["accounts_of_patient"], {"patient_id": patient_id}).fetchall()


def add_contact(
    connection: Connection[Any], *, account_id: int, url: str, min_severity: int = 2
) -> int:
    """The id of where an account wants to be told, from `min_severity` (0-4) on."""
    row = connection.execute(
        _SQL["add_contact"], {"account_id": account_id, "url": url, "min_severity": min_severity}
    ).fetchone()
    return _id(row)


def contacts_of_account(connection: Connection[Any], account_id: int) -> list[Contact]:
    """Where an account wants to be told."""
    with connection.cursor(row_factory=class_row(Contact)) as cursor:
        return cursor.execute(_SQL["contacts_of_account"], {"account_id": account_id}).fetchall()


# -- gateways, devices -----------------------------------------------------------------------------


def register_gateway(
    connection: Connection[Any], *, name: str, household_id: int | None = None
) -> int:
    """The id of a gateway whose messages are welcome from now on; a known one keeps its id.

    Raises MendData for a name that could not stand in a topic.
    """
    if not GATEWAY_NAME.match(name):
        raise MendData(
            f"{name!r} cannot name a gateway: use a-z, 0-9, '-' and '_', at most 63 letters."
        )
    row = connection.execute(
        _SQL["register_gateway"], {"name": name, "household_id": household_id}
    ).fetchone()
    return _id(row)


def gateway_named(connection: Connection[Any], name: str) -> Gateway | None:
    """One gateway, None where nobody registered it."""
    with connection.cursor(row_factory=class_row(Gateway)) as cursor:
        return cursor.execute(_SQL["gateway_named"], {"name": name}).fetchone()


def gateways(connection: Connection[Any], household_id: int | None = None) -> list[Gateway]:
    """Every gateway, or those of one household."""
    with connection.cursor(row_factory=class_row(Gateway)) as cursor:
        return cursor.execute(_SQL["gateways"], {"household_id": household_id}).fetchall()


def gateways_of_patient(connection: Connection[Any], patient_id: int) -> list[Gateway]:
    """The gateways of a patient's household, and those that last delivered for the patient."""
    with connection.cursor(row_factory=class_row(Gateway)) as cursor:
        return cursor.execute(_SQL["gateways_of_patient"], {"patient_id": patient_id}).fetchall()


def ensure_devices(connection: Connection[Any], names: Sequence[str]) -> dict[str, int]:
    """The ids of devices by name; those that were not known are added."""
    known: dict[str, int] = dict(
        connection.execute(_SQL["device_ids"], {"names": list(names)}).fetchall()
    )
    missing = [name for name in names if name not in known]
    if missing:
        connection.execute(_SQL["ensure_devices"], {"names": missing})
        known |= dict(connection.execute(_SQL["device_ids"], {"names": missing}).fetchall())
    return known


def device_named(connection: Connection[Any], name: str) -> Device | None:
    """One device, None where nothing was ever heard of it."""
    with connection.cursor(row_factory=class_row(Device)) as cursor:
        return cursor.execute(_SQL["device_named"], {"name": name}).fetchone()


def devices_of_patient(connection: Connection[Any], patient_id: int) -> list[Device]:
    """The devices whose readings are a patient's."""
    with connection.cursor(row_factory=class_row(Device)) as cursor:
        return cursor.execute(_SQL["devices_of_patient"], {"patient_id": patient_id}).fetchall()


def bind_device(
    connection: Connection[Any], device: str, *, patient_id: int, slot: int = -1
) -> int:
    """The id of the device whose readings are this patient's from now on.

    `device` is its lasting name ("ble:…"), heard of or not; `slot` 0-254 is a user number of its
    own, -1 whoever uses it: readings without a number, and any number as long as no number of this
    device is somebody's own. Readings that came before keep whom they had.
    """
    device_id = ensure_devices(connection, [device])[device]
    connection.execute(
        _SQL["bind_device"], {"device_id": device_id, "slot": slot, "patient_id": patient_id}
    )
    return device_id


def unbind_device(connection: Connection[Any], device: str, *, slot: int = -1) -> None:
    """Takes a slot of a device from whoever had it: its next readings belong to nobody yet."""
    device_id = ensure_devices(connection, [device])[device]
    connection.execute(_SQL["unbind_device"], {"device_id": device_id, "slot": slot})


def _id(row: Any) -> int:
    return int(row[0])
