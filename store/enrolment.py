"""Invitations of gateways, the certificates that were issued, and who was shut out.

Every function takes an open connection; the caller's transaction decides when it counts. May hold:
the nouns of `migrations/0008_enrolment.sql` and the calls over `sql/enrolment.sql`. May not: keys,
signatures (`api/authority.py`), codes in the open.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from store.named import queries
from vitals.enrol import MOST_TRIES

_SQL = queries("enrolment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An open invitation; `timezone` is where the patient lives."""

    label: str
    code_hash: bytes
    household_id: int
    patient_id: int
    invited_by: int
    tries: int
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that may be renewed; `public_key` is a SubjectPublicKeyInfo in DER."""

    gateway_id: int
    serial: str
    public_key: bytes
    issued_at: datetime
    expires_at: datetime
    allowed_by: int | None
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A certificate that is on the list of those shut out; `serial` in hexadecimal."""

    serial: str
    name: str
    revoked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledRow:
    """A gateway of a household with its newest certificate, None where it has none of ours."""

    id: int
    name: str
    last_seen_at: datetime | None
    spooled: int | None
    health: dict[str, Any]
    registered_at: datetime
    revoked_at: datetime | None
    issued_at: datetime | None
    expires_at: datetime | None
    allowed_by: str | None


def household_of(connection: Connection[Any], patient_id: int) -> int:
    """The household of a patient, made where there is none."""
    connection.execute(_SQL["lock_patient"], {"patient_id": patient_id})
    row = connection.execute(_SQL["household_of"], {"patient_id": patient_id}).fetchone()
    assert row is not None
    return int(row[0])


def invite(
    connection: Connection[Any],
    *,
    label: str,
    code_hash: bytes,
    household_id: int,
    patient_id: int,
    account_id: int,
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Keeps an invitation instead of the patient's open one; False where somebody else's open one
    has the same label."""
    connection.execute(_SQL["end_invitations"], {"patient_id": patient_id, "now": now})
    done = connection.execute(
        _SQL["invite"],
        {
            "label": label,
            "code_hash": code_hash,
            "household_id": household_id,
            "patient_id": patient_id,
            "account_id": account_id,
            "now": now,
            "expires_at": expires_at,
        },
    )
    return done.rowcount == 1


def take_invitation(connection: Connection[Any], label: str, *, now: datetime) -> Invitation | None:
    """The open invitation of a label, locked; None for none, a used, old or guessed-at one."""
    with connection.cursor(row_factory=class_row(Invitation)) as cursor:
        return cursor.execute(
            _SQL["take_invitation"], {"label": label, "now": now, "most": MOST_TRIES}
        ).fetchone()


def count_try(connection: Connection[Any], label: str) -> None:
    """Notes a wrong code against the invitation it was aimed at."""
    connection.execute(_SQL["count_try"], {"label": label})


def use_invitation(
    connection: Connection[Any], label: str, *, gateway_id: int, now: datetime
) -> None:
    """Uses an invitation up."""
    connection.execute(
        _SQL["use_invitation"], {"label": label, "gateway_id": gateway_id, "now": now}
    )


def add_gateway(connection: Connection[Any], name: str, *, household_id: int) -> int | None:
    """The id of a new gateway, None where the name is taken."""
    row = connection.execute(
        _SQL["add_gateway"], {"name": name, "household_id": household_id}
    ).fetchone()
    return None if row is None else int(row[0])


def add_certificate(
    connection: Connection[Any],
    *,
    gateway_id: int,
    serial: str,
    public_key: bytes,
    issued_at: datetime,
    expires_at: datetime,
    allowed_by: int | None,
) -> None:
    """Keeps what was issued to a gateway, and who allowed it."""
    connection.execute(
        _SQL["add_certificate"],
        {
            "gateway_id": gateway_id,
            "serial": serial,
            "public_key": public_key,
            "issued_at": issued_at,
            "expires_at": expires_at,
            "allowed_by": allowed_by,
        },
    )


def living_certificates(
    connection: Connection[Any], name: str, *, now: datetime
) -> list[Certificate]:
    """The certificates of a gateway that may be renewed; none for one that was shut out."""
    with connection.cursor(row_factory=class_row(Certificate)) as cursor:
        return cursor.execute(_SQL["living_certificates"], {"name": name, "now": now}).fetchall()


def revoke_gateway(connection: Connection[Any], name: str, *, now: datetime) -> bool:
    """Shuts a gateway out; False where there is none of that name, or it was shut out before."""
    row = connection.execute(_SQL["revoke_gateway"], {"name": name, "now": now}).fetchone()
    return row is not None


def revoked(connection: Connection[Any], *, now: datetime) -> list[Revoked]:
    """The certificates that a broker must refuse although they have not run out."""
    with connection.cursor(row_factory=class_row(Revoked)) as cursor:
        return cursor.execute(_SQL["revoked"], {"now": now}).fetchall()


def enrolled_of_patient(connection: Connection[Any], patient_id: int) -> list[EnrolledRow]:
    """The gateways of a patient's household."""
    with connection.cursor(row_factory=class_row(EnrolledRow)) as cursor:
        return cursor.execute(_SQL["enrolled_of_patient"], {"patient_id": patient_id}).fetchall()
