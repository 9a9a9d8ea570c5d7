"""A gateway under faults, cycle after cycle: what the devices recorded is there, once.

In each cycle a few devices measure, and something goes wrong at a random moment: the gateway is
killed (-9), the link drops in mid-transfer, the broker is killed with all it holds, the disk is
full, records come twice or in another order or cut short, a device forgets its bond. The seed says
what happens in which cycle. Between cycles nothing is waited for longer than a moment, so that
faults meet the unfinished business of earlier ones. At each reckoning, and at the end, the devices'
own records are held against the spool and what the server has named in receipts.

    python -m bench.gateway_campaign [--cycles 2000] [--seed 1] [--reckon-every 100]

A cuff of the plain Blood Pressure Service forgets a reading when the radio stack confirms it, some
milliseconds before the gateway can write it down: what a kill destroys in these milliseconds nobody
can bring back. Such readings are counted apart, as `in_the_air`, and only where a kill did fall
within `IN_THE_AIR_S` of the confirmation. The last line is JSON; exit 1 if anything else was lost,
or anything doubled.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.home import Home, Server, home
from kangban.embedded.broker import Broker
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Faults, Identity, Peripheral
from simulator.peripheral import Home as Place
from simulator.record import CuffRecord, GlucoseRecord
from simulator.security import OPEN, Method, Security
from simulator.story import SHANGHAI
from vitals.command import Do, Step

MOSQUITTO = Path(__file__).parents[1] / ".services/root/usr/sbin/mosquitto"

# seconds around a confirmation within which a kill may find the reading on its way to the disk (the
# bus, the event loop and an fsync on a busy machine of two cores), or the radio stack still
# confirming what nobody listens to any more
IN_THE_AIR_S = 0.5
# seconds that a cycle waits for its devices to be read before the next one begins
CYCLE_S = 1.0
# seconds until what was measured must be with the server when all faults are over
RECKONING_S = 120.0
# seconds that a person gives to adding a device before they try again, and between two looks
ADDING_S, LOOK_EVERY_S = 10.0, 0.05
# seconds in which what a device has handed over must be on disk or with the server
ON_ITS_WAY_S = 10.0
# records of one device in one cycle, at most
MOST_RECORDS = 20

# what the world counts by: device, its own time, kind, value
Key = tuple[str, str, str, float]


@dataclass(kw_only=True)
class Truth:
    """What was measured, as the devices' owners know it."""

    records: Counter[Key] = field(default_factory=Counter)
    # of readings that a cuff forgets: when the radio stack had confirmed each
    confirmed_at_s: dict[Key, float] = field(default_factory=dict)
    kills_at_s: list[float] = field(default_factory=list)

    def nearest_kill_s(self, key: Key) -> list[float]:
        """Seconds from the confirmation to each kill around it."""
        at_s = self.confirmed_at_s.get(key)
        if at_s is None:
            return []
        return [round(each - at_s, 3) for each in self.kills_at_s if abs(each - at_s) < 3]

    def is_in_the_air(self, key: Key) -> bool:
        """Was the gateway killed just when this was confirmed to a cuff that forgets?"""
        at_s = self.confirmed_at_s.get(key)
        return at_s is not None and any(
            abs(kill_s - at_s) <= IN_THE_AIR_S for kill_s in self.kills_at_s
        )


class ShufflingMeter(GlucoseMeter):
    """A meter that sends a report in another order when told to: the newest first, or at random."""

    shuffle: Callable[[list[Any]], None] | None = None

    def _choose(self, value: bytes) -> tuple[int, list[Any]]:
        code, chosen = super()._choose(value)
        if self.shuffle is not None:
            shuffle, self.shuffle = self.shuffle, None
            chosen = list(chosen)
            shuffle(chosen)
        return code, chosen


class ForgettingCuff(Cuff):
    """A cuff that forgets what was confirmed, and notes when that was."""

    def __init__(self, place: Place, who: Identity, truth: Truth) -> None:
        super().__init__(place, who)
        self._truth, self._keys = truth, list[list[Key]]()

    def measured(self, record: CuffRecord, keys: list[Key]) -> None:
        """Takes a record that is these measurements."""
        self.take(record)
        self._keys.append(keys)

    def hand_over(self, values: int) -> None:
        super().hand_over(values)
        if self._keys:
            for key in self._keys.pop(0):
                self._truth.confirmed_at_s[key] = time.monotonic()


