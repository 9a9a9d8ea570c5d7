"""Whatever is killed, and whenever: every reading is stored once, and the days add up.

A meter with 5,000 tests in its memory is read by a gateway, through the broker and ingest into the
database. Gateway, ingest, broker and PostgreSQL are killed with SIGKILL, each at a random moment of
the run (`KANGBAN_SEED` repeats one), and started again. Then the run is left to finish.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import psycopg
import pytest

from kangban import owned
from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from simulator.__main__ import memory
from store import measurements, people
from store.migrate import migrate
from store.pool import connect

RECORDS = 5000
GATEWAY, METER = "home-kill", "ble:F0:00:00:01:00:01"
# seconds until a run that does not finish is a failure
PATIENCE_S = 180.0


@dataclass
class Chain:
    """Everything between the meter and the database, each part to be killed and started again."""

    postgres: Postgres
    broker: Broker
    url: str
    folder: Path
    ingest: "subprocess.Popen[bytes]"
    gateway: "subprocess.Popen[bytes]"

    def stored(self) -> int:
        """Rows that are committed; -1 while nobody can say."""
        try:
            with psycopg.connect(self.url, connect_timeout=5) as connection:
                row = connection.execute("SELECT count(*) FROM measurement").fetchone()
                return int(row[0]) if row else -1
        except psycopg.Error:
            return -1

    def kill_ingest(self) -> None:
        self.ingest.kill()
        self.ingest.wait()
        self.ingest = start_ingest(self.folder, self.url, self.broker.url)

    def kill_gateway(self) -> None:
        self.gateway.kill()
        self.gateway.wait()
        self.gateway = start_gateway(self.folder, self.broker.url)

    def kill_broker(self) -> None:
        os.kill(self.broker.pid, signal.SIGKILL)
        self.broker.wait()

    def kill_postgres(self) -> None:
        os.kill(self.postgres.pid, signal.SIGKILL)
        self.postgres.wait()


def start_ingest(folder: Path, url: str, mqtt: str) -> "subprocess.Popen[bytes]":
    environ = {**os.environ, "KANGBAN_DATABASE_URL": url, "KANGBAN_MQTT_URL": mqtt}
    return owned.start(["ingest"], environ=environ, log=folder / "ingest.log")


def start_gateway(folder: Path, mqtt: str) -> "subprocess.Popen[bytes]":
    environ = {
        **os.environ,
        "KANGBAN_GATEWAY_NAME": GATEWAY,
        "KANGBAN_GATEWAY_DATA": str(folder / "gateway"),
        "KANGBAN_MQTT_URL": mqtt,
    }
    words = ["simulate", "meter", "--stored", str(RECORDS), "--every", "86400"]
    return owned.start(words, environ=environ, log=folder / "gateway.log")


@contextmanager
def chain(postgres: Postgres, broker: Broker, folder: Path) -> Iterator[Chain]:
    url = postgres.create_database("kill")
    migrate(url)
    with connect(url) as connection:
        people.register_gateway(connection, name=GATEWAY)
        patient = people.create_patient(connection, name="Li")
        people.bind_device(connection, METER, patient_id=patient)
    running = Chain(
        postgres=postgres,
        broker=broker,
        url=url,
        folder=folder,
        ingest=start_ingest(folder, url, broker.url),
        gateway=start_gateway(folder, broker.url),
    )
    try:
        yield running
    finally:
        for each in (running.gateway, running.ingest):
            each.kill()
            each.wait()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Looks again and again; fails after the patience is at its end."""
    end, tick = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"{what} within {PATIENCE_S:.0f} s"
        tick.wait(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["timescale", "embedded"])
def test_every_reading_is_stored_once_whatever_is_killed(
    engine: str,
    private_postgres: Callable[[str], Postgres],
    private_broker: Callable[[], Broker],
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("KANGBAN_SEED") or time.time_ns() % 1_000_000)
    chance = random.Random(seed)
    print(f"KANGBAN_SEED={seed}")
    with chain(private_postgres(engine), private_broker(), tmp_path) as running:
        kills = [
            running.kill_gateway,
            running.kill_ingest,
            running.kill_broker,
            running.kill_postgres,
        ]
        chance.shuffle(kills)
        moments = sorted(chance.randrange(1, RECORDS) for _ in kills)
        for moment, kill in zip(moments, kills, strict=True):
            wait_until(
                lambda moment=moment: running.stored() >= moment, f"{moment} rows (seed {seed})"
            )
            kill()
        # the meter measures once more when its gateway starts: one row more than its memory
        wait_until(lambda: running.stored() >= RECORDS, f"{RECORDS} rows (seed {seed})")
        compare(running, seed)


def compare(running: Chain, seed: int) -> None:
    """Holds what is stored against the meter's memory, and each day against a recount."""
    memory_of_meter = Counter(
        (each.at.astimezone(UTC).replace(microsecond=0), float(each.value))
        for each in memory(RECORDS)
        if each.value is not None and each.measurements
    )
    begins = min(at for at, _ in memory_of_meter)
    ends = max(at for at, _ in memory_of_meter)
    with connect(running.url) as connection:
        rows = connection.execute(
            "SELECT taken_at, value FROM measurement WHERE taken_at BETWEEN %s AND %s",
            (begins, ends),
        ).fetchall()
        assert Counter((at.astimezone(UTC), value) for at, value in rows) == memory_of_meter, seed
        assert measurements.differences(connection) == []
        counts = measurements.counts(connection)
        assert (counts.rejections, counts.dead_letters, counts.unassigned) == (0, 0, 0)
