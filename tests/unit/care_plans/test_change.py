"""What an accepted proposal makes of a plan, and how it is put back."""

from datetime import date, time, timedelta

import pytest
from care_plan_builders import NOW, TODAY, block_task, plan, protocol, schedule, task
from hypothesis import given
from hypothesis import strategies as st

from care_plans.change import accepted, adjusted, undone
from care_plans.document import adjustment_document, adjustment_of, task_document, task_of
from care_plans.plan import (
    Addition,
    Adjustment,
    Plan,
    Proposal,
    ProposalKind,
    Session,
    Task,
    Words,
)
from care_plans.schedule import dues, zone_of
from vitals.errors import MendData

SHANGHAI = zone_of("Asia/Shanghai")
TOMORROW = TODAY + timedelta(days=1)
BLOCK = Adjustment(adds=(Addition(session=Session.BP, schedule=protocol().schedule, days=14),))


def proposal(adjustment: Adjustment = BLOCK) -> Proposal:
    return Proposal(
        kind=ProposalKind.BP_BLOCK,
        episode="e",
        reason=Words(zh="均值142/86。", en="Mean 142/86."),
        numbers={},
        adjustment=adjustment,
        proposed_at=NOW,
    )


def asked(of: Plan, day: date) -> list[str]:
    return [each.local.strftime("%H:%M") for each in dues(of.tasks, day=day, zone=SHANGHAI)]


def test_an_accepted_block_asks_from_tomorrow_on_for_two_weeks_then_the_plan_is_as_before() -> None:
    after = adjusted(plan(), BLOCK, from_day=TOMORROW, proposal_id=9)
    tuesday, sunday = date(2026, 11, 24), date(2026, 12, 6)
    assert asked(plan(), tuesday) == []
    assert asked(after, tuesday) == ["07:00", "20:00"]
    assert asked(after, sunday) == ["07:00", "20:00"]
    # the day after the last, a Monday and then a Tuesday: only the ordinary weekdays
    assert asked(after, sunday + timedelta(days=1)) == ["07:00", "20:00"]
    assert asked(after, sunday + timedelta(days=2)) == []


def test_a_block_that_is_ended_leaves_today_as_it_is() -> None:
    before = plan(task(), block_task())
    after = adjusted(before, Adjustment(ends=(2,)), from_day=TOMORROW, proposal_id=9)
    assert asked(after, TODAY) == ["07:00", "20:00"]  # a Sunday, by the block
    assert asked(after, date(2026, 11, 24)) == []  # a Tuesday


def test_a_block_that_is_ended_before_it_begins_is_gone() -> None:
    before = plan(task(), block_task(days_ago=-1))
    after = adjusted(before, Adjustment(ends=(2,)), from_day=TOMORROW, proposal_id=9)
    assert after == plan(task())


def test_a_change_is_explained_with_the_reason_and_what_is_asked_for_now() -> None:
    change = accepted(plan(), proposal(), proposal_id=9, today=TODAY, now=NOW)
    assert change.explained.zh == (
        "均值142/86。从11月23日起：量血压，每天 07:00、20:00，每次测2遍。"
    )
    assert change.explained.en == (
        "Mean 142/86. From 23 Nov: Blood pressure, every day at 07:00 and 20:00, 2 readings each."
    )


def test_a_proposal_about_a_task_that_is_gone_is_refused() -> None:
    with pytest.raises(MendData, match="has changed"):
        accepted(plan(), proposal(Adjustment(ends=(77,))), proposal_id=9, today=TODAY, now=NOW)


_DAYS = st.dates(min_value=date(2026, 1, 1), max_value=date(2027, 12, 31))
_SCHEDULES = st.builds(
    schedule,
    times=st.sets(st.times().map(lambda each: time(each.hour, each.minute)), min_size=1, max_size=4)
    .map(sorted)
    .map(tuple),
    weekdays=st.sets(st.integers(1, 7), min_size=1).map(sorted).map(tuple),
    readings=st.integers(1, 3),
)


@st.composite
def _tasks(draw: st.DrawFn, number: int) -> Task:
    starts_on = draw(_DAYS)
    length = draw(st.none() | st.integers(0, 60))
    return Task(
        id=number,
        session=draw(st.sampled_from(Session)),
        schedule=draw(_SCHEDULES),
        starts_on=starts_on,
        ends_on=None if length is None else starts_on + timedelta(days=length),
        is_block=draw(st.booleans()),
    )


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    return plan(*[draw(_tasks(number)) for number in range(1, draw(st.integers(1, 5)) + 1)])


@st.composite
def _plans_and_adjustments(draw: st.DrawFn) -> tuple[Plan, Adjustment]:
    of = draw(_plans())
    ends = draw(st.sets(st.sampled_from([each.id or 0 for each in of.tasks])))
    adds = draw(
        st.lists(
            st.builds(
                Addition,
                session=st.sampled_from(Session),
                schedule=_SCHEDULES,
                days=st.integers(1, 28),
                is_block=st.booleans(),
            ),
            max_size=2,
        )
    )
    return of, Adjustment(ends=tuple(sorted(ends)), adds=tuple(adds))


@given(_plans_and_adjustments(), _DAYS)
def test_to_accept_and_then_undo_is_to_do_nothing(
    given_: tuple[Plan, Adjustment], today: date
) -> None:
    of, adjustment = given_
    change = accepted(of, proposal(adjustment), proposal_id=9, today=today, now=NOW)
    after = adjusted(of, adjustment, from_day=today + timedelta(days=1), proposal_id=9)
    assert after.tasks == change.after
    assert undone(after, change) == of


@given(_plans_and_adjustments(), _DAYS)
def test_no_change_touches_a_day_that_has_begun(
    given_: tuple[Plan, Adjustment], today: date
) -> None:
    of, adjustment = given_
    after = adjusted(of, adjustment, from_day=today + timedelta(days=1), proposal_id=None)
    for days_ago in range(3):
        day = today - timedelta(days=days_ago)
        assert asked(after, day) == asked(of, day)


@given(_plans_and_adjustments())
def test_tasks_and_adjustments_survive_their_json(given_: tuple[Plan, Adjustment]) -> None:
    of, adjustment = given_
    assert tuple(task_of(task_document(each)) for each in of.tasks) == of.tasks
    assert adjustment_of(adjustment_document(adjustment)) == adjustment


@pytest.mark.parametrize(
    "broken",
    [
        {"times": ()},
        {"times": (time(20), time(7))},
        {"times": (time(7), time(7))},
        {"weekdays": ()},
        {"weekdays": (0,)},
        {"weekdays": (8,)},
        {"readings": 0},
        {"readings": 4},
    ],
)
def test_a_schedule_that_cannot_be_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(MendData):
        schedule(**broken)


@pytest.mark.parametrize(("days", "may"), [(6, False), (7, True), (28, True), (29, False)])
def test_the_doctor_may_let_a_block_last_one_to_four_weeks(days: int, may: bool) -> None:
    if may:
        assert plan(block_days_at_most=days).bounds.block_days_at_most == days
    else:
        with pytest.raises(MendData):
            plan(block_days_at_most=days)
