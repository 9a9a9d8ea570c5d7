"""A stand-in for bluetoothd on a private bus: bleak's own BlueZ backend runs, without a radio.

It answers what bleak 3.1 and the gateway ask of BlueZ from a bumble device that acts as central:
scans, connects, pairs with the agent that a program has registered, remembers bonded devices over
a restart. What may go wrong with bluetoothd can be made to go wrong. For the production path in
tests, in the fault campaign and in support; never beside a real bluetoothd. May hold: the adapter
and the life of the daemon. May not: devices (`bluez_device.py`), what programs register.

The annotations of D-Bus methods are read at run time: no `from __future__ import annotations` here.
"""

# ruff: noqa: N802  (BlueZ names the methods)

import asyncio
import socket
from typing import Any

from bumble.device import Advertisement, Connection, Device
from bumble.pairing import PairingConfig, PairingDelegate
from dbus_fast import BusType, Message, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusDict, DBusObjectPath, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from simulator.bleak_backend import plain
from simulator.bluez_agent import AgentManagerObject, GattManagerObject
from simulator.bluez_device import DeviceObject, pairing_config, path_of
from simulator.bluez_gatt import READ, CharacteristicObject, Texts, error

ADAPTER = "/org/bluez/hci0"
# devices that are remembered; BlueZ forgets those that are neither bonded nor heard for 30 s
MOST_DEVICES = 500


class AdapterObject(ServiceInterface):
    def __init__(self, bluez: "FakeBlueZ") -> None:
        super().__init__("org.bluez.Adapter1")
        self._bluez = bluez
        self.scans = False
        self.powered = True
        # the controller refuses to start a scan while another one ends
        self._turn = asyncio.Lock()

    @dbus_method()
    def SetDiscoveryFilter(self, wanted: DBusDict) -> None:
        self._bluez.filter = {key: each.value for key, each in wanted.items()}

    @dbus_method()
    async def StartDiscovery(self) -> None:
        if not self.powered:
            raise error("NotReady", "Resource Not Ready")
        async with self._turn:
            if self.scans or self._bluez.stuck:
                raise error("InProgress", "Operation already in progress")
            await self._bluez.device.start_scanning(
                legacy=True, active=False, filter_duplicates=False
            )
            self.scans = True
        self.emit_properties_changed({"Discovering": True})

    @dbus_method()
    async def StopDiscovery(self) -> None:
        if not self.scans:
            raise error("Failed", "No discovery started")
        await self.stop_discovery()

    async def stop_discovery(self) -> None:
        """Stops scanning, as StopDiscovery does and as BlueZ does when its client is gone."""
        async with self._turn:
            if not self.scans:
                return
            await self._bluez.device.stop_scanning(legacy=True)
            self.scans = False
        self.emit_properties_changed({"Discovering": False})

    @dbus_method()
    async def RemoveDevice(self, device: DBusObjectPath) -> None:
        await self._bluez.remove(device)

    @dbus_property(access=READ)
    def Address(self) -> DBusStr:
        return plain(self._bluez.device.random_address)

    @dbus_property(access=PropertyAccess.READWRITE)
    def Powered(self) -> DBusBool:
        return self.powered

    @Powered.setter  # type: ignore[no-redef]
    def Powered(self, powered: DBusBool) -> None:
        self.powered = powered
        self._bluez.begin(asyncio.ensure_future(self._bluez.powered(powered)))

    @dbus_property(access=READ)
    def Discovering(self) -> DBusBool:
        return self.scans

    @dbus_property(access=READ)
    def Roles(self) -> Texts:
        return ["central", "peripheral"]


