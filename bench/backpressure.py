"""An hour without a database, and half an hour of ten times the load: memory, receipts, order.

    python -m bench.backpressure            # PostgreSQL is away for an hour
    python -m bench.backpressure --burst    # ten times as many readings for half an hour

The load is an hour's (half an hour's) readings in full number, played in `--seconds`, or as fast as
the machine can. While the database is away the patience of gateways, between two sendings of the
same envelope, is shortened by the same factor, so that as many envelopes are sent again as in the
real time. In the second half of the burst no home has a line, so that half of it comes all at once.
Printed: memory of each process over the run, the packets by which workers acknowledged or sent
receipts, what waited in the spools, how long it took to catch up, and whether everything was stored
once and in the order in which it was measured. The last line is JSON; exit 1 if any of it is not as
it must be.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.chain import Chain, chain, engines
from bench.ledger import Offer
from bench.reckoning import Found, Truth, compare, stored, waiting_in
from bench.wire import PUBACK, PUBLISH
from store.pool import connect, heartbeats
from vitals.errors import KangbanError

# gateways of a ward or a nursing home, each with 300 devices that measure every five minutes
GATEWAYS, DEVICES, EVERY_S = 4, 300, 300
HOUR_S, HALF_AN_HOUR_S, TIMES = 3600, 1800, 10
# seconds of everyday load before it begins: what a process needs to be warm
WARM_S = 10.0
# seconds in which it must have caught up
CATCH_UP_S = 600.0
# MiB, and part, by which the last third of a run may be above its first: fragments, statistics
MOST_GROWTH_MB, MOST_GROWTH = 8.0, 0.10
_SAMPLE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Play:
    """What is played: how many devices each gateway has, and in how many seconds."""

    is_burst: bool
    devices: int
    seconds: float

    @property
    def long_s(self) -> int:
        """How long it takes in life."""
        return HALF_AN_HOUR_S if self.is_burst else HOUR_S

    @property
    def haste(self) -> float:
        """How many times faster than in life it is played."""
        return self.long_s / self.seconds

    def readings(self, life_s: float) -> int:
        """What one gateway's devices measure in so long, on an ordinary day."""
        return round(self.devices / EVERY_S * life_s)


