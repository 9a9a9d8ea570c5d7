"""Measurements of many households for the benchmarks: the same every time, encoded beforehand.

Each gateway serves two people with one device each, a sensor of glucose and a band for the heart
rate, that measure every five minutes. Measurements of one device make a message, fifty or one, and
the messages of all gateways take turns, as they would over a day. May hold: making data. May not:
measuring.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from store import people
from vitals.kinds import VITALS, Kind
from vitals.measurement import CLOCK_CODE, Clock, Measurement, Reading, Value, place
from vitals.units import UNIT_CODE, Unit
from vitals.wire import MAX_MEASUREMENTS, VERSION, Envelope, encode_envelope, topic

STEP = timedelta(minutes=5)
DEVICES_OF_GATEWAY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One envelope on its way, and what it holds."""

    topic: str
    payload: bytes
    measurements: tuple[Measurement, ...]


def gateway_name(number: int) -> str:
    """What the gateway with this number, from 0 on, is called."""
    return f"bench-{number:04d}"


def device_name(gateway: int, place_at_home: int) -> str:
    """What a device of a gateway is called."""
    return f"ble:BE:{gateway >> 8:02X}:{gateway & 255:02X}:00:00:{place_at_home:02X}"


def settle(connection: Connection[Any], *, gateways: int) -> None:
    """Registers gateways, people and devices."""
    for number in range(gateways):
        household = people.create_household(connection, f"household {number}")
        people.register_gateway(connection, name=gateway_name(number), household_id=household)
        for each in range(DEVICES_OF_GATEWAY):
            patient = people.create_patient(
                connection, name=f"patient {number}.{each}", household_id=household
            )
            people.bind_device(connection, device_name(number, each), patient_id=patient)


def messages(
    *, gateways: int, readings: int, now: datetime, size: int = MAX_MEASUREMENTS
) -> list[Message]:
    """About `readings` measurements, `size` in each message, all before `now`, as they are sent."""
    rounds = max(1, readings // (gateways * DEVICES_OF_GATEWAY * size))
    begin = now.astimezone(UTC).replace(microsecond=0) - rounds * size * STEP
    return list(_messages(gateways=gateways, rounds=rounds, size=size, begin=begin))


def _messages(*, gateways: int, rounds: int, size: int, begin: datetime) -> Iterator[Message]:
    for turn in range(rounds):
        for each in range(DEVICES_OF_GATEWAY):
            for number in range(gateways):
                yield _message(number, each, first=turn * size, size=size, begin=begin)


def _message(
    gateway: int, place_at_home: int, *, first: int, size: int, begin: datetime
) -> Message:
    device = device_name(gateway, place_at_home)
    measurements = tuple(
        measurement
        for sequence in range(first, first + size)
        for measurement in _measure(device, place_at_home, sequence=sequence, begin=begin)
    )
    envelope = Envelope(
        v=VERSION,
        gateway=gateway_name(gateway),
        batch=f"{gateway}-{place_at_home}-{first}",
        sent_at=begin + (first + size) * STEP,
        measurements=measurements,
        software="bench",
    )
    return Message(
        topic=topic(envelope.gateway, "up"),
        payload=encode_envelope(envelope),
        measurements=measurements,
    )


def _measure(
    device: str, place_at_home: int, *, sequence: int, begin: datetime
) -> tuple[Measurement, ...]:
    swing = math.sin(sequence / 30)
    value = (
        Value(kind=Kind.GLUCOSE, value=round(7.5 + 2.5 * swing, 1), unit=Unit.MMOL_PER_L)
        if place_at_home == 0
        else Value(kind=Kind.HEART_RATE, value=float(round(72 + 12 * swing)), unit=Unit.PER_MINUTE)
    )
    taken_at = begin + sequence * STEP
    # a Glucose Measurement with its time, sample type and status has 17 bytes
    raw = sequence.to_bytes(8, "little") + bytes(9)
    reading = Reading(
        sequence=sequence,
        device_time=taken_at.replace(tzinfo=None) + timedelta(hours=8),
        values=(value,),
        raw=raw,
    )
    return place(
        reading, device=device, taken_at=taken_at, clock=Clock.MEASURED, offset=-timedelta(hours=8)
    )


def rows(
    sent: list[Message],
    *,
    devices: dict[str, int],
    gateways: dict[str, int],
    patients: dict[str, int],
) -> list[tuple[Any, ...]]:
    """The same measurements as rows of the table, as `COPY_COLUMNS` names them."""
    return [
        (
            devices[each.device],
            VITALS[each.kind].code,
            each.sequence,
            each.taken_at,
            patients[each.device],
            each.value,
            UNIT_CODE[each.unit],
            CLOCK_CODE[each.clock],
            each.device_time,
            each.clock_offset_s,
            -1,
            None,
            0,
            gateways[message.topic.split("/")[3]],
            each.raw,
        )
        for message in sent
        for each in message.measurements
    ]


COPY_COLUMNS = (
    "device_id, kind, sequence, taken_at, patient_id, value, unit, clock, device_time,"
    " clock_offset_s, slot, meal, flags, gateway_id, raw"
)
# fmt: off
COPY_TYPES = [
    "int4", "int2", "int8", "timestamptz", "int4", "float8", "int2", "int2", "timestamp", "int4",
    "int2", "int2", "int4", "int4", "bytea",
]
# fmt: on
