"""The GATT objects of the BlueZ stand-in: a connected device's services as bluetoothd shows them.

ATT errors become D-Bus errors as in BlueZ's `gatt-client.c`; characteristics are named by their
declaration, one below the value. The objects of a bonded device outlive its link and are bound to
the next one. May hold: GattService1, GattCharacteristic1, GattDescriptor1. May not: links, keys.

The annotations of D-Bus methods are read at run time: no `from __future__ import annotations` here.
"""

# ruff: noqa: N802  (BlueZ names the methods)

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, TypeVar

from bumble import att, core
from bumble.device import Connection, Peer
from bumble.gatt_client import CharacteristicProxy, DescriptorProxy, ServiceProxy
from dbus_fast import DBusError, PropertyAccess, Variant
from dbus_fast.annotations import (
    DBusBool,
    DBusBytes,
    DBusDict,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
    DBusUInt16,
)
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from simulator.bleak_backend import uuid_of

T = TypeVar("T")

READ = PropertyAccess.READ
Texts = Annotated[list[str], DBusSignature("as")]

# doc/org.bluez.GattCharacteristic.rst and src/gatt-client.c: the errors that have names
_NAMED = {
    0x02: ("NotPermitted", "Read not permitted"),
    0x03: ("NotPermitted", "Write not permitted"),
    0x05: ("NotPermitted", "Not paired"),
    0x0F: ("NotPermitted", "Not paired"),
}
_FLAGS = {2: "read", 4: "write-without-response", 8: "write", 16: "notify", 32: "indicate"}
_WANTS_KEY = (0x05, 0x0F)


class Far(Protocol):
    """The device whose services these are."""

    path: str
    connection: Connection | None

    async def elevate(self) -> bool:
        """Was a key made because the device asked for one?"""

    async def hang_up(self) -> None:
        """Ends the link, if there is one."""


def error(name: str, text: str = "") -> DBusError:
    """One of BlueZ's own errors."""
    return DBusError(f"org.bluez.Error.{name}", text)


async def answered(far: Far, ask: Callable[[], Awaitable[T]]) -> T:
    """What the device answers, asked again where it wanted a key first and got one."""
    try:
        try:
            return await ask()
        except att.ATT_Error as refusal:
            if int(refusal.error_code) not in _WANTS_KEY or not await far.elevate():
                raise
            return await ask()
    except att.ATT_Error as refusal:
        code = int(refusal.error_code)
        text = f"Operation failed with ATT error: 0x{code:02x}"
        raise error(*_NAMED.get(code, ("Failed", text))) from None
    except (core.TimeoutError, TimeoutError):
        # nothing may be asked on a link on which an answer did not come (Vol 3 Part F §3.3.3)
        await far.hang_up()
        raise error("Failed", "Not connected") from None
    except (core.BaseBumbleError, asyncio.CancelledError):
        raise error("Failed", "Not connected") from None


class ServiceObject(ServiceInterface):
    def __init__(self, far: Far, service: ServiceProxy) -> None:
        super().__init__("org.bluez.GattService1")
        self._far, self._uuid = far, uuid_of(service.uuid)

    @dbus_property(access=READ)
    def UUID(self) -> DBusStr:
        return self._uuid

    @dbus_property(access=READ)
    def Device(self) -> DBusObjectPath:
        return self._far.path

    @dbus_property(access=READ)
    def Primary(self) -> DBusBool:
        return True


class CharacteristicObject(ServiceInterface):
    def __init__(self, far: Far, home: str, proxy: "CharacteristicProxy[bytes]") -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self._far, self._home, self.proxy = far, home, proxy
        self._value = b""
        self._notifies = False

    @dbus_method()
    async def ReadValue(self, options: DBusDict) -> DBusBytes:
        return await answered(self._far, lambda: self.proxy.client.read_value(self.proxy.handle))

    @dbus_method()
    async def WriteValue(self, value: DBusBytes, options: DBusDict) -> None:
        request = options.get("type", Variant("s", "request")).value == "request"
        await answered(
            self._far,
            lambda: self.proxy.client.write_value(
                self.proxy.handle, bytes(value), with_response=request
            ),
        )

    @dbus_method()
    async def StartNotify(self) -> None:
        await answered(self._far, lambda: self.proxy.client.subscribe(self.proxy, self._hear))
        self._notifies = True
        self.emit_properties_changed({"Notifying": True})

    @dbus_method()
    async def StopNotify(self) -> None:
        await self.stop_notify()

    async def stop_notify(self) -> None:
        """Ends the subscription, as StopNotify does and as BlueZ does when its client is gone."""
        if not self._notifies:
            return
        self._notifies = False
        try:
            await self.proxy.client.unsubscribe(self.proxy, self._hear)
        except (core.BaseBumbleError, TimeoutError, asyncio.CancelledError):
            """The link went down meanwhile."""

    def unlinked(self) -> None:
        """The link is gone, and with it the subscription."""
        self._notifies = False

    def _hear(self, value: bytes) -> None:
        self._value = value
        self.emit_properties_changed({"Value": value})

    @dbus_property(access=READ)
    def UUID(self) -> DBusStr:
        return uuid_of(self.proxy.uuid)

    @dbus_property(access=READ)
    def Service(self) -> DBusObjectPath:
        return self._home

    @dbus_property(access=READ)
    def Value(self) -> DBusBytes:
        return self._value

    @dbus_property(access=READ)
    def Notifying(self) -> DBusBool:
        return self._notifies

    @dbus_property(access=READ)
    def MTU(self) -> DBusUInt16:
        connection = self._far.connection
        return att.ATT_DEFAULT_MTU if connection is None else connection.att_mtu

    @dbus_property(access=READ)
    def Flags(self) -> Texts:
        return [name for bit, name in _FLAGS.items() if int(self.proxy.properties) & bit]


class DescriptorObject(ServiceInterface):
    def __init__(self, far: Far, characteristic: str, proxy: DescriptorProxy) -> None:
        super().__init__("org.bluez.GattDescriptor1")
        self._far, self._characteristic, self.proxy = far, characteristic, proxy

    @dbus_property(access=READ)
    def UUID(self) -> DBusStr:
        return uuid_of(self.proxy.type)

    @dbus_property(access=READ)
    def Characteristic(self) -> DBusObjectPath:
        return self._characteristic


Objects = dict[str, ServiceInterface]


async def discover(far: Far, peer: Peer) -> Objects:
    """All objects of a device by their paths, parents before children."""
    found: Objects = {}
    for service in await peer.discover_services():
        home = f"{far.path}/service{service.handle:04x}"
        found[home] = ServiceObject(far, service)
        for each in await service.discover_characteristics():
            place = f"{home}/char{each.handle - 1:04x}"
            found[place] = CharacteristicObject(far, home, each)
            for descriptor in await each.discover_descriptors():
                path = f"{place}/desc{descriptor.handle:04x}"
                found[path] = DescriptorObject(far, place, descriptor)
    return found


def bind(objects: Objects, peer: Peer) -> None:
    """Lets the objects of a bonded device speak over its new link."""
    for each in objects.values():
        if isinstance(each, CharacteristicObject | DescriptorObject):
            each.proxy.client = peer.gatt_client
