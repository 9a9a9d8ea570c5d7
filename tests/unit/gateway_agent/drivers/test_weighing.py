"""A visit to a scale: one weighing is one weight, whichever of its services tells it."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from formats.scale import compositions, weighings
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import EIGHT_FIFTEEN
from pump import START, Arrival, Device, Visited, pump

from gateway_agent.drivers import body_composition, weight_scale
from gateway_agent.drivers.composition_record import BodyComposition, body_fat_of, weight_of
from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.user_data import (
    CONSENT,
    NOT_AUTHORIZED,
    SUCCESS,
    USER_CONTROL_POINT,
    USER_INDEX,
    UserResponse,
)
from gateway_agent.drivers.weighing import COMPOSITION, WEIGHT
from gateway_agent.drivers.weight_record import Moment, Weighing, reading_of
from gateway_agent.gatt import Number, Special
from gateway_agent.talk import ClockSeen, Keep, LinkLost, SetClock, Subscribe, Visit, Write
from vitals.errors import MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Reading
from vitals.units import Unit

VISIT = Visit(device="ble:C0:00:00:00:00:06")
CLOCK = {CURRENT_TIME: CurrentTime(date_time=EIGHT_FIFTEEN).encode()}
SHARED = {**CLOCK, USER_INDEX: b"\xff"}
MOMENT = Moment(time_stamp=EIGHT_FIFTEEN, user_id=1, at=START)
# 70.3 kg of user 1, and the same with 22.1 % of fat
WEIGHED = Weighing(weight=Decimal("70.3"), time_stamp=EIGHT_FIFTEEN, user_id=1)
BODY = BodyComposition(
    body_fat_percent=Decimal("22.1"),
    time_stamp=EIGHT_FIFTEEN,
    user_id=1,
    weight=Decimal("70.3"),
)
# the same in two packets, fat and muscle first
FIRST = replace(BODY, weight=None, muscle_percent=Decimal("35.4"), multiple_packets=True)
SECOND = replace(BODY, body_fat_percent=Special.NAN, multiple_packets=True)
FAT, KG = (Kind.BODY_FAT, 22.1), (Kind.WEIGHT, 70.3)


def sent(value: Weighing | BodyComposition) -> Arrival:
    return (WEIGHT if isinstance(value, Weighing) else COMPOSITION), value.encode()


def visited(*values: Weighing | BodyComposition, **device: object) -> Visited:
    sends = [sent(each) for each in values]
    fields: dict[str, object] = {"reads": CLOCK, "sends": sends, **device}
    return pump(body_composition.talk(VISIT), Device(**fields))  # type: ignore[arg-type]


def said(kept: list[Reading]) -> list[tuple[Kind, float]]:
    return [(value.kind, value.value) for each in kept for value in each.values]


@pytest.mark.parametrize(
    ("weight", "imperial", "value", "unit"),
    [
        ("70.3", False, 70.3, Unit.KG),
        # not 70.30499999999999
        ("70.305", False, 70.305, Unit.KG),
        # kept as measured: 154.96 lb is not turned into 70.29 kg
        ("154.96", True, 154.96, Unit.LB),
    ],
)
def test_a_weight_is_kept_in_the_unit_in_which_it_was_measured(
    weight: str, imperial: bool, value: float, unit: Unit
) -> None:
    payload = Weighing(weight=Decimal(weight), imperial=imperial).encode()
    found = Weighing.decode(payload)
    reading = reading_of(found.weight, imperial=found.imperial, moment=MOMENT, raw=payload)
    assert [(each.kind, each.value, each.unit) for each in reading.values] == [
        (Kind.WEIGHT, value, unit)
    ]
    assert (reading.device_time, reading.user, reading.raw) == (
        datetime(2026, 11, 22, 8, 15),
        1,
        payload,
    )


@pytest.mark.parametrize(
    ("number", "withheld"),
    [(Special.NAN, "unsuccessful"), (Decimal(0), "not_positive"), (Decimal("0.1"), None)],
)
def test_what_could_not_be_measured_is_kept_and_never_shown(
    number: Number, withheld: str | None
) -> None:
    weight = reading_of(number, imperial=False, moment=MOMENT, raw=b"raw")
    fat = body_fat_of(replace(BODY, body_fat_percent=number), moment=MOMENT, raw=b"raw")
    for reading in (weight, fat):
        assert (reading.withheld, bool(reading.values)) == (withheld, withheld is None)
        assert reading.raw == b"raw"


@pytest.mark.parametrize(("user", "known"), [(None, None), (0, 0), (254, 254), (255, None)])
def test_the_scales_user_is_kept_and_255_is_nobody(user: int | None, known: int | None) -> None:
    moment = replace(MOMENT, user_id=user)
    assert reading_of(Decimal(70), imperial=False, moment=moment, raw=b"").user == known


def test_a_weight_has_one_number_in_both_formats_and_another_at_another_time() -> None:
    weight = reading_of(WEIGHED.weight, imperial=False, moment=MOMENT, raw=WEIGHED.encode())
    in_composition = weight_of(BODY, moment=MOMENT, raw=BODY.encode())
    assert in_composition is not None
    assert weight.sequence == in_composition.sequence
    for moment in (
        replace(MOMENT, user_id=2),
        replace(MOMENT, time_stamp=replace(EIGHT_FIFTEEN, seconds=1)),
        replace(MOMENT, time_stamp=None),
    ):
        other = reading_of(WEIGHED.weight, imperial=False, moment=moment, raw=WEIGHED.encode())
        assert other.sequence != weight.sequence
    later = replace(MOMENT, at=START + timedelta(days=1))
    again = reading_of(WEIGHED.weight, imperial=False, moment=later, raw=WEIGHED.encode())
    assert again.sequence == weight.sequence


def test_muscle_water_and_impedance_stay_in_the_raw_bytes() -> None:
    rich = replace(BODY, muscle_percent=Decimal(35), impedance_ohm=Decimal(500))
    kept = visited(rich).kept
    assert said(kept) == [FAT, KG]
    assert [each.raw for each in kept] == [rich.encode()] * 2


UNDATED = replace(WEIGHED, time_stamp=None), replace(BODY, time_stamp=None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # either first
        ([WEIGHED, BODY], [KG, FAT]),
        ([BODY, WEIGHED], [FAT, KG]),
        # rounded otherwise: the same moment, the same person, one weighing
        ([WEIGHED, replace(BODY, weight=Decimal("70.5"))], [KG, FAT]),
        # one service does not know the user
        ([replace(WEIGHED, user_id=None), BODY], [KG, FAT]),
        ([WEIGHED, replace(BODY, user_id=255)], [KG, FAT]),
        # two people, two weights
        ([WEIGHED, replace(BODY, user_id=2)], [KG, FAT, KG]),
        # a minute later, another weighing
        (
            [WEIGHED, replace(BODY, time_stamp=replace(EIGHT_FIFTEEN, minutes=16))],
            [KG, FAT, KG],
        ),
        # without a time: equal numbers are one weighing, others are two
        ([UNDATED[0], UNDATED[1]], [KG, FAT]),
        ([UNDATED[1], UNDATED[0]], [FAT, KG]),
        ([UNDATED[0], replace(UNDATED[1], weight=Decimal(71))], [KG, FAT, (Kind.WEIGHT, 71.0)]),
        ([UNDATED[0], UNDATED[1], UNDATED[0]], [KG, FAT, KG]),
        # a weight that failed in one service does not hide the other's
        ([replace(WEIGHED, weight=Special.NAN), BODY], [FAT, KG]),
        # without a weight of its own
        ([WEIGHED, replace(BODY, weight=None)], [KG, FAT]),
    ],
)
def test_a_scale_with_both_services_gives_one_weight(
    values: list[Weighing | BodyComposition], expected: list[tuple[Kind, float]]
) -> None:
    assert said(visited(*values).kept) == expected


@pytest.mark.parametrize("talk", [body_composition.talk, weight_scale.talk])
def test_whichever_service_it_advertises_both_are_heard(talk) -> None:  # type: ignore[no-untyped-def]
    sends = [sent(WEIGHED), sent(BODY)]
    assert said(pump(talk(VISIT), Device(reads=CLOCK, sends=sends)).kept) == [KG, FAT]


def test_a_scale_with_both_services_is_read_as_one_that_tells_fat() -> None:
    assert body_composition.DRIVER.rank < weight_scale.DRIVER.rank


@pytest.mark.parametrize("packets", [(FIRST, SECOND), (SECOND, FIRST)])
def test_two_packets_are_one_measurement(packets: tuple[BodyComposition, BodyComposition]) -> None:
    kept = visited(*packets).kept
    assert said(kept) == [FAT, KG]
    assert {each.raw for each in kept} == {packets[0].encode() + packets[1].encode()}


def test_a_second_packet_without_time_and_user_takes_those_of_the_first() -> None:
    bare = replace(SECOND, time_stamp=None, user_id=None)
    kept = visited(FIRST, bare).kept
    assert said(kept) == [FAT, KG]
    assert {(each.device_time, each.user) for each in kept} == {(datetime(2026, 11, 22, 8, 15), 1)}


@pytest.mark.parametrize(
    "other",
    [
        replace(SECOND, time_stamp=replace(EIGHT_FIFTEEN, minutes=16)),
        replace(SECOND, user_id=2),
        replace(SECOND, imperial=True, weight=Decimal("154.96")),
        replace(SECOND, body_fat_percent=Decimal(30)),
        replace(BODY, time_stamp=replace(EIGHT_FIFTEEN, minutes=16)),
    ],
)
def test_packets_of_two_measurements_are_not_put_together(other: BodyComposition) -> None:
    kept = visited(FIRST, other).kept
    assert said(kept)[0] == FAT
    assert kept[0].raw == FIRST.encode()
    assert all(each.raw == other.encode() for each in kept[1:])


def test_a_first_packet_alone_is_kept_as_what_it_is() -> None:
    for device in ({}, {"hangs_up": True}, {"drops_after": 1}):
        assert said(visited(FIRST, **device).kept) == [FAT]
    assert said(visited(FIRST, WEIGHED).kept) == [KG, FAT]


def test_a_first_packet_that_is_sent_once_more_is_one() -> None:
    assert said(visited(FIRST, FIRST, SECOND).kept) == [FAT, KG]


def test_a_fat_that_came_alone_has_the_number_that_it_has_with_its_second_packet() -> None:
    alone, whole = visited(FIRST).kept, visited(FIRST, SECOND).kept
    assert alone[0].sequence == whole[0].sequence


@pytest.mark.parametrize("radio_asks", range(2, 14))
def test_a_link_lost_anywhere_loses_nothing_that_had_arrived(radio_asks: int) -> None:
    stamps = [replace(EIGHT_FIFTEEN, minutes=each) for each in range(3)]
    values = [replace(WEIGHED, time_stamp=each) for each in stamps]
    found = visited(*values, FIRST, SECOND, radio_asks=radio_asks)
    assert said(found.kept) == [KG, KG, KG, FAT, KG]
    assert found.error is None


def test_the_clock_is_seen_before_the_first_reading_and_set_after_the_last() -> None:
    found = visited(WEIGHED, FIRST)
    order = [type(ask) for ask in found.asks]
    assert order.index(ClockSeen) < order.index(Keep)
    assert found.asks.index(Keep(reading=found.kept[-1])) < order.index(SetClock)
    assert visited(WEIGHED, hangs_up=True).of(SetClock) == []


def test_a_truncated_value_is_refused_and_the_next_one_kept() -> None:
    torn = [(WEIGHT, b"\x00\xec"), (COMPOSITION, BODY.encode()[:-1])]
    found = visited(sends=[*torn, sent(BODY)])
    assert [each.data for each in found.refused] == [each for _, each in torn]
    assert said(found.kept) == [FAT, KG]


def shared(
    consents: dict[int, int], *, value: int = SUCCESS, **device: object
) -> tuple[Visited, list[str]]:
    """A visit to a scale that hands over a user's weighing once consent is given."""

    def answers(data: bytes) -> list[Arrival]:
        answer = (USER_CONTROL_POINT, UserResponse(request=CONSENT, value=value).encode())
        if value != SUCCESS:
            return [answer]
        user = data[1]
        return [answer, sent(replace(WEIGHED, user_id=user))]

    visit = replace(VISIT, consents=consents)
    fields: dict[str, object] = {"reads": SHARED, "answers": answers, **device}
    found = pump(weight_scale.talk(visit), Device(**fields))  # type: ignore[arg-type]
    return found, [ask.data.hex() for ask in found.asks if isinstance(ask, Write)]


