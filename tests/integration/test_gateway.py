"""A gateway and simulated devices: bleak over bumble, spool, broker, and a stand-in for ingest."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from stand_in import StandIn

from simulator.glucose_meter import GlucoseMeter
from simulator.household import Household
from simulator.panel import Device, DevicePlan, HouseholdPlan, Person, panel
from simulator.record import CuffRecord, GlucoseRecord, HeartRateRecord, Record
from vitals.broker import broker as parse
from vitals.measurement import Meal
from vitals.units import Unit

BEGINS = datetime(2026, 9, 27, tzinfo=UTC)
NOBODY = "mqtt://127.0.0.1:1"
METER, CUFF, BAND = "F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03"


class Told:
    """A story that is a list."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records = list(records)

    def records(self, start: datetime, end: datetime) -> list[Record]:
        return [each for each in self._records if start <= each.at < end]


def at(hours: float) -> datetime:
    return BEGINS + timedelta(hours=hours)


def glucose(count: int, *, meal: Meal | None = Meal.FASTING) -> Told:
    return Told(
        GlucoseRecord(at=at(hour), value=Decimal("5.0") + Decimal(hour) / 10, meal=meal)
        for hour in range(count)
    )


def pressure(count: int, **more: object) -> Told:
    return Told(
        CuffRecord(
            at=at(hour),
            systolic=Decimal(120 + hour),
            diastolic=Decimal(80),
            mean=Decimal(93),
            pulse=Decimal(70),
            **more,  # type: ignore[arg-type]
        )
        for hour in range(count)
    )


def meter(story: Told, **faults: object) -> DevicePlan:
    return _plan(Device.GLUCOSE_METER, METER, story, faults)


def cuff(story: Told, **faults: object) -> DevicePlan:
    return _plan(Device.CUFF, CUFF, story, faults)


def band(story: Told) -> DevicePlan:
    return _plan(Device.WRISTBAND, BAND, story, {})


def _plan(kind: Device, address: str, story: Told, faults: dict[str, object]) -> DevicePlan:
    return DevicePlan(kind=kind, address=address, model="SIM", story=story, **faults)  # type: ignore[arg-type]


Home = Callable[..., Awaitable[Household]]


@asynccontextmanager
async def living(plans: tuple[DevicePlan, ...], data: Path, url: str, gateway: str):  # type: ignore[no-untyped-def]
    plan = HouseholdPlan(gateway=gateway, people=(Person(key="somebody", devices=plans),))
    household = Household(plan, begins=BEGINS, ends=at(24 * 365), mqtt=parse(url), data=data)
    await household.start()
    try:
        yield household
    finally:
        await household.stop()


