"""Every process says how it is, counts what it does, and writes no word about anybody's health."""

import json
import random
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psycopg
import pytest
from arriving import METER, NOW, changed, envelope, glucose, moment
from gateways import Gateways
from test_ingest import counts, ids, settings, settle, until, worker

from kangban.commands.process import PROCESSES, is_healthy
from kangban.embedded.broker import Broker
from kangban.serve import Servants
from store import people
from store.pool import connect, heartbeat

HOST = "127.0.0.1"


def free_port() -> int:
    return free_ports(1)


def free_ports(number: int) -> int:
    """The first of so many ports in a row that are free.

    Below those that the system gives to clients: a client that asks for such a one before anybody
    listens there may be connected with itself, and keep it.
    """
    while True:
        first = random.randrange(20_000, 30_000)
        try:
            for port in range(first, first + number):
                socket.create_server((HOST, port)).close()
        except OSError:
            continue
        return first


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and text of an answer; 0 where nobody listens."""
    line = HTTPConnection(HOST, port, timeout=10)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, HTTPException):
        return 0, ""
    finally:
        line.close()


def figures(port: int) -> dict[str, float]:
    """All figures of a process, by name and labels."""
    status, text = ask(port, "/metrics")
    assert status == 200
    lines = [each for each in text.splitlines() if not each.startswith("#")]
    return {name: float(value) for name, _, value in (each.rpartition(" ") for each in lines)}


def test_ingest_lives_without_a_broker_and_is_ready_with_one(
    embedded_url: str, private_broker: Callable[[], Broker]
) -> None:
    mosquitto = private_broker()
    url = mosquitto.url
    mosquitto.stop()
    port = free_port()
    with worker(settings(embedded_url, url, KANGBAN_STATUS_PORT=str(port)), ready=False):
        until(lambda: ask(port, "/healthz") == (200, '{"process": "ingest", "state": "alive"}'))
        until(lambda: '"broker": "it lets us not in"' in ask(port, "/readyz")[1])
        assert ask(port, "/readyz")[0] == 503
        mosquitto.start()
        until(lambda: ask(port, "/readyz") == (200, '{"process": "ingest", "state": "ready"}'))
        mosquitto.stop()
        until(lambda: ask(port, "/readyz")[0] == 503)
        assert ask(port, "/patients/1")[0] == 404
        mosquitto.start()
    assert ask(port, "/healthz") == (0, "")


def test_a_worker_that_leases_its_shards_is_ready_when_it_has_them(
    embedded_url: str, broker: str
) -> None:
    port = free_port()
    given = settings(embedded_url, broker, KANGBAN_STATUS_PORT=str(port), KANGBAN_SHARDS="leased")
    with worker(given):
        until(lambda: ask(port, "/readyz")[0] == 200)
        found = figures(port)
        assert found["kangban_ingest_shards_owned"] == 64
        assert found["kangban_ingest_lines_connected"] == 8
        assert found['kangban_ingest_leases_moved_total{how="taken"}'] >= 8


def test_a_health_check_asks_the_process_that_it_names(
    embedded_url: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("KANGBAN_DATABASE_URL", embedded_url)
    monkeypatch.setenv("KANGBAN_STATUS_PORT", str(port))
    with worker(settings(embedded_url, broker, KANGBAN_STATUS_PORT=str(port))):
        until(lambda: is_healthy("ingest"))
        # this port is another's: the heartbeat counts, and there is none
        assert not is_healthy("rules")
        with connect(embedded_url) as connection:
            heartbeat(connection, "rules")
        assert is_healthy("rules")
        # the door knows better than a heartbeat of half a minute ago
        with connect(embedded_url) as connection:
            connection.execute("DELETE FROM heartbeat")
        assert is_healthy("ingest")
    assert not is_healthy("ingest")


def test_nothing_listens_unless_a_port_is_set(embedded_url: str, broker: str) -> None:
    assert settings(embedded_url, broker).status_port is None


def test_what_comes_in_is_counted(embedded_url: str, broker: str) -> None:
    settle(embedded_url)
    port = free_port()
    odd = changed(glucose(9), {"value": 900.0})
    health = {
        "v": 1,
        "gateway": "g1",
        "sent_at": moment(NOW),
        "spooled": 41,
        "devices": {METER: {"last_seen_at": moment(NOW)}},
    }
    with (
        worker(settings(embedded_url, broker, KANGBAN_STATUS_PORT=str(port))),
        Gateways(broker) as gateways,
    ):
        before = figures(port)
        gateways.send([glucose(n) for n in range(1, 9)])
        gateways.await_named(ids([glucose(8)]))
        gateways.send([glucose(8), odd])
        gateways.publish(b"?")
        gateways.publish(envelope(glucose(1), gateway="stranger"), gateway="stranger")
        gateways.publish(health, leaf="health")
        gateways.await_named([odd["id"]])
        until(lambda: "kangban_gateway_spooled" in ask(port, "/metrics")[1])
        until(lambda: figures(port).get('kangban_gateway_spooled{gateway="g1"}') == 41)

        def grown(name: str) -> float:
            return figures(port).get(name, 0) - before.get(name, 0)

        until(lambda: grown('kangban_ingest_refused_total{reason="unknown_gateway"}') == 1)
        assert grown("kangban_ingest_rows_total") == 8
        assert grown("kangban_ingest_repeats_total") == 1
        assert grown('kangban_ingest_refused_total{reason="implausible"}') == 1
        assert grown('kangban_ingest_refused_total{reason="malformed"}') == 1
        assert grown('kangban_ingest_messages_total{kind="measurements"}') == 3
        # nothing of the stranger was stored
        assert grown("kangban_ingest_lag_seconds_count") == 2
        assert grown("kangban_ingest_load_seconds_count") >= 2
        # other workers of this process, killed in mid-work, may have left some
        until(lambda: grown("kangban_ingest_receipts_outstanding") == 0)
        until(lambda: figures(port)["kangban_ingest_receipts_unconfirmed"] == 0)
        assert figures(port)["kangban_ingest_shards_owned"] == 64


def test_an_hour_without_database_shows_in_the_figures(
    private_postgres: Callable[[Any], Any], broker: str
) -> None:
    from store.migrate import migrate

    postgres = private_postgres("embedded")
    database = postgres.create_database("kangban")
    migrate(database)
    settle(database)
    port = free_port()
    with (
        worker(settings(database, broker, KANGBAN_STATUS_PORT=str(port))),
        Gateways(broker) as gateways,
    ):
        postgres.stop()
        failures = figures(port)["kangban_ingest_load_failures_total"]
        gateways.send([glucose(1)])
        until(lambda: figures(port)["kangban_ingest_load_failures_total"] > failures)
        until(lambda: "takes nothing in" in ask(port, "/readyz")[1])
        assert figures(port)["kangban_ingest_receipts_outstanding"] >= 1
        postgres.start()
        gateways.await_named([glucose(1)["id"]])
        until(lambda: ask(port, "/readyz")[0] == 200)


# -- the log ---------------------------------------------------------------------------------------

# what must stand in no log, each unlike any number that a log may hold by itself
FATHER, MOTHER, DOCTOR = "王建国", "李秀英", "陈医生"
ODD_VALUE, WILD_VALUE, BROKEN_VALUE = 23.4567, 98765.4321, 19.8765
DEVICE = "ble:C0:FF:EE:C0:FF:EE"
PAYLOAD = "U0VDUkVUUEFZTE9BRA=="
NOTE = "secret-words-of-a-device"
SECRETS = (
    FATHER,
    MOTHER,
    DOCTOR,
    str(ODD_VALUE),
    str(WILD_VALUE),
    str(BROKEN_VALUE),
    "C0:FF:EE",
    PAYLOAD,
    "SECRETPAYLOAD",
    NOTE,
)
# a database that refuses a value and quotes the whole row in its words, as PostgreSQL does
_QUOTING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.value = {value} THEN
    RAISE EXCEPTION 'cannot store % of {name}', NEW USING ERRCODE = 'check_violation',
      DETAIL = 'Failing row: ' || NEW::text;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON measurement FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE FUNCTION break_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'alert of {name} at {odd}: %', NEW;
END $$;
CREATE TRIGGER break_alert BEFORE INSERT ON alert FOR EACH ROW EXECUTE FUNCTION break_alert();
"""


