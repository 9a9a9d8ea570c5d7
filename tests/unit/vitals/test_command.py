"""Commands and events come back as they were sent; what is not one is refused with a reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.command import (
    LONGEST_LIFE,
    MAX_BYTES,
    Candidate,
    Command,
    Do,
    Event,
    Failure,
    Step,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
)
from vitals.errors import MendData

NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
ID = "0123456789abcdef" * 2
DEVICE = "ble:F0:00:00:00:00:01"

PAIR = Command(
    id=ID,
    gateway="g1",
    at=NOW,
    expires_at=NOW + timedelta(minutes=2),
    do=Do.PAIR,
    device=DEVICE,
)
FOUND = Candidate(
    device=DEVICE,
    name="meter+1234",
    kind="glucose_meter",
    model="accu-chek",
    rssi_dbm=-61,
    shows_passkey=True,
    picture="glucose_meter",
    hint={"zh": "按住按钮", "en": "hold the button"},
)


@pytest.mark.parametrize(
    "command",
    [
        PAIR,
        replace(PAIR, do=Do.SCAN, device=None),
        replace(PAIR, do=Do.PASSKEY, about=ID, number=42),
        replace(PAIR, do=Do.CONFIRM, about=ID, yes=False),
        replace(PAIR, do=Do.CANCEL, about=ID),
        replace(PAIR, do=Do.FORGET),
        replace(PAIR, do=Do.STATUS, device=None),
        replace(PAIR, do=Do.CONSENT, user=0, number=9999),
        replace(PAIR, expires_at=NOW + LONGEST_LIFE),
    ],
    ids=lambda each: each.do,
)
def test_a_command_comes_back_as_it_was_sent(command: Command) -> None:
    assert decode_command(encode_command(command)) == command


@pytest.mark.parametrize(
    "spoiled",
    [
        {"device": None},
        {"device": "F0:00:00:00:00:01"},
        {"device": "ble:f0:00:00:00:00:01"},
        {"do": Do.PASSKEY, "about": ID},
        {"do": Do.PASSKEY, "number": 1},
        {"do": Do.PASSKEY, "about": ID, "number": 1_000_000},
        {"do": Do.PASSKEY, "about": ID, "number": -1},
        {"do": Do.CONSENT, "user": 1},
        {"do": Do.CONSENT, "number": 1234},
        {"do": Do.CONSENT, "user": 1, "number": 10_000},
        # 255 stands for nobody
        {"do": Do.CONSENT, "user": 255, "number": 1},
        {"do": Do.CONFIRM, "about": ID},
        {"do": Do.CANCEL},
        {"do": Do.CANCEL, "about": "another"},
        {"id": "1"},
        {"gateway": "a/b"},
        {"at": NOW.replace(tzinfo=None)},
        {"expires_at": NOW},
        {"expires_at": NOW + LONGEST_LIFE + timedelta(seconds=1)},
    ],
    ids=str,
)
def test_a_command_that_cannot_be_is_not_built(spoiled: dict[str, Any]) -> None:
    with pytest.raises(MendData):
        replace(PAIR, **spoiled)


def test_a_passkey_and_a_consent_code_stand_in_no_log() -> None:
    command = replace(PAIR, do=Do.CONSENT, user=1, number=4711)
    assert "4711" not in repr(command)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"v": 2},
        {"v": True},
        {"do": "delete"},
        {"at": "yesterday"},
        {"at": 5},
        {"number": "1"},
        {"number": True},
        {"yes": 1},
        {"gateway": None},
    ],
    ids=str,
)
def test_bytes_that_are_no_command_are_refused(spoiled: dict[str, Any]) -> None:
    document = json.loads(encode_command(PAIR)) | spoiled
    with pytest.raises(MendData):
        decode_command(json.dumps(document).encode())


@pytest.mark.parametrize(
    "event",
    [
        Event(gateway="g1", at=NOW, command=ID, number=0, step=Step.TAKEN),
        Event(gateway="g1", at=NOW, command=ID, number=1, step=Step.CANDIDATE, candidate=FOUND),
        Event(
            gateway="g1",
            at=NOW,
            command=ID,
            number=2,
            step=Step.FAILED,
            device=DEVICE,
            failure=Failure.WRONG_PASSKEY,
            said="the device refused the passkey",
        ),
        Event(
            gateway="g1",
            at=NOW,
            command=ID,
            number=3,
            step=Step.READING,
            values=({"kind": "glucose", "value": 5.6, "unit": "mmol/L"},),
            numbers={"read": 120},
        ),
    ],
    ids=lambda each: each.step,
)
def test_an_event_comes_back_as_it_was_sent(event: Event) -> None:
    assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize(
    "spoiled",
    [
        {"v": 3},
        {"step": "asleep"},
        {"failure": "bored"},
        {"number": -1},
        {"number": None},
        {"number": 2**31},
        {"command": "x"},
        {"at": "2026-11-22T08:15:00"},
        {"numbers": {"read": "many"}},
        {"numbers": {"read": None}},
        {"values": 5},
        {"candidate": {"device": DEVICE}},
        {"candidate": []},
    ],
    ids=str,
)
def test_bytes_that_are_no_event_are_refused(spoiled: dict[str, Any]) -> None:
    whole = Event(gateway="g1", at=NOW, command=ID, number=0, step=Step.TAKEN)
    document = json.loads(encode_event(whole)) | spoiled
    with pytest.raises(MendData):
        decode_event(json.dumps(document).encode())


def test_a_message_that_is_far_too_long_is_refused() -> None:
    with pytest.raises(MendData, match="bytes"):
        decode_command(b" " * (MAX_BYTES + 1))


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_noise_is_refused_and_nothing_else_happens(payload: bytes) -> None:
    for decode in (decode_command, decode_event):
        with pytest.raises(MendData):
            decode(payload)
