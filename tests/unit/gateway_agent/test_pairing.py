"""Scans and pairings, as they are told to the person before the page."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway_agent.bonding import Asks, Question
from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.pairing import (
    CANDIDATE_EVERY_S,
    CANDIDATE_MOVED_DB,
    HISTORY_EVERY_S,
    MOST_CANDIDATES,
    WAYS_OUT,
    Pairing,
    Scan,
    Told,
    candidate_of,
    is_stranger,
)
from gateway_agent.pairing import (
    behind_s as behind,
)
from gateway_agent.quirk import STANDARD, Confidence, Quirk, Words
from gateway_agent.recognise import Recognised
from gateway_agent.talk import ClockSeen
from vitals.command import Candidate, Failure, Step
from vitals.kinds import Kind
from vitals.measurement import Clock, Measurement
from vitals.units import Unit

METER = "ble:F0:00:00:00:00:01"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# half a minute slow
SEEN = ClockSeen(device_time=NOW.replace(tzinfo=None) - timedelta(seconds=31), at=NOW)
GLUCOSE = DRIVERS["glucose_meter"]
SEALED = Quirk(
    id="sealed",
    zh="某手环",
    en="Some band",
    names=("Sealed.*",),
    confidence=Confidence.UNSUPPORTED,
    reason=Words(zh="数据加密。", en="Its data is sealed."),
)


def glucose(value: float, *, hour: int = 0) -> tuple[Measurement, ...]:
    return (
        Measurement(
            id=f"{METER}-{hour}",
            device=METER,
            kind=Kind.GLUCOSE,
            value=value,
            unit=Unit.MMOL_PER_L,
            taken_at=NOW + timedelta(hours=hour),
            sequence=hour,
            clock=Clock.MEASURED,
        ),
    )


def a_pairing() -> Pairing:
    return Pairing(device=METER)


PASSKEY = Question(device=METER, asks=Asks.PASSKEY)
CONFIRM = Question(device=METER, asks=Asks.CONFIRM, number=123_456)

Happens = Callable[[Pairing], list[Told]]

connects: Happens = lambda pairing: pairing.connecting()  # noqa: E731
asks: Happens = lambda pairing: pairing.asked(PASSKEY)  # noqa: E731
shows_a_number: Happens = lambda pairing: pairing.asked(CONFIRM)  # noqa: E731
bonds: Happens = lambda pairing: pairing.bonded()  # noqa: E731
shows_its_clock: Happens = lambda pairing: pairing.clock(SEEN, UTC)  # noqa: E731
ends: Happens = lambda pairing: pairing.visited(now_s=100.0)  # noqa: E731


def hands_over(count: int, *, from_s: float = 0.0, every_s: float = 0.1) -> Happens:
    def happens(pairing: Pairing) -> list[Told]:
        told = []
        for number in range(count):
            told += pairing.kept(glucose(5.0, hour=number), now_s=from_s + number * every_s)
        return told

    return happens


def fails(failure: Failure, said: str = "") -> Happens:
    return lambda pairing: pairing.broke_off(failure, said, now_s=100.0)


def nobody_answers(pairing: Pairing) -> list[Told]:
    pairing.unanswered = True
    return []


STORIES: dict[str, tuple[list[Happens], list[str]]] = {
    "a cuff that wants no key": (
        [connects, shows_its_clock, hands_over(1), ends],
        ["connecting", "clock", "history", "reading", "done"],
    ),
    "a meter that shows six digits": (
        [connects, asks, bonds, shows_its_clock, hands_over(3), ends],
        [
            "connecting",
            "passkey_wanted",
            "bonded",
            "clock",
            "history",
            "history",
            "reading",
            "done",
        ],
    ),
    "a device that shows the same number": (
        [connects, shows_a_number, bonds, ends],
        ["connecting", "confirm_wanted", "bonded", "done"],
    ),
    "a band without a memory": ([connects, ends], ["connecting", "done"]),
    "a cuff that hangs up after bonding and is called on again": (
        [connects, bonds, connects, bonds, shows_its_clock, hands_over(1), ends],
        ["connecting", "bonded", "clock", "history", "reading", "done"],
    ),
    "a device that asks for its passkey only when a value is read": (
        [connects, shows_its_clock, asks, bonds, hands_over(1), ends],
        ["connecting", "clock", "passkey_wanted", "bonded", "history", "reading", "done"],
    ),
    "a device that asks twice": (
        [connects, asks, asks, bonds, ends],
        ["connecting", "passkey_wanted", "passkey_wanted", "bonded", "done"],
    ),
    "digits that were mistyped": (
        [connects, asks, fails(Failure.WRONG_PASSKEY)],
        ["connecting", "passkey_wanted", "failed wrong_passkey"],
    ),
    "digits that nobody typed, whatever the radio makes of that": (
        [connects, asks, nobody_answers, fails(Failure.REFUSED, "Authentication failed.")],
        ["connecting", "passkey_wanted", "failed no_passkey"],
    ),
    "a device that is not on the air": ([fails(Failure.OUT_OF_REACH)], ["failed out_of_reach"]),
    "a person who thinks better of it": (
        [connects, fails(Failure.CANCELLED)],
        ["connecting", "failed cancelled"],
    ),
    "a meter that is carried away in mid-transfer": (
        [connects, bonds, hands_over(2), fails(Failure.OUT_OF_REACH)],
        ["connecting", "bonded", "history", "history", "reading", "done"],
    ),
    "whatever happens behind the end": (
        [connects, ends, connects, asks, hands_over(1), fails(Failure.FAULT), ends],
        ["connecting", "done"],
    ),
}


def name(told: Told) -> str:
    return told.step.value if told.failure is None else f"{told.step} {told.failure}"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.replace(" ", "_"))
def test_a_pairing_tells(story: str) -> None:
    happens, told = STORIES[story]
    pairing = a_pairing()
    assert [name(each) for what in happens for each in what(pairing)] == told


# ten records a second for ten seconds: the first, then one count a second, then the last
def test_a_long_memory_is_counted_once_a_second() -> None:
    pairing = a_pairing()
    told = connects(pairing) + hands_over(100)(pairing) + ends(pairing)
    counts = [each.numbers["read"] for each in told if each.step is Step.HISTORY]
    assert len(counts) == 1 + int(9.9 / HISTORY_EVERY_S) + 1
    assert (counts[0], counts[-1]) == (1, 100)
    assert told[-1].numbers == {"read": 100}


def test_the_newest_reading_is_shown_in_whatever_order_they_come() -> None:
    pairing = a_pairing()
    connects(pairing)
    for hour, value in ((2, 6.2), (9, 9.9), (4, 4.4)):
        pairing.kept(glucose(value, hour=hour), now_s=0.0)
    reading = next(each for each in ends(pairing) if each.step is Step.READING)
    assert reading.values == (
        {"kind": "glucose", "value": 9.9, "unit": "mmol/L", "taken_at": "2026-11-22T17:00:00Z"},
    )


def test_a_record_without_values_is_none_that_a_person_counts() -> None:
    pairing = a_pairing()
    connects(pairing)
    assert pairing.kept((), now_s=0.0) == []
    (done,) = ends(pairing)
    assert done.numbers == {"read": 0}
    assert "Measure once" in done.said


def test_a_transfer_that_broke_off_says_what_becomes_of_the_rest() -> None:
    pairing = a_pairing()
    connects(pairing)
    hands_over(2)(pairing)
    done = fails(Failure.OUT_OF_REACH, "the link went down.")(pairing)[-1]
    assert done.numbers == {"read": 2}
    assert "readings so far: 2, then it broke off (the link went down.)" in done.said


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_a_way_out(failure: Failure) -> None:
    (told,) = a_pairing().broke_off(failure, "", now_s=0.0)
    assert told.said == WAYS_OUT[failure]


def candidate(device: str = METER, *, rssi_dbm: int = -60, name: str = "meter") -> Candidate:
    return candidate_of(device, name, rssi_dbm, Recognised(driver=GLUCOSE, quirk=STANDARD))


def a_scan(*, added: frozenset[str] = frozenset(), strangers: bool = False) -> Scan:
    return Scan(added=added, strangers=strangers)


# (seconds later, dB more) -> is it told again?
@pytest.mark.parametrize(
    ("later_s", "moved_db", "told"),
    [
        (CANDIDATE_EVERY_S, CANDIDATE_MOVED_DB, True),
        (CANDIDATE_EVERY_S - 0.1, CANDIDATE_MOVED_DB, False),
        (CANDIDATE_EVERY_S, CANDIDATE_MOVED_DB - 1, False),
        (CANDIDATE_EVERY_S, -CANDIDATE_MOVED_DB, True),
        (100.0, 0, False),
    ],
)
def test_a_candidate_is_told_again_when_it_has_come_nearer(
    later_s: float, moved_db: int, told: bool
) -> None:
    scan = a_scan()
    assert scan.heard(candidate(), now_s=0.0) is not None
    again = scan.heard(candidate(rssi_dbm=-60 + moved_db), now_s=later_s)
    assert (again is not None) is told


def test_a_candidate_that_says_its_name_later_is_told_at_once() -> None:
    scan = a_scan()
    scan.heard(candidate(name=""), now_s=0.0)
    assert scan.heard(candidate(), now_s=0.1) is not None
    assert scan.found == 1


def test_a_device_that_is_added_is_no_candidate() -> None:
    assert a_scan(added=frozenset({METER})).heard(candidate(), now_s=0.0) is None


def test_a_neighbour_s_phone_is_shown_to_support_alone() -> None:
    phone = candidate_of(METER, "Phone", -60, Recognised(driver=None, quirk=STANDARD))
    assert is_stranger(phone)
    assert a_scan().heard(phone, now_s=0.0) is None
    assert a_scan(strangers=True).heard(phone, now_s=0.0) is not None


def test_a_band_that_cannot_be_used_is_shown_with_its_reason() -> None:
    sealed = candidate_of(METER, "Sealed 1", -60, Recognised(driver=None, quirk=SEALED))
    told = a_scan().heard(sealed, now_s=0.0)
    assert told is not None
    assert told.candidate is not None
    assert (told.candidate.supported, told.candidate.model) == (False, "sealed")
    assert told.candidate.reason["en"] == "Its data is sealed."


def test_the_hint_is_the_model_s_own_or_that_of_its_kind() -> None:
    own = replace(SEALED, confidence=Confidence.REPORTED, pairing=Words(zh="按住。", en="Hold it."))
    shown = candidate_of(METER, "m", -60, Recognised(driver=GLUCOSE, quirk=own))
    assert shown.hint == {"zh": "按住。", "en": "Hold it."}
    assert "six digits" in candidate().hint["en"]
    assert candidate().model == ""


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=lambda driver: driver.kind)
def test_every_kind_has_a_hint_in_both_languages(driver: object) -> None:
    shown = candidate_of(METER, "m", -60, Recognised(driver=driver, quirk=STANDARD))  # type: ignore[arg-type]
    assert shown.hint["zh"]
    assert shown.hint["en"]


# what a meter shows at 08:00 UTC, and how far that is behind the clock on the wall of its home
@pytest.mark.parametrize(
    ("shows", "zone", "behind_s"),
    [
        ("2026-11-22T16:00:00", "Asia/Shanghai", 0),
        ("2026-11-22T15:59:29", "Asia/Shanghai", 31),
        ("2026-11-22T16:05:00", "Asia/Shanghai", -300),
        ("2026-11-22T09:00:00", "Europe/Berlin", 0),
        ("2025-11-22T16:00:00", "Asia/Shanghai", 365 * 86_400),
    ],
)
def test_a_clock_is_compared_with_the_one_on_the_wall(shows: str, zone: str, behind_s: int) -> None:
    seen = ClockSeen(device_time=datetime.fromisoformat(shows), at=NOW)
    assert behind(seen, ZoneInfo(zone)) == behind_s


def test_a_house_full_of_devices_does_not_fill_the_page() -> None:
    scan = a_scan()
    for number in range(MOST_CANDIDATES + 5):
        scan.heard(candidate(f"ble:F0:00:00:00:01:{number:02X}"), now_s=0.0)
    assert scan.found == MOST_CANDIDATES


def test_a_scan_in_vain_says_what_to_do() -> None:
    ended = a_scan().ended()
    assert ended.numbers == {"found": 0}
    assert "pairing mode" in ended.said
