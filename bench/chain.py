"""The whole chain, from households' gateways to the rules, on one machine: parts, lines, disk.

mosquitto and PostgreSQL are real and start again by themselves when they are killed, as they do in
the house; every process reaches its servers over a line of its own that can be cut. May hold: the
chain, whole and at rest. May not: what goes wrong (`chaos.py`), what is right (`reckoning.py`).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.ledger import Household
from bench.parts import FORKS, Home, Member, gateway, judge, worker
from bench.small_disk import SmallDisk
from bench.wire import Wire, Wires
from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from store import people
from store.migrate import migrate
from store.pool import connect
from vitals.wire import SHARDS, shard

_SERVICES = Path(__file__).parents[1] / ".services/root"
TIMESCALE, MOSQUITTO = _SERVICES / "usr/lib/postgresql/17/bin", _SERVICES / "usr/sbin/mosquitto"
# what it takes to have a small database on a small disk, everyday durability as it is
_SETTINGS = {
    "max_wal_size": "96MB",
    "shared_buffers": "64MB",
    "timescaledb.max_background_workers": "0",
}
_DATABASE = "chaos"
# zones in which days begin at odd moments, and change their length
_ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
)


@dataclass(kw_only=True)
class Dwelling:
    """One household as the campaign holds it: its gateway's process, line and dials."""

    household: Household
    gateway: Member
    wire: Wire
    folder: Path
    told: Home

    @property
    def ledger(self) -> Path:
        """What it has measured."""
        return self.folder / f"{self.household.gateway}.ledger"

    @property
    def spool(self) -> Path:
        """What waits in its gateway."""
        return self.folder / f"{self.household.gateway}.sqlite"


@dataclass(kw_only=True)
class Chain:
    """Everything. `disk` is None where the database's disk cannot be filled."""

    postgres: Postgres
    broker: Broker
    disk: SmallDisk | None
    url: str
    dwellings: list[Dwelling]
    workers: list[Member]
    judge: Member | None
    # how far the server's clock is ahead, seconds
    skew_s: Any
    to_broker: list[Wire] = field(default_factory=list)
    to_database: list[Wire] = field(default_factory=list)

    @property
    def server(self) -> list[Member]:
        """Our processes of the server."""
        return [*self.workers, *([self.judge] if self.judge else [])]

    @property
    def members(self) -> list[Member]:
        """All processes of ours."""
        return [*(each.gateway for each in self.dwellings), *self.server]

    @property
    def wires(self) -> list[Wire]:
        """All lines."""
        return [*(each.wire for each in self.dwellings), *self.to_broker, *self.to_database]

    def set_pace(self, readings_a_second: float) -> None:
        """Lets every household measure so fast."""
        for each in self.dwellings:
            each.told.pace.value = readings_a_second


def engines() -> dict[str, Path | None]:
    """The databases that are here: TimescaleDB where `make services` has fetched it."""
    found: dict[str, Path | None] = {"embedded": None}
    return {"timescale": TIMESCALE, **found} if TIMESCALE.exists() else found


