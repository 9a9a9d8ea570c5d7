"""CGM Specific Ops Control Point (0x2AAC): intervals, calibration, alert levels, sessions.

    op code u8, operand, and 2 octets E2E-CRC where feature bit 12 says so

    set   get   answer  what                           operand of set and answer
    0x01  0x02  0x03    communication interval         u8 minutes; 0 none, 255 the shortest
    0x04  0x05  0x06    calibration                    10 octets, see below; get: record number u16
    0x07  0x08  0x09    patient high alert             SFLOAT mg/dL
    0x0A  0x0B  0x0C    patient low alert              SFLOAT mg/dL
    0x0D  0x0E  0x0F    hypo alert                     SFLOAT mg/dL
    0x10  0x11  0x12    hyper alert                    SFLOAT mg/dL
    0x13  0x14  0x15    rate of decrease alert         SFLOAT mg/dL per minute
    0x16  0x17  0x18    rate of increase alert         SFLOAT mg/dL per minute
    0x19                reset device-specific alert    none
    0x1A                start a session                none
    0x1B                stop the session               none
                0x1C    response                       request op code u8, code u8

    calibration: concentration SFLOAT mg/dL, time u16 minutes since the start, type and location u8
    (nibbles), next calibration u16 minutes, record number u16 (0xFFFF in a get: the last), status
    u8 (bit 0 rejected, 1 out of range, 2 under way)

    A set is answered by 0x1C, a get by its own answer, or by 0x1C where it fails.

This gateway sends none of these: to start or stop a session, to calibrate, to move an alert level
is a person's decision, and how often a sensor measures it need not know. Sources: Continuous
Glucose Monitoring Service 1.0.2, SIG characteristic XML of 2014 (its prose once calls 0x0F the
response; its enumeration says 0x1C). May hold: this format. May not: when to ask.
"""

from dataclasses import dataclass, replace
from typing import Literal

from gateway_agent.drivers.crc import Seal, opened, seal_document, sealed
from gateway_agent.gatt import CannotDecode, Cursor, Number, encode_sfloat, number_document, u16

CONTROL = "2AAC"

SET_INTERVAL, GET_INTERVAL, INTERVAL = 0x01, 0x02, 0x03
SET_CALIBRATION, GET_CALIBRATION, CALIBRATION = 0x04, 0x05, 0x06
START, STOP, RESPONSE = 0x1A, 0x1B, 0x1C

# response codes
SUCCESS, OP_CODE_UNKNOWN, OPERAND_INVALID, NOT_COMPLETED, OUT_OF_RANGE = 1, 2, 3, 4, 5
RESPONSE_TEXT = {
    SUCCESS: "success",
    OP_CODE_UNKNOWN: "op code not supported",
    OPERAND_INVALID: "invalid operand",
    NOT_COMPLETED: "procedure not completed",
    OUT_OF_RANGE: "parameter out of range",
}

_Operand = Literal["none", "u8", "u16", "sfloat", "calibration", "response"]
_OCTETS: dict[_Operand, int] = {
    "none": 0, "u8": 1, "u16": 2, "sfloat": 2, "calibration": 10, "response": 2,
}  # fmt: skip

