"""The outbox and its drainers, on real databases and a real web hook."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import psycopg
import pytest

from kangban.embedded.postgres import Postgres
from notify.__main__ import run
from notify.channels import apprise
from notify.config import NotifySettings
from notify.deliver import WAITS_S, Words
from notify.patience import Patience
from notify.records import deliver_one
from store import outbox
from store.listen import Listener
from store.migrate import migrate
from store.pool import Pool, open_pool, transaction

Engine = Literal["embedded", "timescale"]
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BODY: dict[str, Any] = {
    "title": {"zh": "请看看父亲", "en": "Please look in on father"},
    "text": {"zh": "血压偏高。", "en": "His blood pressure is high."},
    "link": "/family",
}


class Endpoint:
    """A web hook: answers with `status`, or not at all while `hangs` is set."""

    def __init__(self) -> None:
        self.status = 200
        self.hangs = False
        self.release = threading.Event()
        self.heard: list[str] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                document = json.loads(self.rfile.read(length))
                if endpoint.hangs:
                    endpoint.release.wait(10)
                endpoint.heard.append(document["title"])
                self.send_response(endpoint.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/"

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def endpoints() -> Iterator[Callable[[], Endpoint]]:
    made: list[Endpoint] = []

    def make() -> Endpoint:
        made.append(Endpoint())
        return made[-1]

    yield make
    for each in made:
        each.close()


class House:
    """One patient, one daughter, her contacts and messages."""

    def __init__(self, pool: Pool, url: str) -> None:
        self.pool = pool
        self.url = url
        self.clock = NOW
        with transaction(pool) as connection:
            self.patient = _id(connection, "INSERT INTO patient (name) VALUES ('父亲')")
            self.daughter = _id(
                connection, "INSERT INTO account (name, role) VALUES ('女儿', 'family')"
            )
            connection.execute(
                "INSERT INTO relation (account_id, patient_id, relation) VALUES (%s, %s, 'family')",
                (self.daughter, self.patient),
            )

    def contact(self, url: str, min_severity: int = 2) -> None:
        with transaction(self.pool) as connection:
            connection.execute(
                "INSERT INTO contact (account_id, url, min_severity) VALUES (%s, %s, %s)",
                (self.daughter, url, min_severity),
            )

    def put(self, key: str, **changes: Any) -> bool:
        with transaction(self.pool) as connection:
            return outbox.put(
                connection,
                **{
                    "key": key,
                    "account_id": self.daughter,
                    "patient_id": self.patient,
                    "severity": 3,
                    "body": BODY,
                    "due_at": NOW,
                    **changes,
                },
            )

    def deliver(self, wait_s: float = 5.0) -> bool:
        return deliver_one(
            self.pool,
            channel=_by_apprise,
            patience=Patience(wait_s),
            public_url="",
            clock=lambda: self.clock,
        )

    def row(self, key: str) -> dict[str, Any]:
        with transaction(self.pool) as connection:
            cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
            row = cursor.execute("SELECT * FROM outbox WHERE key = %s", (key,)).fetchone()
            assert row is not None
            return row


def _id(connection: psycopg.Connection[Any], insert: str) -> int:
    row = connection.execute(f"{insert} RETURNING id").fetchone()
    assert row is not None
    return int(row[0])


def _by_apprise(url: str, words: Words, severity: int) -> str | None:
    return apprise.tell(url, words, severity=severity)


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with open_pool(database, process="test", max_size=8) as pool:
        yield House(pool, database)


def test_the_same_key_twice_is_one_message(house: House) -> None:
    assert house.put("alert:1")
    assert not house.put("alert:1")
    assert house.deliver()
    assert not house.deliver()


def test_a_message_reaches_the_contact_and_the_page(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url)
    with Listener(house.url, ["kangban_told"]) as listener:
        listener.wait(0)
        house.put("alert:1")
        house.deliver()
        assert listener.wait(5) == [("kangban_told", str(house.daughter))]
    assert hook.heard == ["请看看父亲"]
    assert house.row("alert:1")["sent_at"] == NOW
    with transaction(house.pool) as connection:
        (told,) = outbox.recent_for_account(connection, account_id=house.daughter, now=NOW)
    assert (told.patient_id, told.severity, told.body) == (house.patient, 3, BODY)


def test_the_message_is_in_the_language_of_the_account(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url)
    with transaction(house.pool) as connection:
        connection.execute("UPDATE account SET locale = 'en'")
    house.put("alert:1")
    house.deliver()
    assert hook.heard == ["Please look in on father"]


def test_a_message_below_the_contacts_severity_stands_on_the_page_only(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url, min_severity=3)
    house.put("summary:1", severity=2)
    house.deliver()
    assert hook.heard == []
    assert house.row("summary:1")["sent_at"] == NOW


def test_a_message_waits_until_it_is_due(house: House) -> None:
    house.put("alert:1:family", due_at=NOW + timedelta(minutes=15))
    assert not house.deliver()
    house.clock = NOW + timedelta(minutes=15)
    assert house.deliver()


def test_the_gravest_message_goes_first(house: House, endpoints: Callable[[], Endpoint]) -> None:
    hook = endpoints()
    house.contact(hook.url, min_severity=0)
    grave = {**BODY, "title": {"zh": "立即拨打120", "en": "Call 120"}}
    house.put("summary", severity=1)
    house.put("flag", severity=4, body=grave)
    house.deliver()
    assert hook.heard == ["立即拨打120"]


def test_a_channel_that_fails_is_tried_again_and_the_other_is_not_asked_twice(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    good, bad = endpoints(), endpoints()
    bad.status = 503
    house.contact(good.url)
    house.contact(bad.url)
    house.put("alert:1")
    house.deliver()
    row = house.row("alert:1")
    assert row["sent_at"] is None
    assert row["try_at"] == NOW + timedelta(seconds=WAITS_S[0])
    assert sorted(entry["said"] for entry in row["log"]) == ["taken", "the channel answered 503"]
    assert not house.deliver()

    bad.status = 200
    house.clock = row["try_at"]
    assert house.deliver()
    assert house.row("alert:1")["sent_at"] == house.clock
    assert (len(good.heard), len(bad.heard)) == (1, 2)


def test_a_channel_that_fails_for_ever_is_given_up_where_it_can_be_seen(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    bad = endpoints()
    bad.status = 500
    house.contact(bad.url)
    house.put("alert:1")
    for _ in range(len(WAITS_S) + 1):
        house.clock = house.row("alert:1")["try_at"]
        assert house.deliver()
    assert not house.deliver()
    row = house.row("alert:1")
    assert row["given_up_at"] == house.clock
    assert len(row["log"]) == len(bad.heard) == len(WAITS_S) + 1
    with transaction(house.pool) as connection:
        (told,) = outbox.recent_for_account(connection, account_id=house.daughter, now=house.clock)
        (missed,) = outbox.undelivered(connection, patient_id=house.patient, since=NOW)
    assert told.given_up_at == house.clock
    assert missed["account_name"] == "女儿"


def test_a_channel_that_hangs_fails_alone(house: House, endpoints: Callable[[], Endpoint]) -> None:
    good, slow = endpoints(), endpoints()
    slow.hangs = True
    house.contact(slow.url)
    house.contact(good.url)
    house.put("alert:1")
    house.deliver(wait_s=1.0)
    assert good.heard == ["请看看父亲"]
    assert "the channel did not answer within 1 s" in {
        entry["said"] for entry in house.row("alert:1")["log"]
    }


def test_a_reminder_that_came_too_late_is_given_up_untold(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url, min_severity=0)
    house.put("reminder:1", severity=1, expires_at=NOW)
    house.deliver()
    assert hook.heard == []
    assert house.row("reminder:1")["given_up_at"] == NOW


def test_nobody_hears_of_a_patient_to_whom_the_relation_has_ended(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url)
    house.put("alert:1")
    with transaction(house.pool) as connection:
        connection.execute("UPDATE relation SET ended_at = now()")
    house.deliver()
    assert hook.heard == []
    with transaction(house.pool) as connection:
        assert outbox.recent_for_account(connection, account_id=house.daughter, now=NOW) == ()


def test_a_message_that_nobody_can_read_does_not_stop_the_others(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url)
    house.put("broken", severity=4, body={"title": "no language"})
    house.put("alert:1")
    assert house.deliver()
    assert house.deliver()
    assert hook.heard == ["请看看父亲"]
    assert house.row("broken")["given_up_at"] == NOW


def test_a_message_of_a_transaction_that_failed_was_never_there(house: House) -> None:
    def fail() -> None:
        with transaction(house.pool) as connection:
            outbox.put(
                connection,
                key="alert:1",
                account_id=house.daughter,
                patient_id=house.patient,
                severity=3,
                body=BODY,
                due_at=NOW,
            )
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not house.deliver()


def test_two_drainers_never_tell_the_same_message(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url)
    keys = [f"alert:{number}" for number in range(40)]
    for key in keys:
        house.put(key, body={**BODY, "title": {"zh": key, "en": key}})

    def drain() -> None:
        while house.deliver():
            pass

    drainers = [threading.Thread(target=drain) for _ in range(4)]
    for each in drainers:
        each.start()
    for each in drainers:
        each.join(60)
    assert sorted(hook.heard) == sorted(keys)


def test_a_drainer_that_dies_while_telling_leaves_the_message_to_the_next(house: House) -> None:
    """The backend's end is what PostgreSQL sees of a killed drainer."""
    told: list[str] = []

    def die(url: str, words: Words, severity: int) -> str | None:
        with psycopg.connect(house.url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE state = 'idle in transaction' AND datname = current_database()"
            )
        return None

    def tell(url: str, words: Words, severity: int) -> str | None:
        told.append(words.title)
        return None

    house.contact("json://127.0.0.1:9/")
    house.put("alert:1")
    with pytest.raises(Exception, match="database did not answer"):
        deliver_one(house.pool, channel=die, patience=Patience(5), public_url="", clock=lambda: NOW)
    assert deliver_one(
        house.pool, channel=tell, patience=Patience(5), public_url="", clock=lambda: NOW
    )
    assert told == ["请看看父亲"]
    assert house.row("alert:1")["sent_at"] == NOW


