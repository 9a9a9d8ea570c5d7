"""The gateway of one home: places what the radio reads, keeps it on disk, has it sent.

`Agent` is whom the radio calls for: it decides what a visit may ask for (everything, or what is new
since the last record on disk), gives each reading its time and its lasting identity, and returns to
the talk when the reading is in the spool. `Gateway` holds the parts together and runs them. May
hold: this order of things. May not: bleak, paho, SQL, bytes of a profile.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from gateway_agent.calling import Patience
from gateway_agent.clock import EARLIEST, clock_offset, place_in_time, settle
from gateway_agent.config import GatewaySettings
from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.quirk import STANDARD, Quirk
from gateway_agent.radio import Backends, Radio
from gateway_agent.spool import Known, Spool
from gateway_agent.talk import About, ClockSeen, Driver, Refused, Visit
from gateway_agent.uplink import Uplink
from vitals.errors import KangbanError, TryAgain
from vitals.measurement import Measurement, Reading, place
from vitals.wire import VERSION, DeviceHealth, Health

log = logging.getLogger(__name__)

T = TypeVar("T")

# seconds between two tries to keep a reading when the disk is full: the device has already
# forgotten it, so the gateway holds on to it
FULL_DISK_PAUSE_S = 5.0


# devices that one health message speaks of: a home has a few, and 100 take about 25 kB of the 128
# that a message may have; engineering choice
MOST_DEVICES = 100
_SAID_OF_A_DEVICE = frozenset(each.name for each in fields(DeviceHealth)) - {
    "last_seen_at",
    "clock_offset_s",
}


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class Agent:
    """Keeps what is read and knows the state of every device."""

    def __init__(
        self,
        name: str,
        spool: Spool,
        *,
        zone: tzinfo,
        now: Callable[[], datetime],
        admit_all: bool = False,
    ) -> None:
        self.name, self.zone, self.now = name, zone, now
        self._admit_all = admit_all
        self.on_change: Callable[[], None] = lambda: None
        # what the box adds to a word of health
        self.with_box: Callable[[Health], Health] = lambda health: health
        # who follows a pairing hears what its first visit brings
        self.on_kept: Callable[[str, tuple[Measurement, ...]], None] = lambda *_: None
        self.on_clock: Callable[[str, ClockSeen], None] = lambda *_: None
        self._spool = spool
        # one thread for the disk: an fsync on an SD card must not hold up what the radio hears
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"spool {name}")
        known = spool.devices()
        self._devices = {
            device: _health(each) for device, each in known.items() if each.last_seen_at is not None
        }
        self._added = {device for device, each in known.items() if each.added_at is not None}

    def close(self) -> None:
        """Waits for the disk."""
        self._disk.shutdown()

    def admits(self, device: str) -> bool:
        """May this device be called on? The neighbour's cuff may not."""
        return self._admit_all or device in self._added

    async def add(self, device: str) -> None:
        """A person wants this device to be read from now on."""
        await self.on_disk(partial(self._spool.add_device, device, now=self.now()))
        self._added.add(device)
        self.on_change()

    async def remove(self, device: str) -> None:
        """A person wants this device to be left alone; what was read from it stays."""
        self._added.discard(device)
        await self.on_disk(partial(self._spool.remove_device, device))
        self.on_change()

    async def begin(
        self, device: str, driver: Driver, *, name: str, rssi_dbm: int, quirk: Quirk = STANDARD
    ) -> "Visiting":
        """A visit to this device. Raises TryAgain when what the device would hand over could not be
        kept: the disk takes nothing, or the gateway does not know the time."""
        if self.now() < EARLIEST:
            # what is placed by such a clock is refused by the server, and a cuff has forgotten it
            raise TryAgain(
                f"the clock of this gateway shows {self.now():%Y-%m-%d}: connect it to the network "
                "or set its clock. Until then records stay in their devices."
            )
        known = await self.on_disk(partial(self._spool.known, device))
        before = self._devices.get(device)
        health = replace(
            before or DeviceHealth(last_seen_at=self.now()),
            last_seen_at=self.now(),
            kind=driver.kind,
            name=name or (before.name if before else ""),
            rssi_dbm=rssi_dbm,
        )
        await self.note(device, health)
        return Visiting(self, known, quirk)

    async def note(self, device: str, health: DeviceHealth) -> None:
        """Writes down how a device is; people are told when something else than the time moved."""
        before, self._devices[device] = self._devices.get(device), health
        about = {
            key: value
            for key, value in asdict(health).items()
            if key not in ("last_seen_at", "clock_offset_s") and value is not None
        }
        await self.on_disk(
            partial(
                self._spool.note,
                device,
                last_seen_at=health.last_seen_at,
                about=about,
                clock_offset_s=health.clock_offset_s,
            )
        )
        if before is None or _lasting(before) != _lasting(health):
            self.on_change()

    def device(self, device: str) -> DeviceHealth:
        """How this device is, as last seen."""
        return self._devices[device]

    def health(self) -> Health:
        """The gateway's word about itself."""
        health = Health(
            v=VERSION,
            gateway=self.name,
            sent_at=self.now(),
            spooled=self._spool.depth(),
            withheld=self._spool.withheld(),
            software=software(),
            devices=self._lately_seen(),
        )
        return self.with_box(health)

    def _lately_seen(self) -> dict[str, DeviceHealth]:
        """The devices seen last: strangers that change their address must not fill the message."""
        newest = sorted(self._devices.items(), key=lambda each: each[1].last_seen_at, reverse=True)
        return dict(newest[:MOST_DEVICES])

    async def keep(self, reading: Reading, known: Known, *, seen: ClockSeen | None) -> bool:
        """Whether the reading was new; returns when it is on disk, however long that takes."""
        placed = place_in_time(reading, seen=seen, received_at=self.now(), zone=self.zone)
        measurements = place(
            reading,
            device=known.device,
            taken_at=placed.taken_at,
            clock=placed.clock,
            offset=placed.offset,
        )
        keep = partial(
            self._spool.keep,
            reading,
            measurements,
            device=known.device,
            resync=not known.whole,
            last_sequence=known.last_sequence,
            now=self.now(),
        )
        while True:
            try:
                new = await self.on_disk(keep)
            except TryAgain as error:
                log.error("%s A reading waits in memory until then.", error)
                await self._make_room()
            else:
                if new:
                    self.on_kept(known.device, measurements)
                return new

    async def read_to_the_end(self, known: Known) -> None:
        """Notes that this device has nothing more to say."""
        await self.on_disk(partial(self._spool.read_to_the_end, known.device, known.last_sequence))

    async def _make_room(self) -> None:
        try:
            await self.on_disk(self._spool.make_room)
        except TryAgain:
            log.debug("There is nothing that may be dropped.")
        await asyncio.sleep(FULL_DISK_PAUSE_S)

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Does what may wait for the disk, beside the radio."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


