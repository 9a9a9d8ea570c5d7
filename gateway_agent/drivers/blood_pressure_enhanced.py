"""Enhanced blood pressure (0x2B34, 0x2B35): what cuffs of Blood Pressure Service 1.1 may also send.

    Enhanced Blood Pressure Measurement 0x2B34, 7-21 octets
    field                   type    unit                                   if
    flags                   u8
    systolic, diastolic,    SFLOAT  mmHg (bit 0 = 0), kPa (bit 0 = 1)
    mean arterial pressure
    time stamp              u32     seconds since the epoch                bit 1
    pulse rate              SFLOAT  beats per minute                       bit 2
    user id                 u8      0-254, 255 unknown                     bit 3
    measurement status      u16     bits as in 0x2A35                      bit 4
    user-facing time        u32     seconds since the epoch                bit 5
    (epoch: 1900-01-01 where bit 6 = 0, 2000-01-01 where bit 6 = 1)

    Enhanced Intermediate Cuff Pressure 0x2B35: the same with one pressure in the place of three

    848650500 s after 2000 is 2026-11-22 08:15:00: `04 61 95 32`

A cuff may send one measurement in both forms, 0x2A35 and 0x2B34: `Twins` tells, so that it is kept
once. The user-facing time is what the cuff shows. What the bare time stamp counts (UTC, or a clock
that nobody set) is not said in any text that could be read: a reading that has nothing else is
marked with a time fault.

Sources: Bluetooth SIG Blood Pressure Service 1.1.1 and GATT Specification Supplement (fields and
their order); bit 6 is second-hand, from implementations. May hold: these formats and what tells two
forms of one measurement. May not: asking; records (`blood_pressure_record.py`).
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway_agent.gatt import Cursor, Number, Special, encode_sfloat, number_document, u16

MEASUREMENT = "2B34"
CUFF_PRESSURE = "2B35"

_KPA, _TIME, _PULSE, _USER, _STATUS, _SHOWN, _SINCE_2000 = (1 << bit for bit in range(7))
_OCTETS = {_TIME: 4, _PULSE: 2, _USER: 1, _STATUS: 2, _SHOWN: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What follows the pressures. None: the field is absent; times in seconds since the epoch."""

    time_stamp_s: int | None = None
    pulse_rate: Number | None = None
    user_id: int | None = None
    status: int | None = None
    shown_s: int | None = None
    since_2000: bool = True

    @classmethod
    def read(cls, cursor: Cursor, flags: int) -> "Tail":
        """The fields that these flags name."""
        time_stamp_s = _u32(cursor) if flags & _TIME else None
        pulse_rate = cursor.sfloat() if flags & _PULSE else None
        user_id = cursor.u8() if flags & _USER else None
        status = cursor.u16() if flags & _STATUS else None
        return cls(
            time_stamp_s=time_stamp_s,
            pulse_rate=pulse_rate,
            user_id=user_id,
            status=status,
            shown_s=_u32(cursor) if flags & _SHOWN else None,
            since_2000=bool(flags & _SINCE_2000),
        )

    def encode(self) -> tuple[int, bytes]:
        """The flags and the octets."""
        flags, data = _SINCE_2000 if self.since_2000 else 0, b""
        if self.time_stamp_s is not None:
            flags, data = flags | _TIME, data + self.time_stamp_s.to_bytes(4, "little")
        if self.pulse_rate is not None:
            flags, data = flags | _PULSE, data + encode_sfloat(self.pulse_rate)
        if self.user_id is not None:
            flags, data = flags | _USER, data + bytes((self.user_id,))
        if self.status is not None:
            flags, data = flags | _STATUS, data + u16(self.status)
        if self.shown_s is not None:
            flags, data = flags | _SHOWN, data + self.shown_s.to_bytes(4, "little")
        return flags, data

    def time_stamp(self) -> datetime | None:
        """The time stamp, naive."""
        return self._moment(self.time_stamp_s)

    def shown(self) -> datetime | None:
        """The user-facing time, naive."""
        return self._moment(self.shown_s)

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {}
        for name, moment in (("timestamp", self.time_stamp()), ("user_facing_time", self.shown())):
            if moment is not None:
                document[name] = moment.isoformat()
        if self.pulse_rate is not None:
            document |= number_document("pulse_rate", self.pulse_rate)
        if self.user_id is not None:
            document["user_id"] = self.user_id
        if self.status is not None:
            document["status"] = self.status
        return document

    def _moment(self, seconds: int | None) -> datetime | None:
        if seconds is None:
            return None
        epoch = datetime(2000 if self.since_2000 else 1900, 1, 1)  # noqa: DTZ001 - the cuff's own
        return epoch + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnhancedBloodPressure:
    """One 0x2B34 value, pressures in mmHg or kPa as measured."""

    systolic: Number
    diastolic: Number
    mean_arterial_pressure: Number = Special.NAN
    in_kpa: bool = False
    tail: Tail = Tail()

    @classmethod
    def decode(cls, data: bytes) -> "EnhancedBloodPressure":
        """The reading. Raises CannotDecode where the length is not what the flags say."""
        cursor, flags = _opened(data, 7, "Enhanced Blood Pressure Measurement")
        return cls(
            systolic=cursor.sfloat(),
            diastolic=cursor.sfloat(),
            mean_arterial_pressure=cursor.sfloat(),
            in_kpa=bool(flags & _KPA),
            tail=Tail.read(cursor, flags),
        )

    def encode(self) -> bytes:
        """7 to 20 octets."""
        flags, tail = self.tail.encode()
        numbers = (self.systolic, self.diastolic, self.mean_arterial_pressure)
        return bytes((flags | self.in_kpa,)) + b"".join(map(encode_sfloat, numbers)) + tail

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        return {
            **number_document("systolic", self.systolic),
            **number_document("diastolic", self.diastolic),
            **number_document("map", self.mean_arterial_pressure),
            "unit": "kPa" if self.in_kpa else "mmHg",
            **self.tail.document(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EnhancedCuffPressure:
    """One 0x2B35 value: the pressure while the cuff works. Never a reading."""

    cuff_pressure: Number
    in_kpa: bool = False
    tail: Tail = Tail()

    @classmethod
    def decode(cls, data: bytes) -> "EnhancedCuffPressure":
        """The pressure. Raises CannotDecode where the length is not what the flags say."""
        cursor, flags = _opened(data, 3, "Enhanced Intermediate Cuff Pressure")
        pressure = cursor.sfloat()
        return cls(cuff_pressure=pressure, in_kpa=bool(flags & _KPA), tail=Tail.read(cursor, flags))

    def encode(self) -> bytes:
        """3 to 16 octets."""
        flags, tail = self.tail.encode()
        return bytes((flags | self.in_kpa,)) + encode_sfloat(self.cuff_pressure) + tail

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        return {
            **number_document("cuff_pressure", self.cuff_pressure),
            "unit": "kPa" if self.in_kpa else "mmHg",
            **self.tail.document(),
        }


class Twins:
    """Which measurements of a visit came in both forms."""

    def __init__(self) -> None:
        self._alone: list[tuple[str, Hashable, frozenset[datetime]]] = []

    def is_second(self, form: str, what: Hashable, times: frozenset[datetime]) -> bool:
        """Has this come in the other form already? Each one counts once.

        `what` is what both forms say; `times` are the times of this form. Where both have times,
        one must be the same: equal pressures of two evenings are two measurements.
        """
        for each in self._alone:
            other, said, its_times = each
            same_time = not times or not its_times or not times.isdisjoint(its_times)
            if other != form and said == what and same_time:
                self._alone.remove(each)
                return True
        self._alone.append((form, what, times))
        return False


def _opened(data: bytes, fixed: int, name: str) -> tuple[Cursor, int]:
    cursor = Cursor(data, name)
    flags = cursor.u8()
    cursor.require(fixed + sum(size for bit, size in _OCTETS.items() if flags & bit))
    return cursor, flags


def _u32(cursor: Cursor) -> int:
    return int.from_bytes(cursor.take(4), "little")
