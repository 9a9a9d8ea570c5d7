"""A continuous glucose monitor on the air: service 0x181F with a session, records, live values.

It keeps its values by the minute of their session, sends the newest to whoever listens, and reports
the others when asked. A session that is started anew clears them, as the specification has it. May
hold: this service. May not: the bytes themselves (the driver's `encode`), stories.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers import record_access
from gateway_agent.drivers.cgm_measurement import (
    E2E_CRC,
    FEATURE,
    MEASUREMENT,
    CgmFeature,
    CgmMeasurement,
    CgmRecord,
)
from gateway_agent.drivers.cgm_session import (
    RUN_TIME,
    SESSION_START,
    STATUS,
    CgmRunTime,
    CgmSessionStart,
    CgmStatus,
)
from gateway_agent.drivers.record_access import (
    RECORD_ACCESS,
    Command,
    NumberOfRecords,
    Response,
)
from gateway_agent.gatt import CannotDecode, DateTime, Special
from simulator.peripheral import (
    INDICATE,
    NOT_READABLE,
    NOTIFY,
    READ,
    WRITE,
    Faults,
    Home,
    Identity,
    Peripheral,
    att_error,
    readable,
)
from simulator.record import SensorRecord

# Core Specification Supplement: procedure already in progress, CCCD improperly configured
IN_PROGRESS, NOT_CONFIGURED = 0xFE, 0xFD
# Core specification, Vol 3 Part F §3.4.1.1: value not allowed
NOT_ALLOWED = 0x13
# where these come of counting, the number is the answer
_COUNTED = (record_access.SUCCESS, record_access.NO_RECORDS)
# hours; a common length of a session
_RUN_TIME_H = 336
_QUARTER = timedelta(minutes=15)
_UNTOLD = CgmSessionStart(date_time=DateTime(year=0, month=0, day=0, hours=0, minutes=0, seconds=0))


class Sensor(Peripheral):
    """A simulated sensor. `sealed`: its values carry a CRC; `told`: it knows when it was started,
    and its time zone; `records_each`: values that one notification carries."""

    SERVICE = "181F"

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        sealed: bool = True,
        told: bool = True,
        records_each: int = 1,
    ) -> None:
        self._sealed, self._told, self._records_each = sealed, told, records_each
        self._began = home.now()
        self._stored: dict[int, CgmRecord] = {}
        self._counts: dict[int, int] = {}
        self._read_up_to = -1
        self._under_way: bytes | None = None
        self._measurement = Characteristic[bytes](MEASUREMENT, NOTIFY, NOT_READABLE)
        self._record_access = Characteristic[bytes](
            RECORD_ACCESS,
            INDICATE | WRITE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._asked),
        )
        self.feature = CgmFeature(bits=E2E_CRC if sealed else 0).sealed()
        super().__init__(home, identity, faults=faults)

    def services(self) -> Sequence[Service]:
        run_time = CgmRunTime(hours=_RUN_TIME_H)
        start = Characteristic[bytes](
            SESSION_START,
            READ | WRITE,
            Characteristic.READABLE | Characteristic.WRITEABLE,
            CharacteristicValue(read=lambda _: self.session_start().encode(), write=self._tell),
        )
        return [
            Service(
                self.SERVICE,
                [
                    self._measurement,
                    self._record_access,
                    start,
                    readable(FEATURE, self.feature.encode()),
                    self.answering(STATUS, lambda: self._status().encode()),
                    readable(RUN_TIME, (run_time.sealed() if self._sealed else run_time).encode()),
                ],
            )
        ]

    def has_news(self) -> bool:
        return max(self._stored, default=-1) > self._read_up_to

    def start_session(self) -> None:
        """Begins anew: what was stored is gone."""
        self._began, self._read_up_to = self._home.now(), -1
        self._stored.clear()
        self._counts.clear()

    def take(self, record: SensorRecord) -> None:
        """Measures; whoever listens hears it at once."""
        value = CgmRecord(
            concentration=Special.NAN if record.value is None else Decimal(record.value),
            time_offset_min=self._minutes(record.at),
        )
        self._stored[value.time_offset_min] = value.sealed() if self._sealed else value
        self._counts[value.time_offset_min] = record.measurements
        if self._connection is not None and self.wants(self._connection, self._measurement):
            self.run(self._send(self._connection, [value.time_offset_min]))

    def session_start(self) -> CgmSessionStart:
        """What it says of its start."""
        local = self._began.astimezone(self._home.zone)
        ahead = local.utcoffset() or timedelta(0)
        start = CgmSessionStart(
            date_time=DateTime.of(local.replace(tzinfo=None)),
            time_zone_quarters=ahead // _QUARTER,
            dst_code=0,
        )
        said = start if self._told else _UNTOLD
        return said.sealed() if self._sealed else said

    def _status(self) -> CgmStatus:
        status = CgmStatus(time_offset_min=self._minutes(self._home.now()))
        return status.sealed() if self._sealed else status

    def _minutes(self, at: datetime) -> int:
        return max(0, (at - self._began) // timedelta(minutes=1))

    def _tell(self, _: Connection, value: bytes) -> None:
        """Somebody says what time it is now; the start is that less what has passed."""
        try:
            told = CgmSessionStart.decode(value)
        except CannotDecode:
            raise att_error(NOT_ALLOWED) from None
        if self._sealed and (told.seal is None or not told.seal.is_right):
            raise att_error(NOT_ALLOWED)
        self._told = True

    def _asked(self, connection: Connection, value: bytes) -> None:
        op_code = value[0] if value else 0
        if op_code == record_access.ABORT:
            self._under_way = None
            done = Response(request=op_code, code=record_access.SUCCESS)
            self.run(self._answer(connection, done))
            return
        if self._under_way is not None:
            raise att_error(IN_PROGRESS)
        if not value or not self.wants(connection, self._measurement):
            raise att_error(NOT_CONFIGURED)
        self._under_way = value
        self.run(self._serve(connection, value))

    async def _serve(self, connection: Connection, value: bytes) -> None:
        op_code = value[0] if value else 0
        code, chosen = self._choose(value)
        answer: Response | NumberOfRecords = Response(request=op_code, code=code)
        if op_code == record_access.REPORT_NUMBER and code in _COUNTED:
            answer = NumberOfRecords(number=len(chosen))
        elif op_code == record_access.REPORT and code in _COUNTED:
            for n in range(0, len(chosen), self._records_each):
                if self._under_way is not value:
                    return
                await self._send(connection, chosen[n : n + self._records_each])
            self._read_up_to = max([self._read_up_to, *chosen])
        self._under_way = None
        await self._answer(connection, answer)

    def _choose(self, value: bytes) -> tuple[int, list[int]]:
        """The response code and the minutes that a request is about."""
        if value[0] not in (record_access.REPORT, record_access.REPORT_NUMBER):
            return record_access.OP_CODE_UNKNOWN, []
        if len(value) > 2 and value[2] not in record_access.FILTERS[self.SERVICE]:
            return record_access.OPERAND_UNKNOWN, []
        try:
            chosen = self._chosen(Command.decode(value))
        except CannotDecode:
            return record_access.OPERAND_INVALID, []
        return (record_access.SUCCESS if chosen else record_access.NO_RECORDS), chosen

    def _chosen(self, command: Command) -> list[int]:
        low = command.low if isinstance(command.low, int) else 0
        high = command.high if isinstance(command.high, int) else 0xFFFF
        found = [each for each in sorted(self._stored) if low <= each <= high]
        if command.operator == record_access.FIRST:
            return found[:1]
        return found[-1:] if command.operator == record_access.LAST else found

    async def _send(self, connection: Connection, offsets: list[int]) -> None:
        async def put(payload: bytes) -> None:
            await self.device.notify_subscriber(connection, self._measurement, payload)

        records = tuple(self._stored[each] for each in offsets)
        if await self.send(CgmMeasurement(records=records).encode(), put):
            self.hand_over(sum(self._counts.pop(each, 0) for each in offsets))
        # other devices share this loop
        await asyncio.sleep(0)

    async def _answer(self, connection: Connection, answer: Response | NumberOfRecords) -> None:
        await self.device.indicate_subscriber(connection, self._record_access, answer.encode())

    def _disconnected(self, reason: int) -> None:
        self._under_way = None
        super()._disconnected(reason)
