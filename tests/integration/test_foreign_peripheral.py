"""Devices that none of us wrote: bumble's own profile servers, added and read on both rigs.

Their bytes come from another project's encoders. bumble has servers for three of the services that
we read: Heart Rate, Battery and Device Information.
"""

import asyncio
import itertools
from pathlib import Path

from bumble.core import AdvertisingData
from bumble.data_types import CompleteListOf16BitServiceUUIDs, CompleteLocalName
from bumble.device import Connection, Device
from bumble.gatt import GATT_HEART_RATE_SERVICE
from bumble.profiles.battery_service import BatteryService
from bumble.profiles.device_information_service import DeviceInformationService
from bumble.profiles.heart_rate_service import HeartRateService
from rigs import Person, Rig, gateway_on, spooled, until

from simulator.link import device_on

ADDRESS = "F0:00:00:00:00:77"
# beats per minute, seconds between beats; 300 needs 16 bits
RATES = (70, 71, 72, 73, 74, 75, 76, 77, 78, 300)


class ChestStrap:
    """A heart-rate strap as bumble's authors would build it."""

    def __init__(self, rig: Rig) -> None:
        self.device: Device = device_on(rig.air, name="Strap", address=ADDRESS)
        self._rates = itertools.cycle(RATES)
        self.heart_rate = HeartRateService(
            read_heart_rate_measurement=self._measure,
            body_sensor_location=HeartRateService.BodySensorLocation.CHEST,
        )
        self.device.add_services(
            [
                DeviceInformationService(
                    manufacturer_name="Elsewhere", model_number="HR-9", serial_number="77"
                ),
                BatteryService(lambda _: 64),
                self.heart_rate,
            ]
        )
        self.device.advertising_data = bytes(
            AdvertisingData(
                [
                    CompleteLocalName("Strap"),
                    CompleteListOf16BitServiceUUIDs([GATT_HEART_RATE_SERVICE]),
                ]
            )
        )

    async def switch_on(self) -> None:
        await self.device.power_on()
        await self.device.start_advertising(auto_restart=True)

    async def beat(self) -> None:
        """Sends a value to whoever listens, ten times a second."""
        while True:
            characteristic = self.heart_rate.heart_rate_measurement_characteristic
            await self.device.notify_subscribers(characteristic)
            await asyncio.sleep(0.1)

    def _measure(self, _: Connection) -> HeartRateService.HeartRateMeasurement:
        rate = next(self._rates)
        return HeartRateService.HeartRateMeasurement(
            heart_rate=rate,
            sensor_contact_detected=True,
            energy_expended=1200,
            rr_intervals=(60 / rate, 60 / rate),
        )


async def test_a_strap_of_another_maker_is_added_and_read(rig: Rig, tmp_path: Path) -> None:
    strap, person = ChestStrap(rig), Person()
    await strap.switch_on()
    beating = asyncio.create_task(strap.beat())
    async with gateway_on(rig, tmp_path) as gateway:
        await until(lambda: bool(gateway.radio.sightings()))
        (sighting,) = gateway.radio.sightings()
        assert (sighting.name, sighting.device) == ("Strap", f"ble:{ADDRESS}")
        async with asyncio.timeout(30):
            await gateway.radio.pair(
                sighting.device,
                person.ask,
                on_connecting=person.connecting,
                on_bonded=person.bonded,
            )
        (only,) = spooled(gateway)
        health = gateway.agent.health().devices[sighting.device]
    beating.cancel()
    # ten values in a row, whichever came first: the lower median of 70 … 78 and 300
    assert (only["kind"], only["value"], only["unit"]) == ("heart_rate", 74.0, "/min")
    assert (health.model, health.battery_percent, health.failure) == ("HR-9", 64, None)
    assert person.steps == ["connecting"]
