"""Workers share the shards out among themselves, whoever comes, goes, dies or stands still.

Each worker is a process of its own on a real broker and a real database. No gateway of these tests
sends anything twice: what a lost worker had not acknowledged, the broker hands to the next holder.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
import pytest
from arriving import glucose
from gateways import Gateways
from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from test_ingest import counts, ids, rows, settings, settle, until, worker
from test_observing import ask, figures, free_port

from ingest.lease import BLOCKS
from kangban.embedded.broker import Broker
from store import leases
from store.pool import connect
from vitals.broker import broker as broker_of
from vitals.errors import TryAgain
from vitals.wire import shard

LEASE_S = 3.0
# a home for nearly every shard, so that every block has something to carry
HOMES = [f"home-{n}" for n in range(64)]
_PROGRAM = """
import logging, os, signal, threading
from ingest.__main__ import run
from ingest.config import IngestSettings
from vitals.settings import read
logging.basicConfig(level=logging.INFO)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(read(IngestSettings, os.environ), stop)
"""


class Worker:
    """One worker; `with` it runs."""

    def __init__(self, database: str, broker: str) -> None:
        self.port = port = free_port()
        environ = {
            **os.environ,
            "KANGBAN_DATABASE_URL": database,
            "KANGBAN_MQTT_URL": broker,
            "KANGBAN_SHARDS": "leased",
            "KANGBAN_LEASE_S": str(LEASE_S),
            "KANGBAN_STATUS_PORT": str(port),
        }
        self.process = subprocess.Popen([sys.executable, "-c", _PROGRAM], env=environ)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        assert self.process.wait(30) in (0, -signal.SIGKILL)

    def lines(self) -> float:
        """How many lines to the broker it has up: their sessions hold what comes from then on."""
        if ask(self.port, "/healthz")[0] != 200:
            return 0
        return figures(self.port)["kangban_ingest_lines_connected"]

    def blocks(self, database: str) -> set[int]:
        """What it holds now, by the lease rows."""
        return {block for block, name in held(database).items() if f"-{self.process.pid}-" in name}


def held(database: str) -> dict[int, str]:
    with connect(database) as connection:
        return {block: name for block, name in leases.holders(connection).items() if name}


def sizes(database: str) -> list[int]:
    return sorted(Counter(held(database).values()).values())


@contextmanager
def three(database: str, broker: str) -> Iterator[list[Worker]]:
    with (
        Worker(database, broker) as first,
        Worker(database, broker) as second,
        Worker(database, broker) as third,
    ):
        workers = [first, second, third]
        until(lambda: sizes(database) == [2, 3, 3])
        until(lambda: sum(each.lines() for each in workers) == 8)
        yield workers


class Stream:
    """Readings of every home, each once, as fast as they are asked for."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways
        self._numbers = count(1)
        self.sent: list[str] = []

    def flow(self, readings: int = 20) -> list[str]:
        """Sends so many of each home; gives their ids."""
        fresh: list[str] = []
        for place, home in enumerate(HOMES):
            device = f"ble:AA:BB:CC:00:01:{place:02X}"
            said = [glucose(next(self._numbers), device=device) for _ in range(readings)]
            self._gateways.send(said, gateway=home)
            fresh += ids(said)
        self.sent += fresh
        return fresh

    def to_a_block(self, blocks: set[int]) -> list[str]:
        """One reading to each home whose shard is in these blocks."""
        homes = [
            home
            for home in HOMES
            if any(BLOCKS[each].first <= shard(home) <= BLOCKS[each].last for each in blocks)
        ]
        fresh: list[str] = []
        for home in homes:
            said = [glucose(next(self._numbers), device=f"ble:AA:BB:CC:00:02:{len(fresh):02X}")]
            self._gateways.send(said, gateway=home)
            fresh += ids(said)
        assert fresh
        self.sent += fresh
        return fresh


@pytest.mark.slow
def test_one_of_three_is_killed_mid_stream_and_others_serve_its_homes_within_the_lease(
    database: str, broker: str
) -> None:
    settle(database, *HOMES)
    with three(database, broker) as (victim, *_), Gateways(broker) as gateways:
        stream = Stream(gateways)
        for _ in range(5):
            stream.flow()
        until(lambda: rows(database) > 500)
        orphaned = victim.blocks(database)
        victim.process.kill()
        died_s = time.monotonic()
        # what was on its way to the dead one, what comes while nobody serves it, what comes later
        waiting = stream.to_a_block(orphaned)
        stream.flow()
        gateways.await_named(waiting)
        served_s = time.monotonic() - died_s
        stream.flow()
        gateways.await_named(stream.sent)

        assert sizes(database) == [4, 4]
        assert victim.blocks(database) == set()
        # the lease, a step of the others, and the time that the stream itself takes
        assert served_s < LEASE_S * 1.2 + 5
    assert gateways.rejected == {}
    assert counts(database).measurements == len(stream.sent)


