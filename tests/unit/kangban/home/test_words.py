"""What the shell says, in both languages."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.pairing import Told, candidate_of
from gateway_agent.quirk import STANDARD
from gateway_agent.recognise import Recognised
from kangban.home.words import FAILURES, TEXTS, Words, language
from vitals.command import Event, Failure, Step

CUFF = "ble:F0:00:00:00:00:01"


def event(told: Told) -> Event:
    return Event(
        gateway="g1",
        at=datetime(2026, 11, 22, tzinfo=UTC),
        command="a" * 32,
        number=0,
        step=told.step,
        failure=told.failure,
        said=told.said,
        numbers=told.numbers,
        values=told.values,
    )


# the shell speaks what the system speaks, unless it is told
@pytest.mark.parametrize(
    ("environ", "spoken"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "KANGBAN_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "KANGBAN_LANG": "en"}, "en"),
    ],
)
def test_the_shell_speaks_the_language_of_who_sits_before_it(
    environ: dict[str, str], spoken: str
) -> None:
    assert language(environ) == spoken


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_the_same_numbers(key: str) -> None:
    zh, en = (set(re.findall(r"\{\w+\}", text)) for text in TEXTS[key])
    assert zh == en
    assert not re.search(r"[一-鿿]", TEXTS[key][1])


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_words_in_both_languages(failure: Failure) -> None:
    assert all(FAILURES[failure])
    told = event(Told(step=Step.FAILED, failure=failure, said="BlueZ said so."))
    # what is for support comes in English alone
    assert "BlueZ" in Words("en").failed(told)
    assert "BlueZ" not in Words("zh").failed(told)


# (seconds that the clock must be moved on, what is said)
@pytest.mark.parametrize(
    ("behind_s", "en", "zh"),
    [
        (59, "is right", "准确"),
        (60, "is 1 min slow", "慢 1 分钟"),
        (-3_600, "is 60 min fast", "快 60 分钟"),
        (-7_200, "is 2 h fast", "快 2 小时"),
        (26 * 365 * 86_400, "is 9490 days slow", "慢 9490 天"),
    ],
)
def test_a_wrong_clock_is_said_as_its_owner_sees_it(behind_s: int, en: str, zh: str) -> None:
    assert Words("en").offset(behind_s) == en
    assert Words("zh").offset(behind_s) == zh


def test_a_reading_is_said_with_names_units_and_moment() -> None:
    values: tuple[dict[str, Any], ...] = (
        {
            "kind": "systolic",
            "value": 130.0,
            "unit": "mm[Hg]",
            "taken_at": "2026-11-22T08:00:00Z",
        },
        {"kind": "pulse", "value": 67.0, "unit": "/min", "taken_at": "2026-11-22T08:00:00Z"},
    )
    told = event(Told(step=Step.READING, values=values))
    assert "Systolic 130 mmHg, Pulse 67 /min (2026-11-22" in Words("en").reading(told)
    assert "收缩压 130 mmHg, 脉搏 67 /min（2026-11-22" in Words("zh").reading(told)


def test_a_candidate_is_one_line_with_what_is_known() -> None:
    cuff = candidate_of(
        CUFF, "KB-100", -61, Recognised(driver=DRIVERS["blood_pressure_cuff"], quirk=STANDARD)
    )
    phone = candidate_of(CUFF, "", -61, Recognised(driver=None, quirk=STANDARD))
    assert Words("zh").candidate(cuff) == f"KB-100 · 血压计 · -61 dBm  [{CUFF}]"
    assert Words("en").candidate(phone) == f"{CUFF} · unknown device · -61 dBm  [{CUFF}]"


# a pairing without records ends with what to do next, one with them says how many
@pytest.mark.parametrize(("read", "said"), [(0, "Measure"), (500, "500")])
def test_the_end_of_a_pairing_says_what_was_read(read: int, said: str) -> None:
    line = Words("en").progress(event(Told(step=Step.DONE, numbers={"read": read})))
    assert line is not None
    assert said.lower() in line.lower()


def test_a_device_that_was_never_read_says_so() -> None:
    assert "not read yet" in Words("en").device({"device": CUFF})
