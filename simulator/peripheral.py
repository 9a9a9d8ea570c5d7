"""What all simulated devices share: a clock of their own, the air, faults, and a count.

A device takes records from a patient's story, goes on air while it has something to say, and falls
silent when it has said it. `handed_over` counts the measurements (values, by the story's own
arithmetic, never by decoding) that it has given away by radio, each once however often it was sent.
Faults are set before or during a run and happen once each. May hold: what every device needs. May
not: the services of one kind of device.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bumble import att, core
from bumble.core import UUID, AdvertisingData
from bumble.data_types import (
    CompleteListOf16BitServiceUUIDs,
    CompleteListOf128BitServiceUUIDs,
    CompleteLocalName,
    Flags,
)
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers.battery import BATTERY_LEVEL, BatteryLevel
from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.device_information import FIRMWARE, MANUFACTURER, MODEL, SERIAL, Text
from gateway_agent.gatt import CannotDecode
from simulator.link import Air, device_on, hang_up
from simulator.security import OPEN, Guard, Security

log = logging.getLogger(__name__)

# assigned numbers of the services that every simulated device may have
DEVICE_INFORMATION_SERVICE, BATTERY_SERVICE, CURRENT_TIME_SERVICE = "180A", "180F", "1805"

READ, NOTIFY, INDICATE, WRITE = (
    Characteristic.Properties.READ,
    Characteristic.Properties.NOTIFY,
    Characteristic.Properties.INDICATE,
    Characteristic.Properties.WRITE,
)
NOT_READABLE = Characteristic.Permissions(0)


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong with a device; each entry happens once.

    `drop_after`: the link goes down after so many records of a visit. `truncate`: so many records
    lose their last octet on the air. `repeats`: every record is sent so many times more.
    `clock_offset`: what the device's clock shows too much (a wrong year is a large one).
    """

    drop_after: list[int] = field(default_factory=list)
    truncate: int = 0
    repeats: int = 0
    clock_offset: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a device is: its address on the air, what it says of itself, whom it lets read it."""

    address: str
    name: str
    model: str
    serial: str = "SIM0001"
    battery_percent: int = 80
    security: Security = OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a device stands: its air, the true time, and the zone its owner set its clock to."""

    air: Air
    now: Callable[[], datetime]
    zone: ZoneInfo


class Dropped(Exception):
    """The device has dropped the link, as its faults say."""


