"""Wristbands and chest straps: Heart Rate Service (0x180D).

A band sends about one value a second and stores nothing. One visit is one reading: the median of at
most ten values with skin contact; all payloads stay beside it as raw bytes.

    Heart Rate Measurement 0x2A37 (notify); Heart Rate Service 1.0 §3.1
    field            type     unit                                               if
    flags            u8
    heart rate       u8, u16  beats per minute; u16 where bit 0 = 1; 0: no reading
    energy expended  u16      kJ                                                 bit 3
    RR intervals     u16 * n  1/1024 s, to the end of the value                  bit 4

    flags bits 1-2, skin contact: 0 and 1 not supported, 2 no contact, 3 contact

    Body Sensor Location 0x2A38 (read): u8: 0 other, 1 chest, 2 wrist, 3 finger, 4 hand, 5 ear
    lobe, 6 foot

Sources: Bluetooth SIG Heart Rate Service 1.0, GATT Specification Supplement.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median_low

from gateway_agent.drivers.device_information import about
from gateway_agent.gatt import CannotDecode, Cursor, u16
from gateway_agent.talk import (
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Refused,
    Subscribe,
    Talk,
    Visit,
)
from vitals.errors import MendDevice
from vitals.kinds import Kind
from vitals.measurement import Flag, Reading, Value
from vitals.units import Unit

MEASUREMENT = "2A37"
LOCATION = "2A38"

# values of one visit; a band sends one a second; an engineering choice
VALUES = 10
# seconds without a value that end a visit; a band sends about one a second
SILENCE_S = 5.0
# seconds between visits: at most 288 readings a day and band, an engineering choice
REVISIT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRate:
    """One 0x2A37 value. `contact` is None where the band cannot tell; RR in 1/1024 s."""

    rate_per_minute: int
    contact: bool | None = None
    energy_kj: int | None = None
    rr_1024ths: tuple[int, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> "HeartRate":
        """The value. Raises CannotDecode where the length is not what the flags say.

        RR intervals run to the end of the value: there is at least one, and none is half.
        """
        cursor = Cursor(data, "Heart Rate Measurement")
        flags = cursor.u8()
        octets = 1 + (2 if flags & 0x01 else 1) + (2 if flags & 0x08 else 0)
        intervals = max(1, (cursor.length - octets) // 2) if flags & 0x10 else 0
        cursor.require(octets + 2 * intervals)
        return cls(
            rate_per_minute=cursor.u16() if flags & 0x01 else cursor.u8(),
            contact=bool(flags & 0x02) if flags & 0x04 else None,
            energy_kj=cursor.u16() if flags & 0x08 else None,
            rr_1024ths=tuple(cursor.u16() for _ in range(intervals)),
        )

    def encode(self) -> bytes:
        """2 octets or more."""
        flags = 0 if self.contact is None else 0x04 | (0x02 if self.contact else 0)
        if self.rate_per_minute > 0xFF:
            flags, data = flags | 0x01, u16(self.rate_per_minute)
        else:
            data = bytes((self.rate_per_minute,))
        if self.energy_kj is not None:
            flags, data = flags | 0x08, data + u16(self.energy_kj)
        if self.rr_1024ths:
            flags, data = flags | 0x10, data + b"".join(u16(each) for each in self.rr_1024ths)
        return bytes((flags,)) + data

    def is_usable(self) -> bool:
        """Was this measured on somebody? A rate of 0 means that there is no reading."""
        return self.contact is not False and self.rate_per_minute > 0

    def document(self) -> dict[str, object]:
        """The fields by name; `sensor_contact` is null where the band cannot tell."""
        document: dict[str, object] = {
            "heart_rate": self.rate_per_minute,
            "sensor_contact": self.contact,
        }
        if self.energy_kj is not None:
            document["energy_expended_kj"] = self.energy_kj
        if self.rr_1024ths:
            document["rr_raw_1024"] = list(self.rr_1024ths)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySensorLocation:
    """Where a sensor is worn: 0 other, 1 chest, 2 wrist, 3 finger, 4 hand, 5 ear lobe, 6 foot."""

    location: int

    @classmethod
    def decode(cls, data: bytes) -> "BodySensorLocation":
        """The place in 1 octet. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Body Sensor Location")
        cursor.require(1)
        return cls(location=cursor.u8())

    def encode(self) -> bytes:
        """1 octet."""
        return bytes((self.location,))

    def document(self) -> dict[str, object]:
        """The field by name."""
        return {"location": self.location}


def reading_of(heard: Sequence[tuple[Heard, HeartRate]]) -> Reading:
    """The one reading of a visit: the (lower) median rate of the usable values, per minute.

    Its number is the moment of the first value in ms since 1970. `raw` holds every payload after
    its length (u16). Withheld where no value was usable; flagged where some were without contact.
    """
    usable = [each.rate_per_minute for _, each in heard if each.is_usable()]
    loose = any(each.contact is False for _, each in heard)
    values: tuple[Value, ...] = ()
    if usable:
        rate = float(median_low(usable))
        values = (Value(kind=Kind.HEART_RATE, value=rate, unit=Unit.PER_MINUTE),)
    withheld = "no_skin_contact" if loose else "no_heart_rate"
    return Reading(
        sequence=round(heard[0][0].at.timestamp() * 1000),
        device_time=None,
        values=values,
        raw=b"".join(u16(len(each.data)) + each.data for each, _ in heard),
        flags=(Flag.NO_SKIN_CONTACT,) if loose else (),
        withheld=None if usable else withheld,
    )


def talk(visit: Visit) -> Talk:
    """One visit to a band: what it is, and one reading, also when it goes out of reach meanwhile.

    Raises MendDevice where it sends nothing, LinkLost where it went away before its first value.
    """
    yield Subscribe(characteristic=MEASUREMENT)
    lost: LinkLost | None = None
    # when the link goes down here, what was sent before still waits in the queue
    with suppress(LinkLost):
        yield from about()
    heard: list[tuple[Heard, HeartRate]] = []
    try:
        yield from listen(heard)
    except LinkLost as error:
        lost = error
    if heard:
        yield Keep(reading=reading_of(heard))
    elif lost:
        raise lost
    else:
        raise MendDevice(
            f"The band sent no heart rate for {SILENCE_S:.0f} s: put it on and start its "
            "heart-rate broadcast."
        )


def listen(found: list[tuple[Heard, HeartRate]]) -> Talk:
    """Adds values to `found` until there are enough, the band falls silent or leaves the skin."""
    for _ in range(VALUES):
        heard = yield Listen(wait_s=SILENCE_S)
        if heard is None:
            return
        try:
            rate = HeartRate.decode(heard.data)
        except CannotDecode as error:
            yield Refused(characteristic=heard.characteristic, data=heard.data, reason=str(error))
            continue
        found.append((heard, rate))
        if rate.contact is False and any(each.is_usable() for _, each in found):
            return


DRIVER = Driver(
    kind="wristband",
    service="180D",
    zh="手环",
    en="Wristband",
    talk=talk,
    decoders={MEASUREMENT: HeartRate.decode, LOCATION: BodySensorLocation.decode},
    revisit_s=REVISIT_S,
)
