"""Commands over a real broker: obeyed once, answered in order, over its death and return."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from mosquitto import Mosquitto
from stand_in import StandIn

from gateway_agent import delivery
from gateway_agent.config import GatewaySettings
from gateway_agent.spool import Spool
from gateway_agent.uplink import Uplink
from vitals.broker import broker as parse
from vitals.command import LIFE, Command, Do, Event, Failure, Step
from vitals.kinds import Kind
from vitals.measurement import Clock, Reading, Value, place
from vitals.units import Unit
from vitals.wire import Health

METER = "ble:F0:00:00:00:00:01"


def a_command(do: Do = Do.SCAN, **more: object) -> Command:
    now = datetime.now(UTC)
    return Command(id=uuid4().hex, gateway="g1", at=now, expires_at=now + LIFE, do=do, **more)  # type: ignore[arg-type]


class Home:
    """A spool with its uplink; commands are gathered, and answered by hand."""

    def __init__(self, url: str, data: Path) -> None:
        self.spool = Spool(data / "spool.sqlite")
        self.obeyed: list[Command] = []
        self._stopped = False
        self._news = threading.Condition()
        health = Health(v=1, gateway="g1", sent_at=datetime.now(UTC), spooled=0, devices={})
        self.uplink = Uplink(
            GatewaySettings(name="g1", mqtt=parse(url), data=data),
            self.spool,
            health=lambda: health,
        )
        self.uplink.obey(self._take)
        self.uplink.start()

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.uplink.stop()
            self.spool.close()

    def wait(self, enough: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(enough, 20), self.obeyed

    def wait_handed_over(self, measurements: int, command: Command) -> None:
        """Returns when all of this, and the first answer, is with paho."""
        deadline_s = time.monotonic() + 20
        uplink = self.uplink
        while (
            sum(len(each.waiting) for each in uplink._delivery.flights.values()) < measurements
            or f"{command.id} 0" not in uplink._unacknowledged.names()
        ):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    def fill(self, count: int, *, first: int = 1) -> None:
        """Has read so many glucose tests."""
        for sequence in range(first, first + count):
            reading = Reading(
                sequence=sequence,
                device_time=None,
                values=(Value(kind=Kind.GLUCOSE, value=5.6, unit=Unit.MMOL_PER_L),),
                raw=b"",
            )
            measurements = place(
                reading,
                device=METER,
                taken_at=datetime.now(UTC),
                clock=Clock.RECEIVED,
                offset=timedelta(),
            )
            self.spool.keep(
                reading,
                measurements,
                device=METER,
                resync=False,
                last_sequence=sequence,
                now=datetime.now(UTC),
            )

    def _take(self, command: Command) -> None:
        with self._news:
            self.obeyed.append(command)
            self._news.notify_all()

    def answer(self, command: Command, *numbers: int) -> None:
        for number in numbers:
            event = Event(
                gateway="g1",
                at=datetime.now(UTC),
                command=command.id,
                number=number,
                step=Step.SCANNING,
            )
            self.uplink.answer(event, command)


@pytest.fixture
def move_in(tmp_path: Path) -> Iterator[Callable[[str], Home]]:
    homes: list[Home] = []

    def start(url: str) -> Home:
        homes.append(Home(url, tmp_path))
        return homes[-1]

    yield start
    for each in homes:
        each.stop()


Start = Callable[[str], Home]


def test_a_command_is_obeyed_once_and_answered_in_order(broker: str, move_in: Start) -> None:
    order, other = a_command(), a_command(Do.STATUS)
    with StandIn(broker) as server:
        home = move_in(broker)
        server.wait(lambda: bool(server.health))
        server.command(order)
        server.command(order)
        server.command(other)
        home.wait(lambda: len(home.obeyed) >= 2)
        assert home.obeyed == [order, other]
        home.answer(order, *range(30))
        server.wait(lambda: len(server.events) == 30)
    assert [each.number for each in server.events] == list(range(30))
    assert {each.command for each in server.events} == {order.id}


def test_what_is_no_command_is_logged_and_nothing_else(
    broker: str, move_in: Start, caplog: pytest.LogCaptureFixture
) -> None:
    last = a_command()
    odd = (b"", b"[]", b"{}", b'{"v":2}', b"\xff\xfe", b'{"v":1,"do":"format_disk"}', b"x" * 20_000)
    with StandIn(broker) as server:
        home = move_in(broker)
        server.wait(lambda: bool(server.health))
        for each in odd:
            server.command(each)
        server.command(replace(a_command(), gateway="g2"))
        server.command(last)
        home.wait(lambda: bool(home.obeyed))
    assert home.obeyed == [last]
    assert server.events == []
    assert sum("was not understood" in each.message for each in caplog.records) == len(odd)
    assert "it is for g2" in caplog.text


def test_a_command_that_came_too_late_is_answered_so(broker: str, move_in: Start) -> None:
    sent_at = datetime.now(UTC) - timedelta(hours=1)
    late = replace(a_command(), at=sent_at, expires_at=sent_at + LIFE)
    with StandIn(broker) as server:
        home = move_in(broker)
        server.wait(lambda: bool(server.health))
        server.command(late)
        server.wait(lambda: bool(server.events))
    assert home.obeyed == []
    assert [(each.command, each.failure) for each in server.events] == [(late.id, Failure.EXPIRED)]


def test_a_gateway_that_started_anew_obeys_what_waited_and_nothing_twice(
    broker: str, move_in: Start
) -> None:
    order, other = a_command(), a_command()
    with StandIn(broker) as server:
        first = move_in(broker)
        server.wait(lambda: bool(server.health))
        server.command(order)
        first.wait(lambda: bool(first.obeyed))
        first.stop()
        # what is asked of a gateway that is away waits at the broker; so does what is played again
        server.command(order)
        server.command(other)
        second = move_in(broker)
        second.wait(lambda: bool(second.obeyed))
    assert second.obeyed == [other]


@pytest.fixture
def mosquitto(tmp_path: Path, services_root: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker", services_root / "usr/sbin/mosquitto")
    yield broker
    broker.stop()


@pytest.fixture(autouse=True)
def _no_resend_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No receipt is waited for so briefly that its resend could be taken for a reconnect's."""
    monkeypatch.setattr(delivery, "FIRST_WAIT_S", 60.0)


