"""A device as the BlueZ stand-in shows it: heard, connected, paired, forgotten.

As BlueZ does: a bonded device's link is encrypted before anything else, its services are remembered
over its links, and where it has thrown its key away `Paired` stays true while every connect fails.
May hold: Device1. May not: its services (`bluez_gatt.py`), the adapter (`bluez.py`).

The annotations of D-Bus methods are read at run time: no `from __future__ import annotations` here.
"""

# ruff: noqa: N802  (BlueZ names the methods)

import asyncio
from typing import Protocol

from bumble import core, hci
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.pairing import PairingConfig
from dbus_fast import DBusError, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusInt16, DBusObjectPath, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from simulator.bleak_backend import advertisement_data, plain
from simulator.bluez_agent import AgentDelegate, AgentManagerObject
from simulator.bluez_gatt import READ, CharacteristicObject, Objects, Texts, bind, discover, error
from simulator.link import hang_up

# octets; what BlueZ asks for
MTU = 517
# seconds that a connect may take
CONNECT_S = 10.0


class Daemon(Protocol):
    """What a device needs of the rest of bluetoothd."""

    bus: MessageBus
    device: Device
    agents: AgentManagerObject
    # does it make a key by itself where a device asks for one?
    elevates: bool
    # what it says where a device has thrown its key away: error.h of BlueZ 5.73, or an older one
    key_missing: str

    def begin(self, work: "asyncio.Future[None]") -> None:
        """Remembers what goes on beside."""


