"""What travels between home and server: topic names, envelopes, receipts, health; version 1.

JSON in UTF-8, MQTT 3.1.1 QoS 1. Gateways publish to `kangban/v1/<shard 00-63>/<gateway>/up`; each
ingest worker owns a range of shards. A *receipt* names, one by one, the measurements that are
committed, and those that were refused with the reasons: only then may the gateway forget them.

    up       {"v":1,"gateway":"g1","batch":"…","sent_at":"…Z","resync":false,"software":"…",
              "measurements":[{"id":"…","device":"ble:…","kind":"glucose","value":5.6,…}]}
    receipt  {"v":1,"batch":"…","committed":["<id>",…],"rejected":{"<id>":["reason",…]}}
    health   {"v":1,"gateway":"g1","sent_at":"…Z","spooled":0,"devices":{"ble:…":{…}}}

The classes are plain dataclasses, so that the server may decode into them with a faster JSON
library than the standard one. May hold: shapes and their bytes. May not: judgement of the values.
"""

import json
import re
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vitals.errors import MendData
from vitals.measurement import Measurement

VERSION = 1
ROOT = f"kangban/v{VERSION}"
SHARDS = 64
# measurements in one envelope: fifty moved 7 times more rows a second than one, and a lost link
# costs at most one envelope of repeated work
MAX_MEASUREMENTS = 50
# bytes of one message; fifty measurements with raw payloads take about 20 kB
MAX_MESSAGE_BYTES = 128 * 1024

# what a gateway may be called: it stands in topic names and in certificates
GATEWAY_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Up to fifty measurements of one gateway.

    `resync`: the gateway has read a device's whole memory again, or brings what a device has
    corrected, so that sequence numbers must be matched over all time, not only by time.
    """

    v: int
    gateway: str
    batch: str
    sent_at: datetime
    measurements: tuple[Measurement, ...]
    resync: bool = False
    software: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The server's word: these are committed, those are refused and stored with their reasons."""

    v: int
    batch: str
    committed: tuple[str, ...]
    rejected: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    """One device as its gateway last saw it."""

    last_seen_at: datetime
    kind: str = ""
    name: str = ""
    model: str = ""
    battery_percent: int | None = None
    rssi_dbm: int | None = None
    clock_offset_s: int | None = None
    failure: str | None = None
    # failures in a row, 0 when the last call went well
    failures: int = 0
    # seconds that the device's clock gains on ours in a day; None while it was seen once
    clock_drift_s_per_day: float | None = None
    # how its clock is wrong ("twelve_hours", "summer_time" …); empty: it is right, or not known
    clock_ails: str = ""
    # does it share a key with this gateway? None where it wants none
    bonded: bool | None = None
    # was it added by a person? Others are seen and left alone
    added: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a gateway says of itself every few minutes and on change.

    `troubles`: what is wrong with the gateway itself, each a short word with a sentence ("disk":
    "The disk is full: …"); None stands for what could not be measured on this machine.
    """

    v: int
    gateway: str
    sent_at: datetime
    spooled: int
    withheld: int = 0
    software: str = ""
    disk_free_mb: int | None = None
    temperature_c: float | None = None
    uptime_s: int | None = None
    last_advert_at: datetime | None = None
    troubles: dict[str, str] = field(default_factory=dict)
    devices: dict[str, DeviceHealth]


def shard(gateway: str) -> int:
    """The shard (0-63) that a gateway's messages travel in, the same for ever."""
    return zlib.crc32(gateway.encode()) % SHARDS


def topic(gateway: str, leaf: str) -> str:
    """The topic of one gateway: leaf is `up`, `receipt`, `health`, `command` or `event`.

    Raises MendData where the name could not stand in a topic.
    """
    if not GATEWAY_NAME.match(gateway):
        raise MendData(
            f"{gateway!r} cannot name a gateway: use a-z, 0-9, '-' and '_', at most 63 letters."
        )
    return f"{ROOT}/{shard(gateway):02d}/{gateway}/{leaf}"


def gateway_of(topic_name: str) -> str:
    """The gateway that a topic belongs to. Raises MendData where the topic is not one of ours."""
    parts = topic_name.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT or not GATEWAY_NAME.match(parts[3]):
        raise MendData(f"{topic_name!r} is not {ROOT}/<shard>/<gateway>/<leaf>.")
    return parts[3]


