"""A glucose meter on the air: Glucose Service (0x1808) with a full Record Access Control Point.

It keeps its records as a real meter does: reading deletes nothing, sequence numbers count up by one
and are never used twice. A record is stored as the bytes that it will be sent as, with the time its
clock showed then. The checks of a request come in the order that meters use (project byte tables
§2). May hold: this service. May not: the bytes themselves (the driver's `encode`), stories.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue, Service

from gateway_agent.drivers import record_access
from gateway_agent.drivers.glucose_record import (
    CONTEXT,
    CONTROL_SOLUTION_LOCATION,
    CONTROL_SOLUTION_TYPE,
    FEATURE,
    MEASUREMENT,
    GlucoseContext,
    GlucoseFeature,
    GlucoseMeasurement,
    concentration,
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
    WRITE,
    Faults,
    Home,
    Identity,
    Peripheral,
    att_error,
    readable,
)
from simulator.record import GlucoseRecord
from vitals.measurement import MEAL_CODE, Meal

# ATT errors of this service: meters of Glucose Service 1.0 say 0x80 and 0x81, newer ones 0xFE and
# 0xFD (Core Specification Supplement)
IN_PROGRESS, NOT_CONFIGURED = 0xFE, 0xFD
OLD_IN_PROGRESS, OLD_NOT_CONFIGURED = 0x80, 0x81

# where these come of counting, the number is the answer
_COUNTED = (record_access.SUCCESS, record_access.NO_RECORDS)

# all faults it can notice, and more than one bond
_FEATURES = GlucoseFeature(bits=0x07FF)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    sequence: int
    time: tuple[int, ...]
    measurement: bytes
    context: bytes | None
    counts: int


class GlucoseMeter(Peripheral):
    """A simulated glucose meter. `old`: answers with the ATT errors of Glucose Service 1.0."""

    SERVICE = "1808"

    def __init__(
        self, home: Home, identity: Identity, *, faults: Faults | None = None, old: bool = False
    ) -> None:
        self._in_progress, self._not_configured = (
            (OLD_IN_PROGRESS, OLD_NOT_CONFIGURED) if old else (IN_PROGRESS, NOT_CONFIGURED)
        )
        self._measurement = Characteristic[bytes](MEASUREMENT, NOTIFY, NOT_READABLE)
        self._context = Characteristic[bytes](CONTEXT, NOTIFY, NOT_READABLE)
        self._record_access = Characteristic[bytes](
            RECORD_ACCESS,
            INDICATE | WRITE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._asked),
        )
        self._next_sequence = 1
        self._stored: list[_Stored] = []
        self._told: set[int] = set()
        # the highest sequence number that was reported in a procedure that ended well
        self._read_up_to = 0
        # the request that is being served
        self._under_way: bytes | None = None
        super().__init__(home, identity, faults=faults)

    def services(self) -> Sequence[Service]:
        return [
            Service(
                self.SERVICE,
                [
                    self._measurement,
                    self._context,
                    self._record_access,
                    readable(FEATURE, _FEATURES.encode()),
                ],
            ),
            self.clock_service(),
        ]

    def has_news(self) -> bool:
        return bool(self._stored) and self._stored[-1].sequence > self._read_up_to

    def unread(self) -> int:
        return sum(each.sequence > self._read_up_to for each in self._stored)

    def clear_memory(self) -> None:
        """Forgets its records and begins to count anew, as after a reset."""
        self._stored, self._told, self._next_sequence, self._read_up_to = [], set(), 1, 0

    def take(self, record: GlucoseRecord) -> None:
        """Stores a test as the meter does when the strip is read."""
        sequence, self._next_sequence = self._next_sequence, self._next_sequence + 1
        base_time = DateTime.of(self.own_time(record.at))
        number, unit = concentration(record.value or Decimal(0), record.unit)
        measurement = GlucoseMeasurement(
            sequence_number=sequence,
            base_time=base_time,
            time_offset_min=0,
            concentration=Special.NAN if record.value is None else number,
            unit=unit,
            type=CONTROL_SOLUTION_TYPE if record.control_solution else 1,
            sample_location=CONTROL_SOLUTION_LOCATION if record.control_solution else 1,
            status=0,
            context_follows=record.meal is not None,
        )
        context = None
        if record.meal is not None:
            meal = MEAL_CODE[record.meal]
            context = GlucoseContext(sequence_number=sequence, meal=meal).encode()
        self._stored.append(
            _Stored(
                sequence=sequence,
                time=_order(base_time),
                measurement=measurement.encode(),
                context=context,
                counts=record.measurements,
            )
        )

    def mark(self, sequence: int, meal: Meal) -> None:
        """Marks the meal of a stored test afterwards, as its owner does at a key."""
        context = GlucoseContext(sequence_number=sequence, meal=MEAL_CODE[meal]).encode()
        for place, each in enumerate(self._stored):
            if each.sequence == sequence:
                said = replace(GlucoseMeasurement.decode(each.measurement), context_follows=True)
                self._stored[place] = replace(each, measurement=said.encode(), context=context)

    def count_from(self, sequence: int) -> None:
        """Goes on counting at this number, where it has not come so far: a meter that was switched
        off remembers its count."""
        self._next_sequence = max(self._next_sequence, sequence)

    def press_button(self) -> None:
        """Offers its whole memory again, as a meter does when its owner asks it to send."""
        self._read_up_to = 0

    def _asked(self, connection: Connection, value: bytes) -> None:
        """A write to the control point; the checks come in the order of the meters."""
        if not self.wants(connection, self._record_access):
            raise att_error(self._not_configured)
        op_code = value[0] if value else 0
        if op_code == record_access.ABORT:
            self._under_way = None
            done = Response(request=op_code, code=record_access.SUCCESS)
            self.run(self._answer(connection, done))
            return
        if self._under_way is not None:
            raise att_error(self._in_progress)
        if op_code == record_access.REPORT and not self.wants(connection, self._measurement):
            raise att_error(self._not_configured)
        self._under_way = value
        self.run(self._serve(connection, value))

    async def _serve(self, connection: Connection, value: bytes) -> None:
        code, chosen = self._choose(value)
        op_code = value[0] if value else 0
        answer: Response | NumberOfRecords = Response(request=op_code, code=code)
        if op_code == record_access.REPORT_NUMBER and code in _COUNTED:
            answer = NumberOfRecords(number=len(chosen))
        elif code == record_access.SUCCESS and op_code == record_access.REPORT:
            await self._report(connection, chosen, value)
        elif code == record_access.SUCCESS:
            self._stored = [each for each in self._stored if each not in chosen]
        if self._under_way is not value:
            return
        # the procedure is over before its answer leaves: the next request may follow at once
        self._under_way = None
        if op_code == record_access.REPORT and code == record_access.SUCCESS:
            self._read_up_to = max(self._read_up_to, chosen[-1].sequence)
        await self._answer(connection, answer)

    def _choose(self, value: bytes) -> tuple[int, list[_Stored]]:
        """The response code and the records that a request is about."""
        op_code, operator = (value[0], value[1]) if len(value) > 1 else (0, 0)
        if op_code not in (
            record_access.REPORT,
            record_access.DELETE,
            record_access.REPORT_NUMBER,
        ):
            return record_access.OP_CODE_UNKNOWN, []
        if operator == record_access.NULL:
            return record_access.OPERATOR_INVALID, []
        if operator > record_access.LAST:
            return record_access.OPERATOR_UNKNOWN, []
        if operator in (record_access.AT_MOST, record_access.AT_LEAST, record_access.RANGE):
            if len(value) < 3:
                return record_access.OPERAND_INVALID, []
            if value[2] not in (record_access.BY_SEQUENCE, record_access.BY_TIME):
                return record_access.OPERAND_UNKNOWN, []
        try:
            command = Command.decode(value)
        except CannotDecode:
            return record_access.OPERAND_INVALID, []
        return self._matching(command)

    def _matching(self, command: Command) -> tuple[int, list[_Stored]]:
        key = _time_of if command.filter_type == record_access.BY_TIME else _sequence_of
        low, high = _bound(command.low), _bound(command.high)
        if low is not None and high is not None and low > high:
            return record_access.OPERAND_INVALID, []
        chosen = [
            each
            for each in self._stored
            if (low is None or key(each) >= low) and (high is None or key(each) <= high)
        ]
        if command.operator == record_access.FIRST:
            chosen = chosen[:1]
        if command.operator == record_access.LAST:
            chosen = chosen[-1:]
        return (record_access.SUCCESS if chosen else record_access.NO_RECORDS), chosen

    async def _report(self, connection: Connection, chosen: list[_Stored], request: bytes) -> None:
        async def measurement(payload: bytes) -> None:
            await self.device.notify_subscriber(connection, self._measurement, payload)

        for each in chosen:
            if self._under_way is not request:
                return
            whole = await self.send(each.measurement, measurement)
            if each.context is not None:
                await self.device.notify_subscriber(connection, self._context, each.context)
            if whole and each.sequence not in self._told:
                self._told.add(each.sequence)
                self.hand_over(each.counts)
            # other devices share this loop
            await asyncio.sleep(0)

    async def _answer(self, connection: Connection, answer: Response | NumberOfRecords) -> None:
        await self.device.indicate_subscriber(connection, self._record_access, answer.encode())

    def _disconnected(self, reason: int) -> None:
        self._under_way = None
        super()._disconnected(reason)


_Key = Callable[[_Stored], tuple[int, ...]]


def _sequence_of(stored: _Stored) -> tuple[int, ...]:
    return (stored.sequence,)


def _time_of(stored: _Stored) -> tuple[int, ...]:
    return stored.time


def _bound(value: int | DateTime | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    return _order(value) if isinstance(value, DateTime) else (value,)


def _order(time: DateTime) -> tuple[int, ...]:
    return (time.year, time.month, time.day, time.hours, time.minutes, time.seconds)
