"""Sensors, watches and rings on the air, read by a real gateway: bleak over bumble, spool."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gateway_agent.drivers import cgm, heart_rate
from gateway_agent.drivers.cgm_measurement import CgmRecord
from simulator.cgm import Sensor
from simulator.glucose_meter import GlucoseMeter
from simulator.household import Household
from simulator.infinitime import InfiniTime
from simulator.panel import HouseholdPlan
from simulator.peripheral import Faults, Identity, Peripheral
from simulator.record import GlucoseRecord, NightRecord, PulseRecord, SensorRecord, StepsRecord
from simulator.ring import Ring
from vitals.broker import broker

# 08:00 in Beijing
BEGINS = datetime(2026, 11, 22, tzinfo=UTC)
D = TypeVar("D", bound=Peripheral)
LIGHT, DEEP, REM, AWAKE = 2, 3, 4, 5


def at(hours: float) -> datetime:
    return BEGINS + timedelta(hours=hours)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated devices answer at once: nobody waits as long for them as in a home."""
    monkeypatch.setattr(cgm, "LIVE_WAIT_S", 0.05)
    monkeypatch.setattr(heart_rate, "SILENCE_S", 0.3)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Household]:
    """A household without devices, its gateway running."""
    household = Household(
        HouseholdPlan(gateway="g1", people=()),
        begins=BEGINS,
        ends=at(24 * 365),
        mqtt=broker("mqtt://127.0.0.1:1"),
        data=tmp_path,
    )
    await household.start()
    try:
        yield household
    finally:
        await household.stop()


async def put(household: Household, device: D) -> D:
    household.devices[device.key] = device
    await device.switch_on()
    return device


def identity(name: str, last: int) -> Identity:
    return Identity(address=f"F0:00:00:00:00:0{last}", name=name, model=name)


def spooled(household: Household, kind: str | None = None) -> list[dict[str, Any]]:
    assert household.gateway is not None
    found, place = [], 0
    while waiting := household.gateway.spool.oldest(1_000, after=place):
        found += [each.document for each in waiting]
        place = waiting[-1].place
    return [each for each in found if kind is None or each["kind"] == kind]


def failure(household: Household, device: Peripheral) -> str | None:
    assert household.gateway is not None
    return household.gateway.agent.device(device.key).failure


async def sensor(household: Household, **more: Any) -> Sensor:
    return await put(household, Sensor(household.home, identity("CGM", 4), **more))


def measure(device: Sensor, *minutes: int) -> None:
    for each in minutes:
        device.take(SensorRecord(at=at(each / 60), value=Decimal(100 + each % 60)))


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("records_each", [1, 3])
async def test_a_sensor_is_read_whole_first_and_then_only_what_is_new(
    home: Household, sealed: bool, records_each: int
) -> None:
    device = await sensor(home, sealed=sealed, records_each=records_each)
    measure(device, *range(5, 605, 5))
    await home.advance(at(10))
    first = spooled(home)
    assert [each["taken_at"] for each in first] == [
        (at(minute / 60)).isoformat().replace("+00:00", "Z") for minute in range(5, 605, 5)
    ]
    assert {(each["kind"], each["unit"], each["clock"]) for each in first} == {
        ("glucose", "mg/dL", "measured")
    }
    measure(device, *range(605, 665, 5))
    await home.advance(at(11))
    assert len(spooled(home)) == device.handed_over == 132
    assert failure(home, device) is None


async def test_a_sensor_whose_link_is_lost_in_the_middle_loses_and_doubles_nothing(
    home: Household,
) -> None:
    device = await sensor(home, faults=Faults(drop_after=[0, 1, 17]))
    measure(device, *range(5, 305, 5))
    await home.advance(at(5))
    sequences = [each["sequence"] & 0xFFFF for each in spooled(home)]
    assert sequences == list(range(5, 305, 5))


async def test_a_session_that_is_started_anew_is_read_whole(home: Household) -> None:
    device = await sensor(home)
    measure(device, *range(5, 305, 5))
    await home.advance(at(5))
    device.start_session()
    measure(device, *range(305, 365, 5))
    await home.advance(at(6.1))
    found = spooled(home)
    assert len(found) == 72
    assert [each["sequence"] & 0xFFFF for each in found[60:]] == list(range(5, 65, 5))
    assert found[60]["taken_at"] == "2026-11-22T05:05:00Z"
    assert len({each["id"] for each in found}) == 72


async def test_a_sensor_that_was_never_told_the_time_is_placed_by_its_minutes(
    home: Household,
) -> None:
    device = await sensor(home, told=False)
    measure(device, 5, 10, 15)
    await home.advance(at(0.5))
    measure(device, 35)
    await home.advance(at(1))
    found = spooled(home)
    assert [each["taken_at"] for each in found] == [
        f"2026-11-22T00:{minute:02}:00Z" for minute in (5, 10, 15, 35)
    ]
    assert {each["clock"] for each in found} == {"measured"}