@contextmanager
def served(database: str, broker: str, logs: Path, *, form: str) -> Iterator[int]:
    """All server processes; the first of their ports."""
    first = free_ports(len(PROCESSES))
    environ = {
        "KANGBAN_DATABASE_URL": database,
        "KANGBAN_MQTT_URL": broker,
        "KANGBAN_API_PORT": "0",
        "KANGBAN_STATUS_PORT": str(first),
        "KANGBAN_LOG": form,
        "KANGBAN_RULES_POLL_S": "0.5",
        "KANGBAN_PLANS_TICK_S": "1",
    }
    with Servants(environ, logs=logs):
        for place in range(len(PROCESSES)):
            until(lambda place=place: ask(first + place, "/readyz")[0] == 200)  # type: ignore[misc]
        yield first


def a_home(database: str) -> None:
    with connect(database) as connection:
        household = people.create_household(connection, "王家")
        father = people.create_patient(connection, name=FATHER, household_id=household)
        people.create_patient(connection, name=MOTHER, household_id=household)
        people.create_account(connection, name=DOCTOR, role="doctor")
        people.bind_device(connection, DEVICE, patient_id=father)
        people.register_gateway(connection, name="g1", household_id=household)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "text"])
def test_a_day_with_odd_values_leaves_nobody_s_health_in_any_log(
    embedded_url: str, broker: str, tmp_path: Path, form: str
) -> None:
    database = embedded_url
    a_home(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            _QUOTING.format(value=BROKEN_VALUE, name=FATHER, odd=ODD_VALUE)  # type: ignore[arg-type]
        )
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC).replace(microsecond=0)

    def said(sequence: int, value: Any, **more: Any) -> dict[str, Any]:
        # every quarter of an hour of the last day
        at = now - timedelta(minutes=15 * (96 - sequence))
        return glucose(sequence, device=DEVICE, at=at, value=value, raw=PAYLOAD, **more)

    day = [said(number, ODD_VALUE) for number in range(1, 96)]
    odd = [
        said(100, WILD_VALUE),
        said(101, "SECRETPAYLOAD"),
        said(102, ODD_VALUE, meal=NOTE),
        said(103, ODD_VALUE, unit=NOTE),
    ]
    with served(database, broker, tmp_path / "logs", form=form) as first:
        with Gateways(broker) as gateways:
            gateways.send(day)
            gateways.send([said(96, BROKEN_VALUE), *odd])
            for nonsense in (
                f'{{"v":1,"gateway":"g1","batch":"{NOTE}","measurements":[{ODD_VALUE}'.encode(),
                json.dumps({"v": 2, "note": NOTE, "value": ODD_VALUE}).encode(),
                PAYLOAD.encode(),
                b"\xff\xfe" + NOTE.encode(),
            ):
                gateways.publish(nonsense)
            sick = {"v": 1, "gateway": "g1", "note": NOTE, "devices": {DEVICE: ODD_VALUE}}
            gateways.publish(sick, leaf="health")
            gateways.publish({"v": 1, "command": NOTE, "body": ODD_VALUE}, leaf="event")
            gateways.await_named(ids(day))
            gateways.await_named(ids([said(96, BROKEN_VALUE), *odd]))
        rules = first + list(PROCESSES).index("rules")
        until(lambda: figures(rules)["kangban_rules_failed_total"] > 0)
        assert ask(first + list(PROCESSES).index("api"), "/metrics")[0] == 200
        told = "\n".join(
            ask(first + place, path)[1]
            for place in range(len(PROCESSES))
            for path in ("/readyz", "/metrics")
        )
    found = counts(database)
    # the wild one waits for a person
    assert (found.measurements, found.rejections, found.quarantined) == (95, 4, 1)
    assert found.dead_letters >= 5
    logs = {each.name: each.read_text("utf-8") for each in (tmp_path / "logs").iterdir()}
    assert logs.keys() == {f"{name}.log" for name in PROCESSES}
    # what went wrong is there to be seen …
    assert "taken apart" in logs["ingest.log"]
    assert re.search(r"not judged", logs["rules.log"])
    assert "RaiseException" in logs["rules.log"]
    # … and nobody's health is
    for name, text in {**logs, "status": told}.items():
        assert [each for each in SECRETS if each in text] == [], name
    if form == "json":
        for text in logs.values():
            documents = [json.loads(line) for line in text.splitlines()]
            assert all({"at", "level", "logger", "message"} <= each.keys() for each in documents)
