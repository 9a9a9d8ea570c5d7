"""The simulated meter answers its control point as meters do; asked through bleak alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError

from simulator.bleak_backend import Adapter
from simulator.glucose_meter import GlucoseMeter
from simulator.link import Air
from simulator.peripheral import Faults, Home, Identity
from simulator.record import GlucoseRecord
from simulator.story import SHANGHAI

# 2026-11-22 08:00 in Shanghai; ten tests, an hour apart, numbered 1 to 10
FIRST = datetime(2026, 11, 22, tzinfo=UTC)
MEASUREMENT, CONTEXT, RECORD_ACCESS = "2a18", "2a34", "2a52"
SUCCESS = "06000101"


class Asked:
    """A connected client that writes to the control point and collects until the answer."""

    def __init__(self, client: BleakClient, meter: GlucoseMeter) -> None:
        self.client, self.meter = client, meter
        self.records: list[int] = []
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def subscribe(self) -> None:
        await self.client.start_notify(MEASUREMENT, lambda _, data: self._record(bytes(data)))
        await self.client.start_notify(
            RECORD_ACCESS, lambda _, data: self._answers.put_nowait(bytes(data))
        )

    def _record(self, data: bytes) -> None:
        self.records.append(int.from_bytes(data[1:3], "little"))

    async def ask(self, request: str) -> str:
        self.records.clear()
        await self.client.write_gatt_char(RECORD_ACCESS, bytes.fromhex(request), response=True)
        async with asyncio.timeout(5):
            return (await self._answers.get()).hex()


@asynccontextmanager
async def asking(
    *,
    old: bool = False,
    faults: Faults | None = None,
    subscribed: bool = True,
    tests: int = 10,
) -> AsyncIterator[Asked]:
    air = Air()
    adapter = Adapter(air)
    home = Home(air=air, now=lambda: FIRST + timedelta(hours=12), zone=SHANGHAI)
    who = Identity(address="F0:00:00:00:00:01", name="Meter", model="M")
    meter = GlucoseMeter(home, who, faults=faults, old=old)
    for hour in range(tests):
        meter.take(GlucoseRecord(at=FIRST + timedelta(hours=hour), value=Decimal("5.6")))
    await adapter.switch_on()
    await meter.switch_on()
    await meter.go_on_air()
    backends = adapter.backends
    device = await BleakScanner.find_device_by_name("Meter", timeout=5, backend=backends.scanner)
    assert device is not None
    client = BleakClient(device, backend=backends.client)
    await client.connect()
    asked = Asked(client, meter)
    if subscribed:
        await asked.subscribe()
    try:
        yield asked
    finally:
        await client.disconnect()
        await meter.switch_off()
        await adapter.switch_off()


# request, records, answer: the checks and codes of the project's byte tables §2
@pytest.mark.parametrize(
    ("request_", "records", "answer"),
    [
        ("0101", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], SUCCESS),
        ("0105", [1], SUCCESS),
        ("0106", [10], SUCCESS),
        ("0103010900", [9, 10], SUCCESS),
        ("0102010200", [1, 2], SUCCESS),
        ("01040104000600", [4, 5, 6], SUCCESS),
        # by user-facing time: from 2026-11-22 16:00 on
        ("010302ea070b16100000", [9, 10], SUCCESS),
        ("0103010b00", [], "06000106"),
        ("0401", [], "05000a00"),
        ("0403010900", [], "05000200"),
        ("0403010b00", [], "05000000"),
        ("0100", [], "06000103"),
        ("0107", [], "06000104"),
        ("01030109", [], "06000105"),
        ("0103", [], "06000105"),
        ("01040106000400", [], "06000105"),
        ("0103030900", [], "06000109"),
        ("2a00", [], "06002a02"),
        ("0300", [], "06000301"),
    ],
)
async def test_the_control_point_answers_as_the_specification_says(
    request_: str, records: list[int], answer: str
) -> None:
    async with asking() as meter:
        assert await meter.ask(request_) == answer
        assert meter.records == records


@pytest.mark.parametrize(("old", "code"), [(False, 0xFD), (True, 0x81)])
async def test_a_meter_that_was_not_subscribed_to_says_so(old: bool, code: int) -> None:
    async with asking(old=old, subscribed=False) as meter:
        with pytest.raises(BleakGATTProtocolError) as caught:
            await meter.ask("0101")
        assert caught.value.code == code


@pytest.mark.parametrize(("old", "code"), [(False, 0xFE), (True, 0x80)])
async def test_a_second_request_while_one_is_served_is_refused_and_an_abort_is_not(
    old: bool, code: int
) -> None:
    everything = b"\x01\x01"
    async with asking(old=old, tests=3_000) as meter:
        await meter.client.write_gatt_char(RECORD_ACCESS, everything, response=True)
        with pytest.raises(BleakGATTProtocolError) as caught:
            await meter.client.write_gatt_char(RECORD_ACCESS, everything, response=True)
        assert caught.value.code == code
        assert await meter.ask("0300") == "06000301"
        # the meter is free again
        assert await meter.ask("0105") == SUCCESS
        assert 1 in meter.records


async def test_reading_deletes_nothing_and_deleting_does_not_bring_numbers_back() -> None:
    async with asking() as meter:
        assert await meter.ask("0101") == SUCCESS
        assert await meter.ask("0401") == "05000a00"
        assert await meter.ask("0202010800") == "06000201"
        assert await meter.ask("0101") == SUCCESS
        assert meter.records == [9, 10]
        meter.meter.take(GlucoseRecord(at=FIRST + timedelta(hours=11), value=Decimal("6.0")))
        assert await meter.ask("0106") == SUCCESS
        assert meter.records == [11]


async def test_a_measurement_counts_as_handed_over_once_however_often_it_is_read() -> None:
    async with asking() as meter:
        await meter.ask("0101")
        await meter.ask("0101")
        assert meter.meter.handed_over == 10


async def test_a_dropped_link_ends_what_was_asked() -> None:
    async with asking(faults=Faults(drop_after=[3])) as meter:
        gone = asyncio.Event()
        meter.client._backend.set_disconnected_callback(gone.set)
        await meter.client.write_gatt_char(RECORD_ACCESS, b"\x01\x01", response=True)
        async with asyncio.timeout(5):
            await gone.wait()
        assert not meter.client.is_connected
        assert meter.meter.handed_over <= 3
        with pytest.raises(BleakError):
            await meter.ask("0101")


async def test_the_clock_of_a_meter_shows_its_own_time() -> None:
    async with asking(faults=Faults(clock_offset=timedelta(minutes=-7))) as meter:
        clock = bytes(await meter.client.read_gatt_char("2a2b"))
    # 2026-11-22 12:00 UTC is 20:00 in Shanghai; seven minutes slow
    assert clock[:7].hex() == "ea070b16133500"
