"""The whole chain under faults, cycle after cycle: what was measured is stored, once.

Six households measure without a pause, old records and new ones, critical values among both; their
gateways' own spools and uplinks send, mosquitto passes on, two workers of ingest store, the rules
judge. A *cycle* is one fault at a random moment: a process killed (-9), hung or stopped in order, a
broker that comes back without its queue, PostgreSQL or one of its backends killed, its disk filled,
a line cut or dead, a clock that is wrong. Nothing is waited for in between, so that faults fall
into the recovery from earlier ones and into each other. At each reckoning, and at the end,
everything is mended and comes to rest, and every value is held against the households' ledgers.

    python -m bench.chaos [--cycles 1000] [--seed 1] [--reckon-every 250] [--keep DIR]

The seed gives the plan of faults, of each cycle by itself; when the processes get their turn, the
system decides, so that a seed repeats the plan and not the run. The last line is JSON; exit 1 if
anything was lost, doubled, changed or alarmed from old data, a day differs from its recount, a
process ended by itself, or the chain did not come to rest.
"""

import argparse
import heapq
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bench.chain import Chain, Dwelling, chain, engines
from bench.cpu import cpu_s
from bench.parts import FAR_AHEAD_S, Member
from bench.reckoning import Found, Truth, news_waiting, reckon, stored_between, waiting_in
from bench.small_disk import SmallDisk, enter
from bench.wire import Wire
from kangban.embedded.running import command_line
from kangban.embedded.service import Service
from rules.pack import standard_packs
from store.pool import connect
from vitals.errors import KangbanError

HOUSEHOLDS, WORKERS = 6, 2
# readings a second of each household: enough that every fault meets some on their way
PACE = 8.0
# seconds between two faults, on average
PAUSE_S = 0.13
# seconds for which a line stays cut, a disk full, a process hung
LEAST_S, MOST_S = 0.1, 1.5
# seconds that a process gets to stop in order
STOP_S = 60.0
# seconds in which everything must come to rest when all faults are over
RECKONING_S = 240.0
# octets of the database's disk, and the most that is left of it when it is filled
DISK, LEFT = 3 * 2**30, 1_500_000
# seconds by which clocks are wrong. Gateway and server together stay within the ten minutes that
# the server lets a reading lie ahead
GATEWAY_SKEW_S, SERVER_SKEW_S = (-10_000, 240), (-240, 7_200)
# part of the wrong clocks of gateways that are far ahead: what is measured by them is refused
FAR_AHEAD = 0.15

Mend = Callable[[], object]


@dataclass(kw_only=True)
class World:
    """The chain, what was measured in it, and what has happened to it."""

    chain: Chain
    truth: Truth = field(default_factory=Truth)
    happened: Counter[str] = field(default_factory=Counter)
    # what is to be mended, and when
    mends: list[tuple[float, int, Mend]] = field(default_factory=list)
    # members that ended without being killed
    fell: list[str] = field(default_factory=list)
    # since when there have been faults without rest
    storm_began: datetime = field(default_factory=lambda: datetime.now(UTC))
    # values that were committed while faults went on, and the longest way to rest
    in_storm: int = 0
    rest_s: float = 0.0
    _numbers: "count[int]" = field(default_factory=count)

    def later(self, wait_s: float, mend: Mend) -> None:
        """Does this when so many seconds are over."""
        heapq.heappush(self.mends, (time.monotonic() + wait_s, next(self._numbers), mend))

    def wait(self, seconds: float) -> None:
        """Lets time pass, and mends what is due in it."""
        end_s = time.monotonic() + seconds
        while True:
            due_s = min(end_s, self.mends[0][0] if self.mends else end_s)
            time.sleep(max(0.0, due_s - time.monotonic()))
            if not self.mends or self.mends[0][0] > time.monotonic():
                if time.monotonic() >= end_s:
                    return
                continue
            heapq.heappop(self.mends)[2]()

    def mend_all(self) -> None:
        """Mends everything now."""
        while self.mends:
            heapq.heappop(self.mends)[2]()

    def look_after(self) -> None:
        """Begins anew what ended by itself, and remembers that it did."""
        for each in self.chain.members:
            if not each.is_alive():
                self.fell.append(each.name)
                each.start()


# -- faults: each gives back whether there was anything to hit -------------------------------------

Fault = Callable[[World, random.Random], bool]