# the alert levels: set, get, answer
_LEVELS = {
    "patient_high_alert": (0x07, 0x08, 0x09),
    "patient_low_alert": (0x0A, 0x0B, 0x0C),
    "hypo_alert": (0x0D, 0x0E, 0x0F),
    "hyper_alert": (0x10, 0x11, 0x12),
    "rate_decrease_alert": (0x13, 0x14, 0x15),
    "rate_increase_alert": (0x16, 0x17, 0x18),
}
# by op code: what its operand is called and what it is
OPERANDS: dict[int, tuple[str, _Operand]] = {
    SET_INTERVAL: ("interval_min", "u8"),
    GET_INTERVAL: ("", "none"),
    INTERVAL: ("interval_min", "u8"),
    SET_CALIBRATION: ("calibration", "calibration"),
    GET_CALIBRATION: ("record_number", "u16"),
    CALIBRATION: ("calibration", "calibration"),
    0x19: ("", "none"),
    START: ("", "none"),
    STOP: ("", "none"),
    RESPONSE: ("response", "response"),
}
for _name, (_set, _get, _answer) in _LEVELS.items():
    OPERANDS |= {_set: (_name, "sfloat"), _get: ("", "none"), _answer: (_name, "sfloat")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A calibration by a finger-stick: mg/dL, minutes since the session began."""

    concentration: Number
    time_min: int
    type: int = 1
    sample_location: int = 1
    next_time_min: int = 0
    record_number: int = 0
    status: int = 0

    def encode(self) -> bytes:
        """10 octets."""
        return (
            encode_sfloat(self.concentration)
            + u16(self.time_min)
            + bytes((self.sample_location << 4 | self.type,))
            + u16(self.next_time_min)
            + u16(self.record_number)
            + bytes((self.status,))
        )

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            **number_document("concentration_mgdl", self.concentration),
            "time_min": self.time_min,
            "type": self.type,
            "sample_location": self.sample_location,
            "next_time_min": self.next_time_min,
            "record_number": self.record_number,
            "calibration_status": self.status,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A sensor's last word on a set, or on a get that failed."""

    request: int
    code: int

    def text(self) -> str:
        """The code in words."""
        return RESPONSE_TEXT.get(self.code, f"response code {self.code}")


Operand = int | Number | Calibration | Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificOp:
    """One value of 0x2AAC in either direction; the type of `operand` is that of its op code."""

    op_code: int
    operand: Operand = None
    seal: Seal | None = None

    @classmethod
    def decode(cls, data: bytes) -> "SpecificOp":
        """The request or answer. Raises CannotDecode for an op code or a length that is none."""
        op_code = Cursor(data, "CGM Specific Ops Control Point").u8()
        if op_code not in OPERANDS:
            raise CannotDecode(
                f"CGM Specific Ops Control Point has no op code 0x{op_code:02X}; report the sensor."
            )
        _, kind = OPERANDS[op_code]
        cursor, seal = opened(data, 1 + _OCTETS[kind], "CGM Specific Ops Control Point")
        cursor.u8()
        return cls(op_code=op_code, operand=_operand(cursor, kind), seal=seal)

    def encode(self) -> bytes:
        """1 to 13 octets."""
        return self._fields() + sealed(self.seal)

    def sealed(self) -> "SpecificOp":
        """The same with its right CRC."""
        return replace(self, seal=Seal.of(self._fields()))

    def document(self) -> dict[str, object]:
        """The fields by name."""
        name, _ = OPERANDS[self.op_code]
        document: dict[str, object] = {"opcode": self.op_code}
        match self.operand:
            case None:
                pass
            case Outcome(request=request, code=code):
                document |= {"request_opcode": request, "response_code": code}
                document["meaning"] = self.operand.text()
            case Calibration():
                document |= self.operand.document()
            case int():
                document[name] = self.operand
            case _:
                document |= number_document(name, self.operand)
        return document | seal_document(self.seal)

    def _fields(self) -> bytes:
        _, kind = OPERANDS[self.op_code]
        match self.operand:
            case None:
                operand = b""
            case Outcome(request=request, code=code):
                operand = bytes((request, code))
            case Calibration():
                operand = self.operand.encode()
            case int():
                operand = self.operand.to_bytes(_OCTETS[kind], "little")
            case _:
                operand = encode_sfloat(self.operand)
        return bytes((self.op_code,)) + operand


def _operand(cursor: Cursor, kind: _Operand) -> Operand:
    match kind:
        case "none":
            return None
        case "u8":
            return cursor.u8()
        case "u16":
            return cursor.u16()
        case "sfloat":
            return cursor.sfloat()
        case "response":
            return Outcome(request=cursor.u8(), code=cursor.u8())
        case "calibration":
            return _calibration(cursor)


def _calibration(cursor: Cursor) -> Calibration:
    concentration, time_min, nibbles = cursor.sfloat(), cursor.u16(), cursor.u8()
    return Calibration(
        concentration=concentration,
        time_min=time_min,
        type=nibbles & 0x0F,
        sample_location=nibbles >> 4,
        next_time_min=cursor.u16(),
        record_number=cursor.u16(),
        status=cursor.u8(),
    )
