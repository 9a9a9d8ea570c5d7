"""Builders for readings that nobody believes, straight in the store, for page tests alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from psycopg import Connection

from store import people, quarantine
from store.quarantine import Held
from tests import seed
from tests.unnamed import morning
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit

# a cuff that nobody is bound to
SHARED_CUFF = "ble:AA:00:00:00:00:01"


def doubt(
    connection: Connection[Any],
    sequence: int,
    values: Sequence[tuple[Kind, float, Unit]],
    *,
    device: str,
    at: datetime,
    code: str = "implausible",
    gateway: str = "wang-home",
    received: datetime | None = None,
) -> None:
    """One record as ingest keeps it apart."""
    people.ensure_devices(connection, [device])
    digests = [blake2b(f"{device}{sequence}{kind}".encode()).digest() for kind, _, _ in values]
    quarantine.keep(
        connection,
        [
            Held(
                digest=digest,
                gateway=gateway,
                device=device,
                kind=VITALS[kind].code,
                sequence=sequence,
                taken_at=at,
                value=value,
                unit=UNIT_CODE[unit],
                slot=-1,
                resync=False,
                document={"device": device, "kind": kind, "value": value},
                codes=[code],
                reasons=["is not plausible"],
            )
            for digest, (kind, value, unit) in zip(digests, values, strict=True)
        ],
    )
    connection.execute(
        "UPDATE quarantine SET received_at = %s WHERE digest = ANY(%s)",
        (received or at + timedelta(seconds=20), digests),
    )


def pressure(upper: float, lower: float) -> list[tuple[Kind, float, Unit]]:
    """Both numbers of a cuff, mmHg."""
    return [(Kind.SYSTOLIC, upper, Unit.MMHG), (Kind.DIASTOLIC, lower, Unit.MMHG)]


def fill(connection: Connection[Any], clinic: seed.Clinic) -> None:
    """The father's cuff says 310/190, the mother's meter dreams, a shared cuff is upside down."""
    father, mother = clinic.patients["王建国"], clinic.patients["李秀英"]
    cuff, meter = f"ble:cuff-{father}", f"ble:meter-{mother}"
    doubt(connection, 901, pressure(310, 190), device=cuff, at=morning(0, 7, 6))
    ahead, received = morning(-400), morning(0, 6, 40)
    sugar = [(Kind.GLUCOSE, 7.1, Unit.MMOL_PER_L)]
    doubt(connection, 902, sugar, device=meter, at=ahead, code="future", received=received)
    doubt(connection, 903, pressure(80, 120), device=SHARED_CUFF, at=morning(1, 8, 1),
          code="pressure_pair")  # fmt: skip