def _kill(member: Member) -> None:
    member.kill()
    member.start()


def _kill_gateway(world: World, chance: random.Random) -> bool:
    gateway = _a_dwelling(world, chance).gateway
    for _ in range(chance.choice([1, 1, 2])):
        _kill(gateway)
        # once more, in the middle of its start
        time.sleep(chance.random() * 0.1)
    return True


def _kill_worker(world: World, chance: random.Random) -> bool:
    for each in chance.sample(world.chain.workers, chance.choice([1, 1, WORKERS])):
        _kill(each)
    return True


def _kill_judge(world: World, chance: random.Random) -> bool:
    assert world.chain.judge is not None
    _kill(world.chain.judge)
    return True


def _hang(world: World, chance: random.Random) -> bool:
    member = chance.choice(world.chain.members)
    if member.is_frozen:
        return False
    member.freeze()
    starts = member.starts

    def thaw() -> None:
        if member.starts == starts and member.is_frozen:
            member.thaw()

    world.later(_a_while_s(chance), thaw)
    return True


def _kill_broker(world: World, chance: random.Random) -> bool:
    return _kill_server(world.chain.broker)


def _wipe_broker(world: World, chance: random.Random) -> bool:
    if world.chain.broker.pid == 0:
        return False
    # before and after: it is begun again at once
    _wipe(world)
    done = _kill_broker(world, chance)
    _wipe(world)
    return done


def _wipe(world: World) -> None:
    for each in world.chain.broker.data.glob("*.db*"):
        each.unlink(missing_ok=True)


def _kill_postgres(world: World, chance: random.Random) -> bool:
    return _kill_server(world.chain.postgres)


def _kill_server(server: Service) -> bool:
    pid = server.pid
    if pid == 0:
        # it is down already
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def _kill_backend(world: World, chance: random.Random) -> bool:
    """The server's process of one of our connections; PostgreSQL then ends all, and recovers."""
    backends = _backends(world.chain.postgres.pid)
    if not backends:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(backends), signal.SIGKILL)
        return True
    return False


def _backends(postmaster: int) -> list[int]:
    try:
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    except OSError:
        return []
    pids = sorted(map(int, children))
    return [pid for pid in pids if command_line(pid).startswith("postgres: kangban chaos")]


def _fill_disk(world: World, chance: random.Random) -> bool:
    disk = world.chain.disk
    if disk is None:
        return False
    disk.fill(leave=chance.choice([0, chance.randrange(LEFT)]))
    world.later(_a_while_s(chance), disk.empty)
    return True


def _cut_home(world: World, chance: random.Random) -> bool:
    homes = chance.sample(world.chain.dwellings, chance.choice([1, 1, 2, HOUSEHOLDS]))
    _cut(world, [each.wire for each in homes], chance)
    return True


def _cut_server(world: World, chance: random.Random) -> bool:
    _cut(world, [chance.choice(world.chain.to_broker)], chance)
    return True


def _cut_database(world: World, chance: random.Random) -> bool:
    _cut(world, [chance.choice(world.chain.to_database)], chance)
    return True


def _cut(world: World, wires: list[Wire], chance: random.Random) -> None:
    is_told = chance.random() < 0.6
    for each in wires:
        if is_told:
            each.cut()
        else:
            each.go_dead()
        world.later(_a_while_s(chance), each.mend)


def _skew_gateway(world: World, chance: random.Random) -> bool:
    skew_s = FAR_AHEAD_S if chance.random() < FAR_AHEAD else chance.randrange(*GATEWAY_SKEW_S)
    dwelling = _a_dwelling(world, chance)
    dwelling.told.skew_s.value = chance.choice([0, skew_s])
    if skew_s == FAR_AHEAD_S:
        world.later(_a_while_s(chance), lambda: _set_right(dwelling))
    return True


def _set_right(dwelling: Dwelling) -> None:
    dwelling.told.skew_s.value = 0.0


def _skew_server(world: World, chance: random.Random) -> bool:
    world.chain.skew_s.value = chance.choice([0, chance.randrange(*SERVER_SKEW_S)])
    return True


def _restart_member(world: World, chance: random.Random) -> bool:
    """Stops one process as systemd does, and begins it again."""
    member = chance.choice(world.chain.members)
    member.ask_to_stop()
    end_s = time.monotonic() + STOP_S
    while member.exit_code is None and time.monotonic() < end_s:
        # it may wait for a line that is dead: what is due is mended meanwhile
        world.wait(0.02)
    # one that has just begun and cannot listen yet ends by the signal itself
    if member.exit_code not in (0, -signal.SIGTERM):
        world.fell.append(f"{member.name} did not stop in order ({member.exit_code})")
    _kill(member)
    return True


