"""A thermometer on the air: Health Thermometer Service (0x1809), as sold for homes.

May hold: this service. May not: the bytes themselves (the driver's `encode`), stories.
"""

from collections.abc import Sequence

from bumble.gatt import Service

from gateway_agent.drivers.thermometer import MEASUREMENT, TYPE, Temperature, TemperatureType
from gateway_agent.gatt import DateTime, Special
from simulator.lingering import Forgetful, Stored
from simulator.peripheral import Faults, Home, Identity, readable
from simulator.record import TemperatureRecord
from vitals.units import Unit

# where it always measures: 2 the body, without saying where
_TYPE = TemperatureType(type=2)


class Thermometer(Forgetful):
    """A simulated thermometer."""

    SERVICE = "1809"

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
    ) -> None:
        self._measurement = self.indicated(MEASUREMENT)
        super().__init__(home, identity, faults=faults, linger_s=linger_s)

    def services(self) -> Sequence[Service]:
        place = readable(TYPE, _TYPE.encode())
        return [Service(self.SERVICE, [self._measurement, place]), self.clock_service()]

    def take(self, record: TemperatureRecord) -> None:
        """Stores a measurement as the thermometer does when it beeps."""
        measurement = Temperature(
            temperature=Special.NAN if record.value is None else record.value,
            in_fahrenheit=record.unit is Unit.FAHRENHEIT,
            time_stamp=DateTime.of(self.own_time(record.at)),
            type=record.place,
        )
        self.stored.append(
            Stored(
                characteristic=self._measurement,
                payload=measurement.encode(),
                counts=record.measurements,
            )
        )
