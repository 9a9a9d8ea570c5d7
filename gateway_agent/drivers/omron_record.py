"""Older Omron cuffs: one record of 14 octets as it lies in their memory. Not read by a driver yet.

These cuffs speak no Blood Pressure Service: their memory is read block by block over channels of
Omron's own, after a bond with a key that would have to be written into it, beside its calibration.
This gateway writes no cuff's memory. The format is here for support (`kangban gateway decode`).

    HEM-7142T2, little-endian                 HEM-7600T, big-endian
    off  len  field                           off  len  field
    0    1    systolic less 25, mmHg          0    1    diastolic, mmHg
    1    1    diastolic, mmHg                 1    1    systolic less 25, mmHg
    2    1    pulse per minute                2    1    year less 2000
    3    1    year less 2000                  3    1    pulse per minute
    4    2    u16: hour in bits 0-4, day 5-9, month 10-13; above: not understood
    6    2    u16: second in bits 0-5, minute 6-11; above: not understood
    8    6    not understood

A slot of FF is empty. Source: the records of real cuffs in eigger/hass-omron
(tests/test_record_parsers.py) with the values that the cuffs showed; the places of the fields are
read off those and agree with all of them. May hold: this format. May not: asking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from gateway_agent.gatt import Cursor, DateTime

LITTLE_ENDIAN, BIG_ENDIAN = "OMRON_14B_LE", "OMRON_14B_BE"

_OCTETS = 14
# mmHg that are taken off the systolic pressure so that it fits into an octet
_SYSTOLIC_LESS = 25
_EMPTY = b"\xff" * _OCTETS

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OmronRecord:
    """One slot of a cuff's memory: mmHg and beats per minute; `order` as its model has it.

    `rest` are the bits and octets that are not understood, as they came.
    """

    order: Order
    systolic: int
    diastolic: int
    pulse_rate: int
    time: DateTime
    rest: tuple[int, int, bytes]
    is_empty: bool = False

    @classmethod
    def decode(cls, data: bytes, order: Order) -> "OmronRecord":
        """The slot in 14 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Omron record")
        cursor.require(_OCTETS)
        four = cursor.take(4)
        day, moment = (int.from_bytes(cursor.take(2), order) for _ in range(2))
        systolic, diastolic, pulse, year = four if order == "little" else _swapped(four)
        return cls(
            order=order,
            systolic=systolic + _SYSTOLIC_LESS,
            diastolic=diastolic,
            pulse_rate=pulse,
            time=DateTime(
                year=2000 + year,
                month=day >> 10 & 0x0F,
                day=day >> 5 & 0x1F,
                hours=day & 0x1F,
                minutes=moment >> 6 & 0x3F,
                seconds=moment & 0x3F,
            ),
            rest=(day >> 14, moment >> 12, cursor.take(6)),
            is_empty=data == _EMPTY,
        )

    def encode(self) -> bytes:
        """14 octets."""
        time = self.time
        four = bytes(
            (self.systolic - _SYSTOLIC_LESS, self.diastolic, self.pulse_rate, time.year - 2000)
        )
        day = self.rest[0] << 14 | time.month << 10 | time.day << 5 | time.hours
        moment = self.rest[1] << 12 | time.minutes << 6 | time.seconds
        data = four if self.order == "little" else _swapped(four)
        data += day.to_bytes(2, self.order) + moment.to_bytes(2, self.order)
        return data + self.rest[2]

    def document(self) -> dict[str, object]:
        """The fields by name; of an empty slot, that it is."""
        if self.is_empty:
            return {"empty_slot": True}
        return {
            "systolic": self.systolic,
            "diastolic": self.diastolic,
            "pulse_rate": self.pulse_rate,
            "timestamp": self.time.text(),
        }


def _swapped(four: bytes) -> bytes:
    """Systolic, diastolic, pulse, year from diastolic, systolic, year, pulse, and back."""
    return bytes((four[1], four[0], four[3], four[2]))


DECODERS: dict[str, Callable[[bytes], object]] = {
    LITTLE_ENDIAN: partial(OmronRecord.decode, order="little"),
    BIG_ENDIAN: partial(OmronRecord.decode, order="big"),
}
