"""Glucose meters: Glucose Service (0x1808), from the first subscription to the last record.

A meter keeps its records and hands them over when asked through the Record Access Control Point.
Reading deletes nothing. Sequence numbers count up by one and are never used twice, whatever the
clock is set to. The bytes are in `glucose_record.py` (0x2A18, 0x2A34, 0x2A51) and
`record_access.py` (0x2A52); what may be kept when, in `glucose_transfer.py`.

Sources: Bluetooth SIG Glucose Service 1.0.1 and Glucose Profile 1.0.1.
"""

from collections.abc import Generator, Iterable

from gateway_agent.drivers import record_access
from gateway_agent.drivers.current_time import see_clock
from gateway_agent.drivers.device_information import about
from gateway_agent.drivers.glucose_record import (
    CONTEXT,
    FEATURE,
    MEASUREMENT,
    GlucoseContext,
    GlucoseFeature,
    GlucoseMeasurement,
)
from gateway_agent.drivers.glucose_transfer import Transfer
from gateway_agent.drivers.record_access import (
    RECORD_ACCESS,
    REPORT_LAST,
    Command,
    Response,
    report_from,
)
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
    Refused,
    Subscribe,
    Talk,
    Visit,
)
from vitals.errors import KangbanError, MendDevice, TryAgain
from vitals.measurement import Reading

# seconds; a Generic Attribute procedure times out after 30 (Core specification, Vol 3 Part F
# §3.3.3), and record access waits as long for its next record (unconfirmed for the Glucose Profile)
RECORD_WAIT_S = 30.0

# seconds; a meter is on air only after a test or at a key press, an engineering choice
REVISIT_S = 60.0

# A meter that answers so does not know "from this number on" (some answer 5 where nothing is newer)
_ASK_FOR_ALL = {
    record_access.OPERATOR_INVALID,
    record_access.OPERATOR_UNKNOWN,
    record_access.OPERAND_INVALID,
    record_access.OPERAND_UNKNOWN,
}
_DONE = {record_access.SUCCESS, record_access.NO_RECORDS}
_AWAY = {record_access.NOT_COMPLETED, record_access.BUSY}


def talk(visit: Visit) -> Talk:
    """One visit to a meter: clock, what it is, and every record after the last one on disk.

    Raises TryAgain where the meter went away before the end, MendDevice where it refuses; what had
    come by then is kept.
    """
    yield Subscribe(characteristic=MEASUREMENT)
    yield Subscribe(characteristic=CONTEXT, optional=True)
    yield Subscribe(characteristic=RECORD_ACCESS)
    yield from see_clock()
    yield from about()
    # Glucose Profile: the collector reads the features before it asks for records
    yield Read(characteristic=FEATURE)
    last = -1 if visit.last_sequence is None else visit.last_sequence
    transfer = Transfer(after=last)
    try:
        said = (yield from counted(_request(after=last))) or 0
        yield from _fetch(transfer, after=last)
        if transfer.refused:
            # one more time from the last good record: a bad moment on the air is not a bad record
            yield from _fetch(transfer, after=max(last, transfer.resume_after()))
        elif transfer.came < said:
            yield from _fetch(transfer, after=last)
    except KangbanError:
        yield from _keep(transfer, transfer.cut())
        raise
    yield from _keep(transfer, transfer.finish())
    if transfer.came < said:
        yield shortfall(said=said, came=transfer.came)
    for orphan, data in transfer.orphans():
        yield Refused(
            characteristic=CONTEXT,
            data=data,
            reason=f"context of record {orphan.sequence_number}, which the meter did not send.",
        )


def _fetch(transfer: Transfer, after: int) -> Talk:
    """Asks for every record after this number; for all where it is -1 or the meter cannot."""
    command = _request(after)
    response = yield from _report(transfer, command)
    if command.operator != record_access.ALL:
        ask_for_all = response.code in _ASK_FOR_ALL
        if response.code == record_access.NO_RECORDS:
            ask_for_all = yield from _began_anew(after)
        if ask_for_all:
            response = yield from _report(transfer, report_from(None))
    if response.code in _AWAY:
        raise TryAgain(f"The meter stopped before the end ({response.text()}); leave it near.")
    if response.code not in _DONE:
        raise MendDevice(
            f"The meter refuses to hand over its records ({response.text()}). Switch it off and on "
            "and let it send again; if it stays so, report its model."
        )


def _request(after: int) -> Command:
    return report_from(None if after < 0 else after + 1)


def _began_anew(after: int) -> Generator[Ask, Heard | None, bool]:
    """Does the meter count from 1 again, so that all it has lies below our mark? False in doubt.

    Numbers are never used twice, but a meter whose memory was cleared may begin anew: "nothing is
    newer" would then be its answer for years.
    """
    # what is only looked at is not kept
    looked_at = Transfer(after=after)
    try:
        yield from _report(looked_at, REPORT_LAST)
    except KangbanError:
        # it went away, or does not know the question: what was asked first is answered
        return False
    return 0 <= looked_at.highest < after


def _report(transfer: Transfer, command: Command) -> Generator[Ask, Heard | None, Response]:
    yield from request(command)
    try:
        return (yield from _collect(transfer))
    except LinkLost:
        raise
    except KangbanError:
        yield from give_up()
        raise


def _collect(transfer: Transfer) -> Generator[Ask, Heard | None, Response]:
    while True:
        heard = yield Listen(wait_s=RECORD_WAIT_S)
        if heard is None:
            raise TryAgain(
                f"The meter sent nothing for {RECORD_WAIT_S:.0f} s in the middle of its records; "
                "leave it near the gateway and let it send again."
            )
        try:
            response = _take(transfer, heard)
        except CannotDecode as error:
            transfer.refuse()
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
            continue
        if response is not None:
            return response
        yield from _keep(transfer, transfer.ready())


def _keep(transfer: Transfer, readings: Iterable[Reading]) -> Talk:
    """Keeps readings in rising order; after one that could not be kept, no higher one may be."""
    for reading in readings:
        try:
            yield Keep(reading=reading)
        except KangbanError:
            transfer.give_up()
            raise


def _take(transfer: Transfer, heard: Heard) -> Response | None:
    """Takes a notification in; the meter's last word on the request where this is it."""
    if heard.characteristic == MEASUREMENT:
        transfer.hear_measurement(GlucoseMeasurement.decode(heard.data), heard.data)
    elif heard.characteristic == CONTEXT:
        transfer.hear_context(GlucoseContext.decode(heard.data), heard.data)
    elif heard.characteristic == RECORD_ACCESS:
        answer = record_access.decode(heard.data)
        if isinstance(answer, Response) and answer.request == record_access.REPORT:
            return answer
    return None


DRIVER = Driver(
    kind="glucose_meter",
    service="1808",
    zh="血糖仪",
    en="Glucose meter",
    talk=talk,
    decoders={
        MEASUREMENT: GlucoseMeasurement.decode,
        CONTEXT: GlucoseContext.decode,
        FEATURE: GlucoseFeature.decode,
        **record_access.DECODERS,
    },
    revisit_s=REVISIT_S,
)
