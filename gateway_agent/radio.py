"""The Bluetooth radio: hears devices, calls on them, and pumps their driver's talk.

One scanner for all devices, started once: BlueZ fails where scans and connects overlap or where a
connect by address starts a scan of its own. Connects happen one at a time, conversations side by
side. A call subscribes before it does anything else, because a bonded cuff sends its memory the
moment the link is up; what arrives waits in order, with its time of arrival. A `Keep` is answered
when the reading is on disk, not before. May hold: bleak, alone in this program. May not: bytes of a
profile (drivers), SQL, the network.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bleak import BleakClient, BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)
from bleak.uuids import normalize_uuid_str
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from gateway_agent.calling import CallBook, Patience
from gateway_agent.conversation import Call, Conversation, Link, lost
from gateway_agent.drivers.registry import short_name
from gateway_agent.quirk import Quirk
from gateway_agent.recognise import Advert, recognise
from gateway_agent.talk import Driver, Refusal
from vitals.errors import KangbanError, MendDevice, MendSettings, TryAgain

log = logging.getLogger(__name__)

# links held at once; cheap adapters have five to seven slots, one is left for pairing
LINKS = 4
# seconds for one read, write or subscription; ATT's own limit (Core Vol 3, Part F, 3.3.3)
ATT_TIMEOUT_S = 30.0
# connects tried in one call: a cuff is on air for half a minute only
CONNECT_ATTEMPTS = 2
# seconds without a single advertisement after which the scanner is started anew
DEAF_AFTER_S = 300.0
# seconds that a stop waits for calls under way: what a cuff has sent is written within that, and
# nobody who presses Ctrl-C waits for long; engineering choice
GOODBYE_S = 5.0
# seconds to wait when the adapter does not scan
ADAPTER_PAUSE_S = 10.0

# what bleak raises when the radio or D-Bus does not do what it should
_TROUBLE = (BleakError, TimeoutError, EOFError, OSError)


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


class Radio:
    """One adapter and the devices in its reach. `now` stamps what arrives."""

    def __init__(
        self,
        *,
        drivers: Mapping[str, Driver],
        household: Household,
        now: Callable[[], datetime],
        adapter: str = "hci0",
        backends: Backends | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._drivers = drivers
        self._household, self._now = household, now
        self._adapter, self._backends = adapter, backends
        self._book = CallBook(patience=patience or Patience())
        self._links = asyncio.Semaphore(LINKS)
        self._connecting = asyncio.Lock()
        self._calls: set[asyncio.Task[None]] = set()
        self._closing = False
        self._heard_at_s = 0.0

    async def run(self) -> None:
        """Scans and calls until cancelled; never ends because of a device or the adapter."""
        try:
            while True:
                try:
                    await self._scan()
                except (BleakError, OSError, EOFError) as error:
                    log.error("%s", _adapter_trouble(error))
                    await asyncio.sleep(ADAPTER_PAUSE_S)
                except Exception:
                    # D-Bus has errors of its own; whatever it is, devices must go on being heard
                    log.exception("A fault in this program stopped the scanner; it starts anew.")
                    await asyncio.sleep(ADAPTER_PAUSE_S)
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

    async def _scan(self) -> None:
        backend = self._backends.scanner if self._backends else None
        # every advertisement counts: BlueZ else keeps those to itself that say nothing new
        bluez: BlueZScannerArgs = {"adapter": self._adapter, "filters": {"DuplicateData": True}}
        loop = asyncio.get_running_loop()
        # all of them are heard, those too that nothing reads: somebody may want to know why
        async with BleakScanner(self._advertised, backend=backend, bluez=bluez):
            self._heard_at_s = loop.time()
            while loop.time() - self._heard_at_s < DEAF_AFTER_S:
                await asyncio.sleep(DEAF_AFTER_S / 5)
        log.info("No device heard for %.0f s: the scanner starts anew.", DEAF_AFTER_S)

    def _advertised(self, device: BLEDevice, advert: AdvertisementData) -> None:
        self._heard_at_s = asyncio.get_running_loop().time()
        found = recognise(
            Advert(
                name=device.name or advert.local_name or "",
                services=frozenset(short_name(each) for each in advert.service_uuids),
            ),
            self._drivers,
        )
        driver = found.driver
        if driver is None or not self._household.admits(f"ble:{device.address}"):
            return
        now = self._now()
        is_due = self._book.is_due(device.address, revisit_s=driver.revisit_s, now=now)
        if is_due and not self._closing:
            self._book.called(device.address, now)
            call = asyncio.create_task(self._visit(device, driver, advert, found.quirk))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _visit(
        self, device: BLEDevice, driver: Driver, advert: AdvertisementData, quirk: Quirk
    ) -> None:
        well = False
        try:
            call = await self._household.begin(
                f"ble:{device.address}",
                driver,
                name=device.name or advert.local_name or "",
                rssi_dbm=advert.rssi,
                quirk=quirk,
            )
            well = await self._call_on(device, driver, call)
        except KangbanError as error:
            log.error("%s is not called on: %s", device.address, error)
        except Exception:
            log.exception("A fault in this program broke off the call on %s.", device.address)
        finally:
            self._book.ended(device.address, self._now(), well=well)

    async def _call_on(self, device: BLEDevice, driver: Driver, call: Call) -> bool:
        try:
            async with self._links:
                link = Link(self._now)
                async with self._connecting:
                    client = await self._connect(device, link)
                try:
                    await Conversation(_Reached(client, link, driver), link, driver, call).hold()
                finally:
                    await _hang_up(client)
        except KangbanError as error:
            log.warning("%s %s: %s", driver.en, device.address, error)
            await call.failed(error)
            return False
        await call.finished()
        return True

    async def _connect(self, device: BLEDevice, link: Link) -> BleakClient:
        backend = self._backends.client if self._backends else None
        is_up = False

        def went_down(_: BleakClient) -> None:
            # a first attempt that broke off is not the end of the link that the second one made
            if is_up:
                link.went_down()

        try:
            client = await establish_connection(
                BleakClientWithServiceCache,
                device,
                device.name or device.address,
                disconnected_callback=went_down,
                max_attempts=CONNECT_ATTEMPTS,
                backend=backend,
                bluez={"adapter": self._adapter},
            )
        except _TROUBLE as error:
            raise TryAgain(
                f"no link could be made ({error}): keep the device within three metres, switched "
                "on, and not connected to a phone. It is tried again when it advertises."
            ) from error
        is_up = client.is_connected
        if not is_up:
            link.went_down()
        return client


class _Reached:
    """A device that is connected: `conversation.Device` by bleak."""

    def __init__(self, client: BleakClient, link: Link, driver: Driver) -> None:
        self._client, self._link, self._driver = client, link, driver

    async def subscribe(
        self, characteristic: str, hear: Callable[[bytes], None], *, optional: bool
    ) -> None:
        found = self._seek(characteristic)
        if found is not None:
            await self._do(
                self._client.start_notify(found, lambda _, data: hear(bytes(data))),
                f"a subscription ({characteristic})",
            )
        elif not optional:
            raise self._missing(characteristic)

    async def read(self, characteristic: str) -> bytes | None:
        found = self._seek(characteristic)
        if found is None:
            return None
        try:
            async with asyncio.timeout(ATT_TIMEOUT_S):
                return bytes(await self._client.read_gatt_char(found))
        except _TROUBLE as error:
            self._check_link(error)
            log.info("%s does not let %s be read: %s", self._client.address, characteristic, error)
            return None

    async def write(self, characteristic: str, data: bytes) -> None:
        found = self._seek(characteristic)
        if found is None:
            raise self._missing(characteristic)
        await self._do(
            self._client.write_gatt_char(found, data, response=True),
            f"a command ({characteristic} {data.hex()})",
        )

    async def _do(self, action: Awaitable[None], what: str) -> None:
        try:
            async with asyncio.timeout(ATT_TIMEOUT_S):
                await action
        except _TROUBLE as error:
            self._check_link(error)
            raise _refusal(error, what) from error

    def _check_link(self, error: Exception) -> None:
        if self._link.is_down or not self._client.is_connected:
            raise lost() from error

    def _seek(self, characteristic: str) -> BleakGATTCharacteristic | None:
        """The characteristic, from the driver's own service where several have it."""
        if self._link.is_down:
            raise lost()
        uuid, home = normalize_uuid_str(characteristic), normalize_uuid_str(self._driver.service)
        found = [
            each
            for service in self._client.services
            for each in service.characteristics
            if each.uuid == uuid
        ]
        own = [each for each in found if each.service_uuid == home]
        return next(iter(own + found), None)

    def _missing(self, characteristic: str) -> MendDevice:
        return MendDevice(
            f"it advertises as {self._driver.en} but has no characteristic {characteristic}: "
            "switch it off and on; if that does not help, this model needs a driver of its own."
        )


