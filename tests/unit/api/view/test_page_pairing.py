"""Where a talk with a gateway stands, event by event; each state has its words in both languages.

Seconds are counted from the command that begins the case; the gateway's answers are written as
`(second, step, …)`.
"""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from api.view.pairing import (
    LINES,
    WAYS_OUT,
    Pairing,
    Stage,
    WayOut,
    clock_word,
    pairing_of,
    signal_of,
)
from api.words import LOCALES, say
from store.commands import Asked, Heard
from vitals.command import LIFE, Candidate, Do, Event, Failure, Step

BEGAN = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
METER, CUFF = "ble:C0:00:00:00:00:01", "ble:C0:00:00:00:00:02"
SCAN, PAIR, AGAIN, KEY, STOP = ("1" * 32, "2" * 32, "3" * 32, "4" * 32, "5" * 32)


def at(second: float) -> datetime:
    return BEGAN + timedelta(seconds=second)


def asked(id: str, verb: Do, second: float = 0, **more: Any) -> Asked:
    given = {
        "id": id,
        "flow": SCAN,
        "gateway_id": 1,
        "gateway": "g1",
        "account_id": 1,
        "asked_by": "女儿",
        "patient_id": 1,
        "verb": verb,
        "device": METER if verb is Do.PAIR else None,
        "about": None,
        "bound": False,
        "bound_from": None,
        "created_at": at(second),
        "expires_at": at(second) + LIFE,
        "heard_at": None,
        "ended_at": None,
        **more,
    }
    return Asked(**given)


def answers(command: str, *said: tuple[Any, ...]) -> list[Heard]:
    """(second, step), (second, step, failure or numbers or candidate)."""
    numbers, made = count(), []
    for second, step, *more in said:
        extra: dict[str, Any] = {}
        for each in more:
            match each:
                case Failure():
                    extra["failure"] = each
                case Candidate():
                    extra["candidate"] = each
                case dict():
                    extra["numbers"] = each
                case tuple():
                    extra["values"] = each
        event = Event(
            gateway="g1", at=BEGAN, command=command, number=next(numbers), step=step, **extra
        )
        made.append(Heard(event=event, received_at=at(second)))
    return made


def candidate(device: str, name: str, **more: Any) -> Candidate:
    return Candidate(device=device, name=name, **more)


A_METER = candidate(METER, "meter+1", kind="glucose_meter", rssi_dbm=-60)
A_CUFF = candidate(CUFF, "BP", picture="cuff", rssi_dbm=-90)
A_BAND = candidate("ble:C0:00:00:00:00:03", "Band", supported=False, reason={"zh": "不行"})
T, SC, CA = Step.TAKEN, Step.SCANNING, Step.CANDIDATE
CO, PW, CW, BO, CL, HI, RE = (
    Step.CONNECTING,
    Step.PASSKEY_WANTED,
    Step.CONFIRM_WANTED,
    Step.BONDED,
    Step.CLOCK,
    Step.HISTORY,
    Step.READING,
)
DONE, FAILED = Step.DONE, Step.FAILED

SEARCH = [asked(SCAN, Do.SCAN)]
FOUND = answers(SCAN, (1, T), (1, SC), (3, CA, A_METER), (9, DONE))
# a pairing that begins at second 0 after a search before it
PAIRING = [asked(SCAN, Do.SCAN, -20), asked(PAIR, Do.PAIR)]
BEFORE = answers(SCAN, (-19, T), (-17, CA, A_METER), (-11, DONE))
WANTS_KEY = answers(PAIR, (1, T), (1, CO), (4, PW))
GAVE_KEY = asked(KEY, Do.PASSKEY, 12, about=PAIR)


def stop(about: str, second: float = 5) -> Asked:
    return asked(STOP, Do.CANCEL, second, about=about)


