"""The rules between a talk and its pump, seen from a driver's side."""

from contextlib import suppress

import pytest
from pump import START, Device, pump

from gateway_agent.drivers import DRIVERS
from gateway_agent.talk import Driver, Heard, LinkLost, Listen, Read, Subscribe, Talk, Visit
from vitals.errors import KangbanError, TryAgain

VISIT = Visit(device="ble:C0:00:00:00:00:01")
ALL = [pytest.param(driver, id=driver.kind) for driver in DRIVERS.values()]


@pytest.mark.parametrize("driver", ALL)
def test_every_talk_subscribes_before_it_asks_for_anything_else(driver: Driver) -> None:
    asks = pump(driver.talk(VISIT), Device()).asks
    subscribed = [isinstance(ask, Subscribe) for ask in asks]
    assert subscribed[0]
    assert subscribed == sorted(subscribed, reverse=True)


@pytest.mark.parametrize("driver", ALL)
@pytest.mark.parametrize("radio_asks", range(7))
def test_a_link_lost_at_any_ask_ends_the_talk_and_nothing_else(
    driver: Driver, radio_asks: int
) -> None:
    visited = pump(driver.talk(VISIT), Device(radio_asks=radio_asks))
    assert visited.error is None or isinstance(visited.error, LinkLost)
    assert visited.kept == []


@pytest.mark.parametrize("driver", ALL)
def test_a_talk_can_be_closed_at_any_ask(driver: Driver) -> None:
    for steps in range(12):
        talk = driver.talk(VISIT)
        with suppress(StopIteration, KangbanError):
            for _ in range(steps):
                next(talk)
        talk.close()
        with pytest.raises(StopIteration):
            next(talk)


@pytest.mark.parametrize("driver", ALL)
def test_every_wait_has_an_end(driver: Driver) -> None:
    for ask in pump(driver.talk(VISIT), Device()).asks:
        if isinstance(ask, Listen):
            assert 0 <= ask.wait_s <= 60


def test_a_lost_link_is_something_to_try_again() -> None:
    assert issubclass(LinkLost, TryAgain)


def test_what_had_arrived_is_heard_after_the_link_is_lost() -> None:
    heard: list[Heard] = []

    def talk() -> Talk:
        yield Subscribe(characteristic="2A35")
        with pytest.raises(LinkLost):
            yield Read(characteristic="2A2B")
        try:
            while True:
                answer = yield Listen(wait_s=5)
                assert answer is not None
                heard.append(answer)
        except LinkLost:
            return

    device = Device(sends=[("2A35", b"\x01"), ("2A35", b"\x02")], radio_asks=1)
    assert pump(talk(), device).error is None
    assert [each.data for each in heard] == [b"\x01", b"\x02"]
    assert heard[0].at > START