async def _hang_up(client: BleakClient) -> None:
    try:
        async with asyncio.timeout(ATT_TIMEOUT_S):
            await client.disconnect()
    except _TROUBLE as error:
        log.debug("Hanging up: %s", error)


def _refusal(error: Exception, what: str) -> KangbanError:
    if isinstance(error, TimeoutError):
        return TryAgain(
            f"it did not answer {what} within {ATT_TIMEOUT_S:.0f} s; it is tried again."
        )
    if isinstance(error, BleakGATTProtocolError):
        return Refusal(
            f"it refuses {what} with ATT error 0x{int(error.code):02x}: pair it anew, or switch it "
            "off and on.",
            att_error=int(error.code),
        )
    if isinstance(error, BleakDBusError):
        return Refusal(f"Bluetooth refuses {what} ({error}): pair the device with this gateway.")
    return TryAgain(f"{what} failed ({error}); it is tried again.")


def _adapter_trouble(error: Exception) -> KangbanError:
    if isinstance(error, BleakBluetoothNotAvailableError | OSError):
        return MendSettings(
            f"The Bluetooth adapter does not work ({error}): check that it is plugged in, that "
            "bluetoothd runs, that `rfkill` does not block it, and KANGBAN_ADAPTER."
        )
    return TryAgain(
        f"The Bluetooth adapter does not scan ({error}): it is tried again; if this goes on, "
        "unplug it and plug it in, and see that no other program scans."
    )