# name, commands, answers, second, stage, silence, failure
CASES: list[tuple[str, list[Asked], list[Heard], float, Stage, str, Failure | None]] = [
    ("a search just begun", SEARCH, [], 0, Stage.SEARCHING, "", None),
    ("nobody took it, not yet long", SEARCH, [], 14.9, Stage.SEARCHING, "", None),
    ("nobody took it in 15 s", SEARCH, [], 15, Stage.SEARCHING, "silent_at_first", None),
    ("a second before it expires", SEARCH, [], 119, Stage.SEARCHING, "silent_at_first", None),
    ("nobody took it at all", SEARCH, [], 120, Stage.FAILED, "", Failure.EXPIRED),
    ("taken late is taken", SEARCH, answers(SCAN, (30, T)), 31, Stage.SEARCHING, "", None),
    ("one device found", SEARCH, FOUND[:3], 4, Stage.SEARCHING, "", None),
    ("the search is over", SEARCH, FOUND, 10, Stage.SEARCHED, "", None),
    ("silent for 89 s", SEARCH, FOUND[:3], 92.9, Stage.SEARCHING, "", None),
    ("silent for 90 s", SEARCH, FOUND[:3], 93, Stage.SEARCHING, "silent_since", None),
    ("its end was never told", SEARCH, FOUND[:3], 125, Stage.SEARCHED, "", None),
    ("stopped by the person", [*SEARCH, stop(SCAN)], FOUND[:3], 6, Stage.SEARCHED, "", None),
    (
        "stopped, said the gateway",
        [*SEARCH, stop(SCAN)],
        answers(SCAN, (1, T), (6, FAILED, Failure.CANCELLED)),
        7,
        Stage.SEARCHED,
        "",
        None,
    ),
    (
        "busy with somebody at the shell",
        SEARCH,
        answers(SCAN, (1, FAILED, Failure.BUSY)),
        2,
        Stage.FAILED,
        "",
        Failure.BUSY,
    ),
    ("a pairing just begun", PAIRING, BEFORE, 0, Stage.WORKING, "", None),
    ("nobody took the pairing", PAIRING, BEFORE, 15, Stage.WORKING, "silent_at_first", None),
    ("nobody ever took it", PAIRING, BEFORE, 120, Stage.FAILED, "", Failure.EXPIRED),
    ("connecting", PAIRING, BEFORE + WANTS_KEY[:2], 2, Stage.WORKING, "", None),
    ("the meter shows digits", PAIRING, BEFORE + WANTS_KEY, 5, Stage.PASSKEY, "", None),
    ("digits sent", [*PAIRING, GAVE_KEY], BEFORE + WANTS_KEY, 13, Stage.WORKING, "", None),
    (
        "digits were wrong and it asks again",
        [*PAIRING, GAVE_KEY],
        BEFORE + answers(PAIR, (1, T), (1, CO), (4, PW), (15, PW)),
        16,
        Stage.PASSKEY,
        "",
        None,
    ),
    (
        "digits were wrong",
        [*PAIRING, GAVE_KEY],
        BEFORE + answers(PAIR, (1, T), (4, PW), (15, FAILED, Failure.WRONG_PASSKEY)),
        16,
        Stage.FAILED,
        "",
        Failure.WRONG_PASSKEY,
    ),
    (
        "the digits themselves came too late",
        [*PAIRING, GAVE_KEY],
        BEFORE + WANTS_KEY + answers(KEY, (40, FAILED, Failure.EXPIRED)),
        41,
        Stage.FAILED,
        "",
        Failure.EXPIRED,
    ),
    (
        "the digits were refused, but the pairing went on",
        [*PAIRING, GAVE_KEY],
        BEFORE
        + answers(PAIR, (1, T), (4, PW), (14, BO))
        + answers(KEY, (13, FAILED, Failure.FAULT)),
        15,
        Stage.WORKING,
        "",
        None,
    ),
    ("nobody types", PAIRING, BEFORE + WANTS_KEY, 94, Stage.PASSKEY, "silent_since", None),
    (
        "compare a number",
        PAIRING,
        BEFORE + answers(PAIR, (1, T), (2, CW, {"number": 4711})),
        3,
        Stage.CONFIRM,
        "",
        None,
    ),
    (
        "the numbers are the same",
        [*PAIRING, asked(KEY, Do.CONFIRM, 6, about=PAIR)],
        BEFORE + answers(PAIR, (1, T), (2, CW, {"number": 4711})),
        7,
        Stage.WORKING,
        "",
        None,
    ),
    ("stopping", [*PAIRING, stop(PAIR)], BEFORE + WANTS_KEY, 6, Stage.STOPPING, "", None),
    (
        "stopping, and the gateway does not say so",
        [*PAIRING, stop(PAIR)],
        BEFORE + WANTS_KEY,
        20,
        Stage.STOPPED,
        "",
        None,
    ),
    (
        "stopped",
        [*PAIRING, stop(PAIR)],
        BEFORE + answers(PAIR, (1, T), (6, FAILED, Failure.CANCELLED)),
        7,
        Stage.STOPPED,
        "",
        None,
    ),
    (
        "stopped too late: it is added",
        [*PAIRING, stop(PAIR)],
        BEFORE + answers(PAIR, (1, T), (6, DONE)),
        7,
        Stage.DONE,
        "",
        None,
    ),
    (
        "stopping the search before is not stopping the pairing",
        [PAIRING[0], stop(SCAN, 0), PAIRING[1]],
        BEFORE + WANTS_KEY[:2],
        3,
        Stage.WORKING,
        "",
        None,
    ),
    (
        "a failure without a reason is a fault",
        PAIRING,
        BEFORE + answers(PAIR, (1, FAILED)),
        2,
        Stage.FAILED,
        "",
        Failure.FAULT,
    ),
    (
        "done",
        PAIRING,
        BEFORE + answers(PAIR, (1, T), (2, BO), (3, CL), (5, HI, {"read": 9}), (9, DONE)),
        500,
        Stage.DONE,
        "",
        None,
    ),
    (
        "tried again after a failure",
        [*PAIRING, asked(AGAIN, Do.PAIR, 30)],
        BEFORE + answers(PAIR, (1, FAILED, Failure.OUT_OF_REACH)) + answers(AGAIN, (31, T)),
        32,
        Stage.WORKING,
        "",
        None,
    ),
    (
        "searched again after a pairing",
        [*PAIRING, asked(AGAIN, Do.SCAN, 30)],
        BEFORE + answers(PAIR, (1, FAILED, Failure.OUT_OF_REACH)) + answers(AGAIN, (31, T)),
        32,
        Stage.SEARCHING,
        "",
        None,
    ),
]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_talk_stands_where_its_words_say(case: tuple[Any, ...], locale: str) -> None:
    _, commands, heard, second, stage, silence, failure = case
    found = pairing_of(commands, heard, now=at(second))
    assert (found.stage, found.silence, found.failure) == (stage, silence, failure)
    for key in keys_of(found):
        assert say(key, locale, n=1), key