class Visiting:
    """One visit: `conversation.Call` for the radio."""

    def __init__(self, agent: Agent, known: Known, quirk: Quirk) -> None:
        self._agent, self._known = agent, known
        self._seen: ClockSeen | None = None
        self._health = agent.device(known.device)
        self._new = self._refused = 0
        self.visit = Visit(device=known.device, last_sequence=known.last_sequence, quirk=quirk)

    async def keep(self, reading: Reading) -> None:
        """Returns when the reading is on disk, with the mark of how far this device was read."""
        highest = max(reading.sequence, self._known.last_sequence or 0)
        self._known = replace(self._known, last_sequence=highest)
        if await self._agent.keep(reading, self._known, seen=self._seen):
            self._new += 1
            if reading.withheld is not None:
                log.info("%s: record %s withheld.", self._known.device, reading.withheld)

    def clock_seen(self, seen: ClockSeen) -> None:
        """Takes the device's clock; a second's difference to the last visit's is none."""
        before = self._known.clock_offset_s
        last = None if before is None else timedelta(seconds=before)
        self._seen = settle(seen, last)
        self._agent.on_clock(self._known.device, self._seen)
        offset_s = round(clock_offset(self._seen).total_seconds())
        self._health = replace(self._health, clock_offset_s=offset_s)

    def clock_to_set(self, at: datetime) -> datetime | None:
        """What the device's clock should show now; None: it stays as it is."""
        return None

    def clock_was_set(self, *, shows: datetime, at: datetime) -> None:
        """Takes down that the clock was set."""

    def about(self, about: About) -> None:
        """Takes what the device says of itself."""
        before, percent = self._health, about.battery_percent
        self._health = replace(
            before,
            model=about.model or before.model,
            battery_percent=before.battery_percent if percent is None else percent,
        )

    def refused(self, refused: Refused) -> None:
        """Logs bytes that no decoder takes, with what to do."""
        self._refused += 1
        log.warning(
            "%s sent %s on %s: %s",
            self._known.device,
            refused.data.hex() or "nothing",
            refused.characteristic,
            refused.reason,
        )

    async def finished(self) -> None:
        """Notes that this device was read to the end."""
        await self._agent.read_to_the_end(self._known)
        failure = None
        if self._refused:
            failure = f"{self._refused} values could not be understood: see the gateway's log."
        await self._note(failure)
        log.info("%s: %d new readings.", self._known.device, self._new)

    async def failed(self, error: KangbanError) -> None:
        """Notes why the visit broke off; what was read is kept."""
        await self._note(str(error))

    async def _note(self, failure: str | None) -> None:
        self._health = replace(self._health, failure=failure, last_seen_at=self._agent.now())
        try:
            await self._agent.note(self._known.device, self._health)
        except TryAgain as trouble:
            log.error("%s", trouble)


