"""A record that waits, as a card: named with a reason, or a doubt; its key names it alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from page_builders import NOW, ago, cuff, stored

from api.likely import Chance, Guess, Reason
from api.view.inbox import card, key_of, reason, said, visit_of
from store.inbox import Recent, Visit, Waiting
from store.people import Patient
from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.measurement import Clock
from vitals.units import Unit

MOTHER, FATHER, UNSEEN = 1, 2, 3


def patient(number: int, name: str) -> Patient:
    return Patient(
        id=number, household_id=1, name=name, sex=None, born_on=None, conditions=[],
        timezone="Asia/Shanghai", locale="zh-CN", targets={},
    )  # fmt: skip


MINE = {MOTHER: patient(MOTHER, "妈妈"), FATHER: patient(FATHER, "爸爸")}
VISIT = Visit(device_id=4, sequence=7, taken_at=ago(hours=5, microseconds=3))


def waiting(**changes: Any) -> Waiting:
    fields: dict[str, Any] = {
        "visit": VISIT,
        "device_kind": "blood_pressure_cuff",
        "user": 2,
        "candidates": (MOTHER, FATHER, UNSEEN),
        "values": cuff(128, 79),
    }
    return Waiting(**{**fields, **changes})


def guess(*order: int | None, named: int | None = None, **why: Any) -> Guess:
    chances = [Chance(patient_id=who, probability=0.5 / 2**n) for n, who in enumerate(order)]
    return Guess(chances=tuple(chances), named=named, reason=Reason(**why))


def test_the_likeliest_is_named_first_with_the_reason() -> None:
    made = card(
        waiting(),
        guess(FATHER, None, MOTHER, named=FATHER, hour=7, kind=Kind.SYSTOLIC, mean=128.4),
        mine=MINE,
        now=NOW,
        locale="zh-CN",
    )
    assert made.named is not None
    assert [each.name for each in made.choices] == ["爸爸", "妈妈"]
    assert made.why == "爸爸通常早上 7 点量，收缩压约 128 mmHg"
    assert (made.lines[0].text, made.lines[0].pulse, made.doubt) == ("128/79", "72", "")
    assert made.through == FATHER


# who leads, who is named, and the doubt that stands in place of a name
@pytest.mark.parametrize(
    ("order", "named", "doubt"),
    [
        ((FATHER, MOTHER, None), None, "inbox_not_sure"),
        ((None, FATHER, MOTHER), None, "inbox_guest_likely"),
        ((UNSEEN, FATHER, MOTHER, None), UNSEEN, "inbox_unseen_likely"),
        ((UNSEEN, FATHER, MOTHER, None), None, "inbox_not_sure"),
    ],
)
def test_where_nobody_is_named_people_stand_in_their_own_order(
    order: tuple[int | None, ...], named: int | None, doubt: str
) -> None:
    made = card(waiting(), guess(*order, named=named), mine=MINE, now=NOW, locale="en")
    assert (made.named, made.doubt, made.why) == (None, doubt, "")
    assert [each.id for each in made.choices] == [MOTHER, FATHER]


def test_an_unsure_clock_is_said() -> None:
    values = {Kind.SYSTOLIC: stored(Kind.SYSTOLIC, 128, Unit.MMHG, clock=Clock.UNSURE)}
    one = guess(MOTHER)
    assert not card(waiting(values=values), one, mine=MINE, now=NOW, locale="en").is_at_sure
    assert card(waiting(), one, mine=MINE, now=NOW, locale="en").is_at_sure


@pytest.mark.parametrize(
    ("why", "zh", "en"),
    [
        (
            {"hour": 20, "kind": Kind.WEIGHT, "mean": 61.44},
            "妈妈通常晚上 8 点量，体重约 61.4 kg",
            "妈妈 usually measures around 20:00, weight about 61.4 kg",
        ),
        (
            {"kind": Kind.PULSE, "mean": 70.0, "uses": 4},
            "妈妈的脉搏通常约 70 次/分",
            "妈妈’s pulse is usually about 70 /min",
        ),
        ({"hour": 7}, "妈妈通常早上 7 点量", "妈妈 usually measures around 7:00"),
        (
            {"uses": 4},
            "最近这样量的多半是妈妈",
            "Most of the last readings like this were 妈妈’s",
        ),
        ({}, "家里人里，最可能的是妈妈", "Of those at home, 妈妈 is the most likely"),
    ],
)
def test_a_reason_is_one_line_in_the_readers_language(
    why: dict[str, Any], zh: str, en: str
) -> None:
    assert reason(Reason(**why), "妈妈", locale="zh-CN") == zh
    assert reason(Reason(**why), "妈妈", locale="en") == en


def test_a_key_names_a_record_to_the_microsecond() -> None:
    for visit in (VISIT, replace(VISIT, sequence=2**63 - 1, taken_at=ago(days=9000))):
        assert visit_of(key_of(visit)) == visit


@pytest.mark.parametrize(
    "key", ["", "4.7", "4.7.x", "4.7.1.2", "4.-7.1", "４.7.1", "4.7." + "9" * 18, f"4.{2**63}.1"]
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(MendData):
        visit_of(key)


def recent(**changes: Any) -> Recent:
    fields: dict[str, Any] = {
        "id": 9, "at": NOW - timedelta(minutes=5), "by": "儿子", "deed": "give",
        "patient_id": MOTHER, "device_id": 4, "device": "ble:1", "kind": "", "mapped_slot": None,
        "n": 1, "newest_at": NOW - timedelta(hours=5),
    }  # fmt: skip
    return Recent(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "zh"),
    [
        ({}, "今天 07:30 的测量 → 妈妈（儿子，5 分钟前）"),
        ({"mapped_slot": 2}, "用户号 2 以后都是妈妈的（儿子，5 分钟前）"),
        ({"deed": "set_aside"}, "今天 07:30 的测量是客人的（儿子，5 分钟前）"),
        ({"deed": "release"}, "今天 07:30 的测量不是妈妈的（儿子，5 分钟前）"),
    ],
)
def test_what_was_said_is_told_with_who_said_it(changes: dict[str, Any], zh: str) -> None:
    (told,) = said([recent(**changes)], mine=MINE, now=NOW, locale="zh-CN")
    assert (told.id, told.patient_id, told.text) == (9, MOTHER, zh)
    assert "儿子, 5 min ago" in said([recent(**changes)], mine=MINE, now=NOW, locale="en")[0].text


def test_what_was_said_of_others_is_not_told() -> None:
    assert said([recent(patient_id=UNSEEN)], mine=MINE, now=NOW, locale="en") == []
