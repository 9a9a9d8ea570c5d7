"""Builders for readings of nobody known: a shared cuff and a scale in the seeded clinic."""

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from store import people
from tests import seed
from vitals.kinds import VITALS, Kind
from vitals.measurement import CLOCK_CODE, Clock
from vitals.units import UNIT_CODE, Unit

CUFF = "ble:AA:00:00:00:00:01"
SCALE = "ble:AA:00:00:00:00:02"


def cuff(
    connection: Connection[Any],
    sequence: int,
    *,
    at: datetime,
    systolic: float,
    diastolic: float | None = None,
    slot: int = -1,
    clock: Clock = Clock.MEASURED,
    gateway: str = "wang-home",
    patient: int | None = None,
) -> None:
    """One cuff reading of nobody known (or of a patient), as ingest leaves it, but for the days."""
    low = round(systolic * 0.62) if diastolic is None else diastolic
    values = (
        (Kind.SYSTOLIC, systolic, Unit.MMHG),
        (Kind.DIASTOLIC, low, Unit.MMHG),
        (Kind.PULSE, 68.0, Unit.PER_MINUTE),
    )
    for kind, value, unit in values:
        _put(connection, CUFF, "blood_pressure_cuff", kind, value, unit, at, sequence, slot, clock,
             gateway, patient)  # fmt: skip


def weight(
    connection: Connection[Any], sequence: int, *, at: datetime, kg: float, slot: int = -1
) -> None:
    """One weight of nobody known."""
    _put(connection, SCALE, "weight_scale", Kind.WEIGHT, kg, Unit.KG, at, sequence, slot,
         Clock.MEASURED, "wang-home", None)  # fmt: skip


def _put(
    connection: Connection[Any], device: str, device_kind: str, kind: Kind, value: float,
    unit: Unit, at: datetime, sequence: int, slot: int, clock: Clock, gateway: str,
    patient: int | None,
) -> None:  # fmt: skip
    device_id = people.ensure_devices(connection, [device])[device]
    gateway_id = people.register_gateway(connection, name=gateway)
    connection.execute(
        "UPDATE device SET kind = %s, gateway_id = %s, last_seen_at = %s WHERE id = %s",
        (device_kind, gateway_id, at, device_id),
    )
    connection.execute(
        "INSERT INTO measurement (taken_at, device_id, kind, sequence, value, unit, clock,"
        " slot, gateway_id, received_at, patient_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (at, device_id, VITALS[kind].code, sequence, value, UNIT_CODE[unit], CLOCK_CODE[clock],
         slot, gateway_id, at + timedelta(seconds=20), patient),
    )  # fmt: skip


def morning(days_ago: int = 0, hour: int = 7, minute: int = 10) -> datetime:
    """A moment of a morning in Shanghai."""
    day = datetime.combine(seed.TODAY - timedelta(days=days_ago), datetime.min.time(), seed.ZONE)
    return day + timedelta(hours=hour, minutes=minute)


def wait(connection: Connection[Any], clinic: seed.Clinic) -> None:
    """What waits in the home of the Wangs: one like each of them, one unsure, a crisis, a scale.

    The mother was given what her number measured before.
    """
    mother = clinic.patients["李秀英"]
    for number in range(6):
        at = morning(6 + number, 7, 12)
        cuff(connection, 100 + number, at=at, systolic=131, slot=2, patient=mother)
    seed.recount(connection)
    cuff(connection, 1, at=morning(0, 7, 6), systolic=129, slot=2)
    cuff(connection, 2, at=morning(1, 19, 41), systolic=146, slot=1)
    cuff(connection, 3, at=morning(2, 7, 8), systolic=136)
    cuff(connection, 4, at=morning(3, 12, 30), systolic=205, diastolic=118, clock=Clock.UNSURE)
    weight(connection, 5, at=morning(4), kg=61.4, slot=3)
