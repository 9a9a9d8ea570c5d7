"""The devices of a home on their page: whose, which gateway, what is wrong; drawings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from test_page_pairing import PAIR, answers, asked, at

from api.view.devices import (
    CLOCK_OFF_S,
    GATEWAY_SILENT,
    DeviceLine,
    Whose,
    devices_of,
    gateways_of,
)
from api.view.drawing import DRAWINGS, drawing_of
from api.view.removing import Removal, removing_of
from api.words import LOCALES, WORDS, say
from store.commands import Around, Heard
from store.people import Gateway
from vitals.command import Do, Failure, Step

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
METER = "ble:C0:00:00:00:00:01"
DRAWN = Path(__file__).parents[4] / "api" / "static" / "devices"


def around(**changes: Any) -> Around:
    given = {
        "id": 1,
        "name": METER,
        "kind": "glucose_meter",
        "model": "",
        "battery_percent": None,
        "clock_offset_s": None,
        "last_seen_at": NOW,
        "failure": None,
        "wearers": [1],
        **changes,
    }
    return Around(**given)


def gateway(name: str = "g1", *, ago: timedelta | None = timedelta(), **word: Any) -> Gateway:
    return Gateway(
        id=1,
        name=name,
        household_id=1,
        registered_at=NOW,
        last_seen_at=None if ago is None else NOW - ago,
        spooled=0,
        health={"devices": {METER: word}} if word else {},
    )


def line(device: Around, *gateways: Gateway) -> DeviceLine:
    (found,) = devices_of([device], gateways, patient_id=1, zone=SHANGHAI)
    return found


@pytest.mark.parametrize(
    ("wearers", "whose"),
    [([1], Whose.MINE), ([1, 2], Whose.SHARED), ([2], Whose.OTHER), ([], Whose.NOBODY)],
)
def test_a_line_says_whose_a_device_is(wearers: list[int], whose: Whose) -> None:
    assert line(around(wearers=wearers)).whose is whose


@pytest.mark.parametrize(
    ("changes", "word", "troubles"),
    [
        ({}, {"added": True}, ()),
        ({"failure": "out of reach"}, {"added": True}, ("trouble_failed",)),
        ({"failure": "out of reach"}, {"bonded": True}, ("trouble_failed",)),
        ({"failure": "no key"}, {"bonded": False}, ("trouble_bond",)),
        ({"last_seen_at": None}, {}, ("trouble_never_seen",)),
        ({"battery_percent": 21}, {}, ()),
        ({"battery_percent": 20}, {}, ("trouble_battery",)),
        ({"battery_percent": 0, "failure": "x"}, {}, ("trouble_failed", "trouble_battery")),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    changes: dict[str, Any], word: dict[str, Any], troubles: tuple[str, ...]
) -> None:
    found = line(around(**changes), gateway(**word))
    assert found.troubles == troubles
    for key in found.troubles:
        assert all(say(key, locale) and say(f"{key}_do", locale) for locale in LOCALES)


@pytest.mark.parametrize(
    ("offset_s", "word"),
    [
        (None, ""),
        # eight hours lead from a right clock in Shanghai back to UTC
        (-28_800, "clock_right"),
        (-28_800 + CLOCK_OFF_S - 1, "clock_right"),
        (-28_800 - CLOCK_OFF_S, "clock_off_minutes"),
        # it shows UTC
        (0, "clock_off_hours"),
    ],
)
def test_a_clock_is_held_against_the_time_of_its_home(offset_s: int | None, word: str) -> None:
    found = line(around(clock_offset_s=offset_s))
    assert found.clock_word == word
    assert found.is_clock_off == ("off" in word)


def test_a_lost_key_is_mended_with_one_press_where_a_gateway_has_the_device() -> None:
    lost = around(failure="no key")
    assert line(lost, gateway(added=True, bonded=False)).may_pair_again
    assert not line(lost, gateway(added=False, bonded=False)).may_pair_again
    assert not line(lost, gateway(added=True, bonded=True)).may_pair_again


@pytest.mark.parametrize(
    ("word", "expected"),
    # an earlier release does not say whether it was added
    [({"added": True}, "g1"), ({"kind": "cuff"}, "g1"), ({"added": False}, "")],
)
def test_the_gateway_that_has_a_device_is_named(word: dict[str, Any], expected: str) -> None:
    assert line(around(), gateway(**word)).gateway == expected


@pytest.mark.parametrize("health", [{}, {"devices": None}, {"devices": {METER: "?"}}])
def test_a_word_of_health_that_is_none_breaks_no_page(health: dict[str, Any]) -> None:
    broken = Gateway(
        id=1,
        name="g1",
        household_id=1,
        registered_at=NOW,
        last_seen_at=NOW,
        spooled=None,
        health=health,
    )
    assert line(around(), broken).gateway == ""


def test_a_gateway_that_is_silent_comes_last_and_says_so() -> None:
    silent = GATEWAY_SILENT + timedelta(seconds=1)
    found = gateways_of(
        [
            gateway("never", ago=None),
            gateway("late", ago=silent),
            gateway("in", ago=GATEWAY_SILENT),
        ],
        now=NOW,
    )
    assert [(each.name, each.is_silent) for each in found] == [
        ("in", False),
        ("never", True),
        ("late", True),
    ]


# -- drawings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "kind", "expected"),
    [
        ("ring", "wristband", "ring"),
        ("not ours", "blood_pressure_cuff", "cuff"),
        ("wristband", "", "band"),
        ("", "glucose_meter", "glucose_meter"),
        ("", "continuous_glucose_monitor", "cgm"),
        ("", "weight_scale", "scale"),
        ("", "pulse_oximeter", "oximeter"),
        ("", "thermometer", "thermometer"),
        ("", "wristband", "band"),
        ("../../secret", "", "unknown"),
    ],
)
def test_a_device_is_drawn_by_its_gateways_word_or_by_its_kind(
    picture: str, kind: str, expected: str
) -> None:
    assert drawing_of(picture=picture, kind=kind) == expected


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_every_drawing_is_there_with_a_word_and_asks_nothing_of_others(name: str) -> None:
    assert f"drawing_{name}" in WORDS
    text = (DRAWN / f"{name}.svg").read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("viewBox") == "0 0 96 96"
    assert text.count("http") == 1, "only the name of SVG itself"
    # black lines on white: it is legible in print and to those who see no colours
    assert {each.get("stroke") for each in root.iter()} <= {"#000", "none", None}


def test_no_drawing_lies_about_unused() -> None:
    assert {path.stem for path in DRAWN.glob("*.svg")} == DRAWINGS


# -- removing --------------------------------------------------------------------------------------

REMOVALS: list[tuple[str, list[Heard], float, Removal]] = [
    ("just asked", [], 0, Removal.WAITING),
    ("not yet long", [], 14.9, Removal.WAITING),
    ("the gateway is silent", [], 15, Removal.SILENT),
    ("taken, then nothing", answers(PAIR, (1, Step.TAKEN)), 15, Removal.SILENT),
    ("done", answers(PAIR, (1, Step.TAKEN), (2, Step.DONE)), 3, Removal.DONE),
    ("done late", answers(PAIR, (60, Step.DONE)), 61, Removal.DONE),
    (
        "the gateway does not know it",
        answers(PAIR, (2, Step.FAILED, Failure.UNKNOWN_DEVICE)),
        3,
        Removal.DONE,
    ),
    ("it failed", answers(PAIR, (2, Step.FAILED, Failure.FAULT)), 3, Removal.FAILED),
]


@pytest.mark.parametrize("case", REMOVALS, ids=[case[0] for case in REMOVALS])
def test_a_removal_is_told_as_far_as_it_has_come(case: tuple[Any, ...]) -> None:
    _, heard, second, state = case
    found = removing_of(asked(PAIR, Do.FORGET, device=METER), heard, now=at(second))
    assert found.state is state
    if found.look_at is not None:
        later = removing_of(asked(PAIR, Do.FORGET), heard, now=found.look_at)
        assert later.state is not found.state
    for locale in LOCALES:
        assert say(f"removal_{state}", locale) != say(f"removal_{state}_do", locale)