def test_over_a_broker_that_restarts_in_good_order_nothing_is_sent_twice(
    mosquitto: Mosquitto, move_in: Start
) -> None:
    order, later = a_command(), a_command(Do.STATUS)
    with StandIn(mosquitto.url) as server:
        server.silent = True
        home = move_in(mosquitto.url)
        server.wait(lambda: bool(server.health))
        server.command(order)
        home.wait(lambda: bool(home.obeyed))
        home.fill(60)
        home.answer(order, 0, 1)
        server.wait(lambda: len(server.events) == 2 and len(server.measurements) == 60)
        mosquitto.stop()
        home.answer(order, 2, 3)
        server.command(later, wait=False)
        mosquitto.start()
        # neither side has to subscribe anew for these, and both do
        server.wait(lambda: len(server.events) >= 4)
        home.wait(lambda: home.obeyed == [order, later])
        home.fill(1, first=61)
        server.wait(lambda: len(server.measurements) == 61)
    assert [each.number for each in server.events] == [0, 1, 2, 3]
    assert set(server.arrived.values()) == {1}


def test_a_broker_that_forgot_the_gateway_is_subscribed_to_and_told_again(
    mosquitto: Mosquitto, move_in: Start
) -> None:
    order, later = a_command(), a_command(Do.STATUS)
    with StandIn(mosquitto.url) as server:
        server.silent = True
        mosquitto.save()
        home = move_in(mosquitto.url)
        server.wait(lambda: bool(server.health))
        server.command(order)
        home.wait(lambda: bool(home.obeyed))
        home.fill(60)
        home.answer(order, 0, 1)
        server.wait(lambda: len(server.events) == 2 and len(server.measurements) == 60)
        mosquitto.kill()
        home.answer(order, 2)
        words = len(server.health)
        mosquitto.start()
        server.wait(lambda: len(server.health) > words)
        server.command(later)
        home.wait(lambda: home.obeyed == [order, later])
        server.wait(lambda: min(server.arrived.values()) == 2)
        server.wait(lambda: {each.number for each in server.events} == {0, 1, 2})
    # the broker may have died before the server had them: once more, and no more than that
    assert set(server.arrived.values()) == {2}
    assert sorted(each.number for each in server.events) == [0, 0, 1, 1, 2]


def test_what_the_link_repeats_by_itself_is_sent_once(mosquitto: Mosquitto, move_in: Start) -> None:
    order = a_command()
    with StandIn(mosquitto.url) as server:
        server.silent = True
        mosquitto.save()
        home = move_in(mosquitto.url)
        server.wait(lambda: bool(server.health))
        server.command(order)
        home.wait(lambda: bool(home.obeyed))
        # the broker dies with what it was sent: none of it was acknowledged
        mosquitto.hold_still()
        home.fill(60)
        home.answer(order, 0)
        home.wait_handed_over(60, order)
        mosquitto.kill()
        mosquitto.start()
        server.wait(lambda: len(server.measurements) == 60 and bool(server.events))
        home.fill(1, first=61)
        server.wait(lambda: len(server.measurements) == 61)
    assert set(server.arrived.values()) == {1}
    assert [each.number for each in server.events] == [0]
