"""The ear of the gateway: one scanner that hears all devices, for years.

A scanner that fails is started again; so is one that hears nothing for five minutes, or that has
heard more strangers than it should remember. Where that does not help, the adapter is switched off
and on. What is wrong meanwhile stands in `troubles`, for the gateway's health. May hold: the
scanner and its watchdog. May not: who is called on, connections.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from gateway_agent.troubles import Troubles
from vitals.errors import KangbanError, MendSettings, TryAgain

log = logging.getLogger(__name__)

# seconds without a single advertisement after which the scanner is started anew
DEAF_AFTER_S = 300.0
# seconds to wait when the adapter does not scan
ADAPTER_PAUSE_S = 10.0
# seconds for a start or a stop; BlueZ answers within one
ADAPTER_ANSWERS_S = 10.0
# starts in vain before the adapter is switched off and on; each time it did not help, twice as many
# follow before the next: a house without a single device on the air is no fault
STARTS_IN_VAIN = 3
MOST_STARTS_IN_VAIN = 96
# addresses that bleak may gather before it is started anew to forget them: strangers change theirs
# every quarter of an hour, for years
MOST_STRANGERS = 2_000

Hear = Callable[[BLEDevice, AdvertisementData], None]


class Scanner:
    """Calls `hear` for every advertisement. `switch_anew` switches the adapter off and on."""

    def __init__(
        self,
        hear: Hear,
        *,
        now: Callable[[], datetime],
        adapter: str,
        backend: type[BaseBleakScanner] | None,
        switch_anew: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._hear, self._now = hear, now
        self._adapter, self._backend, self._switch_anew = adapter, backend, switch_anew
        self._again = asyncio.Event()
        self._heard_at_s = 0.0
        self._strangers = 0
        self._in_vain, self._patience = 0, STARTS_IN_VAIN
        self.last_advert_at: datetime | None = None
        self.troubles = Troubles()

    async def run(self) -> None:
        """Scans until cancelled; never ends because of the adapter."""
        while True:
            try:
                await self._scan()
            except (BleakError, OSError, EOFError) as error:
                _give_way(error)
                trouble = _adapter_trouble(error)
                self.troubles.arose("adapter", str(trouble))
                log.error("%s", trouble)
                await self._after_failure()
            except Exception as error:
                _give_way(error)
                # D-Bus has errors of its own; whatever it is, devices must go on being heard
                log.exception("A fault in this program stopped the scanner; it starts anew.")
                await self._after_failure()

    def start_anew(self) -> None:
        """Has the scanner stop and start: BlueZ has come back and knows nothing of it."""
        self._again.set()

    def met_stranger(self) -> None:
        """Counts an address that was not heard lately."""
        self._strangers += 1
        if self._strangers >= MOST_STRANGERS:
            log.debug("%d addresses heard: the scanner forgets them.", self._strangers)
            self._again.set()

    async def _scan(self) -> None:
        # every advertisement counts: BlueZ else keeps those to itself that say nothing new
        bluez: BlueZScannerArgs = {"adapter": self._adapter, "filters": {"DuplicateData": True}}
        self._again.clear()
        self._strangers = 0
        # all of them are heard, those too that nothing reads: somebody may want to know why
        scanner = BleakScanner(self._heard, backend=self._backend, bluez=bluez)
        async with asyncio.timeout(ADAPTER_ANSWERS_S):
            await scanner.start()
        try:
            self.troubles.passed("adapter")
            if not await self._is_deaf():
                return
        finally:
            # on a bus that is gone, bleak would wait for ever
            async with asyncio.timeout(ADAPTER_ANSWERS_S):
                await scanner.stop()
        self.troubles.arose(
            "silence",
            f"No device at all was heard for {DEAF_AFTER_S / 60:.0f} minutes: if devices are "
            "switched on within ten metres, unplug the Bluetooth adapter and plug it in again.",
        )
        log.info("No device heard for %.0f s: the scanner starts anew.", DEAF_AFTER_S)
        await self._count_in_vain()

    async def _is_deaf(self) -> bool:
        """Returns when nothing was heard for long, or (False) when it should start anew."""
        loop = asyncio.get_running_loop()
        self._heard_at_s = loop.time()
        while (rest_s := self._heard_at_s + DEAF_AFTER_S - loop.time()) > 0:
            try:
                async with asyncio.timeout(rest_s):
                    await self._again.wait()
                return False
            except TimeoutError:
                continue
        return True

    def _heard(self, device: BLEDevice, advert: AdvertisementData) -> None:
        self._heard_at_s = asyncio.get_running_loop().time()
        self.last_advert_at = self._now()
        self._in_vain, self._patience = 0, STARTS_IN_VAIN
        self.troubles.passed("silence")
        self._hear(device, advert)

    async def _after_failure(self) -> None:
        await self._count_in_vain()
        try:
            async with asyncio.timeout(ADAPTER_PAUSE_S):
                await self._again.wait()
        except TimeoutError:
            return

    async def _count_in_vain(self) -> None:
        self._in_vain += 1
        if self._in_vain < self._patience or self._switch_anew is None:
            return
        self._in_vain, self._patience = 0, min(self._patience * 2, MOST_STARTS_IN_VAIN)
        log.warning("The Bluetooth adapter is switched off and on.")
        try:
            await self._switch_anew()
        except KangbanError as error:
            log.error("%s", error)


def _give_way(error: Exception) -> None:
    """Ends a task that was told to end, though bleak failed at stopping: its error would hide it,
    and a gateway without Bluetooth would not stop."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error


def _adapter_trouble(error: Exception) -> KangbanError:
    # to Python, a timeout is an OSError as well
    is_gone = isinstance(error, BleakBluetoothNotAvailableError | OSError)
    if is_gone and not isinstance(error, TimeoutError):
        return MendSettings(
            f"The Bluetooth adapter does not work ({error}): check that it is plugged in, that "
            "bluetoothd runs, that `rfkill` does not block it, and KANGBAN_ADAPTER."
        )
    return TryAgain(
        f"The Bluetooth adapter does not scan ({str(error) or 'no answer'}): it is tried again; if "
        "this goes on, unplug it and plug it in, and see that no other program scans."
    )
