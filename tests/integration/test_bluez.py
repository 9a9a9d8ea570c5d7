"""The production path: the gateway over bleak's own BlueZ backend, on a private D-Bus."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway_agent.calling import Patience
from gateway_agent.config import GatewaySettings
from gateway_agent.gateway import Gateway
from simulator.bluez import FakeBlueZ
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.link import Air, device_on
from simulator.peripheral import Faults, Home, Identity, Peripheral
from simulator.record import CuffRecord, GlucoseRecord
from simulator.story import SHANGHAI
from vitals.broker import broker as parse
from vitals.measurement import Meal

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow own="*"/><allow send_destination="*"/>
  <allow receive_sender="*"/><allow user="*"/></policy>
</busconfig>"""


@pytest.fixture
async def air(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Air]:
    """An air with a BlueZ on it, reached over a bus of its own."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        pytest.skip("dbus-daemon is missing: install D-Bus to test the BlueZ path")
    socket, config = tmp_path / "bus", tmp_path / "bus.conf"
    config.write_text(_BUS.format(socket=socket))
    process = subprocess.Popen(
        [daemon, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={socket}")
    made = Air()
    central = device_on(made, name="hci0", address="C0:00:00:00:00:01")
    await central.power_on()
    bluez = FakeBlueZ(central)
    await bluez.start()
    yield made
    bluez.stop()
    process.terminate()
    process.wait()


async def read(device: Peripheral, tmp_path: Path) -> Gateway:
    """A gateway that has read the device to its end."""
    gateway = Gateway(
        GatewaySettings(name="g1", mqtt=parse("mqtt://127.0.0.1:1"), data=tmp_path, admit="all"),
        now=lambda: NOW,
        patience=Patience(first=timedelta(0), revisit=timedelta(0)),
    )
    gateway.start()
    await device.switch_on()
    await device.go_on_air()
    async with asyncio.timeout(30):
        await device.silent.wait()
        await gateway.radio.quiet()
    return gateway


def home(air: Air) -> Home:
    return Home(air=air, now=lambda: NOW, zone=SHANGHAI)


def a_meter(air: Air, faults: Faults) -> GlucoseMeter:
    who = Identity(address="F0:00:00:00:00:01", name="Meter", model="KG-200")
    meter = GlucoseMeter(home(air), who, faults=faults)
    for hour in range(30):
        at = NOW - timedelta(hours=40 - hour)
        meter.take(GlucoseRecord(at=at, value=Decimal("5.6"), meal=Meal.FASTING))
    return meter


@pytest.mark.parametrize("faults", [Faults(), Faults(drop_after=[11], truncate=1)])
async def test_a_meter_is_read_through_bluez(air: Air, tmp_path: Path, faults: Faults) -> None:
    gateway = await read(a_meter(air, faults), tmp_path)
    found = [each.document for each in gateway.spool.oldest(50)]
    health = gateway.agent.health().devices["ble:F0:00:00:00:00:01"]
    await gateway.stop()
    assert [each["sequence"] for each in found] == list(range(1, 31))
    assert {(each["clock"], each["meal"]) for each in found} == {("measured", "fasting")}
    assert (health.model, health.battery_percent) == ("KG-200", 80)


async def test_a_cuff_that_hangs_up_is_read_through_bluez(air: Air, tmp_path: Path) -> None:
    who = Identity(address="F0:00:00:00:00:02", name="Cuff", model="KB-100")
    cuff = Cuff(home(air), who)
    for hour in range(20):
        at = NOW - timedelta(hours=40 - hour)
        cuff.take(CuffRecord(at=at, systolic=Decimal(120 + hour), diastolic=Decimal(80)))
    gateway = await read(cuff, tmp_path)
    found = [each.document for each in gateway.spool.oldest(50)]
    await gateway.stop()
    systolic = [each["value"] for each in found if each["kind"] == "systolic"]
    assert systolic == [120.0 + hour for hour in range(20)]
    assert cuff.handed_over == len(found) == 40
