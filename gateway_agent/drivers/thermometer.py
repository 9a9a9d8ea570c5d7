"""Clinical thermometers: Health Thermometer Service (0x1809).

A thermometer has no record numbers and no record access: after the subscription it sends what it
has stored, oldest first, and forgets each measurement that was confirmed. What it shows while it is
still measuring (intermediate temperature) is never a reading and is not asked for.

    Temperature Measurement 0x2A1C (indicate), 5-13 octets; Health Thermometer Service 1.0 §3.1
    field        type       unit                                             if
    flags        u8
    temperature  FLOAT      °C (bit 0 = 0), °F (bit 0 = 1)
    time stamp   Date Time  the thermometer's local time                     bit 1
    type         u8         where on the body, see below                     bit 2

    type: 1 armpit, 2 body, 3 ear, 4 finger, 5 gut, 6 mouth, 7 rectum, 8 toe, 9 eardrum; a type
    that never changes stands in 0x2A1D alone

    Intermediate Temperature 0x2A1E (notify): the same
    Temperature Type 0x2A1D (read): u8, as above
    Measurement Interval 0x2A21 (read): u16, s; 0: it does not measure by itself

Sources: Bluetooth SIG Health Thermometer Service 1.0, GATT Specification Supplement. That stored
measurements go once they were confirmed is not in the text that could be read: unconfirmed.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway_agent.drivers.arrivals import hear_out, keep_meanwhile
from gateway_agent.drivers.current_time import see_clock, set_clock_after_records
from gateway_agent.drivers.device_information import about
from gateway_agent.gatt import (
    CannotDecode,
    Cursor,
    DateTime,
    Number,
    encode_float,
    number_document,
    u16,
)
from gateway_agent.talk import Driver, Heard, Keep, LinkLost, Refused, Subscribe, Talk, Visit
from vitals.kinds import Kind
from vitals.measurement import Reading, Value, content_number
from vitals.units import Unit

MEASUREMENT = "2A1C"
INTERMEDIATE = "2A1E"
TYPE = "2A1D"
INTERVAL = "2A21"

# where on the body, Health Thermometer Service §3.1.1.4
PLACES = {
    1: "armpit",
    2: "body",
    3: "ear",
    4: "finger",
    5: "gut",
    6: "mouth",
    7: "rectum",
    8: "toe",
    9: "eardrum",
}

# seconds; a thermometer sends what it has one after the other, a silence means that was all. An
# engineering choice, as for cuffs.
SILENCE_S = 5.0
# seconds; a thermometer is on air for about half a minute after use, an engineering choice
REVISIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """One 0x2A1C or 0x2A1E value, in °C or °F as measured. None: the field is absent."""

    temperature: Number
    in_fahrenheit: bool = False
    time_stamp: DateTime | None = None
    type: int | None = None

    @classmethod
    def decode(cls, data: bytes) -> "Temperature":
        """The value. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "Temperature Measurement")
        flags = cursor.u8()
        octets = {0x02: 7, 0x04: 1}
        cursor.require(5 + sum(size for bit, size in octets.items() if flags & bit))
        return cls(
            temperature=cursor.float(),
            in_fahrenheit=bool(flags & 0x01),
            time_stamp=cursor.date_time() if flags & 0x02 else None,
            type=cursor.u8() if flags & 0x04 else None,
        )

    def encode(self) -> bytes:
        """5 to 13 octets."""
        flags, data = int(self.in_fahrenheit), encode_float(self.temperature)
        if self.time_stamp is not None:
            flags, data = flags | 0x02, data + self.time_stamp.encode()
        if self.type is not None:
            flags, data = flags | 0x04, data + bytes((self.type,))
        return bytes((flags,)) + data

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document = number_document("temperature", self.temperature)
        document["unit"] = "F" if self.in_fahrenheit else "C"
        if self.time_stamp is not None:
            document["timestamp"] = self.time_stamp.text()
        if self.type is not None:
            document |= {"type": self.type, "place": PLACES.get(self.type)}
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureType:
    """Where a thermometer always measures: one of PLACES; others are reserved."""

    type: int

    @classmethod
    def decode(cls, data: bytes) -> "TemperatureType":
        """The place in 1 octet. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Temperature Type")
        cursor.require(1)
        return cls(type=cursor.u8())

    def encode(self) -> bytes:
        """1 octet."""
        return bytes((self.type,))

    def document(self) -> dict[str, object]:
        """The place, as number and as word."""
        return {"type": self.type, "place": PLACES.get(self.type)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementInterval:
    """Seconds between two measurements that a thermometer makes by itself; 0: it makes none."""

    interval_s: int

    @classmethod
    def decode(cls, data: bytes) -> "MeasurementInterval":
        """The interval in 2 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Measurement Interval")
        cursor.require(2)
        return cls(interval_s=cursor.u16())

    def encode(self) -> bytes:
        """2 octets."""
        return u16(self.interval_s)

    def document(self) -> dict[str, object]:
        """The interval by name."""
        return {"interval_s": self.interval_s}


def reading_of(measurement: Temperature, *, raw: bytes, at: datetime) -> Reading:
    """The reading that a thermometer sent at the moment `at`, in its own unit.

    Its number is made of its bytes; where it gave no time, of the moment as well, since equal
    readings of two days would otherwise be one. Withheld where the temperature is no number.
    """
    device_time = measurement.time_stamp.moment() if measurement.time_stamp else None
    moment = () if device_time else (at.isoformat().encode(),)
    number = measurement.temperature
    values: tuple[Value, ...] = ()
    if isinstance(number, Decimal):
        unit = Unit.FAHRENHEIT if measurement.in_fahrenheit else Unit.CELSIUS
        values = (Value(kind=Kind.BODY_TEMPERATURE, value=float(number), unit=unit),)
    return Reading(
        sequence=content_number(raw, *moment),
        device_time=device_time,
        values=values,
        raw=raw,
        withheld=None if values else "not_a_number",
    )


def talk(visit: Visit) -> Talk:
    """One visit to a thermometer: everything it sends until it hangs up or falls silent."""
    yield Subscribe(characteristic=MEASUREMENT)
    try:
        yield from see_clock()
        yield from keep_meanwhile(about(), _take)
    except LinkLost:
        # it hangs up when it has sent what it has; that still waits in the queue
        pass
    try:
        yield from hear_out(_take, wait_s=SILENCE_S)
    except LinkLost:
        return
    yield from set_clock_after_records(visit.quirk)


def _take(heard: Heard) -> Talk:
    try:
        measurement = Temperature.decode(heard.data)
    except CannotDecode as error:
        yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
        return
    yield Keep(reading=reading_of(measurement, raw=heard.data, at=heard.at))


DRIVER = Driver(
    kind="thermometer",
    service="1809",
    zh="体温计",
    en="Thermometer",
    talk=talk,
    decoders={
        MEASUREMENT: Temperature.decode,
        INTERMEDIATE: Temperature.decode,
        TYPE: TemperatureType.decode,
        INTERVAL: MeasurementInterval.decode,
    },
    revisit_s=REVISIT_S,
)
