"""The number and time formats of the Bluetooth health profiles, and a cursor that cannot overrun.

Every decoder here is handed a whole value and first says how long it must be: a value that is
shorter or longer is refused whole, so that half a record never passes for one. Numbers are exact
decimals; what is not a number is a `Special`. May hold: formats shared by several drivers. May not:
any characteristic of one profile, any I/O, any clock.

    SFLOAT  2 octets: bits 0-11 mantissa, 12-15 exponent, both two's complement; m * 10**e
    FLOAT   4 octets: bits 0-23 mantissa, 24-31 exponent
    Date Time (0x2A08)  7 octets: year u16, month u8, day u8, hours u8, minutes u8, seconds u8

Sources: IEEE 11073-20601 (medical floats), Bluetooth SIG Personal Health Devices Transcoding white
paper v16 §2.2.6, GATT Specification Supplement (Date Time).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

from vitals.errors import MendData


class CannotDecode(MendData):
    """A value that no decoder takes: too short, too long, or not of its characteristic."""


class Decoded(Protocol):
    """What every decoder gives back."""

    def document(self) -> dict[str, object]:
        """The fields by name, ready for JSON."""
        ...


class Special(Enum):
    """A medical float that is not a number; the words are those of IEEE 11073-20601."""

    NAN = "NaN"
    NRES = "NRes"
    POSITIVE_INFINITY = "+INF"
    NEGATIVE_INFINITY = "-INF"
    RESERVED = "reserved"
    # the mantissa of a special word beside an exponent that is not 0: nobody may send it
    SUSPECT = "suspect"


Number = Decimal | Special

# The special words, in the order of their distance above the largest usable mantissa:
# SFLOAT 0x07FE +INF, 0x07FF NaN, 0x0800 NRes, 0x0801 reserved, 0x0802 -INF (exponent 0);
# FLOAT 0x007FFFFE … 0x00800002 the same. IEEE 11073-20601, transcoding white paper §2.2.6.
_SPECIALS = (
    Special.POSITIVE_INFINITY,
    Special.NAN,
    Special.NRES,
    Special.RESERVED,
    Special.NEGATIVE_INFINITY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Width:
    """A medical float of so many bits."""

    mantissa: int
    exponent: int

    @property
    def first_special(self) -> int:
        return (1 << (self.mantissa - 1)) - 2

    @property
    def octets(self) -> int:
        return (self.mantissa + self.exponent) // 8


_SFLOAT = _Width(mantissa=12, exponent=4)
_FLOAT = _Width(mantissa=24, exponent=8)


def decode_sfloat(data: bytes) -> Number:
    """The number in 2 octets: `72 F0` is 11.4. Raises CannotDecode for any other length."""
    return _decode(data, _SFLOAT, "SFLOAT")


def decode_float(data: bytes) -> Number:
    """The number in 4 octets: `6E 01 00 FF` is 36.6. Raises CannotDecode for any other length."""
    return _decode(data, _FLOAT, "FLOAT")


def encode_sfloat(number: Number) -> bytes:
    """2 octets: Decimal("11.4") is `72 F0`. Digits that do not fit are rounded, never wrapped.

    What is too large becomes an infinity. Raises MendData for SUSPECT, which nobody may send.
    """
    return _encode(number, _SFLOAT)


def encode_float(number: Number) -> bytes:
    """4 octets: Decimal("36.6") is `6E 01 00 FF`; otherwise as `encode_sfloat`."""
    return _encode(number, _FLOAT)


def _decode(data: bytes, width: _Width, name: str) -> Number:
    require_length(data, width.octets, name)
    word = int.from_bytes(data, "little")
    bits = word & ((1 << width.mantissa) - 1)
    place = bits - width.first_special
    if 0 <= place < len(_SPECIALS):
        return _SPECIALS[place] if word == bits else Special.SUSPECT
    mantissa = _signed(bits, width.mantissa)
    exponent = _signed(word >> width.mantissa, width.exponent)
    digits = tuple(int(digit) for digit in str(abs(mantissa)))
    return Decimal((int(mantissa < 0), digits, exponent))


def _signed(bits: int, width: int) -> int:
    return bits - (1 << width) if bits >> (width - 1) else bits


def _encode(number: Number, width: _Width) -> bytes:
    if isinstance(number, Special):
        if number is Special.SUSPECT:
            raise MendData("a suspect number cannot be sent: send NaN.")
        word = width.first_special + _SPECIALS.index(number)
        return word.to_bytes(width.octets, "little")
    mantissa, exponent = _fitted(number, width)
    if exponent >= 1 << (width.exponent - 1):
        infinite = Special.NEGATIVE_INFINITY if number < 0 else Special.POSITIVE_INFINITY
        return _encode(infinite, width)
    word = mantissa & ((1 << width.mantissa) - 1)
    word |= (exponent & ((1 << width.exponent) - 1)) << width.mantissa
    return word.to_bytes(width.octets, "little")


def _fitted(number: Decimal, width: _Width) -> tuple[int, int]:
    """Mantissa and exponent with as many of the number's own decimals as fit."""
    if not number.is_finite():
        raise MendData("not a finite number: send a Special instead.")
    largest = width.first_special - 1
    # a smaller exponent than the format has, and a larger mantissa, both cost digits
    lowest, highest = -(1 << (width.exponent - 1)), (1 << (width.exponent - 1)) - 1
    exponent = max(int(number.as_tuple().exponent), lowest)
    if number == 0:
        return 0, min(exponent, highest)
    exponent = max(exponent, number.adjusted() - len(str(largest)))
    while abs(mantissa := round(number.scaleb(-exponent))) > largest:
        exponent += 1
    while exponent > highest and abs(mantissa * 10) <= largest:
        mantissa, exponent = mantissa * 10, exponent - 1
    return mantissa, exponent


