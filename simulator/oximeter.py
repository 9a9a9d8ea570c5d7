"""A pulse oximeter on the air: Pulse Oximeter Service (0x1822), spot checks and streams.

Spot checks stay in its memory and are reported through the Record Access Control Point, all or
none; reading deletes nothing. A stream goes to whoever listens and is not stored. May hold: this
service. May not: the bytes themselves (the driver's `encode`), stories.
"""

from collections import deque
from collections.abc import Sequence

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers import record_access
from gateway_agent.drivers.pulse_oximeter_record import (
    CONTINUOUS,
    FEATURES,
    SPOT_CHECK,
    Continuous,
    Features,
    Oxygen,
    Signs,
    SpotCheck,
)
from gateway_agent.drivers.record_access import RECORD_ACCESS, NumberOfRecords, Response
from gateway_agent.gatt import DateTime, Special
from simulator.lingering import Lingering
from simulator.peripheral import (
    INDICATE,
    NOT_READABLE,
    NOTIFY,
    WRITE,
    Faults,
    Home,
    Identity,
    att_error,
    readable,
)
from simulator.record import OximeterRecord

# Core Specification Supplement
_IN_PROGRESS, _NOT_CONFIGURED = 0xFE, 0xFD

# stores spot checks and dates them
_FEATURES = Features(bits=0x0C)
# measurement status: 8 fully qualified, 9 from storage, 10 demonstration
_QUALIFIED, _FROM_STORAGE, _DEMONSTRATION = 1 << 8, 1 << 9, 1 << 10
# device and sensor status: 11 not on the user
_OFF = 1 << 11


class Oximeter(Lingering):
    """A simulated oximeter. `dated` False: it keeps no clock."""

    SERVICE = "1822"

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
        dated: bool = True,
    ) -> None:
        self._dated = dated
        self._stored: list[tuple[bytes, int]] = []
        self._spells: deque[OximeterRecord] = deque()
        # how many of the stored were reported whole, and were reported in a transfer that ended
        self._told = self._read = 0
        self._is_reporting = self._is_streaming = False
        self._spot_check = Characteristic[bytes](SPOT_CHECK, INDICATE, NOT_READABLE)
        self._continuous = Characteristic[bytes](CONTINUOUS, NOTIFY, NOT_READABLE)
        self._continuous.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        self._record_access = Characteristic[bytes](
            RECORD_ACCESS,
            INDICATE | WRITE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._requested),
        )
        # every request that reached its control point
        self.requests: list[bytes] = []
        super().__init__(home, identity, faults=faults, linger_s=linger_s)

    def services(self) -> Sequence[Service]:
        features = readable(FEATURES, _FEATURES.encode())
        own = [self._spot_check, self._continuous, features, self._record_access]
        return [Service(self.SERVICE, own), *([self.clock_service()] if self._dated else [])]

    def has_news(self) -> bool:
        return bool(self._spells) or len(self._stored) > self._read

    def is_busy(self) -> bool:
        return self._is_reporting or self._is_streaming

    def take(self, record: OximeterRecord) -> None:
        """Stores a spot check when its numbers stand still; a stream waits for a listener."""
        if record.streamed:
            self._spells.append(record)
            return
        spot = SpotCheck(
            oxygen=_oxygen(record),
            time_stamp=DateTime.of(self.own_time(record.at)) if self._dated else None,
            signs=_signs(record, _FROM_STORAGE),
        )
        self._stored.append((spot.encode(), record.measurements))

    def press_button(self) -> None:
        """Offers its whole memory again, as when its owner asks it to send."""
        self._read = 0

    def _subscribed(self, connection: Connection, notify: bool, _: bool) -> None:
        self.asked()
        if notify:
            self.run_alone(self._stream(connection))

    async def _stream(self, connection: Connection) -> None:
        async def put(payload: bytes) -> None:
            await self.device.notify_subscriber(connection, self._continuous, payload)

        self._is_streaming = bool(self._spells)
        try:
            while self._spells:
                spell = self._spells[0]
                value = Continuous(normal=_oxygen(spell), signs=_signs(spell))
                for _ in range(spell.streamed):
                    await self.send(value.encode(), put)
                self._spells.popleft()
                self.hand_over(spell.measurements)
        finally:
            self._is_streaming = False
        self.asked()
        await self.be_quiet()
        await connection.disconnect()

    def _requested(self, connection: Connection, value: bytes) -> None:
        """A write to the control point; the checks come in the order of glucose meters."""
        self.requests.append(bytes(value))
        wanted = self._record_access, self._spot_check
        if not all(self.wants(connection, each) for each in wanted):
            raise att_error(_NOT_CONFIGURED)
        if self._is_reporting:
            raise att_error(_IN_PROGRESS)
        self.asked()
        self._is_reporting = True
        self.run(self._serve(connection, bytes(value)))

    async def _serve(self, connection: Connection, value: bytes) -> None:
        answer = self._answer(value)
        try:
            if value == record_access.report_from(None).encode() and self._stored:
                await self._report(connection)
                self._read = len(self._stored)
        finally:
            self._is_reporting = False
        self.asked()
        await self.device.indicate_subscriber(connection, self._record_access, answer.encode())

    def _answer(self, value: bytes) -> Response | NumberOfRecords:
        """What it says in the end; it knows all records or none, and lets nobody delete."""
        op_code, operator = (value[0], value[1]) if len(value) == 2 else (0, 0)
        if op_code not in (record_access.REPORT, record_access.REPORT_NUMBER):
            return Response(request=op_code, code=record_access.OP_CODE_UNKNOWN)
        if operator != record_access.ALL:
            return Response(request=op_code, code=record_access.OPERATOR_UNKNOWN)
        if op_code == record_access.REPORT_NUMBER:
            return NumberOfRecords(number=len(self._stored))
        code = record_access.SUCCESS if self._stored else record_access.NO_RECORDS
        return Response(request=op_code, code=code)

    async def _report(self, connection: Connection) -> None:
        async def put(payload: bytes) -> None:
            await self.device.indicate_subscriber(connection, self._spot_check, payload)

        for place, (payload, counts) in enumerate(tuple(self._stored)):
            whole = await self.send(payload, put)
            if whole and place >= self._told:
                self._told = place + 1
                self.hand_over(counts)

    def _disconnected(self, reason: int) -> None:
        self._is_reporting = False
        super()._disconnected(reason)


def _oxygen(record: OximeterRecord) -> Oxygen:
    return Oxygen(
        spo2=Special.NAN if record.spo2 is None else record.spo2,
        pulse_rate=Special.NAN if record.pulse is None else record.pulse,
    )


def _signs(record: OximeterRecord, status: int = 0) -> Signs:
    status |= _DEMONSTRATION if record.demonstration else _QUALIFIED
    return Signs(status=status, sensor_status=0 if record.finger else _OFF)