async def test_a_value_that_the_sensor_doubts_is_kept_and_never_sent(home: Household) -> None:
    device = await sensor(home)
    measure(device, 5)
    device._stored[10] = CgmRecord(
        concentration=Decimal(40), time_offset_min=10, status=0x08
    ).sealed()
    await home.advance(at(1))
    assert len(spooled(home)) == 1
    assert home.gateway is not None
    assert home.gateway.spool.withheld() == 1


@pytest.mark.parametrize("old", [False, True])
async def test_a_meter_that_is_stuck_in_an_earlier_request_is_freed(
    home: Household, old: bool
) -> None:
    meter = await put(home, GlucoseMeter(home.home, identity("Meter", 1), old=old))
    for hour in range(5):
        meter.take(GlucoseRecord(at=at(hour), value=Decimal("5.6")))
    # a link that broke in a way that the meter did not notice
    meter._under_way = b"\x01\x01"
    await home.advance(at(5))
    assert [each["sequence"] for each in spooled(home)] == [1, 2, 3, 4, 5]
    assert failure(home, meter) is None


async def test_a_watch_brings_the_steps_of_the_day_when_they_grew(home: Household) -> None:
    watch = await put(home, InfiniTime(home.home, identity("InfiniTime", 5), rates=(70, 72, 74)))
    watch.walk(1000)
    await home.advance(at(1))
    watch.walk(0)
    await home.advance(at(2))
    watch.walk(234)
    await home.advance(at(3))
    # past midnight in Beijing
    await home.advance(at(17))
    watch.walk(5)
    await home.advance(at(18))
    assert [(each["value"], each["taken_at"][11:16]) for each in spooled(home, "steps")] == [
        (1000.0, "01:00"),
        (1234.0, "03:00"),
        (5.0, "18:00"),
    ]
    assert {each["value"] for each in spooled(home, "heart_rate")} == {72.0}
    assert failure(home, watch) is None
    assert home.gateway is not None
    assert home.gateway.agent.device(watch.key).kind == "smart_watch"


async def test_a_ring_brings_its_week_and_what_comes_after(home: Household) -> None:
    ring = await put(home, Ring(home.home, identity("R02_1A2B", 6)))
    # yesterday evening and this morning in Beijing
    for hours in (-14, -13.5, -0.5):
        ring.take(PulseRecord(at=at(hours), rate_per_minute=60))
        ring.take(StepsRecord(at=at(hours), steps=500))
    ring.take(
        NightRecord(
            began=at(-9),
            at=at(-1.5),
            stages=((LIGHT, 200), (DEEP, 100), (AWAKE, 30), (REM, 120)),
        )
    )
    await home.advance(at(0.5))
    assert [(each["value"], each["taken_at"]) for each in spooled(home, "steps")] == [
        (1000.0, "2026-11-21T10:30:00Z"),
        (500.0, "2026-11-21T23:30:00Z"),
    ]
    assert [each["value"] for each in spooled(home, "sleep_duration")] == [420.0]
    assert spooled(home, "sleep_duration")[0]["taken_at"] == "2026-11-21T22:30:00Z"
    assert len(spooled(home, "heart_rate")) == 3
    assert {each["clock"] for each in spooled(home)} == {"assumed"}

    ring.take(StepsRecord(at=at(1), steps=300))
    await home.advance(at(2))
    assert [each["value"] for each in spooled(home, "steps")] == [1000.0, 500.0, 800.0]
    # nothing that was read before has come again
    assert len(spooled(home)) == 7
    assert failure(home, ring) is None
    assert home.gateway is not None
    assert home.gateway.agent.device(ring.key).battery_percent == 80


async def test_a_rings_clock_is_right_after_its_first_visit(home: Household) -> None:
    # as an app that knows no zones leaves it
    faults = Faults(clock_offset=-timedelta(hours=8))
    ring = await put(home, Ring(home.home, identity("R02_1A2B", 6), faults=faults))
    ring.take(PulseRecord(at=at(0.5), rate_per_minute=60))
    await home.advance(at(1))
    (shown,) = ring.clock_set_to
    assert ring.own_time(at(1)) == datetime(2026, 11, 22, 9, 0)  # noqa: DTZ001
    for hours in (2, 3):
        ring.take(PulseRecord(at=at(hours), rate_per_minute=70))
        await home.advance(at(hours + 0.5))
    assert [each["taken_at"] for each in spooled(home, "heart_rate") if each["value"] == 70.0] == [
        "2026-11-22T02:00:00Z",
        "2026-11-22T03:00:00Z",
    ]
    # not again on the same day
    assert ring.clock_set_to == [shown]
    ring.take(PulseRecord(at=at(26), rate_per_minute=70))
    await home.advance(at(26.5))
    assert len(ring.clock_set_to) == 2
