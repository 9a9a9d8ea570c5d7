"""A gateway is replaced: the new one reads the meter's whole memory, by another clock offset."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kangban import owned
from simulator.glucose_meter import GlucoseMeter
from simulator.household import Household
from simulator.panel import Device, DevicePlan, HouseholdPlan, Person
from simulator.record import GlucoseRecord, Record
from store import measurements, people
from store.pool import connect
from vitals.broker import broker as parse
from vitals.measurement import Meal

BEGINS = datetime(2026, 11, 1, tzinfo=UTC)
METER = "F0:00:00:00:00:01"
TESTS = 120


class NoStory:
    """The meter is given its tests by hand."""

    def records(self, start: datetime, end: datetime) -> list[Record]:
        return []


@pytest.fixture
def ingest(database: str, broker: str, tmp_path: Path) -> Iterator[None]:
    environ = {**os.environ, "KANGBAN_DATABASE_URL": database, "KANGBAN_MQTT_URL": broker}
    process = owned.start(["ingest"], environ=environ, log=tmp_path / "ingest.log")
    yield
    process.terminate()
    process.wait()


async def read_by(gateway: str, *, mqtt: str, data: Path, clock_is_fast_by: timedelta) -> Household:
    """A household whose meter holds the same tests, and whose clock was then moved."""
    plan = DevicePlan(kind=Device.GLUCOSE_METER, address=METER, model="SIM", story=NoStory())
    household = Household(
        HouseholdPlan(gateway=gateway, people=(Person(key="li", devices=(plan,)),)),
        begins=BEGINS,
        ends=BEGINS + timedelta(days=60),
        mqtt=parse(mqtt),
        data=data,
    )
    await household.start()
    meter = household.devices[plan.key]
    assert isinstance(meter, GlucoseMeter)
    for number in range(TESTS):
        value = Decimal("5.0") + Decimal(number % 40) / 10
        at = BEGINS + number * timedelta(hours=3)
        meter.take(GlucoseRecord(at=at, value=value, meal=Meal.FASTING))
    # the records keep the time that the clock showed then
    meter.faults.clock_offset = clock_is_fast_by
    await household.advance(BEGINS + timedelta(days=20))
    await household.drain()
    await household.stop()
    return household


async def test_a_meter_that_a_second_gateway_reads_whole_adds_no_row(
    ingest: None, database: str, broker: str, tmp_path: Path
) -> None:
    with connect(database) as connection:
        for gateway in ("old", "new"):
            people.register_gateway(connection, name=gateway)
        patient = people.create_patient(connection, name="Li")
        people.bind_device(connection, f"ble:{METER}", patient_id=patient)
    first = await read_by("old", mqtt=broker, data=tmp_path / "old", clock_is_fast_by=timedelta(0))
    with connect(database) as connection:
        before = connection.execute("SELECT taken_at, value FROM measurement ORDER BY 1").fetchall()
    assert len(before) == first.handed_over == TESTS

    fast = timedelta(minutes=4, seconds=30)
    second = await read_by("new", mqtt=broker, data=tmp_path / "new", clock_is_fast_by=fast)
    assert second.handed_over == TESTS
    with connect(database) as connection:
        after = connection.execute("SELECT taken_at, value FROM measurement ORDER BY 1").fetchall()
        assert after == before
        assert measurements.differences(connection) == []
        assert measurements.counts(connection).rejections == 0