class KeepingCuff(Cuff):
    """A cuff that sends its whole memory at every visit, as Beurer's and Medisana's do."""

    # records in its memory; cuffs on the market keep 60 to 200 for each user
    MOST = 200

    def __init__(self, place: Place, who: Identity) -> None:
        super().__init__(place, who)
        self._memory: list[tuple[bytes, int]] = []
        self._unread = 0

    def take(self, record: CuffRecord) -> None:
        super().take(record)
        self._memory.append(self._stored[-1])
        self._stored.clear()
        self._unread += 1

    def has_news(self) -> bool:
        return self._unread > 0

    def press_button(self) -> None:
        """Offers its memory again: the radio stack may have confirmed what nobody listened to."""
        self._unread += 1

    async def _flush(self, connection: Any) -> None:
        async def put(payload: bytes) -> None:
            await self.device.indicate_subscriber(connection, self._measurement, payload)

        unread = self._unread
        whole = [await self.send(each, put) for each, _ in self._memory[-self.MOST :]]
        if all(whole):
            self._unread -= unread
        await self._be_quiet_for(self._linger_s)
        await self.hang_up()


@dataclass(kw_only=True)
class World:
    """Everything, and what was measured in it."""

    home: Home
    broker: Broker
    server: Server
    devices: list[Peripheral]
    truth: Truth
    folder: Path
    # what must be bonded with, and must be added again when it has forgotten that
    bonded: list[Peripheral] = field(default_factory=list)
    # seconds since 1970 of the last record: each is 61 s after the one before
    moment_s: float = field(
        default_factory=lambda: (datetime.now(UTC) - timedelta(days=300)).timestamp()
    )
    happened: Counter[str] = field(default_factory=Counter)

    def measure(self, device: Peripheral, chance: random.Random) -> None:
        """One more record in this device."""
        self.moment_s += 61
        at = datetime.fromtimestamp(int(self.moment_s), UTC)
        own_time = at.astimezone(SHANGHAI).replace(tzinfo=None).isoformat()

        def key(kind: str, value: Decimal) -> Key:
            return (device.key, own_time, kind, float(value))

        if isinstance(device, GlucoseMeter):
            value = Decimal(chance.randrange(39, 150)) / 10
            device.take(GlucoseRecord(at=at, value=value))
            self.truth.records[key("glucose", value)] += 1
            return
        systolic, diastolic = Decimal(chance.randrange(100, 180)), Decimal(chance.randrange(60, 99))
        keys = [key("systolic", systolic), key("diastolic", diastolic)]
        record = CuffRecord(at=at, systolic=systolic, diastolic=diastolic)
        if isinstance(device, ForgettingCuff):
            device.measured(record, keys)
        elif isinstance(device, Cuff):
            device.take(record)
        self.truth.records.update(keys)


Fault = Callable[[World, list[Peripheral], random.Random], None]


