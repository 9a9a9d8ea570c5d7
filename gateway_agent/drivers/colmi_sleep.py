"""A ring's nights: the sleep log of the Colmi R02 family, from its big-data service.

The bytes are in the table of `colmi_packet.py`. A log comes in several notifications; the first
says how long the whole is. May hold: this format. May not: asking, what is kept.
"""

from dataclasses import dataclass

from gateway_agent.drivers.colmi_packet import DEEP, LIGHT, REM
from gateway_agent.gatt import CannotDecode, Cursor, u16

REQUEST = bytes.fromhex("BC270100FF00FF")

# magic, kind, length u16, CRC u16
HEAD = 6
_MAGIC, _SLEEP = 0xBC, 0x27
# start and end
_LIMITS = 4
_ASLEEP = (LIGHT, DEEP, REM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night; it ended `days_ago` at `end_min` of that day. `stages`: (stage, minutes)."""

    days_ago: int
    start_min: int
    end_min: int
    stages: tuple[tuple[int, int], ...]

    @property
    def asleep_min(self) -> int:
        """Minutes asleep: light, deep and REM, not those awake."""
        return sum(minutes for stage, minutes in self.stages if stage in _ASLEEP)

    def encode(self) -> bytes:
        """6 octets and 2 for each stage."""
        body = u16(self.start_min) + u16(self.end_min)
        body += bytes(octet for pair in self.stages for octet in pair)
        return bytes((self.days_ago, len(body))) + body

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "days_ago": self.days_ago,
            "start_min": self.start_min,
            "end_min": self.end_min,
            "asleep_min": self.asleep_min,
            "stages": [list(each) for each in self.stages],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepLog:
    """All nights that a ring still holds."""

    nights: tuple[Night, ...]
    crc: int = 0

    @classmethod
    def decode(cls, data: bytes) -> "SleepLog":
        """The log, reassembled. Raises CannotDecode where its lengths do not fit each other."""
        cursor = Cursor(data, "Colmi sleep log")
        if (cursor.u8(), cursor.u8()) != (_MAGIC, _SLEEP):
            raise CannotDecode("Colmi big data, but no sleep log: refused.")
        cursor.require(HEAD + cursor.u16())
        crc, days = cursor.u16(), cursor.u8()
        nights = tuple(_night(cursor) for _ in range(days))
        log = cls(nights=nights, crc=crc)
        if len(log.encode()) != cursor.length:
            raise CannotDecode("Colmi sleep log with octets behind its last night: refused whole.")
        return log

    def encode(self) -> bytes:
        """7 octets and the nights."""
        body = bytes((len(self.nights),)) + b"".join(each.encode() for each in self.nights)
        return bytes((_MAGIC, _SLEEP)) + u16(len(body)) + u16(self.crc) + body

    def document(self) -> dict[str, object]:
        """The nights by name."""
        return {"nights": [each.document() for each in self.nights]}


def whole_length(data: bytes) -> int | None:
    """How many octets a log has that begins so; None where it does not say yet, or is none."""
    if len(data) < HEAD or data[:2] != bytes((_MAGIC, _SLEEP)):
        return None
    return HEAD + int.from_bytes(data[2:4], "little")


def _night(cursor: Cursor) -> Night:
    days_ago, octets = cursor.u8(), cursor.u8()
    if octets < _LIMITS or octets % 2:
        raise CannotDecode(f"Colmi sleep log with a night of {octets} octets: refused whole.")
    start_min, end_min = cursor.u16(), cursor.u16()
    stages = tuple((cursor.u8(), cursor.u8()) for _ in range((octets - _LIMITS) // 2))
    return Night(days_ago=days_ago, start_min=start_min, end_min=end_min, stages=stages)