def test_each_users_readings_are_asked_for_by_their_consent_code() -> None:
    found, written = shared({1: 1234, 3: 42})
    # consent of user 1 by 1234 (0x04D2), of user 3 by 42: nobody is registered or deleted
    assert written == ["0201d204", "02032a00"]
    assert [each.user for each in found.kept] == [1, 3]
    assert (found.error, len(found.of(SetClock))) == (None, 1)


def test_without_a_code_nothing_is_asked_for_and_the_shared_clock_is_left_alone() -> None:
    found, written = shared({}, sends=[sent(WEIGHED)])
    assert written == []
    assert Subscribe(characteristic=USER_CONTROL_POINT, optional=True) not in found.asks
    assert [each.user for each in found.kept] == [1]
    # readings of users whose code nobody has told are still in there, dated by this clock
    assert found.of(SetClock) == []


def test_a_wrong_code_is_named_when_everything_is_kept() -> None:
    found, _ = shared({1: 1}, value=NOT_AUTHORIZED, sends=[sent(WEIGHED)])
    assert len(found.kept) == 1
    assert isinstance(found.error, MendDevice)
    assert "user 1: user not authorized" in str(found.error)
    assert found.of(SetClock) == []


def test_a_scale_that_hangs_up_after_the_last_user_has_said_everything() -> None:
    found, _ = shared({1: 1234}, hangs_up=True)
    assert (said(found.kept), found.error) == ([KG], None)


