"""What a continuous glucose monitor measures: CGM Measurement (0x2AA7) and its features (0x2AA8).

    CGM Measurement 0x2AA7 (notify): one record or several, each by its size
    field                   type    unit                                     if
    size                    u8      octets of this record, itself included
    flags                   u8
    glucose                 SFLOAT  mg/dL
    time offset             u16     minutes since the session began
    annunciation: status    u8      bits 0-7                                 bit 7
    annunciation: cal/temp  u8      bits 8-15                                bit 6
    annunciation: warning   u8      bits 16-23                               bit 5
    trend                   SFLOAT  mg/dL per minute                         bit 0
    quality                 SFLOAT  per cent                                 bit 1
    E2E-CRC                 u16     over the fields before it                feature bit 12

    annunciation: 0 session stopped, 1 battery low, 2 sensor type incorrect, 3 sensor malfunction,
    4 device-specific alert, 5 general fault; 8 time synchronisation wanted, 9 calibration not
    allowed, 10 recommended, 11 required, 12 sensor too hot, 13 too cold; 16 below the patient's low
    level, 17 above the high level, 18 hypo, 19 hyper, 20 falling fast, 21 rising fast, 22 below,
    23 above what the sensor can measure

The CRC has no flag: it is there where the size is 2 more than the fields take. The order of the
annunciation octets is that of the bits; some sensors send them the other way round (warning first),
and a quirk says so: the octets are kept in the order in which they came.

    CGM Feature 0x2AA8 (read), 6 octets: features u24, type and location u8 (nibbles), CRC u16
    (always there; 0xFFFF where bit 12 is not set)

Sources: Continuous Glucose Monitoring Service 1.0.2, SIG characteristic XML of 2014, GATT
Specification Supplement. May hold: these two formats and what they mean. May not: sessions.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from gateway_agent.drivers.crc import Seal, opened, seal_document, sealed
from gateway_agent.gatt import (
    CannotDecode,
    Cursor,
    Number,
    Special,
    encode_sfloat,
    number_document,
    u16,
)
from vitals.measurement import Flag

MEASUREMENT = "2AA7"
FEATURE = "2AA8"

# size, flags, glucose, time offset
_SHORTEST = 6
# the flags that bring an annunciation octet, in the order of the octets
_ANNUNCIATED = (0x80, 0x40, 0x20)
_TREND, _QUALITY = 0x01, 0x02
_KNOWN = 0x80 | 0x40 | 0x20 | _TREND | _QUALITY

# CGM Feature bit 12: every characteristic of the service carries a CRC, record access excepted
E2E_CRC = 1 << 12
# CGM Feature: what stands in the place of a CRC where none is supported
UNSEALED = Seal(crc=0xFFFF)
# CGM Feature, sample location: control solution; type 10 the same
CONTROL_SOLUTION_LOCATION, CONTROL_SOLUTION_TYPE = 4, 10
SUBCUTANEOUS_TISSUE, INTERSTITIAL_FLUID = 5, 9

SESSION_STOPPED, SENSOR_TYPE, SENSOR_MALFUNCTION, DEVICE_FAULT = 1 << 0, 1 << 2, 1 << 3, 1 << 5
RESULT_TOO_LOW, RESULT_TOO_HIGH = 1 << 22, 1 << 23
# bits of the annunciation that are a doubt about the value; the others are remarks (alarm levels,
# calibration) that pages and rules judge for themselves
_FLAGS = {
    1: Flag.BATTERY_LOW,
    2: Flag.SENSOR_FAULT,
    3: Flag.SENSOR_FAULT,
    5: Flag.DEVICE_FAULT,
    8: Flag.TIME_FAULT,
    12: Flag.TEMPERATURE_TOO_HIGH,
    13: Flag.TEMPERATURE_TOO_LOW,
    22: Flag.RESULT_TOO_LOW,
    23: Flag.RESULT_TOO_HIGH,
}
# why a value is not shown, the first that fits
_WITHHELD = (
    (SESSION_STOPPED, "session_stopped"),
    (SENSOR_MALFUNCTION, "sensor_malfunction"),
    (SENSOR_TYPE, "sensor_type"),
    (DEVICE_FAULT, "device_fault"),
    (RESULT_TOO_LOW, "result_too_low"),
    (RESULT_TOO_HIGH, "result_too_high"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmRecord:
    """One record of 0x2AA7: mg/dL at `time_offset_min`. None: the field is absent.

    `status`, `cal_temp` and `warning` are the annunciation octets; `seal` its CRC as it came,
    right or wrong.
    """

    concentration: Number
    time_offset_min: int
    status: int | None = None
    cal_temp: int | None = None
    warning: int | None = None
    trend: Number | None = None
    quality: Number | None = None
    reserved_flags: int = 0
    seal: Seal | None = None

    @classmethod
    def decode(cls, data: bytes) -> "CgmRecord":
        """One whole record. Raises CannotDecode where its size is not what its flags say."""
        head = Cursor(data, "CGM Measurement")
        size, flags = head.u8(), head.u8()
        if size != head.length:
            raise CannotDecode(
                f"CGM Measurement record of {head.length} octets says that it has {size}: refused "
                "whole. Read the record again."
            )
        cursor, seal = opened(data, _length(flags), "CGM Measurement")
        cursor.take(2)
        concentration, time_offset_min = cursor.sfloat(), cursor.u16()
        octets = [cursor.u8() if flags & bit else None for bit in _ANNUNCIATED]
        trend = cursor.sfloat() if flags & _TREND else None
        quality = cursor.sfloat() if flags & _QUALITY else None
        return cls(
            concentration=concentration,
            time_offset_min=time_offset_min,
            status=octets[0],
            cal_temp=octets[1],
            warning=octets[2],
            trend=trend,
            quality=quality,
            reserved_flags=flags & ~_KNOWN,
            seal=seal,
        )

    def encode(self) -> bytes:
        """6 to 15 octets."""
        return self._fields() + sealed(self.seal)

    def sealed(self) -> "CgmRecord":
        """The same with its right CRC."""
        # the size is part of what is sealed, and the seal is part of the size
        with_any = replace(self, seal=Seal(crc=0))
        return replace(self, seal=Seal.of(with_any._fields()))

    def turned(self) -> "CgmRecord":
        """The same, its annunciation octets read in the order warning, cal/temp, status."""
        there = [
            name for name in ("status", "cal_temp", "warning") if getattr(self, name) is not None
        ]
        octets = [getattr(self, name) for name in there]
        return replace(self, **dict(zip(there, reversed(octets), strict=True)))

    @property
    def annunciation(self) -> int:
        """The 24 bits, 0 where an octet is absent."""
        return (self.status or 0) | (self.cal_temp or 0) << 8 | (self.warning or 0) << 16

    def flags(self) -> tuple[Flag, ...]:
        """The doubts of the annunciation, each once."""
        said = (flag for bit, flag in _FLAGS.items() if self.annunciation >> bit & 1)
        return tuple(dict.fromkeys(said))

    def withheld(self) -> str | None:
        """Why there is no value to show; None where there is one."""
        why = next((word for bit, word in _WITHHELD if self.annunciation & bit), None)
        if why is not None:
            return why
        if self.concentration is Special.POSITIVE_INFINITY:
            return "result_too_high"
        if self.concentration is Special.NEGATIVE_INFINITY:
            return "result_too_low"
        if not isinstance(self.concentration, Decimal):
            return "not_a_number"
        return "not_positive" if self.concentration <= 0 else None

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {
            **number_document("concentration_mgdl", self.concentration),
            "time_offset_min": self.time_offset_min,
        }
        for name in ("status", "cal_temp", "warning"):
            if (octet := getattr(self, name)) is not None:
                document[name] = octet
        if self.trend is not None:
            document |= number_document("trend", self.trend)
        if self.quality is not None:
            document |= number_document("quality_pct", self.quality)
        return document | seal_document(self.seal)

    def _fields(self) -> bytes:
        flags, data = self.reserved_flags, encode_sfloat(self.concentration)
        data += u16(self.time_offset_min)
        octets = (self.status, self.cal_temp, self.warning)
        for bit, octet in zip(_ANNUNCIATED, octets, strict=True):
            if octet is not None:
                flags, data = flags | bit, data + bytes((octet,))
        if self.trend is not None:
            flags, data = flags | _TREND, data + encode_sfloat(self.trend)
        if self.quality is not None:
            flags, data = flags | _QUALITY, data + encode_sfloat(self.quality)
        size = 2 + len(data) + len(sealed(self.seal))
        return bytes((size, flags)) + data


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmMeasurement:
    """One value of 0x2AA7: at least one record, in the order of the sensor."""

    records: tuple[CgmRecord, ...]

    @classmethod
    def decode(cls, data: bytes) -> "CgmMeasurement":
        """All records. Raises CannotDecode where any of them is not whole: then none is taken."""
        if not data:
            raise CannotDecode("CGM Measurement without a record. Read the record again.")
        records, rest = [], bytes(data)
        while rest:
            # a size of less than a record, 0 above all, is refused by the record itself
            size = max(rest[0], 1)
            records.append(CgmRecord.decode(rest[:size]))
            rest = rest[size:]
        return cls(records=tuple(records))

    def encode(self) -> bytes:
        """All records, one after the other."""
        return b"".join(each.encode() for each in self.records)

    def document(self) -> dict[str, object]:
        """The fields of the only record, else `records`."""
        if len(self.records) == 1:
            return self.records[0].document()
        return {"records": [each.document() for each in self.records]}


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmFeature:
    """What a sensor can do (0x2AA8); bit 12 of `bits`: its values carry a CRC."""

    bits: int
    type: int = INTERSTITIAL_FLUID
    sample_location: int = SUBCUTANEOUS_TISSUE
    seal: Seal = UNSEALED

    @classmethod
    def decode(cls, data: bytes) -> "CgmFeature":
        """The features in 6 octets. Raises CannotDecode for another length."""
        Cursor(data, "CGM Feature").require(6)
        cursor, seal = opened(data, 4, "CGM Feature")
        assert seal is not None
        bits, nibbles = int.from_bytes(cursor.take(3), "little"), cursor.u8()
        return cls(bits=bits, type=nibbles & 15, sample_location=nibbles >> 4, seal=seal)

    def encode(self) -> bytes:
        """6 octets."""
        return self._fields() + self.seal.encode()

    def sealed(self) -> "CgmFeature":
        """The same with its right CRC, where its features say that there is one."""
        return replace(self, seal=Seal.of(self._fields()) if self.has_crc else UNSEALED)

    @property
    def has_crc(self) -> bool:
        """Do the values of this service carry a CRC?"""
        return bool(self.bits & E2E_CRC)

    def is_control_solution(self) -> bool:
        """Does the sensor sit in a test liquid, and not in a person?"""
        return (
            self.type == CONTROL_SOLUTION_TYPE or self.sample_location == CONTROL_SOLUTION_LOCATION
        )

    def document(self) -> dict[str, object]:
        """The fields by name."""
        document: dict[str, object] = {
            "features24": self.bits,
            "type": self.type,
            "sample_location": self.sample_location,
        }
        if self.has_crc:
            document |= self.seal.document()
        return document

    def _fields(self) -> bytes:
        nibbles = self.sample_location << 4 | self.type
        return self.bits.to_bytes(3, "little") + bytes((nibbles,))


def _length(flags: int) -> int:
    """Octets of a record with these flags, its CRC not counted."""
    octets = sum(bool(flags & bit) for bit in _ANNUNCIATED)
    return _SHORTEST + octets + 2 * bool(flags & _TREND) + 2 * bool(flags & _QUALITY)
