"""How much of what was planned was measured."""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest
from care_plan_builders import TODAY, schedule, task
from hypothesis import given
from hypothesis import strategies as st

from care_plans.adherence import Slot, State, Taken, adherence, matched
from care_plans.plan import Session
from care_plans.schedule import Due, dues, zone_of
from rules.metrics.adherence import measuring

SHANGHAI = zone_of("Asia/Shanghai")
DAILY = task(schedule=schedule(weekdays=(1, 2, 3, 4, 5, 6, 7)))
# today in Shanghai: 07:00 and 20:00
MORNING = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def today() -> tuple[Due, ...]:
    return dues([DAILY], day=TODAY, zone=SHANGHAI)


def bp(*minutes: float, at: datetime = MORNING) -> list[Taken]:
    return [Taken(session=Session.BP, at=at + timedelta(minutes=each)) for each in minutes]


@pytest.mark.parametrize(
    ("minutes", "belongs"), [(-121, False), (-120, True), (0, True), (120, True), (121, False)]
)
def test_a_reading_counts_within_two_hours_of_its_session(minutes: int, belongs: bool) -> None:
    (slot, _) = matched(today(), bp(minutes))
    assert bool(slot.taken_at) is belongs


def test_many_readings_in_the_morning_do_not_stand_for_the_evening() -> None:
    slots = matched(today(), bp(0, 1, 2, 3, 4, 5))
    found = adherence(slots, now=MIDNIGHT)
    assert (found.planned, found.done, found.percent) == (2, 1, 50.0)
    assert found.by_time == (("07:00", 1, 1), ("20:00", 1, 0))


def test_one_of_two_readings_is_a_half() -> None:
    slots = matched(today(), bp(0) + bp(0, 1, at=EVENING))
    found = adherence(slots, now=MIDNIGHT)
    assert (found.planned, found.done, found.percent) == (2, 1, 75.0)


def test_nothing_planned_is_not_nothing_done() -> None:
    assert adherence([], now=MIDNIGHT).percent is None


def test_silence_is_none_of_all() -> None:
    found = adherence(matched(today(), []), now=MIDNIGHT)
    assert (found.planned, found.done, found.percent) == (2, 0, 0.0)


def test_a_session_that_may_still_be_done_is_not_held_against_anybody() -> None:
    slots = matched(today(), bp(0, 1))
    assert adherence(slots, now=EVENING + timedelta(minutes=119)).planned == 1
    assert adherence(slots, now=EVENING + timedelta(minutes=120)).planned == 2


def test_glucose_does_not_stand_for_pressure() -> None:
    (slot, _) = matched(today(), [Taken(session=Session.GLUCOSE, at=MORNING)])
    assert slot.taken_at == ()


def test_a_reading_between_two_sessions_goes_to_the_nearer_and_if_even_to_the_earlier() -> None:
    close = task(schedule=schedule(times=(time(7), time(9)), weekdays=(7,)))
    both = dues([close], day=TODAY, zone=SHANGHAI)

    def counts(minutes: int) -> list[int]:
        return [len(each.taken_at) for each in matched(both, bp(minutes))]

    assert [counts(each) for each in (59, 60, 61)] == [[1, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("readings", "minutes", "state"),
    [
        (0, -1, State.LATER),
        (0, 0, State.DUE),
        (0, 119, State.DUE),
        (0, 120, State.MISSED),
        (1, 119, State.PART),
        (1, 500, State.PART),
        (2, -30, State.DONE),
        (3, 120, State.DONE),
    ],
)
def test_a_session_says_where_it_stands(readings: int, minutes: int, state: State) -> None:
    slot = Slot(due=today()[0], taken_at=(MORNING,) * readings)
    assert slot.state(MORNING + timedelta(minutes=minutes)) is state


@given(st.lists(st.integers(min_value=-300, max_value=1500), max_size=40))
def test_no_reading_counts_twice_and_nothing_exceeds_the_plan(minutes: list[int]) -> None:
    taken = bp(*minutes)
    slots = matched(today(), taken)
    assert sum(len(each.taken_at) for each in slots) <= len(taken)
    found = adherence(slots, now=MIDNIGHT + timedelta(days=1))
    assert found.percent is not None
    assert 0 <= found.percent <= 100
    assert found.done <= found.planned == 2


@given(st.lists(st.integers(-100, 900), max_size=12))
def test_measuring_is_counted_as_the_report_s_metric_counts_it(minutes: list[int]) -> None:
    slots = matched(today(), bp(*minutes))
    found = measuring(
        np.asarray([each.due.task.schedule.readings for each in slots]),
        np.asarray([len(each.taken_at) for each in slots]),
    )
    assert found.percent == adherence(slots, now=MIDNIGHT).percent
