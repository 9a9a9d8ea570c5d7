"""What a scale says of a body: fat, and whatever else it makes of an impedance.

    Body Composition Measurement 0x2A9C (indicate), 4-30 octets; Body Composition Service 1.0 §3.2
    field              type       unit                                        if
    flags              u16        bit 0: 0 kg and m, 1 lb and in
    body fat           u16        0.1 per cent; 0xFFFF: measuring failed
    time stamp         Date Time  the scale's local time                      bit 1
    user id            u8         0-254, 255 unknown                          bit 2
    basal metabolism   u16        kJ                                          bit 3
    muscle             u16        0.1 per cent                                bit 4
    muscle mass        u16        0.005 kg or 0.01 lb                         bit 5
    fat-free mass      u16        the same                                    bit 6
    soft lean mass     u16        the same                                    bit 7
    body water mass    u16        the same                                    bit 8
    impedance          u16        0.1 Ω                                       bit 9
    weight             u16        0.005 kg or 0.01 lb                         bit 10
    height             u16        0.001 m or 0.1 in                           bit 11
    (one of two packets of one measurement                                    bit 12)

    Body Composition Feature 0x2A9B (read), 4 octets of bits; §3.1: 0 time stamp, 1 multiple users,
    2 basal metabolism, 3 muscle, 4 muscle mass, 5 fat-free, 6 soft lean, 7 water, 8 impedance,
    9 weight, 10 height, 11-14 mass resolution, 15-17 height resolution

Fat and weight become values; the rest, which every maker reckons by a formula of its own, stays in
the raw bytes. Sources: Bluetooth SIG Body Composition Service 1.0, GATT Specification Supplement
(which prints the impedance's exponent as -2 in one place and 1/10 Ω in another: 0.1 is used). That
the second packet brings the fields that the first has no room for: unconfirmed. May hold: these two
formats and their meaning. May not: the order in which they arrive.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from gateway_agent.drivers.weight_record import (
    LENGTH,
    MASS,
    Moment,
    one_value,
    reading_of,
    scaled,
    word_of,
)
from gateway_agent.gatt import Cursor, DateTime, Number, Special, number_document, u16
from vitals.kinds import Kind
from vitals.measurement import Reading
from vitals.units import Unit

MEASUREMENT = "2A9C"
FEATURE = "2A9B"

_PERCENT = Decimal("0.1")
_KJ = (Decimal(1), Decimal(1))
_TENTHS = (Decimal("0.1"), Decimal("0.1"))

# bit, name, and one step in (kg, m) and in (lb, in), in the order in which they are sent
_FIELDS = (
    (3, "basal_metabolism_kj", _KJ),
    (4, "muscle_percent", _TENTHS),
    (5, "muscle_mass", MASS),
    (6, "fat_free_mass", MASS),
    (7, "soft_lean_mass", MASS),
    (8, "body_water_mass", MASS),
    (9, "impedance_ohm", _TENTHS),
    (10, "weight", MASS),
    (11, "height", LENGTH),
)
_MULTIPLE_PACKETS = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyComposition:
    """One 0x2A9C value; masses in kg, or in lb where `imperial`. None: the field is absent."""

    body_fat_percent: Number
    imperial: bool = False
    time_stamp: DateTime | None = None
    user_id: int | None = None
    basal_metabolism_kj: Number | None = None
    muscle_percent: Number | None = None
    muscle_mass: Number | None = None
    fat_free_mass: Number | None = None
    soft_lean_mass: Number | None = None
    body_water_mass: Number | None = None
    impedance_ohm: Number | None = None
    weight: Number | None = None
    height: Number | None = None
    multiple_packets: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "BodyComposition":
        """The measurement. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "Body Composition Measurement")
        flags = cursor.u16()
        there = [(name, step) for bit, name, step in _FIELDS if flags >> bit & 1]
        stamp, user = flags & 0x02, flags & 0x04
        cursor.require(4 + (7 if stamp else 0) + (1 if user else 0) + 2 * len(there))
        body_fat = scaled(cursor.u16(), _PERCENT)
        time_stamp = cursor.date_time() if stamp else None
        user_id = cursor.u8() if user else None
        imperial = bool(flags & 0x01)
        found = {name: scaled(cursor.u16(), step[imperial]) for name, step in there}
        return cls(
            body_fat_percent=body_fat,
            imperial=imperial,
            time_stamp=time_stamp,
            user_id=user_id,
            multiple_packets=bool(flags & _MULTIPLE_PACKETS),
            **found,
        )

    def encode(self) -> bytes:
        """4 to 30 octets."""
        flags = int(self.imperial) | (_MULTIPLE_PACKETS if self.multiple_packets else 0)
        data = u16(word_of(self.body_fat_percent, _PERCENT))
        if self.time_stamp is not None:
            flags, data = flags | 0x02, data + self.time_stamp.encode()
        if self.user_id is not None:
            flags, data = flags | 0x04, data + bytes((self.user_id,))
        for bit, name, step in _FIELDS:
            number: Number | None = getattr(self, name)
            if number is not None:
                flags, data = flags | 1 << bit, data + u16(word_of(number, step[self.imperial]))
        return u16(flags) + data

    def with_rest(self, other: "BodyComposition") -> "BodyComposition | None":
        """The measurement of which these are the two packets; None where they are of two.

        They are of one where nothing that both say differs.
        """
        if not (self.multiple_packets and other.multiple_packets):
            return None
        if self.imperial is not other.imperial:
            return None
        both: dict[str, object] = {}
        for name in (
            "body_fat_percent",
            "time_stamp",
            "user_id",
            *(each for _, each, _ in _FIELDS),
        ):
            mine, theirs = getattr(self, name), getattr(other, name)
            if _says(mine) and _says(theirs) and mine != theirs:
                return None
            both[name] = mine if _says(mine) or theirs is None else theirs
        return replace(self, multiple_packets=False, **both)  # type: ignore[arg-type]

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document = number_document("body_fat_pct", self.body_fat_percent)
        document["unit"] = "lb" if self.imperial else "kg"
        if self.time_stamp is not None:
            document["timestamp"] = self.time_stamp.text()
        if self.user_id is not None:
            document["user_id"] = self.user_id
        for _, name, _ in _FIELDS:
            number: Number | None = getattr(self, name)
            if number is not None:
                document |= number_document(name.replace("percent", "pct"), number)
        document["multiple_packets"] = self.multiple_packets
        return document


def _says(field: object) -> bool:
    return field is not None and not isinstance(field, Special)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyCompositionFeature:
    """What a scale can tell of a body, as bits."""

    bits: int

    @classmethod
    def decode(cls, data: bytes) -> "BodyCompositionFeature":
        """The bits in 4 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Body Composition Feature")
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
            "weight": bool(self.bits & 0x200),
        }


def body_fat_of(composition: BodyComposition, *, moment: Moment, raw: bytes) -> Reading:
    """The reading of the body fat, per cent; withheld where measuring failed."""
    number = composition.body_fat_percent
    return one_value(Kind.BODY_FAT, number, unit=Unit.PERCENT, moment=moment, raw=raw)


def weight_of(composition: BodyComposition, *, moment: Moment, raw: bytes) -> Reading | None:
    """The reading of the weight that came with it, None where none came."""
    if composition.weight is None:
        return None
    return reading_of(composition.weight, imperial=composition.imperial, moment=moment, raw=raw)
