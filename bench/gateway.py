"""A gateway with three hundred devices for an hour of their time, beside bleak alone.

Meters, cuffs and bands measure as in a home that is a small ward; the hour is played minute by
minute, each minute as long as its devices take to be read. The gateway is a process of its own
behind BlueZ's D-Bus interface, with its spool on disk, a broker and a server that sends receipts.
Then the same hour is played to the least program that reads the same devices with bleak
(`bleak_alone.py`: no disk, no network, no decoding). Printed are the seconds from a device's first
advertisement to its first reading on disk (for bleak alone: in memory), processor time, and memory
at each tenth minute and what it grew by after the twentieth; the last line is JSON.

    python -m bench.gateway [--devices 300] [--minutes 60]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.bleak_alone import live_bleak
from bench.cpu import cpu_s
from bench.gateway_campaign import mosquitto
from bench.home import Body, Home, Server, home, live
from kangban.embedded.broker import Broker
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Home as Place
from simulator.peripheral import Identity, Peripheral
from simulator.record import CuffRecord, GlucoseRecord, HeartRateRecord
from simulator.story import SHANGHAI
from simulator.wristband import Wristband

# milliseconds between the advertisements of one device; meters and cuffs in use send every 30 ms to
# a second: an engineering choice
ADVERTISING_MS = 100.0
# every so many minutes a device of this kind measures: an engineering choice, far more often than
# people do
EVERY_MIN = {GlucoseMeter: 20, Cuff: 15, Wristband: 10}
# memory is called flat from this minute on: each device was met, and caches have filled
FLAT_FROM_MIN = 20
# seconds until the devices of one minute must have been read
MINUTE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What one hour took."""

    readings: int
    waits_s: list[float]
    cpu_s: float
    wall_s: float
    rss_mb: list[float]

    def figures(self) -> dict[str, Any]:
        """What is printed of it."""
        waits = sorted(self.waits_s)
        begin, end = self.rss_mb[min(FLAT_FROM_MIN, len(self.rss_mb) - 1)], self.rss_mb[-1]
        return {
            "visits": len(waits),
            "readings": self.readings,
            "p50_s": round(statistics.median(waits), 3),
            "p99_s": round(waits[min(len(waits) - 1, int(len(waits) * 0.99))], 3),
            "cpu_s": round(self.cpu_s, 1),
            "cpu_ms_per_visit": round(1000 * self.cpu_s / len(waits), 1),
            "wall_s": round(self.wall_s, 1),
            "rss_mb_each_10_min": [round(each, 1) for each in self.rss_mb[9::10]],
            "rss_growth_mb": round(end - begin, 1),
        }


def main() -> int:
    """The benchmark; 1 where a device was not read."""
    parser = argparse.ArgumentParser(description="300 devices for an hour; see the module.")
    parser.add_argument("--devices", type=int, default=300)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="a folder to keep logs and spools in")
    asked = parser.parse_args()
    print(
        f"{asked.devices} devices, {asked.minutes} minutes of their time; "
        f"an advertisement every {ADVERTISING_MS:.0f} ms."
    )
    found: dict[str, dict[str, Any]] = {}
    for name, body in (("gateway", live), ("bleak_alone", live_bleak)):
        with tempfile.TemporaryDirectory(prefix="kangban-soak-") as scratch:
            folder = asked.keep / name if asked.keep else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            hour = asyncio.run(_play(folder, body, asked.devices, asked.minutes))
        found[name] = hour.figures()
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    ours, theirs = found["gateway"], found["bleak_alone"]
    ratios = {
        "p99": round(ours["p99_s"] / theirs["p99_s"], 2),
        "cpu": round(ours["cpu_s"] / theirs["cpu_s"], 2),
    }
    print(json.dumps({**found, "gateway_to_bleak": ratios}))
    return 0


async def _play(folder: Path, body: Body, count: int, minutes: int) -> Hour:
    with (
        Broker(folder / "broker", program=mosquitto(), anonymous=True) as broker,
        Server(broker.url),
    ):
        async with home(folder, mqtt=broker.url) as where:
            where.gateway.body = body
            return await _hour(where, count, minutes)


async def _hour(where: Home, count: int, minutes: int) -> Hour:
    begins = datetime.now(UTC).replace(microsecond=0)
    moment = [begins]
    place = Place(air=where.air, now=lambda: moment[0], zone=SHANGHAI)
    devices = list(_devices(place, count))
    for device in devices:
        device.device.advertising_interval_min = ADVERTISING_MS
        device.device.advertising_interval_max = ADVERTISING_MS
        await device.switch_on()
    where.gateway.clock.value = begins.timestamp()
    where.gateway.start()
    # the first device is read before the clock starts: imports are no part of an hour
    await _minute(devices[:1], moment[0])
    pid = where.gateway.pid
    cpu_at_s, wall_at_s = cpu_s(pid), time.monotonic()
    on_air: list[tuple[str, float]] = []
    rss = []
    for minute in range(minutes):
        moment[0] = begins + timedelta(minutes=minute + 1)
        where.gateway.clock.value = moment[0].timestamp()
        due = [
            device
            for number, device in enumerate(devices)
            if (minute + number) % EVERY_MIN[type(device)] == 0
        ]
        on_air += await _minute(due, moment[0])
        rss.append(_rss_mb(pid))
    return Hour(
        readings=sum(device.handed_over for device in devices),
        waits_s=_waits(on_air, where.gateway.kept),
        cpu_s=cpu_s(pid) - cpu_at_s,
        wall_s=time.monotonic() - wall_at_s,
        rss_mb=rss,
    )


def _devices(place: Place, count: int) -> Iterator[Peripheral]:
    kinds = (GlucoseMeter, Cuff, GlucoseMeter, Cuff, Wristband)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        address = f"F0:00:00:02:{number >> 8:02X}:{number & 0xFF:02X}"
        yield kind(place, Identity(address=address, name=f"SIM {number}", model="SIM"))


async def _minute(due: list[Peripheral], at: datetime) -> list[tuple[str, float]]:
    """Device and moment (monotonic, s) of each first advertisement; returns when all are read."""
    on_air = []
    for device in due:
        _measure(device, at)
        await device.go_on_air()
        on_air.append((device.key, time.monotonic()))
    async with asyncio.timeout(MINUTE_S):
        for device in due:
            await device.silent.wait()
    return on_air


def _measure(device: Peripheral, at: datetime) -> None:
    if isinstance(device, GlucoseMeter):
        device.take(GlucoseRecord(at=at, value=Decimal("6.1")))
    elif isinstance(device, Cuff):
        device.take(CuffRecord(at=at, systolic=Decimal(128), diastolic=Decimal(79)))
    elif isinstance(device, Wristband):
        device.take(HeartRateRecord(at=at, rates=tuple(range(70, 80))))


def _waits(on_air: list[tuple[str, float]], kept: Path) -> list[float]:
    """Seconds from each first advertisement to the first reading that was kept after it."""
    lines = [line.rsplit(" ", 1) for line in kept.read_text().splitlines()]
    moments: dict[str, list[float]] = {}
    for device, at_s in lines:
        moments.setdefault(device, []).append(float(at_s))
    waits = []
    for device, began_s in on_air:
        after = [each for each in moments.get(device, []) if each >= began_s]
        if not after:
            raise SystemExit(f"{device} was not read after {began_s:.1f} s")
        waits.append(min(after) - began_s)
    return waits


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