def keys_of(found: Pairing) -> set[str]:
    """The words that the page looks up for a state."""
    keys = {f"stage_{found.stage}"} | {f"step_{each.step}" for each in found.lines}
    keys |= {each.word for each in found.lines if each.word}
    keys |= {f"state_{each.state}" for each in found.lines}
    keys |= {f"drawing_{each.drawing}" for each in found.found}
    keys |= {f"signal_{each.signal}" for each in found.found}
    if found.silence:
        keys.add(found.silence)
    if found.failure is None:
        keys |= {f"stage_{found.stage}_do"}
    else:
        keys |= {f"failure_{found.failure}", f"failure_{found.failure}_do"}
    return keys


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_what_changes_by_itself_changes_when_it_was_said_that_it_would(
    case: tuple[Any, ...],
) -> None:
    _, commands, heard, second, *_ = case
    now = at(second)
    found = pairing_of(commands, heard, now=now)
    if found.look_at is None:
        assert found.is_over or found.silence == "silent_since"
        return
    assert found.look_at > now
    then = pairing_of(commands, heard, now=found.look_at)
    assert (then.stage, then.silence) != (found.stage, found.silence)


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_failure_has_a_sentence_and_a_way_out(failure: Failure, locale: str) -> None:
    heard = BEFORE + answers(PAIR, (1, T), (2, FAILED, failure))
    found = pairing_of(PAIRING, heard, now=at(3))
    assert found.is_over
    assert say(f"failure_{failure}", locale) != say(f"failure_{failure}_do", locale)
    assert failure in WAYS_OUT
    if failure is not Failure.CANCELLED:
        assert found.way_out is WAYS_OUT[failure]


def test_only_a_broken_disk_leaves_nothing_to_press() -> None:
    assert [each for each in Failure if WAYS_OUT[each] is WayOut.NOTHING] == [Failure.DISK]


# events of a pairing -> the lines of its progress
PROGRESS = [
    ([], "asked now"),
    ([(1, T)], "asked done, connecting now"),
    ([(1, T), (1, CO)], "asked done, connecting now"),
    ([(1, T), (1, CO), (2, PW)], "asked done, connecting done, bonded now"),
    ([(1, T), (1, CO), (2, BO)], "asked done, connecting done, bonded done, clock now"),
    (
        [(1, T), (1, CO), (2, BO), (3, CL, {"offset_s": 7260})],
        "asked done, connecting done, bonded done, clock done clock_off_hours 2, history now",
    ),
    # one that shares no key passes without a word of it
    (
        [(1, T), (1, CO), (3, CL, {"offset_s": 20})],
        "asked done, connecting done, clock done clock_right 0, history now",
    ),
    (
        [(1, T), (1, CO), (3, HI, {"read": 12})],
        "asked done, connecting done, history now pairing_read 12",
    ),
    # what was told before TAKEN was heard
    ([(1, CO)], "asked done, connecting now"),
    (
        [(1, T), (1, CO), (2, FAILED, Failure.OUT_OF_REACH)],
        "asked done, connecting failed",
    ),
    (
        [(1, T), (1, CO), (2, BO), (3, CL, {"offset_s": 0}), (4, HI, {"read": 3}), (9, DONE)],
        "asked done, connecting done, bonded done, clock done clock_right 0, "
        "history done pairing_read 3",
    ),
]


