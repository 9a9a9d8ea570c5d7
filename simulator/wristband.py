"""A wristband on the air: Heart Rate Service (0x180D), streaming while somebody listens.

It stores nothing. A record is one spell of wearing: the band advertises, streams its values to
whoever subscribes, and the spell is over when the other side hangs up. May hold: this service. May
not: the bytes themselves (the driver's `encode`), stories.
"""

from collections import deque
from collections.abc import Sequence

from bumble.device import Connection
from bumble.gatt import Characteristic, Service

from gateway_agent.drivers.heart_rate import (
    LOCATION,
    MEASUREMENT,
    BodySensorLocation,
    HeartRate,
)
from simulator.peripheral import NOT_READABLE, NOTIFY, Faults, Home, Identity, Peripheral, readable
from simulator.record import HeartRateRecord

# Body Sensor Location: 2 wrist
_WRIST = BodySensorLocation(location=2)
# a beat in 1/1024 s is this divided by beats per minute (Heart Rate Service §3.1)
_RR_1024THS_PER_MINUTE = 61440


class Wristband(Peripheral):
    """A simulated wristband."""

    SERVICE = "180D"

    def __init__(self, home: Home, identity: Identity, *, faults: Faults | None = None) -> None:
        self._spells: deque[HeartRateRecord] = deque()
        self._measurement = Characteristic[bytes](MEASUREMENT, NOTIFY, NOT_READABLE)
        self._measurement.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        super().__init__(home, identity, faults=faults)

    def services(self) -> Sequence[Service]:
        location = readable(LOCATION, _WRIST.encode())
        return [Service(self.SERVICE, [self._measurement, location])]

    def has_news(self) -> bool:
        return bool(self._spells)

    def take(self, record: HeartRateRecord) -> None:
        """Is worn once more."""
        self._spells.append(record)

    def _subscribed(self, connection: Connection, notify: bool, _: bool) -> None:
        if notify and self._spells:
            self.run_alone(self._stream(connection))

    async def _stream(self, connection: Connection) -> None:
        async def put(payload: bytes) -> None:
            await self.device.notify_subscriber(connection, self._measurement, payload)

        spell = self._spells[0]
        for rate in spell.rates:
            rr = (_RR_1024THS_PER_MINUTE // rate,) if rate else ()
            value = HeartRate(rate_per_minute=rate, contact=spell.contact, rr_1024ths=rr)
            await self.send(value.encode(), put)
        self._spells.popleft()
        self.hand_over(spell.measurements)
