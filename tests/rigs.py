"""Two rigs, one set of simulated devices: bleak over bumble, and bleak's own BlueZ backend.

The second runs against a stand-in for bluetoothd on a private D-Bus. A test that takes `rig` runs
on both.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from gateway_agent.bonding import Asks, Question
from gateway_agent.calling import Patience
from gateway_agent.config import GatewaySettings
from gateway_agent.gateway import Gateway
from gateway_agent.radio import Backends
from simulator.bleak_backend import Adapter
from simulator.bluez import FakeBlueZ
from simulator.link import Air, device_on
from simulator.peripheral import Home, Peripheral
from simulator.story import SHANGHAI
from vitals.broker import broker as parse

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADAPTER = "C0:00:00:00:00:01"

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow own="*"/><allow send_destination="*"/>
  <allow receive_sender="*"/><allow user="*"/></policy>
</busconfig>"""


class Bus:
    """A dbus-daemon of its own."""

    def __init__(self, folder: Path, daemon: str) -> None:
        self._folder, self._daemon = folder, daemon
        self.address = f"unix:path={folder / 'bus'}"

    def start(self) -> None:
        config = self._folder / "bus.conf"
        config.write_text(_BUS.format(socket=self._folder / "bus"))
        self._process = subprocess.Popen(
            [self._daemon, f"--config-file={config}", "--nofork", "--print-address"],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class Rig(Protocol):
    """An adapter on an air."""

    air: Air
    backends: Backends | None

    async def lose_key(self, address: str) -> None:
        """Has our side lose the key of a device."""

    async def knows(self, address: str) -> bool:
        """Does our side hold a key of a device?"""


@dataclass
class Bumble:
    """bleak over bumble."""

    air: Air
    adapter: Adapter

    @property
    def backends(self) -> Backends:
        return self.adapter.backends

    async def lose_key(self, address: str) -> None:
        await self.adapter.bonds.forget(f"ble:{address}")

    async def knows(self, address: str) -> bool:
        return await self.adapter.bonds.is_bonded(f"ble:{address}")


@dataclass
class OnBlueZ:
    """bleak's BlueZ backend over D-Bus."""

    air: Air
    bus: Bus
    bluez: FakeBlueZ
    backends: None = None

    async def lose_key(self, address: str) -> None:
        await self.bluez.lose_key(address)

    async def knows(self, address: str) -> bool:
        keystore = self.bluez.device.keystore
        return keystore is not None and await keystore.get(address) is not None


@asynccontextmanager
async def bumble() -> AsyncIterator[Bumble]:
    air = Air()
    adapter = Adapter(air, address=ADAPTER)
    await adapter.switch_on()
    yield Bumble(air, adapter)
    await adapter.switch_off()


@asynccontextmanager
async def on_bluez(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OnBlueZ]:
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        assert os.environ.get("CI") != "true", "dbus-daemon is missing: run make browser"
        pytest.skip("dbus-daemon is missing: install D-Bus to test the BlueZ path")
    bus = Bus(folder, daemon)
    bus.start()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    air = Air()
    central = device_on(air, name="hci0", address=ADAPTER)
    await central.power_on()
    bluez = FakeBlueZ(central)
    await bluez.start()
    yield OnBlueZ(air, bus, bluez)
    if bluez.is_up:
        await bluez.stop()
    bus.stop()


@dataclass
class Person:
    """Somebody before the page: answers what a device asks, and follows what happens."""

    answer: Callable[[Question], int | bool | None] = lambda _: None
    asked: list[Question] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    async def ask(self, question: Question) -> int | bool | None:
        self.asked.append(question)
        return self.answer(question)

    def connecting(self) -> None:
        self.steps.append("connecting")

    def bonded(self) -> None:
        self.steps.append("bonded")


def types(passkey: int) -> Callable[[Question], int]:
    """Types these digits, whatever is asked."""
    return lambda question: passkey


def says(yes: bool) -> Callable[[Question], bool | None]:
    """Says whether the numbers are the same."""
    return lambda question: yes if question.asks is Asks.CONFIRM else None


async def nobody(question: Question) -> None:
    """Has gone to make tea."""
    await asyncio.Event().wait()


def home(air: Air) -> Home:
    return Home(air=air, now=lambda: NOW, zone=SHANGHAI)


@asynccontextmanager
async def gateway_on(rig: Rig, folder: Path, *, admit: str = "added") -> AsyncIterator[Gateway]:
    """A gateway of this rig, which nobody receives from; stopped at the end."""
    gateway = Gateway(
        GatewaySettings(name="g1", mqtt=parse("mqtt://127.0.0.1:1"), data=folder, admit=admit),
        backends=rig.backends,
        now=lambda: NOW,
        patience=Patience(first=timedelta(0), revisit=timedelta(0)),
    )
    gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def add(gateway: Gateway, device: Peripheral, person: Person) -> None:
    """Adds a device that is on the air, as a person does."""
    async with asyncio.timeout(30):
        await gateway.radio.pair(
            device.key, person.ask, on_connecting=person.connecting, on_bonded=person.bonded
        )
    await gateway.agent.add(device.key)


async def until(true: Callable[[], Awaitable[bool] | bool], *, within_s: float = 15.0) -> None:
    """Returns when it is true; looked at every hundredth of a second."""
    async with asyncio.timeout(within_s):
        while True:
            found = true()
            if found is True or (not isinstance(found, bool) and await found):
                return
            await asyncio.sleep(0.01)


def spooled(gateway: Gateway) -> list[dict[str, object]]:
    """Everything in the spool."""
    found: list[dict[str, object]] = []
    place = 0
    while waiting := gateway.spool.oldest(1_000, after=place):
        found += [each.document for each in waiting]
        place = waiting[-1].place
    return found
