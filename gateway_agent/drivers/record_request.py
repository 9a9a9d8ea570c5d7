"""How a talk asks through the Record Access Control Point: one procedure at a time, ended well.

A device serves one request at a time. One that is still busy with an earlier one (of a link that
broke) says so; it is told to abort that and asked once more. A talk that gives up in the middle
aborts what is under way, or the device would stream into nothing and refuse the next visit. Before
a report the device may be asked how many records it will be: a shortfall can be noticed only so.

    ATT error     meaning                          what follows
    0x80, 0xFE    procedure already in progress    abort, and ask once more
    0x81, 0xFD    CCCD improperly configured       the subscription was lost: a person must help

Sources: Glucose Service 1.0.1 §1.6 (0x80, 0x81, as meters in the field still say), Core
Specification Supplement (0xFD, 0xFE). May hold: this order of asking. May not: what a record is.
"""

from collections.abc import Generator

from gateway_agent.drivers import record_access
from gateway_agent.drivers.record_access import (
    RECORD_ACCESS,
    STOP,
    Command,
    NumberOfRecords,
    Response,
    number_of,
)
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import Ask, Heard, Listen, Refusal, Refused, Write
from vitals.errors import KangbanError, MendDevice, TryAgain

IN_PROGRESS = frozenset({0x80, 0xFE})
NOT_CONFIGURED = frozenset({0x81, 0xFD})

# seconds for the answer to an abort or to a count, which moves no records; an engineering choice
ANSWER_WAIT_S = 5.0
# values that may still be on their way when an abort is written: more than any meter stores; an
# engineering choice
_STRAY = 4096

Asking = Generator[Ask, Heard | None, None]


def request(command: Command) -> Asking:
    """Writes a request; returns when the device has taken it.

    Raises TryAgain where it stays busy with an earlier one, MendDevice where it denies the request.
    """
    try:
        yield from _write(command)
    except Refusal as error:
        if error.att_error not in IN_PROGRESS:
            raise
        yield from _free()
        yield from _write(command)


def counted(report: Command) -> Generator[Ask, Heard | None, int | None]:
    """How many records a report would bring; None where the device does not say."""
    try:
        yield from request(number_of(report))
    except Refusal:
        # a device that cannot count may still report
        return None
    answer = yield from _answer_to(record_access.REPORT_NUMBER)
    return answer.number if isinstance(answer, NumberOfRecords) else None


def give_up() -> Asking:
    """Ends what is under way, as well as it can be done; raises nothing."""
    try:
        yield Write(characteristic=RECORD_ACCESS, data=STOP.encode())
        yield from _answer_to(record_access.ABORT)
    except KangbanError:
        # the link is down, or the device has nothing under way: then there is nothing to end
        return


def shortfall(*, said: int, came: int) -> Refused:
    """The remark that fewer records came than the device had counted, twice."""
    return Refused(
        characteristic=RECORD_ACCESS,
        data=NumberOfRecords(number=said).encode(),
        reason=f"the device counted {said} records and sent {came}, also when asked once more.",
    )


def _write(command: Command) -> Asking:
    try:
        yield Write(characteristic=RECORD_ACCESS, data=command.encode())
    except Refusal as error:
        if error.att_error in NOT_CONFIGURED:
            raise MendDevice(
                "The device has lost the subscription to its records: remove its pairing with this "
                "gateway, switch it off and on, and add it again."
            ) from error
        raise


def _free() -> Asking:
    """Has the device end an earlier request. Raises TryAgain where it goes on with that."""
    yield from _write(STOP)
    answer = yield from _answer_to(record_access.ABORT)
    if isinstance(answer, Response) and answer.code == record_access.ABORT_FAILED:
        raise TryAgain(
            "The device is still busy with an earlier request and does not end it; leave it near "
            "and let it send again in a minute."
        )


def _answer_to(op_code: int) -> Generator[Ask, Heard | None, Response | NumberOfRecords | None]:
    """The answer to a request that moves no records; None where none came.

    What else arrives meanwhile belongs to an earlier request and is asked for again.
    """
    for _ in range(_STRAY):
        heard = yield Listen(wait_s=ANSWER_WAIT_S)
        if heard is None:
            return None
        if heard.characteristic != RECORD_ACCESS:
            continue
        try:
            answer = record_access.decode(heard.data)
        except CannotDecode:
            continue
        if isinstance(answer, NumberOfRecords) and op_code == record_access.REPORT_NUMBER:
            return answer
        if isinstance(answer, Response) and answer.request == op_code:
            return answer
    return None
