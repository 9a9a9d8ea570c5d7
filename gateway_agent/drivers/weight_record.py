"""What a scale says of a weight: one weighing, and how finely it weighs.

    Weight Measurement 0x2A9D (indicate), 3-15 octets; Weight Scale Service 1.0 §3.2
    field        type       unit                                              if
    flags        u8         bit 0: 0 kg and m, 1 lb and in
    weight       u16        0.005 kg or 0.01 lb; 0xFFFF: weighing failed
    time stamp   Date Time  the scale's local time                            bit 1
    user id      u8         0-254, 255 unknown                                bit 2
    BMI          u16        0.1 kg/m²                                         bit 3
    height       u16        0.001 m or 0.1 in                                 bit 3

    Weight Scale Feature 0x2A9E (read), 4 octets of bits; §3.1: 0 time stamp, 1 multiple users,
    2 BMI, 3-6 weight resolution, 7-9 height resolution. A resolution says how finely is weighed;
    what is sent stays in 0.005 kg or 0.01 lb.

Sources: Bluetooth SIG Weight Scale Service 1.0, GATT Specification Supplement. 0xFFFF is said of
the weight alone; in the other fields it is taken for the same, unconfirmed. May hold: these two
formats and what a weight means, also for `composition_record.py`. May not: the order in which they
arrive.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from gateway_agent.gatt import Cursor, DateTime, Number, Special, number_document, u16
from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.measurement import Reading, Value, content_number
from vitals.units import Unit

MEASUREMENT = "2A9D"
FEATURE = "2A9E"

# Weight Scale Service §3.2: the scale does not know who stood on it
USER_UNKNOWN = 255
# the same: nothing could be measured
_UNSUCCESSFUL = 0xFFFF

# one step of each field, (kg, m) and (lb, in); GATT Specification Supplement
MASS = (Decimal("0.005"), Decimal("0.01"))
LENGTH = (Decimal("0.001"), Decimal("0.1"))
_BMI = Decimal("0.1")

# kg, weight resolution by code; Weight Scale Service §3.1.1.2
_RESOLUTION_KG = {1: 0.5, 2: 0.2, 3: 0.1, 4: 0.05, 5: 0.02, 6: 0.01, 7: 0.005}


def scaled(word: int, step: Decimal) -> Number:
    """The number in a field of 2 octets, exactly; NaN where nothing could be measured."""
    return Special.NAN if word == _UNSUCCESSFUL else word * step


def word_of(number: Number, step: Decimal) -> int:
    """What stands in a field of 2 octets. Raises MendData for what does not fit."""
    if isinstance(number, Special):
        return _UNSUCCESSFUL
    word = round(number / step)
    if not 0 <= word < _UNSUCCESSFUL:
        raise MendData(f"{number} does not fit: send what lies between 0 and {65534 * step}.")
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """One 0x2A9D value, in kg and m, or in lb and inches where `imperial`. None: absent.

    BMI and height come and go together.
    """

    weight: Number
    imperial: bool = False
    time_stamp: DateTime | None = None
    user_id: int | None = None
    bmi: Number | None = None
    height: Number = Special.NAN

    @classmethod
    def decode(cls, data: bytes) -> "Weighing":
        """The weighing. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "Weight Measurement")
        flags = cursor.u8()
        imperial = bool(flags & 0x01)
        octets = {0x02: 7, 0x04: 1, 0x08: 4}
        cursor.require(3 + sum(size for bit, size in octets.items() if flags & bit))
        return cls(
            weight=scaled(cursor.u16(), MASS[imperial]),
            imperial=imperial,
            time_stamp=cursor.date_time() if flags & 0x02 else None,
            user_id=cursor.u8() if flags & 0x04 else None,
            bmi=scaled(cursor.u16(), _BMI) if flags & 0x08 else None,
            height=scaled(cursor.u16(), LENGTH[imperial]) if flags & 0x08 else Special.NAN,
        )

    def encode(self) -> bytes:
        """3 to 15 octets: 70.3 kg is `00 EC 36`."""
        flags, data = int(self.imperial), u16(word_of(self.weight, MASS[self.imperial]))
        if self.time_stamp is not None:
            flags, data = flags | 0x02, data + self.time_stamp.encode()
        if self.user_id is not None:
            flags, data = flags | 0x04, data + bytes((self.user_id,))
        if self.bmi is not None:
            flags, data = flags | 0x08, data + u16(word_of(self.bmi, _BMI))
            data += u16(word_of(self.height, LENGTH[self.imperial]))
        return bytes((flags,)) + data

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document = number_document("weight", self.weight)
        document["unit"] = "lb" if self.imperial else "kg"
        if self.time_stamp is not None:
            document["timestamp"] = self.time_stamp.text()
        if self.user_id is not None:
            document["user_id"] = self.user_id
        if self.bmi is not None:
            document |= number_document("bmi", self.bmi)
            document |= number_document("height", self.height)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightScaleFeature:
    """What a scale can do, as bits."""

    bits: int

    @classmethod
    def decode(cls, data: bytes) -> "WeightScaleFeature":
        """The bits in 4 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Weight Scale Feature")
        cursor.require(4)
        return cls(bits=int.from_bytes(cursor.take(4), "little"))

    def encode(self) -> bytes:
        """4 octets."""
        return self.bits.to_bytes(4, "little")

    def document(self) -> dict[str, object]:
        """The bits as one number, and what people ask for."""
        return {
            "features": self.bits,
            "multiple_users": bool(self.bits & 0x02),
            "weight_resolution_kg": _RESOLUTION_KG.get(self.bits >> 3 & 0xF),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and of whom: the scale's own time and user where it says them, else the arrival."""

    time_stamp: DateTime | None
    user_id: int | None
    at: datetime

    def device_time(self) -> datetime | None:
        """The scale's own time, naive."""
        return self.time_stamp.moment() if self.time_stamp else None

    def user(self) -> int | None:
        """The scale's user, None for nobody it knows."""
        return None if self.user_id == USER_UNKNOWN else self.user_id

    def number(self, what: str, value: Number, unit: str) -> int:
        """A record number by what was measured, not by its bytes.

        A scale of two services sends one weight twice, in two formats: it gets one number. Without
        a time of the scale's the moment of arrival makes it.
        """
        time = self.device_time() or self.at
        user = self.user()
        said = (what, time.isoformat(), "nobody" if user is None else str(user), unit)
        text = str(value.normalize()) if isinstance(value, Decimal) else value.value
        return content_number(*(each.encode() for each in (*said, text)))


def reading_of(weight: Number, *, imperial: bool, moment: Moment, raw: bytes) -> Reading:
    """The reading of one weight, in kg or lb as measured; withheld where weighing failed."""
    unit = Unit.LB if imperial else Unit.KG
    return one_value(Kind.WEIGHT, weight, unit=unit, moment=moment, raw=raw)


def one_value(kind: Kind, number: Number, *, unit: Unit, moment: Moment, raw: bytes) -> Reading:
    """A reading of one number; withheld where it is none, or nought."""
    withheld: str | None = None
    values: tuple[Value, ...] = ()
    if not isinstance(number, Decimal):
        withheld = "unsuccessful"
    elif number <= 0:
        withheld = "not_positive"
    else:
        values = (Value(kind=kind, value=float(number), unit=unit),)
    return Reading(
        sequence=moment.number(kind, number, unit),
        device_time=moment.device_time(),
        values=values,
        raw=raw,
        user=moment.user(),
        withheld=withheld,
    )
