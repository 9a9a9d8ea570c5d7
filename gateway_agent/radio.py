"""The Bluetooth radio: hears devices, calls on them, and pumps their driver's talk.

One scanner for all devices, started once; connects one at a time, conversations side by side. A
call subscribes before it does anything else, because a bonded cuff sends its memory the moment the
link is up; what arrives waits in order, with its time of arrival. A `Keep` is answered when the
reading is on disk, not before. May hold: who is called on when, and this order of things. May not:
bytes of a profile (drivers), SQL, the network.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from typing import Protocol

from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from gateway_agent.adding import Adding, Wish
from gateway_agent.bluez import BlueZ
from gateway_agent.bonding import Asker, Bonds, LostBond, PairingFailed
from gateway_agent.calling import CallBook, Patience
from gateway_agent.conversation import Call, Conversation, Link
from gateway_agent.drivers.registry import short_name
from gateway_agent.linking import Linker, hang_up
from gateway_agent.litter import Litter
from gateway_agent.quirk import Bond, Quirk
from gateway_agent.reached import Reached
from gateway_agent.recognise import Advert, recognise
from gateway_agent.scanning import Scanner
from gateway_agent.sighting import Sighting, Sightings
from gateway_agent.talk import Driver
from vitals.command import Failure
from vitals.errors import KangbanError

log = logging.getLogger(__name__)

# links held at once; cheap adapters have five to seven slots, one is left for pairing
LINKS = 4
# seconds that a stop waits for calls under way: what a cuff has sent is written within that, and
# nobody who presses Ctrl-C waits for long; engineering choice
GOODBYE_S = 5.0
# seconds after which a call is hung up on: 65,000 records at 50 a second take 22 minutes; the
# talk then keeps what has arrived and ends as it would at any loss of the link; engineering choice
LONGEST_CALL_S = 1800.0
# advertisements whose meaning is remembered: who it is costs a walk through the table of quirks
_RECOGNISED = 512


class Household(Protocol):
    """Whom the radio calls for."""

    def admits(self, device: str) -> bool:
        """May this device be called on?"""

    async def begin(
        self, device: str, driver: Driver, *, name: str, rssi_dbm: int, quirk: Quirk
    ) -> Call:
        """A call that may take place; raises TryAgain when nothing could be kept now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """What stands in for BlueZ: the simulator's adapter, or another system's."""

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]
    bonds: Bonds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    device: BLEDevice
    sighting: Sighting


