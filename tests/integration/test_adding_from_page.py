"""A device is added from the page: commands over a real broker, a simulated device, all the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from stand_in import StandIn

from gateway_agent import adding
from simulator.household import Household
from simulator.panel import Device, DevicePlan, HouseholdPlan, Person
from simulator.record import CuffRecord, GlucoseRecord, Record
from vitals.broker import broker as parse
from vitals.command import ENDS, LIFE, Command, Do, Event, Failure, Step

METER, CUFF, SHY = "F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03"
# what the shy meter shows
PASSKEY = 7


class Nothing:
    """A story in which nothing happens by itself."""

    def records(self, start: datetime, end: datetime) -> list[Record]:
        return []


def plan(kind: Device, address: str, *, passkey: int | None = None) -> DevicePlan:
    return DevicePlan(kind=kind, address=address, model="SIM", story=Nothing(), passkey=passkey)


class Page:
    """The server's side of one gateway: gives commands, follows what they tell."""

    def __init__(self, server: StandIn) -> None:
        self.server = server

    async def ask(self, do: Do, **more: object) -> str:
        """Gives a command; its id."""
        now = datetime.now(UTC)
        command = Command(
            id=uuid4().hex,
            gateway="g1",
            at=now,
            expires_at=now + LIFE,
            do=do,
            **more,  # type: ignore[arg-type]
        )
        await asyncio.to_thread(self.server.command, command)
        return command.id

    def told(self, command: str) -> list[Event]:
        """What a command has told so far."""
        return [each for each in self.server.events if each.command == command]

    async def until(self, command: str, *steps: Step) -> list[Event]:
        """What it has told when it has come to one of these."""

        def is_there() -> bool:
            return any(each.step in steps for each in self.told(command))

        await asyncio.to_thread(self.server.wait, is_there)
        return self.told(command)

    async def end(self, command: str) -> list[Event]:
        return await self.until(command, *ENDS)


class Home:
    """A simulated household whose devices nobody has added, and a page that looks at it."""

    def __init__(self, household: Household, page: Page) -> None:
        self.household, self.page = household, page

    async def measures(self, address: str, *records: Record) -> None:
        """A device that has measured is on the air."""
        for each in records:
            self.household.devices[f"ble:{address}"].take(each)  # type: ignore[attr-defined]
        await self.household.devices[f"ble:{address}"].go_on_air()

    async def is_added(self, address: str) -> bool:
        """As a gateway that starts anew would find it."""
        gateway = self.household.gateway
        assert gateway is not None
        known = await gateway.agent.on_disk(lambda: gateway.spool.known(f"ble:{address}"))
        return known.added_at is not None


@pytest.fixture
async def home(broker: str, tmp_path: Path) -> AsyncIterator[Home]:
    devices = (
        plan(Device.GLUCOSE_METER, METER),
        plan(Device.CUFF, CUFF),
        plan(Device.GLUCOSE_METER, SHY, passkey=PASSKEY),
    )
    now = datetime.now(UTC)
    household = Household(
        HouseholdPlan(gateway="g1", people=(Person(key="somebody", devices=devices),)),
        begins=now,
        ends=now,
        mqtt=parse(broker),
        data=tmp_path,
        admit="added",
    )
    household.clock.run()
    with StandIn(broker) as server:
        await household.start()
        await asyncio.to_thread(server.wait, lambda: bool(server.health))
        yield Home(household, Page(server))
        await household.stop()


def cuff_records(count: int, *, systolic: int = 130) -> list[CuffRecord]:
    now = datetime.now(UTC)
    return [
        CuffRecord(
            at=now - timedelta(hours=count - each),
            systolic=Decimal(systolic),
            diastolic=Decimal(80),
        )
        for each in range(count)
    ]


def glucose_records(count: int) -> list[GlucoseRecord]:
    now = datetime.now(UTC)
    return [
        GlucoseRecord(at=now - timedelta(minutes=10 * (count - each)), value=Decimal("5.6"))
        for each in range(count)
    ]


def steps(events: list[Event]) -> list[str]:
    return [each.step.value for each in events]


async def test_a_cuff_is_found_added_read_and_forgotten_from_the_page(home: Home) -> None:
    page = home.page
    await home.measures(CUFF, *cuff_records(3))
    scan = await page.ask(Do.SCAN)
    found = (await page.until(scan, Step.CANDIDATE))[-1]
    assert found.candidate is not None
    assert (found.device, found.candidate.kind) == (f"ble:{CUFF}", "blood_pressure_cuff")
    pair = await page.ask(Do.PAIR, device=found.device)
    told = await page.end(pair)
    assert [each.number for each in told] == list(range(len(told)))
    assert list(dict.fromkeys(steps(told))) == [
        "taken",
        "connecting",
        "clock",
        "history",
        "reading",
        "done",
    ]
    assert told[-1].numbers == {"read": 3}
    assert told[-2].values[0]["value"] == 130.0
    # the tap has ended the scan
    assert (await page.end(scan))[-1].step is Step.DONE
    # what was read is on its way to the server, and what comes next is read by itself
    await asyncio.to_thread(page.server.wait, lambda: len(page.server.measurements) >= 6)
    await home.measures(CUFF, *cuff_records(1, systolic=140))
    await asyncio.to_thread(page.server.wait, lambda: len(page.server.measurements) >= 8)
    forget = await page.ask(Do.FORGET, device=found.device)
    assert (await page.end(forget))[-1].step is Step.DONE
    assert not await home.is_added(CUFF)