def test_a_scale_that_does_not_answer_to_a_code_is_tried_again() -> None:
    found, _ = shared({1: 1}, answers=lambda data: [], sends=[sent(WEIGHED)])
    assert isinstance(found.error, TryAgain)
    assert len(found.kept) == 1


def test_a_torn_answer_to_a_code_is_named_and_the_next_one_counts() -> None:
    answers = [(USER_CONTROL_POINT, b"\x20\x02"), (USER_CONTROL_POINT, b"\x20\x02\x01")]
    found, _ = shared({1: 1234}, answers=lambda data: answers)
    assert [each.data for each in found.refused] == [b"\x20\x02"]
    assert found.error is None


@pytest.mark.parametrize("radio_asks", range(3, 14))
def test_a_link_lost_before_every_user_was_asked_for_is_tried_again(radio_asks: int) -> None:
    found, written = shared({1: 1234, 3: 42}, sends=[sent(FIRST)], radio_asks=radio_asks)
    # the packet that had come first is kept in any case
    assert FAT in said(found.kept)
    granted = [each for each in said(found.kept) if each == KG]
    if found.error is None:
        assert granted == [KG, KG]
        assert written == ["0201d204", "02032a00"]
    else:
        assert isinstance(found.error, LinkLost)


def test_a_full_disk_ends_the_visit_with_its_own_word() -> None:
    def keep(reading: Reading) -> None:
        raise TryAgain("the disk is full")

    device = Device(reads=CLOCK, sends=[sent(WEIGHED)])
    found = pump(weight_scale.talk(VISIT), device, keep=keep)
    assert str(found.error) == "the disk is full"
    assert found.of(SetClock) == []


def test_a_code_for_a_scale_that_keeps_no_users_is_named_when_everything_is_kept() -> None:
    def missing(data: bytes) -> list[Arrival]:
        raise MendDevice("it has no characteristic 2A9F")

    found, _ = shared({1: 1234}, reads=CLOCK, answers=missing, sends=[sent(WEIGHED)])
    assert str(found.error) == "it has no characteristic 2A9F"
    assert said(found.kept) == [KG]
    assert found.of(SetClock) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(weighings() | compositions(), max_size=8), st.integers(2, 20))
def test_every_payload_stays_beside_a_reading_or_repeats_a_weight(
    values: list[Weighing | BodyComposition], radio_asks: int
) -> None:
    kept = visited(*values, radio_asks=radio_asks).kept
    raws = b"|".join(each.raw for each in kept)
    weights = [each for value in kept for each in value.values if each.kind is Kind.WEIGHT]
    for value in values:
        if isinstance(value, BodyComposition):
            assert value.encode() in raws
        elif value.encode() not in raws:
            # told by the other service
            assert weights or any(each.withheld for each in kept)
    for reading in kept:
        assert bool(reading.values) is (reading.withheld is None)
        assert 0 <= reading.sequence < 2**63
