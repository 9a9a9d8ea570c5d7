"""What has arrived is taken before anything else is asked, and a lost link loses no word of it."""

import pytest
from pump import Device, pump

from gateway_agent.drivers.arrivals import hear_out, keep_meanwhile
from gateway_agent.drivers.device_information import MANUFACTURER, MODEL, about
from gateway_agent.talk import About, Heard, Keep, LinkLost, Read, Talk
from vitals.errors import TryAgain
from vitals.measurement import Reading

SENDS = [("2A1C", bytes((number,))) for number in range(3)]
READS = {MANUFACTURER: b"Maker", MODEL: b"M1"}


def take(heard: Heard) -> Talk:
    yield Keep(reading=Reading(sequence=heard.data[0], device_time=None, values=(), raw=b""))


def test_what_has_arrived_is_kept_before_the_first_question() -> None:
    visited = pump(keep_meanwhile(about(), take), Device(reads=READS, sends=SENDS))
    kinds = [type(ask) for ask in visited.asks]
    assert [each.sequence for each in visited.kept] == [0, 1, 2]
    assert max(n for n, kind in enumerate(kinds) if kind is Keep) < kinds.index(Read)
    assert visited.asks[-1] == About(manufacturer="Maker", model="M1")


def test_a_device_that_hangs_up_in_between_is_reported_with_what_it_said() -> None:
    # each of its questions is preceded by a look at what has arrived: the maker, then the model
    visited = pump(keep_meanwhile(about(), take), Device(reads=READS, sends=SENDS, radio_asks=3))
    assert [each.sequence for each in visited.kept] == [0, 1, 2]
    assert visited.asks[-1] == About(manufacturer="Maker")
    assert isinstance(visited.error, LinkLost)


def test_a_full_disk_is_not_taken_for_a_lost_link() -> None:
    def keep(reading: Reading) -> None:
        raise TryAgain("the disk is full")

    visited = pump(keep_meanwhile(about(), take), Device(reads=READS, sends=SENDS), keep=keep)
    assert str(visited.error) == "the disk is full"


@pytest.mark.parametrize("count", range(4))
def test_it_is_counted_what_came_before_the_silence(count: int) -> None:
    counted: list[int] = []

    def listening() -> Talk:
        counted.append((yield from hear_out(take, wait_s=5)))

    assert len(pump(listening(), Device(sends=SENDS[:count])).kept) == count
    assert counted == [count]
