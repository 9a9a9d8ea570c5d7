"""Blood Pressure Record (0x2B36): a stored measurement of Blood Pressure Service 1.1, in segments.

    off  len  field
    0    1    segmentation header: bit 0 first, bit 1 last segment, bits 2-7 counter 0-63
    the first segment goes on with
    1    2    sequence number u16, for each user; 0 comes after 65535
    3    2    UUID of the characteristic that was recorded, u16 (0x2B34)
    5         its value, which goes on behind the header of the segments that follow
    the last ends with 2 octets E2E-CRC over the whole record where bit 6 of Blood Pressure Feature
    says so

A chain whose counter jumps, or that has no end, is refused whole. No driver asks for these records:
the filters of record access for this service, and whether the fields of the first segment come
again in later ones, could not be read in any text. Sources: Blood Pressure Service 1.1.1, GATT
Specification Supplement (fields); the bits of the header, the first segment alone having number and
UUID, and the CRC's seed are second-hand. May hold: this format. May not: asking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gateway_agent.drivers.crc import Seal, sealed
from gateway_agent.gatt import CannotDecode, Cursor, u16

RECORD = "2B36"

_FIRST, _LAST, _COUNTS = 0x01, 0x02, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One value of 0x2B36."""

    is_first: bool
    is_last: bool
    counter: int
    payload: bytes

    @classmethod
    def decode(cls, data: bytes) -> "Segment":
        """The segment; how long it is, its length alone says. Raises CannotDecode for none."""
        cursor = Cursor(data, "Blood Pressure Record")
        header = cursor.u8()
        return cls(
            is_first=bool(header & _FIRST),
            is_last=bool(header & _LAST),
            counter=header >> 2,
            payload=cursor.take(cursor.length - 1),
        )

    def encode(self) -> bytes:
        """1 octet and what it carries."""
        header = self.counter << 2 | (_FIRST if self.is_first else 0)
        return bytes((header | (_LAST if self.is_last else 0),)) + self.payload

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "first_segment": self.is_first,
            "last_segment": self.is_last,
            "counter": self.counter,
            "payload": self.payload.hex(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressureRecord:
    """A stored measurement: `value` is one of `characteristic` ("2B34")."""

    sequence_number: int
    characteristic: str
    value: bytes
    seal: Seal | None = None

    @classmethod
    def join(cls, segments: Sequence[Segment], *, has_crc: bool) -> "BloodPressureRecord":
        """The record in these segments. Raises CannotDecode where the chain is not whole, or its
        CRC is wrong."""
        ends = (segments[0].is_first, segments[-1].is_last) if segments else (False, False)
        inner = any(each.is_first for each in segments[1:]) or any(
            each.is_last for each in segments[:-1]
        )
        counted = all((one.counter + 1) % _COUNTS == two.counter for one, two in pairwise(segments))
        if not all(ends) or inner or not counted:
            raise CannotDecode(
                "Blood Pressure Record with a segment missing: refused whole. Read it again."
            )
        return cls._of(b"".join(each.payload for each in segments), has_crc=has_crc)

    @classmethod
    def _of(cls, data: bytes, *, has_crc: bool) -> "BloodPressureRecord":
        fields, crc = (data[:-2], data[-2:]) if has_crc else (data, b"")
        seal = Seal(crc=int.from_bytes(crc, "little"), actual=Seal.of(fields).crc)
        if has_crc and not seal.is_right:
            raise CannotDecode("Blood Pressure Record with a wrong CRC. Read it again.")
        cursor = Cursor(fields, "Blood Pressure Record")
        sequence_number, uuid = cursor.u16(), cursor.u16()
        return cls(
            sequence_number=sequence_number,
            characteristic=f"{uuid:04X}",
            value=cursor.take(cursor.length - 4),
            seal=seal if has_crc else None,
        )

    def sealed(self) -> "BloodPressureRecord":
        """The same with its right CRC."""
        return replace(self, seal=Seal.of(self._fields()))

    def split(self, octets: int, *, counter: int = 0) -> list[Segment]:
        """The segments of at most so many octets each, numbered from `counter` on."""
        data, room = self._fields() + sealed(self.seal), octets - 1
        parts = [data[n : n + room] for n in range(0, len(data), room)]
        return [
            Segment(
                is_first=place == 0,
                is_last=place == len(parts) - 1,
                counter=(counter + place) % _COUNTS,
                payload=part,
            )
            for place, part in enumerate(parts)
        ]

    def _fields(self) -> bytes:
        return u16(self.sequence_number) + u16(int(self.characteristic, 16)) + self.value


DECODERS: dict[str, Callable[[bytes], object]] = {RECORD: Segment.decode}
