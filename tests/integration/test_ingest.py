"""The ingest process on a real broker and a real database: nothing is lost, nothing stops it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from arriving import METER, NOW, changed, envelope, glucose, moment
from gateways import Gateways

from ingest.__main__ import run
from ingest.config import IngestSettings
from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from store import measurements, people
from store.migrate import migrate
from store.pool import connect, heartbeats
from vitals.settings import read
from vitals.wire import shard

MANY = 5_000


def settings(database: str, broker: str, **more: str) -> IngestSettings:
    return read(
        IngestSettings, {"KANGBAN_DATABASE_URL": database, "KANGBAN_MQTT_URL": broker, **more}
    )


@contextmanager
def worker(settings: IngestSettings, *, ready: bool = True) -> Iterator[None]:
    """One worker in a thread, until the block ends; the broker knows what it wants by then."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(settings, stop))
    thread.start()
    try:
        if ready:
            until(lambda: settings.process in beats(settings.database_url))
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive(), "the worker stops when it is asked to"


def settle(database: str, *gateways: str) -> None:
    with connect(database) as connection:
        patient = people.create_patient(connection, name="母亲")
        people.bind_device(connection, METER, patient_id=patient)
        for each in gateways or ("g1",):
            people.register_gateway(connection, name=each)


def counts(database: str) -> measurements.Counts:
    with connect(database) as connection:
        assert measurements.differences(connection) == []
        return measurements.counts(connection)


def until(is_so: Callable[[], bool], *, within_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, "it never came to that"
        time.sleep(0.02)


def many(number: int = MANY, *, first: int = 1) -> list[dict[str, Any]]:
    return [glucose(n) for n in range(first, first + number)]


def ids(documents: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in documents]


def test_a_lone_reading_is_committed_and_receipted_at_once(database: str, broker: str) -> None:
    settle(database)
    with worker(settings(database, broker)), Gateways(broker) as gateways:
        gateways.send([glucose(1)])
        gateways.await_named([glucose(1)["id"]])
        took_s = []
        for number in range(2, 12):
            gateways.send([glucose(number)])
            took_s.append(gateways.await_named([glucose(number)["id"]]))

    assert counts(database).measurements == 11
    # of three seconds from the radio to the alarm; far more than it takes on an idle machine
    assert sorted(took_s)[5] < 1.0


def test_pages_and_rules_are_told_of_a_new_reading(database: str, broker: str) -> None:
    settle(database)
    with (
        connect(database, autocommit=True) as connection,
        worker(settings(database, broker)),
        Gateways(broker) as gateways,
    ):
        connection.execute("LISTEN kangban_news; LISTEN kangban_patient")
        gateways.send([glucose(1)])
        heard = {
            (each.channel, each.payload) for each in connection.notifies(timeout=10, stop_after=2)
        }

    assert heard == {("kangban_news", ""), ("kangban_patient", "1")}


def bad_messages() -> list[Any]:
    """Everything that the issue names, each among sound measurements where it can be."""
    future = moment(datetime(2100, 1, 1, tzinfo=UTC))
    return [
        b"",
        b"{",
        b"\xff\xfe\0",
        b"x" * 1_000_000,
        json.dumps(envelope(glucose(101), v=2)).encode(),
        envelope(gateway="somebody else"),
        envelope(*[glucose(n) for n in range(51)]),
        envelope(glucose(1), changed(glucose(102), {"taken_at": future})),
        envelope(glucose(2), changed(glucose(103), {"unit": "mm[Hg]"})),
        envelope(glucose(3), changed(glucose(104), {"value": float("nan")})),
        envelope(glucose(4), changed(glucose(105), {"kind": "mood", "value": "high"})),
    ]


def test_no_bad_input_stops_the_stream_and_each_is_kept_with_its_reasons(
    database: str, broker: str
) -> None:
    settle(database)
    with worker(settings(database, broker)), Gateways(broker) as gateways:
        for turn in range(3):
            for each in bad_messages():
                gateways.publish(each)
            gateways.publish(b"?", leaf="health")
            gateways.publish(envelope(glucose(1), gateway="stranger"), gateway="stranger")
            gateways.send([glucose(50 + turn)])
        gateways.await_named(ids([glucose(n) for n in (1, 2, 3, 4, 50, 51, 52)]))
        gateways.await_named(ids([glucose(n) for n in (102, 103, 104, 105)]))
        assert gateways.rejected.keys() == set(ids([glucose(n) for n in (102, 103, 104, 105)]))

    found = counts(database)
    assert (found.measurements, found.rejections, found.dead_letters) == (7, 3, 9)
    assert found.quarantined == 1, "what was measured in the future waits for a person"
    with connect(database) as connection:
        assert all(each.reasons for each in measurements.dead_letters(connection))
        assert all(each.reasons for each in measurements.rejections(connection))
    # nothing of it was left with the broker: a worker that comes back is given nothing
    with worker(settings(database, broker)), Gateways(broker, client_id="other") as gateways:
        gateways.send([glucose(60)])
        gateways.await_named([glucose(60)["id"]])
        assert gateways.receipts == 1


def test_what_came_while_no_worker_ran_waits_with_the_broker(database: str, broker: str) -> None:
    settle(database)
    with worker(settings(database, broker)), Gateways(broker) as gateways:
        gateways.send([glucose(1)])
        gateways.await_named([glucose(1)["id"]])
    with Gateways(broker) as gateways:
        gateways.send(many())
        with worker(settings(database, broker)):
            gateways.await_named(ids(many()))

    assert counts(database).measurements == MANY


@pytest.mark.slow
def test_a_worker_killed_again_and_again_loses_nothing_and_doubles_nothing(
    database: str, broker: str
) -> None:
    settle(database)
    documents = many()
    with Gateways(broker) as gateways:
        for turn in range(6):
            process = start(database, broker)
            until(lambda: "ingest" in beats(database))
            # each turn sends anew and kills sooner or later in the load
            gateways.send(documents[turn * 700 : (turn + 1) * 700])
            enough = turn * 700 + 1 + turn * 100
            until(lambda enough=enough: rows(database) >= enough)  # type: ignore[misc]
            process.kill()
            process.wait()
            forget_beats(database)
        gateways.send(documents[6 * 700 :])
        process = start(database, broker)
        try:
            # no gateway sends anything again: what was not acknowledged, the broker brings
            gateways.await_named(ids(documents))
        finally:
            process.terminate()
            assert process.wait(30) == 0

    assert counts(database).measurements == MANY


def start(database: str, broker: str) -> "subprocess.Popen[bytes]":
    """A worker as a process of its own."""
    program = (
        "import os, signal, threading; from ingest.__main__ import run;"
        "from ingest.config import IngestSettings; from vitals.settings import read;"
        "stop = threading.Event(); signal.signal(signal.SIGTERM, lambda *_: stop.set());"
        "run(read(IngestSettings, os.environ), stop)"
    )
    environ = {**os.environ, "KANGBAN_DATABASE_URL": database, "KANGBAN_MQTT_URL": broker}
    return subprocess.Popen([sys.executable, "-c", program], env=environ)


def beats(database: str) -> dict[str, datetime]:
    with connect(database) as connection:
        return heartbeats(connection)


def forget_beats(database: str) -> None:
    with connect(database) as connection:
        connection.execute("DELETE FROM heartbeat")


def rows(database: str) -> int:
    with connect(database) as connection:
        return measurements.counts(connection).measurements


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["embedded", "timescale"])
def test_while_the_database_is_away_nothing_is_receipted_and_afterwards_everything_is(
    private_postgres: Callable[[Any], Postgres], broker: str, engine: str
) -> None:
    postgres = private_postgres(engine)
    database = postgres.create_database("kangban")
    migrate(database)
    settle(database)
    with worker(settings(database, broker)), Gateways(broker) as gateways:
        gateways.send(many(50))
        gateways.await_named(ids(many(50)))
        postgres.stop()
        gateways.send(many())
        with pytest.raises(AssertionError, match="unnamed"):
            gateways.await_named(ids(many()), within_s=2)
        assert gateways.committed == set(ids(many(50)))
        postgres.start()
        gateways.await_named(ids(many()))
        gateways.send([glucose(MANY + 1)])
        gateways.await_named([glucose(MANY + 1)["id"]])

    assert counts(database).measurements == MANY + 1


