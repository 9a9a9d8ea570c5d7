"""Continuous glucose monitors: Continuous Glucose Monitoring Service (0x181F).

A sensor measures by itself every few minutes of a session of days, keeps its values, hands them
over through the Record Access Control Point, and sends the newest while somebody listens. Its
records bear minutes since the session began. One visit reads how the session stands, then every
record after the last one on disk, then listens a moment for live values. The bytes are in
`cgm_measurement.py` (0x2AA7, 0x2AA8), `cgm_session.py` (0x2AA9-0x2AAB, and what names a session),
`cgm_control.py` (0x2AAC); what may be kept when, in `cgm_transfer.py`.

Nothing that this driver writes changes a session. The one exception is a sensor that was never told
the time: it is told (0x2AAA) after all its records are kept, as no clock is written before records
are read, and only then; a sensor that has a start keeps it.

Sources: Bluetooth SIG Continuous Glucose Monitoring Service 1.0.2 and Profile 1.0.2 (read the
features first; after a new connection ask from the last time offset on), as far as public texts and
implementations show them.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self, TypeVar

from gateway_agent.drivers import record_access
from gateway_agent.drivers.cgm_control import CONTROL, SpecificOp
from gateway_agent.drivers.cgm_measurement import (
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
    Session,
    clock_of,
    session_of,
)
from gateway_agent.drivers.cgm_transfer import CgmTransfer
from gateway_agent.drivers.crc import Seal, is_intact
from gateway_agent.drivers.device_information import about
from gateway_agent.drivers.record_access import RECORD_ACCESS, Command, Response, report_from
from gateway_agent.drivers.record_request import counted, give_up, request, shortfall
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import (
    Ask,
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Read,
    Refusal,
    Refused,
    SetClock,
    Subscribe,
    Talk,
    Visit,
)
from vitals.errors import KangbanError, MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Reading, Value
from vitals.units import Unit

# seconds; as for the Glucose Service (unconfirmed for this profile)
RECORD_WAIT_S = 30.0
# seconds without a live value that end a visit, and the most values of one: sensors measure every
# one to five minutes and keep what nobody hears; engineering choices
LIVE_WAIT_S, LIVE_VALUES = 10.0, 10
# seconds between visits; the usual interval of a sensor, an engineering choice
REVISIT_S = 300.0

_ASK_FOR_ALL = {
    record_access.OPERATOR_INVALID,
    record_access.OPERATOR_UNKNOWN,
    record_access.OPERAND_INVALID,
    record_access.OPERAND_UNKNOWN,
}
_DONE = {record_access.SUCCESS, record_access.NO_RECORDS}
_AWAY = {record_access.NOT_COMPLETED, record_access.BUSY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """How the sensor of this visit speaks, and the session that its records belong to."""

    session: Session
    is_sealed: bool
    is_backwards: bool
    is_control_solution: bool

    def records(self, data: bytes) -> tuple[CgmRecord, ...]:
        """The records of one notification. Raises CannotDecode where any did not arrive whole."""
        records = CgmMeasurement.decode(data).records
        if not all(is_intact(each.seal, wanted=self.is_sealed) for each in records):
            raise CannotDecode("CGM Measurement with a wrong CRC, or none. Read the record again.")
        return records

    def reading(self, record: CgmRecord) -> Reading:
        """The reading of a record, mg/dL. What the sensor doubts itself is withheld."""
        said = record.turned() if self.is_backwards else record
        why = "control_solution" if self.is_control_solution else said.withheld()
        values: tuple[Value, ...] = ()
        if why is None:
            number = float(said.concentration)  # type: ignore[arg-type]
            values = (Value(kind=Kind.GLUCOSE, value=number, unit=Unit.MG_PER_DL),)
        return Reading(
            sequence=self.session.sequence(said.time_offset_min),
            device_time=self.session.device_time(said.time_offset_min),
            values=values,
            raw=record.encode(),
            flags=said.flags(),
            withheld=why,
        )


def talk(visit: Visit) -> Talk:
    """One visit to a sensor: its session, every record after the last one on disk, live values.

    Raises TryAgain where the sensor went away before the end, MendDevice where it refuses or does
    not say when its session began; what had come by then is kept.
    """
    yield Subscribe(characteristic=MEASUREMENT)
    yield Subscribe(characteristic=RECORD_ACCESS)
    yield from about()
    feature, _ = yield from _read(FEATURE, CgmFeature.decode, is_sealed=False)
    is_sealed = feature is not None and feature.has_crc
    start, started_at = yield from _read(SESSION_START, CgmSessionStart.decode, is_sealed=is_sealed)
    status, at = yield from _read(STATUS, CgmStatus.decode, is_sealed=is_sealed)
    yield from _read(RUN_TIME, CgmRunTime.decode, is_sealed=is_sealed)
    at = at or started_at
    session = at and session_of(start, status, at=at, last_sequence=visit.last_sequence)
    if not session:
        raise MendDevice(
            "The sensor does not say when its session began: start it with its own receiver or "
            "app, and leave it near the gateway."
        )
    assert at is not None
    if (clock := clock_of(start, status, session, at=at)) is not None:
        yield clock
    sensor = Sensor(
        session=session,
        is_sealed=is_sealed,
        is_backwards=visit.quirk.annunciation_backwards,
        is_control_solution=feature is not None and feature.is_control_solution(),
    )
    yield from _fetch_all(sensor, after=session.after)
    if start is not None and start.moment() is None and status is not None:
        yield from _tell_time(status, is_sealed=is_sealed)
    yield from _listen(sensor)


class _Sealable(Protocol):
    @property
    def seal(self) -> Seal | None: ...

    def sealed(self) -> Self: ...


T = TypeVar("T", bound=_Sealable)


def _read(
    characteristic: str, decode: Callable[[bytes], T], *, is_sealed: bool
) -> Generator[Ask, Heard | None, tuple[T | None, datetime | None]]:
    """What a characteristic says, None where it says nothing sound, and when it was read."""
    heard = yield Read(characteristic=characteristic)
    if heard is None:
        return None, None
    try:
        value = decode(heard.data)
    except CannotDecode as error:
        yield Refused(characteristic=characteristic, data=heard.data, reason=str(error))
        return None, heard.at
    if is_sealed and not is_intact(value.seal, wanted=True):
        reason = "the value has a wrong CRC, or none: it is read again at the next visit."
        yield Refused(characteristic=characteristic, data=heard.data, reason=reason)
        return None, heard.at
    return value, heard.at


def _tell_time(status: CgmStatus, *, is_sealed: bool) -> Talk:
    """Tells a sensor in the middle of its session what time it is; it finds its own start."""

    def encode(moment: datetime) -> bytes:
        start = CgmSessionStart.of(moment)
        return (start.sealed() if is_sealed else start).encode()

    if status.is_stopped:
        return
    try:
        yield SetClock(characteristic=SESSION_START, encode=encode)
    except Refusal as error:
        # its records are on disk, and its minutes are counted all the same
        yield Refused(characteristic=SESSION_START, data=b"", reason=str(error))


def _fetch_all(sensor: Sensor, *, after: int) -> Talk:
    """Every record after this minute, asked for once more where something was lost on the air."""
    command = report_from(None if after < 0 else after + 1)
    said = (yield from counted(command)) or 0
    transfer = CgmTransfer()
    yield from _fetch(sensor, transfer, command)
    if transfer.refused or transfer.came < said:
        yield from _fetch(sensor, transfer, command)
    yield from _keep(sensor, transfer.finish())
    if transfer.came < said:
        yield shortfall(said=said, came=transfer.came)


def _fetch(sensor: Sensor, transfer: CgmTransfer, command: Command) -> Talk:
    response = yield from _report(sensor, transfer, command)
    if command.operator != record_access.ALL and response.code in _ASK_FOR_ALL:
        response = yield from _report(sensor, transfer, report_from(None))
    if response.code in _AWAY:
        raise TryAgain(f"The sensor stopped before the end ({response.text()}); leave it near.")
    if response.code not in _DONE:
        raise MendDevice(
            f"The sensor refuses to hand over its records ({response.text()}): remove its pairing "
            "with this gateway and add it again; if it stays so, report its model."
        )


def _report(
    sensor: Sensor, transfer: CgmTransfer, command: Command
) -> Generator[Ask, Heard | None, Response]:
    yield from request(command)
    try:
        return (yield from _collect(sensor, transfer))
    except LinkLost:
        raise
    except KangbanError:
        yield from give_up()
        raise


def _collect(sensor: Sensor, transfer: CgmTransfer) -> Generator[Ask, Heard | None, Response]:
    while True:
        heard = yield Listen(wait_s=RECORD_WAIT_S)
        if heard is None:
            raise TryAgain(
                f"The sensor sent nothing for {RECORD_WAIT_S:.0f} s in the middle of its records; "
                "leave it near the gateway."
            )
        try:
            if heard.characteristic == MEASUREMENT:
                for record in sensor.records(heard.data):
                    transfer.hear(record)
            elif heard.characteristic == RECORD_ACCESS:
                answer = record_access.decode(heard.data)
                if isinstance(answer, Response) and answer.request == record_access.REPORT:
                    return answer
        except CannotDecode as error:
            transfer.refuse()
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
            continue
        yield from _keep(sensor, transfer.ready())


def _keep(sensor: Sensor, records: Iterable[CgmRecord]) -> Talk:
    for record in records:
        yield Keep(reading=sensor.reading(record))


def _listen(sensor: Sensor) -> Talk:
    """Keeps what the sensor measures while we are there; all that is older is on disk by now.

    A value that did not arrive whole ends the visit: no later one may be kept before it is read.
    """
    for _ in range(LIVE_VALUES):
        try:
            heard = yield Listen(wait_s=LIVE_WAIT_S)
        except LinkLost:
            # all that was asked for has come
            return
        if heard is None:
            return
        if heard.characteristic != MEASUREMENT:
            continue
        try:
            records = sensor.records(heard.data)
        except CannotDecode as error:
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
            return
        yield from _keep(sensor, sorted(records, key=lambda each: each.time_offset_min))


DRIVER = Driver(
    kind="cgm",
    service="181F",
    zh="动态血糖仪",
    en="Continuous glucose monitor",
    talk=talk,
    decoders={
        MEASUREMENT: CgmMeasurement.decode,
        FEATURE: CgmFeature.decode,
        STATUS: CgmStatus.decode,
        SESSION_START: CgmSessionStart.decode,
        RUN_TIME: CgmRunTime.decode,
        CONTROL: SpecificOp.decode,
    },
    revisit_s=REVISIT_S,
)
