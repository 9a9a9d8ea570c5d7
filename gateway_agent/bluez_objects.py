"""The D-Bus objects that bluetoothd calls: our pairing agent, and the time for devices.

Their method names and signatures are BlueZ's. The agent answers for the one device that a person is
adding and refuses all others: whoever stands before the window may ask. May hold: these objects.
May not: what is asked of bluetoothd (`bluez.py`), the order of a pairing.

The annotations of D-Bus methods are read at run time: no `from __future__ import annotations` here.
An attribute called `name` would hide ServiceInterface's own, and nothing would be exported.
"""

# ruff: noqa: N802  (BlueZ names the methods)

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from dbus_fast import DBusError, PropertyAccess
from dbus_fast.annotations import (
    DBusBool,
    DBusBytes,
    DBusDict,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
    DBusUInt16,
    DBusUInt32,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from gateway_agent import time_server
from gateway_agent.bonding import Asker, Asks, Question
from gateway_agent.drivers.current_time import CURRENT_TIME

log = logging.getLogger(__name__)

AGENT, TIME, TIME_SERVICE = "/kangban/agent", "/kangban/time", "/kangban/time/service0"
_READ = PropertyAccess.READ
_Texts = Annotated[list[str], DBusSignature("as")]


class Answers:
    """Who answers for which device; nobody for all others."""

    def __init__(self) -> None:
        self._device: str | None = None
        self._asker: Asker | None = None
        self._asking: asyncio.Task[int | bool | None] | None = None

    @asynccontextmanager
    async def answering(self, device: str, asker: Asker) -> AsyncIterator[None]:
        """While it is entered, this device is answered by the asker."""
        self._device, self._asker = device, asker
        try:
            yield
        finally:
            self._device = self._asker = None
            self.cancel()

    def admits(self, path: str) -> bool:
        """Is this the device that a person is adding?"""
        return self._device is not None and device_of(path) == self._device

    async def ask(self, path: str, asks: Asks, number: int | None = None) -> int | bool | None:
        """A person's answer. Raises DBusError for a device that nobody is adding."""
        if not self.admits(path) or self._asker is None or self._device is None:
            raise rejected(path)
        question = Question(device=self._device, asks=asks, number=number)
        self._asking = asyncio.ensure_future(self._asker(question))
        try:
            return await self._asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return None
        finally:
            self._asking = None

    def cancel(self) -> None:
        """The device does not wait for the answer any more."""
        if self._asking is not None:
            self._asking.cancel()


class PairingAgent(ServiceInterface):
    """`org.bluez.Agent1`, as doc/org.bluez.Agent.rst of BlueZ describes it."""

    def __init__(self, answers: Answers) -> None:
        super().__init__("org.bluez.Agent1")
        self._answers = answers

    @dbus_method()
    async def RequestPasskey(self, device: DBusObjectPath) -> DBusUInt32:
        number = await self._answers.ask(device, Asks.PASSKEY)
        if number is None or isinstance(number, bool):
            raise DBusError("org.bluez.Error.Canceled", "Nobody typed the passkey")
        return number

    @dbus_method()
    async def RequestConfirmation(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:
        if await self._answers.ask(device, Asks.CONFIRM, passkey) is not True:
            raise DBusError("org.bluez.Error.Rejected", "The numbers differ, or nobody looked")

    @dbus_method()
    def RequestAuthorization(self, device: DBusObjectPath) -> None:
        # Just Works: nothing is shown, a person has chosen this device
        if not self._answers.admits(device):
            raise rejected(device)

    @dbus_method()
    def AuthorizeService(self, device: DBusObjectPath, uuid: DBusStr) -> None:
        if not self._answers.admits(device):
            raise rejected(device)

    @dbus_method()
    def DisplayPasskey(
        self, device: DBusObjectPath, passkey: DBusUInt32, entered: DBusUInt16
    ) -> None:
        log.info("Type %06d on %s (%d typed).", passkey, device_of(device), entered)

    @dbus_method()
    def DisplayPinCode(self, device: DBusObjectPath, pincode: DBusStr) -> None:
        # the PIN code of Classic Bluetooth, which no device of ours speaks
        raise rejected(device)

    @dbus_method()
    def RequestPinCode(self, device: DBusObjectPath) -> DBusStr:
        raise rejected(device)

    @dbus_method()
    def Cancel(self) -> None:
        self._answers.cancel()

    @dbus_method()
    def Release(self) -> None:
        log.debug("bluetoothd lets go of our agent.")


class TimeService(ServiceInterface):
    """The Current Time Service of this gateway."""

    def __init__(self) -> None:
        super().__init__("org.bluez.GattService1")

    @dbus_property(access=_READ)
    def UUID(self) -> DBusStr:
        return _uuid(time_server.SERVICE)

    @dbus_property(access=_READ)
    def Primary(self) -> DBusBool:
        return True


class TimeCharacteristic(ServiceInterface):
    """0x2A2B or 0x2A0F. Who subscribes is told when the wall clock was set: not before we know."""

    def __init__(self, uuid: str, wall_clock: Callable[[], datetime]) -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._uuid, self._wall_clock = uuid, wall_clock

    @dbus_method()
    def ReadValue(self, options: DBusDict) -> DBusBytes:
        return time_server.VALUES[self._uuid](self._wall_clock())

    @dbus_method()
    def StartNotify(self) -> None:
        log.debug("A device wants to be told of the time.")

    @dbus_method()
    def StopNotify(self) -> None:
        log.debug("A device does not want to be told of the time any more.")

    @dbus_property(access=_READ)
    def UUID(self) -> DBusStr:
        return _uuid(self._uuid)

    @dbus_property(access=_READ)
    def Service(self) -> DBusObjectPath:
        return TIME_SERVICE

    @dbus_property(access=_READ)
    def Flags(self) -> _Texts:
        return ["read", "notify"] if self._uuid == CURRENT_TIME else ["read"]


def device_of(path: str) -> str:
    """The device behind a path of BlueZ: /org/bluez/hci0/dev_F0_00_… is ble:F0:00:…"""
    return f"ble:{path.rsplit('/dev_', 1)[-1].replace('_', ':')}"


def rejected(path: str) -> DBusError:
    """What a device is told that nobody is adding."""
    log.warning("%s asks to be paired and is refused: nobody is adding it.", device_of(path))
    return DBusError("org.bluez.Error.Rejected", "Nobody is adding this device")


def _uuid(short: str) -> str:
    return f"0000{short.lower()}-0000-1000-8000-00805f9b34fb"