def number_document(name: str, number: Number) -> dict[str, object]:
    """`{name: 11.4}`; for what is no number its word, with the exact kind beside it if it differs.

    NRes is `{"pulse_rate": "NaN", "pulse_rate_special": "NRes"}`; a bare `value` has `special`.
    """
    if isinstance(number, Decimal):
        return {name: float(number)}
    if number in (Special.NAN, Special.POSITIVE_INFINITY, Special.NEGATIVE_INFINITY):
        return {name: number.value}
    beside = "special" if name == "value" else f"{name}_special"
    return {name: Special.NAN.value, beside: number.value}


def require_length(data: bytes, length: int, name: str) -> None:
    """Raises CannotDecode unless the value has exactly `length` octets."""
    if len(data) != length:
        raise CannotDecode(
            f"{name} of {len(data)} octets where {length} are needed: refused whole. "
            "Read the record again; if it stays so, report the device with this value."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTime:
    """A date and time as a device shows it: local, without zone, perhaps unknown or impossible.

    The fields are kept as they came; `moment()` says whether they mean anything.
    """

    year: int
    month: int
    day: int
    hours: int
    minutes: int
    seconds: int

    @classmethod
    def of(cls, moment: datetime) -> "DateTime":
        """The fields of a naive time, whole seconds."""
        return cls(
            year=moment.year,
            month=moment.month,
            day=moment.day,
            hours=moment.hour,
            minutes=moment.minute,
            seconds=moment.second,
        )

    @classmethod
    def decode(cls, data: bytes) -> "DateTime":
        """The fields in 7 octets. Raises CannotDecode for another length, nothing else."""
        require_length(data, 7, "Date Time")
        cursor = Cursor(data, "Date Time")
        return cursor.date_time()

    def encode(self) -> bytes:
        """7 octets: 2026-11-22 08:15:00 is `EA 07 0B 16 08 0F 00`."""
        tail = bytes((self.month, self.day, self.hours, self.minutes, self.seconds))
        return self.year.to_bytes(2, "little") + tail

    def moment(self) -> datetime | None:
        """The naive time meant, or None where it is unknown (year, month or day 0) or cannot be."""
        # GATT Specification Supplement, Date Time: years 1582-9999, 0 is unknown
        if not 1582 <= self.year <= 9999:
            return None
        try:
            return datetime(  # noqa: DTZ001 - a device's own time has no zone
                self.year, self.month, self.day, self.hours, self.minutes, self.seconds
            )
        except ValueError:
            return None

    def text(self) -> str:
        """The fields in ISO order, also where they are no time: 0000-04-17T20:41:59."""
        return (
            f"{self.year:04}-{self.month:02}-{self.day:02}"
            f"T{self.hours:02}:{self.minutes:02}:{self.seconds:02}"
        )

    def document(self) -> dict[str, object]:
        """The time as text, and where it is no time its parts as well."""
        return {"datetime": self.text(), **self.parts()}

    def parts(self) -> dict[str, object]:
        """The single fields, where together they are no time; nothing otherwise."""
        if self.moment() is not None:
            return {}
        return {
            "year": self.year,
            "month": self.month,
            "day": self.day,
            "hour": self.hours,
            "minute": self.minutes,
            "second": self.seconds,
        }


class Cursor:
    """Reads a value from its start; never beyond its end.

    Usage: the flags first, then `require` with the length that the flags promise, then the fields.
    Raises CannotDecode for any read beyond the end.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._data = bytes(data)
        self._name = name
        self._at = 0

    def require(self, length: int) -> None:
        """Raises CannotDecode unless the whole value has exactly `length` octets."""
        require_length(self._data, length, self._name)

    @property
    def length(self) -> int:
        """Octets of the whole value."""
        return len(self._data)

    def take(self, length: int) -> bytes:
        """The next `length` octets."""
        taken = self._data[self._at : self._at + length]
        if len(taken) != length:
            raise CannotDecode(
                f"{self._name} ends after {self.length} octets, in the middle of a field: refused "
                "whole. Read the record again."
            )
        self._at += length
        return taken

    def u8(self) -> int:
        """The next octet."""
        return self.take(1)[0]

    def u16(self) -> int:
        """The next 2 octets, least significant first."""
        return int.from_bytes(self.take(2), "little")

    def s16(self) -> int:
        """The next 2 octets as a signed number."""
        return int.from_bytes(self.take(2), "little", signed=True)

    def sfloat(self) -> Number:
        """The next 2 octets as a medical float."""
        return decode_sfloat(self.take(2))

    def float(self) -> Number:
        """The next 4 octets as a medical float."""
        return decode_float(self.take(4))

    def date_time(self) -> DateTime:
        """The next 7 octets as a date and time."""
        year = self.u16()
        month, day, hours, minutes, seconds = self.take(5)
        return DateTime(
            year=year, month=month, day=day, hours=hours, minutes=minutes, seconds=seconds
        )


def u16(number: int) -> bytes:
    """2 octets, least significant first."""
    return number.to_bytes(2, "little")
