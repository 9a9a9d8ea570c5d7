"""Record Access Control Point (0x2A52): asking a meter for its stored records.

    off  len  type  field
    0    1    u8    op code: 1 report, 2 delete, 3 abort, 4 report number of records,
                    5 number of records (answer), 6 response code (answer)
    1    1    u8    operator: 0 null, 1 all, 2 <=, 3 >=, 4 within range, 5 first, 6 last
    2    n          operand: filter type u8 and one value, or two for a range;
                    op code 5: u16 number of records; op code 6: request op code u8, code u8

    filter types    Glucose 1 sequence number u16, 2 user-facing time 7 octets; Continuous Glucose
                    Monitoring 1 time offset u16, minutes; Pulse Oximeter none: all or nothing

    report all `01 01` · report >= 42 `01 03 01 2A 00` · report last `01 06` · count all `04 01`
    success `06 00 01 01` · no records found `06 00 01 06` (normal: nothing new)
    abort `03 00`, answered `06 00 03 01`, or `06 00 03 07` where the device goes on

Records leave a meter only by op code 2, which this gateway never sends; how a talk asks is in
`record_request.py`. Sources: Glucose Service 1.0.1 §3.4, Continuous Glucose Monitoring Service
1.0.2, GATT Specification Supplement (Record Access Control Point). Op codes 7 and 8 and the counts
of 32 bits of the Generic Health Sensor Service are not read here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway_agent.gatt import CannotDecode, Cursor, DateTime, u16

RECORD_ACCESS = "2A52"

# op codes
REPORT, DELETE, ABORT, REPORT_NUMBER, NUMBER, RESPONSE = 1, 2, 3, 4, 5, 6
# operators
NULL, ALL, AT_MOST, AT_LEAST, RANGE, FIRST, LAST = 0, 1, 2, 3, 4, 5, 6
# filter types of the Glucose Service
BY_SEQUENCE, BY_TIME = 1, 2
# filter type of the Continuous Glucose Monitoring Service: minutes since the session began
BY_OFFSET = 1

# the filter types that each service has
FILTERS: dict[str, frozenset[int]] = {
    "1808": frozenset({BY_SEQUENCE, BY_TIME}),
    "181F": frozenset({BY_OFFSET}),
    "1822": frozenset(),
}

# response codes
SUCCESS, OP_CODE_UNKNOWN, OPERATOR_INVALID, OPERATOR_UNKNOWN, OPERAND_INVALID = 1, 2, 3, 4, 5
NO_RECORDS, ABORT_FAILED, NOT_COMPLETED, OPERAND_UNKNOWN, BUSY = 6, 7, 8, 9, 10

RESPONSE_TEXT = {
    SUCCESS: "success",
    OP_CODE_UNKNOWN: "op code not supported",
    OPERATOR_INVALID: "invalid operator",
    OPERATOR_UNKNOWN: "operator not supported",
    OPERAND_INVALID: "invalid operand",
    NO_RECORDS: "no records found",
    ABORT_FAILED: "abort unsuccessful",
    NOT_COMPLETED: "procedure not completed",
    OPERAND_UNKNOWN: "operand not supported",
    BUSY: "server busy",
}

# values that follow each operator
_VALUES = {NULL: 0, ALL: 0, AT_MOST: 1, AT_LEAST: 1, RANGE: 2, FIRST: 0, LAST: 0}
# octets of one value of each filter type
_VALUE_OCTETS = {BY_SEQUENCE: 2, BY_TIME: 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A request to a meter. `low` and `high` are sequence numbers (of a CGM minutes since its
    session began) or times, as the filter says.

    AT_MOST has `high` alone, AT_LEAST `low` alone, RANGE both (inclusive), the others none.
    """

    op_code: int
    operator: int = NULL
    filter_type: int | None = None
    low: int | DateTime | None = None
    high: int | DateTime | None = None

    @classmethod
    def decode(cls, data: bytes) -> "Command":
        """The request. Raises CannotDecode for an operand that its operator does not have.

        An unknown op code or operator is no error here: a meter answers it with a response code.
        """
        cursor = Cursor(data, "Record Access Control Point")
        op_code, operator = cursor.u8(), cursor.u8()
        count = _VALUES.get(operator, 0)
        if not count:
            cursor.require(2)
            return cls(op_code=op_code, operator=operator)
        filter_type = cursor.u8()
        if filter_type not in _VALUE_OCTETS:
            raise CannotDecode(f"filter type {filter_type} is not one of a service read here.")
        cursor.require(3 + count * _VALUE_OCTETS[filter_type])
        values = [
            cursor.u16() if filter_type == BY_SEQUENCE else cursor.date_time() for _ in range(count)
        ]
        return cls(
            op_code=op_code,
            operator=operator,
            filter_type=filter_type,
            low=None if operator == AT_MOST else values[0],
            high=None if operator == AT_LEAST else values[-1],
        )

    def encode(self) -> bytes:
        """2 octets, or more with an operand."""
        data = bytes((self.op_code, self.operator))
        if self.filter_type is not None:
            data += bytes((self.filter_type,))
        for value in (self.low, self.high):
            if value is not None:
                data += value.encode() if isinstance(value, DateTime) else u16(value)
        return data

    def document(self) -> dict[str, object]:
        """The fields by name; an operand only where there is one."""
        document: dict[str, object] = {"opcode": self.op_code, "operator": self.operator}
        if self.filter_type is not None:
            document["filter_type"] = self.filter_type
        for name, value in (("minimum", self.low), ("maximum", self.high)):
            if value is not None:
                document[name] = value.text() if isinstance(value, DateTime) else value
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberOfRecords:
    """A meter's answer to REPORT_NUMBER."""

    number: int

    def encode(self) -> bytes:
        """4 octets: 3 records are `05 00 03 00`."""
        return bytes((NUMBER, NULL)) + u16(self.number)

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {"opcode": NUMBER, "number_of_records": self.number}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A meter's last word on a request; it comes after the last record."""

    request: int
    code: int

    def encode(self) -> bytes:
        """4 octets: success of a report is `06 00 01 01`."""
        return bytes((RESPONSE, NULL, self.request, self.code))

    def text(self) -> str:
        """The code in words."""
        return RESPONSE_TEXT.get(self.code, f"response code {self.code}")

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "opcode": RESPONSE,
            "request_opcode": self.request,
            "response_code": self.code,
            "meaning": self.text(),
        }