class Radio:
    """One adapter and the devices in its reach. `now` stamps what arrives; `zone` is what the
    gateway's own Current Time Service shows to devices that ask for the time; `on_trouble` is
    called when something goes wrong with the adapter or with BlueZ, or right again."""

    def __init__(
        self,
        *,
        drivers: Mapping[str, Driver],
        household: Household,
        now: Callable[[], datetime],
        adapter: str = "hci0",
        backends: Backends | None = None,
        patience: Patience | None = None,
        zone: tzinfo = UTC,
        on_trouble: Callable[[], None] = lambda: None,
    ) -> None:
        self._household, self._now = household, now
        self._recognise = lru_cache(_RECOGNISED)(partial(recognise, drivers=drivers))
        self._book = CallBook(patience=patience or Patience())
        self._sightings = Sightings()
        self._watchers: list[Callable[[Sighting], None]] = []
        # the device that a person is adding, and the next time it is heard
        self._adding: str | None = None
        self._awaited: asyncio.Future[_Heard] | None = None
        self._links = asyncio.Semaphore(LINKS)
        self._calls: dict[asyncio.Task[None], str] = {}
        self._closing = False
        # many simulated homes share one process, and their clients hold no bus
        self._litter = Litter() if backends is None else None
        self._bluez: BlueZ | None = None
        if backends is None:
            self._bluez = bluez = BlueZ(adapter, wall_clock=lambda: now().astimezone(zone))
        self.bonds: Bonds = bluez if backends is None else backends.bonds
        self._linker = Linker(
            adapter=adapter, backend=backends.client if backends else None, bonds=self.bonds
        )
        self._scanner = Scanner(
            self._advertised,
            now=now,
            adapter=adapter,
            backend=backends.scanner if backends else None,
            switch_anew=self._bluez.switch_anew if self._bluez else None,
        )
        for each in (self._scanner, self._bluez):
            if each is not None:
                each.troubles.on_change = on_trouble

    async def run(self) -> None:
        """Scans and calls until cancelled; never ends because of a device or the adapter."""
        async with asyncio.TaskGroup() as group:
            try:
                if self._bluez is not None:
                    group.create_task(self._bluez.run(on_change=self._scanner.start_anew))
                    try:
                        await self._bluez.hang_up(self._household.admits)
                    except Exception:
                        log.exception("Links that were left behind could not be ended.")
                await self._scanner.run()
            finally:
                for call in self._calls:
                    call.cancel()
                await asyncio.gather(*self._calls, return_exceptions=True)

    async def close(self) -> None:
        """Begins no call any more; returns when those under way have ended, or after GOODBYE_S.

        A cuff forgets what it has sent: a call that is cut off loses what waits to be written.
        """
        self._closing = True
        if self._calls:
            await asyncio.wait(self._calls, timeout=GOODBYE_S)

    async def quiet(self) -> None:
        """Returns when no call is under way."""
        while self._calls:
            await asyncio.wait(self._calls)

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong with the adapter or with BlueZ, each a short word with a sentence."""
        bluez = self._bluez.troubles if self._bluez is not None else {}
        return {**self._scanner.troubles, **bluez}

    @property
    def last_advert_at(self) -> datetime | None:
        """When any device was last heard, aware UTC."""
        return self._scanner.last_advert_at

    def sightings(self) -> list[Sighting]:
        """What was heard lately, strangers included, newest first."""
        return self._sightings.newest_first()

    def watch(self, callback: Callable[[Sighting], None]) -> Callable[[], None]:
        """Has the callback told of each device that is new or that turns out to be another; what it
        gives back ends that."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    async def pair(
        self,
        device: str,
        ask: Asker,
        *,
        on_connecting: Callable[[], None],
        on_bonded: Callable[[], None],
    ) -> None:
        """Returns when a device that a person is adding was bonded with, where it wants that, and
        visited. `on_bonded` is not called for one that wants no key. Raises PairingFailed.

        A person must answer within `bonding.ANSWER_S`; one device is added at a time.
        """
        if self._adding is not None or self._closing:
            raise PairingFailed(
                Failure.BUSY, f"{self._adding or 'The gateway'} is busy: wait a minute."
            )
        self._adding = device
        wish = Wish(device=device, ask=ask, on_connecting=on_connecting, on_bonded=on_bonded)
        try:
            while under_way := [each for each, whom in self._calls.items() if whom == device]:
                await asyncio.wait(under_way)
            await self._start(Adding(self, wish).run(), device)
            # it was visited just now
            self._book.called(device, self._now())
            self._book.ended(device, self._now(), well=True)
        finally:
            self._adding = None

    async def forget(self, device: str) -> None:
        """Throws the key of a device away, and all that is known of its calls."""
        self._book.forget(device)
        await self.bonds.forget(device)

    async def next_sighting(self, device: str, wait_s: float) -> Sighting:
        """The device that is being added, when it is next heard. Raises TimeoutError."""
        self._awaited = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(wait_s):
                self._found = await self._awaited
        finally:
            self._awaited = None
        return self._found.sighting

    def deafness(self) -> str | None:
        """What keeps the gateway from hearing anything; None where it can hear."""
        return next(iter(self.troubles.values()), None)

    def is_asking(self) -> None:
        """A device waits for a person: others may be called on meanwhile."""
        self._linker.give_turn()

    async def begin(self, sighting: Sighting) -> Call:
        """A call on a device that a driver reads. Raises TryAgain where nothing could be kept."""
        found = sighting.recognised
        assert found.driver is not None
        return await self._household.begin(
            sighting.device,
            found.driver,
            name=sighting.name,
            rssi_dbm=sighting.rssi_dbm,
            quirk=found.quirk,
        )

    async def visit(
        self, sighting: Sighting, call: Call, *, bond: Bond, on_bonded: Callable[[], None]
    ) -> None:
        """Visits the device that is being added, and makes a key as `bond` says. Raises
        KangbanError."""
        heard, link = self._found, Link(self._now)

        async def make_key() -> None:
            await self._linker.bond(client)
            on_bonded()

        connect = self._linker.connect
        if bond is Bond.AT_ONCE:
            connect = self._linker.connect_bonding
        try:
            client = await connect(heard.device, link)
            try:
                if bond is Bond.AT_ONCE:
                    on_bonded()
                await self._converse(
                    client, link, call, sighting, make_key if bond is Bond.WHEN_ASKED else None
                )
            finally:
                await hang_up(client)
        except KangbanError as error:
            await call.failed(error)
            raise
        held = await self.bonds.is_bonded(sighting.device)
        # BlueZ makes a key by itself where the device asks for one
        if held and bond is Bond.WHEN_ASKED:
            on_bonded()
        if held:
            call.bonded(True)
        await call.finished()

    def _advertised(self, device: BLEDevice, advert: AdvertisementData) -> None:
        name = device.name or advert.local_name or ""
        services = frozenset(short_name(each) for each in advert.service_uuids)
        sighting = Sighting(
            device=f"ble:{device.address}",
            name=name,
            rssi_dbm=advert.rssi,
            at=self._now(),
            recognised=self._recognise(Advert(name=name, services=services)),
        )
        if not self._sightings.is_known(sighting.device):
            self._scanner.met_stranger()
        if self._sightings.note(sighting):
            for tell in tuple(self._watchers):
                tell(sighting)
        heard = _Heard(device=device, sighting=sighting)
        if sighting.device == self._adding:
            if self._awaited is not None and not self._awaited.done():
                self._awaited.set_result(heard)
        elif self._is_due(sighting):
            self._book.called(sighting.device, sighting.at)
            self._start(self._visit(heard), sighting.device)

    def _is_due(self, sighting: Sighting) -> bool:
        driver = sighting.recognised.driver
        if driver is None or not self._household.admits(sighting.device):
            return False
        is_due = self._book.is_due(sighting.device, revisit_s=driver.revisit_s, now=sighting.at)
        return is_due and not self._closing

    def _start(self, work: Coroutine[None, None, None], device: str) -> asyncio.Task[None]:
        call = asyncio.create_task(work)
        self._calls[call] = device
        call.add_done_callback(self._ended)
        return call

    def _ended(self, call: asyncio.Task[None]) -> None:
        del self._calls[call]
        if self._litter is not None:
            self._litter.call_ended()

    async def _visit(self, heard: _Heard) -> None:
        device, well = heard.sighting.device, False
        try:
            call = await self.begin(heard.sighting)
            well = await self._call_on(heard, call)
        except KangbanError as error:
            log.error("%s is not called on: %s", device, error)
        except Exception:
            log.exception("A fault in this program broke off the call on %s.", device)
        finally:
            self._book.ended(device, self._now(), well=well)

    async def _call_on(self, heard: _Heard, call: Call) -> bool:
        try:
            async with self._links:
                link = Link(self._now)
                client = await self._linker.connect(heard.device, link)
                try:
                    await self._converse(client, link, call, heard.sighting, None)
                finally:
                    await hang_up(client)
        except KangbanError as error:
            log.warning("%s: %s", heard.sighting.device, error)
            if isinstance(error, LostBond):
                call.bonded(False)
            await call.failed(error)
            return False
        await call.finished()
        return True

    async def _converse(
        self,
        client: BleakClient,
        link: Link,
        call: Call,
        sighting: Sighting,
        make_key: Callable[[], Awaitable[None]] | None,
    ) -> None:
        driver = sighting.recognised.driver
        assert driver is not None
        reached = Reached(client, link, driver, bond=make_key)
        cut = asyncio.get_running_loop().call_later(LONGEST_CALL_S, self._cut, client, sighting)
        try:
            await Conversation(reached, link, driver, call).hold()
        finally:
            cut.cancel()
        if reached.arrived == 0:
            # a cuff that sent before it was subscribed to has forgotten what it sent
            log.warning("%s was connected and sent nothing.", sighting.device)

    def _cut(self, client: BleakClient, sighting: Sighting) -> None:
        log.warning("%s is hung up on after %.0f s.", sighting.device, LONGEST_CALL_S)
        self._start(hang_up(client), sighting.device)