def _restart_everything(world: World, chance: random.Random) -> bool:
    """The power is gone, for homes and server alike."""
    for each in world.chain.members:
        each.kill()
    _kill_broker(world, chance)
    _kill_postgres(world, chance)
    for each in world.chain.members:
        each.start()
    return True


# how often each happens beside the others: the database recovers for a second, a gateway begins in
# a tenth of one, and between two faults of one part the chain must get some work done
FAULTS: dict[str, tuple[float, Fault]] = {
    "gateway_kill": (24, _kill_gateway),
    "worker_kill": (10, _kill_worker),
    "rules_kill": (4, _kill_judge),
    "hang": (8, _hang),
    "broker_kill": (3, _kill_broker),
    "broker_wiped": (3, _wipe_broker),
    "postmaster_kill": (3, _kill_postgres),
    "backend_kill": (3, _kill_backend),
    "disk_full": (3, _fill_disk),
    "home_cut": (14, _cut_home),
    "worker_cut": (4, _cut_server),
    "database_cut": (4, _cut_database),
    "gateway_skew": (10, _skew_gateway),
    "server_skew": (4, _skew_server),
    "restart_one": (2, _restart_member),
    "restart_everything": (2, _restart_everything),
}


def _a_dwelling(world: World, chance: random.Random) -> Dwelling:
    return chance.choice(world.chain.dwellings)


def _a_while_s(chance: random.Random) -> float:
    return chance.uniform(LEAST_S, MOST_S)


def plan(seed: int, number: int) -> tuple[float, list[str], random.Random]:
    """Of one cycle: seconds before its fault, the faults by preference, and the chance it is given.

    The first is what happens; the next takes its place where there is nothing for it to hit.
    """
    chance = random.Random(f"{seed}/{number}")
    weights = {name: weight for name, (weight, _) in FAULTS.items()}
    order = sorted(weights, key=lambda name: -(chance.random() ** (1 / weights[name])))
    return min(chance.expovariate(1 / PAUSE_S), 6 * PAUSE_S), order, chance


def cycle(world: World, seed: int, number: int) -> None:
    """One fault at its moment."""
    wait_s, order, chance = plan(seed, number)
    world.wait(wait_s)
    world.look_after()
    for name in order:
        if FAULTS[name][1](world, chance):
            world.happened[name] += 1
            return


# -- reckonings ------------------------------------------------------------------------------------


def settle(world: World) -> bool:
    """Whether everything came to rest: all that was measured has its receipt, and is judged."""
    begun_s, storm_ended = time.monotonic(), datetime.now(UTC)
    world.mend_all()
    here = world.chain
    here.skew_s.value = 0.0
    for each in here.dwellings:
        each.told.skew_s.value = 0.0
    here.set_pace(0.0)
    while not _is_at_rest(world):
        world.look_after()
        if time.monotonic() - begun_s > RECKONING_S:
            _tell_where_it_stands(world)
            return False
        time.sleep(0.1)
    world.rest_s = max(world.rest_s, time.monotonic() - begun_s)
    with connect(here.url) as connection:
        world.in_storm += stored_between(connection, world.storm_began, storm_ended)
    return True


def _is_at_rest(world: World) -> bool:
    for each in world.chain.dwellings:
        name = each.household.gateway
        world.truth.read(name, each.ledger)
        if world.truth.waiting(name) or waiting_in(each.spool):
            return False
    try:
        with connect(world.chain.url) as connection:
            return news_waiting(connection) == 0
    except KangbanError:
        return False


def _tell_where_it_stands(world: World) -> None:
    for each in world.chain.dwellings:
        name = each.household.gateway
        print(
            f"    {name}: {world.truth.waiting(name)} not known to be kept, "
            f"{waiting_in(each.spool)} wait for a receipt"
        )
    with suppress(KangbanError), connect(world.chain.url) as connection:
        print(f"    news of {news_waiting(connection)} patients wait")


