"""What a pulse oximeter says: a spot check, one value of a stream, and what they mean.

Numbers are little-endian; a field whose flag is 0 is absent, not zero.

    PLX Spot-Check Measurement 0x2A5E (indicate), 5-19 octets; Pulse Oximeter Service 1.0 §3.1
    field                   type           unit                              if
    flags                   u8
    SpO2, pulse rate        SFLOAT SFLOAT  per cent, beats per minute
    time stamp              Date Time      the oximeter's local time         bit 0
    measurement status      u16            bits, see below                   bit 1
    device and sensor       u24            bits, see below                   bit 2
    pulse amplitude index   SFLOAT         per cent                          bit 3
    (the oximeter's clock was never set                                      bit 4)

    PLX Continuous Measurement 0x2A5F (notify), 5-20 octets; §3.2
    flags                   u8
    SpO2, pulse rate        SFLOAT SFLOAT  per cent, beats per minute: normal
    SpO2, pulse rate        SFLOAT SFLOAT  the same, responding fast         bit 0
    SpO2, pulse rate        SFLOAT SFLOAT  the same, responding slowly       bit 1
    measurement status      u16            bits                              bit 2
    device and sensor       u24            bits                              bit 3
    pulse amplitude index   SFLOAT         per cent                          bit 4

    measurement status: 5 ongoing, 6 early estimate, 7 validated, 8 fully qualified, 9 from
    storage, 10 demonstration, 11 testing, 12 calibration ongoing, 13 unavailable, 14 questionable,
    15 invalid; 0-4 reserved
    device and sensor status: 0 extended display update, 1 equipment malfunction, 2 signal
    processing irregular, 3 signal inadequate, 4 poor, 5 low perfusion, 6 erratic, 7 not pulsating,
    8 pulse questionable, 9 analysis ongoing, 10 interference, 11 not on the user, 12 sensor
    unknown, 13 displaced, 14 malfunctioning, 15 disconnected; 16-23 reserved

    PLX Features 0x2A60 (read), 2-7 octets; §3.3
    features                u16            bits: 0 and 1 the next two are there, 2 stores spot
                                           checks, 3 dates them, 4 fast, 5 slow, 6 amplitude,
                                           7 bonds
    measurement status      u16            bits that it can set              bit 0
    device and sensor       u24            bits that it can set              bit 1

Sources: SIG characteristic XML of 2015 (plx_spot_check_measurement, plx_continuous_measurement,
plx_features). May hold: these three formats and what their bits mean. May not: what becomes of
them, the order in which they arrive.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway_agent.gatt import (
    Cursor,
    DateTime,
    Number,
    encode_sfloat,
    number_document,
    u16,
)
from vitals.measurement import Flag

SPOT_CHECK = "2A5E"
CONTINUOUS = "2A5F"
FEATURES = "2A60"

# PLX Features, bit 2
_STORES_SPOT_CHECKS = 0x0004
# measurement status, bits 7 and 8: validated data, fully qualified data
_VALIDATED = 0x0180

# Bits that say: this is no value of a person, or none at all. Kept and counted, never shown; the
# first that is set gives the reason. Which bits withhold is an engineering choice, unconfirmed.
_STATUS_WITHHOLDS = {
    10: "demonstration",
    11: "testing",
    12: "calibration",
    13: "unavailable",
    15: "invalid",
}
_SENSOR_WITHHOLDS = {11: "sensor_off", 13: "sensor_off", 15: "sensor_off"}
# bits that say: it may not be what it should
_STATUS_FLAGS = {6: Flag.EARLY_ESTIMATE, 14: Flag.QUESTIONABLE}
_SENSOR_FLAGS = {
    0: Flag.QUESTIONABLE,
    1: Flag.DEVICE_FAULT,
    2: Flag.POOR_SIGNAL,
    3: Flag.POOR_SIGNAL,
    4: Flag.POOR_SIGNAL,
    5: Flag.LOW_PERFUSION,
    6: Flag.POOR_SIGNAL,
    7: Flag.QUESTIONABLE,
    8: Flag.QUESTIONABLE,
    9: Flag.EARLY_ESTIMATE,
    10: Flag.POOR_SIGNAL,
    12: Flag.SENSOR_FAULT,
    14: Flag.SENSOR_FAULT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Oxygen:
    """SpO2 in per cent and pulse rate per minute, as they stand together in a value."""

    spo2: Number
    pulse_rate: Number

    @classmethod
    def take(cls, cursor: Cursor) -> "Oxygen":
        """The next 4 octets."""
        return cls(spo2=cursor.sfloat(), pulse_rate=cursor.sfloat())

    def encode(self) -> bytes:
        """4 octets."""
        return encode_sfloat(self.spo2) + encode_sfloat(self.pulse_rate)

    def document(self, suffix: str = "") -> dict[str, object]:
        """Both by name."""
        return {
            **number_document(f"spo2{suffix}", self.spo2),
            **number_document(f"pulse_rate{suffix}", self.pulse_rate),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What an oximeter says beside its numbers. None: the field is absent."""

    status: int | None = None
    sensor_status: int | None = None
    amplitude_index_percent: Number | None = None

    @classmethod
    def take(cls, cursor: Cursor, *, flags: int) -> "Signs":
        """The last fields of a value; `flags` bits 0-2 say which of them are there."""
        return cls(
            status=cursor.u16() if flags & 1 else None,
            sensor_status=int.from_bytes(cursor.take(3), "little") if flags & 2 else None,
            amplitude_index_percent=cursor.sfloat() if flags & 4 else None,
        )

    def encode(self) -> tuple[int, bytes]:
        """Flags (bits 0-2) and octets."""
        flags, data = 0, b""
        if self.status is not None:
            flags, data = flags | 1, data + u16(self.status)
        if self.sensor_status is not None:
            flags, data = flags | 2, data + self.sensor_status.to_bytes(3, "little")
        if self.amplitude_index_percent is not None:
            flags, data = flags | 4, data + encode_sfloat(self.amplitude_index_percent)
        return flags, data

    @staticmethod
    def octets(flags: int) -> int:
        """How long the fields are that `flags` bits 0-2 say."""
        return sum(size for bit, size in {1: 2, 2: 3, 4: 2}.items() if flags & bit)

    def is_validated(self) -> bool:
        """Does the oximeter itself call this value good? So does one that says nothing at all."""
        return self.status is None or bool(self.status & _VALIDATED)

    def flags(self) -> tuple[Flag, ...]:
        """The doubts of both statuses, each once."""
        said = [flag for bit, flag in _STATUS_FLAGS.items() if (self.status or 0) >> bit & 1]
        sensor = self.sensor_status or 0
        said += [flag for bit, flag in _SENSOR_FLAGS.items() if sensor >> bit & 1]
        return tuple(dict.fromkeys(said))

    def withheld(self) -> str | None:
        """Why the numbers beside this are to be shown to nobody; None where they may be."""
        said = [why for bit, why in _STATUS_WITHHOLDS.items() if (self.status or 0) >> bit & 1]
        sensor = self.sensor_status or 0
        said += [why for bit, why in _SENSOR_WITHHOLDS.items() if sensor >> bit & 1]
        return next(iter(said), None)

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {}
        if self.status is not None:
            document["measurement_status"] = self.status
        if self.sensor_status is not None:
            document["device_sensor_status"] = self.sensor_status
        if self.amplitude_index_percent is not None:
            document |= number_document("pulse_amplitude_index_pct", self.amplitude_index_percent)
        return document


