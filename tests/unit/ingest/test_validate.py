"""A message is accepted whole, in part with reasons, or kept as a dead letter with reasons."""

import json
from dataclasses import MISSING, fields
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from arriving import ABSENT, NOW, changed, delivery, envelope, glucose, moment, up
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.arrival import Bundle, DeadLetter, Delivery, HealthSeen, Item, Message
from ingest.dismantle import MOST_AHEAD, against_item, dismantle
from ingest.validate import judge
from vitals.kinds import VITALS
from vitals.measurement import Clock, Flag, Measurement
from vitals.wire import (
    DeviceHealth,
    Envelope,
    Health,
    decode_receipt,
    encode_health,
    encode_receipt,
)
from vitals.wire import topic as topic_of


def judged(document: Any, *, gateway: str = "g1") -> Any:
    return judge(up(document, gateway=gateway), now=NOW)


def reasons_against(**changes: Any) -> tuple[str, ...]:
    """The reasons for which one measurement, spoilt like this, is refused among sound ones."""
    verdict = judged(envelope(glucose(1), changed(glucose(2), changes), glucose(3)))
    assert isinstance(verdict, Delivery)
    assert [item.sequence for item in verdict.items] == [1, 3], "the neighbours are accepted"
    (rejection,) = verdict.rejections
    return rejection.reasons


def test_a_sound_envelope_is_accepted_whole() -> None:
    verdict = judged(envelope(glucose(1), glucose(2), resync=True))

    assert isinstance(verdict, Delivery)
    assert verdict.gateway == "g1"
    assert verdict.resync
    assert [item.value for item in verdict.items] == [5.6, 5.6]
    assert verdict.rejections == ()
    receipt = decode_receipt(encode_receipt(verdict.receipt()))
    assert receipt.committed == (glucose(1)["id"], glucose(2)["id"])


def test_an_empty_envelope_has_an_empty_receipt() -> None:
    assert delivery().receipt().committed == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "mood"}, "unknown kind 'mood'"),
        ({"unit": "mm[Hg]"}, "glucose cannot be in mm[Hg]; accepted: mmol/L, mg/dL"),
        ({"unit": "mmol"}, "unknown unit 'mmol'"),
        ({"value": 0.5}, "glucose 0.5 mmol/L is not plausible: 0.6 to 33.3 is"),
        ({"value": 33.4}, "is not plausible"),
        ({"value": "5.6"}, "value: Expected `float`"),
        ({"value": float("nan")}, "value: expected a finite number"),
        ({"value": float("inf")}, "value: expected a finite number"),
        ({"taken_at": moment(NOW + timedelta(minutes=10, seconds=1))}, "in the future"),
        ({"taken_at": "1999-12-31T23:59:59Z"}, "before any device's clock begins"),
        ({"taken_at": "2024-11-21T07:00:00"}, "taken_at: Expected `datetime` with a timezone"),
        ({"taken_at": "yesterday"}, "taken_at: Invalid"),
        ({"device_time": "2024-11-21T07:00:00Z"}, "device_time: Expected"),
        ({"sequence": 2**63}, "sequence: Expected `int` <= 9223372036854775807"),
        ({"sequence": 10**30}, "sequence: Expected"),
        ({"sequence": -1}, "sequence: Expected `int` >= 0"),
        ({"sequence": 1.5}, "sequence: Expected `int`"),
        ({"id": "12"}, "id: Expected `str` of length"),
        ({"id": "x" * 16}, "id: expected 16 hex digits"),
        ({"id": ABSENT}, "id is missing"),
        ({"device": ""}, "device: Expected"),
        ({"device": "ble:\0"}, "device: expected printable ASCII"),
        ({"clock": "sundial"}, "unknown clock 'sundial'"),
        ({"meal": "tea"}, "unknown meal 'tea'"),
        ({"flags": ["irregular_pulse", "vague"]}, "unknown flag 'vague'"),
        ({"user": 255}, "user: Expected `int` <= 254"),
        ({"clock_offset_s": 2**31}, "clock_offset_s: Expected"),
        ({"raw": "***"}, "raw: Invalid base64"),
        ({"note": "by hand"}, "unknown field 'note'"),
    ],
)
def test_a_spoilt_measurement_is_refused_and_its_neighbours_are_not(
    changes: dict[str, Any], reason: str
) -> None:
    assert any(reason in each for each in reasons_against(**changes))


