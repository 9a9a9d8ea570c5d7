"""A simulated meter and cuff over the air: clocks set after reading, memories read anew."""

from datetime import timedelta
from pathlib import Path

import pytest
from test_gateway import (
    BEGINS,
    CUFF,
    METER,
    NOBODY,
    Told,
    at,
    cuff,
    glucose,
    living,
    meter,
    pressure,
    spooled,
)

from gateway_agent import quirk as quirk_module
from gateway_agent.quirk import ClockSetting, Quirk
from simulator.cuff import Cuff
from simulator.glucose_meter import GlucoseMeter
from simulator.household import Household
from simulator.panel import DevicePlan


def living_with(*plans: DevicePlan, data: Path):  # type: ignore[no-untyped-def]
    return living(plans, data, NOBODY, "g1")


def a_meter(household: Household) -> GlucoseMeter:
    device = household.devices[f"ble:{METER}"]
    assert isinstance(device, GlucoseMeter)
    return device


def a_cuff(household: Household) -> Cuff:
    device = household.devices[f"ble:{CUFF}"]
    assert isinstance(device, Cuff)
    return device


def times(household: Household) -> list[str]:
    return [str(each["taken_at"]) for each in spooled(household)]


async def test_a_meters_clock_is_set_after_its_records_and_nothing_moves(tmp_path: Path) -> None:
    plan = meter(glucose(30), clock_offset=timedelta(hours=12, minutes=1))
    async with living_with(plan, data=tmp_path) as household:
        await household.advance(at(10))
        device = a_meter(household)
        # once, and with no record unread
        assert device.clock_writes == [0]
        assert device.own_time(at(10)).hour == 18  # 10:00 UTC in Shanghai
        await household.advance(at(20))
        # as support would do it: everything once more, now with another offset
        household.gateway.spool._base.execute("UPDATE device SET last_sequence = NULL, whole = 0")
        device.press_button()
        await household.advance(at(30))
        assert device.clock_writes == [0]
        expected = [(BEGINS + timedelta(hours=hour)).isoformat()[:19] + "Z" for hour in range(30)]
        assert times(household) == expected
        assert {each["clock"] for each in spooled(household)} == {"measured"}
        history = household.gateway.spool.clock_history(f"ble:{METER}")
        assert [(each.why, each.after_s) for each in history[:2]] == [
            ("first", -20 * 3600 - 60),
            ("set", -8 * 3600),
        ]
        health = household.gateway.agent.device(f"ble:{METER}")
        assert (health.clock_ails, health.clock_offset_s) == ("", -8 * 3600)


@pytest.mark.parametrize("offset_s", [0, 59, -59])
async def test_a_clock_that_is_right_enough_is_left_alone(tmp_path: Path, offset_s: int) -> None:
    plan = meter(glucose(3), clock_offset=timedelta(seconds=offset_s))
    async with living_with(plan, data=tmp_path) as household:
        await household.advance(at(3))
        assert a_meter(household).clock_writes == []


async def test_a_link_lost_in_mid_transfer_sets_no_clock(tmp_path: Path) -> None:
    plan = meter(glucose(20), clock_offset=timedelta(hours=1), drop_after=(7,))
    async with living_with(plan, data=tmp_path) as household:
        await household.advance(at(20))
        # only the second visit, which read the rest, came to the clock
        assert a_meter(household).clock_writes == [0]
        assert len(spooled(household)) == 20
        assert times(household)[0] == "2026-09-27T00:00:00Z"


@pytest.mark.parametrize(
    ("offset", "writes"),
    [(timedelta(minutes=9), 0), (timedelta(minutes=11), 1)],
)
async def test_a_cuff_of_omrons_kind_is_set_at_its_first_reading_and_only_when_far_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: timedelta, writes: int
) -> None:
    row = Quirk(
        id="x",
        zh="",
        en="",
        driver="blood_pressure_cuff",
        names=("SIM",),
        clock_setting=ClockSetting.AT_FIRST_NOTIFICATION,
        clock_set_beyond_s=600,
    )
    monkeypatch.setattr(quirk_module, "QUIRKS", (row,))
    async with living_with(cuff(pressure(5), clock_offset=offset), data=tmp_path) as household:
        await household.advance(at(5))
        assert len(a_cuff(household).clock_writes) == writes
        found = spooled(household)
        assert len(found) == household.handed_over == 20
        # each by the offset that was measured before the setting, early or late
        assert sorted({str(each["taken_at"]) for each in found}) == [
            f"2026-09-27T0{hour}:00:00Z" for hour in range(5)
        ]


async def test_a_clock_that_must_not_be_set_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Quirk(id="x", zh="", en="", driver="glucose_meter", names=("SIM",),
                clock_setting=ClockSetting.NEVER)  # fmt: skip
    monkeypatch.setattr(quirk_module, "QUIRKS", (row,))
    plan = meter(glucose(5), clock_offset=-timedelta(days=400))
    async with living_with(plan, data=tmp_path) as household:
        await household.advance(at(5))
        assert a_meter(household).clock_writes == []
        assert times(household)[-1] == "2026-09-27T04:00:00Z"


async def test_a_meter_whose_memory_was_cleared_loses_nothing_of_its_new_count(
    tmp_path: Path,
) -> None:
    async with living_with(meter(glucose(60)), data=tmp_path) as household:
        await household.advance(at(20))
        device = a_meter(household)
        device.clear_memory()
        # fewer than before; as many; on and on past the old mark
        for hour in (23, 40, 45, 60):
            await household.advance(at(hour))
        found = spooled(household)
        assert household.handed_over == len(found) == 60
        assert [each["sequence"] for each in found] == [*range(1, 21), *range(1, 41)]
        assert len({each["id"] for each in found}) == 60


async def test_a_meter_that_was_cleared_and_came_just_as_far_is_noticed(tmp_path: Path) -> None:
    async with living_with(meter(glucose(40)), data=tmp_path) as household:
        await household.advance(at(20))
        a_meter(household).clear_memory()
        await household.advance(at(40))
        # the newest shows it, and then the others come
        numbers = [each["sequence"] for each in spooled(household)]
        assert numbers == [*range(1, 21), 20, *range(1, 20)]


async def test_a_new_battery_and_a_cleared_memory_past_the_old_mark_are_read_whole(
    tmp_path: Path,
) -> None:
    async with living_with(meter(glucose(60)), data=tmp_path) as household:
        await household.advance(at(10))
        device = a_meter(household)
        device.clear_memory()
        # the count of the new battery is already beyond what we know: only its clock tells
        device.faults.clock_offset = -timedelta(days=7 * 365)
        await household.advance(at(60))
        found = spooled(household)
        assert [each["sequence"] for each in found] == [*range(1, 11), *range(1, 51)]
        assert [each["resync"] for each in found[10:]] == [True] * 50
        assert str(found[-1]["taken_at"]) == "2026-09-29T11:00:00Z"


async def test_nothing_new_is_no_error_and_costs_nothing(tmp_path: Path) -> None:
    async with living_with(meter(Told(glucose(5).records(at(0), at(5)))), data=tmp_path) as home:
        await home.advance(at(5))
        for hour in (6, 7):
            a_meter(home).press_button()
            await home.advance(at(hour))
        assert len(spooled(home)) == 5
        assert home.gateway.agent.device(f"ble:{METER}").failure is None