class FakeBlueZ:
    """BlueZ on the bus that DBUS_SYSTEM_BUS_ADDRESS names, over this bumble device.

    `elevates`: makes a key by itself where a device asks for one, as newer ones do. `stuck`:
    discovery does not start until the adapter was switched off and on. `key_missing`: what it says
    of a device that has thrown its key away; older ones say le-connection-abort-by-local.
    """

    def __init__(self, device: Device, *, elevates: bool = False) -> None:
        self.device = device
        self.elevates = elevates
        self.stuck = False
        self.key_missing = "le-connection-key-missing"
        self.filter: dict[str, Any] = {}
        self.switched: list[bool] = []
        self._tasks: set[asyncio.Future[None]] = set()
        self._devices: dict[str, DeviceObject] = {}
        self._senders: dict[tuple[str, str], str] = {}
        self._scans_for = ""
        self._notified: list[tuple[str, str]] = []
        self.agents = AgentManagerObject(lambda: self.bus, self._sender)
        self.services = GattManagerObject(device, lambda: self.bus, self._sender)
        device.pairing_config_factory = self._pairing_config
        device.on(Device.EVENT_ADVERTISEMENT, self._advertised)
        device.on(Device.EVENT_CONNECTION, self._linked)

    async def start(self) -> None:
        """Is on the bus; knows the devices that it is bonded with."""
        self.adapter = AdapterObject(self)
        self.bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        # dbus-fast 5.2 ends the connection when the bus does not read for a moment
        writer: Any = self.bus._writer
        writer.sock = _Patient(writer.sock)
        self.bus.add_message_handler(self._saw)
        await self.bus.call(_watch_names())
        self.bus.export("/org/bluez", self.agents)
        self.bus.export(ADAPTER, self.adapter)
        self.bus.export(ADAPTER, self.services)
        for each in self._devices.values():
            each.exported(self.bus)
        await self.bus.request_name("org.bluez")
        self.is_up = True

    async def stop(self) -> None:
        """Leaves the bus, with all links; agents, services and strangers are forgotten."""
        self.is_up = False
        await self.adapter.stop_discovery()
        for each in list(self._devices.values()):
            await each.hang_up()
            each.removed(self.bus)
        self._devices = {path: each for path, each in self._devices.items() if each.paired}
        self.agents.agents, self.agents.default = [], None
        self.services.applications = {}
        self.bus.disconnect()

    async def restart(self) -> None:
        """Ends and is started again by systemd."""
        await self.stop()
        await self.start()

    async def remove(self, path: str) -> None:
        """Forgets a device and its key. Raises the error that BlueZ gives for a stranger."""
        known = self._devices.pop(path, None)
        if known is None:
            raise error("DoesNotExist", "Does Not Exist")
        known.paired = False
        await known.hang_up()
        known.removed(self.bus)
        if self.device.keystore is not None and await self.device.keystore.get(str(known.address)):
            await self.device.keystore.delete(str(known.address))

    async def lose_key(self, address: str) -> None:
        """Has lost what it kept of a device, as after a fault of the disk."""
        await self.remove(path_of(ADAPTER, address))

    async def powered(self, powered: bool) -> None:
        """Follows the adapter's switch."""
        self.switched.append(powered)
        self.stuck = False
        if not powered:
            await self.adapter.stop_discovery()
            for each in self._devices.values():
                await each.hang_up()

    def begin(self, work: "asyncio.Future[None]") -> None:
        """Remembers what goes on beside."""
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    def _advertised(self, advertisement: Advertisement) -> None:
        if advertisement.is_scan_response or not self.is_up or not self.adapter.scans:
            return
        path = path_of(ADAPTER, plain(advertisement.address))
        known = self._devices.get(path)
        if known is not None:
            known.heard(advertisement)
            return
        self._make_room()
        self._devices[path] = made = DeviceObject(self, ADAPTER, advertisement)
        made.exported(self.bus)

    def _linked(self, connection: Connection) -> None:
        def asked(_: int) -> None:
            path = path_of(ADAPTER, plain(connection.peer_address))
            if path in self._devices:
                self._devices[path].asked_for_key(connection)

        connection.on(Connection.EVENT_SECURITY_REQUEST, asked)

    def _make_room(self) -> None:
        idle = [
            path
            for path, each in self._devices.items()
            if not each.paired and each.connection is None
        ]
        for path in idle[: max(0, len(self._devices) + 1 - MOST_DEVICES)]:
            self._devices.pop(path).removed(self.bus)

    def _pairing_config(self, connection: Connection) -> PairingConfig:
        known = self._devices.get(path_of(ADAPTER, plain(connection.peer_address)))
        if known is None or known.delegate is None:
            return PairingConfig(delegate=PairingDelegate())
        return pairing_config(known.delegate)

    def _saw(self, message: Message) -> None:
        """Notes who has sent a call, and what somebody leaves behind who leaves the bus."""
        if message.member == "NameOwnerChanged" and message.body[2] == "":
            self._left(message.body[0])
        elif message.member is None or not message.sender:
            return
        elif message.member == "StartDiscovery":
            self._scans_for = message.sender
        elif message.member == "StartNotify":
            self._notified.append((message.sender, message.path or ""))
        elif message.body and isinstance(message.body[0], str):
            self._senders[message.member, message.body[0]] = message.sender

    def _sender(self, member: str, path: str) -> str:
        return self._senders[member, path]

    def _left(self, owner: str) -> None:
        """Ends what a program had begun that has left the bus; links stay, as in BlueZ."""
        self.agents.left(owner)
        self.services.left(owner)
        if owner == self._scans_for:
            self.begin(asyncio.ensure_future(self.adapter.stop_discovery()))
        places = {path for each, path in self._notified if each == owner}
        self._notified = [each for each in self._notified if each[0] != owner]
        for device in self._devices.values():
            for path in places & device.children.keys():
                child = device.children[path]
                if isinstance(child, CharacteristicObject):
                    self.begin(asyncio.ensure_future(child.stop_notify()))


class _Patient:
    """A socket that has sent nothing where it would have to wait, in the place of an error."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, data: bytes) -> int:
        """Octets that were sent, perhaps none."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _watch_names() -> Message:
    """Asks the bus to tell who leaves it."""
    return Message(
        destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
        interface="org.freedesktop.DBus",
        member="AddMatch",
        signature="s",
        body=["type='signal',interface='org.freedesktop.DBus',member='NameOwnerChanged'"],
    )