class Gateway:
    """The parts of one gateway, running: spool, uplink, radio.

    `now` stamps readings and envelopes (a simulated home may be fast-forwarded); `backends` stands
    in for BlueZ.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        backends: Backends | None = None,
        now: Callable[[], datetime] = utc_now,
        patience: Patience | None = None,
    ) -> None:
        self.spool = Spool(settings.data.expanduser() / f"{settings.name}.sqlite")
        self.agent = Agent(
            settings.name,
            self.spool,
            zone=settings.timezone,
            now=now,
            admit_all=settings.admit == "all",
        )
        self.uplink = Uplink(
            settings, self.spool, health=self.agent.health, now=now, software=software()
        )
        self.agent.on_change = self.uplink.tell_health
        self.radio = Radio(
            drivers=DRIVERS,
            household=self.agent,
            now=now,
            adapter=settings.adapter,
            backends=backends,
            patience=patience,
        )
        self._radio_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to send what is in the spool and to call on devices."""
        self.uplink.start()
        self._radio_task = asyncio.create_task(self.radio.run())

    async def stop(self) -> None:
        """Hangs up, stops sending and closes the spool; nothing that was read is lost."""
        if self._radio_task is not None:
            await self.radio.close()
            self._radio_task.cancel()
            await asyncio.gather(self._radio_task, return_exceptions=True)
            await asyncio.to_thread(self.uplink.stop)
        self.agent.close()
        self.spool.close()


def software() -> str:
    """Name and version of this program, as they travel in envelopes."""
    try:
        return f"kangban {version('kangban')}"
    except PackageNotFoundError:
        return "kangban"


def _health(known: Known) -> DeviceHealth:
    assert known.last_seen_at is not None
    # a spool that a newer release has written may say more
    about: dict[str, Any] = {
        key: value for key, value in known.about.items() if key in _SAID_OF_A_DEVICE
    }
    return DeviceHealth(
        last_seen_at=known.last_seen_at, clock_offset_s=known.clock_offset_s, **about
    )


def _lasting(health: DeviceHealth) -> tuple[object, ...]:
    """What is worth a word of its own when it changes; the rest goes with the next one."""
    return (health.kind, health.name, health.model, health.battery_percent, health.failure)
