"""Simulated devices on the real clock, with a gateway that reads them and sends what it read.

`run(settings, stop)` is what `kangban simulate household|meter|cuff` calls. May hold: this loop.
"""

import asyncio
import itertools
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway_agent.control import Control
from simulator.chance import normal
from simulator.config import Fault, SimulatorSettings
from simulator.daily_story import OxygenStory, TemperatureStory, WeightStory
from simulator.glucose_meter import GlucoseMeter
from simulator.household import Household
from simulator.panel import Device, DevicePlan, HouseholdPlan, Person
from simulator.record import GlucoseRecord, Record
from simulator.story import BloodPressureStory, GlucoseStory, HeartRateStory, Story
from vitals.errors import TryAgain

log = logging.getLogger(__name__)

# the owner forgot to set the clock: it shows a year in the past, as after a change of battery
_WRONG_YEAR = timedelta(days=-26 * 365)
# what a meter shows that nobody has added yet
PASSKEY = 482_913
# days of a story that are told over and over
_DAYS = 365
# what a meter has in its memory begins here: 65000 tests later it is still the past
_MEMORY_BEGINS = datetime(2024, 1, 1, tzinfo=UTC)


def run(settings: SimulatorSettings, stop: threading.Event) -> None:
    """Lets the devices measure, and a gateway send it, until `stop` is set.

    Each device measures every `settings.every_s` seconds what its story tells; every measurement
    goes over the simulated air, bleak, the spool and MQTT. Raises MendSettings.
    """
    asyncio.run(_run(settings, stop))


async def _run(settings: SimulatorSettings, stop: threading.Event) -> None:
    now = datetime.now(UTC)
    household = Household(
        _plan(settings, now),
        begins=now,
        ends=now,
        mqtt=settings.mqtt,
        data=settings.data.expanduser(),
        admit="added" if settings.unpaired else "all",
    )
    household.clock.run()
    meters = [each for each in household.devices.values() if isinstance(each, GlucoseMeter)]
    for meter in meters:
        for record in memory(settings.stored):
            meter.take(record)
    await household.start()
    for meter in meters:
        await meter.go_on_air()
    tell = _offer if settings.unpaired else _tell
    tellers = [
        asyncio.create_task(tell(household, plan, settings)) for plan in household.plan.devices()
    ]
    try:
        assert household.gateway is not None
        async with Control(settings.data.expanduser(), household.gateway.desk):
            await asyncio.to_thread(stop.wait)
    finally:
        for teller in tellers:
            teller.cancel()
        await asyncio.gather(*tellers, return_exceptions=True)
        await household.stop()


async def _offer(household: Household, plan: DevicePlan, settings: SimulatorSettings) -> None:
    """Has the device on air for whoever adds it."""
    for record in _told(plan.story, household.clock.now()):
        await household.offer(plan.key, replace(record, at=household.clock.now()))
        await asyncio.sleep(settings.every_s)


async def _tell(household: Household, plan: DevicePlan, settings: SimulatorSettings) -> None:
    faults = household.devices[plan.key].faults
    for record in _told(plan.story, household.clock.now()):
        if settings.fault is Fault.DROP:
            faults.drop_after.append(0)
        if settings.fault is Fault.TRUNCATE:
            faults.truncate = 1
        try:
            await household.measure(plan.key, replace(record, at=household.clock.now()))
            log.info("%s: %s", plan.model, record)
        except TryAgain as error:
            log.warning("%s", error)
        await asyncio.sleep(settings.every_s)


def memory(number: int) -> Iterator[GlucoseRecord]:
    """So many glucose tests of the past, ten minutes apart, the same at every start: a meter whose
    process was killed has them again."""
    for place in range(number):
        value = Decimal(f"{7.5 + 2 * normal('memory', place):.1f}")
        yield GlucoseRecord(at=_MEMORY_BEGINS + place * timedelta(minutes=10), value=value)


def _told(story: Story, now: datetime) -> Iterator[Record]:
    """The records of a year of this story, for ever."""
    return itertools.cycle(story.records(now, now + timedelta(days=_DAYS)))


def _plan(settings: SimulatorSettings, now: datetime) -> HouseholdPlan:
    stories: dict[Device, tuple[str, Story]] = {
        Device.CUFF: (
            "KB-100",
            BloodPressureStory(seed="sim", begins=now.date(), systolic=134, diastolic=83),
        ),
        Device.GLUCOSE_METER: (
            "KG-200",
            GlucoseStory(seed="sim", begins=now.date(), fasting=6.4, after_meal=9.4),
        ),
        Device.WRISTBAND: ("KW-300", HeartRateStory(seed="sim", begins=now.date())),
        Device.OXIMETER: ("KO-400", OxygenStory(seed="sim", begins=now.date())),
        Device.SCALE: ("KS-500", WeightStory(seed="sim", begins=now.date())),
        Device.BODY_SCALE: (
            "KS-510",
            WeightStory(seed="sim", begins=now.date(), body_fat_percent=24.0),
        ),
        Device.THERMOMETER: ("KT-600", TemperatureStory(seed="sim", begins=now.date())),
    }
    devices = tuple(
        DevicePlan(
            kind=kind,
            address=f"F0:00:00:01:00:{number:02X}",
            model=stories[kind][0],
            story=stories[kind][1],
            clock_offset=_WRONG_YEAR if settings.fault is Fault.CLOCK else timedelta(0),
            repeats=1 if settings.fault is Fault.REPEAT else 0,
            passkey=PASSKEY if settings.unpaired and kind is Device.GLUCOSE_METER else None,
        )
        for number, kind in enumerate(settings.devices, start=1)
    )
    return HouseholdPlan(gateway=settings.name, people=(Person(key="somebody", devices=devices),))
