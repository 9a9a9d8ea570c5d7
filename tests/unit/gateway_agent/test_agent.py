"""The agent: what a visit may ask for, when a reading was, and that it waits for the disk."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway_agent import agent as module
from gateway_agent.agent import MOST_DEVICES, Agent
from gateway_agent.spool import Spool
from gateway_agent.talk import About, ClockSeen, Driver, Refused
from vitals.errors import MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Reading, Value
from vitals.units import Unit
from vitals.wire import DeviceHealth

NOW = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
METER = "ble:F0:00:00:00:00:01"
DRIVER = Driver(
    kind="glucose_meter",
    service="1808",
    zh="血糖仪",
    en="Glucose meter",
    talk=lambda visit: iter(()),  # type: ignore[arg-type, return-value]
    decoders={},
    revisit_s=60,
)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool.sqlite")
    yield opened
    opened.close()


def an_agent(spool: Spool) -> Agent:
    return Agent("g1", spool, zone=ZoneInfo("Asia/Shanghai"), now=lambda: NOW)


@pytest.fixture
def agent(spool: Spool) -> Iterator[Agent]:
    made = an_agent(spool)
    yield made
    made.close()


def a_reading(sequence: int, *, withheld: str | None = None) -> Reading:
    value = Value(kind=Kind.GLUCOSE, value=5.6, unit=Unit.MMOL_PER_L)
    return Reading(
        sequence=sequence,
        device_time=datetime(2026, 11, 22, 8, 0) + timedelta(minutes=sequence),  # noqa: DTZ001
        values=() if withheld else (value,),
        raw=b"raw",
        withheld=withheld,
    )


async def begin(agent: Agent) -> Any:
    return await agent.begin(METER, DRIVER, name="KG-200", rssi_dbm=-60)


def sent(spool: Spool) -> list[tuple[int, bool]]:
    found, place = [], 0
    while waiting := spool.oldest(50, after=place):
        found += [(each.document["sequence"], each.resync) for each in waiting]
        place = waiting[-1].place
    return found


async def test_a_device_is_read_whole_until_it_was_read_to_the_end_once(
    agent: Agent, spool: Spool
) -> None:
    first = await begin(agent)
    assert first.visit.last_sequence is None
    for sequence in (1, 2):
        await first.keep(a_reading(sequence))
    await first.failed(TryAgain("the link went down"))

    second = await begin(agent)
    assert second.visit.last_sequence == 2
    await second.keep(a_reading(3))
    await second.finished()

    third = await begin(agent)
    assert third.visit.last_sequence == 3
    await third.keep(a_reading(4))
    await third.finished()
    assert sent(spool) == [(1, True), (2, True), (3, True), (4, False)]


async def test_the_mark_never_goes_back(agent: Agent, spool: Spool) -> None:
    visit = await begin(agent)
    for sequence in (5, 3):
        await visit.keep(a_reading(sequence))
    assert spool.known(METER).last_sequence == 5


async def test_a_reading_is_placed_by_the_clock_that_was_seen_in_its_visit(
    agent: Agent, spool: Spool
) -> None:
    visit = await begin(agent)
    # at 00:30 UTC the meter shows 08:33 in Shanghai: three minutes fast
    visit.clock_seen(ClockSeen(device_time=datetime(2026, 11, 22, 8, 33), at=NOW))  # noqa: DTZ001
    await visit.keep(a_reading(10))
    (only,) = spool.oldest(50)
    assert only.document["taken_at"] == "2026-11-22T00:07:00Z"
    assert only.document["clock_offset_s"] == -8 * 3600 - 180


async def test_seconds_between_two_visits_do_not_move_a_record(agent: Agent, spool: Spool) -> None:
    first = await begin(agent)
    first.clock_seen(ClockSeen(device_time=datetime(2026, 11, 22, 8, 30, 0), at=NOW))  # noqa: DTZ001
    await first.finished()
    second = await begin(agent)
    second.clock_seen(ClockSeen(device_time=datetime(2026, 11, 22, 8, 30, 3), at=NOW))  # noqa: DTZ001
    await second.keep(a_reading(1))
    (only,) = spool.oldest(50)
    assert only.document["clock_offset_s"] == -8 * 3600


async def test_a_withheld_reading_moves_the_mark_and_is_never_sent(
    agent: Agent, spool: Spool
) -> None:
    visit = await begin(agent)
    await visit.keep(a_reading(7, withheld="control_solution"))
    await visit.finished()
    assert sent(spool) == []
    assert spool.known(METER).last_sequence == 7
    assert agent.health().withheld == 1


async def test_people_hear_of_a_change_and_not_of_every_visit(agent: Agent) -> None:
    told: list[str | None] = []
    agent.on_change = lambda: told.append(agent.health().devices[METER].failure)
    first = await begin(agent)
    first.about(About(model="KG-200", battery_percent=40))
    await first.finished()
    second = await begin(agent)
    second.about(About(model="KG-200", battery_percent=40))
    await second.finished()
    # a new device; its model and battery; nothing
    assert told == [None, None]
    third = await begin(agent)
    await third.failed(MendDevice("pair it anew"))
    assert told[-1] == "pair it anew"
    fourth = await begin(agent)
    fourth.about(About(battery_percent=0))
    await fourth.finished()
    device = agent.health().devices[METER]
    assert (device.failure, device.battery_percent, device.model) == (None, 0, "KG-200")


async def test_bytes_that_nobody_understands_are_named_and_shown(
    agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    visit = await begin(agent)
    visit.refused(Refused(characteristic="2A18", data=b"\x01\x02", reason="too short"))
    await visit.finished()
    assert "0102 on 2A18: too short" in caplog.text
    assert "1 values" in str(agent.health().devices[METER].failure)


async def test_a_gateway_that_was_restarted_still_knows_its_devices(
    agent: Agent, spool: Spool
) -> None:
    visit = await begin(agent)
    visit.about(About(model="KG-200", battery_percent=40))
    visit.clock_seen(ClockSeen(device_time=datetime(2026, 11, 22, 8, 30), at=NOW))  # noqa: DTZ001
    await visit.finished()
    again = an_agent(spool)
    assert again.health().devices == agent.health().devices
    again.close()


async def test_failures_in_a_row_are_counted_over_a_restart_and_forgotten_after_a_good_visit(
    agent: Agent, spool: Spool
) -> None:
    for _ in range(2):
        await (await begin(agent)).failed(TryAgain("out of reach"))
    again = an_agent(spool)
    visit = await begin(again)
    # a visit that has only begun is neither
    assert again.health().devices[METER].failures == 2
    await visit.failed(TryAgain("out of reach"))
    assert again.health().devices[METER].failures == 3
    await (await begin(again)).finished()
    assert again.health().devices[METER].failures == 0
    again.close()


@pytest.mark.parametrize(("zone_hours", "ails"), [(8, ""), (9, "other_zone")])
async def test_a_clock_that_begins_to_ail_is_told_at_once(
    agent: Agent, zone_hours: int, ails: str
) -> None:
    first = await begin(agent)
    await first.finished()
    told: list[str] = []
    agent.on_change = lambda: told.append(agent.health().devices[METER].clock_ails)
    visit = await begin(agent)
    shows = (NOW + timedelta(hours=zone_hours)).replace(tzinfo=None)
    visit.clock_seen(ClockSeen(device_time=shows, at=NOW))
    await visit.finished()
    assert told == ([ails] if ails else [])


async def test_health_says_which_devices_a_person_added(agent: Agent) -> None:
    await agent.add(METER)
    await begin(agent)
    await agent.note("ble:stranger", DeviceHealth(last_seen_at=NOW))
    devices = agent.health().devices
    assert (devices[METER].added, devices["ble:stranger"].added) == (True, False)
    await agent.remove(METER)
    assert not agent.health().devices[METER].added


def fill_up(spool: Spool) -> None:
    spool._base.execute("PRAGMA max_page_count = 1")


def clean_up(spool: Spool) -> None:
    spool._base.execute("PRAGMA max_page_count = 1000000")


async def meet(agent: Agent, devices: int) -> None:
    for number in range(devices):
        await agent.begin(f"ble:{number}", DRIVER, name="x" * 200, rssi_dbm=-60)


async def test_no_device_is_called_on_while_nothing_could_be_kept(
    agent: Agent, spool: Spool
) -> None:
    fill_up(spool)
    told: list[list[str]] = []
    agent.on_change = lambda: told.append(list(agent.health().troubles))
    with pytest.raises(TryAgain, match="free some space"):
        await meet(agent, devices=5_000)
    assert told[-1] == ["disk"]


async def test_no_device_is_called_on_while_the_gateway_does_not_know_the_time(
    spool: Spool,
) -> None:
    moment = datetime(1970, 1, 1, 0, 2, tzinfo=UTC)
    agent = Agent("g1", spool, zone=ZoneInfo("Asia/Shanghai"), now=lambda: moment)
    told: list[list[str]] = []
    agent.on_change = lambda: told.append(list(agent.health().troubles))
    with pytest.raises(TryAgain, match="shows 1970-01-01: connect it to the network"):
        await begin(agent)
    assert "shows 1970-01-01" in agent.health().troubles["clock"]
    moment = NOW
    await begin(agent)
    assert told == [["clock"], [], []]
    agent.close()


async def test_a_reading_waits_for_room_when_the_disk_fills_up_in_mid_visit(
    agent: Agent,
    spool: Spool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "FULL_DISK_PAUSE_S", 0.0)
    visit = await begin(agent)
    fill_up(spool)
    tries = 0
    told: list[str] = []
    agent.on_change = lambda: told.append(agent.health().troubles.get("disk", ""))

    def room_comes_late() -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            clean_up(spool)

    monkeypatch.setattr(spool, "make_room", room_comes_late)
    for sequence in range(1, 200):
        await visit.keep(a_reading(sequence))
    assert tries == 3
    # people hear of it at once, and of its end
    assert len(told) == 2
    assert "free some space" in told[0]
    assert told[1] == ""
    assert agent.health().troubles == {}
    assert [sequence for sequence, _ in sent(spool)] == list(range(1, 200))
    assert "A reading waits in memory" in caplog.text


async def test_strangers_that_pass_by_do_not_fill_the_word_of_health(agent: Agent) -> None:
    for number in range(MOST_DEVICES + 20):
        seen_at = NOW - timedelta(minutes=number)
        await agent.note(f"ble:{number}", DeviceHealth(last_seen_at=seen_at, kind="wristband"))
    devices = agent.health().devices
    assert len(devices) == MOST_DEVICES
    # those that were seen last
    assert "ble:0" in devices
    assert f"ble:{MOST_DEVICES}" not in devices


async def test_a_spool_of_a_newer_release_is_opened(spool: Spool) -> None:
    about = {"kind": "glucose_meter", "colour": "green"}
    spool.note(METER, last_seen_at=NOW, about=about, clock_offset_s=None)
    agent = an_agent(spool)
    assert agent.device(METER).kind == "glucose_meter"
    agent.close()