@dataclass(kw_only=True)
class Memory:
    """Resident memory of each process over a run, MiB."""

    series: dict[str, list[float]] = field(default_factory=dict)

    def sample(self, here: Chain) -> None:
        """One look at all of them."""
        pids = {each.name: each.pid for each in here.members} | {"broker": here.broker.pid}
        for name, pid in pids.items():
            self.series.setdefault(name, []).append(rss_mb(pid))

    def growth_mb(self, name: str) -> float:
        """How much the median of the last third is above that of the first."""
        series = self.series[name]
        third = max(1, len(series) // 3)
        return statistics.median(series[-third:]) - statistics.median(series[:third])

    def growing(self) -> list[str]:
        """The processes of ours whose memory is not flat."""
        return [
            name
            for name, series in self.series.items()
            if name != "broker"
            and self.growth_mb(name) > max(MOST_GROWTH_MB, MOST_GROWTH * statistics.median(series))
        ]

    def say(self) -> None:
        """Prints a line for each process: twelve looks over the run, and the growth."""
        for name, series in self.series.items():
            step = max(1, math.ceil(len(series) / 12))
            looks = " ".join(f"{each:.0f}" for each in series[::step])
            print(f"  {name:10} MiB {looks}   growth {self.growth_mb(name):+.1f}")


def rss_mb(pid: int) -> float:
    """Resident memory of a process, MiB; 0 where it is gone."""
    try:
        words = Path(f"/proc/{pid}/status").read_text().split()
        return int(words[words.index("VmRSS:") + 1]) / 1024
    except (OSError, ValueError):
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """Packets that went from the workers to the broker: acknowledgements and receipts."""

    acknowledged: int
    receipts: int

    @classmethod
    def by(cls, here: Chain) -> "Told":
        """What has gone so far."""
        return cls(
            acknowledged=sum(each.packets[PUBACK] for each in here.to_broker),
            receipts=sum(each.packets[PUBLISH] for each in here.to_broker),
        )

    def since(self, before: "Told") -> "Told":
        """What has gone since then."""
        return Told(
            acknowledged=self.acknowledged - before.acknowledged,
            receipts=self.receipts - before.receipts,
        )


def begin(here: Chain) -> None:
    """Begins the workers, and the gateways when the broker brings the workers what is sent."""
    for each in here.workers:
        each.start()
    with connect(here.url, autocommit=True) as connection:
        # the first heartbeat comes once broker and database have both answered
        while len(heartbeats(connection)) < len(here.workers):
            time.sleep(0.05)
    for dwelling in here.dwellings:
        dwelling.gateway.start()


def measure(here: Chain, memory: Memory, *, readings: int, seconds: float) -> float:
    """Lets each household measure so many more readings in these seconds; how long it took."""
    truth = _truth(here)
    begun_s = time.monotonic()
    for each in here.dwellings:
        last = max(truth.kept[each.household.gateway], default=0)
        each.told.most.value = last + readings
        each.told.pace.value = readings / seconds
    wait(here, memory, lambda: _all_measured(here, truth), most_s=10 * seconds + CATCH_UP_S)
    return time.monotonic() - begun_s


def wait(here: Chain, memory: Memory, is_so: Callable[[], bool], *, most_s: float) -> float:
    """The seconds until it is so, with a look at the memory each second."""
    begun_s = time.monotonic()
    while not is_so():
        memory.sample(here)
        fallen = [each.name for each in here.members if not each.is_alive()]
        if fallen or time.monotonic() - begun_s > most_s:
            sys.exit(f"not so after {most_s:.0f} s, or ended by themselves: {fallen}")
        time.sleep(_SAMPLE_S)
    return time.monotonic() - begun_s


def _truth(here: Chain) -> Truth:
    truth = Truth()
    _read(here, truth)
    return truth


def _read(here: Chain, truth: Truth) -> None:
    for each in here.dwellings:
        truth.read(each.household.gateway, each.ledger)


def _all_measured(here: Chain, truth: Truth) -> bool:
    _read(here, truth)
    return all(
        max(truth.kept[each.household.gateway], default=0) >= each.told.most.value
        for each in here.dwellings
    )


def in_spools(here: Chain) -> int:
    """How many measurements wait for a receipt."""
    return sum(waiting_in(each.spool) for each in here.dwellings)


def out_of_order(here: Chain, truth: Truth, *, behind: int) -> int:
    """How many readings were committed before one that their household had measured earlier, of
    those with a number above `behind`.

    What belongs to the everyday load before is not asked: a device that is met for the first time
    is stored with more care, a moment after the rest of its load.
    """
    with connect(here.url) as connection:
        rows = connection.execute(
            "SELECT device.name, sequence, max(extract(epoch FROM received_at))::float8"
            " FROM measurement JOIN device ON device.id = device_id GROUP BY 1, 2"
        ).fetchall()
    arrived = {(device, sequence): at_s for device, sequence, at_s in rows}
    found = 0
    for each in here.dwellings:
        latest_s = 0.0
        for offer in _measured_by(truth, each.household.gateway):
            if offer.number <= behind:
                continue
            at_s = arrived[offer.device, offer.sequence]
            found += at_s < latest_s
            latest_s = max(latest_s, at_s)
    return found


def _measured_by(truth: Truth, gateway: str) -> list[Offer]:
    numbers = {
        offer.number: offer
        for offers in truth.offers.values()
        for name, offer in offers
        if name == gateway
    }
    return [numbers[number] for number in sorted(numbers)]


@dataclass(kw_only=True)
class Result:
    """What came out of a run."""

    seconds: float = 0.0
    catch_up_s: float = 0.0
    most_in_spools: int = 0
    told_while_away: Told | None = None
    told_afterwards: Told | None = None
    disorder: int = 0
    found: Found = field(default_factory=Found)
    readings: int = 0


def outage(here: Chain, memory: Memory, play: Play) -> Result:
    """An hour without PostgreSQL."""
    result = Result()
    here.postgres.stop()
    before = Told.by(here)
    _hurry(here, play.haste)
    readings = play.readings(HOUR_S)
    result.seconds = measure(here, memory, readings=readings, seconds=play.seconds)
    result.most_in_spools = in_spools(here)
    result.told_while_away = Told.by(here).since(before)
    _hurry(here, 1.0)
    here.postgres.start()
    return result


def burst(here: Chain, memory: Memory, play: Play) -> Result:
    """Ten times the readings for half an hour; in its second half no home has a line, so that this
    half comes all at once."""
    result = Result()
    half = play.readings(TIMES * HALF_AN_HOUR_S / 2)
    result.seconds = measure(here, memory, readings=half, seconds=play.seconds / 2)
    for each in here.dwellings:
        each.wire.cut()
    result.seconds += measure(here, memory, readings=half, seconds=play.seconds / 2)
    result.most_in_spools = in_spools(here)
    for each in here.dwellings:
        each.wire.mend()
    return result


def finish(here: Chain, memory: Memory, result: Result, *, warm: int) -> None:
    """Waits until everything has its receipt, and holds what is stored against the ledgers."""
    before = Told.by(here)
    result.catch_up_s = wait(here, memory, lambda: in_spools(here) == 0, most_s=CATCH_UP_S)
    result.told_afterwards = Told.by(here).since(before)
    truth = _truth(here)
    with connect(here.url) as connection:
        result.found = compare(truth, stored(connection), ())
    result.readings = truth.readings
    result.disorder = out_of_order(here, truth, behind=warm)


def run(play: Play, *, engine: str, folder: Path) -> bool:
    """Plays one of the two, prints what was seen; whether all was as it must be."""
    memory = Memory()
    with chain(
        folder,
        households=GATEWAYS,
        seed=1,
        engine=engine,
        judged=False,
        shared=False,
        counts=True,
    ) as here:
        begin(here)
        warm = play.readings(play.haste * WARM_S)
        measure(here, Memory(), readings=warm, seconds=WARM_S)
        wait(here, Memory(), lambda: in_spools(here) == 0, most_s=CATCH_UP_S)
        result = (burst if play.is_burst else outage)(here, memory, play)
        finish(here, memory, result, warm=warm)
        memory.say()
    growing = memory.growing()
    silent = result.told_while_away in (None, Told(acknowledged=0, receipts=0))
    is_well = result.found.is_well and not growing and silent and not result.disorder
    print(
        json.dumps(
            {
                "run": "burst" if play.is_burst else "outage",
                "engine": engine,
                "is_well": is_well,
                "gateways": GATEWAYS,
                "readings": result.readings,
                "values": result.found.values,
                "lost": result.found.lost,
                "doubled": result.found.doubled,
                "changed": result.found.changed,
                "played_in_s": round(result.seconds, 1),
                "instead_of_s": play.long_s,
                "waiting_in_spools_at_the_end": result.most_in_spools,
                "catch_up_s": round(result.catch_up_s, 1),
                "told_while_away": _packets(result.told_while_away),
                "told_afterwards": _packets(result.told_afterwards),
                "out_of_order": result.disorder,
                "growing": growing,
                "rss_mb": {name: round(max(each), 1) for name, each in memory.series.items()},
            }
        )
    )
    return is_well


def _hurry(here: Chain, haste: float) -> None:
    """Gateways lose patience so many times sooner."""
    for each in here.dwellings:
        each.told.haste.value = haste


def _packets(told: Told | None) -> dict[str, int] | None:
    if told is None:
        return None
    return {"acknowledged": told.acknowledged, "receipts": told.receipts}


def main() -> int:
    """One of the two from the command line."""
    parser = argparse.ArgumentParser(description="Backpressure; see the module.")
    parser.add_argument("--burst", action="store_true", help="ten times the load instead")
    parser.add_argument("--seconds", type=float, default=60.0, help="in which it is played")
    parser.add_argument("--devices", type=int, default=DEVICES, help="of each gateway")
    parser.add_argument("--engine", choices=[*engines()], default=next(iter(engines())))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kangban-backpressure-") as scratch:
        try:
            play = Play(is_burst=asked.burst, devices=asked.devices, seconds=asked.seconds)
            is_well = run(play, engine=asked.engine, folder=Path(scratch))
        except KangbanError as error:
            sys.exit(str(error))
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
