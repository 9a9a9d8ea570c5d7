"""A simulated thermometer, read over the simulated air by bleak and the whole gateway."""

from decimal import Decimal
from pathlib import Path

import pytest
from simulated_home import at, living_with, spooled, withheld

from simulator.panel import Device
from simulator.record import TemperatureRecord
from vitals.units import Unit

DAY = [TemperatureRecord(at=at(n), value=Decimal("36.5") + Decimal(n) / 10) for n in range(6)]


async def test_everything_it_has_stored_arrives_with_its_time_and_unit(tmp_path: Path) -> None:
    fever = TemperatureRecord(at=at(7), value=Decimal("98.6"), unit=Unit.FAHRENHEIT, place=6)
    async with living_with(Device.THERMOMETER, *DAY, fever, data=tmp_path) as home:
        await home.advance(at(8))
        found = spooled(home)
        assert home.handed_over == len(found) == 7
    assert [each["value"] for each in found] == [36.5, 36.6, 36.7, 36.8, 36.9, 37.0, 98.6]
    assert {each["kind"] for each in found} == {"body_temperature"}
    assert [found[0]["unit"], found[-1]["unit"]] == ["Cel", "[degF]"]
    assert {each["clock"] for each in found} == {"measured"}
    assert found[0]["taken_at"] == "2026-09-27T00:00:00Z"


@pytest.mark.parametrize("after", [0, 1, 5])
async def test_a_link_that_is_lost_loses_nothing_and_doubles_nothing(
    tmp_path: Path, after: int
) -> None:
    async with living_with(
        Device.THERMOMETER, *DAY, data=tmp_path, drop_after=(after,), repeats=1
    ) as home:
        await home.advance(at(8))
        assert home.handed_over == len(spooled(home)) == 6


async def test_what_it_could_not_measure_is_kept_and_never_sent(tmp_path: Path) -> None:
    failed = TemperatureRecord(at=at(1), value=None)
    async with living_with(Device.THERMOMETER, failed, data=tmp_path) as home:
        await home.advance(at(2))
        assert (spooled(home), withheld(home)) == ([], 1)
