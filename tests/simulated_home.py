"""A household of simulated devices with lists for stories, its gateway and what is in its spool."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.household import Household
from simulator.panel import Device, DevicePlan, HouseholdPlan, Person
from simulator.record import Record
from vitals.broker import broker

BEGINS = datetime(2026, 9, 27, tzinfo=UTC)
ADDRESS = "F0:00:00:00:00:0A"
KEY = f"ble:{ADDRESS}"
NOBODY = "mqtt://127.0.0.1:1"


class Told:
    """A story that is a list."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records = list(records)

    def records(self, start: datetime, end: datetime) -> list[Record]:
        return [each for each in self._records if start <= each.at < end]


def at(hours: float) -> datetime:
    return BEGINS + timedelta(hours=hours)


@asynccontextmanager
async def living_with(
    device: Device, *records: Record, data: Path, **faults: Any
) -> AsyncIterator[Household]:
    """A household with this one device; its gateway sends to nobody."""
    plan = DevicePlan(kind=device, address=ADDRESS, model="SIM", story=Told(records), **faults)
    people = (Person(key="somebody", devices=(plan,)),)
    household = Household(
        HouseholdPlan(gateway="g1", people=people),
        begins=BEGINS,
        ends=at(24 * 365),
        mqtt=broker(NOBODY),
        data=data,
    )
    await household.start()
    try:
        yield household
    finally:
        await household.stop()


def spooled(household: Household) -> list[dict[str, Any]]:
    """Every measurement in the gateway's spool, in order."""
    assert household.gateway is not None
    found: list[dict[str, Any]] = []
    place = 0
    # one answer is of one memory that was read whole, or of what came after
    while waiting := household.gateway.spool.oldest(1_000, after=place):
        found += [each.document for each in waiting]
        place = waiting[-1].place
    return found


def withheld(household: Household) -> int:
    """How many readings are kept and never shown."""
    assert household.gateway is not None
    return household.gateway.spool.withheld()