def decode(data: bytes) -> Command | NumberOfRecords | Response:
    """What stands in a value of 0x2A52, in either direction. Raises CannotDecode."""
    cursor = Cursor(data, "Record Access Control Point")
    op_code = cursor.u8()
    if op_code not in (NUMBER, RESPONSE):
        return Command.decode(data)
    cursor.require(4)
    cursor.u8()  # the operator is null in answers; whatever stands there says nothing
    if op_code == NUMBER:
        return NumberOfRecords(number=cursor.u16())
    return Response(request=cursor.u8(), code=cursor.u8())


DECODERS: dict[str, Callable[[bytes], object]] = {RECORD_ACCESS: decode}


# the request for the newest record
REPORT_LAST = Command(op_code=REPORT, operator=LAST)
# the request to end whatever is under way
STOP = Command(op_code=ABORT)


def report_from(sequence: int | None) -> Command:
    """The request for all records from this sequence number (or offset) on, or for all there are.

    Sequence numbers have 16 bits: what lies beyond asks for all (the spool knows what it has).
    """
    if sequence is None or not 0 <= sequence <= 0xFFFF:
        return Command(op_code=REPORT, operator=ALL)
    return Command(op_code=REPORT, operator=AT_LEAST, filter_type=BY_SEQUENCE, low=sequence)


def number_of(report: Command) -> Command:
    """The question how many records a report would bring."""
    return replace(report, op_code=REPORT_NUMBER)
