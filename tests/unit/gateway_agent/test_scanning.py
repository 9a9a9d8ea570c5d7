"""The scanner goes on, for years: faults, silence, strangers, an adapter that hangs."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakError

from gateway_agent import scanning as module
from gateway_agent.scanning import Scanner

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Ears:
    """What stands in for bleak's scanner: fails as often as it is told to, then scans."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.stop_fault: Exception | None = None
        self.starts = 0
        self.scanning = asyncio.Event()
        self.backend: BaseBleakScanner | None = None

    def kind(self) -> type[BaseBleakScanner]:
        ears = self

        class Stub(BaseBleakScanner):
            def __init__(self, detection_callback: Any, service_uuids: Any, *_: Any, **__: Any):
                super().__init__(detection_callback, service_uuids)

            async def start(self) -> None:
                self.seen_devices = {}
                ears.starts, ears.backend = ears.starts + 1, self
                if ears.faults:
                    raise ears.faults.pop(0)
                ears.scanning.set()

            async def stop(self) -> None:
                ears.scanning.clear()
                if ears.stop_fault is not None:
                    raise ears.stop_fault

        return Stub

    def hear(self, address: str) -> None:
        assert self.backend is not None
        advert = AdvertisementData(None, {}, {}, [], None, -60, ())
        device = self.backend.create_or_update_device(address, address, None, None, advert)
        self.backend.call_detection_callbacks(device, advert)


def a_scanner(
    ears: Ears,
    hear: Callable[[BLEDevice, AdvertisementData], None] = lambda *_: None,
    switch_anew: Any = None,
) -> Scanner:
    return Scanner(
        hear, now=lambda: NOW, adapter="hci0", backend=ears.kind(), switch_anew=switch_anew
    )


async def scanning(scanner: Scanner, ears: Ears) -> "asyncio.Task[None]":
    running = asyncio.create_task(scanner.run())
    async with asyncio.timeout(5):
        await ears.scanning.wait()
    assert not running.done()
    return running


# dbus_fast raises classes of its own, which are neither bleak's nor the system's
@pytest.mark.parametrize("fault", [RuntimeError("no such interface"), BleakError("InProgress")])
async def test_a_scanner_that_fails_is_started_anew(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ADAPTER_PAUSE_S", 0.0)
    ears = Ears(fault)
    scanner = a_scanner(ears)
    running = await scanning(scanner, ears)
    assert ears.starts == 2
    assert scanner.troubles == {}
    running.cancel()


async def test_an_adapter_that_is_missing_is_said_to_be_until_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = BleakBluetoothNotAvailableError(
        "No powered adapter", BleakBluetoothNotAvailableReason.NO_BLUETOOTH
    )
    ears = Ears(gone)
    scanner = a_scanner(ears)
    told: list[list[str]] = []
    scanner.troubles.on_change = lambda: told.append(list(scanner.troubles))
    running = asyncio.create_task(scanner.run())
    async with asyncio.timeout(5):
        while "adapter" not in scanner.troubles:
            await asyncio.sleep(0)
    assert "plugged in" in scanner.troubles["adapter"]
    # it is plugged in, and nobody waits for the pause to be over
    scanner.start_anew()
    async with asyncio.timeout(5):
        await ears.scanning.wait()
    assert scanner.troubles == {}
    assert told == [["adapter"], []]
    running.cancel()


async def test_an_adapter_that_goes_on_failing_is_switched_off_and_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ADAPTER_PAUSE_S", 0.0)
    ears = Ears(*[BleakError("InProgress")] * 9)
    switched: list[int] = []

    async def switch_anew() -> None:
        switched.append(ears.starts)

    running = await scanning(a_scanner(ears, switch_anew=switch_anew), ears)
    # after three starts in vain, then after six more
    assert switched == [3, 9]
    running.cancel()


async def test_a_scanner_that_hears_nothing_is_started_anew_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DEAF_AFTER_S", 0.01)
    ears = Ears()
    scanner = a_scanner(ears)
    running = await scanning(scanner, ears)
    async with asyncio.timeout(5):
        while ears.starts < 3:
            await asyncio.sleep(0.005)
    assert "No device at all" in scanner.troubles["silence"]
    ears.hear("F0:00:00:00:00:01")
    assert scanner.troubles == {}
    assert scanner.last_advert_at == NOW
    running.cancel()


async def test_ten_thousand_strangers_are_not_remembered() -> None:
    ears, seen = Ears(), 0
    scanner = a_scanner(ears, hear=lambda *_: scanner.met_stranger())
    running = await scanning(scanner, ears)
    for number in range(10_000):
        ears.hear(f"F0:00:00:00:{number >> 8:02X}:{number & 0xFF:02X}")
        assert ears.backend is not None
        seen = max(seen, len(ears.backend.seen_devices))
        # the scanner stops and starts between two advertisements
        for _ in range(20):
            await asyncio.sleep(0)
    assert seen <= module.MOST_STRANGERS
    assert ears.starts == 1 + 10_000 // module.MOST_STRANGERS
    running.cancel()


@pytest.mark.parametrize("fault", [RuntimeError("no such interface"), BleakError("no adapter")])
async def test_a_scanner_that_is_told_to_end_ends_though_it_cannot_be_stopped(
    fault: Exception,
) -> None:
    ears = Ears()
    ears.stop_fault = fault
    running = await scanning(a_scanner(ears), ears)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=5)
    assert done
    assert running.cancelled()