def codes_against(**changes: Any) -> tuple[str, ...]:
    """The words of the reasons against one measurement, spoilt like this."""
    (rejection,) = judged(envelope(changed(glucose(2), changes))).rejections
    return tuple(rejection.codes)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"value": 33.4}, ("implausible",)),
        ({"taken_at": moment(NOW + timedelta(minutes=10, seconds=1))}, ("future",)),
        ({"taken_at": "1999-12-31T23:59:59Z"}, ("before_clocks",)),
        ({"value": 33.4, "taken_at": "1999-12-31T23:59:59Z"}, ("implausible", "before_clocks")),
        ({"value": 33.4, "sequence": -1}, ("malformed", "implausible")),
        ({"value": "33.4"}, ("malformed",)),
        ({"value": float("inf")}, ("malformed",)),
        # no calendar holds it in every time zone
        ({"taken_at": "0001-01-01T00:00:00+08:00"}, ("malformed",)),
        ({"kind": "mood"}, ("unknown_word",)),
        ({"unit": "mm[Hg]"}, ("unknown_word",)),
        ({"note": "by hand"}, ("unknown_word",)),
        # only the server says so
        ({"flags": ["released"]}, ("unknown_word",)),
    ],
)
def test_what_is_not_believable_is_told_from_what_is_malformed(
    changes: dict[str, Any], codes: tuple[str, ...]
) -> None:
    assert codes_against(**changes) == codes
    (rejection,) = judged(envelope(changed(glucose(2), changes))).rejections
    is_quarantined = not {"malformed", "unknown_word"}.intersection(codes)
    assert (rejection.quarantined is not None) == is_quarantined


def pressures(systolic: float, diastolic: float, unit: str = "mm[Hg]") -> list[dict[str, Any]]:
    """One cuff reading with its pulse."""
    values = (("systolic", systolic, unit), ("diastolic", diastolic, unit), ("pulse", 70, "/min"))
    return [
        changed(glucose(7, meal=None), {"kind": kind, "value": value, "unit": of})
        for kind, value, of in values
    ]


@pytest.mark.parametrize(
    ("systolic", "diastolic", "unit", "is_sound"),
    [
        (121, 80, "mm[Hg]", True),
        (91, 80, "mm[Hg]", True),
        # 10 mmHg between them are too few: one below, on, one above
        (90, 80, "mm[Hg]", False),
        (89, 80, "mm[Hg]", False),
        (80, 120, "mm[Hg]", False),
        # 10 mmHg are 1.33 kPa
        (12.1, 10.7, "kPa", True),
        (12.0, 10.7, "kPa", False),
    ],
)
def test_pressures_that_cannot_belong_together_wait_and_their_pulse_does_not(
    systolic: float, diastolic: float, unit: str, is_sound: bool
) -> None:
    verdict = judged(envelope(glucose(1), *pressures(systolic, diastolic, unit)))

    assert isinstance(verdict, Delivery)
    held = [each.item.kind for each in verdict.rejections if each.item]
    assert held == ([] if is_sound else ["systolic", "diastolic"])
    assert all(each.codes == ("pressure_pair",) for each in verdict.rejections)
    assert [each.kind for each in verdict.items if each.kind in ("glucose", "pulse")] == [
        "glucose",
        "pulse",
    ]


def test_pressures_of_different_readings_are_not_held_against_each_other() -> None:
    high, low = pressures(90, 85)[:2]
    another = changed(low, {"sequence": 8})
    assert judged(envelope(high, another)).rejections == ()


def test_an_unbelievable_value_is_the_same_whoever_brings_it_and_wherever_it_is_placed() -> None:
    first = judged(envelope(glucose(2, value=99))).rejections[0]
    later = judged(
        envelope(glucose(2, value=99, offset_s=-7 * 3600), gateway="g2"), gateway="g2"
    ).rejections[0]
    other = judged(envelope(glucose(2, value=98))).rejections[0]
    assert first.digest == later.digest != other.digest


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (up(b"{"), "malformed"),
        (up(envelope(v=2)), "unknown_version"),
        (up(envelope(gateway="g2")), "other_gateway"),
        (up(envelope(gateway="g2", software=5)), "other_gateway"),
        (up(b"x" * 200_000), "too_large"),
        (Message(topic="weather", payload=b""), "foreign_topic"),
        (Message(topic=topic_of("g1", "receipt"), payload=b""), "foreign_topic"),
        (Message(topic=topic_of("g1", "health"), payload=b"?"), "malformed"),
    ],
)
def test_a_dead_letter_says_in_a_word_why(message: Message, code: str) -> None:
    verdict = judge(message, now=NOW)
    assert isinstance(verdict, DeadLetter)
    assert verdict.code == code


