"""Blood-pressure cuffs: Blood Pressure Service (0x1810).

A cuff has no record numbers and no record access: after the subscription it sends what it has
stored, oldest first, forgets each reading that was confirmed, and hangs up by itself. So the
subscription comes before everything, and what has arrived is kept before the next thing is asked.

    Blood Pressure Measurement 0x2A35 (indicate), 7-19 octets; Blood Pressure Service 1.1.1 §3.1
    field                   type       unit                              if
    flags                   u8
    systolic                SFLOAT     mmHg (bit 0 = 0), kPa (bit 0 = 1)
    diastolic               SFLOAT     the same
    mean arterial pressure  SFLOAT     the same; often NaN
    time stamp              Date Time  the cuff's local time             bit 1
    pulse rate              SFLOAT     beats per minute                  bit 2
    user id                 u8         0-254, 255 unknown                bit 3
    measurement status      u16        bits, see below                   bit 4

    status: 0 body movement, 1 cuff too loose, 2 irregular pulse, 3-4 pulse rate range (0 within,
    1 above, 2 below the limit), 5 improper position; 6-15 reserved

    Intermediate Cuff Pressure 0x2A36 (notify): the same, the pressure in the place of systolic
    Blood Pressure Feature 0x2A49 (read): 2 octets of bits; §3.3

A cuff of version 1.1 may send the same measurement as 0x2B34 too (`blood_pressure_enhanced.py`).

Sources: Bluetooth SIG Blood Pressure Service 1.1.1, GATT Specification Supplement. GSS writes kPa
as pascal with decimal exponent 3: the number that is sent is kPa.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gateway_agent.drivers import blood_pressure_enhanced as enhanced
from gateway_agent.drivers.blood_pressure_enhanced import EnhancedBloodPressure, Twins
from gateway_agent.drivers.current_time import see_clock, set_clock, set_clock_after_records
from gateway_agent.drivers.device_information import about
from gateway_agent.gatt import (
    CannotDecode,
    Cursor,
    DateTime,
    Number,
    Special,
    encode_sfloat,
    number_document,
    u16,
)
from gateway_agent.quirk import ClockSetting, Quirk
from gateway_agent.talk import (
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Refusal,
    Refused,
    Subscribe,
    Talk,
    Visit,
)
from vitals.kinds import Kind
from vitals.measurement import Flag, Reading, Value, content_number
from vitals.units import Unit

MEASUREMENT = "2A35"
CUFF_PRESSURE = "2A36"
FEATURE = "2A49"

# Blood Pressure Service §3.1: the cuff does not know who was measured
USER_UNKNOWN = 255

# seconds; a cuff sends its readings one after the other, a silence means that was all. An
# engineering choice: cuffs in the field hang up after about 2 s without traffic.
SILENCE_S = 5.0
# seconds; a cuff is on air for about half a minute after use, an engineering choice
REVISIT_S = 30.0

_STATUS_FLAGS = {
    0: Flag.BODY_MOVEMENT,
    1: Flag.CUFF_LOOSE,
    2: Flag.IRREGULAR_PULSE,
    5: Flag.IMPROPER_POSITION,
}
# bits 3-4 of the status; 3 is reserved
_PULSE_RANGE = {1: Flag.PULSE_TOO_HIGH, 2: Flag.PULSE_TOO_LOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressure:
    """One 0x2A35 value, pressures in mmHg or kPa as measured. None: the field is absent."""

    systolic: Number
    diastolic: Number
    mean_arterial_pressure: Number = Special.NAN
    in_kpa: bool = False
    time_stamp: DateTime | None = None
    pulse_rate: Number | None = None
    user_id: int | None = None
    status: int | None = None

    @classmethod
    def decode(cls, data: bytes, name: str = "Blood Pressure Measurement") -> "BloodPressure":
        """The reading. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, name)
        flags = cursor.u8()
        octets = {0x02: 7, 0x04: 2, 0x08: 1, 0x10: 2}
        cursor.require(7 + sum(size for bit, size in octets.items() if flags & bit))
        systolic, diastolic, mean = cursor.sfloat(), cursor.sfloat(), cursor.sfloat()
        time_stamp = cursor.date_time() if flags & 0x02 else None
        pulse_rate = cursor.sfloat() if flags & 0x04 else None
        user_id = cursor.u8() if flags & 0x08 else None
        return cls(
            systolic=systolic,
            diastolic=diastolic,
            mean_arterial_pressure=mean,
            in_kpa=bool(flags & 0x01),
            time_stamp=time_stamp,
            pulse_rate=pulse_rate,
            user_id=user_id,
            status=cursor.u16() if flags & 0x10 else None,
        )

    def encode(self) -> bytes:
        """7 to 19 octets."""
        flags = int(self.in_kpa)
        data = encode_sfloat(self.systolic) + encode_sfloat(self.diastolic)
        data += encode_sfloat(self.mean_arterial_pressure)
        if self.time_stamp is not None:
            flags, data = flags | 0x02, data + self.time_stamp.encode()
        if self.pulse_rate is not None:
            flags, data = flags | 0x04, data + encode_sfloat(self.pulse_rate)
        if self.user_id is not None:
            flags, data = flags | 0x08, data + bytes((self.user_id,))
        if self.status is not None:
            flags, data = flags | 0x10, data + u16(self.status)
        return bytes((flags,)) + data

    def flags(self) -> tuple[Flag, ...]:
        """The doubts of the status bits."""
        status = self.status or 0
        said = [flag for bit, flag in _STATUS_FLAGS.items() if status >> bit & 1]
        pulse = _PULSE_RANGE.get(status >> 3 & 0b11)
        return (*said, pulse) if pulse else tuple(said)

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        return {
            **number_document("systolic", self.systolic),
            **number_document("diastolic", self.diastolic),
            **number_document("map", self.mean_arterial_pressure),
            **self.optional_document(),
        }

    def optional_document(self) -> dict[str, object]:
        """Unit and the fields that may be absent."""
        document: dict[str, object] = {"unit": "kPa" if self.in_kpa else "mmHg"}
        if self.time_stamp is not None:
            document["timestamp"] = self.time_stamp.text()
        if self.pulse_rate is not None:
            document |= number_document("pulse_rate", self.pulse_rate)
        if self.user_id is not None:
            document["user_id"] = self.user_id
        if self.status is not None:
            document["status"] = self.status
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class IntermediateCuffPressure:
    """One 0x2A36 value: the pressure while the cuff works. Never a reading."""

    cuff_pressure: Number
    rest: BloodPressure

    @classmethod
    def decode(cls, data: bytes) -> "IntermediateCuffPressure":
        """The pressure. Raises CannotDecode where the length is not what the flags say."""
        rest = BloodPressure.decode(data, "Intermediate Cuff Pressure")
        return cls(cuff_pressure=rest.systolic, rest=rest)

    def encode(self) -> bytes:
        """7 to 19 octets."""
        return self.rest.encode()

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        return {
            **number_document("cuff_pressure", self.cuff_pressure),
            **self.rest.optional_document(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressureFeature:
    """What a cuff can notice, §3.3: 0 movement, 1 fit, 2 pulse, 3 range, 4 position, 5 bonds; of
    version 1.1, second-hand: 6 CRC in records, 7 User Data Service, 8 user-facing time."""

    bits: int

    @classmethod
    def decode(cls, data: bytes) -> "BloodPressureFeature":
        """The bits in 2 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Blood Pressure Feature")
        cursor.require(2)
        return cls(bits=cursor.u16())

    def encode(self) -> bytes:
        """2 octets."""
        return u16(self.bits)

    def document(self) -> dict[str, object]:
        """The bits as one number."""
        return {"features": self.bits}


def reading_of(measurement: BloodPressure, *, raw: bytes, at: datetime) -> Reading:
    """The reading that a cuff sent at the moment `at`; pressures in the cuff's unit.

    Its number is made of its bytes; where the cuff gave no time, of the moment as well, since equal
    readings of two days would otherwise be one. Withheld where systolic or diastolic is no number.
    """
    device_time = measurement.time_stamp.moment() if measurement.time_stamp else None
    moment = () if device_time else (at.isoformat().encode(),)
    values = _values(measurement)
    user = measurement.user_id
    return Reading(
        sequence=content_number(raw, *moment),
        device_time=device_time,
        values=values,
        raw=raw,
        user=None if user == USER_UNKNOWN else user,
        flags=measurement.flags(),
        withheld=None if values else "not_a_number",
    )


def enhanced_reading(measurement: EnhancedBloodPressure, *, raw: bytes, at: datetime) -> Reading:
    """The reading of a 0x2B34 value: number and time are those of the same measurement as 0x2A35.

    So a cuff that sends it in one form today and in the other tomorrow brings one reading.
    """
    reading = reading_of(_plain(measurement), raw=_plain(measurement).encode(), at=at)
    unsure = measurement.tail.shown() is None and measurement.tail.time_stamp() is not None
    flags = (*reading.flags, Flag.TIME_FAULT) if unsure else reading.flags
    return replace(reading, raw=raw, flags=flags)


def _plain(measurement: EnhancedBloodPressure) -> BloodPressure:
    """What the cuff would send as 0x2A35: with the time that it shows."""
    tail = measurement.tail
    moment = tail.shown() or tail.time_stamp()
    return BloodPressure(
        systolic=measurement.systolic,
        diastolic=measurement.diastolic,
        mean_arterial_pressure=measurement.mean_arterial_pressure,
        in_kpa=measurement.in_kpa,
        time_stamp=None if moment is None else DateTime.of(moment),
        pulse_rate=tail.pulse_rate,
        user_id=tail.user_id,
        status=tail.status,
    )


def _values(measurement: BloodPressure) -> tuple[Value, ...]:
    pressure = Unit.KPA if measurement.in_kpa else Unit.MMHG
    rows = (
        (Kind.SYSTOLIC, measurement.systolic, pressure),
        (Kind.DIASTOLIC, measurement.diastolic, pressure),
        (Kind.MEAN_ARTERIAL_PRESSURE, measurement.mean_arterial_pressure, pressure),
        (Kind.PULSE, measurement.pulse_rate, Unit.PER_MINUTE),
    )
    if not isinstance(measurement.systolic, Decimal) or not isinstance(
        measurement.diastolic, Decimal
    ):
        return ()
    return tuple(
        Value(kind=kind, value=float(number), unit=unit)
        for kind, number, unit in rows
        if isinstance(number, Decimal)
    )


def talk(visit: Visit) -> Talk:
    """One visit to a cuff: everything it sends until it hangs up or falls silent.

    Its clock may be set when all was kept; where its row says so, in answer to its first reading,
    when that one is on disk: those behind it were stamped long before.
    """
    taking = _Taking(visit.quirk)
    yield Subscribe(characteristic=MEASUREMENT)
    try:
        yield from _also_enhanced()
        yield from see_clock()
        yield from _keeping_meanwhile(about(), taking)
    except LinkLost:
        # a cuff hangs up when it has sent what it has; that still waits in the queue
        pass
    try:
        while (heard := (yield Listen(wait_s=SILENCE_S))) is not None:
            yield from taking.take(heard)
    except LinkLost:
        return
    yield from set_clock_after_records(visit.quirk)


def _also_enhanced() -> Talk:
    try:
        yield Subscribe(characteristic=enhanced.MEASUREMENT, optional=True)
    except Refusal:
        # it sends the plain form all the same
        return


def _keeping_meanwhile(asking: Talk, taking: "_Taking") -> Talk:
    """Lets `asking` go on, and keeps what has arrived before each of its asks.

    What a cuff has sent is gone from the cuff: it should not wait in memory for five reads.
    """
    answer: Heard | None = None
    try:
        while True:
            while (heard := (yield Listen(wait_s=0))) is not None:
                yield from taking.take(heard)
            answer = yield asking.send(answer)
    except StopIteration:
        return


class _Taking:
    """Keeps what a cuff sends, once where it sends both forms; after the first reading, lets the
    clock be set where it is time."""

    def __init__(self, quirk: Quirk) -> None:
        self._quirk = quirk
        self._twins = Twins()
        self._clock_due = quirk.clock_setting is ClockSetting.AT_FIRST_NOTIFICATION

    def take(self, heard: Heard) -> Talk:
        try:
            reading, times = _understood(heard)
        except CannotDecode as error:
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
            return
        what = (reading.values, reading.user)
        if self._twins.is_second(heard.characteristic, what, frozenset(filter(None, times))):
            return
        yield Keep(reading=reading)
        if self._clock_due:
            self._clock_due = False
            yield from set_clock(self._quirk.clock)


def _understood(heard: Heard) -> tuple[Reading, tuple[datetime | None, ...]]:
    """The reading in either form, and the times that the cuff may mean by it."""
    if heard.characteristic == enhanced.MEASUREMENT:
        said = EnhancedBloodPressure.decode(heard.data)
        reading = enhanced_reading(said, raw=heard.data, at=heard.at)
        return reading, (said.tail.shown(), said.tail.time_stamp())
    reading = reading_of(BloodPressure.decode(heard.data), raw=heard.data, at=heard.at)
    return reading, (reading.device_time, None)


DRIVER = Driver(
    kind="blood_pressure_cuff",
    service="1810",
    zh="血压计",
    en="Blood-pressure cuff",
    talk=talk,
    decoders={
        MEASUREMENT: BloodPressure.decode,
        CUFF_PRESSURE: IntermediateCuffPressure.decode,
        FEATURE: BloodPressureFeature.decode,
        enhanced.MEASUREMENT: EnhancedBloodPressure.decode,
        enhanced.CUFF_PRESSURE: enhanced.EnhancedCuffPressure.decode,
    },
    revisit_s=REVISIT_S,
)
