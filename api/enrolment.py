"""The door for gateways: a certificate for a code, the next one for a signature.

Open to strangers, since a box that has just been unpacked knows nothing but its code; a code works
once, for an hour, and is over after a few wrong tries. What a gateway may do with its certificate
is the broker's rule (`deploy/mosquitto/acl`). May hold: these two routes and what they decide. May
not: keys (`api/authority.py`), SQL.
"""

import secrets
from dataclasses import asdict
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel, StringConstraints

from api.authority import Authority, Issued, is_signed_by, issue, read_authority
from api.config import ApiSettings
from api.errors import CodeRefused, GatewayRefused, NameTaken, NoAuthority
from api.session import hash_of
from api.visitor import Db, Now, Settings
from store import enrolment
from store.enrolment import Invitation
from store.pool import transaction
from vitals.enrol import (
    CODE_LASTS,
    CODE_LENGTH,
    LABEL_LENGTH,
    LETTERS,
    RENEWAL_LASTS,
    Enrolled,
    renewal_words,
    tidied,
)
from vitals.errors import MendData
from vitals.wire import GATEWAY_NAME

router = APIRouter(tags=["gateways"])

# PEM of a signing request: P-256 takes about 450 letters, P-521 some more
_Csr = Annotated[str, StringConstraints(max_length=4096)]
_Name = Annotated[str, StringConstraints(max_length=63)]
# letters of a name that nobody chose: 21^5 are four million
_NAME_LETTERS = 5
# how often another code is made up when somebody's open one begins alike: once in 190,000 times
_DRAWS = 5


class Asked(BaseModel):
    """A new gateway's request; without a `name` it is given one."""

    code: Annotated[str, StringConstraints(max_length=64)]
    csr: _Csr
    name: _Name = ""
    software: Annotated[str, StringConstraints(max_length=200)] = ""


class AskedAgain(BaseModel):
    """A known gateway's request, signed by the key of a certificate it has."""

    name: _Name
    csr: _Csr
    at: datetime
    signature: Annotated[str, StringConstraints(max_length=400)]


def authority_of(settings: ApiSettings) -> Authority | None:
    """The authority that these settings name, None where they name none. Raises MendSettings."""
    return read_authority(
        settings.authority_certificate, settings.authority_key, settings.authority_revoked
    )


def invite(connection: Connection[Any], *, patient_id: int, account_id: int, now: datetime) -> str:
    """A fresh code that sets up one gateway for a patient's household, within `CODE_LASTS`."""
    household_id = enrolment.household_of(connection, patient_id)
    for _ in range(_DRAWS):
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
        if enrolment.invite(
            connection,
            label=code[:LABEL_LENGTH],
            code_hash=hash_of(code),
            household_id=household_id,
            patient_id=patient_id,
            account_id=account_id,
            now=now,
            expires_at=now + CODE_LASTS,
        ):
            return code
    raise MendData("No free code was found: try again.")


@router.post("/enrol")
def enrol(asked: Asked, db: Db, now: Now, settings: Settings) -> dict[str, str]:
    """A gateway's first certificate, for the code that its person was shown."""
    authority = _needed(settings)
    code = _code(asked.code)
    name = asked.name or f"home-{_letters(_NAME_LETTERS)}"
    if not GATEWAY_NAME.match(name):
        raise NameTaken("A gateway's name has a-z, 0-9, '-' and '_'.")
    with transaction(db) as connection:
        # held until the end: a second box with the same code waits, and then finds it used
        invitation = enrolment.take_invitation(connection, code[:LABEL_LENGTH], now=now)
        is_right = invitation is not None and compare_digest(invitation.code_hash, hash_of(code))
        if invitation is not None and is_right:
            issued = issue(authority, asked.csr, name=name, now=now)
            _let_in(connection, invitation, issued=issued, name=name, now=now)
        else:
            enrolment.count_try(connection, code[:LABEL_LENGTH])
    if invitation is None or not is_right:
        raise CodeRefused("No open invitation has this code.")
    return _answer(settings, authority, issued=issued, name=name, timezone=invitation.timezone)


def _let_in(
    connection: Connection[Any], invitation: Invitation, *, issued: Issued, name: str, now: datetime
) -> None:
    gateway_id = enrolment.add_gateway(connection, name, household_id=invitation.household_id)
    if gateway_id is None:
        raise NameTaken("There is a gateway of that name.")
    _keep(connection, issued, gateway_id=gateway_id, allowed_by=invitation.invited_by)
    enrolment.use_invitation(connection, invitation.label, gateway_id=gateway_id, now=now)


@router.post("/enrol/renew")
def renew(asked: AskedAgain, db: Db, now: Now, settings: Settings) -> dict[str, str]:
    """A gateway's next certificate, for a signature of the key that it has."""
    authority = _needed(settings)
    if asked.at.utcoffset() is None or abs(now - asked.at) > RENEWAL_LASTS:
        raise GatewayRefused("The renewal is too old, or a clock is wrong.")
    words = renewal_words(name=asked.name, csr=asked.csr, at=asked.at)
    with transaction(db) as connection:
        known = next(
            (
                each
                for each in enrolment.living_certificates(connection, asked.name, now=now)
                if is_signed_by(each.public_key, words=words, signature=asked.signature)
            ),
            None,
        )
        if known is None:
            raise GatewayRefused("No certificate of this name may be renewed by this key.")
        issued = issue(authority, asked.csr, name=asked.name, now=now)
        _keep(connection, issued, gateway_id=known.gateway_id, allowed_by=known.allowed_by)
    return _answer(settings, authority, issued=issued, name=asked.name, timezone=known.timezone)


def _needed(settings: ApiSettings) -> Authority:
    authority = authority_of(settings)
    if authority is None or not settings.gateway_mqtt_url:
        raise NoAuthority("This server cannot enrol gateways.")
    return authority


def _code(typed: str) -> str:
    try:
        return tidied(typed)
    except MendData as error:
        raise CodeRefused(str(error)) from error


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count)).lower()


def _keep(
    connection: Connection[Any], issued: Issued, *, gateway_id: int, allowed_by: int | None
) -> None:
    enrolment.add_certificate(
        connection,
        gateway_id=gateway_id,
        serial=issued.serial,
        public_key=issued.public_key,
        issued_at=issued.issued_at,
        expires_at=issued.expires_at,
        allowed_by=allowed_by,
    )


def _answer(
    settings: ApiSettings, authority: Authority, *, issued: Issued, name: str, timezone: str
) -> dict[str, str]:
    return asdict(
        Enrolled(
            name=name,
            certificate=issued.pem,
            authority=authority.pem,
            mqtt=settings.gateway_mqtt_url,
            timezone=timezone,
        )
    )
