"""Models that differ at pairing, added by their own rows of the quirks, on both rigs."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rigs import NOW, Person, Rig, add, gateway_on, home, spooled, types, until

from gateway_agent.quirk import quirk_of
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Home, Identity, Peripheral
from simulator.record import CuffRecord, GlucoseRecord, WeightRecord
from simulator.scale import Scale
from simulator.security import Method, Security

PASSKEY = 42
HANGS_UP = Security(method=Method.PASSKEY, passkey=PASSKEY, hangs_up_until_bonded=True)
ENDS_AT_HANG_UP = Security(method=Method.JUST_WORKS, ends_pairing_at_hang_up=True)


def identity(name: str, security: Security) -> Identity:
    return Identity(address="F0:00:00:00:00:07", name=name, model=name, security=security)


def instant(home: Home) -> Peripheral:
    meter = GlucoseMeter(home, identity("meter+12345678", HANGS_UP))
    for hour in range(10):
        meter.take(GlucoseRecord(at=NOW - timedelta(hours=hour), value=Decimal("5.6")))
    return meter


def ua651(home: Home) -> Peripheral:
    cuff = Cuff(home, identity("A&D_UA-651BLE_1A2B3C", ENDS_AT_HANG_UP))
    for hour in range(5):
        at = NOW - timedelta(hours=40 - hour)
        cuff.take(CuffRecord(at=at, systolic=Decimal(120), diastolic=Decimal(80)))
    return cuff


def uc352(home: Home) -> Peripheral:
    scale = Scale(home, identity("A&D_UC-352BLE_1A2B3C", ENDS_AT_HANG_UP))
    for hour in range(10):
        scale.take(WeightRecord(at=NOW - timedelta(hours=40 - hour), weight=Decimal(70)))
    return scale


@pytest.mark.parametrize(
    ("make", "row"), [(instant, "accu_chek"), (ua651, "ad_ua651"), (uc352, "ad_uc352")]
)
async def test_a_model_is_bonded_and_read_whole_by_its_row(
    rig: Rig, tmp_path: Path, make: Callable[[Home], Peripheral], row: str
) -> None:
    device = make(home(rig.air))
    assert quirk_of(name=device.identity.name, services=frozenset()).id == row
    person = Person(types(PASSKEY))
    async with gateway_on(rig, tmp_path) as gateway:
        await device.switch_on()
        await device.go_on_air()
        await add(gateway, device, person)
        await until(lambda: len(spooled(gateway)) == 10)
        await gateway.radio.quiet()
        assert gateway.agent.device(device.key).failure is None
    assert person.steps == ["connecting", "bonded"]
    assert await rig.knows(device.identity.address)
    assert device.handed_over == 10
