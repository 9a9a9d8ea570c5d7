"""The clock of CareSens meters: the bytes that another program's test expects."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from datetime import datetime

from pump import Device, pump

from gateway_agent.drivers.caresens_clock import CARESENS_CLOCK, encode
from gateway_agent.drivers.current_time import set_clock_after_records
from gateway_agent.quirk import quirk_of
from gateway_agent.talk import SetClock


def test_the_clock_is_set_by_eleven_octets() -> None:
    # NightscoutFoundation/xDrip@c2a0ba1, caresens/TimeTxTest
    assert encode(datetime(2018, 11, 29, 22, 45, 59)).hex() == "c0030100e2070b1d162d3b"


def test_a_caresens_meter_is_offered_its_own_clock() -> None:
    row = quirk_of(name="CareSens 0155", services=frozenset({"1808"}))
    visited = pump(set_clock_after_records(row), Device())
    (asked,) = visited.of(SetClock)
    assert isinstance(asked, SetClock)
    assert (asked.characteristic, asked.encode) == (CARESENS_CLOCK, encode)
