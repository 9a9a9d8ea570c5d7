"""What a person asks of a gateway, with a radio that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateway_agent import desk as module
from gateway_agent.agent import Agent
from gateway_agent.bonding import Asker, Asks, PairingFailed, Question
from gateway_agent.desk import Desk
from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.quirk import STANDARD
from gateway_agent.recognise import Recognised
from gateway_agent.sighting import Sighting
from gateway_agent.spool import Spool
from gateway_agent.talk import ClockSeen
from vitals.command import LIFE, Command, Do, Event, Failure, Step
from vitals.errors import TryAgain
from vitals.kinds import Kind
from vitals.measurement import Reading, Value
from vitals.units import Unit

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# what the meter's clock shows at 07:00
OWN_TIME = NOW.replace(hour=7, tzinfo=None)
METER, CUFF, PHONE = "ble:F0:00:00:00:00:01", "ble:F0:00:00:00:00:02", "ble:F0:00:00:00:00:03"

Told = Callable[[], None]
Pair = Callable[[Asker, Told, Told], Awaitable[None]]


def sighting(device: str, kind: str | None, *, seconds_ago: float = 0.0) -> Sighting:
    return Sighting(
        device=device,
        name=kind or "phone",
        rssi_dbm=-60,
        at=NOW - timedelta(seconds=seconds_ago),
        recognised=Recognised(driver=DRIVERS[kind] if kind else None, quirk=STANDARD),
    )


async def _pairs_at_once(_: Asker, on_connecting: Told, on_bonded: Told) -> None:
    on_connecting()
    on_bonded()


class Radio:
    """A radio without a radio: what it hears and how its pairings go is set by the test."""

    def __init__(self) -> None:
        self.heard = [sighting(METER, "glucose_meter"), sighting(PHONE, None)]
        self.watchers: list[Callable[[Sighting], None]] = []
        self.forgotten: list[str] = []
        self.pairs: Pair = _pairs_at_once
        self.troubles: Mapping[str, str] = {}

    def sightings(self) -> list[Sighting]:
        return self.heard

    def watch(self, callback: Callable[[Sighting], None]) -> Callable[[], None]:
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)

    async def pair(self, device: str, ask: Asker, *, on_connecting: Told, on_bonded: Told) -> None:
        await self.pairs(ask, on_connecting, on_bonded)

    async def forget(self, device: str) -> None:
        self.forgotten.append(device)


class Home:
    """A desk with a real household and a real spool behind it."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder / "spool.sqlite")
        self.agent = Agent("g1", self.spool, zone=UTC, now=lambda: NOW)
        self.radio = Radio()
        self.desk = Desk(
            self.agent,
            self.spool,
            radio=self.radio,
            health=self.agent.health,
            now=lambda: NOW,
        )
        self._events: dict[str, asyncio.Queue[Event]] = {}

    def ask(self, do: Do, *, strangers: bool = False, **more: object) -> str:
        """Gives a command; its id."""
        command = Command(
            id=uuid4().hex,
            gateway="g1",
            at=NOW,
            expires_at=NOW + LIFE,
            do=do,
            **more,  # type: ignore[arg-type]
        )
        queue = self._events[command.id] = asyncio.Queue()
        self.desk.take(command, queue.put_nowait, strangers=strangers)
        return command.id

    async def until(self, command: str, *steps: Step) -> list[Event]:
        """What this command has told, up to one of these steps."""
        told: list[Event] = []
        async with asyncio.timeout(10):
            while not told or told[-1].step not in steps:
                told.append(await self._events[command].get())
        return told

    async def end(self, command: str) -> list[Event]:
        return await self.until(command, Step.DONE, Step.FAILED)

    def is_added(self, device: str) -> bool:
        """As a gateway that starts anew would find it."""
        return self.spool.known(device).added_at is not None


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    made = Home(tmp_path)
    yield made
    await made.desk.close()
    made.agent.close()
    made.spool.close()


def steps(events: list[Event]) -> list[str]:
    return [each.step.value for each in events]


async def test_a_scan_shows_what_can_be_added_until_it_is_ended(home: Home) -> None:
    scan = home.ask(Do.SCAN)
    told = await home.until(scan, Step.CANDIDATE)
    for watcher in home.radio.watchers:
        watcher(sighting(CUFF, "blood_pressure_cuff"))
    told += await home.until(scan, Step.CANDIDATE)
    home.ask(Do.CANCEL, about=scan)
    told += await home.end(scan)
    assert steps(told) == ["scanning", "candidate", "candidate", "done"]
    assert [each.number for each in told] == [0, 1, 2, 3]
    assert [each.device for each in told[1:3]] == [METER, CUFF]
    assert home.radio.watchers == []


async def test_a_scan_ends_by_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCAN_S", 0.0)
    told = await home.end(home.ask(Do.SCAN))
    assert told[-1].step is Step.DONE


async def test_what_is_added_or_went_silent_is_not_offered(home: Home) -> None:
    home.radio.heard.append(sighting(CUFF, "blood_pressure_cuff", seconds_ago=31))
    await home.agent.add(METER)
    scan = home.ask(Do.SCAN, strangers=True)
    told = await home.until(scan, Step.CANDIDATE)
    assert told[-1].device == PHONE


