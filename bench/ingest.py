"""Ingest end to end beside raw COPY into the same table, in turns, in one run.

End to end is: MQTT QoS 1, fifty measurements a message and then one, judged, stored once, counted
into days, committed, receipt sent, acknowledged; the clock runs until the last receipt has come
back. Raw is a binary COPY of the same rows, in the same order, into a hypertable with the same key
and indexes, patient already known, nothing checked. Both on TimescaleDB and on the same server
settings. Every round looks whether each row is stored and each receipt named it. `--profile` adds a
round of each size whose worker says which functions take its processor time, thread by thread; its
rates are those of a worker that is watched. The last line is JSON.

    python -m bench.ingest [--readings 300000] [--rounds 5] [--singles 60000] [--profile]
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.cpu import cpu_s
from bench.households import COPY_COLUMNS, COPY_TYPES, Message, messages, rows, settle
from bench.sender import write_packets
from bench.watch import watched
from ingest.__main__ import run
from ingest.config import IngestSettings
from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from store import measurements
from store.migrate import migrate
from store.pool import connect, heartbeats
from vitals.settings import read
from vitals.wire import MAX_MEASUREMENTS

_SERVICES = Path(__file__).parents[1] / ".services/root"
_POSTGRES = _SERVICES / "usr/lib/postgresql/17/bin"
_MOSQUITTO = _SERVICES / "usr/sbin/mosquitto"

# a server with 4 GB; durability as it comes: fsync and synchronous_commit are on
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
_GATEWAYS = 128
# each gateway has at most so many envelopes without a receipt (gateway_agent/delivery.py)
_ENVELOPES_OF_GATEWAY = 8
# of each round; it is dropped afterwards
_DATABASE = "bench"
# rows of one transaction of the raw COPY: as many as one load of ingest takes
_COPY_ROWS = 25_000


def main() -> int:
    """The benchmark; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description="Rows a second: ingest beside raw COPY.")
    parser.add_argument("--readings", type=int, default=300_000)
    parser.add_argument("--singles", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores for sender, broker, ingest and database together.")
    results = {}
    with (
        tempfile.TemporaryDirectory(prefix="kangban-bench-") as folder,
        _servers(folder) as (postgres, broker),
    ):
        for name, size, readings in (
            ("fifty", MAX_MEASUREMENTS, asked.readings),
            ("single", 1, asked.singles),
        ):
            if readings:
                case = _Case.make(Path(folder) / name, size=size, readings=readings)
                print(f"\n{case.total} measurements in {len(case.sent)} messages, {size} in each:")
                results[name] = _compare(case, postgres, broker, rounds=asked.rounds)
                if asked.profile:
                    _profile(case, postgres, broker)
    print(json.dumps(results))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is sent, and the file of packets for the sender."""

    sent: list[Message]
    packets: Path
    total: int

    @classmethod
    def make(cls, packets: Path, *, size: int, readings: int) -> "_Case":
        now = datetime.now(UTC)
        sent = messages(gateways=_GATEWAYS, readings=readings, now=now, size=size)
        write_packets(packets, [(each.topic, each.payload) for each in sent])
        total = sum(len(each.measurements) for each in sent)
        return cls(sent=sent, packets=packets, total=total)


def _compare(case: _Case, postgres: Postgres, broker: Broker, *, rounds: int) -> dict[str, Any]:
    copies, ingests = [], []
    for number in range(rounds):
        with _fresh(postgres) as url:
            copies.append(_copy(url, postgres, case.sent))
        with _fresh(postgres) as url:
            ingests.append(_ingest(url, postgres, broker, case))
        print(f"round {number + 1}: raw COPY {copies[-1]}\n         ingest   {ingests[-1]}")
        ratio = ingests[-1].rows_per_s / copies[-1].rows_per_s
        print(f"         ratio    {ratio:.2f}   load {os.getloadavg()[0]:.1f}", flush=True)
    return _summary(ingests, copies)


def _profile(case: _Case, postgres: Postgres, broker: Broker) -> None:
    with tempfile.NamedTemporaryFile() as told, _fresh(postgres) as url:
        measured = _ingest(url, postgres, broker, case, profile=Path(told.name))
        print(f"watched: {measured}")
        print(Path(told.name).read_text())


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: its speed, and the processor time that a row took, in microseconds, by process."""

    rows_per_s: float
    cpu_us: dict[str, float]

    def __str__(self) -> str:
        parts = "  ".join(f"{name} {each:.1f}" for name, each in self.cpu_us.items())
        total = sum(self.cpu_us.values())
        return f"{self.rows_per_s:9,.0f} rows/s   CPU us/row: {parts}  = {total:.1f}"


def _summary(ingests: list[Measured], copies: list[Measured]) -> dict[str, Any]:
    pairs = list(zip(ingests, copies, strict=True))
    return {
        "ingest_rows_per_s": round(statistics.median(each.rows_per_s for each in ingests)),
        "copy_rows_per_s": round(statistics.median(each.rows_per_s for each in copies)),
        "ratio": round(statistics.median(a.rows_per_s / b.rows_per_s for a, b in pairs), 3),
        "cpu_us_per_row": {
            name: round(statistics.median(each.cpu_us[name] for each in ingests), 2)
            for name in ingests[0].cpu_us
        },
        "copy_cpu_us_per_row": round(statistics.median(sum(e.cpu_us.values()) for e in copies), 2),
    }


@contextmanager
def _servers(folder: str) -> Iterator[tuple[Postgres, Broker]]:
    with (
        Postgres(Path(folder) / "postgres", _POSTGRES, settings=_SETTINGS) as postgres,
        Broker(Path(folder) / "broker", program=_MOSQUITTO) as broker,
    ):
        yield postgres, broker


@contextmanager
def _fresh(postgres: Postgres) -> Iterator[str]:
    """The URL of a database with the schema and everybody's names, for one round."""
    url = postgres.create_database(_DATABASE)
    migrate(url)
    with connect(url) as connection:
        settle(connection, gateways=_GATEWAYS)
    yield url
    postgres.drop_database(_DATABASE)


def _copy(url: str, postgres: Postgres, sent: list[Message]) -> Measured:
    """A binary COPY of the same rows."""
    with connect(url) as connection:
        ready = _rows(connection, sent)
        begin_s, own_s, server_s = time.monotonic(), time.process_time(), cpu_s(postgres.pid)
        for at in range(0, len(ready), _COPY_ROWS):
            with (
                connection.cursor() as cursor,
                cursor.copy(
                    f"COPY measurement ({COPY_COLUMNS}) FROM STDIN (FORMAT BINARY)"
                ) as copy,
            ):
                copy.set_types(COPY_TYPES)
                for row in ready[at : at + _COPY_ROWS]:
                    copy.write_row(row)
            connection.commit()
        took_s = time.monotonic() - begin_s
        used_s = {
            "database": cpu_s(postgres.pid) - server_s,
            "client": time.process_time() - own_s,
        }
    return Measured(
        rows_per_s=len(ready) / took_s,
        cpu_us={name: each * 1e6 / len(ready) for name, each in used_s.items()},
    )


def _rows(connection: Any, sent: list[Message]) -> list[tuple[Any, ...]]:
    devices = dict(connection.execute("SELECT name, id FROM device").fetchall())
    gateways = dict(connection.execute("SELECT name, id FROM gateway").fetchall())
    patients = dict(
        connection.execute(
            "SELECT name, patient_id FROM device_user JOIN device ON device.id = device_id"
        ).fetchall()
    )
    connection.commit()
    return rows(sent, devices=devices, gateways=gateways, patients=patients)


def _ingest(
    url: str, postgres: Postgres, broker: Broker, case: _Case, *, profile: Path | None = None
) -> Measured:
    """Everything, from the first message to the last receipt."""
    size = case.total // len(case.sent)
    arguments = [broker.url, case.packets, _GATEWAYS * _ENVELOPES_OF_GATEWAY, size]
    with _worker(url, broker.url, profile=profile) as worker:
        pids = {"database": postgres.pid, "worker": worker, "broker": broker.pid}
        before_s = {name: cpu_s(pid) for name, pid in pids.items()}
        done = subprocess.run(
            [sys.executable, "-m", "bench.sender", *map(str, arguments)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        used_s = {name: cpu_s(pid) - before_s[name] for name, pid in pids.items()}
    result = json.loads(done.stdout)
    used_s["sender"] = result["cpu_s"]
    with connect(url) as connection:
        stored = measurements.counts(connection).measurements
        wrong_days = measurements.differences(connection)
    total = case.total
    if (stored, result["committed"], wrong_days) != (total, total, []):
        sys.exit(f"LOST: {total} sent, {stored} stored, {wrong_days=}, receipts say {result}")
    return Measured(
        rows_per_s=total / float(result["seconds"]),
        cpu_us={name: each * 1e6 / total for name, each in used_s.items()},
    )


@contextmanager
def _worker(url: str, broker: str, *, profile: Path | None) -> Iterator[int]:
    """The process id of one ingest worker that is ready to work."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    settings = read(IngestSettings, {"KANGBAN_DATABASE_URL": url, "KANGBAN_MQTT_URL": broker})
    target, more = (watched, (profile,)) if profile else (run, ())
    worker = context.Process(target=target, args=(settings, stop, *more), daemon=True)
    worker.start()
    try:
        with connect(url, autocommit=True) as connection:
            # the first heartbeat comes once broker and database have both answered
            while not _is_ready(connection):
                time.sleep(0.05)
        yield worker.pid or 0
    finally:
        stop.set()
        worker.join()


def _is_ready(connection: Any) -> bool:
    """Has the worker reached broker and database?"""
    return "ingest" in heartbeats(connection)


if __name__ == "__main__":
    sys.exit(main())
