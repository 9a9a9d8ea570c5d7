"""A PineTime with InfiniTime on the air: pulse while somebody listens, steps of the day, a clock.

Its owner walks (`walk`) and wears it; it is on air until it was read. It advertises as any band
does. May hold: this device. May not: the bytes themselves (the driver's `encode`), stories.
"""

from collections.abc import Sequence
from datetime import date, datetime

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.heart_rate import MEASUREMENT, HeartRate
from gateway_agent.drivers.infinitime import STEPS, StepCount
from gateway_agent.gatt import CannotDecode
from simulator.peripheral import (
    CURRENT_TIME_SERVICE,
    NOT_READABLE,
    NOTIFY,
    READ,
    WRITE,
    Faults,
    Home,
    Identity,
    Peripheral,
    att_error,
)

_MOTION_SERVICE = "00030000-78FC-48FE-8E23-433B3A1942D0"
# ATT error: value not allowed
_NOT_ALLOWED = 0x13


class InfiniTime(Peripheral):
    """A simulated watch; `rates` is what it feels when somebody listens, none while it is off."""

    SERVICE = "180D"

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        rates: Sequence[int] = (),
    ) -> None:
        self.rates = tuple(rates)
        # what was written into its clock, oldest first
        self.clock_set_to: list[datetime] = []
        self._steps, self._day = 0, date.min
        self._has_news = False
        self._measurement = Characteristic[bytes](MEASUREMENT, NOTIFY, NOT_READABLE)
        self._measurement.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        super().__init__(home, identity, faults=faults)

    def services(self) -> Sequence[Service]:
        clock = Characteristic[bytes](
            CURRENT_TIME,
            READ | WRITE,
            Characteristic.READABLE | Characteristic.WRITEABLE,
            CharacteristicValue(read=lambda _: self._shown().encode(), write=self._set_clock),
        )
        return [
            Service(self.SERVICE, [self._measurement]),
            Service(_MOTION_SERVICE, [self.answering(STEPS, self._count)]),
            Service(CURRENT_TIME_SERVICE, [clock]),
        ]

    def has_news(self) -> bool:
        return self._has_news

    def walk(self, steps: int) -> None:
        """Is walked with; its own midnight begins at nothing."""
        self._steps = self._steps_today() + steps
        self._has_news = True

    def _steps_today(self) -> int:
        today = self.own_time(self._home.now()).date()
        if today != self._day:
            self._day, self._steps = today, 0
        return self._steps

    def _count(self) -> bytes:
        self._has_news = False
        return StepCount(steps=self._steps_today()).encode()

    def _shown(self) -> CurrentTime:
        return CurrentTime.of(self.own_time(self._home.now()))

    def _set_clock(self, _: Connection, value: bytes) -> None:
        try:
            moment = CurrentTime.decode(value).moment()
        except CannotDecode:
            moment = None
        if moment is None:
            raise att_error(_NOT_ALLOWED)
        self.clock_set_to.append(moment)
        self.faults.clock_offset += moment - self.own_time(self._home.now())

    def _subscribed(self, connection: Connection, notify: bool, _: bool) -> None:
        if notify and self.rates:
            self.run(self._stream(connection))

    async def _stream(self, connection: Connection) -> None:
        async def put(payload: bytes) -> None:
            await self.device.notify_subscriber(connection, self._measurement, payload)

        for rate in self.rates:
            await self.send(HeartRate(rate_per_minute=rate).encode(), put)
        self.hand_over(1)
