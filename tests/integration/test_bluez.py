"""The production path: the gateway over bleak's own BlueZ backend, on a private D-Bus."""

import asyncio
import gc
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bumble.device import Peer
from dbus_fast.aio import MessageBus
from rigs import NOW, OnBlueZ, Person, add, gateway_on, home, spooled, types, until

from gateway_agent import bluez as module
from gateway_agent import litter, scanning
from gateway_agent.gateway import Gateway
from gateway_agent.health import DISK_LEAST_MB, Box, with_box
from gateway_agent.look_bluez import BluetoothFacts, look_at_bluez
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Faults, Identity, Peripheral
from simulator.record import CuffRecord, GlucoseRecord
from simulator.security import Method, Security
from vitals.measurement import Meal

HOT_AND_FULL = Box(disk_free_mb=DISK_LEAST_MB - 1, temperature_c=81.0, uptime_s=60)
METER, CUFF = "F0:00:00:00:00:01", "F0:00:00:00:00:02"
PASSKEY = Security(method=Method.PASSKEY, passkey=42)


def a_meter(
    rig: OnBlueZ, *, faults: Faults | None = None, security: Security | None = None
) -> GlucoseMeter:
    who = Identity(address=METER, name="Meter", model="KG-200", security=security or Security())
    meter = GlucoseMeter(home(rig.air), who, faults=faults)
    for hour in range(30):
        at = NOW - timedelta(hours=40 - hour)
        meter.take(GlucoseRecord(at=at, value=Decimal("5.6"), meal=Meal.FASTING))
    return meter


async def read(gateway: Gateway, device: Peripheral) -> None:
    """Returns when the device was read to its end."""
    await device.switch_on()
    await device.go_on_air()
    async with asyncio.timeout(30):
        await device.silent.wait()
        await gateway.radio.quiet()


async def one_more(gateway: Gateway, meter: GlucoseMeter, *, sequence: int) -> None:
    """Measures once more, and waits until it was read."""
    meter.take(GlucoseRecord(at=NOW, value=Decimal("6.1")))
    await meter.go_on_air()
    await until(lambda: spooled(gateway)[-1]["sequence"] == sequence, within_s=30)


@pytest.mark.parametrize("faults", [Faults(), Faults(drop_after=[11], truncate=1)])
async def test_a_meter_is_read_through_bluez(
    bluez: OnBlueZ, tmp_path: Path, faults: Faults
) -> None:
    async with gateway_on(bluez, tmp_path, admit="all") as gateway:
        await read(gateway, a_meter(bluez, faults=faults))
        found = spooled(gateway)
        health = gateway.agent.health().devices[f"ble:{METER}"]
    assert [each["sequence"] for each in found] == list(range(1, 31))
    assert {(each["clock"], each["meal"]) for each in found} == {("measured", "fasting")}
    assert (health.model, health.battery_percent) == ("KG-200", 80)


async def test_a_cuff_that_hangs_up_is_read_through_bluez(bluez: OnBlueZ, tmp_path: Path) -> None:
    cuff = Cuff(home(bluez.air), Identity(address=CUFF, name="Cuff", model="KB-100"))
    for hour in range(20):
        at = NOW - timedelta(hours=40 - hour)
        cuff.take(CuffRecord(at=at, systolic=Decimal(120 + hour), diastolic=Decimal(80)))
    async with gateway_on(bluez, tmp_path, admit="all") as gateway:
        await read(gateway, cuff)
        found = spooled(gateway)
    systolic = [each["value"] for each in found if each["kind"] == "systolic"]
    assert systolic == [120.0 + hour for hour in range(20)]
    assert cuff.handed_over == len(found) == 40


async def test_many_visits_leave_no_more_in_memory_than_a_few(
    bluez: OnBlueZ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litter, "CALLS", 4)
    cuff = Cuff(home(bluez.air), Identity(address=CUFF, name="Cuff", model="KB-100"), linger_s=0)
    async with gateway_on(bluez, tmp_path, admit="all") as gateway:
        await cuff.switch_on()
        # memory must not hang on when Python itself finds it worth while to look
        gc.disable()
        try:
            for visit in range(12):
                cuff.take(CuffRecord(at=NOW, systolic=Decimal(120 + visit), diastolic=Decimal(80)))
                await cuff.go_on_air()
                async with asyncio.timeout(30):
                    await cuff.silent.wait()
                    await gateway.radio.quiet()
            # the connections of clients; one more is the gateway's own, two are the stand-in's
            buses = sum(isinstance(each, MessageBus) for each in gc.get_objects())
        finally:
            gc.enable()
            gc.unfreeze()
    assert buses <= 4 + 4


async def test_a_key_that_bluez_makes_by_itself_is_told_of(bluez: OnBlueZ, tmp_path: Path) -> None:
    bluez.bluez.elevates = True
    meter, person = a_meter(bluez, security=PASSKEY), Person(types(42))
    async with gateway_on(bluez, tmp_path) as gateway:
        await meter.switch_on()
        await meter.go_on_air()
        await add(gateway, meter, person)
        assert len(spooled(gateway)) == 30
    assert person.steps == ["connecting", "bonded"]
    assert await bluez.knows(METER)