@pytest.mark.slow
def test_a_worker_that_stood_still_past_its_lease_wakes_without_a_fight(
    timescale_url: str, broker: str
) -> None:
    database = timescale_url
    settle(database, *HOMES)
    with three(database, broker) as (sleeper, *_), Gateways(broker) as gateways:
        stream = Stream(gateways)
        stream.flow()
        before = sleeper.blocks(database)
        sleeper.process.send_signal(signal.SIGSTOP)
        stream.flow()
        until(lambda: sizes(database) == [4, 4])
        assert not sleeper.blocks(database)
        gateways.await_named(stream.to_a_block(before))
        sleeper.process.send_signal(signal.SIGCONT)
        stream.flow()
        # it has a share again, given up by the others and not taken from them
        until(lambda: sizes(database) == [2, 3, 3])
        gateways.await_named(stream.sent)
    assert counts(database).measurements == len(stream.sent)


@pytest.mark.slow
def test_shards_move_when_a_worker_is_added_and_at_once_when_one_stops(
    timescale_url: str, broker: str
) -> None:
    database = timescale_url
    settle(database, *HOMES)
    with Gateways(broker) as gateways, Worker(database, broker) as first:
        stream = Stream(gateways)
        until(lambda: first.lines() == 8)
        stream.flow()
        with Worker(database, broker) as second:
            stream.flow()
            until(lambda: sizes(database) == [4, 4])
            gateways.await_named(stream.to_a_block(second.blocks(database)))
        stopped_s = time.monotonic()
        until(lambda: sizes(database) == [8])
        assert time.monotonic() - stopped_s < LEASE_S
        assert len(first.blocks(database)) == 8
        stream.flow()
        gateways.await_named(stream.sent)
    assert counts(database).measurements == len(stream.sent)
    assert held(database) == {}


@pytest.mark.slow
def test_a_worker_that_the_broker_does_not_let_in_leaves_the_shards_to_others(
    timescale_url: str, broker: str
) -> None:
    database = timescale_url
    settle(database, *HOMES)
    with Worker(database, "mqtt://127.0.0.1:1") as deaf, Gateways(broker) as gateways:
        until(lambda: sizes(database) == [8])
        with Worker(database, broker) as hearing:
            until(lambda: hearing.lines() == 8)
            assert deaf.process.poll() is None
            stream = Stream(gateways)
            gateways.await_named(stream.flow(1))


@pytest.mark.slow
def test_nothing_moves_while_the_broker_is_away_and_everything_comes_when_it_is_back(
    timescale_url: str, private_broker: Any
) -> None:
    database, mosquitto = timescale_url, private_broker()
    assert isinstance(mosquitto, Broker)
    settle(database, *HOMES)
    with three(database, mosquitto.url) as workers:
        before = [each.blocks(database) for each in workers]
        mosquitto.stop()
        mosquitto.start()
        with Gateways(mosquitto.url) as gateways:
            stream = Stream(gateways)
            gateways.await_named(stream.flow(1))
        assert [each.blocks(database) for each in workers] == before


def has_session(url: str, client_id: str) -> bool:
    """Does the broker keep anything for this client id?"""
    where, found, answered = broker_of(url), [], threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)

    def answer(_: Client, __: object, flags: ConnectFlags, *___: object) -> None:
        found.append(flags.session_present)
        answered.set()

    client.on_connect = answer
    client.connect(where.host, where.port)
    client.loop_start()
    assert answered.wait(10)
    client.disconnect()
    client.loop_stop()
    return bool(found[0])


@pytest.mark.slow
def test_the_session_of_a_worker_that_had_all_shards_is_ended(
    timescale_url: str, broker: str
) -> None:
    with worker(settings(timescale_url, broker)):
        """It leaves its session at the broker."""
    assert has_session(broker, "kangban-ingest-00-63")
    with Worker(timescale_url, broker):
        # asking makes one: so ask once, late enough
        until(lambda: sizes(timescale_url) == [8])
        time.sleep(2 * LEASE_S / 5)
        assert not has_session(broker, "kangban-ingest-00-63")


def test_a_worker_that_stands_still_in_the_middle_of_a_step_keeps_nobody_waiting(
    embedded_url: str,
) -> None:
    def attends(name: str) -> bool:
        try:
            with connect(embedded_url) as connection:
                return bool(
                    leases.attend(connection, name, reaches_broker=True, patience_s=0.3).leases
                )
        except TryAgain:
            return False

    with psycopg.connect(embedded_url) as still:
        assert leases.attend(still, "still", reaches_broker=True, patience_s=0.3).leases
        # it holds every block's row, and says nothing more
        until(lambda: attends("other"))
        with pytest.raises(psycopg.Error):
            still.execute("SELECT 1")
    with connect(embedded_url) as connection:
        standing = leases.attend(connection, "other", reaches_broker=True, patience_s=0.3)
        assert [each.name for each in standing.workers] == ["other"]