async def test_a_scan_with_a_dead_adapter_says_so(home: Home) -> None:
    home.radio.troubles = {"silence": "Nothing was heard.", "adapter": "It is unplugged."}
    failed = (await home.end(home.ask(Do.SCAN)))[-1]
    assert (failed.failure, failed.said) == (Failure.ADAPTER, "It is unplugged.")


async def test_a_page_that_is_loaded_anew_scans_anew(home: Home) -> None:
    first = home.ask(Do.SCAN)
    await home.until(first, Step.SCANNING)
    second = home.ask(Do.SCAN)
    assert (await home.end(first))[-1].step is Step.DONE
    assert steps(await home.until(second, Step.CANDIDATE)) == ["scanning", "candidate"]


async def test_a_tap_on_a_candidate_ends_the_scan_and_adds_it(home: Home) -> None:
    scan = home.ask(Do.SCAN)
    await home.until(scan, Step.CANDIDATE)
    pair = home.ask(Do.PAIR, device=METER)
    told = await home.end(pair)
    assert steps(told) == ["taken", "connecting", "bonded", "done"]
    assert (await home.end(scan))[-1].step is Step.DONE
    assert home.is_added(METER)


async def test_a_command_that_is_cancelled_before_it_began_has_an_end(home: Home) -> None:
    pair = home.ask(Do.PAIR, device=METER)
    home.ask(Do.CANCEL, about=pair)
    assert (await home.end(pair))[-1].failure is Failure.CANCELLED
    assert (await home.end(home.ask(Do.PAIR, device=METER)))[-1].step is Step.DONE


async def test_nothing_disturbs_a_pairing(home: Home) -> None:
    goes_on = asyncio.Event()

    async def waits(*_: object) -> None:
        await goes_on.wait()

    home.radio.pairs = waits
    pair = home.ask(Do.PAIR, device=METER)
    await home.until(pair, Step.TAKEN)
    for other in (
        home.ask(Do.SCAN),
        home.ask(Do.PAIR, device=CUFF),
        home.ask(Do.FORGET, device=METER),
    ):
        (failed,) = await home.end(other)
        assert failed.failure is Failure.BUSY
    goes_on.set()
    assert (await home.end(pair))[-1].step is Step.DONE


def asking(question: Question, *, wanted: object) -> Pair:
    """A pairing of a device that puts this question, and takes only this answer."""

    async def pairs(ask: Asker, on_connecting: Told, on_bonded: Told) -> None:
        on_connecting()
        if await ask(question) != wanted:
            raise PairingFailed(Failure.WRONG_PASSKEY, "the device refuses the digits.")
        on_bonded()

    return pairs


PASSKEY = Question(device=METER, asks=Asks.PASSKEY)
CONFIRM = Question(device=METER, asks=Asks.CONFIRM, number=4711)


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        (PASSKEY, {"do": Do.PASSKEY, "number": 123_456}, "passkey_wanted bonded done"),
        (PASSKEY, {"do": Do.PASSKEY, "number": 0}, "passkey_wanted failed"),
        (CONFIRM, {"do": Do.CONFIRM, "yes": True}, "confirm_wanted bonded done"),
        (CONFIRM, {"do": Do.CONFIRM, "yes": False}, "confirm_wanted failed"),
    ],
)
async def test_what_the_device_wants_to_know_a_person_answers(
    home: Home, question: Question, answer: dict[str, object], told: str
) -> None:
    home.radio.pairs = asking(question, wanted=123_456 if question is PASSKEY else True)
    pair = home.ask(Do.PAIR, device=METER)
    so_far = await home.until(pair, Step.PASSKEY_WANTED, Step.CONFIRM_WANTED)
    (taken,) = await home.end(home.ask(about=pair, **answer))  # type: ignore[arg-type]
    assert taken.step is Step.DONE
    events = so_far + await home.end(pair)
    assert steps(events) == ["taken", "connecting", *told.split()]
    assert home.is_added(METER) is told.endswith("done")


async def test_digits_that_nobody_types_end_the_pairing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.01)
    home.radio.pairs = asking(PASSKEY, wanted=1)
    told = await home.end(home.ask(Do.PAIR, device=METER))
    assert told[-1].failure is Failure.NO_PASSKEY
    assert not home.is_added(METER)
    assert not home.agent.admits(METER)


async def test_an_answer_that_nobody_waits_for_says_so(home: Home) -> None:
    (late,) = await home.end(home.ask(Do.PASSKEY, about="f" * 32, number=1))
    assert late.failure is Failure.EXPIRED
    assert "begin again" in late.said


def reading(sequence: int) -> Reading:
    return Reading(
        sequence=sequence,
        device_time=OWN_TIME + timedelta(minutes=sequence),
        values=(Value(kind=Kind.GLUCOSE, value=5.0 + sequence, unit=Unit.MMOL_PER_L),),
        raw=b"",
    )