async def test_a_meter_s_whole_memory_is_counted_on_the_page(home: Home) -> None:
    await home.measures(METER, *glucose_records(500))
    told = await home.page.end(await home.page.ask(Do.PAIR, device=f"ble:{METER}"))
    assert told[-1].numbers == {"read": 500}
    counts = [each.numbers["read"] for each in told if each.step is Step.HISTORY]
    assert counts == sorted(counts)
    assert counts[-1] == 500
    await asyncio.to_thread(
        home.page.server.wait, lambda: len(home.page.server.measurements) == 500
    )
    assert set(home.page.server.arrived.values()) == {1}


async def test_a_device_that_nobody_has_added_is_left_alone(home: Home) -> None:
    await home.measures(CUFF, *cuff_records(1))
    scan = await home.page.ask(Do.SCAN)
    await home.page.until(scan, Step.CANDIDATE)
    gateway = home.household.gateway
    assert gateway is not None
    await gateway.radio.quiet()
    assert gateway.spool.depth() == 0


async def test_a_pairing_that_is_cancelled_adds_nothing_and_frees_the_gateway(home: Home) -> None:
    page = home.page
    pair = await page.ask(Do.PAIR, device=f"ble:{CUFF}")
    await page.until(pair, Step.TAKEN)
    busy = await page.end(await page.ask(Do.SCAN))
    assert busy[-1].failure is Failure.BUSY
    await page.ask(Do.CANCEL, about=pair)
    assert (await page.end(pair))[-1].failure is Failure.CANCELLED
    assert not await home.is_added(CUFF)
    await home.measures(CUFF, *cuff_records(1))
    told = await page.end(await page.ask(Do.PAIR, device=f"ble:{CUFF}"))
    assert told[-1].step is Step.DONE


async def test_a_gateway_that_restarts_in_mid_pairing_has_added_nothing(home: Home) -> None:
    page = home.page
    pair = await page.ask(Do.PAIR, device=f"ble:{CUFF}")
    await page.until(pair, Step.TAKEN)
    await home.household.stop_gateway()
    assert (await page.end(pair))[-1].failure is Failure.CANCELLED
    home.household.start_gateway()
    assert not await home.is_added(CUFF)
    # the broker brings nothing of the old pairing back
    status = await page.end(await page.ask(Do.STATUS))
    assert status[-1].numbers["devices"] == 0


# the radio link goes down after so many of the meter's records: the rest is read by itself
@pytest.mark.parametrize("after", [1, 30])
async def test_a_link_that_is_lost_while_a_device_is_added_loses_nothing(
    home: Home, after: int
) -> None:
    home.household.devices[f"ble:{METER}"].faults.drop_after.append(after)
    await home.measures(METER, *glucose_records(60))
    told = await home.page.end(await home.page.ask(Do.PAIR, device=f"ble:{METER}"))
    assert told[-1].step is Step.DONE
    assert await home.is_added(METER)
    await asyncio.to_thread(home.page.server.wait, lambda: len(home.page.server.measurements) == 60)


async def test_an_old_order_that_is_played_again_starts_no_pairing(home: Home) -> None:
    page = home.page
    await home.measures(CUFF, *cuff_records(1))
    told: Callable[[str], list[Event]] = page.told
    now = datetime.now(UTC)
    order = Command(
        id=uuid4().hex,
        gateway="g1",
        at=now,
        expires_at=now + LIFE,
        do=Do.PAIR,
        device=f"ble:{CUFF}",
    )
    await asyncio.to_thread(page.server.command, order)
    await page.end(order.id)
    await page.end(await page.ask(Do.FORGET, device=f"ble:{CUFF}"))
    before = len(told(order.id))
    await asyncio.to_thread(page.server.command, order)
    await page.end(await page.ask(Do.STATUS))
    assert len(told(order.id)) == before
    assert not await home.is_added(CUFF)


async def test_the_digits_of_a_meter_are_typed_on_the_page(home: Home) -> None:
    page = home.page
    await home.measures(SHY, *glucose_records(5))
    wrong = await page.ask(Do.PAIR, device=f"ble:{SHY}")
    await page.until(wrong, Step.PASSKEY_WANTED)
    await page.ask(Do.PASSKEY, about=wrong, number=PASSKEY + 1)
    assert (await page.end(wrong))[-1].failure is Failure.WRONG_PASSKEY
    assert not await home.is_added(SHY)
    right = await page.ask(Do.PAIR, device=f"ble:{SHY}")
    await page.until(right, Step.PASSKEY_WANTED)
    await page.ask(Do.PASSKEY, about=right, number=PASSKEY)
    told = await page.end(right)
    assert list(dict.fromkeys(steps(told))) == [
        "taken",
        "connecting",
        "passkey_wanted",
        "bonded",
        "clock",
        "history",
        "reading",
        "done",
    ]
    assert await home.is_added(SHY)


async def test_digits_that_nobody_types_end_the_pairing_with_a_way_out(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "ANSWER_S", 0.1)
    await home.measures(SHY, *glucose_records(5))
    told = await home.page.end(await home.page.ask(Do.PAIR, device=f"ble:{SHY}"))
    assert told[-1].failure is Failure.NO_PASSKEY
    assert "begin again" in told[-1].said
    assert not await home.is_added(SHY)


async def test_a_device_that_has_lost_its_key_is_added_anew(home: Home) -> None:
    page = home.page
    device = home.household.devices[f"ble:{SHY}"]
    for number in (1, 2):
        await home.measures(SHY, *glucose_records(5 * number))
        pair = await page.ask(Do.PAIR, device=f"ble:{SHY}")
        await page.until(pair, Step.PASSKEY_WANTED)
        await page.ask(Do.PASSKEY, about=pair, number=PASSKEY)
        assert (await page.end(pair))[-1].step is Step.DONE
        # the battery was changed
        await device.guard.forget()