# an oximeter that says nothing beside its numbers
NO_SIGNS = Signs()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotCheck:
    """One 0x2A5E value. `clock_not_set`: the time stamp means nothing."""

    oxygen: Oxygen
    time_stamp: DateTime | None = None
    signs: Signs = NO_SIGNS
    clock_not_set: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "SpotCheck":
        """The value. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "PLX Spot-Check Measurement")
        flags = cursor.u8()
        cursor.require(5 + (7 if flags & 0x01 else 0) + Signs.octets(flags >> 1))
        return cls(
            oxygen=Oxygen.take(cursor),
            time_stamp=cursor.date_time() if flags & 0x01 else None,
            signs=Signs.take(cursor, flags=flags >> 1),
            clock_not_set=bool(flags & 0x10),
        )

    def encode(self) -> bytes:
        """5 to 19 octets."""
        signs, tail = self.signs.encode()
        flags, data = signs << 1 | self.clock_not_set << 4, self.oxygen.encode()
        if self.time_stamp is not None:
            flags, data = flags | 0x01, data + self.time_stamp.encode()
        return bytes((flags,)) + data + tail

    def device_time(self) -> datetime | None:
        """The oximeter's own time, naive; None where it keeps none."""
        if self.time_stamp is None or self.clock_not_set:
            return None
        return self.time_stamp.moment()

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document = self.oxygen.document()
        if self.time_stamp is not None:
            document["timestamp"] = self.time_stamp.text()
        return {**document, **self.signs.document(), "clock_not_set": self.clock_not_set}


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """One 0x2A5F value. None: the field is absent."""

    normal: Oxygen
    fast: Oxygen | None = None
    slow: Oxygen | None = None
    signs: Signs = NO_SIGNS

    @classmethod
    def decode(cls, data: bytes) -> "Continuous":
        """The value. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "PLX Continuous Measurement")
        flags = cursor.u8()
        pairs = 1 + (flags & 1) + (flags >> 1 & 1)
        cursor.require(1 + 4 * pairs + Signs.octets(flags >> 2))
        return cls(
            normal=Oxygen.take(cursor),
            fast=Oxygen.take(cursor) if flags & 0x01 else None,
            slow=Oxygen.take(cursor) if flags & 0x02 else None,
            signs=Signs.take(cursor, flags=flags >> 2),
        )

    def encode(self) -> bytes:
        """5 to 20 octets."""
        signs, tail = self.signs.encode()
        flags, data = signs << 2, self.normal.encode()
        if self.fast is not None:
            flags, data = flags | 0x01, data + self.fast.encode()
        if self.slow is not None:
            flags, data = flags | 0x02, data + self.slow.encode()
        return bytes((flags,)) + data + tail

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document = self.normal.document()
        for suffix, pair in (("_fast", self.fast), ("_slow", self.slow)):
            if pair is not None:
                document |= pair.document(suffix)
        return {**document, **self.signs.document()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What an oximeter can do; the first two bits of `bits` belong to the fields that follow."""

    bits: int
    status_support: int | None = None
    sensor_support: int | None = None

    @classmethod
    def decode(cls, data: bytes) -> "Features":
        """The bits. Raises CannotDecode where the length is not what they say."""
        cursor = Cursor(data, "PLX Features")
        bits = cursor.u16()
        cursor.require(2 + Signs.octets(bits & 0b11))
        return cls(
            bits=bits & ~0b11,
            status_support=cursor.u16() if bits & 1 else None,
            sensor_support=int.from_bytes(cursor.take(3), "little") if bits & 2 else None,
        )

    def encode(self) -> bytes:
        """2 to 7 octets."""
        signs = Signs(status=self.status_support, sensor_status=self.sensor_support)
        flags, data = signs.encode()
        return u16(self.bits | flags) + data

    def stores_spot_checks(self) -> bool:
        """Can it be asked for what it measured while nobody listened?"""
        return bool(self.bits & _STORES_SPOT_CHECKS)

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {"features": self.bits}
        if self.status_support is not None:
            document["measurement_status_support"] = self.status_support
        if self.sensor_support is not None:
            document["device_sensor_status_support"] = self.sensor_support
        return document
