"""Simulated scales, read over the simulated air by bleak and the whole gateway."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from simulated_home import ADDRESS, BEGINS, KEY, at, living_with, spooled, withheld

from gateway_agent.conversation import Call
from gateway_agent.drivers.body_composition import DRIVER
from gateway_agent.drivers.user_data import CONSENT, UserCommand
from gateway_agent.quirk import Quirk
from gateway_agent.radio import Radio
from gateway_agent.talk import About, ClockSeen, Driver, Refused, Visit
from simulator.bleak_backend import Adapter
from simulator.link import Air
from simulator.panel import Device
from simulator.peripheral import Home, Identity
from simulator.record import WeightRecord
from simulator.scale import BodyScale
from simulator.story import SHANGHAI
from vitals.errors import KangbanError
from vitals.kinds import Kind
from vitals.measurement import Reading
from vitals.units import Unit

# six mornings: 70.0 … 70.5 kg, 22.0 … 22.5 % of fat
MORNINGS = [
    WeightRecord(
        at=at(24 * n),
        weight=Decimal(70) + Decimal(n) / 10,
        body_fat=Decimal(22) + Decimal(n) / 10,
        user=1,
    )
    for n in range(6)
]


async def test_a_plain_scale_gives_weights_in_its_own_unit(tmp_path: Path) -> None:
    pounds = WeightRecord(at=at(1), weight=Decimal("154.96"), unit=Unit.LB, user=2)
    async with living_with(Device.SCALE, pounds, data=tmp_path) as home:
        await home.advance(at(2))
        (only,) = spooled(home)
    assert (only["kind"], only["value"], only["unit"]) == ("weight", 154.96, "[lb_av]")
    assert (only["user"], only["clock"]) == (2, "measured")
    assert only["taken_at"] == "2026-09-27T01:00:00Z"


async def test_a_scale_with_both_services_gives_one_weight_for_one_weighing(
    tmp_path: Path,
) -> None:
    async with living_with(Device.BODY_SCALE, *MORNINGS, data=tmp_path) as home:
        await home.advance(at(24 * 7))
        found = spooled(home)
        assert home.handed_over == len(found) == 12
    weights = [each["value"] for each in found if each["kind"] == "weight"]
    fats = [each["value"] for each in found if each["kind"] == "body_fat"]
    assert sorted(weights) == [70.0, 70.1, 70.2, 70.3, 70.4, 70.5]
    assert sorted(fats) == [22.0, 22.1, 22.2, 22.3, 22.4, 22.5]
    assert {each["user"] for each in found} == {1}


# after 0: nothing; odd numbers: between the two messages of one weighing
@pytest.mark.parametrize("after", [0, 1, 2, 3, 11])
async def test_a_link_lost_between_the_two_messages_of_a_weighing_doubles_nothing(
    tmp_path: Path, after: int
) -> None:
    async with living_with(
        Device.BODY_SCALE, *MORNINGS, data=tmp_path, drop_after=(after,), repeats=1
    ) as home:
        await home.advance(at(24 * 7))
        assert home.handed_over == len(spooled(home)) == 12


async def test_bare_feet_are_needed_for_fat_and_not_for_the_weight(tmp_path: Path) -> None:
    socks = WeightRecord(at=at(1), weight=Decimal("70.3"))
    hopped_off = WeightRecord(at=at(2), weight=None)
    async with living_with(Device.BODY_SCALE, socks, hopped_off, data=tmp_path) as home:
        await home.advance(at(3))
        assert [(each["kind"], each["value"]) for each in spooled(home)] == [("weight", 70.3)]
        # fat twice and a weight once; that of the other service is the same failure
        assert withheld(home) == 3


class Kept:
    """A call that keeps in a list: `conversation.Call` with consent codes."""

    def __init__(self, consents: dict[int, int]) -> None:
        self.visit = Visit(device=KEY, consents=consents)
        self.readings: list[Reading] = []
        self.error: KangbanError | None = None
        self.ended = asyncio.Event()

    async def keep(self, reading: Reading) -> None:
        self.readings.append(reading)

    def clock_seen(self, seen: ClockSeen) -> None: ...

    def clock_to_set(self, at: object, *, readable: bool = True) -> None:
        return None

    def clock_was_set(self, **_: object) -> None: ...

    def about(self, about: About) -> None: ...

    def refused(self, refused: Refused) -> None: ...

    async def finished(self) -> None:
        self.ended.set()

    async def failed(self, error: KangbanError) -> None:
        self.error = error
        self.ended.set()

    # and the radio's household
    def admits(self, device: str) -> bool:
        return True

    async def begin(
        self, device: str, driver: Driver, *, name: str, rssi_dbm: int, quirk: Quirk
    ) -> Call:
        return self


async def stand_on(
    *records: WeightRecord, consents: dict[int, int], split: bool = False
) -> tuple[Kept, BodyScale]:
    """One call on a scale for two users, 1 with code 1234 and 2 with code 4321."""
    air = Air()
    adapter, kept = Adapter(air), Kept(consents)
    home = Home(air=air, now=lambda: BEGINS + timedelta(hours=9), zone=SHANGHAI)
    who = Identity(address=ADDRESS, name="Scale", model="S")
    scale = BodyScale(home, who, codes={1: 1234, 2: 4321}, split=split)
    for record in records:
        scale.take(record)
    radio = Radio(
        drivers={DRIVER.kind: DRIVER}, household=kept, now=home.now, backends=adapter.backends
    )
    await adapter.switch_on()
    await scale.switch_on()
    running = asyncio.create_task(radio.run())
    try:
        await scale.go_on_air()
        async with asyncio.timeout(30):
            await kept.ended.wait()
    finally:
        await radio.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await scale.switch_off()
        await adapter.switch_off()
    return kept, scale


FATHER, MOTHER = MORNINGS[0], replace(MORNINGS[1], user=2)


async def test_each_user_is_asked_for_by_consent_and_nobody_is_registered_or_deleted() -> None:
    kept, scale = await stand_on(FATHER, MOTHER, consents={1: 1234, 2: 4321}, split=True)
    assert kept.error is None
    found = [(each.user, value.kind) for each in kept.readings for value in each.values]
    assert sorted(found) == [
        (1, Kind.BODY_FAT),
        (1, Kind.WEIGHT),
        (2, Kind.BODY_FAT),
        (2, Kind.WEIGHT),
    ]
    assert scale.requests == [
        UserCommand(op_code=CONSENT, user=1, code=1234),
        UserCommand(op_code=CONSENT, user=2, code=4321),
    ]
    assert scale.stored == []


async def test_a_wrong_code_leaves_that_users_readings_in_the_scale_and_is_named() -> None:
    kept, scale = await stand_on(FATHER, MOTHER, consents={1: 1234, 2: 1})
    assert {each.user for each in kept.readings} == {1}
    assert "user 2: user not authorized" in str(kept.error)
    assert {each.user for each in scale.stored} == {2}


async def test_without_a_code_the_readings_stay_and_a_guest_is_read() -> None:
    guest = WeightRecord(at=at(2), weight=Decimal(81), body_fat=Decimal(30))
    kept, scale = await stand_on(FATHER, guest, consents={})
    assert kept.error is None
    assert {each.user for each in kept.readings} == {None}
    assert scale.requests == []
    assert {each.user for each in scale.stored} == {1}