class DeviceObject(ServiceInterface):
    def __init__(self, bluez: Daemon, adapter: str, advertisement: Advertisement) -> None:
        super().__init__("org.bluez.Device1")
        self._bluez, self._adapter, self.address = bluez, adapter, advertisement.address
        self.path = path_of(adapter, plain(advertisement.address))
        self.data = advertisement_data(advertisement)
        self.connection: Connection | None = None
        self.paired = False
        self._trusted = self._resolved = False
        self.children: Objects = {}
        self.delegate: AgentDelegate | None = None

    def heard(self, advertisement: Advertisement) -> None:
        """Tells of one more advertisement."""
        self.data = advertisement_data(advertisement)
        self.emit_properties_changed({"RSSI": advertisement.rssi})

    def exported(self, bus: MessageBus) -> None:
        """Shows the device, and the services that are remembered, on a bus."""
        bus.export(self.path, self)
        for path, child in self.children.items():
            bus.export(path, child)

    def removed(self, bus: MessageBus) -> None:
        """Takes the device and all that belongs to it off the bus."""
        self._drop_services(bus)
        bus.unexport(self.path, self)

    @dbus_method()
    async def Connect(self) -> None:
        await self._connect()
        if self.paired:
            await self._encrypt()
        self._begin_to_resolve()

    @dbus_method()
    async def Disconnect(self) -> None:
        await self.hang_up()

    @dbus_method()
    async def Pair(self) -> None:
        if self.paired:
            raise error("AlreadyExists", "Already Exists")
        await self._connect()
        assert self.connection is not None
        await self._pair(self.connection, initiated=True)
        if not self._resolved:
            self._begin_to_resolve()

    @dbus_method()
    async def CancelPairing(self) -> None:
        await self.hang_up()

    async def hang_up(self) -> None:
        """Ends the link, if there is one."""
        connection = self.connection
        if connection is not None:
            await hang_up(connection, lambda: self._forgotten(connection))

    def _forgotten(self, connection: Connection) -> None:
        if self.connection is connection:
            self._gone(0)

    async def elevate(self) -> bool:
        """Was a key made because the device asked for one?"""
        if not self._bluez.elevates or self.paired or self.connection is None:
            return False
        try:
            await self._pair(self.connection, initiated=True)
        except DBusError:
            return False
        return True

    async def _connect(self) -> None:
        if self.connection is not None:
            return
        connecting = self._bluez.device.connect(self.address, timeout=CONNECT_S)
        try:
            self.connection = await asyncio.shield(asyncio.ensure_future(connecting))
        except (core.BaseBumbleError, TimeoutError):
            raise error("Failed", "le-connection-abort-by-local") from None
        self.connection.on(Connection.EVENT_DISCONNECTION, self._gone)
        # a client that remembers the services subscribes before they are resolved
        self._peer = Peer(self.connection)
        bind(self.children, self._peer)
        self.emit_properties_changed({"Connected": True})

    async def _encrypt(self) -> None:
        assert self.connection is not None
        try:
            await self.connection.encrypt()
        except (core.BaseBumbleError, hci.HCI_Error, asyncio.CancelledError):
            await self.hang_up()
            raise error("Failed", self._bluez.key_missing) from None

    async def _pair(self, connection: Connection, *, initiated: bool) -> None:
        """Makes a key. Raises what BlueZ says where none comes about."""
        self.delegate = AgentDelegate(self._bluez.agents, self.path, initiated=initiated)
        try:
            await connection.pair()
        except (core.BaseBumbleError, hci.HCI_Error, TimeoutError, asyncio.CancelledError):
            raise error(self.delegate.failure, "Authentication failed") from None
        self.paired = True
        self.emit_properties_changed({"Paired": True, "Bonded": True})

    def asked_for_key(self, connection: Connection) -> None:
        """Answers a device that wants a key without having been asked for anything."""

        async def answer() -> None:
            try:
                if self.paired:
                    await connection.encrypt()
                else:
                    await self._pair(connection, initiated=False)
            except (DBusError, core.BaseBumbleError, hci.HCI_Error, asyncio.CancelledError):
                """The device has been told, or is gone."""

        self._bluez.begin(asyncio.ensure_future(answer()))

    def _begin_to_resolve(self) -> None:
        if self.connection is not None:
            self._bluez.begin(asyncio.ensure_future(self._resolve(self._peer)))

    async def _resolve(self, peer: Peer) -> None:
        try:
            await peer.request_mtu(MTU)
            if not self.children:
                found = await discover(self, peer)
                for path, child in found.items():
                    self._bluez.bus.export(path, child)
                self.children = found
        except (core.TimeoutError, TimeoutError):
            return await self.hang_up()
        except (core.BaseBumbleError, asyncio.CancelledError):
            return
        self._resolved = True
        self.emit_properties_changed({"ServicesResolved": True})

    def _gone(self, _: int) -> None:
        self.connection, self._resolved = None, False
        for child in self.children.values():
            if isinstance(child, CharacteristicObject):
                child.unlinked()
        self.emit_properties_changed({"ServicesResolved": False, "Connected": False})
        # BlueZ drops the services of a device that is not bonded
        if not self.paired:
            self._drop_services(self._bluez.bus)

    def _drop_services(self, bus: MessageBus) -> None:
        for path, child in reversed(self.children.items()):
            bus.unexport(path, child)
        self.children = {}

    @dbus_property(access=READ)
    def Address(self) -> DBusStr:
        return plain(self.address)

    @dbus_property(access=READ)
    def AddressType(self) -> DBusStr:
        return "random"

    @dbus_property(access=READ)
    def Adapter(self) -> DBusObjectPath:
        return self._adapter

    @dbus_property(access=READ)
    def Alias(self) -> DBusStr:
        return self.data.local_name or plain(self.address).replace(":", "-")

    @dbus_property(access=READ)
    def Name(self) -> DBusStr:
        return self.data.local_name or ""

    @dbus_property(access=READ)
    def UUIDs(self) -> Texts:
        return self.data.service_uuids

    @dbus_property(access=READ)
    def RSSI(self) -> DBusInt16:
        return self.data.rssi

    @dbus_property(access=READ)
    def Connected(self) -> DBusBool:
        return self.connection is not None

    @dbus_property(access=READ)
    def Paired(self) -> DBusBool:
        return self.paired

    @dbus_property(access=READ)
    def Bonded(self) -> DBusBool:
        return self.paired

    @dbus_property(access=READ)
    def ServicesResolved(self) -> DBusBool:
        return self._resolved

    @dbus_property(access=PropertyAccess.READWRITE)
    def Trusted(self) -> DBusBool:
        return self._trusted

    @Trusted.setter  # type: ignore[no-redef]
    def Trusted(self, trusted: DBusBool) -> None:
        self._trusted = trusted


def path_of(adapter: str, address: str) -> str:
    """Where BlueZ shows a device."""
    return f"{adapter}/dev_{address.replace(':', '_')}"


def pairing_config(delegate: AgentDelegate) -> PairingConfig:
    """How the kernel pairs for an agent."""
    return PairingConfig(sc=True, mitm=delegate.has_agent, bonding=True, delegate=delegate)
