"""Builders for what arrives at the server: valid as they come, one field spoilt by the test."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.arrival import Delivery, Message
from ingest.validate import judge
from vitals.kinds import Kind
from vitals.measurement import Clock, identity
from vitals.wire import shard

# a noon in Shanghai, years ago: a process with a clock of its own takes everything here for past
NOW = datetime(2024, 11, 22, 4, 0, tzinfo=UTC)
METER = "ble:AA:BB:CC:00:00:01"

ABSENT = object()


def glucose(
    sequence: int = 1,
    *,
    at: datetime | None = None,
    device: str = METER,
    offset_s: int = -8 * 3600,
    **changes: Any,
) -> dict[str, Any]:
    """A sound fasting glucose of 5.6 mmol/L, one minute later for each sequence number.

    `offset_s`: what the gateway added to the device's time; another one moves `taken_at`, and
    `at` sets it.
    """
    device_time = datetime.fromisoformat("2024-11-01T07:00:00") + timedelta(
        minutes=sequence % 20_000
    )
    placed = at or device_time.replace(tzinfo=UTC) + timedelta(seconds=offset_s)
    document: dict[str, Any] = {
        "id": identity(device=device, kind=Kind.GLUCOSE, sequence=sequence, taken_at=placed),
        "device": device,
        "kind": "glucose",
        "value": 5.6,
        "unit": "mmol/L",
        "taken_at": moment(placed),
        "sequence": sequence,
        "clock": Clock.MEASURED.value,
        "device_time": device_time.isoformat(),
        "clock_offset_s": offset_s,
        "meal": "fasting",
        "raw": "AQID",
    }
    return changed(document, changes)


def changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The document with these fields in place of its own; ABSENT takes one out."""
    return {name: each for name, each in {**document, **changes}.items() if each is not ABSENT}


def moment(at: datetime) -> str:
    """A moment as it stands on the wire."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def envelope(*measurements: Any, gateway: str = "g1", **changes: Any) -> dict[str, Any]:
    """A sound envelope of these measurements."""
    document = {
        "v": 1,
        "gateway": gateway,
        "batch": "b-1",
        "sent_at": moment(NOW),
        "measurements": list(measurements),
        "resync": False,
        "software": "test",
    }
    return changed(document, changes)


def up(payload: Any, *, gateway: str = "g1") -> Message:
    """A message on the gateway's topic; what is not bytes becomes JSON."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic=f"kangban/v1/{shard(gateway):02d}/{gateway}/up", payload=data)


def delivery(
    *measurements: Any, gateway: str = "g1", now: datetime = NOW, **changes: Any
) -> Delivery:
    """What a sound envelope of these measurements becomes."""
    verdict = judge(
        up(envelope(*measurements, gateway=gateway, **changes), gateway=gateway), now=now
    )
    assert isinstance(verdict, Delivery), verdict
    return verdict
