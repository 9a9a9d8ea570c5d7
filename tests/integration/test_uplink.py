"""The uplink against a real broker: nothing is forgotten before a receipt names it."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stand_in import StandIn

from gateway_agent import delivery
from gateway_agent.config import GatewaySettings
from gateway_agent.spool import Spool
from gateway_agent.uplink import Uplink
from kangban.embedded.broker import Broker
from vitals.broker import broker as parse
from vitals.kinds import Kind
from vitals.measurement import Clock, Reading, Value, place
from vitals.units import Unit
from vitals.wire import Health, Receipt

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
METER = "ble:F0:00:00:00:00:01"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool.sqlite")
    yield opened
    opened.close()


def fill(spool: Spool, count: int, *, first: int = 1, resync: bool = False) -> None:
    for sequence in range(first, first + count):
        taken_at = NOW - timedelta(minutes=10_000 - sequence)
        reading = Reading(
            sequence=sequence,
            device_time=taken_at.replace(tzinfo=None),
            values=(Value(kind=Kind.GLUCOSE, value=5.6, unit=Unit.MMOL_PER_L),),
            raw=b"",
        )
        measurements = place(
            reading, device=METER, taken_at=taken_at, clock=Clock.MEASURED, offset=timedelta()
        )
        spool.keep(
            reading, measurements, device=METER, resync=resync, last_sequence=sequence, now=NOW
        )


Start = Callable[[str], Uplink]


@pytest.fixture
def start(spool: Spool, tmp_path: Path) -> Iterator[Start]:
    running: list[Uplink] = []

    def begin(url: str) -> Uplink:
        settings = GatewaySettings(name="g1", mqtt=parse(url), data=tmp_path)
        health = Health(v=1, gateway="g1", sent_at=NOW, spooled=0, devices={})
        uplink = Uplink(settings, spool, health=lambda: health, now=lambda: NOW)
        uplink.start()
        running.append(uplink)
        return uplink

    yield begin
    for uplink in running:
        uplink.stop()


async def empty(spool: Spool) -> None:
    changed, loop = asyncio.Event(), asyncio.get_running_loop()
    stop = spool.watch(lambda: loop.call_soon_threadsafe(changed.set))
    async with asyncio.timeout(20):
        while spool.depth():
            await changed.wait()
            changed.clear()
    stop()


async def test_a_full_spool_leaves_in_envelopes_of_fifty(
    broker: str, spool: Spool, start: Start
) -> None:
    fill(spool, 120)
    with StandIn(broker) as server:
        start(broker)
        await empty(spool)
    assert [len(each["measurements"]) for each in server.envelopes] == [50, 50, 20]
    assert set(server.arrived.values()) == {1}
    assert {each["sent_at"] for each in server.envelopes} == {"2026-11-22T08:00:00Z"}


async def test_a_memory_that_was_read_whole_is_marked_and_never_mixed(
    broker: str, spool: Spool, start: Start
) -> None:
    fill(spool, 60, resync=True)
    fill(spool, 5, first=61)
    with StandIn(broker) as server:
        start(broker)
        await empty(spool)
    assert [(each["resync"], len(each["measurements"])) for each in server.envelopes] == [
        (True, 50),
        (True, 10),
        (False, 5),
    ]


async def test_what_is_not_named_is_sent_again_with_the_same_ids(
    broker: str, spool: Spool, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT_S", 0.2)
    fill(spool, 3)
    with StandIn(broker) as server:
        server.silent = True
        start(broker)
        server.wait(lambda: len(server.envelopes) >= 3)
        assert spool.depth() == 3
        assert len(server.measurements) == 3
        server.silent = False
        await empty(spool)


async def test_a_receipt_that_names_strangers_or_is_none_is_harmless(
    broker: str, spool: Spool, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    with StandIn(broker) as server:
        start(broker)
        server.wait(lambda: bool(server.health))
        for odd in (b"", b"[]", b"{}", b'{"v":2}', b"\xff\xfe", b'{"v":1,"batch":"x"}'):
            server.receipt("g1", odd)
        server.receipt(
            "g1", Receipt(v=1, batch="?", committed=("nobody",), rejected={"none": ("why",)})
        )
        fill(spool, 2)
        await empty(spool)
    assert sum("was not understood" in each.message for each in caplog.records) == 6
    assert spool.rejected() == []


async def test_what_the_server_refuses_is_kept_with_its_reasons(
    broker: str, spool: Spool, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    fill(spool, 3)
    with StandIn(broker) as server:
        server.refuse = lambda each: ("too old", "odd unit") if each["sequence"] == 2 else ()
        start(broker)
        await empty(spool)
    ((document, reasons),) = spool.rejected()
    assert (document["sequence"], reasons) == (2, ["too old", "odd unit"])
    assert any("too old; odd unit" in each.message for each in caplog.records)


async def test_a_server_that_comes_later_gets_everything(
    broker: str, spool: Spool, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT_S", 0.2)
    fill(spool, 700)
    start(broker)
    with StandIn(broker) as server:
        await empty(spool)
        assert len(server.measurements) == 700


async def test_a_broker_that_is_killed_holds_nothing_that_anyone_relies_on(
    private_broker: Callable[[], Broker], spool: Spool, start: Start
) -> None:
    broker = private_broker()
    with StandIn(broker.url) as server:
        server.silent = True
        fill(spool, 200)
        start(broker.url)
        server.wait(lambda: len(server.measurements) == 200)
        os.kill(broker.pid, signal.SIGKILL)
        fill(spool, 200, first=201)
        server.silent = False
        await empty(spool)
        assert len(server.measurements) == 400


async def test_health_is_told_at_the_start_and_on_change(
    broker: str, spool: Spool, start: Start
) -> None:
    with StandIn(broker) as server:
        uplink = start(broker)
        server.wait(lambda: len(server.health) == 1)
        uplink.tell_health()
        server.wait(lambda: len(server.health) == 2)
    assert server.health[0]["gateway"] == "g1"


async def test_a_gateway_that_is_stopped_sends_its_last_word(
    broker: str, spool: Spool, start: Start, tmp_path: Path
) -> None:
    with StandIn(broker) as server:
        settings = GatewaySettings(name="g2", mqtt=parse(broker), data=tmp_path)
        health = Health(v=1, gateway="g2", sent_at=NOW, spooled=0, devices={})
        uplink = Uplink(settings, spool, health=lambda: health)
        uplink.start()
        server.wait(lambda: len(server.health) == 1)
        uplink.tell_health()
        uplink.stop()
        server.wait(lambda: len(server.health) == 2)
