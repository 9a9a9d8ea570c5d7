"""A record that nobody believes, as a card: what, why, whose, when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.view.quarantine import card, measured, said
from ingest.reason import QUARANTINED
from store.doubt import Decided, Doubt, Doubted
from store.people import Patient
from vitals.kinds import Kind
from vitals.units import Unit

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
MINE = {
    1: Patient(
        id=1, household_id=1, name="妈妈", sex=None, born_on=None, conditions=[],
        timezone="Asia/Shanghai", locale="zh-CN", targets={},
    )
}  # fmt: skip


def value(kind: Kind, number: float, unit: Unit, *codes: str) -> Doubted:
    return Doubted(kind=kind, value=number, unit=unit, codes=frozenset(codes or ("implausible",)))


UPPER = value(Kind.SYSTOLIC, 310, Unit.MMHG)
LOWER = value(Kind.DIASTOLIC, 190, Unit.MMHG)


def doubt(**changes: Any) -> Doubt:
    fields: dict[str, Any] = {
        "key": 7,
        "patient_id": 1,
        "candidates": (1, 2),
        "gateway": "g1",
        "device": "ble:1",
        "device_kind": "blood_pressure_cuff",
        "user": None,
        "taken_at": NOW - timedelta(hours=5),
        "received_at": NOW - timedelta(hours=4),
        "values": (UPPER, LOWER),
    }
    return Doubt(**{**fields, **changes})


@pytest.mark.parametrize(
    ("values", "zh", "en"),
    [
        ((UPPER, LOWER), "血压 310/190 mmHg", "Blood pressure 310/190 mmHg"),
        ((UPPER,), "收缩压 310 mmHg", "Systolic 310 mmHg"),
        (
            (UPPER, LOWER, value(Kind.PULSE, 300, Unit.PER_MINUTE)),
            "血压 310/190 mmHg、脉搏 300 次/分",
            "Blood pressure 310/190 mmHg, Pulse 300 /min",
        ),
        (
            (value(Kind.GLUCOSE, 99, Unit.MMOL_PER_L),),
            "血糖 99.0 mmol/L",
            "Glucose 99.0 mmol/L",
        ),
        # no column is as wide as what a broken device may say
        (
            (value(Kind.GLUCOSE, 1e300, Unit.MMOL_PER_L),),
            "血糖 1e+300 mmol/L",
            "Glucose 1e+300 mmol/L",
        ),
    ],
)
def test_what_was_measured_is_said_in_one_line(
    values: tuple[Doubted, ...], zh: str, en: str
) -> None:
    assert measured(values, locale="zh-CN") == zh
    assert measured(values, locale="en") == en


def test_a_value_is_doubted_and_so_is_a_time() -> None:
    made = card(doubt(), mine=MINE, now=NOW, locale="zh-CN")
    assert (made.headline, made.name, made.through) == ("血压 310/190 mmHg 不像真的", "妈妈", 1)
    assert (made.reasons, made.is_time_doubted, made.said_at) == (
        ("implausible",),
        False,
        "今天 07:00",
    )
    sugar = value(Kind.GLUCOSE, 7.1, Unit.MMOL_PER_L, "future")
    ahead = card(
        doubt(values=(sugar,), taken_at=NOW + timedelta(days=400)),
        mine=MINE, now=NOW, locale="zh-CN",
    )  # fmt: skip
    assert ahead.headline == "血糖 7.1 mmol/L，时间不对"
    assert ahead.is_time_doubted
    both = value(Kind.GLUCOSE, 99, Unit.MMOL_PER_L, "future", "implausible")
    made = card(doubt(values=(both,)), mine=MINE, now=NOW, locale="zh-CN")
    assert made.headline.endswith("不像真的"), "the value is doubted as well"
    assert made.reasons == ("implausible", "future")


def test_what_is_nobody_s_yet_names_nobody() -> None:
    made = card(doubt(patient_id=None, candidates=(2, 1)), mine=MINE, now=NOW, locale="en")
    assert (made.name, made.through) == (None, 1)


def test_every_reason_of_quarantine_has_its_sentence() -> None:
    from api.words import WORDS

    assert {f"quarantine_why_{each}" for each in QUARANTINED} <= WORDS.keys()


@pytest.mark.parametrize(
    ("deed", "by", "loaded_at", "text", "is_on_its_way"),
    [
        ("release", "儿子", None, "妈妈 今天 07:00 的测量：是真的（儿子，5 分钟前）", True),
        ("release", "儿子", NOW, "妈妈 今天 07:00 的测量：是真的（儿子，5 分钟前）", False),
        ("discard", "", None, "妈妈 今天 07:00 的测量：不是真的（服务器管理员，5 分钟前）", False),
    ],
)
def test_a_decision_is_said_with_who_and_when(
    deed: str, by: str, loaded_at: datetime | None, text: str, is_on_its_way: bool
) -> None:
    decided = Decided(
        key=7, at=NOW - timedelta(minutes=5), by=by, deed=deed, patient_id=1, through=1,
        taken_at=NOW - timedelta(hours=5), received_at=NOW - timedelta(hours=4),
        loaded_at=loaded_at, codes=["implausible"],
    )  # fmt: skip
    (found,) = said([decided], mine=MINE, now=NOW, locale="zh-CN")
    assert (found.text, found.is_on_its_way) == (text, is_on_its_way)
    assert found.is_discarded == (deed == "discard")


def test_a_reading_of_the_future_is_named_by_its_receipt() -> None:
    decided = Decided(
        key=7, at=NOW, by="儿子", deed="release", patient_id=None, through=1,
        taken_at=NOW + timedelta(days=400), received_at=NOW - timedelta(hours=4),
        loaded_at=None, codes=["future"],
    )  # fmt: skip
    (found,) = said([decided], mine=MINE, now=NOW, locale="zh-CN")
    assert found.text == "还不知道是谁的 今天 08:00 的测量：是真的（儿子，刚刚）"