def test_every_reason_is_gathered_not_only_the_first() -> None:
    reasons = reasons_against(value=900, unit="mg/dL", clock="sundial", sequence=-1, note=1)

    assert len(reasons) == 4
    assert any("900 mg/dL is not plausible" in each for each in reasons)


@pytest.mark.parametrize("thing", [None, 5, "glucose", ["glucose"], {}])
def test_what_is_no_measurement_at_all_is_refused_alone(thing: Any) -> None:
    verdict = judged(envelope(glucose(1), thing))

    assert isinstance(verdict, Delivery)
    assert len(verdict.items) == len(verdict.rejections) == 1
    assert verdict.rejections[0].id is None
    assert verdict.rejections[0].reasons


def test_the_receipt_names_what_was_refused_by_the_sender_s_own_id() -> None:
    verdict = judged(envelope(glucose(1), glucose(2, value=99.9)))

    receipt = verdict.receipt()
    assert receipt.committed == (glucose(1)["id"],)
    assert list(receipt.rejected) == [glucose(2)["id"]]


def test_the_receipt_that_is_sent_has_the_bytes_of_the_wire() -> None:
    receipt = judged(envelope(glucose(1), glucose(2, value=99.9, note="中文"))).receipt()

    assert receipt.committed
    assert receipt.rejected
    assert msgspec.json.encode(receipt) == encode_receipt(receipt)


def test_the_limits_of_time_and_plausibility_belong_to_the_sound() -> None:
    ahead = moment(NOW + MOST_AHEAD)

    items = delivery(
        glucose(1, value=0.6),
        glucose(2, value=33.3),
        glucose(3, at=NOW + MOST_AHEAD),
        glucose(4, value=10, unit="mg/dL"),
        glucose(2**63 - 1, at=NOW),
        glucose(6, user=254),
        glucose(7, user=0, at=NOW.replace(year=2000, month=1, day=1)),
    ).items

    assert len(items) == 7
    assert moment(items[2].taken_at) == ahead


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (envelope(v=2), "envelope version 2 is not known here, 1 is: update"),
        (envelope(v=ABSENT), "envelope version None is not known"),
        (envelope(v=True), "envelope version True is not known"),
        (envelope(gateway="g2"), "gateway is 'g2', but the topic belongs to 'g1'"),
        (envelope(*[glucose(n) for n in range(51)]), "51 measurements; at most 50"),
        (envelope(batch=ABSENT), "batch is missing"),
        (envelope(batch=""), "batch: Expected"),
        (envelope(batch="\0"), "batch holds characters that cannot be stored"),
        (envelope(resync="yes"), "resync: Expected `bool`"),
        (envelope(sent_at="now"), "sent_at: Invalid"),
        (envelope(measurements=ABSENT), "measurements is missing"),
        (envelope(measurements={}), "measurements: expected a list"),
        (envelope(urgent=True), "unknown field 'urgent'"),
        ([], "an envelope is a JSON object"),
        (b"", "is not JSON in UTF-8"),
        (b"{", "is not JSON in UTF-8"),
        (b"\xff\xfe{\0}\0", "is not JSON in UTF-8"),
        (b'{"v":1}' * 2, "is not JSON in UTF-8"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"x" * (128 * 1024 + 1), "131073 bytes; at most 131072"),
    ],
)
def test_a_message_that_cannot_be_taken_apart_is_kept_whole(document: Any, reason: str) -> None:
    verdict = judge(up(document), now=NOW)

    assert isinstance(verdict, DeadLetter)
    assert any(reason in each for each in verdict.reasons), verdict.reasons


def test_all_reasons_against_an_envelope_are_gathered() -> None:
    verdict = judged(envelope(gateway="g2", batch=5, urgent=True, sent_at=ABSENT))

    assert isinstance(verdict, DeadLetter)
    assert len(verdict.reasons) == 4


def test_a_message_of_exactly_the_most_bytes_is_taken_apart() -> None:
    document = json.dumps(envelope(glucose(1))).encode()

    verdict = judge(up(document.ljust(128 * 1024)), now=NOW)

    assert isinstance(verdict, Delivery)


