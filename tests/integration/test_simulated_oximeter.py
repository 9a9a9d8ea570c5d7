"""A simulated oximeter, read over the simulated air by bleak and the whole gateway."""

from decimal import Decimal
from pathlib import Path

import pytest
from simulated_home import KEY, at, living_with, spooled, withheld

from simulator.oximeter import Oximeter
from simulator.panel import Device
from simulator.record import OximeterRecord

# 90 … 95 per cent, 70 per minute
EVENING = [OximeterRecord(at=at(n), spo2=Decimal(90 + n), pulse=Decimal(70)) for n in range(6)]


async def test_stored_spot_checks_arrive_once_however_often_they_are_sent(tmp_path: Path) -> None:
    async with living_with(Device.OXIMETER, *EVENING, data=tmp_path) as home:
        await home.advance(at(3))
        first = spooled(home)
        oximeter = home.devices[KEY]
        assert isinstance(oximeter, Oximeter)
        oximeter.press_button()
        await home.advance(at(8))
        found = spooled(home)
        assert len(first) == 6
        assert home.handed_over == len(found) == 12
        # all of them are asked for each time, and none is ever deleted
        assert {request.hex() for request in oximeter.requests} == {"0101"}
    assert [each["value"] for each in found if each["kind"] == "spo2"] == [90, 91, 92, 93, 94, 95]
    assert {each["value"] for each in found if each["kind"] == "pulse"} == {70.0}
    assert {each["clock"] for each in found} == {"measured"}


@pytest.mark.parametrize("after", [0, 1, 5])
async def test_a_link_lost_in_mid_transfer_loses_nothing_and_doubles_nothing(
    tmp_path: Path, after: int
) -> None:
    async with living_with(
        Device.OXIMETER, *EVENING, data=tmp_path, drop_after=(after,), repeats=1
    ) as home:
        await home.advance(at(8))
        assert home.handed_over == len(spooled(home)) == 12


async def test_a_stream_is_one_measurement(tmp_path: Path) -> None:
    stream = OximeterRecord(at=at(1), spo2=Decimal(97), pulse=Decimal(68), streamed=12)
    async with living_with(Device.OXIMETER, stream, data=tmp_path) as home:
        await home.advance(at(2))
        found = spooled(home)
        assert home.handed_over == len(found) == 2
    assert [(each["kind"], each["value"]) for each in found] == [("spo2", 97.0), ("pulse", 68.0)]
    assert found[0]["sequence"] == found[1]["sequence"]


async def test_what_is_no_measurement_of_a_person_is_kept_and_never_sent(tmp_path: Path) -> None:
    odd = [
        OximeterRecord(at=at(1), spo2=Decimal(97), pulse=Decimal(68), demonstration=True),
        OximeterRecord(at=at(2), spo2=Decimal(97), pulse=Decimal(68), finger=False),
        OximeterRecord(at=at(3), spo2=None),
        OximeterRecord(at=at(4), spo2=Decimal(97), streamed=3, finger=False),
    ]
    async with living_with(Device.OXIMETER, *odd, data=tmp_path) as home:
        await home.advance(at(5))
        assert (spooled(home), withheld(home)) == ([], 4)
        assert home.handed_over == 0
