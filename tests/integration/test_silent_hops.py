"""Missing health becomes an alarm that names the hop: from the bytes of a gateway to the finding.

What a gateway says travels as its own bytes, is judged and kept by ingest, and is all that the
rules know; then it falls silent, or its network, or the server, or its Bluetooth.
"""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from ingest.arrival import HealthSeen, Message
from ingest.health import gateway_word
from ingest.validate import judge
from rules.evaluate import evaluate
from rules.finding import Finding
from rules.line import GATEWAY_SILENT, SERVER_SILENT
from rules.pack import standard_packs
from rules.records import history_of
from store import intake, people
from tests import seed
from vitals.wire import Health, encode_health, topic

NOW = seed.NOW
MINUTE = timedelta(minutes=1)
WORD = Health(v=1, gateway="wang-home", sent_at=NOW, spooled=0, devices={})


def silence(
    url: str, *, word: Health, server_ago: timedelta = timedelta(seconds=5)
) -> tuple[Finding, ...]:
    """What the silence rule says of a father who has not measured for five days."""
    with psycopg.connect(url) as connection:
        household = people.create_household(connection, "王家")
        gateway = people.register_gateway(connection, name=word.gateway, household_id=household)
        father = people.create_patient(connection, name="王建国", household_id=household)
        seed.pressure(connection, father, gateway, until=seed.TODAY - timedelta(days=5))
        seed.recount(connection)
        # they came when they were measured, not while this test runs
        connection.execute("UPDATE measurement_day SET received_at = last_at")
        message = Message(topic=topic(word.gateway, "health"), payload=encode_health(word))
        verdict = judge(message, now=NOW)
        assert isinstance(verdict, HealthSeen)
        intake.keep_words(connection, [gateway_word(verdict, now=NOW)])
        connection.execute("INSERT INTO heartbeat VALUES ('ingest', %s)", (NOW - server_ago,))
        history = history_of(connection, father, NOW)
    found = evaluate(history, standard_packs(), NOW)
    return tuple(each for each in found if each.rule == "silence.no_data")


@pytest.mark.parametrize(
    ("ago", "spooled", "troubles", "hop"),
    [
        # it reports every four minutes, and nobody measures
        (4 * MINUTE, 0, {}, "device"),
        (GATEWAY_SILENT, 0, {}, "device"),
        # it has died, or has no power
        (GATEWAY_SILENT + MINUTE, 0, {}, "gateway"),
        # it had readings which it could not send
        (GATEWAY_SILENT + MINUTE, 14, {}, "network"),
        # it lives, and hears no device
        (4 * MINUTE, 0, {"adapter": "The Bluetooth adapter does not work: …"}, "gateway"),
        # it lives, and does not know the time
        (4 * MINUTE, 0, {"clock": "The clock of this gateway shows 1970-01-01: …"}, "gateway"),
        (4 * MINUTE, 0, {"disk": "The disk is nearly full: …"}, "device"),
    ],
)
def test_the_hop_that_fell_silent_is_named(
    embedded_url: str, ago: timedelta, spooled: int, troubles: dict[str, str], hop: str
) -> None:
    word = replace(WORD, sent_at=NOW - ago, spooled=spooled, troubles=troubles)
    (finding,) = silence(embedded_url, word=word)
    assert finding.numbers["hop"] == hop
    assert finding.severity > 0


@pytest.mark.parametrize(
    ("server_ago", "hop"), [(SERVER_SILENT, "gateway"), (SERVER_SILENT + MINUTE, "server")]
)
def test_a_server_that_stands_still_is_nobodys_fault_at_home(
    embedded_url: str, server_ago: timedelta, hop: str
) -> None:
    word = replace(WORD, sent_at=NOW - timedelta(hours=2))
    (finding,) = silence(embedded_url, word=word, server_ago=server_ago)
    assert finding.numbers["hop"] == hop
    assert (finding.severity > 0) is (hop != "server")


def test_a_gateway_that_comes_back_is_heard_from_then_on(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        people.register_gateway(connection, name=WORD.gateway)
        for ago in (timedelta(hours=2), MINUTE, timedelta(hours=1)):
            word = replace(WORD, sent_at=NOW - ago, disk_free_mb=int(ago.total_seconds()))
            payload = encode_health(word)
            verdict = judge(Message(topic=topic(WORD.gateway, "health"), payload=payload), now=NOW)
            assert isinstance(verdict, HealthSeen)
            intake.keep_words(connection, [gateway_word(verdict, now=NOW)])
        found = people.gateway_named(connection, WORD.gateway)
    assert found is not None
    # the newest word stands, whole, in whatever order they came
    assert found.last_seen_at == NOW - MINUTE
    assert found.health["disk_free_mb"] == 60
