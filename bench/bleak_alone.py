"""The least that reads a home with bleak: what a gateway costs is held against this.

It scans, connects to whatever advertises one of our services, one after the other, subscribes, asks
a meter for what it has not had, listens, and hangs up. Nothing is decoded, written to disk, sent or
repaired; a killed process has had nothing. May hold: bleak and this loop. May not: anything of the
gateway's own, which it is compared with.
"""

import asyncio
import os
import threading
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_str

from bench.home import Box, end_with_owner, note

# advertised services: glucose, blood pressure, heart rate
METER, CUFF, BAND = map(normalize_uuid_str, ("1808", "1810", "180D"))
MEASUREMENT = {METER: "2a18", CUFF: "2a35", BAND: "2a37"}
RECORD_ACCESS = normalize_uuid_str("2a52")
# values of one visit to a band, as the gateway's
VALUES = 10
# seconds without a word after which a visit is over
SILENCE_S = 5.0


def live_bleak(box: Box) -> None:
    """Is the reference, in a process of its own, until it is killed."""
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = box.bus
    threading.Thread(target=end_with_owner, args=(box.lifeline,), daemon=True).start()
    with box.kept.open("a", buffering=1) as lines:
        asyncio.run(_read_for_ever(lines))


async def _read_for_ever(lines: Any) -> None:
    waiting: asyncio.Queue[tuple[BLEDevice, str]] = asyncio.Queue()
    queued: set[str] = set()
    last: dict[str, int] = {}

    def advertised(device: BLEDevice, advert: Any) -> None:
        kind = next((each for each in advert.service_uuids if each in MEASUREMENT), None)
        if kind is not None and device.address not in queued:
            queued.add(device.address)
            waiting.put_nowait((device, kind))

    async with BleakScanner(advertised, list(MEASUREMENT)):
        while True:
            device, kind = await waiting.get()
            try:
                await _visit(device, kind, last, lines)
            except (BleakError, TimeoutError, EOFError, OSError):
                """It advertises again."""
            queued.discard(device.address)


async def _visit(device: BLEDevice, kind: str, last: dict[str, int], lines: Any) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    over = asyncio.Event()

    def hear(_: Any, data: bytearray) -> None:
        heard.put_nowait(bytes(data))
        note(lines, f"ble:{device.address}")
        if kind == METER:
            last[device.address] = int.from_bytes(data[1:3], "little")
        if kind == BAND and heard.qsize() >= VALUES:
            over.set()

    def hung_up(_: BleakClient) -> None:
        over.set()

    async with BleakClient(device, hung_up) as client:
        await client.start_notify(MEASUREMENT[kind], hear)
        if kind == METER:
            await client.start_notify(RECORD_ACCESS, lambda *_: over.set())
            first = last.get(device.address, -1) + 1
            ask = b"\x01\x03\x01" + first.to_bytes(2, "little")
            await client.write_gatt_char(RECORD_ACCESS, ask, response=True)
        async with asyncio.timeout(SILENCE_S):
            await over.wait()