def encode_envelope(envelope: Envelope) -> bytes:
    """Bytes of an envelope. Raises MendData for more measurements than one may carry."""
    if len(envelope.measurements) > MAX_MEASUREMENTS:
        raise MendData(f"{len(envelope.measurements)} measurements; at most {MAX_MEASUREMENTS}.")
    return encode_documents(
        v=envelope.v,
        gateway=envelope.gateway,
        batch=envelope.batch,
        sent_at=envelope.sent_at,
        resync=envelope.resync,
        software=envelope.software,
        documents=[measurement_document(each) for each in envelope.measurements],
    )


def encode_documents(
    *,
    gateway: str,
    batch: str,
    sent_at: datetime,
    documents: list[dict[str, Any]],
    resync: bool = False,
    software: str = "",
    v: int = VERSION,
) -> bytes:
    """Bytes of an envelope around measurements that are documents already, as a spool keeps them:
    every resend says the same, byte for byte, as when the record was read."""
    return _dump(
        {
            "v": v,
            "gateway": gateway,
            "batch": batch,
            "sent_at": _utc(sent_at),
            "resync": resync,
            "software": software,
            "measurements": documents,
        }
    )


def measurement_document(measurement: Measurement) -> dict[str, Any]:
    """One measurement as it stands in an envelope; what is absent is left out."""
    document: dict[str, Any] = {
        "id": measurement.id,
        "device": measurement.device,
        "kind": measurement.kind.value,
        "value": measurement.value,
        "unit": measurement.unit.value,
        "taken_at": _utc(measurement.taken_at),
        "sequence": measurement.sequence,
        "clock": measurement.clock.value,
    }
    if measurement.device_time is not None:
        document["device_time"] = measurement.device_time.isoformat()
        document["clock_offset_s"] = measurement.clock_offset_s
    if measurement.user is not None:
        document["user"] = measurement.user
    if measurement.meal is not None:
        document["meal"] = measurement.meal.value
    if measurement.flags:
        document["flags"] = [flag.value for flag in measurement.flags]
    if measurement.raw:
        document["raw"] = b64encode(measurement.raw).decode()
    return document


def encode_receipt(receipt: Receipt) -> bytes:
    """Bytes of a receipt."""
    return _dump(
        {
            "v": receipt.v,
            "batch": receipt.batch,
            "committed": list(receipt.committed),
            "rejected": {key: list(reasons) for key, reasons in receipt.rejected.items()},
        }
    )


def decode_receipt(payload: bytes) -> Receipt:
    """A receipt. Raises MendData for what is not one; the gateway then keeps what it has."""
    try:
        document = json.loads(payload)
        if document["v"] != VERSION:
            raise MendData(f"receipt version {document['v']} is not known: update this gateway.")
        return Receipt(
            v=document["v"],
            batch=str(document["batch"]),
            committed=tuple(str(each) for each in document["committed"]),
            rejected={
                str(key): tuple(str(reason) for reason in reasons)
                for key, reasons in document["rejected"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MendData(f"not a receipt: {error!r}") from error


def encode_health(health: Health) -> bytes:
    """Bytes of a gateway's word about itself."""
    return _dump(
        {
            "v": health.v,
            "gateway": health.gateway,
            "sent_at": _utc(health.sent_at),
            "spooled": health.spooled,
            "withheld": health.withheld,
            "software": health.software,
            "disk_free_mb": health.disk_free_mb,
            "temperature_c": health.temperature_c,
            "uptime_s": health.uptime_s,
            "last_advert_at": _utc(health.last_advert_at) if health.last_advert_at else None,
            "troubles": health.troubles,
            "devices": {
                device: {
                    "last_seen_at": _utc(each.last_seen_at),
                    "kind": each.kind,
                    "name": each.name,
                    "model": each.model,
                    "battery_percent": each.battery_percent,
                    "rssi_dbm": each.rssi_dbm,
                    "clock_offset_s": each.clock_offset_s,
                    "failure": each.failure,
                    "failures": each.failures,
                    "clock_drift_s_per_day": each.clock_drift_s_per_day,
                    "clock_ails": each.clock_ails,
                    "bonded": each.bonded,
                    "added": each.added,
                }
                for device, each in health.devices.items()
            },
        }
    )


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
