"""What leased shards cost one worker, and what a second worker brings.

In turns, in one run, the same messages are taken in by one worker that owns all shards (one line to
the broker), by one that leases them (eight lines), and by two that share them out. Everything else
is as in `bench.ingest`: until the last receipt is back, each row looked for. On a machine with few
cores the others (sender, broker, database) leave a second worker nothing to run on. `--slow 0.25`
therefore lets each worker run only a quarter of the time, as on a machine that is so much slower,
and shows how work is shared where workers are what it waits for. The last line is JSON.

    python -m bench.workers [--readings 100000] [--rounds 3] [--each 50] [--slow 0.25]
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.cpu import cpu_s
from bench.households import messages, settle
from bench.sender import write_packets
from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from store import leases, measurements
from store.migrate import migrate
from store.pool import connect, heartbeats
from vitals.wire import VERSION, Envelope, encode_envelope, topic

_SERVICES = Path(__file__).parents[1] / ".services/root"
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
_GATEWAYS = 128
_WINDOW = _GATEWAYS * 8
# seconds of one turn between running and standing still
_TURN_S = 0.02
_WORKER = """
import os, signal, threading
from ingest.__main__ import run
from ingest.config import IngestSettings
from vitals.settings import read
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(read(IngestSettings, os.environ), stop)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """So many workers, with their shards fixed or leased."""

    name: str
    workers: int
    shards: str


WAYS = (
    Way(name="one, all shards", workers=1, shards="00-63"),
    Way(name="one, leased", workers=1, shards="leased"),
    Way(name="two, leased", workers=2, shards="leased"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: its speed, and the processor time that a row took, in microseconds, by process."""

    rows_per_s: float
    cpu_us: dict[str, float]

    def __str__(self) -> str:
        parts = "  ".join(f"{name} {each:.1f}" for name, each in self.cpu_us.items())
        return f"{self.rows_per_s:9,.0f} rows/s   CPU us/row: {parts}"


def main() -> int:
    """The benchmark; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description="One worker, one that leases, two of them.")
    parser.add_argument("--readings", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--each", type=int, default=50, help="measurements of one message")
    parser.add_argument("--slow", type=float, default=1.0, help="part of the time a worker runs")
    asked = parser.parse_args()
    sent = _split(readings=asked.readings, each=asked.each)
    print(f"{asked.readings} measurements in {len(sent)} messages; {os.cpu_count()} cores for all.")
    found: dict[str, list[Measured]] = {way.name: [] for way in WAYS}
    with (
        tempfile.TemporaryDirectory(prefix="kangban-bench-") as folder,
        Postgres(
            Path(folder) / "postgres",
            _SERVICES / "usr/lib/postgresql/17/bin",
            settings=_SETTINGS,
        ) as postgres,
    ):
        packets = Path(folder) / "packets"
        write_packets(packets, sent)
        for number in range(asked.rounds):
            for place, way in enumerate(WAYS):
                measured = _measure(
                    postgres, packets, way=way, slow=asked.slow, run=number * len(WAYS) + place
                )
                found[way.name].append(measured)
                print(f"round {number + 1}  {way.name:16} {measured}", flush=True)
    print(json.dumps(_summary(found)))
    return 0


def _split(*, readings: int, each: int) -> list[tuple[str, bytes]]:
    """The benchmark's messages, with so many measurements in each."""
    made = messages(gateways=_GATEWAYS, readings=readings, now=datetime.now(UTC))
    if each == 50:
        return [(one.topic, one.payload) for one in made]
    parts = []
    for number, one in enumerate(made):
        gateway = one.topic.split("/")[3]
        for at in range(0, len(one.measurements), each):
            envelope = Envelope(
                v=VERSION,
                gateway=gateway,
                batch=f"{number}-{at}",
                sent_at=datetime.now(UTC),
                measurements=one.measurements[at : at + each],
            )
            parts.append((topic(gateway, "up"), encode_envelope(envelope)))
    # gateways take turns, as they do in full messages
    turns = len(parts) // len(made)
    return [parts[number * turns + turn] for turn in range(turns) for number in range(len(made))]


def _measure(postgres: Postgres, packets: Path, *, way: Way, slow: float, run: int) -> Measured:
    name = f"workers_{run}"
    url = postgres.create_database(name)
    migrate(url)
    with connect(url) as connection:
        settle(connection, gateways=_GATEWAYS)
    with (
        tempfile.TemporaryDirectory(prefix="kangban-broker-") as folder,
        Broker(Path(folder), program=_SERVICES / "usr/sbin/mosquitto") as broker,
        _workers(way, url=url, broker=broker.url) as pids,
        _slowed(pids, slow),
    ):
        watched = {"database": [postgres.pid], "broker": [broker.pid], "workers": pids}
        before = {name: sum(map(cpu_s, each)) for name, each in watched.items()}
        done = subprocess.run(
            [sys.executable, "-m", "bench.sender", broker.url, packets, str(_WINDOW)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        used = {name: sum(map(cpu_s, each)) - before[name] for name, each in watched.items()}
    result = json.loads(done.stdout)
    with connect(url) as connection:
        stored = measurements.counts(connection).measurements
        wrong = measurements.differences(connection)
    postgres.drop_database(name)
    if stored != result["committed"] or wrong:
        sys.exit(f"LOST: {stored} stored, {wrong=}, receipts say {result}")
    used["sender"] = result["cpu_s"]
    return Measured(
        rows_per_s=stored / result["seconds"],
        cpu_us={name: each * 1e6 / stored for name, each in used.items()},
    )


@contextmanager
def _workers(way: Way, *, url: str, broker: str) -> Iterator[list[int]]:
    """The process ids of workers that have all shards among them."""
    environ = {**os.environ, "KANGBAN_DATABASE_URL": url, "KANGBAN_MQTT_URL": broker}
    environ |= {"KANGBAN_SHARDS": way.shards, "KANGBAN_LEASE_S": "10"}
    running = [
        subprocess.Popen([sys.executable, "-c", _WORKER], env=environ) for _ in range(way.workers)
    ]
    try:
        with connect(url, autocommit=True) as connection:
            while "ingest" not in heartbeats(connection):
                time.sleep(0.05)
            while way.shards == "leased" and not _is_shared_out(
                list(leases.holders(connection).values()), way.workers
            ):
                time.sleep(0.05)
        # the lines of what was taken last
        time.sleep(1.0)
        yield [each.pid for each in running]
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait()


def _is_shared_out(holders: list[str | None], workers: int) -> bool:
    return None not in holders and len(set(holders)) == workers


@contextmanager
def _slowed(pids: list[int], share: float) -> Iterator[None]:
    """Lets each process run only this part of the time."""
    over = threading.Event()

    def slow(pid: int) -> None:
        while not over.wait(_TURN_S * share):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(_TURN_S * (1 - share))
            os.kill(pid, signal.SIGCONT)

    threads = [threading.Thread(target=slow, args=(pid,)) for pid in pids if share < 1]
    for each in threads:
        each.start()
    yield
    over.set()
    for each in threads:
        each.join()


def _summary(found: dict[str, list[Measured]]) -> dict[str, float]:
    one, leased, two = (found[way.name] for way in WAYS)

    def median(pairs: Iterable[tuple[Measured, Measured]]) -> float:
        return round(statistics.median(a.rows_per_s / b.rows_per_s for a, b in pairs), 2)

    return {
        "leased_to_fixed": median(zip(leased, one, strict=True)),
        "two_to_one": median(zip(two, leased, strict=True)),
        "two_to_fixed": median(zip(two, one, strict=True)),
    }


if __name__ == "__main__":
    sys.exit(main())
