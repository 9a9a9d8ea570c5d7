"""What a page asks reaches the gateway, and its answers reach the page; on a real broker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

import psycopg
import pytest
from answering import DONE, METER, TAKEN, Answering, failed, found, say
from gateways import Gateways
from test_ingest import settings, until, worker

from ingest.subscribe import Subscription
from store import commands, measurements, people
from store.commands import Asked, Heard
from store.pool import connect
from vitals.command import LIFE, Command, Do, Event, Failure, Step, encode_event

A_SCAN = "5" * 32
A_PAIR = "6" * 32


@dataclass(frozen=True, kw_only=True)
class Home:
    """Who lives there, by id."""

    mother: int
    father: int
    daughter: int
    gateway: int


def settle(database: str, *, gateway: str = "g1") -> Home:
    with connect(database) as connection:
        home = people.create_household(connection, "王家")
        return Home(
            mother=people.create_patient(connection, name="母亲", household_id=home),
            father=people.create_patient(connection, name="父亲", household_id=home),
            daughter=people.create_account(connection, name="女儿", role="family"),
            gateway=people.register_gateway(connection, name=gateway, household_id=home),
        )


def ask(database: str, home: Home, id: str, do: Do, *, gateway: str = "g1", **more: Any) -> Command:
    """Leaves a command as a page does."""
    at = more.pop("at", datetime.now(UTC))
    life = more.pop("life", LIFE)
    stored = {name: more.pop(name) for name in ("bound", "bound_from") if name in more}
    command = Command(id=id, gateway=gateway, at=at, expires_at=at + life, do=do, **more)
    with connect(database) as connection:
        commands.ask(
            connection,
            command,
            gateway_id=home.gateway,
            flow=A_SCAN,
            account_id=home.daughter,
            patient_id=home.mother,
            **stored,
        )
    return command


def talk(database: str, home: Home) -> tuple[list[Asked], list[Heard]]:
    with connect(database) as connection:
        return commands.talk(connection, A_SCAN, patient_id=home.mother)


def steps(database: str, home: Home) -> list[Step]:
    return [each.event.step for each in talk(database, home)[1]]


def wearer(database: str, device: str = METER) -> int | None:
    with connect(database) as connection:
        found = commands.wearers_of(connection, device)
    return found[0].patient_id if found else None


@contextmanager
def home_on_air(database: str, broker: str) -> Iterator[Answering]:
    with worker(settings(database, broker)), Answering(broker) as gateway:
        yield gateway


def test_a_command_goes_to_its_gateway_at_once_and_the_answers_come_back(
    database: str, broker: str
) -> None:
    home = settle(database)
    with home_on_air(database, broker) as gateway:
        gateway.on(Do.SCAN, TAKEN, say(Step.SCANNING), found(METER, "meter+1"), DONE)
        command = ask(database, home, A_SCAN, Do.SCAN)
        # woken, not found at the next look at the table
        assert gateway.wait(Do.SCAN, wait_s=1.5) == command
        until(lambda: len(steps(database, home)) == 4)

    asked, heard = talk(database, home)
    assert [each.event.step for each in heard] == [
        Step.TAKEN,
        Step.SCANNING,
        Step.CANDIDATE,
        Step.DONE,
    ]
    assert heard[2].event.candidate is not None
    assert heard[2].event.candidate.name == "meter+1"
    assert (asked[0].asked_by, asked[0].verb, asked[0].ended_at is None) == ("女儿", Do.SCAN, False)


def test_pages_of_the_patient_are_told_to_look(database: str, broker: str) -> None:
    home = settle(database)
    with (
        connect(database, autocommit=True) as listening,
        home_on_air(database, broker) as gateway,
    ):
        gateway.on(Do.SCAN, TAKEN)
        listening.execute("LISTEN kangban_look")
        ask(database, home, A_SCAN, Do.SCAN)
        heard = [each.payload for each in listening.notifies(timeout=10, stop_after=2)]
    assert heard == [str(home.mother)] * 2


def test_an_unanswered_command_is_sent_again_until_the_first_answer(
    database: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.courier.AGAIN_AFTER", timedelta(seconds=0.5))
    monkeypatch.setattr("ingest.courier._EVERY_S", 0.2)
    home = settle(database)
    with home_on_air(database, broker) as gateway:
        ask(database, home, A_SCAN, Do.SCAN)
        gateway.until(lambda: gateway.came[A_SCAN] >= 3)
        gateway.answer(A_SCAN, TAKEN)
        until(lambda: steps(database, home) == [Step.TAKEN])
        times = gateway.came[A_SCAN]
        # another one goes out later, and the answered one does not
        ask(database, home, A_PAIR, Do.PAIR, device=METER)
        gateway.until(lambda: gateway.came[A_PAIR] >= 3)
        assert gateway.came[A_SCAN] <= times + 1


def test_an_expired_command_is_not_carried(database: str, broker: str) -> None:
    home = settle(database)
    past = datetime.now(UTC) - timedelta(minutes=10)
    ask(database, home, A_SCAN, Do.SCAN, at=past)
    with home_on_air(database, broker) as gateway:
        ask(database, home, A_PAIR, Do.PAIR, device=METER)
        gateway.wait(Do.PAIR)
        assert gateway.came[A_SCAN] == 0


def test_a_worker_carries_the_commands_of_its_own_shards_alone(database: str, broker: str) -> None:
    from vitals.wire import shard

    home = settle(database)
    one = shard("g1")
    others = "00-31" if one > 31 else "32-63"
    with worker(settings(database, broker, KANGBAN_SHARDS=others)), Answering(broker) as gateway:
        ask(database, home, A_SCAN, Do.SCAN)
        with worker(settings(database, broker, KANGBAN_SHARDS=f"{one:02d}")):
            gateway.wait(Do.SCAN)
        with connect(database) as connection:
            assert connection.execute("SELECT attempts FROM gateway_command").fetchone() == (1,)


def test_commands_wait_for_a_broker_that_is_away(embedded_url: str, private_broker: Any) -> None:
    home = settle(embedded_url)
    door = private_broker()
    with worker(settings(embedded_url, door.url)):
        door.stop()
        ask(embedded_url, home, A_SCAN, Do.SCAN)
        door.start()
        with Answering(door.url) as gateway:
            gateway.wait(Do.SCAN, wait_s=30)


def an_event(**changes: Any) -> Event:
    given = {
        "gateway": "g1",
        "at": datetime.now(UTC),
        "command": A_SCAN,
        "number": 0,
        "step": Step.TAKEN,
        **changes,
    }
    return Event(**given)


def test_an_event_that_comes_twice_is_one(database: str, broker: str) -> None:
    home = settle(database)
    with home_on_air(database, broker) as gateway:
        ask(database, home, A_SCAN, Do.SCAN)
        payload = encode_event(an_event())
        for _ in range(3):
            gateway.publish(payload)
        gateway.publish(encode_event(an_event(number=1, step=Step.DONE)))
        until(lambda: Step.DONE in steps(database, home))
    assert steps(database, home) == [Step.TAKEN, Step.DONE]


def test_what_is_no_answer_is_kept_with_its_reason_and_stops_nothing(
    database: str, broker: str
) -> None:
    home = settle(database)
    with (
        home_on_air(database, broker) as gateway,
        Gateways(broker, client_id="others") as others,
    ):
        ask(database, home, A_SCAN, Do.SCAN)
        for _ in range(2):
            gateway.publish(b"?")
            gateway.publish(b"x" * 20_000)
            gateway.publish(encode_event(an_event(gateway="g2")))
            gateway.publish(encode_event(an_event(command="9" * 32)))
            gateway.publish(encode_event(an_event(number=20_000)))
            gateway.publish(encode_event(an_event(said="a\0b")))
            others.publish(
                encode_event(an_event(gateway="stranger")), gateway="stranger", leaf="event"
            )
        gateway.answer(A_SCAN, TAKEN)
        until(lambda: steps(database, home) == [Step.TAKEN])
        with connect(database) as connection:
            until(lambda: len(measurements.dead_letters(connection)) == 7)
            letters = [" ".join(each.reasons) for each in measurements.dead_letters(connection)]
    for said in (
        "not a event",
        "20000 bytes",
        "comes from 'g2'",
        "answers no command",
        "event 20000",
        "NUL",
        "unknown gateway 'stranger'",
    ):
        assert any(said in letter for letter in letters), (said, letters)


def test_another_gateway_cannot_answer_for_this_one(database: str, broker: str) -> None:
    home = settle(database)
    with connect(database) as connection:
        people.register_gateway(connection, name="g2")
    with worker(settings(database, broker)), Answering(broker, gateway="g2") as thief:
        ask(database, home, A_SCAN, Do.SCAN)
        thief.answer(A_SCAN, failed(Failure.FAULT))
        with connect(database) as connection:
            until(lambda: len(measurements.dead_letters(connection)) == 1)
    assert steps(database, home) == []


def test_a_session_that_knew_no_events_learns_of_them(
    embedded_url: str, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = settle(embedded_url)
    chosen = settings(embedded_url, broker)
    with monkeypatch.context() as earlier:
        earlier.setattr("ingest.subscribe._LEAVES", ("up", "health"))
        old = Subscription(chosen, waiting=SimpleQueue())
        old.start()
        until(old.is_connected)
        old.stop()
    with home_on_air(embedded_url, broker) as gateway:
        ask(embedded_url, home, A_SCAN, Do.SCAN)
        gateway.answer(A_SCAN, TAKEN)
        until(lambda: steps(embedded_url, home) == [Step.TAKEN])


# -- whose the device is ---------------------------------------------------------------------------


def bind(database: str, patient: int) -> None:
    with connect(database) as connection:
        people.bind_device(connection, METER, patient_id=patient)


def hear(database: str, *events: Event) -> None:
    """What ingest does with events, without a broker."""
    with connect(database) as connection:
        for each in events:
            body = {"v": 1, "command": each.command, "at": "2026-11-23T00:00:00Z"}
            body |= {"gateway": "g1", "number": each.number, "step": each.step.value}
            assert commands.hear(connection, each, body=body, now=datetime.now(UTC))


PAIR_FAILED = an_event(command=A_PAIR, step=Step.FAILED, failure=Failure.OUT_OF_REACH)
PAIR_DONE = an_event(command=A_PAIR, step=Step.DONE)


def test_a_pairing_that_fails_gives_back_the_device_that_it_had_bound(database: str) -> None:
    home = settle(database)
    bind(database, home.mother)
    ask(database, home, A_PAIR, Do.PAIR, device=METER, bound=True)
    hear(database, PAIR_FAILED)
    assert wearer(database) is None


def test_a_failed_pairing_of_somebody_else_s_device_gives_it_back_to_them(database: str) -> None:
    home = settle(database)
    bind(database, home.mother)
    ask(database, home, A_PAIR, Do.PAIR, device=METER, bound=True, bound_from=home.father)
    hear(database, PAIR_FAILED)
    assert wearer(database) == home.father


def test_a_device_that_was_the_patient_s_before_stays_theirs(database: str) -> None:
    home = settle(database)
    bind(database, home.mother)
    ask(database, home, A_PAIR, Do.PAIR, device=METER)
    hear(database, PAIR_FAILED)
    assert wearer(database) == home.mother


@pytest.mark.parametrize("second", [None, Step.DONE])
def test_a_late_failure_takes_nothing_from_a_second_attempt(
    database: str, second: Step | None
) -> None:
    home, at = settle(database), datetime.now(UTC)
    bind(database, home.mother)
    ask(database, home, A_PAIR, Do.PAIR, device=METER, bound=True, at=at - timedelta(seconds=50))
    ask(database, home, "7" * 32, Do.PAIR, device=METER, bound=True, at=at)
    if second is not None:
        hear(database, replace(PAIR_DONE, command="7" * 32))
    hear(database, PAIR_FAILED)
    assert wearer(database) == home.mother


def test_a_pairing_that_no_gateway_took_is_given_back_and_a_late_success_takes_it_again(
    database: str,
) -> None:
    home, past = settle(database), datetime.now(UTC) - timedelta(minutes=10)
    bind(database, home.mother)
    ask(database, home, A_PAIR, Do.PAIR, device=METER, bound=True, at=past)
    with connect(database) as connection:
        commands.sweep(connection, past + LIFE)
    assert wearer(database) == home.mother
    with connect(database) as connection:
        commands.sweep(connection, past + LIFE + timedelta(seconds=1))
    assert wearer(database) is None
    hear(database, PAIR_DONE)
    assert wearer(database) == home.mother


@pytest.mark.parametrize(
    ("event", "stays"),
    [
        (an_event(command=A_PAIR, step=Step.DONE), False),
        (an_event(command=A_PAIR, step=Step.FAILED, failure=Failure.UNKNOWN_DEVICE), False),
        (an_event(command=A_PAIR, step=Step.FAILED, failure=Failure.FAULT), True),
    ],
)
def test_a_removed_device_leaves_the_household_when_its_gateway_has_let_it_go(
    database: str, event: Event, stays: bool
) -> None:
    home = settle(database)
    bind(database, home.father)
    ask(database, home, A_PAIR, Do.FORGET, device=METER)
    hear(database, event)
    assert wearer(database) == (home.father if stays else None)


# -- not kept longer than needed -------------------------------------------------------------------


def kept(database: str, id: str) -> dict[str, Any]:
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT document FROM gateway_command WHERE id = %s", (id,)
        ).fetchone()
    assert row is not None
    return dict(row[0])


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_passkey_is_forgotten_once_it_was_heard_or_is_too_old(
    database: str, is_heard: bool
) -> None:
    home, at = settle(database), datetime.now(UTC)
    ask(database, home, A_PAIR, Do.PASSKEY, about=A_SCAN, number=123456, at=at)
    assert kept(database, A_PAIR)["number"] == 123456
    if is_heard:
        hear(database, an_event(command=A_PAIR))
    else:
        with connect(database) as connection:
            commands.sweep(connection, at + timedelta(minutes=3))
    assert "number" not in kept(database, A_PAIR)


def test_commands_and_events_go_after_some_days(database: str) -> None:
    home, at = settle(database), datetime.now(UTC)
    ask(database, home, A_SCAN, Do.SCAN, at=at)
    hear(database, an_event())
    with connect(database) as connection:
        commands.sweep(connection, at + commands.KEPT)
    assert len(talk(database, home)[0]) == 1
    with connect(database) as connection:
        commands.sweep(connection, at + commands.KEPT + timedelta(seconds=1))
        assert connection.execute("SELECT count(*) FROM gateway_event").fetchone() == (0,)
    assert talk(database, home) == ([], [])


def test_two_workers_carry_a_command_once(embedded_url: str) -> None:
    home = settle(embedded_url)
    ask(embedded_url, home, A_SCAN, Do.SCAN)
    barrier, got = threading.Barrier(2), []

    def carry() -> None:
        with connect(embedded_url) as connection:
            barrier.wait(10)
            now = datetime.now(UTC)
            found = commands.take(connection, first=0, last=63, now=now, again_after=LIFE, limit=9)
            commands.mark_sent(connection, [each.id for each in found], now=now)
            got.append(len(found))
            barrier.wait(10)

    threads = [threading.Thread(target=carry) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert sorted(got) == [0, 1]
