"""Which commands a gateway obeys, and which answers are still to be sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway_agent.orders import (
    Answers,
    answer_key,
    refusal,
    remembered_until,
    useful_until,
)
from vitals.command import CLOCKS_DIFFER, LIFE, LONGEST_LIFE, Command, Do, Event, Failure, Step

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def command(*, at: datetime = NOW, life: timedelta = LIFE, gateway: str = "g1") -> Command:
    return Command(id="a" * 32, gateway=gateway, at=at, expires_at=at + life, do=Do.SCAN)


def event(number: int, *, at: datetime = NOW) -> Event:
    return Event(gateway="g1", at=at, command="a" * 32, number=number, step=Step.SCANNING)


# a command lives 2 min, and the clocks may differ by 2 min: it is obeyed from -2 to +4 min
@pytest.mark.parametrize(
    ("sent", "obeyed"),
    [
        (timedelta(0), True),
        (-(LIFE + CLOCKS_DIFFER), True),
        (-(LIFE + CLOCKS_DIFFER + SECOND), False),
        (CLOCKS_DIFFER, True),
        (CLOCKS_DIFFER + SECOND, False),
    ],
)
def test_a_command_is_obeyed_while_somebody_waits_by_either_clock(
    sent: timedelta, obeyed: bool
) -> None:
    why = refusal(command(at=NOW + sent), gateway="g1", now=NOW)
    assert (why is None) is obeyed
    assert why is None or why.failure is Failure.EXPIRED


def test_a_late_command_says_how_late_and_an_early_one_names_the_clocks() -> None:
    late = refusal(command(at=NOW - timedelta(hours=1)), gateway="g1", now=NOW)
    early = refusal(command(at=NOW + timedelta(days=1)), gateway="g1", now=NOW)
    assert late is not None
    assert early is not None
    assert "58 min too late" in late.said
    assert "differ by 1440 min" in early.said


def test_another_gateway_s_command_gets_not_even_an_answer() -> None:
    why = refusal(command(gateway="g2"), gateway="g1", now=NOW)
    assert why is not None
    assert why.failure is None


def test_an_id_is_remembered_for_as_long_as_its_command_can_be_obeyed() -> None:
    order = command(life=LONGEST_LIFE)
    until = remembered_until(order)
    assert refusal(order, gateway="g1", now=until) is None
    assert refusal(order, gateway="g1", now=until + SECOND) is not None


def test_an_answer_late_in_a_long_pairing_is_of_use_for_as_long_as_one_waits() -> None:
    order = command()
    assert useful_until(event(0), order) == order.expires_at
    late = event(9, at=NOW + timedelta(minutes=5))
    assert useful_until(late, order) == late.at + LIFE


def numbers(answers: Answers, now: datetime = NOW) -> list[int]:
    return [each.number for each in answers.due(now)]


def kept(count: int, *, most: int = 10) -> Answers:
    answers = Answers(most=most)
    for number in range(count):
        answers.add(event(number), useful_until=NOW + number * SECOND)
    return answers


def test_answers_leave_in_their_order_and_once() -> None:
    answers = kept(3)
    assert numbers(answers) == [0, 1, 2]
    for each in answers.due(NOW):
        answers.handed_over(each)
    assert numbers(answers) == []


def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    assert numbers(kept(4), NOW + 2 * SECOND) == [2, 3]


def test_answers_are_bounded_and_the_newest_stay() -> None:
    assert numbers(kept(7, most=3)) == [4, 5, 6]


def test_a_broker_that_forgot_gets_again_what_the_link_does_not_repeat() -> None:
    answers = kept(3)
    for each in answers.due(NOW):
        answers.handed_over(each)
    answers.add(replace(event(3)), useful_until=NOW)
    answers.broker_forgot({answer_key(event(2))})
    assert numbers(answers) == [0, 1, 3]