@pytest.fixture
async def home(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Makes a household that is stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def move_in(*plans: DevicePlan, url: str = NOBODY, gateway: str = "g1") -> Household:
            return await stack.enter_async_context(living(plans, tmp_path, url, gateway))

        yield move_in


def spooled(household: Household) -> list[dict[str, object]]:
    assert household.gateway is not None
    found = []
    spool, place = household.gateway.spool, 0
    while waiting := spool.oldest(1_000, after=place):
        found += [{"resync": each.resync, **each.document} for each in waiting]
        place = waiting[-1].place
    return found


async def test_a_meter_is_read_whole_first_and_then_only_what_is_new(home: Home) -> None:
    household = await home(meter(glucose(30)))
    await household.advance(at(20))
    assert [(each["sequence"], each["resync"]) for each in spooled(household)] == [
        (sequence, True) for sequence in range(1, 21)
    ]
    await household.advance(at(40))
    assert [(each["sequence"], each["resync"]) for each in spooled(household)[20:]] == [
        (sequence, False) for sequence in range(21, 31)
    ]
    assert household.handed_over == 30


async def test_a_reading_keeps_its_value_meal_and_time(home: Home) -> None:
    household = await home(meter(glucose(1), clock_offset=timedelta(minutes=-7)))
    await household.advance(at(5))
    (only,) = spooled(household)
    assert (only["value"], only["unit"], only["meal"]) == (5.0, "mmol/L", "fasting")
    # the meter's clock is seven minutes slow, and that was measured
    assert only["taken_at"] == "2026-09-27T00:00:00Z"
    assert (only["device_time"], only["clock"]) == ("2026-09-27T07:53:00", "measured")
    assert only["clock_offset_s"] == (-8 * 60 + 7) * 60


async def test_a_meter_that_shows_the_year_2000_is_placed_right(home: Home) -> None:
    household = await home(meter(glucose(3), clock_offset=-timedelta(days=26 * 365)))
    await household.advance(at(5))
    assert [each["taken_at"] for each in spooled(household)] == [
        f"2026-09-27T0{hour}:00:00Z" for hour in range(3)
    ]


@pytest.mark.parametrize("after", [0, 1, 7, 19])
async def test_a_link_lost_in_mid_transfer_loses_nothing_and_doubles_nothing(
    home: Home, after: int
) -> None:
    household = await home(meter(glucose(20), drop_after=(after,)))
    await household.advance(at(20))
    found = spooled(household)
    assert [each["sequence"] for each in found] == list(range(1, 21))
    assert all(each["meal"] == "fasting" for each in found)
    # a memory that was not read to its end yet is still being read whole
    assert all(each["resync"] for each in found)
    assert household.handed_over == 20


async def test_a_cuff_that_sends_at_the_subscription_loses_nothing(home: Home) -> None:
    household = await home(cuff(pressure(25)))
    await household.advance(at(25))
    found = spooled(household)
    assert household.handed_over == len(found) == 100
    systolic = [each["value"] for each in found if each["kind"] == "systolic"]
    assert systolic == [120.0 + hour for hour in range(25)]
    assert {each["clock"] for each in found} == {"measured"}


async def test_a_gateway_that_is_stopped_in_mid_call_keeps_what_the_cuff_has_sent(
    home: Home, tmp_path: Path
) -> None:
    household = await home(cuff(pressure(0)))
    device = household.devices[f"ble:{CUFF}"]
    for record in pressure(25).records(at(0), at(25)):
        device.take(record)  # type: ignore[attr-defined]
    await device.go_on_air()
    await device.handed.wait()
    await household.stop_gateway()
    handed_over = device.handed_over
    household.start_gateway()
    # the cuff forgets what it has handed over: whatever it is, it is on disk
    assert handed_over > 0
    assert len(spooled(household)) >= handed_over


@pytest.mark.parametrize("after", [0, 1, 12])
async def test_a_cuff_whose_link_is_lost_goes_on_where_it_was(home: Home, after: int) -> None:
    household = await home(cuff(pressure(25), drop_after=(after,)))
    await household.advance(at(25))
    assert household.handed_over == len(spooled(household)) == 100


async def test_records_that_come_twice_are_kept_once(home: Home) -> None:
    household = await home(meter(glucose(10), repeats=2), cuff(pressure(10), repeats=1))
    await household.advance(at(10))
    assert household.handed_over == len(spooled(household)) == 50


async def test_a_truncated_record_of_a_meter_is_refused_and_read_again(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    household = await home(meter(glucose(10)))
    household.devices[f"ble:{METER}"].faults.truncate = 2
    with caplog.at_level(logging.WARNING):
        await household.advance(at(10))
    assert [each["sequence"] for each in spooled(household)] == list(range(1, 11))
    assert sum("refused whole" in each.message for each in caplog.records) == 2
    assert household.gateway is not None
    failure = household.gateway.agent.health().devices[f"ble:{METER}"].failure
    assert "could not be understood" in str(failure)


async def test_what_a_cuff_damaged_is_named_and_its_neighbours_are_kept(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    household = await home(cuff(pressure(3)))
    household.devices[f"ble:{CUFF}"].faults.truncate = 1
    with caplog.at_level(logging.WARNING):
        await household.advance(at(3))
    assert household.handed_over == len(spooled(household)) == 8
    assert any("2A35" in each.message for each in caplog.records)


async def test_a_control_solution_and_a_failed_measurement_are_never_sent(home: Home) -> None:
    odd = Told(
        [
            GlucoseRecord(at=at(0), value=Decimal("6.4"), control_solution=True),
            GlucoseRecord(at=at(1), value=None),
            GlucoseRecord(at=at(2), value=Decimal("99"), unit=Unit.MG_PER_DL),
        ]
    )
    household = await home(
        meter(odd), cuff(Told([CuffRecord(at=at(0), systolic=None, diastolic=None)]))
    )
    await household.advance(at(3))
    (only,) = spooled(household)
    assert (only["value"], only["unit"]) == (99.0, "mg/dL")
    assert household.handed_over == 1
    assert household.gateway is not None
    assert household.gateway.spool.withheld() == 3


async def test_a_kilopascal_cuff_and_an_irregular_pulse_arrive_as_measured(home: Home) -> None:
    record = CuffRecord(
        at=at(0),
        systolic=Decimal("17.3"),
        diastolic=Decimal("10.7"),
        unit=Unit.KPA,
        user=2,
        irregular_pulse=True,
        body_movement=True,
    )
    household = await home(cuff(Told([record])))
    await household.advance(at(1))
    found = {each["kind"]: each for each in spooled(household)}
    assert {kind: each["value"] for kind, each in found.items()} == {
        "systolic": 17.3,
        "diastolic": 10.7,
    }
    assert found["systolic"]["unit"] == "kPa"
    assert found["systolic"]["user"] == 2
    assert found["systolic"]["flags"] == ["body_movement", "irregular_pulse"]
    assert household.handed_over == 2


async def test_a_spell_of_a_wristband_is_one_measurement(home: Home) -> None:
    worn = Told(
        [
            HeartRateRecord(at=at(10), rates=(60, 61, 62, 63, 64, 65, 66, 67, 68, 200)),
            HeartRateRecord(at=at(34), rates=(80,) * 10),
            HeartRateRecord(at=at(58), rates=(0,) * 10, contact=False),
        ]
    )
    household = await home(band(worn))
    await household.advance(at(72))
    assert [(each["value"], each["taken_at"], each["clock"]) for each in spooled(household)] == [
        (64.0, "2026-09-27T10:00:00Z", "received"),
        (80.0, "2026-09-28T10:00:00Z", "received"),
    ]
    assert household.handed_over == 2


async def test_the_gateway_says_how_its_devices_are(home: Home) -> None:
    household = await home(meter(glucose(2)))
    await household.advance(at(3))
    assert household.gateway is not None
    health = household.gateway.agent.health()
    device = health.devices[f"ble:{METER}"]
    assert (device.kind, device.model, device.battery_percent) == ("glucose_meter", "SIM", 80)
    assert device.clock_offset_s == -8 * 3600
    assert device.last_seen_at == at(3)
    assert (health.spooled, device.failure) == (2, None)


async def test_a_gateway_that_is_replaced_reads_whole_memories_and_says_so(
    home: Home, broker: str
) -> None:
    with StandIn(broker) as server:
        household = await home(meter(glucose(20)), url=broker, gateway="old")
        await household.advance(at(20))
        await household.drain()
        first = {each["sequence"]: each for each in server.measurements.values()}
        await household.stop_gateway()
        # meanwhile somebody sets the meter's clock: the next gateway measures another offset
        device = household.devices[f"ble:{METER}"]
        device.faults.clock_offset = timedelta(minutes=3)
        household._settings = _renamed(household, "new")
        household.start_gateway()
        assert isinstance(device, GlucoseMeter)
        device.press_button()
        await household.advance(at(21))
        await household.drain()
    again = [each for each in server.envelopes if each["gateway"] == "new"]
    assert all(each["resync"] for each in again)
    measurements = [each for envelope in again for each in envelope["measurements"]]
    assert {each["sequence"] for each in measurements} == set(range(1, 21))
    for each in measurements:
        assert each["device_time"] == first[each["sequence"]]["device_time"]
        assert each["taken_at"] != first[each["sequence"]]["taken_at"]


async def test_a_meal_that_was_marked_after_the_visit_is_passed_on_once_and_doubles_nothing(
    home: Home, broker: str, caplog: pytest.LogCaptureFixture
) -> None:
    with StandIn(broker) as server:
        household = await home(meter(glucose(5, meal=None)), url=broker)
        device = household.devices[f"ble:{METER}"]
        assert isinstance(device, GlucoseMeter)
        await household.advance(at(5))
        await household.drain()
        first = dict(server.measurements)
        device.mark(3, Meal.POSTPRANDIAL)
        for visit in range(3):
            if visit == 1:
                await household.stop_gateway()
                household.start_gateway()
            # its battery falls out: the clock begins anew, and the whole memory is read once more
            device.faults.clock_offset = -timedelta(days=40 * (visit + 1))
            device.press_button()
            await household.advance(at(6 + visit))
            await household.drain()
            device.faults.clock_offset = timedelta(0)
    assert len(first) == 5
    (fresh,) = server.measurements.keys() - first.keys()
    marked = server.measurements[fresh]
    (before,) = (each for each in first.values() if each["sequence"] == 3)
    said = {name for name in marked | before if marked.get(name) != before.get(name)}
    assert said == {"id", "meal", "raw"}
    assert marked["meal"] == "postprandial"
    (envelope,) = (each for each in server.envelopes if marked in each["measurements"])
    assert envelope["resync"]
    assert set(server.arrived.values()) == {1}
    # three times the whole memory came by radio
    assert sum("is read anew" in each.message for each in caplog.records) == 3


def _renamed(household: Household, name: str):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(household._settings, name=name)


async def test_the_same_gateway_that_reads_a_memory_again_sends_nothing_new(
    home: Home, broker: str
) -> None:
    with StandIn(broker) as server:
        household = await home(meter(glucose(20)), url=broker)
        await household.advance(at(20))
        await household.drain()
        assert household.gateway is not None
        # as support would do it: everything from the start
        household.gateway.spool._base.execute("UPDATE device SET last_sequence = NULL")
        device = household.devices[f"ble:{METER}"]
        assert isinstance(device, GlucoseMeter)
        device.press_button()
        await household.advance(at(21))
        await household.drain()
    assert len(server.measurements) == 20
    assert set(server.arrived.values()) == {1}


async def test_a_dark_gateway_is_heard_no_more_while_its_devices_go_on(
    tmp_path: Path, broker: str
) -> None:
    plan = HouseholdPlan(
        gateway="dark",
        people=(Person(key="somebody", devices=(cuff(pressure(48)),)),),
        dark_for=timedelta(hours=12),
    )
    household = Household(plan, begins=BEGINS, ends=at(48), mqtt=parse(broker), data=tmp_path)
    with StandIn(broker) as server:
        await household.start()
        await household.advance(at(24))
        await household.advance(at(48))
        await household.drain()
        await household.stop()
        # a day later the household is started again, and its gateway stays dark
        again = Household(plan, begins=at(48), ends=at(50), mqtt=parse(broker), data=tmp_path)
        await again.start()
        await again.advance(at(50))
        assert again.gateway is None
        await again.stop()
    taken = sorted(each["taken_at"] for each in server.measurements.values())
    assert taken[-1] == "2026-09-28T11:00:00Z"
    assert household.handed_over == len(server.measurements) == 36 * 4
    assert max(each["sent_at"] for each in server.health) == "2026-09-28T12:00:00Z"


async def test_a_low_glucose_is_on_the_server_within_a_second(home: Home, broker: str) -> None:
    with StandIn(broker) as server:
        household = await home(meter(glucose(3)), url=broker)
        await household.advance(at(3))
        await household.drain()
        household.go_live()
        handed_over_at = await household.measure_low_glucose()
        await household.drain()
    low = next(each for each in server.measurements.values() if each["value"] == 2.6)
    assert abs(datetime.fromisoformat(low["taken_at"]) - handed_over_at) < timedelta(seconds=2)
    assert datetime.now(UTC) - handed_over_at < timedelta(seconds=1)


async def test_the_households_of_the_demo_lose_nothing_in_a_week(
    tmp_path: Path, broker: str
) -> None:
    ends = BEGINS + timedelta(days=7)
    plans = panel(date(2026, 9, 27))[:3]
    households = [
        Household(plan, begins=BEGINS, ends=ends, mqtt=parse(broker), data=tmp_path)
        for plan in plans
    ]
    with StandIn(broker) as server:
        for household in households:
            await household.start()
        await asyncio.gather(*(household.advance(ends) for household in households))
        await asyncio.gather(*(household.drain() for household in households))
        for household in households:
            await household.stop()
    assert sum(each.handed_over for each in households) == len(server.measurements) > 150


async def test_a_household_that_is_started_again_goes_on_where_it_was(
    tmp_path: Path, broker: str
) -> None:
    plan = HouseholdPlan(
        gateway="twice",
        people=(Person(key="somebody", devices=(meter(glucose(40)), cuff(pressure(40)))),),
    )
    handed_over = 0
    with StandIn(broker) as server:
        for begins, ends in ((0, 20), (20, 40)):
            household = Household(
                plan, begins=at(begins), ends=at(ends), mqtt=parse(broker), data=tmp_path
            )
            await household.start()
            await household.advance(at(ends))
            # outside of the story: the meter's count goes on from here
            await household.measure_glucose(Decimal("2.6"))
            await household.drain()
            handed_over += household.handed_over
            await household.stop()
    assert handed_over == len(server.measurements) == 40 * 5 + 2


_PROCESS = """
import logging, sys, threading
from pathlib import Path
from vitals.broker import broker
from simulator.__main__ import run
from simulator.config import SimulatorSettings
from simulator.panel import Device
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
run(SimulatorSettings(name="killed", mqtt=broker({url!r}), data=Path({data!r}),
    devices=(Device.GLUCOSE_METER,), every_s=3600, stored={stored}), threading.Event())
"""


def _process(url: str, data: Path, *, stored: int) -> "subprocess.Popen[str]":
    code = _PROCESS.format(url=url, data=str(data), stored=stored)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_a_gateway_killed_between_spool_and_receipt_loses_nothing(
    tmp_path: Path, broker: str
) -> None:
    everything = set(range(1, 301))
    with StandIn(broker) as server:
        server.silent = True
        for sent in (1, 60, 130):
            process = _process(broker, tmp_path, stored=300)
            try:
                server.wait(lambda enough=sent: len(server.measurements) >= enough)
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        unnamed = set(server.measurements)
        server.silent = False
        process = _process(broker, tmp_path, stored=300)
        try:
            server.wait(lambda: everything <= _sequences(server))
        finally:
            process.terminate()
            process.wait()
    # what no receipt had named came again, and nothing came under another name
    assert all(server.arrived[each] > 1 for each in unnamed)
    stored = [each for each in server.measurements.values() if each["sequence"] in everything]
    assert len(stored) == 300


def _sequences(server: StandIn) -> set[int]:
    return {each["sequence"] for each in server.measurements.values()}