async def test_an_older_bluez_that_only_says_that_it_hung_up_is_understood(
    bluez: OnBlueZ, tmp_path: Path
) -> None:
    bluez.bluez.key_missing = "Software caused connection abort"
    meter = a_meter(bluez, security=PASSKEY)
    async with gateway_on(bluez, tmp_path) as gateway:
        await meter.switch_on()
        await meter.go_on_air()
        await add(gateway, meter, Person(types(42)))
        await meter.guard.forget()
        meter.take(GlucoseRecord(at=NOW, value=Decimal("6.1")))
        await meter.go_on_air()
        health = gateway.agent.health
        await until(lambda: health().devices[meter.key].failure is not None, within_s=30)
        assert "it has lost its key" in str(health().devices[meter.key].failure)
        await add(gateway, meter, Person(types(42)))
        assert spooled(gateway)[-1]["sequence"] == 31


async def test_a_bluetoothd_that_is_restarted_is_used_again(bluez: OnBlueZ, tmp_path: Path) -> None:
    meter = a_meter(bluez, security=PASSKEY)
    async with gateway_on(bluez, tmp_path) as gateway:
        await meter.switch_on()
        await meter.go_on_air()
        await add(gateway, meter, Person(types(42)))
        gateway.uplink._health_wanted.clear()
        await bluez.bluez.stop()
        await until(lambda: "bluetooth" in gateway.radio.troubles)
        assert "systemctl start bluetooth" in gateway.radio.troubles["bluetooth"]
        # one word of health holds what radio, spool and box found, and does not wait for its turn
        gateway.agent.with_box = lambda word: with_box(word, HOT_AND_FULL)
        word = gateway.health()
        assert {"bluetooth", "disk"} <= word.troubles.keys()
        assert (word.temperature_c, word.last_advert_at) == (81.0, NOW)
        assert gateway.uplink._health_wanted.is_set()
        await bluez.bluez.start()
        # agent and time are registered anew, and the bond is still there
        await until(lambda: bluez.bluez.agents.default is not None)
        await until(lambda: bool(bluez.bluez.services.applications))
        await one_more(gateway, meter, sequence=31)
        assert gateway.radio.troubles == {}


async def test_a_bus_that_is_gone_and_comes_back_is_used_again(
    bluez: OnBlueZ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUS_PAUSE_S", 0.2)
    monkeypatch.setattr(scanning, "ADAPTER_PAUSE_S", 0.2)
    monkeypatch.setattr(scanning, "ADAPTER_ANSWERS_S", 1.0)
    meter = a_meter(bluez, security=PASSKEY)
    async with gateway_on(bluez, tmp_path) as gateway:
        await meter.switch_on()
        await meter.go_on_air()
        await add(gateway, meter, Person(types(42)))
        await bluez.bluez.stop()
        bluez.bus.stop()
        await until(lambda: "bus" in gateway.radio.troubles)
        bluez.bus.start()
        await bluez.bluez.start()
        await until(lambda: bluez.bluez.agents.default is not None)
        await one_more(gateway, meter, sequence=31)
        await until(lambda: gateway.radio.troubles == {})


async def test_an_adapter_that_is_stuck_is_switched_off_and_on(
    bluez: OnBlueZ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "ADAPTER_PAUSE_S", 0.05)
    monkeypatch.setattr(module, "OFF_S", 0.01)
    bluez.bluez.stuck = True
    async with gateway_on(bluez, tmp_path, admit="all") as gateway:
        await until(lambda: "adapter" in gateway.radio.troubles)
        await read(gateway, a_meter(bluez))
        assert bluez.bluez.switched == [False, True]
        assert len(spooled(gateway)) == 30
        assert gateway.radio.troubles == {}


async def test_a_device_reads_the_time_from_the_gateway(bluez: OnBlueZ, tmp_path: Path) -> None:
    meter = a_meter(bluez)
    read_by_device: dict[str, bytes] = {}

    async def ask(connection: object) -> None:
        peer = Peer(connection)  # type: ignore[arg-type]
        (service,) = await peer.discover_service("1805")
        for each in await service.discover_characteristics():
            read_by_device[each.uuid.to_hex_str()] = await each.read_value()

    meter.device.on("connection", lambda connection: meter.run(ask(connection)))
    async with gateway_on(bluez, tmp_path, admit="all") as gateway:
        await until(lambda: bool(bluez.bluez.services.applications))
        await read(gateway, meter)
        # 2026-11-22 12:00 UTC is a Sunday, 20:00 in Shanghai, 32 quarters of an hour ahead
        assert read_by_device == {
            "2A2B": bytes.fromhex("ea070b16140000070000"),
            "2A0F": b"\x20\x00",
        }


async def test_one_look_tells_how_bluetooth_is(bluez: OnBlueZ, tmp_path: Path) -> None:
    assert await look_at_bluez("hci0") == BluetoothFacts(
        adapter="hci0",
        is_running=True,
        adapters=("hci0",),
        is_powered=True,
        bonded=frozenset(),
    )
    meter = a_meter(bluez, security=PASSKEY)
    async with gateway_on(bluez, tmp_path) as gateway:
        await meter.switch_on()
        await meter.go_on_air()
        await add(gateway, meter, Person(types(42)))
        # the running gateway keeps its agent
        assert (await look_at_bluez("hci0")).agent_error is None
    assert (await look_at_bluez("hci0")).bonded == {meter.key}
    assert (await look_at_bluez("hci7")).is_powered is None
    await bluez.bluez.stop()
    assert (await look_at_bluez("hci0")).is_running is False
    bluez.bus.stop()
    assert (await look_at_bluez("hci0")).bus_error
