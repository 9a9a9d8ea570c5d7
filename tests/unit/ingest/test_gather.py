"""Messages are gathered into a load, and the wait for them ends when it is asked to."""

import threading
from queue import SimpleQueue

import pytest

from ingest.arrival import Message
from ingest.subscribe import Arrival, gather


def arrival(number: int) -> Arrival:
    return Arrival(Message(topic=f"kangban/v1/00/g{number}/up", payload=b"x"), number, 1)


def queue(*waiting: Arrival | None) -> "SimpleQueue[Arrival | None]":
    made: SimpleQueue[Arrival | None] = SimpleQueue()
    for each in waiting:
        made.put(each)
    return made


def test_what_waits_comes_in_its_order() -> None:
    sent = [arrival(number) for number in range(3)]
    assert gather(queue(*sent), wait_s=5) == sent


def test_nothing_comes_of_an_empty_queue() -> None:
    assert gather(queue(), wait_s=0.01) == []


@pytest.mark.parametrize("before", [0, 2])
def test_a_wait_without_end_is_ended(before: int) -> None:
    sent = [arrival(number) for number in range(before)]
    waiting, found = queue(*sent), []
    done = threading.Thread(target=lambda: found.append(gather(waiting, wait_s=3600)))
    done.start()
    waiting.put(None)
    done.join(10)
    assert not done.is_alive()
    assert found == [sent]
