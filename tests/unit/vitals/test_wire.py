"""What travels: topics that cannot be forged, envelopes that say all, receipts that are strict."""

# ruff: noqa: DTZ001 - a device's own time has no zone

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal, Measurement
from vitals.units import Unit
from vitals.wire import (
    MAX_MEASUREMENTS,
    MAX_MESSAGE_BYTES,
    SHARDS,
    DeviceHealth,
    Envelope,
    Health,
    Receipt,
    decode_receipt,
    encode_documents,
    encode_envelope,
    encode_health,
    encode_receipt,
    gateway_of,
    measurement_document,
    shard,
    topic,
)

TAKEN = datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
PLAIN = Measurement(
    id="0123456789abcdef",
    device="ble:C0:00:00:00:00:01",
    kind=Kind.GLUCOSE,
    value=5.6,
    unit=Unit.MMOL_PER_L,
    taken_at=TAKEN,
    sequence=42,
    clock=Clock.RECEIVED,
)
FULL = replace(
    PLAIN,
    clock=Clock.MEASURED,
    device_time=datetime(2026, 11, 22, 8, 15),
    clock_offset_s=-28800,
    user=1,
    meal=Meal.FASTING,
    flags=(Flag.BATTERY_LOW, Flag.TIME_FAULT),
    raw=b"\x00\xff",
)


def envelope(*measurements: Measurement) -> Envelope:
    return Envelope(
        v=1, gateway="g1", batch="b1", sent_at=TAKEN, measurements=measurements, software="0.1"
    )


def test_a_gateway_keeps_its_shard_for_ever() -> None:
    # CRC-32 of "g1" is 985395109; modulo 64 that is 37
    assert topic("g1", "up") == "kangban/v1/37/g1/up"
    assert {shard(f"gateway-{number}") for number in range(2000)} == set(range(SHARDS))


def test_a_topic_leads_back_to_its_gateway() -> None:
    for leaf in ("up", "receipt", "health", "command"):
        assert gateway_of(topic("a-1_b", leaf)) == "a-1_b"


@pytest.mark.parametrize(
    "name", ["", "G1", "g/1", "g+", "#", "-g", "_g", "g1\n", "g 1", "网关", "g" * 64]
)
def test_a_name_that_could_not_stand_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(MendData, match="cannot name a gateway"):
        topic(name, "up")
    with pytest.raises(MendData):
        gateway_of(f"kangban/v1/00/{name}/up")


@pytest.mark.parametrize("name", ["g", "0", "g" * 63, "a-b_c"])
def test_a_name_that_can_is_taken(name: str) -> None:
    assert gateway_of(topic(name, "up")) == name


@pytest.mark.parametrize(
    "stranger", ["", "kangban/v1/00/g1", "kangban/v2/00/g1/up", "other/v1/00/g1/up", "a/b/c/d/e/f"]
)
def test_a_topic_of_somebody_else_is_refused(stranger: str) -> None:
    with pytest.raises(MendData):
        gateway_of(stranger)


def test_an_envelope_says_everything_that_was_measured() -> None:
    document = json.loads(encode_envelope(envelope(FULL)))
    assert document == {
        "v": 1,
        "gateway": "g1",
        "batch": "b1",
        "sent_at": "2026-11-22T00:15:00Z",
        "resync": False,
        "software": "0.1",
        "measurements": [
            {
                "id": "0123456789abcdef",
                "device": "ble:C0:00:00:00:00:01",
                "kind": "glucose",
                "value": 5.6,
                "unit": "mmol/L",
                "taken_at": "2026-11-22T00:15:00Z",
                "sequence": 42,
                "clock": "measured",
                "device_time": "2026-11-22T08:15:00",
                "clock_offset_s": -28800,
                "user": 1,
                "meal": "fasting",
                "flags": ["battery_low", "time_fault"],
                "raw": "AP8=",
            }
        ],
    }
    assert b64decode(document["measurements"][0]["raw"]) == FULL.raw


def test_what_is_absent_is_left_out() -> None:
    assert set(measurement_document(PLAIN)) == {
        "id", "device", "kind", "value", "unit", "taken_at", "sequence", "clock",
    }  # fmt: skip


def test_a_moment_travels_in_utc_whatever_zone_it_was_written_in() -> None:
    tokyo = replace(PLAIN, taken_at=TAKEN.astimezone(timezone(timedelta(hours=9))))
    assert measurement_document(tokyo)["taken_at"] == "2026-11-22T00:15:00Z"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_arrives_as_the_float_that_it_was(value: float) -> None:
    document = json.loads(encode_envelope(envelope(replace(PLAIN, value=value))))
    assert document["measurements"][0]["value"] == value


def test_a_resend_from_documents_is_the_same_bytes() -> None:
    assert encode_envelope(envelope(FULL, PLAIN)) == encode_documents(
        gateway="g1",
        batch="b1",
        sent_at=TAKEN,
        software="0.1",
        documents=[measurement_document(FULL), measurement_document(PLAIN)],
    )


def test_fifty_measurements_travel_and_fifty_one_do_not() -> None:
    # raw bytes of the longest record, sequence of 63 bits
    wide = replace(FULL, raw=bytes(200), sequence=2**63 - 1, flags=tuple(Flag))
    assert len(encode_envelope(envelope(*[wide] * MAX_MEASUREMENTS))) < MAX_MESSAGE_BYTES
    with pytest.raises(MendData, match="51 measurements; at most 50"):
        encode_envelope(envelope(*[PLAIN] * (MAX_MEASUREMENTS + 1)))


def test_a_receipt_comes_back_as_it_was() -> None:
    receipt = Receipt(
        v=1, batch="b1", committed=("a", "b"), rejected={"c": ("too high", "未来的时间")}
    )
    assert decode_receipt(encode_receipt(receipt)) == receipt


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"1",
        b'"receipt"',
        b"{}",
        b'{"v":1,"batch":"b"}',
        b'{"v":1,"batch":"b","committed":null,"rejected":{}}',
        b'{"v":1,"batch":"b","committed":[],"rejected":[]}',
        b'{"v":1,"batch":"b","committed":[],"rejected":{"a":null}}',
        b'{"v":2,"batch":"b","committed":["a"],"rejected":{}}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_a_receipt_lets_nothing_be_forgotten(payload: bytes) -> None:
    with pytest.raises(MendData):
        decode_receipt(payload)


def test_a_receipt_from_the_future_says_to_update() -> None:
    with pytest.raises(MendData, match="update this gateway"):
        decode_receipt(b'{"v":2,"batch":"b","committed":[],"rejected":{}}')


@given(st.binary(max_size=60))
def test_noise_is_never_a_receipt(payload: bytes) -> None:
    with pytest.raises(MendData):
        decode_receipt(payload)


def test_a_gateway_says_how_each_device_was_last_seen() -> None:
    health = Health(
        v=1,
        gateway="g1",
        sent_at=TAKEN,
        spooled=3,
        withheld=1,
        devices={"ble:1": DeviceHealth(last_seen_at=TAKEN, kind="wristband", battery_percent=87)},
    )
    document = json.loads(encode_health(health))
    assert (document["spooled"], document["withheld"]) == (3, 1)
    assert document["devices"]["ble:1"]["last_seen_at"] == "2026-11-22T00:15:00Z"
    assert document["devices"]["ble:1"]["battery_percent"] == 87
    assert document["devices"]["ble:1"]["failure"] is None