@pytest.mark.slow
def test_a_broker_that_is_killed_and_forgets_is_reached_again(
    database: str, private_broker: Callable[[], Broker]
) -> None:
    settle(database)
    mosquitto = private_broker()
    documents = many()
    with worker(settings(database, mosquitto.url)), Gateways(mosquitto.url) as gateways:
        gateways.send(documents)
        gateways.await_named(ids(documents[:50]))
        os.kill(mosquitto.pid, 9)
        # gateways send what no receipt has named, again and again: that is their part
        for _ in range(20):
            waiting = [each for each in documents if each["id"] not in gateways.committed]
            if not waiting:
                break
            gateways.send(waiting)
            try:
                gateways.await_named(ids(waiting), within_s=5)
            except AssertionError:
                continue

    assert gateways.committed == set(ids(documents))
    assert counts(database).measurements == MANY


def test_workers_of_two_ranges_share_the_gateways_and_a_second_gateway_doubles_nothing(
    database: str, broker: str
) -> None:
    names = [f"home-{n}" for n in range(8)]
    assert {shard(name) < 32 for name in names} == {True, False}
    settle(database, *names)
    ranges = [settings(database, broker, KANGBAN_SHARDS=each) for each in ("00-31", "32-63")]
    with ExitStack() as stack:
        gateways = stack.enter_context(Gateways(broker))
        for each in ranges:
            stack.enter_context(worker(each))
        # every gateway has read the same meter, each with a clock of its own
        for hours, name in enumerate(names):
            heard = [glucose(n, offset_s=-(8 + hours) * 3600) for n in range(1, 201)]
            gateways.send(heard, gateway=name)
        for hours in range(8):
            gateways.await_named(
                ids([glucose(n, offset_s=-(8 + hours) * 3600) for n in range(1, 201)])
            )

    assert counts(database).measurements == 200


def test_a_gateway_s_health_is_kept_and_the_worker_beats(database: str, broker: str) -> None:
    settle(database)
    health = {
        "v": 1,
        "gateway": "g1",
        "sent_at": moment(NOW),
        "spooled": 4,
        "devices": {METER: {"last_seen_at": moment(NOW), "battery_percent": 12}},
    }
    with worker(settings(database, broker)), Gateways(broker) as gateways:
        gateways.publish(health, leaf="health")

        def is_kept() -> bool:
            with connect(database) as connection:
                gateway = people.gateway_named(connection, "g1")
            return gateway is not None and gateway.spooled == 4

        until(is_kept)
        assert beats(database).keys() == {"ingest"}


def test_a_worker_without_broker_or_database_stops_when_it_is_asked_to() -> None:
    with worker(
        settings("postgresql://nobody@127.0.0.1:1/nowhere", "mqtt://127.0.0.1:1"), ready=False
    ):
        """Starts, finds neither, and ends with the block."""