def reads(home: Home, count: int, *, then: Exception | None = None) -> Pair:
    """A pairing whose first visit brings a clock and so many records."""

    async def pairs(ask: Asker, on_connecting: Told, on_bonded: Told) -> None:
        on_connecting()
        sight = home.radio.heard[0]
        driver = sight.recognised.driver
        assert driver is not None
        visiting = await home.agent.begin(METER, driver, name="meter", rssi_dbm=-60)
        visiting.clock_seen(
            ClockSeen(device_time=OWN_TIME + timedelta(minutes=59, seconds=29), at=NOW)
        )
        for sequence in range(1, count + 1):
            await visiting.keep(reading(sequence))
        if then is not None:
            raise then
        await visiting.finished()

    return pairs


async def test_a_pairing_ends_with_the_first_reading(home: Home) -> None:
    home.radio.pairs = reads(home, 3)
    told = await home.end(home.ask(Do.PAIR, device=METER))
    assert steps(told) == [
        "taken",
        "connecting",
        "clock",
        "history",
        "history",
        "reading",
        "done",
    ]
    assert told[2].numbers == {"offset_s": 31}
    assert told[-2].values[0]["value"] == 8.0
    assert told[-1].numbers == {"read": 3}


async def test_a_device_whose_records_came_stays_added_when_the_link_is_lost(home: Home) -> None:
    home.radio.pairs = reads(home, 2, then=PairingFailed(Failure.OUT_OF_REACH, "it went away."))
    told = await home.end(home.ask(Do.PAIR, device=METER))
    assert told[-1].step is Step.DONE
    assert "it went away." in told[-1].said
    assert home.is_added(METER)


async def test_a_device_is_on_disk_as_added_when_its_first_record_is(home: Home) -> None:
    hangs = asyncio.Event()

    async def pairs(ask: Asker, on_connecting: Told, on_bonded: Told) -> None:
        await reads(home, 1)(ask, on_connecting, on_bonded)
        await hangs.wait()

    home.radio.pairs = pairs
    pair = home.ask(Do.PAIR, device=METER)
    assert not home.is_added(METER)
    await home.until(pair, Step.HISTORY)
    # one thread serves the disk: what was asked of it before is done when this is
    await home.agent.on_disk(lambda: None)
    assert home.is_added(METER)
    hangs.set()


# a gateway that is stopped in mid-pairing says so, and has added nothing
async def test_a_gateway_that_stops_in_mid_pairing_has_added_nothing(home: Home) -> None:
    async def hangs(_: Asker, on_connecting: Told, __: Told) -> None:
        on_connecting()
        await asyncio.Event().wait()

    home.radio.pairs = hangs
    pair = home.ask(Do.PAIR, device=METER)
    await home.until(pair, Step.CONNECTING)
    await home.desk.close()
    assert (await home.end(pair))[-1].failure is Failure.CANCELLED
    assert not home.is_added(METER)


async def test_a_pairing_without_a_sign_of_life_is_given_up(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "QUIET_S", 0.01)
    home.radio.pairs = hangs
    told = await home.end(home.ask(Do.PAIR, device=METER))
    assert told[-1].failure is Failure.OUT_OF_REACH


# (what the radio raises, what the person is told)
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (PairingFailed(Failure.LOST_BOND, "add it anew."), Failure.LOST_BOND),
        (TryAgain("The disk is full."), Failure.DISK),
        (RuntimeError("a fault of ours"), Failure.FAULT),
    ],
)
@pytest.mark.parametrize("was_added", [False, True])
async def test_whatever_goes_wrong_has_an_end_and_leaves_what_was(
    home: Home, error: Exception, failure: Failure, was_added: bool
) -> None:
    async def fails(*_: object) -> None:
        raise error

    if was_added:
        await home.agent.add(METER)
    home.radio.pairs = fails
    told = await home.end(home.ask(Do.PAIR, device=METER))
    assert told[-1].failure is failure
    assert told[-1].said
    assert home.is_added(METER) is was_added
    assert home.agent.admits(METER) is was_added


async def test_a_forgotten_device_is_left_alone_and_its_readings_stay(home: Home) -> None:
    home.radio.pairs = reads(home, 2)
    await home.end(home.ask(Do.PAIR, device=METER))
    (done,) = await home.end(home.ask(Do.FORGET, device=METER))
    assert done.step is Step.DONE
    assert home.radio.forgotten == [METER]
    assert not home.agent.admits(METER)
    assert home.spool.depth() == 2


async def test_a_stranger_cannot_be_forgotten(home: Home) -> None:
    (failed,) = await home.end(home.ask(Do.FORGET, device=CUFF))
    assert failed.failure is Failure.UNKNOWN_DEVICE
    assert "kangban gateway devices" in failed.said


async def test_status_is_a_line_its_figures_and_a_row_for_each_device(home: Home) -> None:
    home.radio.pairs = reads(home, 2)
    await home.end(home.ask(Do.PAIR, device=METER))
    (status,) = await home.end(home.ask(Do.STATUS))
    assert "devices: 1; measurements that wait for the server: 2." in status.said
    assert status.numbers["spooled"] == 2
    (row,) = status.values
    assert (row["device"], row["kind"], row["clock_behind_s"]) == (METER, "glucose_meter", 31)