@pytest.mark.parametrize(("said", "expected"), PROGRESS)
def test_progress_is_told_line_by_line(said: list[Any], expected: str) -> None:
    found = pairing_of(PAIRING, BEFORE + answers(PAIR, *said), now=at(10))
    lines = [
        f"{each.step} {each.state}" + (f" {each.word} {each.n}" if each.word else "")
        for each in found.lines
    ]
    told = [line for line in lines if not line.endswith(" later")]
    assert ", ".join(told) == expected
    later = [each.step for each in found.lines if each.state == "later"]
    order = [step for step, _ in LINES]
    assert later == order[len(order) - len(later) :]


def test_events_that_come_out_of_order_tell_the_same() -> None:
    said = answers(PAIR, (1, T), (1, CO), (4, PW), (5, BO), (9, DONE, {"read": 5}))
    found = pairing_of(PAIRING, [*reversed(said), *BEFORE], now=at(10))
    assert found == pairing_of(PAIRING, BEFORE + said, now=at(10))
    assert (found.stage, found.read) == (Stage.DONE, 5)


def test_devices_stay_in_their_order_and_unusable_ones_come_last() -> None:
    nearer = candidate(METER, "meter+1", kind="glucose_meter", rssi_dbm=-40)
    heard = answers(
        SCAN, (1, T), (2, CA, A_BAND), (3, CA, A_METER), (4, CA, A_CUFF), (5, CA, nearer)
    )
    found = pairing_of(SEARCH, heard, now=at(6)).found
    assert [(each.name, each.drawing, each.signal, each.supported) for each in found] == [
        ("meter+1", "glucose_meter", "strong", True),
        ("BP", "cuff", "weak", True),
        ("Band", "unknown", "unknown", False),
    ]


def test_the_first_reading_is_shown_and_what_is_no_value_is_left_out() -> None:
    taken = "2026-11-22T23:12:00Z"
    values = (
        {"kind": "systolic", "value": 128, "unit": "mm[Hg]", "taken_at": taken},
        {"kind": "diastolic", "value": 82, "unit": "mm[Hg]", "taken_at": taken},
        {"kind": "pulse", "value": float("nan"), "unit": "/min", "taken_at": taken},
        {"kind": "mood", "value": 1, "unit": "?"},
        {"kind": "weight", "value": "much", "unit": "kg"},
        {"kind": "weight", "value": 61.5, "unit": "kg", "taken_at": "yesterday"},
        {"kind": []},
    )
    heard = BEFORE + answers(PAIR, (1, T), (5, RE, values), (9, DONE))
    found = pairing_of(PAIRING, heard, now=at(10)).readings
    assert [(each.name.zh, each.text, each.unit, each.at is None) for each in found] == [
        ("血压", "128/82", "mmHg", False),
        ("体重", "61.5", "kg", True),
    ]


@pytest.mark.parametrize(
    ("offset_s", "expected"),
    [
        (0, ("clock_right", 0)),
        (-59, ("clock_right", 0)),
        (60, ("clock_off_minutes", 1)),
        (-7199, ("clock_off_minutes", 120)),
        (7200, ("clock_off_hours", 2)),
        (-28_800, ("clock_off_hours", 8)),
        (172_799, ("clock_off_hours", 48)),
        (172_800, ("clock_off_days", 2)),
    ],
)
def test_a_wrong_clock_is_said_in_the_unit_that_people_use(
    offset_s: int, expected: tuple[str, int]
) -> None:
    assert clock_word(offset_s) == expected


@pytest.mark.parametrize(
    ("rssi_dbm", "expected"),
    [
        (-64, "strong"),
        (-65, "strong"),
        (-66, "fair"),
        (-80, "fair"),
        (-81, "weak"),
        (None, "unknown"),
    ],
)
def test_a_signal_is_said_in_words(rssi_dbm: int | None, expected: str) -> None:
    assert signal_of(rssi_dbm) == expected