def test_the_process_tells_what_arrives_while_it_waits_and_stops_when_told(
    house: House, endpoints: Callable[[], Endpoint]
) -> None:
    hook = endpoints()
    house.contact(hook.url)
    stop = threading.Event()
    process = threading.Thread(
        target=run, args=(NotifySettings(database_url=house.url, workers=2), stop)
    )
    with Listener(house.url, ["kangban_told"]) as listener:
        listener.wait(0)
        process.start()
        try:
            house.put("alert:1", due_at=datetime.now(UTC))
            assert listener.wait(20) == [("kangban_told", str(house.daughter))]
        finally:
            stop.set()
            process.join(20)
    assert not process.is_alive()
    assert hook.heard == ["请看看父亲"]
    with transaction(house.pool) as connection:
        assert connection.execute("SELECT process FROM heartbeat").fetchall() == [("notify",)]


def test_the_process_outlives_a_killed_database(
    private_postgres: Callable[[Engine], Postgres], endpoints: Callable[[], Endpoint]
) -> None:
    server = private_postgres("embedded")
    url = server.create_database("kangban_test")
    migrate(url)
    hook = endpoints()
    stop = threading.Event()
    process = threading.Thread(target=run, args=(NotifySettings(database_url=url, workers=2), stop))
    process.start()
    try:
        with open_pool(url, process="test") as pool:
            house = House(pool, url)
            house.contact(hook.url)
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        with open_pool(url, process="test") as pool, Listener(url, ["kangban_told"]) as listener:
            listener.wait(0)
            house.pool = pool
            house.put("alert:1", due_at=datetime.now(UTC))
            assert listener.wait(30) == [("kangban_told", str(house.daughter))]
    finally:
        stop.set()
        process.join(30)
    assert hook.heard == ["请看看父亲"]
