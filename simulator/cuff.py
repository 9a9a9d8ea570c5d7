"""A blood-pressure cuff on the air: Blood Pressure Service (0x1810), as sold for homes.

It has no record numbers and no record access: when indications are switched on it sends what it has
stored, oldest first, forgets each reading that was confirmed, waits a moment and hangs up. May
hold: this service. May not: the bytes themselves (the driver's `encode`), stories.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from bumble.device import Connection
from bumble.gatt import Characteristic, Service

from gateway_agent.drivers.blood_pressure import (
    FEATURE,
    MEASUREMENT,
    BloodPressure,
    BloodPressureFeature,
)
from gateway_agent.gatt import DateTime, Special
from simulator.peripheral import (
    INDICATE,
    NOT_READABLE,
    Faults,
    Home,
    Identity,
    Peripheral,
    readable,
)
from simulator.record import CuffRecord
from vitals.units import Unit

# what it can notice: movement, fit, irregular pulse, range, position
_FEATURES = BloodPressureFeature(bits=0x1F)


class Cuff(Peripheral):
    """A simulated cuff. `linger_s`: how long it waits for more questions before it hangs up."""

    SERVICE = "1810"

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
    ) -> None:
        self._linger_s = linger_s
        self._stored: deque[tuple[bytes, int]] = deque()
        self._measurement = Characteristic[bytes](MEASUREMENT, INDICATE, NOT_READABLE)
        self._measurement.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        super().__init__(home, identity, faults=faults)

    def services(self) -> Sequence[Service]:
        feature = readable(FEATURE, _FEATURES.encode())
        return [Service(self.SERVICE, [self._measurement, feature]), self.clock_service()]

    def has_news(self) -> bool:
        return bool(self._stored)

    def unread(self) -> int:
        return len(self._stored)

    def take(self, record: CuffRecord) -> None:
        """Stores a measurement as the cuff does when the air is out."""
        status = record.body_movement | record.cuff_loose << 1 | record.irregular_pulse << 2
        measurement = BloodPressure(
            systolic=Special.NAN if record.systolic is None else record.systolic,
            diastolic=Special.NAN if record.diastolic is None else record.diastolic,
            mean_arterial_pressure=Special.NAN if record.mean is None else record.mean,
            in_kpa=record.unit is Unit.KPA,
            time_stamp=DateTime.of(self.own_time(record.at)),
            pulse_rate=record.pulse,
            user_id=record.user,
            status=int(status),
        )
        self._stored.append((measurement.encode(), record.measurements))

    def _subscribed(self, connection: Connection, _: bool, indicate: bool) -> None:
        if indicate:
            self.run_alone(self._flush(connection))

    async def _flush(self, connection: Connection) -> None:
        async def put(payload: bytes) -> None:
            await self.device.indicate_subscriber(connection, self._measurement, payload)

        while self._stored:
            payload, counts = self._stored[0]
            whole = await self.send(payload, put)
            self._stored.popleft()
            if whole:
                self.hand_over(counts)
        await self._be_quiet_for(self._linger_s)
        await self.hang_up()

    async def _be_quiet_for(self, wait_s: float) -> None:
        """Returns when nothing was asked for so long."""
        loop = asyncio.get_running_loop()
        while (rest_s := self.asked_at_s + wait_s - loop.time()) > 0:
            await asyncio.sleep(rest_s)
