"""Adding devices that want a key, on both rigs: every way it may go, and the way out of each."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rigs import NOW, Person, Rig, add, gateway_on, home, nobody, says, spooled, types, until

from gateway_agent import adding, radio
from gateway_agent import quirk as quirks
from gateway_agent.bonding import Asks, PairingFailed, Question
from gateway_agent.quirk import Bond, Quirk
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Faults, Identity
from simulator.record import CuffRecord, GlucoseRecord
from simulator.security import Method, Security
from vitals.command import Failure

METER, CUFF = "F0:00:00:00:00:01", "F0:00:00:00:00:02"


def a_meter(rig: Rig, security: Security, *, tests: int = 10, name: str = "Meter") -> GlucoseMeter:
    who = Identity(address=METER, name=name, model="KG-200", security=security)
    meter = GlucoseMeter(home(rig.air), who)
    for hour in range(tests):
        meter.take(GlucoseRecord(at=NOW - timedelta(hours=40 - hour), value=Decimal("5.6")))
    return meter


def a_cuff(rig: Rig, security: Security, *, measured: int = 5, name: str = "Cuff") -> Cuff:
    who = Identity(address=CUFF, name=name, model="KB-100", security=security)
    cuff = Cuff(home(rig.air), who)
    measure(cuff, measured)
    return cuff


def measure(cuff: Cuff, times: int, *, first: int = 0) -> None:
    for hour in range(first, first + times):
        at = NOW - timedelta(hours=40 - hour)
        cuff.take(CuffRecord(at=at, systolic=Decimal(120 + hour), diastolic=Decimal(80)))


async def on_air(device: GlucoseMeter | Cuff) -> None:
    await device.switch_on()
    await device.go_on_air()


def sequences(gateway: object) -> list[object]:
    return [each["sequence"] for each in spooled(gateway)]  # type: ignore[arg-type]


PASSKEY = Security(method=Method.PASSKEY, passkey=42)


# what the device wants, what the person answers, and what they were asked
@pytest.mark.parametrize(
    ("method", "answer", "asked"),
    [
        (Method.NONE, types(0), []),
        (Method.JUST_WORKS, types(0), []),
        (Method.PASSKEY, types(42), [Asks.PASSKEY]),
        (Method.COMPARISON, says(True), [Asks.CONFIRM]),
    ],
)
async def test_a_meter_is_added_and_its_history_read_on_the_same_link(
    rig: Rig,
    tmp_path: Path,
    method: Method,
    answer: Callable[[Question], int | bool | None],
    asked: list[Asks],
) -> None:
    meter = a_meter(rig, Security(method=method, passkey=42))
    person = Person(answer)
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, person)
        assert sequences(gateway) == list(range(1, 11))
    assert [each.asks for each in person.asked] == asked
    assert all(each.device == meter.key for each in person.asked)
    if method is Method.COMPARISON:
        assert person.asked[0].number == meter.guard.shown
    wants_key = method is not Method.NONE
    assert person.steps == (["connecting", "bonded"] if wants_key else ["connecting"])
    assert await rig.knows(METER) is wants_key


async def test_a_bonded_meter_is_read_again_without_a_question(rig: Rig, tmp_path: Path) -> None:
    meter, person = a_meter(rig, PASSKEY), Person(types(42))
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, person)
        meter.take(GlucoseRecord(at=NOW, value=Decimal("6.1")))
        await meter.go_on_air()
        await until(lambda: sequences(gateway) == list(range(1, 12)))
    assert len(person.asked) == 1


# what is answered, and what a person is told
@pytest.mark.parametrize(
    ("method", "answer", "failure", "remedy"),
    [
        (Method.PASSKEY, types(43), Failure.WRONG_PASSKEY, "begin again"),
        (Method.PASSKEY, types(999_999), Failure.WRONG_PASSKEY, "begin again"),
        (Method.COMPARISON, says(False), Failure.REFUSED, "no other device"),
    ],
)
async def test_a_wrong_answer_ends_with_a_way_out_and_the_next_try_succeeds(
    rig: Rig,
    tmp_path: Path,
    method: Method,
    answer: Callable[[Question], int | bool | None],
    failure: Failure,
    remedy: str,
) -> None:
    meter = a_meter(rig, Security(method=method, passkey=42))
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        with pytest.raises(PairingFailed, match=remedy) as caught:
            await add(gateway, meter, Person(answer))
        assert caught.value.failure is failure
        assert not await rig.knows(METER)
        assert spooled(gateway) == []
        right = types(42) if method is Method.PASSKEY else says(True)
        await add(gateway, meter, Person(right))
        assert sequences(gateway) == list(range(1, 11))


async def test_a_question_that_nobody_answers_ends_in_time(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "ANSWER_S", 0.2)
    meter, person = a_meter(rig, PASSKEY), Person()
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        with pytest.raises(PairingFailed, match="nobody answered") as caught:
            async with asyncio.timeout(20):
                await gateway.radio.pair(
                    meter.key, nobody, on_connecting=person.connecting, on_bonded=person.bonded
                )
        assert caught.value.failure is Failure.NO_PASSKEY
        assert person.steps == ["connecting"]
        await add(gateway, meter, Person(types(42)))
        assert len(spooled(gateway)) == 10


async def test_a_pairing_that_is_cancelled_leaves_nothing_behind(rig: Rig, tmp_path: Path) -> None:
    meter, asked = a_meter(rig, PASSKEY), asyncio.Event()

    async def waits(_: Question) -> None:
        asked.set()
        await asyncio.Event().wait()

    person = Person(types(42))
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        pairing = asyncio.create_task(
            gateway.radio.pair(
                meter.key, waits, on_connecting=person.connecting, on_bonded=person.bonded
            )
        )
        async with asyncio.timeout(10):
            await asked.wait()
        pairing.cancel()
        await asyncio.gather(pairing, return_exceptions=True)
        await until(lambda: not meter.connected)
        assert not await rig.knows(METER)
        await add(gateway, meter, person)
        assert len(spooled(gateway)) == 10


async def test_a_device_that_is_not_on_the_air_is_out_of_reach(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "ON_AIR_S", 0.2)
    async with gateway_on(rig, tmp_path) as gateway:
        with pytest.raises(PairingFailed, match="within three metres") as caught:
            await add(gateway, a_meter(rig, PASSKEY), Person())
    assert caught.value.failure is Failure.OUT_OF_REACH


async def test_one_device_is_added_at_a_time(rig: Rig, tmp_path: Path) -> None:
    meter, cuff = a_meter(rig, PASSKEY), a_cuff(rig, Security())
    async with gateway_on(rig, tmp_path) as gateway:
        first = asyncio.create_task(add(gateway, meter, Person(types(42))))
        await asyncio.sleep(0)
        with pytest.raises(PairingFailed) as caught:
            await add(gateway, cuff, Person())
        assert caught.value.failure is Failure.BUSY
        await on_air(meter)
        await first


async def test_a_device_that_has_lost_its_key_says_so_and_is_added_again(
    rig: Rig, tmp_path: Path
) -> None:
    meter = a_meter(rig, PASSKEY)
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, Person(types(42)))
        # somebody changes the battery
        await meter.guard.forget()
        meter.take(GlucoseRecord(at=NOW, value=Decimal("6.1")))
        await meter.go_on_air()
        await until(lambda: _failure(gateway, meter.key) is not None)
        assert "add the device again" in str(_failure(gateway, meter.key))
        assert gateway.agent.health().devices[meter.key].bonded is False
        again = Person(types(42))
        await add(gateway, meter, again)
        assert again.steps == ["connecting", "bonded"]
        assert sequences(gateway) == list(range(1, 12))
        assert _failure(gateway, meter.key) is None
        assert gateway.agent.health().devices[meter.key].bonded is True


async def test_a_key_that_the_gateway_has_lost_is_made_anew(rig: Rig, tmp_path: Path) -> None:
    meter = a_meter(rig, PASSKEY)
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, Person(types(42)))
        await rig.lose_key(METER)
        meter.take(GlucoseRecord(at=NOW, value=Decimal("6.1")))
        await meter.go_on_air()
        await until(lambda: _failure(gateway, meter.key) is not None)
        assert "add the device (again)" in str(_failure(gateway, meter.key))
        await add(gateway, meter, Person(types(42)))
        assert sequences(gateway) == list(range(1, 12))


async def test_a_device_that_was_forgotten_can_be_added_again(rig: Rig, tmp_path: Path) -> None:
    meter = a_meter(rig, PASSKEY)
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, Person(types(42)))
        await gateway.radio.forget(meter.key)
        await gateway.agent.remove(meter.key)
        assert not await rig.knows(METER)
        meter.press_button()
        await meter.go_on_air()
        person = Person(types(42))
        await add(gateway, meter, person)
        assert len(person.asked) == 1
        assert sequences(gateway) == list(range(1, 11))


async def test_a_device_that_is_added_twice_keeps_its_key(rig: Rig, tmp_path: Path) -> None:
    meter, again = a_meter(rig, PASSKEY), Person(types(0))
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, Person(types(42)))
        meter.press_button()
        once_more = asyncio.create_task(add(gateway, meter, again))
        await asyncio.sleep(0)
        await meter.go_on_air()
        await once_more
    assert (again.asked, again.steps) == ([], ["connecting", "bonded"])


async def test_a_stranger_that_asks_for_a_key_is_refused(rig: Rig, tmp_path: Path) -> None:
    meter = a_meter(rig, PASSKEY)
    # it can be read without a key, and wants one nevertheless
    cuff = Cuff(home(rig.air), Identity(address=CUFF, name="Cuff", model="KB-100"), linger_s=1)
    measure(cuff, 1)
    async with gateway_on(rig, tmp_path, admit="all") as gateway:
        failed = asyncio.Event()

        def connected(connection: object) -> None:
            connection.on("pairing_failure", lambda _: failed.set())  # type: ignore[attr-defined]
            cuff.device.request_pairing(connection)  # type: ignore[no-untyped-call]

        cuff.device.on("connection", connected)
        adding_meter = asyncio.create_task(
            gateway.radio.pair(
                meter.key, Person().ask, on_connecting=lambda: None, on_bonded=lambda: None
            )
        )
        await on_air(cuff)
        async with asyncio.timeout(15):
            await failed.wait()
        adding_meter.cancel()
        await asyncio.gather(adding_meter, return_exceptions=True)
    assert not await rig.knows(CUFF)


async def test_a_bonded_cuff_that_sends_at_the_link_loses_nothing(rig: Rig, tmp_path: Path) -> None:
    cuff = a_cuff(rig, Security(method=Method.JUST_WORKS))
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(cuff)
        await add(gateway, cuff, Person())
        await until(lambda: cuff.silent.is_set())
        for visit in range(1, 4):
            measure(cuff, 5, first=5 * visit)
            await cuff.go_on_air()
            await until(lambda visit=visit: len(spooled(gateway)) == 10 * (visit + 1))
        found = [each["value"] for each in spooled(gateway) if each["kind"] == "systolic"]
    assert cuff.handed_over == 40
    assert found == [120.0 + hour for hour in range(20)]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Callable[[Quirk], None]:
    """Puts a row into the table of quirks, for this test."""

    def put(row: Quirk) -> None:
        monkeypatch.setattr(quirks, "QUIRKS", (row,))

    return put


async def test_a_device_that_hangs_up_on_strangers_is_bonded_at_once(
    rig: Rig, tmp_path: Path, rows: Callable[[Quirk], None]
) -> None:
    rows(Quirk(id="t", zh="t", en="t", names=("Instant",), bond=Bond.AT_ONCE))
    security = Security(method=Method.PASSKEY, passkey=42, hangs_up_until_bonded=True)
    meter, person = a_meter(rig, security, name="Instant"), Person(types(42))
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, person)
        assert sequences(gateway) == list(range(1, 11))
        # and is visited with its key from then on
        meter.take(GlucoseRecord(at=NOW, value=Decimal("6.1")))
        await meter.go_on_air()
        await until(lambda: sequences(gateway) == list(range(1, 12)))
    assert person.steps == ["connecting", "bonded"]


async def test_a_cuff_is_read_while_somebody_looks_for_their_glasses(
    rig: Rig, tmp_path: Path, rows: Callable[[Quirk], None]
) -> None:
    rows(Quirk(id="t", zh="t", en="t", names=("Instant",), bond=Bond.AT_ONCE))
    meter, cuff = a_meter(rig, PASSKEY, name="Instant"), a_cuff(rig, Security())
    async with gateway_on(rig, tmp_path) as gateway:
        await gateway.agent.add(cuff.key)

        async def looks(_: Question) -> int:
            await cuff.switch_on()
            await cuff.go_on_air()
            await until(lambda: cuff.silent.is_set() and len(spooled(gateway)) == 10)
            return 42

        await on_air(meter)
        async with asyncio.timeout(30):
            await gateway.radio.pair(
                meter.key, looks, on_connecting=lambda: None, on_bonded=lambda: None
            )
        assert len(spooled(gateway)) == 20


async def test_a_cuff_that_ends_its_pairing_at_the_hang_up_is_read_after_it(
    rig: Rig, tmp_path: Path, rows: Callable[[Quirk], None]
) -> None:
    row = Quirk(id="t", zh="t", en="t", names=("UA-651",), hangs_up_after_bond=True)
    rows(row)
    security = Security(method=Method.JUST_WORKS, ends_pairing_at_hang_up=True)
    cuff, person = a_cuff(rig, security, name="UA-651BLE"), Person()
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(cuff)
        await add(gateway, cuff, person)
        assert cuff.handed_over == len(spooled(gateway)) == 10
    assert person.steps == ["connecting", "bonded"]


async def test_a_link_that_is_lost_in_the_first_visit_is_made_again(
    rig: Rig, tmp_path: Path
) -> None:
    meter, person = a_meter(rig, PASSKEY), Person(types(42))
    meter.faults = Faults(drop_after=[3, 4])
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(meter)
        await add(gateway, meter, person)
        assert sequences(gateway) == list(range(1, 11))
    assert len(person.asked) == 1


async def test_a_device_that_was_not_added_is_seen_and_left_alone(
    rig: Rig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    meter = a_meter(rig, Security())
    seen: list[str] = []
    async with gateway_on(rig, tmp_path) as gateway:
        stop = gateway.radio.watch(lambda sighting: seen.append(sighting.device))
        await on_air(meter)
        await until(lambda: bool(gateway.radio.sightings()))
        with caplog.at_level(logging.INFO):
            await asyncio.sleep(0.2)
        stop()
        (sighting,) = gateway.radio.sightings()
    assert seen == [meter.key]
    assert (sighting.name, sighting.device) == ("Meter", meter.key)
    assert sighting.recognised.driver is not None
    assert sighting.recognised.driver.kind == "glucose_meter"
    assert meter.handed_over == 0


async def test_a_call_that_does_not_end_is_cut_and_keeps_what_has_arrived(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(radio, "LONGEST_CALL_S", 0.5)
    # it sends what it has and never hangs up
    cuff = Cuff(home(rig.air), Identity(address=CUFF, name="Cuff", model="KB"), linger_s=60)
    measure(cuff, 5)
    async with gateway_on(rig, tmp_path, admit="all") as gateway:
        await on_air(cuff)
        await until(lambda: cuff.handed_over == 10)
        await until(lambda: not cuff.connected, within_s=4)
        await gateway.radio.quiet()
        assert len(spooled(gateway)) == 10
        assert _failure(gateway, cuff.key) is None
    assert "is hung up on" in caplog.text


async def test_a_device_that_sends_nothing_is_named_in_the_log(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(radio, "LONGEST_CALL_S", 0.5)
    security = Security(method=Method.JUST_WORKS, ends_pairing_at_hang_up=True)
    cuff = a_cuff(rig, security)
    async with gateway_on(rig, tmp_path) as gateway:
        await on_air(cuff)
        await add(gateway, cuff, Person())
    assert "was connected and sent nothing" in caplog.text


def _failure(gateway: object, device: str) -> str | None:
    devices = gateway.agent.health().devices  # type: ignore[attr-defined]
    return devices[device].failure if device in devices else None
