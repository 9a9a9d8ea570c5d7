"""An `org.bluez` of our own on a private bus, so that bleak's BlueZ backend runs without a radio.

It answers what bleak 3.1 asks of BlueZ (Adapter1, Device1, GattService1, GattCharacteristic1,
GattDescriptor1) from a bumble device that acts as central, and maps ATT errors to D-Bus errors as
BlueZ's `gatt-client.c` does. For tests of the production path alone.
"""

# ruff: noqa: F722, F821, N802  (D-Bus signatures stand where Python expects types)

import asyncio
from typing import Any

from bumble import att, core
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy, DescriptorProxy, ServiceProxy
from dbus_fast import BusType, DBusError, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from simulator.bleak_backend import _advertisement_data, _plain, _uuid
from simulator.bus_clients import BusClients

ADAPTER = "/org/bluez/hci0"
READ = PropertyAccess.READ

# bluez doc/org.bluez.GattCharacteristic.rst and src/gatt-client.c: the errors that have names
_NAMED = {
    0x02: ("NotPermitted", "Read not permitted"),
    0x03: ("NotPermitted", "Write not permitted"),
    0x05: ("NotPermitted", "Not paired"),
    0x0F: ("NotPermitted", "Not paired"),
}
_PROPERTIES = {2: "read", 4: "write-without-response", 8: "write", 16: "notify", 32: "indicate"}


def dbus_error(error: att.ATT_Error) -> DBusError:
    code = int(error.error_code)
    name, text = _NAMED.get(code, ("Failed", f"Operation failed with ATT error: 0x{code:02x}"))
    return DBusError(f"org.bluez.Error.{name}", text)


class AdapterObject(ServiceInterface):
    def __init__(self, bluez: "FakeBlueZ") -> None:
        super().__init__("org.bluez.Adapter1")
        self.bluez = bluez
        self.scans = False

    @dbus_method()
    def SetDiscoveryFilter(self, wanted: "a{sv}"):  # type: ignore[no-untyped-def]
        self.bluez.filter = {key: each.value for key, each in wanted.items()}

    @dbus_method()
    async def StartDiscovery(self):  # type: ignore[no-untyped-def]
        if self.scans:
            raise DBusError("org.bluez.Error.InProgress", "Operation already in progress")
        self.scans = True
        await self.bluez.device.start_scanning(legacy=True, active=False, filter_duplicates=False)
        self.emit_properties_changed({"Discovering": True})

    @dbus_method()
    async def StopDiscovery(self):  # type: ignore[no-untyped-def]
        await self.stop_discovery()

    async def stop_discovery(self) -> None:
        self.scans = False
        await self.bluez.device.stop_scanning(legacy=True)
        self.emit_properties_changed({"Discovering": False})

    @dbus_property(access=READ)
    def Address(self) -> "s":
        return _plain(self.bluez.device.random_address)

    @dbus_property(access=READ)
    def Powered(self) -> "b":
        return True

    @dbus_property(access=READ)
    def Discovering(self) -> "b":
        return self.scans

    @dbus_property(access=READ)
    def Roles(self) -> "as":
        return ["central", "peripheral"]


class DeviceObject(ServiceInterface):
    def __init__(self, bluez: "FakeBlueZ", path: str, advertisement: Advertisement) -> None:
        super().__init__("org.bluez.Device1")
        self.bluez, self.path, self.address = bluez, path, advertisement.address
        self.data = _advertisement_data(advertisement)
        self.connection: Connection | None = None
        self.resolved = False
        self.children: list[tuple[str, ServiceInterface]] = []

    @dbus_method()
    async def Connect(self):  # type: ignore[no-untyped-def]
        try:
            self.connection = await self.bluez.device.connect(self.address, timeout=10)
        except (core.BaseBumbleError, TimeoutError):
            raise DBusError("org.bluez.Error.Failed", "le-connection-abort-by-local") from None
        self.connection.on(Connection.EVENT_DISCONNECTION, self._gone)
        self.emit_properties_changed({"Connected": True})
        self.bluez.tasks.append(asyncio.create_task(self._resolve(Peer(self.connection))))

    async def _resolve(self, peer: Peer) -> None:
        await peer.request_mtu(517)
        for service in await peer.discover_services():
            home = f"{self.path}/service{service.handle:04x}"
            self._export(home, ServiceObject(self, service))
            for each in await service.discover_characteristics():
                place = f"{home}/char{each.handle - 1:04x}"
                descriptors = await each.discover_descriptors()
                self._export(place, CharacteristicObject(home, each))
                for descriptor in descriptors:
                    path = f"{place}/desc{descriptor.handle:04x}"
                    self._export(path, DescriptorObject(place, descriptor))
        self.resolved = True
        self.emit_properties_changed({"ServicesResolved": True})

    def _export(self, path: str, child: ServiceInterface) -> None:
        self.bluez.bus.export(path, child)
        self.children.append((path, child))

    def _gone(self, _: int) -> None:
        self.connection, self.resolved = None, False
        self.emit_properties_changed({"ServicesResolved": False, "Connected": False})
        # BlueZ drops the services of a device that is not bonded
        for path, child in reversed(self.children):
            self.bluez.bus.unexport(path, child)
        self.children.clear()

    @dbus_method()
    async def Disconnect(self):  # type: ignore[no-untyped-def]
        if self.connection is not None:
            await self.connection.disconnect()

    @dbus_property(access=READ)
    def Address(self) -> "s":
        return _plain(self.address)

    @dbus_property(access=READ)
    def AddressType(self) -> "s":
        return "random"

    @dbus_property(access=READ)
    def Adapter(self) -> "o":
        return ADAPTER

    @dbus_property(access=READ)
    def Alias(self) -> "s":
        return self.data.local_name or ""

    @dbus_property(access=READ)
    def Name(self) -> "s":
        return self.data.local_name or ""

    @dbus_property(access=READ)
    def UUIDs(self) -> "as":
        return self.data.service_uuids

    @dbus_property(access=READ)
    def RSSI(self) -> "n":
        return self.data.rssi

    @dbus_property(access=READ)
    def Connected(self) -> "b":
        return self.connection is not None

    @dbus_property(access=READ)
    def Paired(self) -> "b":
        return False

    @dbus_property(access=READ)
    def ServicesResolved(self) -> "b":
        return self.resolved