def run(world: World, *, cycles: int, seed: int, every: int) -> tuple[Found, bool]:
    """The campaign: what the last reckoning found, and whether the chain came to rest."""
    packs = standard_packs()
    live = {device for each in world.chain.dwellings for device in each.household.live}
    for each in world.chain.members:
        each.start()
    found, rested = Found(), True
    for number in range(1, cycles + 1):
        if number % every == 1 or every == 1:
            world.storm_began = datetime.now(UTC)
            world.chain.set_pace(PACE)
        cycle(world, seed, number)
        if number % every and number < cycles:
            continue
        rested = settle(world)
        if rested:
            with connect(world.chain.url) as connection:
                found = reckon(connection, world.truth, packs, live=live)
        _say(number, world, found, rested)
        if not rested or not found.is_well:
            break
    return found, rested


def _say(number: int, world: World, found: Found, rested: bool) -> None:
    print(
        f"cycle {number}: {world.truth.readings} readings, {found.values} values, lost "
        f"{found.lost}, doubled {found.doubled}, changed {found.changed}, refused {found.refused}, "
        f"days wrong {found.wrong_days}, alarms {found.alarms}, of old data {found.old_alarms}, "
        f"at rest in {world.rest_s:.0f} s at most{'' if rested else ': NOT AT REST'}",
        flush=True,
    )
    for each in found.wrong:
        print(f"    {each}", flush=True)


def figures(world: World, found: Found, rested: bool) -> dict[str, object]:
    """What the last line says."""
    log = (world.chain.postgres.data / "postgres.log").read_text(errors="replace")
    return {
        # of all processes together: seconds on the clock swing with what else the machine does
        "processor_s": round(cpu_s(os.getpid())),
        "households": len(world.chain.dwellings),
        "readings": world.truth.readings,
        "values": found.values,
        "stored_in_storm": world.in_storm,
        "lost": found.lost,
        "doubled": found.doubled,
        "changed": found.changed,
        "refused_far_ahead": found.refused,
        "wrong_days": found.wrong_days,
        "alarms": found.alarms,
        "alarms_of_old_data": found.old_alarms,
        "other_faults": found.other,
        "at_rest": rested,
        "longest_way_to_rest_s": round(world.rest_s, 1),
        "fell_by_themselves": world.fell,
        "gateway_starts": sum(each.gateway.starts for each in world.chain.dwellings),
        "server_starts": sum(each.starts for each in world.chain.server),
        "recoveries": log.count("database system was not properly shut down")
        + log.count("all server processes terminated; reinitializing"),
        "no_space_errors": log.count("No space left on device"),
        "faults": dict(sorted(world.happened.items())),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The chain under faults; see the module.")
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--reckon-every", type=int, default=250)
    parser.add_argument("--engine", choices=[*engines()], default=next(iter(engines())))
    parser.add_argument("--keep", type=Path, help="a folder for logs, ledgers and spools")
    return parser.parse_args()


def main() -> int:
    """The campaign from the command line."""
    asked = _arguments()
    can_mount = enter(["bench.chaos", *sys.argv[1:]])
    if not can_mount:
        print("This system forbids namespaces: the database's disk is not filled.", flush=True)
    print(f"seed {asked.seed}, {asked.engine}", flush=True)
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kangban-chaos-") as scratch:
        folder = (asked.keep or Path(scratch)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        disk = SmallDisk(folder / "disk", DISK) if can_mount else None
        try:
            seen, is_well = _campaign(asked, folder, disk)
        finally:
            if disk:
                disk.close()
    seconds = round(time.monotonic() - begin_s, 1)
    given = {"cycles": asked.cycles, "seed": asked.seed, "engine": asked.engine}
    print(json.dumps({**given, "seconds": seconds, "is_well": is_well, **seen}))
    return 0 if is_well else 1


def _campaign(
    asked: argparse.Namespace, folder: Path, disk: SmallDisk | None
) -> tuple[dict[str, object], bool]:
    """The figures of the campaign, and whether all is as it must be."""
    with chain(
        folder,
        households=HOUSEHOLDS,
        workers=WORKERS,
        seed=asked.seed,
        engine=asked.engine,
        disk=disk,
    ) as here:
        world = World(chain=here)
        found, rested = run(world, cycles=asked.cycles, seed=asked.seed, every=asked.reckon_every)
        if asked.keep:
            shutil.copy(here.postgres.data / "postgres.log", folder)
        return figures(world, found, rested), rested and found.is_well and not world.fell


if __name__ == "__main__":
    sys.exit(main())
