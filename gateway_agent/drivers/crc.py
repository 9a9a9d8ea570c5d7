"""E2E-CRC: the check sum that a health service may append to its values.

Polynomial D16 + D12 + D5 + 1 (0x1021), seed 0xFFFF, least significant bit first, nothing added at
the end: the catalogues call it CRC-16/MCRF4XX. It stands at the end of a value, least significant
octet first, over all octets before it.

    "123456789" 0x6F91 · `3E 01 02 03 04 05 06 07 08 09` 0x2F01, sent as `01 2F`

Not CRC-16/CCITT-FALSE (0x29B1 for "123456789"). Source: Continuous Glucose Monitoring Service 1.0.2
§3.11 with its test vector, as carried by public implementations. May hold: this sum. May not: where
a service has it.
"""

from dataclasses import dataclass, field

from gateway_agent.gatt import Cursor, u16

# 0x1021 with its bits reversed
_POLYNOMIAL = 0x8408
_SEED = 0xFFFF


def crc16(data: bytes) -> int:
    """The sum over all octets, 16 bits."""
    crc = _SEED
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ _POLYNOMIAL if crc & 1 else crc >> 1
    return crc


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The sum that a value brought, and the one that its octets have (None: nobody looked)."""

    crc: int
    actual: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, data: bytes) -> "Seal":
        """The right one for these octets."""
        return cls(crc=crc16(data), actual=crc16(data))

    @property
    def is_right(self) -> bool:
        """Is it the sum of the octets?"""
        return self.crc == self.actual

    def encode(self) -> bytes:
        """2 octets."""
        return u16(self.crc)

    def document(self) -> dict[str, object]:
        """Whether it is right, and what it should be where it is not."""
        return {"crc_ok": True} if self.is_right else {"crc_ok": False, "actual_crc": self.actual}


def opened(data: bytes, length: int, name: str) -> tuple[Cursor, Seal | None]:
    """A cursor over a value of `length` octets, and the seal behind them where there is one.

    Raises CannotDecode unless the value has so many octets, or 2 more.
    """
    cursor = Cursor(data, name)
    if cursor.length != length + 2:
        cursor.require(length)
        return cursor, None
    crc = int.from_bytes(data[length:], "little")
    return cursor, Seal(crc=crc, actual=crc16(data[:length]))


def sealed(seal: Seal | None) -> bytes:
    """What stands behind the fields of a value: its seal, or nothing."""
    return b"" if seal is None else seal.encode()


def seal_document(seal: Seal | None) -> dict[str, object]:
    """What is to be said of a seal; nothing where there is none."""
    return {} if seal is None else seal.document()


def is_intact(seal: Seal | None, *, wanted: bool) -> bool:
    """Did a value arrive as it was sent? `wanted`: its service seals every value."""
    return not wanted if seal is None else seal.is_right
