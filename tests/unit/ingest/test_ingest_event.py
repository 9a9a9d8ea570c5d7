"""An answer of a gateway is taken apart, or kept with the reason why not; nothing raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.arrival import DeadLetter, EventSeen, Message
from ingest.event import MOST_EVENTS, stray
from ingest.validate import judge
from vitals.command import MAX_BYTES, Step
from vitals.wire import topic

NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
SOUND = {
    "v": 1,
    "gateway": "g1",
    "at": "2026-11-23T04:30:00Z",
    "command": "5" * 32,
    "number": 3,
    "step": "history",
    "numbers": {"read": 120},
}


def message(**changes: Any) -> Message:
    return Message(topic=topic("g1", "event"), payload=json.dumps(SOUND | changes).encode())


def test_a_sound_answer_is_an_event() -> None:
    seen = judge(message(), now=NOW)
    assert isinstance(seen, EventSeen)
    assert (seen.gateway, seen.event.step, seen.event.numbers) == (
        "g1",
        Step.HISTORY,
        {"read": 120},
    )
    assert seen.document == SOUND


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gateway": "g2"}, "comes from 'g2', not from 'g1'"),
        ({"v": 2}, "version 2 is not known"),
        ({"step": "dancing"}, "not an event"),
        ({"number": -1}, "count from 0"),
        ({"number": MOST_EVENTS}, f"at most {MOST_EVENTS}"),
        ({"command": "x"}, "32 hexadecimal"),
        ({"at": "2026-11-23T04:30:00"}, "offset from UTC"),
        ({"said": "a\0b"}, "the database cannot"),
        ({"said": "x" * MAX_BYTES}, f"at most {MAX_BYTES}"),
        ({"values": [{"value": float("inf")}]}, "the database cannot"),
    ],
)
def test_what_is_no_answer_is_kept_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    letter = judge(message(**changes), now=NOW)
    assert isinstance(letter, DeadLetter)
    assert reason in letter.reasons[0]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b"null", b'"event"', b"[" * 9000])
def test_no_bytes_raise(payload: bytes) -> None:
    found = judge(Message(topic=topic("g1", "event"), payload=payload), now=NOW)
    assert isinstance(found, DeadLetter)


def test_the_last_number_that_is_taken() -> None:
    assert isinstance(judge(message(number=MOST_EVENTS - 1), now=NOW), EventSeen)


def test_a_gateway_that_says_the_same_nonsense_again_leaves_one_letter() -> None:
    letters = [judge(message(number=-1, said=f"{n}"), now=NOW) for n in range(2)]
    assert letters[0].digest == letters[1].digest  # type: ignore[union-attr]
    seen = judge(message(), now=NOW)
    assert isinstance(seen, EventSeen)
    assert stray(seen).digest != letters[0].digest  # type: ignore[union-attr]