def names(count: int) -> list[str]:
    """Gateways by turns of the lower and the upper half of the shards, one for each worker."""
    halves: tuple[list[str], list[str]] = ([], [])
    number = 0
    while min(map(len, halves)) < (count + 1) // 2:
        number += 1
        halves[shard(f"home-{number}") >= SHARDS // 2].append(f"home-{number}")
    return [halves[place % 2][place // 2] for place in range(count)]


@contextmanager
def chain(
    folder: Path,
    *,
    households: int,
    workers: int = 2,
    seed: int,
    engine: str,
    disk: SmallDisk | None = None,
    judged: bool = True,
    shared: bool = True,
    counts: bool = False,
) -> Iterator[Chain]:
    """A chain in a folder, nothing of ours begun yet; all of it is gone at the end.

    `shared`: do neighbours have a meter between them? `counts`: do the lines from the workers to
    the broker count packets?
    """
    data = disk.folder if disk else folder
    wires = Wires()
    with (
        Postgres(data / "postgres", engines()[engine], settings=_SETTINGS) as postgres,
        Broker(
            folder / "broker", program=MOSQUITTO if MOSQUITTO.exists() else None, anonymous=True
        ) as broker,
    ):
        url = postgres.create_database(_DATABASE)
        migrate(url)
        made = Chain(
            postgres=postgres,
            broker=broker,
            disk=disk,
            url=url,
            dwellings=_dwellings(folder, wires, broker, households, seed=seed, shared=shared),
            workers=[],
            judge=None,
            skew_s=FORKS.RawValue("d", 0.0),
        )
        _register(made)
        _add_server(made, folder, wires, workers=workers, judged=judged, counts=counts)
        try:
            yield made
        finally:
            for each in made.members:
                if each.is_alive():
                    each.kill()
            wires.close()


def _dwellings(
    folder: Path, wires: Wires, broker: Broker, count: int, *, seed: int, shared: bool
) -> list[Dwelling]:
    made, begin_s = [], int(time.time())
    for place, name in enumerate(names(count)):
        home = folder / name
        home.mkdir()
        wire = wires.wire(("127.0.0.1", broker.port))
        told = Home(
            # two neighbours, of different workers, have one meter between them
            household=Household(
                gateway=name,
                shared=f"ble:shared:{place // 2}:08" if shared else None,
                begin_s=begin_s,
                seed=seed,
            ),
            folder=home,
            mqtt=f"mqtt://127.0.0.1:{wire.port}",
            # without locks: who is killed while it holds one would keep it for ever
            skew_s=FORKS.RawValue("d", 0.0),
            pace=FORKS.RawValue("d", 0.0),
            most=FORKS.RawValue("q", 0),
            haste=FORKS.RawValue("d", 1.0),
        )
        made.append(
            Dwelling(
                household=told.household,
                gateway=Member(name, gateway, told, folder=folder),
                wire=wire,
                folder=home,
                told=told,
            )
        )
    return made


def _register(made: Chain) -> None:
    """Makes every gateway known, and every device somebody's."""
    homes = [each.household for each in made.dwellings]
    devices = [device for each in homes for device in each.devices]
    devices += sorted({each.shared for each in homes if each.shared is not None})
    with connect(made.url) as connection:
        for each in homes:
            people.register_gateway(connection, name=each.gateway)
        for place, device in enumerate(devices):
            patient = people.create_patient(
                connection, name=device, timezone=_ZONES[place % len(_ZONES)]
            )
            people.bind_device(connection, device, patient_id=patient)


def _add_server(
    made: Chain, folder: Path, wires: Wires, *, workers: int, judged: bool, counts: bool
) -> None:
    socket = next(made.postgres.socket.glob(".s.PGSQL.*"))
    socket = socket.with_name(socket.name.removesuffix(".lock"))

    def database(name: str) -> str:
        door = made.postgres.socket.with_name(f"d-{name}")
        made.to_database.append(wires.wire(socket, door=door / socket.name))
        parts = psycopg.conninfo.conninfo_to_dict(made.url)
        return f"postgresql:///{parts['dbname']}?host={door}&user={parts['user']}"

    each = SHARDS // workers
    for place in range(workers):
        name = f"ingest-{place}"
        wire = wires.wire(("127.0.0.1", made.broker.port), counts=counts)
        made.to_broker.append(wire)
        shards = f"{place * each:02d}-{(place + 1) * each - 1:02d}"
        mqtt = f"mqtt://127.0.0.1:{wire.port}"
        made.workers.append(
            Member(name, worker, database(name), mqtt, shards, made.skew_s, folder=folder)
        )
    if judged:
        made.judge = Member("rules", judge, database("rules"), made.skew_s, folder=folder)
