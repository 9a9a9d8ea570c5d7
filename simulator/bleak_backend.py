"""The simulated Bluetooth adapter: bleak's scanner and client over a bumble device.

`Adapter(air).backends` is given to the gateway's radio in place of BlueZ; everything above bleak is
the product as it runs in a home. It numbers characteristics as BlueZ does (by their declaration,
one below the value) and, like BlueZ, remembers the services of a device it has met. May hold: bleak
and bumble. May not: profiles, stories.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str
from bumble import att, core
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address

from gateway_agent import time_server
from gateway_agent.radio import Backends
from simulator.bonds import SimulatedBonds
from simulator.link import Air, device_on

T = TypeVar("T")

# octets; what BlueZ asks for
MTU = 517
# Client Characteristic Configuration (Core Vol 3, Part G, 3.3.3.3)
_CCCD = normalize_uuid_str("2902")
_NOTIFY, _INDICATE = b"\x01\x00", b"\x02\x00"


@dataclass(frozen=True, slots=True)
class _Characteristic:
    handle: int
    uuid: str
    properties: int
    descriptors: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Service:
    handle: int
    uuid: str
    characteristics: tuple[_Characteristic, ...]


class Adapter:
    """One virtual adapter in one household. `received` counts what was notified or indicated."""

    def __init__(self, air: Air, *, address: str = "C0:00:00:00:00:01") -> None:
        self.device: Device = device_on(air, name="gateway", address=address)
        self.connecting = asyncio.Lock()
        self.services: dict[str, tuple[_Service, ...]] = {}
        self.received = 0
        self.bonds = SimulatedBonds(self.device)
        self._scanners: set[_Scanner] = set()
        self.device.on(Device.EVENT_ADVERTISEMENT, self._advertised)

    async def switch_on(self) -> None:
        """Powers the adapter on."""
        await self.device.power_on()

    async def switch_off(self) -> None:
        """Powers the adapter off; every link goes down."""
        for connection in list(self.device.connections.values()):
            await connection.disconnect()
        await self.device.power_off()

    def serve_time(self, wall_clock: Callable[[], datetime]) -> None:
        """Shows the time of the household to devices that ask for it, as BlueZ does for us."""

        def shown(uuid: str) -> "Characteristic[bytes]":
            value = CharacteristicValue(read=lambda _: time_server.VALUES[uuid](wall_clock()))
            return Characteristic(
                uuid, Characteristic.Properties.READ, Characteristic.READABLE, value
            )

        service = Service(time_server.SERVICE, [shown(uuid) for uuid in time_server.VALUES])
        self.device.add_service(service)

    @property
    def backends(self) -> Backends:
        """What the radio gives to bleak."""
        mine = {"adapter": self}
        return Backends(
            scanner=type("SimulatedScanner", (_Scanner,), mine),
            client=type("SimulatedClient", (_Client,), mine),
            bonds=self.bonds,
        )

    async def listen(self, scanner: "_Scanner") -> None:
        """Has a scanner hear advertisements; the first one starts the scan."""
        self._scanners.add(scanner)
        if not self.device.is_scanning:
            scanning = self.device.start_scanning(
                legacy=True, active=False, filter_duplicates=False
            )
            await _undisturbed(scanning)

    async def stop_listening(self, scanner: "_Scanner") -> None:
        """The opposite; the last one stops the scan."""
        self._scanners.discard(scanner)
        if not self._scanners and self.device.is_scanning:
            await _undisturbed(self.device.stop_scanning(legacy=True))

    def _advertised(self, advertisement: Advertisement) -> None:
        # the virtual controller answers every scan with a copy of the advertisement
        if not advertisement.is_scan_response:
            for scanner in tuple(self._scanners):
                scanner.hear(advertisement)


class _Scanner(BaseBleakScanner):
    adapter: ClassVar[Adapter]

    def __init__(
        self, detection_callback: Any, service_uuids: list[str] | None, *_: Any, **__: Any
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        await self.adapter.listen(self)

    async def stop(self) -> None:
        await self.adapter.stop_listening(self)

    def hear(self, advertisement: Advertisement) -> None:
        data = advertisement_data(advertisement)
        if self.is_allowed_uuid(data.service_uuids):
            address = plain(advertisement.address)
            details = {"address": advertisement.address}
            device = self.create_or_update_device(address, address, data.local_name, details, data)
            self.call_detection_callbacks(device, data)


class _Client(BaseBleakClient):
    adapter: ClassVar[Adapter]

    def __init__(self, address_or_ble_device: BLEDevice | str, *_: Any, **kwargs: Any) -> None:
        super().__init__(
            address_or_ble_device,
            disconnected_callback=kwargs.get("disconnected_callback"),
            timeout=kwargs.get("timeout", 30.0),
        )
        self._peer_address = Address(self.address)
        if isinstance(address_or_ble_device, BLEDevice):
            self._peer_address = address_or_ble_device.details["address"]
        self._connection: Connection | None = None
        self._peer: Peer | None = None

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else att.ATT_DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        timeout = kwargs.get("timeout", self._timeout)
        # bumble allows one pending connection a device, and not that it is cancelled
        async with self.adapter.connecting:
            try:
                connecting = self.adapter.device.connect(self._peer_address, timeout=timeout)
                connection = await _undisturbed(connecting)
            except (core.TimeoutError, TimeoutError) as error:
                raise BleakDeviceNotFoundError(self.address, "it does not answer") from error
            except core.ConnectionError as error:
                raise BleakError(str(error)) from error
        connection.on(Connection.EVENT_DISCONNECTION, self._went_down)
        self._connection, self._peer = connection, Peer(connection)
        try:
            # as BlueZ does: the key first, then anything else
            if await self.adapter.bonds.is_bonded(f"ble:{self.address}"):
                await self._ask(connection.encrypt())
            elif pair:
                await self.pair()
            await self._ask(self._peer.request_mtu(MTU))
            if self.address not in self.adapter.services:
                self.adapter.services[self.address] = await self._ask(_discover(self._peer))
            self.services = self._collection(self.adapter.services[self.address])
        except BaseException:
            await self.disconnect()
            raise

    def _went_down(self, _: int) -> None:
        self._connection = self._peer = self.services = None
        if self._disconnected_callback:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._connection:
            try:
                await _undisturbed(self._connection.disconnect())
            except core.ProtocolError as error:
                raise BleakError(str(error)) from error

    async def pair(self, *_: Any, **__: Any) -> None:
        await self._ask(self._here().connection.pair())

    async def unpair(self) -> None:
        await self.adapter.bonds.forget(f"ble:{self.address}")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        value = await self._ask(self._here().gatt_client.read_value(characteristic.obj.handle))
        return bytearray(value)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        return bytearray(await self._ask(self._here().gatt_client.read_value(descriptor.handle)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        await self._write(characteristic.obj.handle, bytes(data), response=response)

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        await self._write(descriptor.handle, bytes(data), response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        def hear(value: bytes) -> None:
            self.adapter.received += 1
            callback(bytearray(value))

        client, handle = self._here().gatt_client, characteristic.obj.handle
        notifies = "notify" in characteristic.properties
        ears = client.notification_subscribers if notifies else client.indication_subscribers
        ears[handle] = {hear}
        await self._configure(characteristic, _NOTIFY if notifies else _INDICATE)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        client = self._here().gatt_client
        for ears in (client.notification_subscribers, client.indication_subscribers):
            ears.pop(characteristic.obj.handle, None)
        await self._configure(characteristic, b"\x00\x00")

    async def _configure(self, characteristic: BleakGATTCharacteristic, value: bytes) -> None:
        found = next((each for each in characteristic.descriptors if each.uuid == _CCCD), None)
        if found is None:
            raise BleakError(f"{characteristic.uuid} sends nothing")
        await self._write(found.handle, value, response=True)

    async def _write(self, handle: int, data: bytes, *, response: bool) -> None:
        await self._ask(self._here().gatt_client.write_value(handle, data, with_response=response))

    def _here(self) -> Peer:
        if self._peer is None:
            raise BleakError("Not connected")
        return self._peer

    async def _ask(self, request: Awaitable[T]) -> T:
        """The answer; errors of bumble become those of bleak."""
        try:
            return await request
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(int(error.error_code)) from error
        except (core.BaseBumbleError, TimeoutError) as error:
            raise BleakError(str(error)) from error
        except asyncio.CancelledError:
            # bumble cancels what waits when the link goes down
            task = asyncio.current_task()
            if self._connection is None and task is not None and not task.cancelling():
                raise BleakError("The link went down") from None
            raise

    def _collection(self, services: tuple[_Service, ...]) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in services:
            home = BleakGATTService(service, service.handle, service.uuid)
            found.add_service(home)
            for each in service.characteristics:
                names: list[Any] = list(gatt_char_props_to_strs(each.properties))
                characteristic = BleakGATTCharacteristic(
                    each, each.handle - 1, each.uuid, names, lambda: self.mtu_size - 3, home
                )
                found.add_characteristic(characteristic)
                for handle, uuid in each.descriptors:
                    descriptor = BleakGATTDescriptor(None, handle, uuid, characteristic)
                    found.add_descriptor(descriptor)
        return found


async def _undisturbed(command: Coroutine[Any, Any, T]) -> T:
    """Waits for a command of bumble, which must not be cancelled in its middle."""
    return await asyncio.shield(asyncio.ensure_future(command))


async def _discover(peer: Peer) -> tuple[_Service, ...]:
    services = []
    for service in await peer.discover_services():
        characteristics = []
        for each in await service.discover_characteristics():
            descriptors = await each.discover_descriptors()
            characteristics.append(
                _Characteristic(
                    each.handle,
                    uuid_of(each.uuid),
                    int(each.properties),
                    tuple((found.handle, uuid_of(found.type)) for found in descriptors),
                )
            )
        services.append(_Service(service.handle, uuid_of(service.uuid), tuple(characteristics)))
    return tuple(services)


def advertisement_data(advertisement: Advertisement) -> AdvertisementData:
    """What a device says of itself on the air, as bleak gives it."""
    name: str | None = None
    uuids: list[str] = []
    makers: dict[int, bytes] = {}
    services: dict[str, bytes] = {}
    for kind, raw in advertisement.data.ad_structures:
        if kind in (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME):
            name = raw.decode(errors="replace")
        elif kind in _UUIDS:
            size = _UUIDS[kind]
            parts = [raw[n : n + size] for n in range(0, len(raw), size)]
            uuids += [uuid_of(UUID.from_bytes(each)) for each in parts]
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA:
            makers[int.from_bytes(raw[:2], "little")] = raw[2:]
        elif kind == AdvertisingData.SERVICE_DATA_16_BIT_UUID:
            services[uuid_of(UUID.from_bytes(raw[:2]))] = raw[2:]
    return AdvertisementData(name, makers, services, uuids, None, advertisement.rssi, ())


# the lists of services in an advertisement, and the octets of each of their UUIDs
_UUIDS = {
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}


def uuid_of(uuid: UUID) -> str:
    """A UUID as bleak writes it."""
    return normalize_uuid_str(uuid.to_hex_str("-").lower())


def plain(address: Address) -> str:
    """An address as bleak writes it."""
    return address.to_string(with_type_qualifier=False)