class Peripheral:
    """One simulated device."""

    SERVICE: str

    def __init__(self, home: Home, identity: Identity, *, faults: Faults | None = None) -> None:
        self.identity, self.faults = identity, faults or Faults()
        self._home = home
        self.device = device_on(home.air, name=identity.name, address=identity.address)
        own = self.services()
        self.device.add_services([*own, *self._common_services()])
        self.guard = Guard(self.device, identity.security)
        self.guard.close(own)
        self.device.on(self.device.EVENT_CONNECTION, self._connected)
        self.handed_over = 0
        self.handed_over_at: datetime | None = None
        # set at each hand-over, for who waits for the next one
        self.handed = asyncio.Event()
        # set while the device has nothing to say and nobody is connected
        self.silent = asyncio.Event()
        self.silent.set()
        # loop time of the last question, for devices that hang up when nobody asks any more
        self.asked_at_s = 0.0
        # of each write to its clock: how many records were unread by then
        self.clock_writes: list[int] = []
        self._sent_this_visit = 0
        self._connection: Connection | None = None
        # bumble does not bear two at once
        self._going_on_air = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._alone: asyncio.Task[None] | None = None

    @property
    def key(self) -> str:
        """The name under which measurements of this device travel."""
        return f"ble:{self.identity.address}"

    @property
    def connected(self) -> bool:
        """Is anybody on the line?"""
        return self._connection is not None

    def services(self) -> Sequence[Service]:
        """The services of this kind of device."""
        raise NotImplementedError

    def has_news(self) -> bool:
        """Is there anything that was not yet said to the end?"""
        raise NotImplementedError

    def own_time(self, at: datetime) -> datetime:
        """What the device's clock shows at this moment: naive, with its fault."""
        return at.astimezone(self._home.zone).replace(tzinfo=None) + self.faults.clock_offset

    async def switch_on(self) -> None:
        """Powers the device on; it advertises when it has news."""
        await self.device.power_on()

    async def switch_off(self) -> None:
        """Powers the device off; an open link goes down."""
        for task in tuple(self._tasks):
            task.cancel()
        if self._connection is not None:
            await self.hang_up()
        await self.device.power_off()

    async def go_on_air(self) -> None:
        """Advertises, if there is news and nobody is connected."""
        async with self._going_on_air:
            await self._go_on_air()

    async def _go_on_air(self) -> None:
        if not self.has_news():
            return
        self.silent.clear()
        if self._connection is not None or self.device.is_advertising:
            return
        self.device.advertising_data = bytes(
            AdvertisingData(
                [
                    Flags(
                        AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE
                        | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
                    ),
                    _advertised([UUID(self.SERVICE)]),
                    CompleteLocalName(self.identity.name),
                ]
            )
        )
        await self.device.start_advertising(auto_restart=False)

    async def advertise_anew(self) -> None:
        """Advertises though bumble takes it to be doing so: its advertising may have been lost in a
        connection that did not come about."""
        async with self._going_on_air:
            with suppress(KeyError):
                await self.device.stop_advertising()
            await self._go_on_air()

    def hand_over(self, values: int) -> None:
        """Counts measurements that have left by radio."""
        self.handed_over += values
        self.handed_over_at = self._home.now()
        self.handed.set()

    async def send(self, payload: bytes, put: Callable[[bytes], Awaitable[None]]) -> bool:
        """Sends one record as the faults will have it; whether it left whole. Raises Dropped."""
        drops = self.faults.drop_after
        if drops and self._sent_this_visit >= drops[0]:
            drops.pop(0)
            await self.hang_up()
            raise Dropped
        self._sent_this_visit += 1
        whole = self.faults.truncate == 0
        if not whole:
            self.faults.truncate -= 1
            payload = payload[:-1]
        for _ in range(1 + self.faults.repeats):
            await put(payload)
        return whole

    def run(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Does something beside; a link that goes down ends it without a word."""

        async def quietly() -> None:
            try:
                await work
            except (Dropped, core.BaseBumbleError, TimeoutError, ConnectionError) as error:
                log.debug("%s: %r", self.identity.name, error)

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def run_alone(self, work: Coroutine[None, None, None]) -> None:
        """Does something beside, unless this is being done: a device that is subscribed to twice
        sends once; nor while its pairing does not let it."""
        if not self.guard.may_send or (self._alone is not None and not self._alone.done()):
            work.close()
            return
        self._alone = self.run(work)

    async def hang_up(self) -> None:
        """Ends the link, if there is one."""
        connection = self._connection
        if connection is not None:
            await hang_up(connection, lambda: self._forgotten(connection))

    def _forgotten(self, connection: Connection) -> None:
        if self._connection is connection:
            self._disconnected(0)

    def _connected(self, connection: Connection) -> None:
        self._connection, self._sent_this_visit = connection, 0
        self.asked_at_s = asyncio.get_running_loop().time()
        connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)

    def _disconnected(self, _: int) -> None:
        self._connection = None
        for task in tuple(self._tasks):
            task.cancel()
        if self.has_news():
            self.run(self.go_on_air())
        else:
            self.silent.set()

    def _common_services(self) -> list[Service]:
        who = self.identity
        texts = {MANUFACTURER: "Kangban simulator", MODEL: who.model, SERIAL: who.serial}
        texts[FIRMWARE] = "1.0"
        battery = BatteryLevel(percent=who.battery_percent).encode()
        return [
            Service(
                DEVICE_INFORMATION_SERVICE,
                [self.answering(uuid, Text(text=text).encode) for uuid, text in texts.items()],
            ),
            Service(BATTERY_SERVICE, [self.answering(BATTERY_LEVEL, lambda: battery)]),
        ]

    def clock_service(self) -> Service:
        """Current Time, for the kinds of devices that keep one."""
        return Service(CURRENT_TIME_SERVICE, [self.clock()])

    def clock(self) -> "Characteristic[bytes]":
        """0x2A2B, read at the moment of reading; a write sets it."""

        def read(_: Connection) -> bytes:
            self.asked_at_s = asyncio.get_running_loop().time()
            return CurrentTime.of(self.own_time(self._home.now())).encode()

        return Characteristic(
            CURRENT_TIME,
            READ | WRITE,
            Characteristic.READABLE | Characteristic.WRITEABLE,
            CharacteristicValue(read=read, write=self._clock_written),
        )

    def unread(self) -> int:
        """How many records the other side has not yet been given."""
        return 0

    def _clock_written(self, _: Connection, value: bytes) -> None:
        try:
            shows = CurrentTime.decode(value).moment()
        except CannotDecode:
            shows = None
        if shows is None:
            # Current Time Service: a value that is not accepted
            raise att_error(0x80)
        self.asked_at_s = asyncio.get_running_loop().time()
        self.clock_writes.append(self.unread())
        self.faults.clock_offset += shows - self.own_time(self._home.now())

    def answering(self, uuid: str, value: Callable[[], bytes]) -> "Characteristic[bytes]":
        """A characteristic whose value is asked for at each read."""

        def read(_: Connection) -> bytes:
            self.asked_at_s = asyncio.get_running_loop().time()
            return value()

        return Characteristic(uuid, READ, Characteristic.READABLE, CharacteristicValue(read=read))

    def wants(self, connection: Connection, characteristic: "Characteristic[bytes]") -> bool:
        """Has the other side subscribed to this characteristic?"""
        bits = self.device.gatt_server.read_cccd(connection, characteristic)[0]
        return bits != 0


def _advertised(
    services: Sequence[UUID],
) -> CompleteListOf16BitServiceUUIDs | CompleteListOf128BitServiceUUIDs:
    if len(services[0].uuid_bytes) == 2:
        return CompleteListOf16BitServiceUUIDs(services)
    return CompleteListOf128BitServiceUUIDs(services)


def readable(uuid: str, value: bytes) -> "Characteristic[bytes]":
    """A characteristic that can be read and never changes."""
    return Characteristic(uuid, READ, Characteristic.READABLE, value)


def att_error(code: int) -> att.ATT_Error:
    """An error that bumble answers with; any other exception leaves a request unanswered."""
    return att.ATT_Error(error_code=code)
