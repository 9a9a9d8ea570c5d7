"""Whose a reading probably is: named with a clear lead and a reason, or nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.likely import LEAD, LEAST, SPREADS, Guess, Habit, Reason, Usual, guess, habit
from store.inbox import UsualDay
from store.measurements import Stored
from vitals.kinds import Kind
from vitals.measurement import Clock
from vitals.units import Unit

ZONE = ZoneInfo("Asia/Shanghai")
MOTHER, FATHER = 1, 2
# seven in the morning in Shanghai
SEVEN = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


def value(kind: Kind, number: float, unit: Unit = Unit.MMHG) -> Stored:
    return Stored(
        kind=kind, value=number, unit=unit, taken_at=SEVEN, device="ble:cuff", sequence=1,
        clock=Clock.MEASURED, device_time=None, clock_offset_s=0, user=None, meal=None, flags=(),
        received_at=SEVEN,
    )  # fmt: skip


def cuff(systolic: float, diastolic: float | None = None) -> dict[Kind, Stored]:
    low = round(systolic * 0.62) if diastolic is None else diastolic
    return {
        Kind.SYSTOLIC: value(Kind.SYSTOLIC, systolic),
        Kind.DIASTOLIC: value(Kind.DIASTOLIC, low),
    }


def person(patient_id: int, systolic: float, *, hour: float = 7.0, n: int = 60) -> Habit:
    return Habit(
        patient_id=patient_id,
        zone=ZONE,
        values={
            Kind.SYSTOLIC: Usual(mean=systolic, sd=7, n=n),
            Kind.DIASTOLIC: Usual(mean=systolic * 0.62, sd=5, n=n),
        },
        hours=tuple(hour + place / 10 for place in range(-3, 4)),
    )


# mother: 128 at seven; father: 146 at eight in the evening
PAIR = [person(MOTHER, 128), person(FATHER, 146, hour=20)]
# the same values, the same hour
TWINS = [person(MOTHER, 128), person(FATHER, 128)]
NEW = Habit(patient_id=FATHER, zone=ZONE)
EVENING = SEVEN + timedelta(hours=13)


@pytest.mark.parametrize(
    ("caption", "values", "at", "habits", "uses", "named"),
    [
        ("her value at her hour", cuff(129), SEVEN, PAIR, {}, MOTHER),
        ("his value at his hour", cuff(147), EVENING, PAIR, {}, FATHER),
        ("her value at his hour", cuff(132), EVENING, PAIR, {}, None),
        ("his value, the clock in doubt", cuff(148), None, PAIR, {}, FATHER),
        ("between both, the clock in doubt", cuff(137), None, PAIR, {}, None),
        ("both are alike", cuff(128), SEVEN, TWINS, {}, None),
        ("both are alike, he used it the last times", cuff(128), SEVEN, TWINS, {2: 9}, FATHER),
        ("both used it", cuff(128), SEVEN, TWINS, {1: 6, 2: 5}, None),
        ("her value, and somebody new", cuff(128), SEVEN, [PAIR[0], NEW], {}, MOTHER),
        ("nobody is known", cuff(128), SEVEN, [NEW], {}, FATHER),
        ("nobody lives there", cuff(128), SEVEN, [], {}, None),
        ("a crisis fits nobody", cuff(220, 130), SEVEN, PAIR, {}, None),
        ("a crisis fits nobody, not even her alone", cuff(220, 130), SEVEN, PAIR[:1], {}, None),
        ("nothing that tells people apart", {}, None, TWINS, {}, None),
    ],
)
def test_somebody_is_named_only_with_a_clear_lead(
    caption: str,
    values: dict[Kind, Stored],
    at: datetime | None,
    habits: list[Habit],
    uses: dict[int, int],
    named: int | None,
) -> None:
    assert guess(values, at=at, habits=habits, uses=uses).named == named, caption


def test_a_scale_tells_two_people_apart_by_a_few_kilograms() -> None:
    habits = [
        Habit(patient_id=who, zone=ZONE, values={Kind.WEIGHT: Usual(mean=kg, sd=0.5, n=40)})
        for who, kg in ((MOTHER, 58.2), (FATHER, 63.0))
    ]
    weight = {Kind.WEIGHT: value(Kind.WEIGHT, 63.4, Unit.KG)}
    found = guess(weight, at=None, habits=habits, uses={})
    assert (found.named, found.reason) == (FATHER, Reason(kind=Kind.WEIGHT, mean=63.0))
    # 128.3 lb = 58.2 kg
    pounds = {Kind.WEIGHT: value(Kind.WEIGHT, 128.3, Unit.LB)}
    assert guess(pounds, at=None, habits=habits, uses={}).named == MOTHER


def test_the_reason_says_the_hour_the_value_and_the_uses() -> None:
    found = guess(cuff(129), at=SEVEN, habits=PAIR, uses={MOTHER: 4, FATHER: 1})
    assert found.reason == Reason(hour=7, kind=Kind.SYSTOLIC, mean=128, uses=4)
    # no hour where the clock is in doubt; no uses where they are few
    plain = guess(cuff(126), at=None, habits=PAIR, uses={MOTHER: 2})
    assert plain.reason == Reason(kind=Kind.SYSTOLIC, mean=128)


def test_an_hour_before_midnight_is_near_one_after() -> None:
    late = [person(MOTHER, 128, hour=23.8), person(FATHER, 128, hour=12)]
    # ten past midnight in Shanghai
    found = guess(cuff(128), at=SEVEN - timedelta(hours=6, minutes=50), habits=late, uses={})
    assert (found.named, found.reason.hour) == (MOTHER, 0)


def test_somebody_s_own_values_count_from_a_few_readings_on() -> None:
    few = [person(MOTHER, 100, n=LEAST - 1), person(FATHER, 170, n=LEAST - 1)]
    enough = [person(MOTHER, 100, n=LEAST), person(FATHER, 170, n=LEAST)]
    assert guess(cuff(101), at=None, habits=few, uses={}).named is None
    assert guess(cuff(101), at=None, habits=enough, uses={}).named == MOTHER


def day(number: int, **changes: Any) -> UsualDay:
    at = SEVEN - timedelta(days=number)
    fields: dict[str, Any] = {
        "patient_id": MOTHER, "kind": Kind.SYSTOLIC, "unit": Unit.MMHG, "n": 2, "sum": 250.0,
        "min": 122.0, "max": 128.0, "first_at": at, "last_at": at + timedelta(hours=13),
    }  # fmt: skip
    return UsualDay(**{**fields, **changes})


def test_a_habit_is_mean_spread_and_hours_of_the_days() -> None:
    found = habit(MOTHER, [day(1), day(2), day(3, patient_id=FATHER)], zone=ZONE)
    # mean 500 / 4; each day 122 and 128 lie 3 from 125
    assert found.values == {Kind.SYSTOLIC: Usual(mean=125, sd=3, n=4)}
    assert found.hours == (7, 20, 7, 20)


def test_days_in_two_units_are_one_habit() -> None:
    # 16.0 kPa = 120.0 mmHg
    kpa = day(1, unit=Unit.KPA, n=1, sum=16.0, min=16.0, max=16.0)
    found = habit(MOTHER, [kpa, day(2, n=1, sum=120.0, min=120.0, max=120.0)], zone=ZONE)
    assert found.values[Kind.SYSTOLIC].mean == pytest.approx(120.0, abs=0.05)
    assert found.values[Kind.SYSTOLIC].sd == pytest.approx(0.0, abs=0.05)


def test_every_spread_is_of_a_unit_of_its_kind() -> None:
    from vitals.kinds import VITALS

    for kind, spread in SPREADS.items():
        assert VITALS[kind].scale(spread.unit)


HABITS = st.lists(
    st.builds(
        person,
        st.integers(1, 50),
        st.floats(80, 200),
        hour=st.floats(0, 23.5),
        n=st.integers(0, 200).filter(bool),
    ),
    max_size=6,
    unique_by=lambda each: each.patient_id,
)
USES = st.dictionaries(st.integers(1, 50), st.integers(0, 500), max_size=6)


@given(HABITS, USES, st.floats(50, 260), st.booleans(), st.randoms())
def test_chances_sum_to_one_and_do_not_depend_on_the_order_of_people(
    habits: list[Habit], uses: dict[int, int], systolic: float, timed: bool, chance: Any
) -> None:
    at = SEVEN if timed else None
    found = guess(cuff(systolic), at=at, habits=habits, uses=uses)
    assert sum(each.probability for each in found.chances) == pytest.approx(1, abs=1e-9)
    assert {each.patient_id for each in found.chances} == {
        None,
        *(each.patient_id for each in habits),
    }
    assert _is_named_rightly(found)
    mixed = list(habits)
    chance.shuffle(mixed)
    assert guess(cuff(systolic), at=at, habits=mixed, uses=uses) == found


def _is_named_rightly(found: Guess) -> bool:
    first, *others = found.chances
    lead = first.probability - (others[0].probability if others else 0)
    return (
        (found.named == first.patient_id)
        if found.named
        else (first.patient_id is None or lead < LEAD)
    )