@pytest.mark.parametrize(
    "topic", ["", "kangban/v1/00/g1", "kangban/v2/00/g1/up", "kangban/v1/00/G 1/up", "other"]
)
def test_a_foreign_topic_is_a_dead_letter(topic: str) -> None:
    assert isinstance(judge(Message(topic=topic, payload=b"{}"), now=NOW), DeadLetter)


def test_a_leaf_that_the_server_itself_writes_is_a_dead_letter() -> None:
    message = Message(topic=topic_of("g1", "receipt"), payload=b"{}")

    verdict = judge(message, now=NOW)

    assert isinstance(verdict, DeadLetter)
    assert verdict.reasons == ("nothing is expected on …/receipt",)


# -- the fast and the thorough way say the same ----------------------------------------------------

# a busy machine is slow, not wrong
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([*VITALS, *Clock, *Flag, "mmol/L", "mg/dL", "/min", "2024-11-21T07:00:00Z"]),
    st.lists(st.sampled_from([*Flag, "odd"]), max_size=3),
)


@PATIENT
@given(st.dictionaries(st.sampled_from([*Item.__struct_fields__, "odd"]), _ODD, max_size=3))
def test_the_fast_and_the_thorough_way_agree_about_any_measurement(changes: dict[str, Any]) -> None:
    document = changed(glucose(1), changes)
    message = up(envelope(document))

    fast = judge(message, now=NOW)
    thorough = dismantle(message, gateway="g1", now=NOW)

    assert fast == thorough
    # what is stored of it must be fit for jsonb: JSON without NUL or lone surrogates
    assert isinstance(fast, Delivery)
    for rejection in fast.rejections:
        text = json.dumps(rejection.document, allow_nan=False)
        assert "\\u0000" not in text.replace("\\\\", "")
        assert rejection.digest


@PATIENT
@given(st.dictionaries(st.sampled_from([*Bundle.__struct_fields__, "odd"]), _ODD, max_size=3))
def test_the_fast_and_the_thorough_way_agree_about_any_envelope(changes: dict[str, Any]) -> None:
    message = up(changed(envelope(glucose(1)), changes))

    assert judge(message, now=NOW) == dismantle(message, gateway="g1", now=NOW)


@PATIENT
@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(payload: bytes) -> None:
    assert judge(up(payload), now=NOW)


def test_a_reason_is_found_for_whatever_is_not_an_item() -> None:
    for document in ({}, {"value": 1}, glucose(1, value=None)):
        assert list(against_item(document, now=NOW))


# -- the shapes at the door are those of the wire --------------------------------------------------


@pytest.mark.parametrize(("shape", "noun"), [(Item, Measurement), (Bundle, Envelope)])
def test_the_shape_at_the_door_has_the_fields_of_the_noun(shape: Any, noun: Any) -> None:
    at_the_door = {
        each.name: MISSING if each.required else each.default
        for each in msgspec.structs.fields(shape)
    }
    in_the_house = {each.name: each.default for each in fields(noun)}

    assert at_the_door == in_the_house


# -- health ----------------------------------------------------------------------------------------


def test_a_word_of_health_is_understood_and_kept_as_it_is() -> None:
    health = Health(
        v=1,
        gateway="g1",
        sent_at=NOW,
        spooled=3,
        devices={"ble:1": DeviceHealth(last_seen_at=NOW, battery_percent=80)},
    )

    verdict = judge(Message(topic=topic_of("g1", "health"), payload=encode_health(health)), now=NOW)

    assert isinstance(verdict, HealthSeen)
    assert verdict.health == health
    assert verdict.document["spooled"] == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"gateway": "g2"},
        {"sent_at": "2024-11-22T04:00:00"},
        {"devices": {"ble:1": {"last_seen_at": "2024-11-22T04:00:00"}}},
        {"devices": []},
        {"spooled": "many"},
    ],
)
def test_an_odd_word_of_health_is_one_dead_letter_however_often_it_comes(
    changes: dict[str, Any],
) -> None:
    document = {"v": 1, "gateway": "g1", "sent_at": moment(NOW), "spooled": 0, "devices": {}}
    letters = [
        judge(
            Message(
                topic=topic_of("g1", "health"),
                payload=json.dumps({**document, "software": software, **changes}).encode(),
            ),
            now=NOW,
        )
        for software in ("1", "2")
    ]

    assert all(isinstance(each, DeadLetter) for each in letters)
    assert letters[0].digest == letters[1].digest