def _drop(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    for device in devices:
        device.faults.drop_after.append(chance.randrange(MOST_RECORDS))


def _repeat(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    for device in devices:
        device.faults.repeats = chance.randrange(1, 3)


def _reorder(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    for device in devices:
        if isinstance(device, ShufflingMeter):
            device.shuffle = chance.choice([list.reverse, chance.shuffle])


def _truncate(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    for device in devices:
        if isinstance(device, GlucoseMeter | KeepingCuff):
            device.faults.truncate = chance.randrange(1, 3)


def _reread(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    for device in world.devices:
        if isinstance(device, GlucoseMeter):
            device.press_button()
            devices.append(device)


def _fill_disk(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    """No file of the gateway grows beyond what it is now, or a little more."""
    spool = world.home.gateway.spool
    sizes = [each.stat().st_size for each in spool.parent.glob(f"{spool.name}*")]
    _limit_files(world, max(sizes, default=0) + chance.randrange(20_000))


def _kill_broker(world: World, devices: list[Peripheral], chance: random.Random) -> None:
    pid = world.broker.pid
    if pid == 0:
        # it is down already, since the last cycle
        return
    os.kill(pid, signal.SIGKILL)
    if chance.random() < 0.5:
        # with all that it held
        for each in world.broker.data.glob("*.db"):
            each.unlink(missing_ok=True)


FAULTS: dict[str, Fault] = {
    "link_drop": _drop,
    "repeat": _repeat,
    "reorder": _reorder,
    "truncate": _truncate,
    "reread": _reread,
    "disk_full": _fill_disk,
    "broker_kill": _kill_broker,
}
KILL, LOST_BOND = "gateway_kill", "lost_bond"


def _limit_files(world: World, octets: int) -> None:
    _, hard = resource.prlimit(world.home.gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(world.home.gateway.pid, resource.RLIMIT_FSIZE, (octets, hard))


async def _lose_bond(world: World) -> None:
    """A battery is changed, and the device knows nobody any more."""
    for device in world.bonded:
        await device.guard.forget()


async def add(world: World, device: Peripheral) -> bool:
    """Whether a person has added this device (again), who presses its button meanwhile."""
    command = world.server.ask(Do.PAIR, device.key)
    end_s = time.monotonic() + ADDING_S
    while command not in world.server.ended and time.monotonic() < end_s:
        if isinstance(device, GlucoseMeter) and not device.has_news():
            device.press_button()
        await device.go_on_air()
        await asyncio.sleep(LOOK_EVERY_S)
    event = world.server.ended.get(command)
    return event is not None and event.step is Step.DONE


async def _add_all(world: World) -> None:
    """Adds what must be bonded with; a person whose wish was lost on the way wishes again."""
    end_s = time.monotonic() + RECKONING_S
    for device in world.bonded:
        while not await add(world, device):
            if time.monotonic() > end_s:
                raise SystemExit(f"{device.key} could not be added: see the gateway's log")


async def cycle(world: World, chance: random.Random) -> None:
    """One cycle: measure, let it go wrong, mend it."""
    devices = _measure_some(world, chance)
    wrong = chance.sample([*FAULTS, LOST_BOND, KILL, KILL], chance.randrange(1, 4))
    for name in set(wrong) & FAULTS.keys():
        FAULTS[name](world, devices, chance)
    if LOST_BOND in wrong:
        await _lose_bond(world)
    world.happened.update(set(wrong))
    for device in devices:
        await device.go_on_air()
    if KILL in wrong:
        await asyncio.sleep(chance.random() * 0.5)
        await kill(world, chance)
    # who has lost its bond is read when it was added again
    await _read(
        [each for each in devices if each not in world.bonded or LOST_BOND not in wrong], CYCLE_S
    )
    if "disk_full" in wrong and KILL not in wrong:
        _limit_files(world, resource.RLIM_INFINITY)
    for device in world.devices:
        device.faults = Faults()
    if LOST_BOND in wrong and chance.random() < 0.5:
        for device in world.bonded:
            await add(world, device)


def _measure_some(world: World, chance: random.Random) -> list[Peripheral]:
    devices = chance.sample(world.devices, chance.randrange(1, 4))
    for device in devices:
        for _ in range(chance.randrange(1, MOST_RECORDS + 1)):
            world.measure(device, chance)
    return devices


async def kill(world: World, chance: random.Random) -> None:
    """Kills the gateway, perhaps once more while it starts, and starts it."""
    for _ in range(chance.choice([1, 1, 2])):
        world.home.gateway.kill()
        world.truth.kills_at_s.append(time.monotonic())
        world.home.gateway.start()
        if chance.random() < 0.5:
            # the devices notice that nobody asks any more, or stay on the line
            for device in world.devices:
                await device.hang_up()
        await asyncio.sleep(chance.random() * 0.2)


async def _read(devices: list[Peripheral], wait_s: float) -> bool:
    """Whether all of these were read to the end in time."""
    for device in devices:
        await device.go_on_air()
    try:
        async with asyncio.timeout(wait_s):
            for device in devices:
                await device.silent.wait()
    except TimeoutError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """Records against spool and server."""

    records: int = 0
    lost: int = 0
    in_the_air: int = 0
    doubled: int = 0
    examples: tuple[str, ...] = ()


def reckon(world: World) -> Reckoning:
    """What is missing and what is there twice, of all that was ever measured."""
    # the spool first: what leaves it meanwhile has been committed before
    have = dict(_waiting(world.home.gateway.spool))
    have |= world.server.committed
    found = Counter(
        (each["device"], each["device_time"], each["kind"], each["value"]) for each in have.values()
    )
    missing = list((world.truth.records - found).elements())
    air = [each for each in missing if world.truth.is_in_the_air(each)]
    doubled = list((found - world.truth.records).elements())
    lost = [each for each in missing if each not in air]
    return Reckoning(
        records=world.truth.records.total(),
        lost=len(lost),
        in_the_air=len(air),
        doubled=len(doubled) + len(world.server.contradictions),
        examples=tuple(
            f"{each} {world.truth.nearest_kill_s(each)}" for each in (lost + doubled)[:5]
        ),
    )


async def reckon_at_rest(world: World) -> Reckoning:
    """The reckoning, made again while a value that a device has sent is on its way to the disk."""
    end_s = time.monotonic() + ON_ITS_WAY_S
    while (found := reckon(world)).lost and time.monotonic() < end_s:
        await asyncio.sleep(LOOK_EVERY_S)
    return found


def _waiting(spool: Path) -> list[tuple[str, dict[str, Any]]]:
    with sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=10) as base:
        rows = base.execute(
            "SELECT id, document FROM measurement WHERE delivered_at IS NULL"
        ).fetchall()
    return [(key, json.loads(document)) for key, document in rows]


async def settle(world: World) -> bool:
    """Whether everything came to rest: devices read to the end, the spool empty."""
    if not world.home.gateway.is_alive():
        world.home.gateway.start()
    _limit_files(world, resource.RLIM_INFINITY)
    end_s = time.monotonic() + RECKONING_S
    await _add_all(world)
    for device in world.devices:
        # a record that came spoilt each time it was asked for, or that was confirmed to a gateway
        # that was dead by then, still is in its device
        if isinstance(device, GlucoseMeter | KeepingCuff):
            device.press_button()
    while time.monotonic() < end_s:
        news = [device for device in world.devices if device.has_news()]
        read = await _read(news or world.devices, 5.0)
        has_news = any(device.has_news() for device in world.devices)
        if read and not has_news and not _waiting(world.home.gateway.spool):
            return True
        if not read:
            await _wake(world, news)
        await asyncio.sleep(0.1)
    for device in world.devices:
        print(
            f"    {device.key}: news {device.has_news()}, on air {device.device.is_advertising}, "
            f"connected {device.connected}, silent {device.silent.is_set()}"
        )
    return False


async def _wake(world: World, devices: list[Peripheral]) -> None:
    """Has devices advertise that bumble takes to be doing so, and that nobody hears."""
    for device in devices:
        if device.device.is_advertising and not device.connected:
            world.happened["advertised_anew"] += 1
            await device.advertise_anew()


async def run(cycles: int, seed: int, every: int, folder: Path) -> tuple[World, Reckoning, bool]:
    """The campaign."""
    with (
        Broker(folder / "broker", program=mosquitto(), anonymous=True) as broker,
        Server(broker.url) as server,
    ):
        async with home(folder, mqtt=broker.url) as where:
            world = _furnish(where, broker, server, folder)
            for device in world.devices:
                await device.switch_on()
            where.gateway.start()
            for device in world.bonded:
                # one without records would have no reason to advertise
                world.measure(device, random.Random(seed))
            await _add_all(world)
            found, rested = Reckoning(), True
            for number in range(1, cycles + 1):
                await cycle(world, random.Random(f"{seed}/{number}"))
                if number % every and number < cycles:
                    continue
                rested = await settle(world)
                found = await reckon_at_rest(world)
                _say(number, found, rested)
                if found.lost or found.doubled or not rested:
                    break
            return world, found, rested


def mosquitto() -> Path | None:
    """The broker of `make services` where it is there."""
    return MOSQUITTO if MOSQUITTO.exists() else None


def _furnish(where: Home, broker: Broker, server: Server, folder: Path) -> World:
    truth = Truth()
    place = Place(air=where.air, now=lambda: datetime.now(UTC), zone=SHANGHAI)
    names = iter(range(1, 100))

    def who(model: str, security: Security = OPEN) -> Identity:
        number = next(names)
        return Identity(
            address=f"F0:00:00:00:01:{number:02X}",
            name=f"{model} {number}",
            model=model,
            security=security,
        )

    bonded = ShufflingMeter(place, who("KG-300", Security(method=Method.JUST_WORKS)))
    devices: list[Peripheral] = [
        bonded,
        ShufflingMeter(place, who("KG-200")),
        ShufflingMeter(place, who("KG-201"), old=True),
        ForgettingCuff(place, who("KB-100"), truth),
        KeepingCuff(place, who("BM-57")),
    ]
    return World(
        home=where,
        broker=broker,
        server=server,
        devices=devices,
        bonded=[bonded],
        truth=truth,
        folder=folder,
    )


def _say(number: int, found: Reckoning, rested: bool) -> None:
    print(
        f"cycle {number}: {found.records} measurements, lost {found.lost}, doubled "
        f"{found.doubled}, in the air {found.in_the_air}{'' if rested else ', not at rest'}",
        flush=True,
    )
    for each in found.examples:
        print(f"    {each}", flush=True)


def main() -> int:
    """The campaign from the command line."""
    parser = argparse.ArgumentParser(description="A gateway under faults; see the module.")
    parser.add_argument("--cycles", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--reckon-every", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="a folder to keep logs and spool in")
    asked = parser.parse_args()
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kangban-campaign-") as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        world, found, rested = asyncio.run(
            run(asked.cycles, asked.seed, asked.reckon_every, folder)
        )
        figures = {
            "cycles": asked.cycles,
            "seed": asked.seed,
            "minutes": round((time.monotonic() - begin_s) / 60, 1),
            "measurements": found.records,
            "lost": found.lost,
            "doubled": found.doubled,
            "in_the_air": found.in_the_air,
            "at_rest": rested,
            "gateway_starts": world.home.gateway.starts,
            "repeats_absorbed": world.server.repeats,
            "faults": dict(sorted(world.happened.items())),
        }
    print(json.dumps(figures))
    return 0 if rested and not found.lost and not found.doubled else 1


if __name__ == "__main__":
    sys.exit(main())
