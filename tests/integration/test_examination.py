"""The doctor looks at a BlueZ on a bus of its own: adapters, keys, whether an agent is let in."""

# ruff: noqa: F821, N802  (D-Bus signatures stand where Python expects types)

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dbus_fast import BusType, DBusError, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from gateway_agent.look_bluez import look_at_bluez

READ = PropertyAccess.READ
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow own="*"/><allow send_destination="*"/>
  <allow receive_sender="*"/><allow user="*"/></policy>
</busconfig>"""


class Adapter(ServiceInterface):
    def __init__(self, powered: bool) -> None:
        super().__init__("org.bluez.Adapter1")
        self.powered = powered

    @dbus_property(access=READ)
    def Powered(self) -> "b":  # type: ignore[name-defined]
        return self.powered


class Device(ServiceInterface):
    def __init__(self, address: str, bonded: bool) -> None:
        super().__init__("org.bluez.Device1")
        self.address, self.bonded = address, bonded

    @dbus_property(access=READ)
    def Address(self) -> "s":  # type: ignore[name-defined]
        return self.address

    @dbus_property(access=READ)
    def Bonded(self) -> "b":  # type: ignore[name-defined]
        return self.bonded


class Agents(ServiceInterface):
    def __init__(self, refusal: str = "") -> None:
        super().__init__("org.bluez.AgentManager1")
        self.refusal = refusal
        self.registered: list[str] = []

    @dbus_method()
    def RegisterAgent(self, agent: "o", capability: "s"):  # type: ignore[no-untyped-def,name-defined]
        if self.refusal:
            raise DBusError(self.refusal, "no agent for you")
        self.registered.append(agent)

    @dbus_method()
    def UnregisterAgent(self, agent: "o"):  # type: ignore[no-untyped-def,name-defined]
        self.registered.remove(agent)


@pytest.fixture
async def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MessageBus]:
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        assert os.environ.get("CI") != "true", "dbus-daemon is missing: run make browser"
        pytest.skip("dbus-daemon is missing: install D-Bus to test the BlueZ path")
    socket, config = tmp_path / "bus", tmp_path / "bus.conf"
    config.write_text(_BUS.format(socket=socket))
    process = subprocess.Popen(
        [daemon, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={socket}")
    made = await MessageBus(bus_type=BusType.SYSTEM).connect()
    yield made
    made.disconnect()
    process.terminate()
    await asyncio.to_thread(process.wait)


async def bluez(bus: MessageBus, *, powered: bool = True, refusal: str = "") -> Agents:
    agents = Agents(refusal)
    bus.export("/org/bluez", agents)
    bus.export("/org/bluez/hci0", Adapter(powered))
    bus.export("/org/bluez/hci0/dev_1", Device("F0:00:00:00:00:01", True))
    bus.export("/org/bluez/hci0/dev_2", Device("F0:00:00:00:00:02", False))
    await bus.request_name("org.bluez")
    return agents


async def test_a_bluez_that_is_well_is_seen_as_it_is(bus: MessageBus) -> None:
    agents = await bluez(bus)
    found = await look_at_bluez("hci0")
    assert (found.is_running, found.is_refused, found.bus_error) == (True, False, None)
    assert (found.adapters, found.is_powered) == (("hci0",), True)
    assert found.bonded == {"ble:F0:00:00:00:00:01"}
    assert found.agent_error is None
    # nothing is left behind
    assert agents.registered == []


async def test_an_adapter_that_is_off_or_not_there_is_seen(bus: MessageBus) -> None:
    await bluez(bus, powered=False)
    assert (await look_at_bluez("hci0")).is_powered is False
    other = await look_at_bluez("hci1")
    assert (other.adapters, other.is_powered) == (("hci0",), None)


@pytest.mark.parametrize(
    ("refusal", "refused"),
    [("org.bluez.Error.AlreadyExists", False), ("org.freedesktop.DBus.Error.AccessDenied", True)],
)
async def test_an_agent_that_is_refused_is_seen(
    bus: MessageBus, refusal: str, refused: bool
) -> None:
    await bluez(bus, refusal=refusal)
    found = await look_at_bluez("hci0")
    assert found.agent_error == "no agent for you"
    assert found.is_refused is refused


async def test_a_bus_without_bluez_and_no_bus_at_all_are_told_apart(
    bus: MessageBus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (await look_at_bluez("hci0")).is_running is False
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    found = await look_at_bluez("hci0")
    assert found.bus_error
    assert found.is_running is None
