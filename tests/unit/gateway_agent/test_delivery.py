"""What is sent next and what is sent again: every moment is an argument."""

import pytest

from gateway_agent.delivery import (
    FIRST_WAIT_S,
    LINGER_S,
    MOST_WAIT_S,
    WINDOW,
    Delivery,
    fits,
    patience_s,
)


def take_off(delivery: Delivery, batch: str, *ids: str, now_s: float, place: int = 1) -> None:
    delivery.took_off(batch, ids, last_place=place, now_s=now_s, chance=0.5)


# attempt, chance: 5 s doubled each time, a quarter more or less, 300 s at most
@pytest.mark.parametrize(
    ("attempt", "chance", "wait_s"),
    [
        (1, 0.5, 5.0),
        (2, 0.5, 10.0),
        (3, 0.0, 15.0),
        (3, 1.0, 25.0),
        (6, 0.5, 160.0),
        (7, 0.5, 300.0),
        (5_000, 0.5, 300.0),
        (5_000, 1.0, 375.0),
    ],
)
def test_the_wait_for_a_receipt_doubles_up_to_five_minutes(
    attempt: int, chance: float, wait_s: float
) -> None:
    assert patience_s(attempt=attempt, chance=chance) == pytest.approx(wait_s)


def test_a_single_reading_leaves_at_once() -> None:
    assert Delivery().may_take_off(full=False, now_s=0.0)


def test_an_envelope_with_room_waits_a_moment_behind_another_and_a_full_one_does_not() -> None:
    delivery = Delivery()
    take_off(delivery, "a", "1", now_s=100.0)
    assert not delivery.may_take_off(full=False, now_s=100.0 + LINGER_S - 0.01)
    assert delivery.next_due_s() == 100.0 + LINGER_S
    assert delivery.may_take_off(full=True, now_s=100.0)
    assert delivery.may_take_off(full=False, now_s=100.0 + LINGER_S)
    assert delivery.next_due_s() == 100.0 + FIRST_WAIT_S


def test_no_more_than_a_window_of_envelopes_flies() -> None:
    delivery = Delivery()
    for number in range(WINDOW):
        assert delivery.may_take_off(full=True, now_s=0.0)
        take_off(delivery, f"b{number}", f"{number}", now_s=0.0, place=number)
    assert not delivery.may_take_off(full=True, now_s=0.0)
    delivery.named(["3"])
    assert delivery.may_take_off(full=True, now_s=0.0)
    assert delivery.cursor == WINDOW - 1


def test_an_envelope_is_over_when_receipts_have_named_all_of_it() -> None:
    delivery = Delivery()
    take_off(delivery, "a", "1", "2", now_s=0.0)
    delivery.named(["2", "unknown"])
    assert delivery.flights["a"].waiting == {"1"}
    delivery.named(["1"])
    assert delivery.flights == {}
    assert delivery.next_due_s() is None


def test_what_no_receipt_names_is_overdue_on_the_second_and_not_before() -> None:
    delivery = Delivery()
    take_off(delivery, "a", "1", now_s=10.0)
    assert delivery.overdue(10.0 + FIRST_WAIT_S - 0.001) == []
    (late,) = delivery.overdue(10.0 + FIRST_WAIT_S)
    delivery.sent_again(late, now_s=20.0, chance=0.5)
    assert delivery.overdue(29.9) == []
    assert delivery.overdue(30.0) == [late]


def test_a_broker_that_forgot_us_gets_everything_again_at_once() -> None:
    delivery = Delivery()
    take_off(delivery, "a", "1", now_s=0.0)
    take_off(delivery, "b", "2", now_s=0.0)
    delivery.reconnected(session_kept=False, now_s=1.0, chance=0.5)
    assert len(delivery.overdue(1.0)) == 2


def test_what_the_link_repeats_by_itself_is_not_sent_beside_that() -> None:
    delivery = Delivery()
    take_off(delivery, "a", "1", now_s=0.0)
    take_off(delivery, "b", "2", now_s=0.0)
    delivery.reconnected(session_kept=False, repeated={"b"}, now_s=1.0, chance=0.5)
    assert [each.batch for each in delivery.overdue(1.0)] == ["a"]
    # its receipt still has a first wait
    assert [each.batch for each in delivery.overdue(1.0 + FIRST_WAIT_S)] == ["a", "b"]


def test_a_broker_that_kept_our_session_gets_its_first_patience_again() -> None:
    delivery = Delivery()
    take_off(delivery, "a", "1", now_s=0.0)
    for flight in delivery.overdue(FIRST_WAIT_S):
        delivery.sent_again(flight, now_s=FIRST_WAIT_S, chance=0.5)
    delivery.reconnected(session_kept=True, now_s=100.0, chance=0.5)
    assert delivery.next_due_s() == 100.0 + FIRST_WAIT_S


def test_the_longest_wait_is_never_beyond_what_was_said() -> None:
    assert max(patience_s(attempt=n, chance=1.0) for n in range(1, 100)) == MOST_WAIT_S * 1.25


# an envelope takes 50 measurements, or fewer large ones: 128 KiB less 1 KiB around them
@pytest.mark.parametrize(
    ("octets", "fitting"),
    [
        ([400] * 50, 50),
        ([400] * 3, 3),
        ([13_000] * 50, 10),
        ([130_048], 1),
        ([130_049], 1),
        ([130_048, 1], 1),
        ([65_024, 65_024, 1], 2),
        ([400] * 60, 50),
    ],
)
def test_an_envelope_is_never_larger_than_the_server_takes(octets: list[int], fitting: int) -> None:
    assert fits(octets) == fitting
