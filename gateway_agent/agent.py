"""Whom the radio calls for: places what it reads, keeps it on disk, knows how each device is.

It decides what a visit may ask for (everything, or what is new since the last record on disk),
gives each reading its time and its lasting identity, and returns to the talk when the reading is in
the spool. May hold: this order of things. May not: bleak, paho, SQL, bytes of a profile.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from gateway_agent.clock_care import own_clock_trouble
from gateway_agent.quirk import STANDARD, Quirk
from gateway_agent.spool import ClockRow, Known, Spool
from gateway_agent.talk import About, ClockSeen, Driver
from gateway_agent.visiting import Visiting
from vitals.errors import TryAgain
from vitals.measurement import Measurement, Reading
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
    """Keeps what is read and knows the state of every device.

    `time_is_sure`: is this computer's clock kept right? None: that cannot be told.
    """

    def __init__(
        self,
        name: str,
        spool: Spool,
        *,
        zone: tzinfo,
        now: Callable[[], datetime],
        admit_all: bool = False,
        time_is_sure: Callable[[], bool | None] = lambda: None,
    ) -> None:
        self.name, self.zone, self.now = name, zone, now
        self.time_is_sure = time_is_sure
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
        # those that people have heard of
        self._troubles: dict[str, str] = {}
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

    async def consent(self, device: str, user: int, code: int) -> None:
        """A person tells the code by which a shared device hands over a user's readings."""
        await self.on_disk(partial(self._spool.note_consent, device, user, code))

    async def begin(
        self, device: str, driver: Driver, *, name: str, rssi_dbm: int, quirk: Quirk = STANDARD
    ) -> Visiting:
        """A visit to this device. Raises TryAgain when what the device would hand over could not be
        kept: the disk takes nothing, or the gateway does not know the time."""
        trouble = await self.on_disk(self._clock_trouble)
        has_room = await self.on_disk(self._spool.has_room)
        troubles = self._tell_troubles()
        if trouble is not None:
            raise TryAgain(trouble)
        if not has_room:
            raise TryAgain(troubles["disk"])
        known = await self.on_disk(partial(self._spool.known, device))
        history = await self.on_disk(partial(self._spool.clock_history, device))
        before = self._devices.get(device)
        health = replace(
            before or DeviceHealth(last_seen_at=self.now()),
            last_seen_at=self.now(),
            kind=driver.kind,
            name=name or (before.name if before else ""),
            rssi_dbm=rssi_dbm,
        )
        await self.note(device, health)
        consents = await self.on_disk(partial(self._spool.consents, device))
        return Visiting(self, known, quirk, history, consents=consents)

    async def note(self, device: str, health: DeviceHealth, *, said: About | None = None) -> None:
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
                serial=None if said is None else said.serial,
                firmware=None if said is None else said.firmware,
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
            troubles=self._ails(),
            devices=self._lately_seen(),
        )
        return self.with_box(health)

    def _lately_seen(self) -> dict[str, DeviceHealth]:
        """The devices seen last: strangers that change their address must not fill the message."""
        newest = sorted(self._devices.items(), key=lambda each: each[1].last_seen_at, reverse=True)
        return {
            device: replace(each, added=self.admits(device))
            for device, each in newest[:MOST_DEVICES]
        }

    def _ails(self) -> dict[str, str]:
        """What is wrong with the spool and with the gateway's own clock."""
        trouble = self._clock_trouble()
        clock = {} if trouble is None else {"clock": trouble}
        return {**self._spool.troubles(), **clock}

    def _clock_trouble(self) -> str | None:
        return own_clock_trouble(
            self.now(),
            last_spooled_at=self._spool.last_spooled_at(),
            time_is_sure=self.time_is_sure(),
        )

    def _tell_troubles(self) -> dict[str, str]:
        """What is wrong now; people are told when a trouble has come or gone."""
        before, self._troubles = self._troubles, self._ails()
        if before.keys() != self._troubles.keys():
            self.on_change()
        return self._troubles

    async def keep(
        self,
        reading: Reading,
        measurements: tuple[Measurement, ...],
        *,
        device: str,
        resync: bool,
        last_sequence: int | None,
    ) -> bool:
        """Whether the reading was new; returns when it is on disk, however long that takes."""
        keep = partial(
            self._spool.keep,
            reading,
            measurements,
            device=device,
            resync=resync,
            last_sequence=last_sequence,
            now=self.now(),
        )
        waits = False
        while True:
            try:
                new = await self.on_disk(keep)
            except TryAgain as error:
                log.error("%s A reading waits in memory until then.", error)
                waits = True
                await self._make_room()
            else:
                if waits:
                    self._tell_troubles()
                if new:
                    self.on_kept(device, measurements)
                return new

    async def doubt(self, ids: Sequence[str]) -> None:
        """Marks measurements that still wait as unsure of their time."""
        await self.on_disk(partial(self._spool.doubt, ids))

    async def read_to_the_end(self, device: str, last_sequence: int | None) -> None:
        """Notes that this device has nothing more to say."""
        await self.on_disk(
            partial(self._spool.read_to_the_end, device, last_sequence, now=self.now())
        )

    async def read_anew(self, device: str, last_sequence: int | None) -> None:
        """Notes that this device is being read from its beginning, and how far it has come."""
        await self.on_disk(partial(self._spool.read_anew, device, last_sequence))

    async def note_clock(self, device: str, row: ClockRow) -> None:
        """Writes down what happened to a device's clock."""
        await self.on_disk(partial(self._spool.note_clock, device, row))

    async def _make_room(self) -> None:
        try:
            await self.on_disk(self._spool.make_room)
        except TryAgain:
            log.debug("There is nothing that may be dropped.")
        await asyncio.sleep(FULL_DISK_PAUSE_S)

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Does what may wait for the disk, beside the radio."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._disk, work)
        except TryAgain:
            self._tell_troubles()
            raise


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
    return (
        health.kind,
        health.name,
        health.model,
        health.battery_percent,
        health.failure,
        health.clock_ails,
        health.bonded,
    )
