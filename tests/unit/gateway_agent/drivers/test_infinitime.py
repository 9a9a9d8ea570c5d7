"""A visit to a PineTime: the steps of the day once for each count, one reading of the pulse."""

from datetime import UTC, date, datetime

import pytest
from payloads import EIGHT_FIFTEEN
from pump import START, Arrival, Device, Visited, pump

from gateway_agent.drivers import DRIVERS
from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.day_number import What, day_number
from gateway_agent.drivers.heart_rate import MEASUREMENT, HeartRate
from gateway_agent.drivers.infinitime import STEPS, StepCount, talk
from gateway_agent.recognise import Advert, recognise
from gateway_agent.talk import ClockSeen, Keep, LinkLost, SetClock, Subscribe, Visit
from vitals.errors import MendDevice
from vitals.kinds import Kind

DAY = date(2026, 11, 22)


def beat(rate: int) -> Arrival:
    return MEASUREMENT, HeartRate(rate_per_minute=rate).encode()


def visit(
    steps: int | None = 1234,
    *sends: Arrival,
    last: int | None = None,
    clock: bool = True,
    **more: object,
) -> Visited:
    reads = {} if steps is None else {STEPS: StepCount(steps=steps).encode()}
    if clock:
        reads[CURRENT_TIME] = CurrentTime(date_time=EIGHT_FIFTEEN).encode()
    known = Visit(device="ble:C0:00:00:00:00:05", last_sequence=last)
    return pump(talk(known), Device(reads=reads, sends=sends, **more))  # type: ignore[arg-type]


def values(visited: Visited) -> dict[Kind, float]:
    return {each.kind: each.value for reading in visited.kept for each in reading.values}


def test_a_visit_brings_the_steps_so_far_and_the_median_pulse() -> None:
    visited = visit(1234, *(beat(rate) for rate in (70, 72, 74)))
    assert values(visited) == {Kind.STEPS: 1234.0, Kind.HEART_RATE: 72.0}
    steps = visited.kept[0]
    assert steps.sequence == day_number(DAY, What.STEPS, 1234)
    # when they were read, by the watch's own clock
    assert steps.device_time == EIGHT_FIFTEEN.moment()
    assert steps.raw.hex() == "d2040000"
    assert isinstance(visited.asks[0], Subscribe)


def test_the_clock_is_seen_before_anything_is_kept_and_set_when_all_is() -> None:
    visited = visit(1234, beat(70))
    order = [type(ask) for ask in visited.asks]
    assert order.index(ClockSeen) < order.index(Keep)
    assert order[-1] is SetClock
    (ask,) = visited.of(SetClock)
    assert isinstance(ask, SetClock)
    moment = datetime(2026, 11, 22, 12, 30, tzinfo=UTC).replace(tzinfo=None)
    # Sunday
    assert ask.encode(moment).hex() == "ea070b160c1e00070000"


@pytest.mark.parametrize(
    ("steps", "kept"), [(1233, False), (1234, False), (1235, True), (0, False)]
)
def test_steps_are_kept_when_they_grew(steps: int, kept: bool) -> None:
    visited = visit(steps, last=day_number(DAY, What.STEPS, 1234))
    assert (Kind.STEPS in values(visited)) is kept
    assert visited.error is None


def test_a_new_day_begins_at_nothing() -> None:
    yesterday = day_number(date(2026, 11, 21), What.STEPS, 9000)
    assert values(visit(0, last=yesterday)) == {Kind.STEPS: 0.0}


def test_a_pulse_never_hides_the_steps_of_the_day() -> None:
    (steps, pulse) = visit(10, beat(70)).kept
    assert pulse.sequence < steps.sequence


def test_steps_of_a_watch_without_a_clock_are_of_the_moment_of_receipt() -> None:
    (reading,) = visit(10, clock=False).kept
    assert reading.device_time is None
    assert abs(reading.sequence - START.timestamp() * 1000) < 1000


def test_a_watch_that_measures_no_pulse_still_counts_steps() -> None:
    visited = visit(10)
    assert (values(visited), visited.error) == ({Kind.STEPS: 10.0}, None)


def test_a_watch_of_old_firmware_is_a_band() -> None:
    assert values(visit(None, beat(70))) == {Kind.HEART_RATE: 70.0}
    nothing = visit(None)
    assert isinstance(nothing.error, MendDevice)
    assert "update its firmware" in str(nothing.error)


@pytest.mark.parametrize("radio_asks", range(12))
def test_a_watch_that_walks_away_leaves_what_it_had_said(radio_asks: int) -> None:
    visited = visit(10, beat(70), radio_asks=radio_asks)
    if radio_asks == 0:
        assert isinstance(visited.error, LinkLost)
        return
    assert Kind.HEART_RATE in values(visited)
    assert visited.error is None


def test_a_count_that_is_none_is_refused_and_the_pulse_kept() -> None:
    known = Visit(device="ble:C0:00:00:00:00:05")
    visited = pump(talk(known), Device(reads={STEPS: b"\x01\x02"}, sends=[beat(70)]))
    assert values(visited) == {Kind.HEART_RATE: 70.0}
    assert len(visited.refused) == 1


@pytest.mark.parametrize(
    ("name", "services", "kind"),
    [
        ("InfiniTime", {"180D"}, "smart_watch"),
        ("InfiniTime-1A2B", {"180D", "00001530-1212-EFDE-1523-785FEABCD123"}, "smart_watch"),
        ("Polar H10", {"180D"}, "wristband"),
        ("R02_1A2B", set(), "ring"),
        ("COLMI R10_99", set(), "ring"),
        ("", {"6E40FFF0-B5A3-F393-E0A9-E50E24DCCA9E"}, "ring"),
        ("", {"181F"}, "cgm"),
    ],
)
def test_watch_ring_and_sensor_are_recognised(name: str, services: set[str], kind: str) -> None:
    found = recognise(Advert(name=name, services=frozenset(services)), DRIVERS)
    assert found.driver is DRIVERS[kind]