class ServiceObject(ServiceInterface):
    def __init__(self, device: DeviceObject, service: ServiceProxy) -> None:
        super().__init__("org.bluez.GattService1")
        self.device, self.service = device, service

    @dbus_property(access=READ)
    def UUID(self) -> "s":
        return _uuid(self.service.uuid)

    @dbus_property(access=READ)
    def Device(self) -> "o":
        return self.device.path

    @dbus_property(access=READ)
    def Primary(self) -> "b":
        return True


class CharacteristicObject(ServiceInterface):
    def __init__(self, home: str, proxy: "CharacteristicProxy[bytes]") -> None:
        super().__init__("org.bluez.GattCharacteristic1")
        self.home, self.proxy = home, proxy
        self.value = b""
        self.notifies = False

    @dbus_method()
    async def ReadValue(self, options: "a{sv}") -> "ay":  # type: ignore[no-untyped-def]
        try:
            return await self.proxy.client.read_value(self.proxy.handle)
        except att.ATT_Error as error:
            raise dbus_error(error) from None

    @dbus_method()
    async def WriteValue(self, value: "ay", options: "a{sv}"):  # type: ignore[no-untyped-def]
        request = options.get("type", Variant("s", "request")).value == "request"
        try:
            await self.proxy.client.write_value(
                self.proxy.handle, bytes(value), with_response=request
            )
        except att.ATT_Error as error:
            raise dbus_error(error) from None

    @dbus_method()
    async def StartNotify(self):  # type: ignore[no-untyped-def]
        try:
            await self.proxy.client.subscribe(self.proxy, self._hear)
        except att.ATT_Error as error:
            raise dbus_error(error) from None
        self.notifies = True
        self.emit_properties_changed({"Notifying": True})

    @dbus_method()
    async def StopNotify(self):  # type: ignore[no-untyped-def]
        await self.stop_notify()

    async def stop_notify(self) -> None:
        self.notifies = False
        try:
            await self.proxy.client.unsubscribe(self.proxy, self._hear)
        except (att.ATT_Error, core.BaseBumbleError, TimeoutError, asyncio.CancelledError):
            """The link went down meanwhile."""

    def _hear(self, value: bytes) -> None:
        self.value = value
        self.emit_properties_changed({"Value": value})

    @dbus_property(access=READ)
    def UUID(self) -> "s":
        return _uuid(self.proxy.uuid)

    @dbus_property(access=READ)
    def Service(self) -> "o":
        return self.home

    @dbus_property(access=READ)
    def Value(self) -> "ay":
        return self.value

    @dbus_property(access=READ)
    def Notifying(self) -> "b":
        return self.notifies

    @dbus_property(access=READ)
    def MTU(self) -> "q":
        return self.proxy.client.mtu

    @dbus_property(access=READ)
    def Flags(self) -> "as":
        return [name for bit, name in _PROPERTIES.items() if int(self.proxy.properties) & bit]


class DescriptorObject(ServiceInterface):
    def __init__(self, characteristic: str, proxy: DescriptorProxy) -> None:
        super().__init__("org.bluez.GattDescriptor1")
        self.characteristic, self.proxy = characteristic, proxy

    @dbus_property(access=READ)
    def UUID(self) -> "s":
        return _uuid(self.proxy.type)

    @dbus_property(access=READ)
    def Characteristic(self) -> "o":
        return self.characteristic


class FakeBlueZ:
    """BlueZ on the bus that DBUS_SYSTEM_BUS_ADDRESS names, over this bumble device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.filter: dict[str, Any] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self._devices: dict[str, DeviceObject] = {}

    async def start(self) -> None:
        self.bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self.adapter = AdapterObject(self)
        self.bus.export(ADAPTER, self.adapter)
        await self.bus.request_name("org.bluez")
        self.clients = BusClients(self.bus, self._client_gone)
        await self.clients.watch()
        self.device.on(Device.EVENT_ADVERTISEMENT, self._advertised)

    def stop(self) -> None:
        self.bus.disconnect()

    def _client_gone(self, client: str) -> None:
        """Ends what a client had begun that left the bus; links stay, as in BlueZ."""
        for path, member in self.clients.calls_of(client):
            if member == "StartDiscovery" and self.adapter.scans:
                self.tasks.append(asyncio.create_task(self.adapter.stop_discovery()))
            for each in self._devices.values():
                for place, child in each.children:
                    if place == path and isinstance(child, CharacteristicObject):
                        self.tasks.append(asyncio.create_task(child.stop_notify()))

    def _advertised(self, advertisement: Advertisement) -> None:
        if advertisement.is_scan_response:
            return
        path = f"{ADAPTER}/dev_{_plain(advertisement.address).replace(':', '_')}"
        known = self._devices.get(path)
        if known is None:
            known = self._devices[path] = DeviceObject(self, path, advertisement)
            self.bus.export(path, known)
        else:
            known.emit_properties_changed({"RSSI": advertisement.rssi})
