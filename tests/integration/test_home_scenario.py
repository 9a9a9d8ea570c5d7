"""A home on both rigs, from the first scan to the wristband: what a family does in its first week.

The mother's meter shows a passkey and holds 500 tests, the cuff is shared by two, the father wears
a band. Everything is measured against what the devices themselves have handed over.
"""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from rigs import NOW, Person, Rig, add, gateway_on, home, spooled, types, until

from gateway_agent.bonding import Asks
from gateway_agent.gateway import Gateway
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Faults, Identity, Peripheral
from simulator.record import CuffRecord, GlucoseRecord, HeartRateRecord
from simulator.security import Method, Security
from simulator.story import SHANGHAI
from simulator.wristband import Wristband
from vitals.measurement import Meal

METER, CUFF, BAND = "F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03"
TESTS = 500
# the meter was set seven minutes slow
SLOW = timedelta(minutes=-7)


def a_meter(rig: Rig) -> GlucoseMeter:
    security = Security(method=Method.PASSKEY, passkey=271_828)
    who = Identity(address=METER, name="Meter", model="KG-200", security=security)
    meter = GlucoseMeter(home(rig.air), who, faults=Faults(clock_offset=SLOW))
    for place in range(TESTS):
        at = NOW - timedelta(hours=6 * (TESTS - place))
        value = Decimal("5.0") + Decimal(place % 40) / 10
        meter.take(GlucoseRecord(at=at, value=value, meal=Meal.FASTING))
    return meter


def a_cuff(rig: Rig) -> Cuff:
    security = Security(method=Method.JUST_WORKS)
    who = Identity(address=CUFF, name="Cuff", model="KB-100", security=security)
    cuff = Cuff(home(rig.air), who)
    for place in range(8):
        at = NOW - timedelta(hours=12 * (8 - place))
        # the father is user 1, the mother user 2
        user, systolic = (1, 142) if place % 2 == 0 else (2, 118)
        cuff.take(CuffRecord(at=at, systolic=Decimal(systolic), diastolic=Decimal(80), user=user))
    return cuff


def a_band(rig: Rig) -> Wristband:
    return Wristband(home(rig.air), Identity(address=BAND, name="Band", model="KW-300"))


async def test_a_family_adds_its_devices_and_every_reading_arrives_once(
    rig: Rig, tmp_path: Path
) -> None:
    meter, cuff, band = a_meter(rig), a_cuff(rig), a_band(rig)
    async with gateway_on(rig, tmp_path) as gateway:
        await _scan(gateway, meter, cuff)
        await _add_the_meter(gateway, meter)
        await _clock_is_repaired(gateway, meter)
        await _add_the_cuff(gateway, cuff)
        await _wear_the_band(gateway, band)
        await _live_on(gateway, meter, cuff)
        found = spooled(gateway)
    handed_over = meter.handed_over + cuff.handed_over + band.handed_over
    assert handed_over == len(found) == TESTS + 8 * 2 + 1 + 1 + 2
    assert len({each["id"] for each in found}) == len(found)


async def _scan(gateway: Gateway, *devices: Peripheral) -> None:
    """Somebody looks at what is on the air, and nothing is read of it."""
    for device in devices:
        await device.switch_on()
        await device.go_on_air()
    wanted = {device.key for device in devices}
    await until(lambda: wanted <= {each.device for each in gateway.radio.sightings()})
    kinds = {
        each.device: each.recognised.driver.kind
        for each in gateway.radio.sightings()
        if each.recognised.driver is not None
    }
    assert (kinds[f"ble:{METER}"], kinds[f"ble:{CUFF}"]) == ("glucose_meter", "blood_pressure_cuff")
    assert spooled(gateway) == []


async def _add_the_meter(gateway: Gateway, meter: GlucoseMeter) -> None:
    person = Person(types(271_828))
    await add(gateway, meter, person)
    assert [each.asks for each in person.asked] == [Asks.PASSKEY]
    assert person.steps == ["connecting", "bonded"]
    found = spooled(gateway)
    assert [each["sequence"] for each in found] == list(range(1, TESTS + 1))
    # the slow clock was measured: the last test was six hours ago by our clock
    assert {each["clock"] for each in found} == {"measured"}
    assert found[-1]["taken_at"] == "2026-11-22T06:00:00Z"
    assert found[-1]["device_time"] == "2026-11-22T13:53:00"


async def _clock_is_repaired(gateway: Gateway, meter: GlucoseMeter) -> None:
    """The meter's clock was seven minutes slow; it is right now, set when all was read."""
    assert meter.own_time(NOW) == NOW.astimezone(SHANGHAI).replace(tzinfo=None)
    assert meter.clock_writes == [0]
    health = gateway.agent.health().devices[meter.key]
    assert health.clock_offset_s == round(timedelta(hours=-8).total_seconds())


async def _add_the_cuff(gateway: Gateway, cuff: Cuff) -> None:
    before = len(spooled(gateway))
    await add(gateway, cuff, Person())
    found = spooled(gateway)[before:]
    systolic = {(each["user"], each["value"]) for each in found if each["kind"] == "systolic"}
    assert systolic == {(1, 142.0), (2, 118.0)}
    assert len(found) == 16


async def _wear_the_band(gateway: Gateway, band: Wristband) -> None:
    before = len(spooled(gateway))
    band.take(HeartRateRecord(at=NOW, rates=(61, 62, 63, 64, 65, 66, 67, 68, 69, 70)))
    await band.switch_on()
    await band.go_on_air()
    person = Person()
    await add(gateway, band, person)
    assert person.steps == ["connecting"]
    (only,) = spooled(gateway)[before:]
    assert (only["kind"], only["value"], only["clock"]) == ("heart_rate", 65.0, "received")


async def _live_on(gateway: Gateway, meter: GlucoseMeter, cuff: Cuff) -> None:
    """From now on nobody presses anything: what measures is read."""
    before = len(spooled(gateway))
    meter.take(GlucoseRecord(at=NOW, value=Decimal("7.7")))
    cuff.take(CuffRecord(at=NOW, systolic=Decimal(139), diastolic=Decimal(85), user=1))
    await asyncio.gather(meter.go_on_air(), cuff.go_on_air())
    await until(lambda: len(spooled(gateway)) == before + 3, within_s=30)
    values = {(each["kind"], each["value"]) for each in spooled(gateway)[before:]}
    assert values == {("glucose", 7.7), ("systolic", 139.0), ("diastolic", 85.0)}
