"""A device is added from the page through every real part, and removed again.

Page, database, courier, broker, gateway, air and meter: nothing stands in for anything.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from simulator.__main__ import memory
from simulator.glucose_meter import GlucoseMeter
from simulator.panel import Device, DevicePlan
from simulator.record import GlucoseRecord
from tests.simulated_home import Told
from tests.whole_home import Visitor, WholeHome, until, whole_home

PASSKEY = 482_913
RECORDS = 120
METER = DevicePlan(
    kind=Device.GLUCOSE_METER,
    address="F0:00:00:00:00:0A",
    model="KG-200",
    story=Told([]),
    # half an hour and a bit behind
    clock_offset=timedelta(minutes=-31),
    passkey=PASSKEY,
)


@pytest.fixture
def home(timescale_url: str, broker: str, tmp_path: Path) -> Iterator[WholeHome]:
    with whole_home(METER, url=timescale_url, mqtt=broker, folder=tmp_path) as home:
        yield home


def meter_of(home: WholeHome) -> GlucoseMeter:
    meter = home.living.household.devices[METER.key]
    assert isinstance(meter, GlucoseMeter)
    return meter


async def wake(meter: GlucoseMeter) -> None:
    """Its owner holds the button: it is on the air, with what it has measured."""
    if not meter.has_news():
        for each in memory(RECORDS):
            meter.take(each)
    await meter.go_on_air()


def add(home: WholeHome, who: Visitor) -> None:
    """Presses what a person presses until the meter wants its digits."""
    who.see(f"/family/patients/{home.mother}/devices")
    who.press("Add a device")
    choose(who)


def choose(who: Visitor) -> None:
    found = who.wait_for("KG-200")
    for words in ("Glucose meter", "near"):
        assert words in found
    who.press("Add this one")
    who.wait_for("Type the number")


@pytest.mark.slow
def test_a_meter_is_added_read_whole_and_removed(home: WholeHome) -> None:
    meter = meter_of(home)
    home.living.do(wake(meter))
    daughter, son = home.visitor("daughter"), home.visitor("son")
    add(home, daughter)
    assert meter.guard.shown == PASSKEY

    # meanwhile somebody else wants to add one
    busy = son.see(f"/family/patients/{home.mother}/devices")
    assert "王小芳 is adding a device" in busy
    assert '<button class="main wide" name="gateway"' not in son.page

    daughter.press("Send", digits="482 913")
    done = daughter.wait_for("The device is added")
    last = list(memory(RECORDS))[-1]
    assert f"{last.value} mmol/L" in done
    assert "120 read" in done
    assert "31 min" in done

    # each record once, at the true time, and hers
    until(lambda: home.ask("SELECT count(*) FROM measurement") == [(RECORDS,)])
    rows = home.ask("SELECT patient_id, taken_at, value FROM measurement")
    assert {patient for patient, _, _ in rows} == {home.mother}
    assert_same([(at, value) for _, at, value in rows])

    # the clock was repaired when nothing was unread any more
    assert meter.clock_writes == [0]
    assert abs(meter.faults.clock_offset) < timedelta(seconds=2)

    daughter.see(f"/family/patients/{home.mother}/devices")
    listed = daughter.wait_for("Battery 80%")
    assert "KG-200" in listed
    assert "home-wang" in listed
    remove(home, daughter)


def assert_same(stored: list[tuple[datetime, float]]) -> None:
    """What the meter remembers is what is stored, each once."""
    held = sorted((each.at.astimezone(UTC), float(each.value or 0)) for each in memory(RECORDS))
    assert sorted((at.astimezone(UTC), value) for at, value in stored) == held


def remove(home: WholeHome, who: Visitor) -> None:
    found = re.search(r'href="([^"]*/remove)"', who.page)
    assert found is not None
    who.see(found[1])
    who.press("Remove")
    who.wait_for("Removed")
    assert "KG-200" not in who.see(f"/family/patients/{home.mother}/devices")
    assert METER.key not in added_to(home)
    # what was measured stays
    assert home.ask("SELECT count(*) FROM measurement") == [(RECORDS,)]


def added_to(home: WholeHome) -> list[str]:
    gateway = home.living.household.gateway
    assert gateway is not None
    return [key for key, each in gateway.spool.devices().items() if each.added_at is not None]


@pytest.mark.slow
def test_wrong_digits_are_said_and_the_second_attempt_works(home: WholeHome) -> None:
    meter = meter_of(home)
    home.living.do(wake(meter))
    daughter = home.visitor("daughter")
    add(home, daughter)
    daughter.press("Send", digits="111111")
    failed = daughter.wait_for("The number was not right")
    assert "try again" in failed.lower()
    # nothing was read, and it is nobody's
    assert added_to(home) == []
    assert home.ask("SELECT 1 FROM device_user") == []
    daughter.press("Try again")
    daughter.wait_for("Type the number")
    daughter.press("Send", digits=f"{PASSKEY}")
    daughter.wait_for("The device is added")
    assert added_to(home) == [METER.key]
    until(lambda: home.ask("SELECT count(*) FROM measurement") == [(RECORDS,)])


@pytest.mark.slow
def test_a_meter_that_has_lost_its_key_is_paired_again_with_one_press(home: WholeHome) -> None:
    meter = meter_of(home)
    home.living.do(wake(meter))
    daughter = home.visitor("daughter")
    add(home, daughter)
    daughter.press("Send", digits=f"{PASSKEY}")
    daughter.wait_for("The device is added")
    home.living.do(forget_and_measure(meter))
    daughter.see(f"/family/patients/{home.mother}/devices")
    daughter.wait_for("Its pairing with the gateway is lost")
    daughter.press("Pair again")
    daughter.wait_for("Type the number")
    daughter.press("Send", digits=f"{PASSKEY}")
    daughter.wait_for("The device is added")
    daughter.see(f"/family/patients/{home.mother}/devices")
    assert "pairing with the gateway is lost" not in daughter.text
    # the one that was measured meanwhile has come, and is hers
    until(lambda: home.ask("SELECT count(*) FROM measurement") == [(RECORDS + 1,)])
    assert home.ask("SELECT DISTINCT patient_id FROM measurement") == [(home.mother,)]


async def forget_and_measure(meter: GlucoseMeter) -> None:
    """Its battery is changed: it knows nobody any more, and measures."""
    await meter.guard.forget()
    meter.take(GlucoseRecord(at=datetime.now(UTC), value=Decimal("6.6")))
    await meter.go_on_air()
