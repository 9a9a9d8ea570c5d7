"""What a glucose meter stores: its measurement, the context of it, and what they mean together.

Numbers are little-endian; a field whose flag is 0 is absent, not zero.

    Glucose Measurement 0x2A18 (notify), 10-17 octets; Glucose Service 1.0.1 §3.1
    field                      type       unit                                if
    flags                      u8
    sequence number            u16
    base time                  Date Time  the meter's local time
    time offset                s16        minutes, added to the base time     bit 0
    concentration              SFLOAT     kg/L (bit 2 = 0), mol/L (bit 2 = 1) bit 1
    type, sample location      u8         low nibble, high nibble             bit 1
    sensor status annunciation u16        bits, see STATUS_FLAGS              bit 3
    (context follows                                                          bit 4)

    Glucose Measurement Context 0x2A34 (notify), 3-17 octets; §3.2
    flags                      u8
    sequence number            u16        that of its measurement
    extended flags             u8         all reserved                        bit 7
    carbohydrate id, amount    u8 SFLOAT  kg                                  bit 0
    meal                       u8         1-5, see vitals Meal                bit 1
    tester, health             u8         low nibble, high nibble             bit 2
    exercise time, intensity   u16 u8     s, per cent                         bit 3
    medication id, amount      u8 SFLOAT  kg (bit 5 = 0), litre (bit 5 = 1)   bit 4
    HbA1c                      SFLOAT     per cent                            bit 6

    Glucose Feature 0x2A51 (read), 2 octets of bits; §3.3

Sources: Bluetooth SIG Glucose Service 1.0.1, GATT Specification Supplement, SIG characteristic XML
of 2012. May hold: these three formats and their meaning. May not: the order in which they arrive.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from gateway_agent.gatt import (
    Cursor,
    DateTime,
    Number,
    Special,
    encode_sfloat,
    number_document,
    u16,
)
from vitals.kinds import Kind
from vitals.measurement import MEAL_OF_CODE, Flag, Reading, Value
from vitals.units import Unit

MEASUREMENT = "2A18"
CONTEXT = "2A34"
FEATURE = "2A51"

KG_PER_L = "kg/L"
MOL_PER_L = "mol/L"

# decimal places from the characteristic's unit to ours: 0.00099 kg/L is 99 mg/dL, 0.0055 mol/L is
# 5.5 mmol/L (1 kg/L = 100 000 mg/dL; 1 mol/L = 1000 mmol/L)
_SHIFT = {KG_PER_L: (5, Unit.MG_PER_DL), MOL_PER_L: (3, Unit.MMOL_PER_L)}
_UNIT_OF = {unit: (name, shift) for name, (shift, unit) in _SHIFT.items()}

# Glucose Service §3.1: sample type 10 and sample location 4 are control solution
CONTROL_SOLUTION_TYPE = 10
CONTROL_SOLUTION_LOCATION = 4
CAPILLARY_WHOLE_BLOOD = 1
FINGER = 1

# Sensor Status Annunciation, §3.1, bit by bit; 12-15 are reserved
STATUS_FLAGS = (
    Flag.BATTERY_LOW,
    Flag.SENSOR_FAULT,
    Flag.SAMPLE_TOO_SMALL,
    Flag.STRIP_ERROR,  # strip insertion
    Flag.STRIP_ERROR,  # strip type
    Flag.RESULT_TOO_HIGH,
    Flag.RESULT_TOO_LOW,
    Flag.TEMPERATURE_TOO_HIGH,
    Flag.TEMPERATURE_TOO_LOW,
    Flag.READ_INTERRUPTED,
    Flag.DEVICE_FAULT,
    Flag.TIME_FAULT,
)

# minutes; XML of 2012: overrun and underrun, the time cannot be told
_OFFSET_OVERRUN, _OFFSET_UNDERRUN = 0x7FFF, -0x8000

# CareSens meters send FF FF (-0.1) in the place of a concentration beside a ketone value
_FILLER = Decimal("-0.1")
# CareSens: meal 6 says that the number is a ketone (NightscoutFoundation/xDrip, caresens/ContextRx)
VENDOR_KETONE_MEAL = 6

# flags(1) sequence(2) base time(7) offset(2) concentration(2) type and location(1) status(2)
_FULL_LENGTH = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseMeasurement:
    """One 0x2A18 value. None: the field is absent. `unit` belongs to `concentration`."""

    sequence_number: int
    base_time: DateTime
    time_offset_min: int | None = None
    concentration: Number | None = None
    unit: str = KG_PER_L
    type: int = CAPILLARY_WHOLE_BLOOD
    sample_location: int = FINGER
    status: int | None = None
    context_follows: bool = False

    @classmethod
    def decode(cls, data: bytes) -> "GlucoseMeasurement":
        """The record. Raises CannotDecode where the length is not what the flags say.

        One exception: a record without concentration may fill the whole structure of 17 octets
        with fields that its flags do not name; it carries nothing that could be shown.
        """
        cursor = Cursor(data, "Glucose Measurement")
        flags = cursor.u8()
        offset, concentration, status = flags & 1, flags & 2, flags & 8
        if concentration or cursor.length != _FULL_LENGTH:
            cursor.require(
                10 + (2 if offset else 0) + (3 if concentration else 0) + (2 if status else 0)
            )
        sequence_number, base_time = cursor.u16(), cursor.date_time()
        time_offset_min = cursor.s16() if offset else None
        number = cursor.sfloat() if concentration else None
        nibbles = cursor.u8() if concentration else (FINGER << 4 | CAPILLARY_WHOLE_BLOOD)
        return cls(
            sequence_number=sequence_number,
            base_time=base_time,
            time_offset_min=time_offset_min,
            concentration=number,
            unit=MOL_PER_L if flags & 4 and concentration else KG_PER_L,
            type=nibbles & 0x0F,
            sample_location=nibbles >> 4,
            status=cursor.u16() if status else None,
            context_follows=bool(flags & 16),
        )

    def encode(self) -> bytes:
        """10 to 17 octets."""
        flags = int(self.context_follows) << 4
        data = u16(self.sequence_number) + self.base_time.encode()
        if self.time_offset_min is not None:
            flags |= 1
            data += self.time_offset_min.to_bytes(2, "little", signed=True)
        if self.concentration is not None:
            flags |= 2 | (4 if self.unit == MOL_PER_L else 0)
            data += encode_sfloat(self.concentration)
            data += bytes((self.sample_location << 4 | self.type,))
        if self.status is not None:
            flags |= 8
            data += u16(self.status)
        return bytes((flags,)) + data

    def device_time(self) -> datetime | None:
        """Base time and offset together, naive; None where the meter does not know it."""
        base, offset = self.base_time.moment(), self.time_offset_min or 0
        if base is None or offset in (_OFFSET_OVERRUN, _OFFSET_UNDERRUN):
            return None
        try:
            return base + timedelta(minutes=offset)
        except OverflowError:
            return None

    def is_control_solution(self) -> bool:
        """Was this a test of the meter, and not of a person?"""
        return (
            self.type == CONTROL_SOLUTION_TYPE or self.sample_location == CONTROL_SOLUTION_LOCATION
        )

    def flags(self) -> tuple[Flag, ...]:
        """The doubts of the status bits, each once."""
        status = self.status or 0
        said = (flag for bit, flag in enumerate(STATUS_FLAGS) if status >> bit & 1)
        return tuple(dict.fromkeys(said))

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {
            "sequence_number": self.sequence_number,
            "base_time": self.base_time.text(),
            **self.base_time.parts(),
            "context_follows": self.context_follows,
        }
        if self.time_offset_min is not None:
            document["time_offset_min"] = self.time_offset_min
        if self.concentration is not None:
            document |= number_document("concentration", self.concentration)
            document["unit"] = self.unit
            document |= {"type": self.type, "sample_location": self.sample_location}
        if self.status is not None:
            document["status"] = self.status
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseContext:
    """One 0x2A34 value. None: the field is absent; pairs of fields come and go together."""

    sequence_number: int
    extended_flags: int | None = None
    carbohydrate_id: int | None = None
    carbohydrate_kg: Number = Special.NAN
    meal: int | None = None
    tester: int | None = None
    health: int = 0
    exercise_duration_s: int | None = None
    exercise_intensity_percent: int = 0
    medication_id: int | None = None
    medication: Number = Special.NAN
    medication_in_litres: bool = False
    hba1c_percent: Number | None = None

    @classmethod
    def decode(cls, data: bytes) -> "GlucoseContext":
        """The context. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "Glucose Measurement Context")
        flags = cursor.u8()
        octets = {0x80: 1, 0x01: 3, 0x02: 1, 0x04: 1, 0x08: 3, 0x10: 3, 0x40: 2}
        cursor.require(3 + sum(size for bit, size in octets.items() if flags & bit))
        sequence_number = cursor.u16()
        extended_flags = cursor.u8() if flags & 0x80 else None
        carbohydrate = (cursor.u8(), cursor.sfloat()) if flags & 0x01 else (None, Special.NAN)
        meal = cursor.u8() if flags & 0x02 else None
        tester_health = cursor.u8() if flags & 0x04 else None
        exercise = (cursor.u16(), cursor.u8()) if flags & 0x08 else (None, 0)
        medication = (cursor.u8(), cursor.sfloat()) if flags & 0x10 else (None, Special.NAN)
        return cls(
            sequence_number=sequence_number,
            extended_flags=extended_flags,
            carbohydrate_id=carbohydrate[0],
            carbohydrate_kg=carbohydrate[1],
            meal=meal,
            tester=None if tester_health is None else tester_health & 0x0F,
            health=(tester_health or 0) >> 4,
            exercise_duration_s=exercise[0],
            exercise_intensity_percent=exercise[1],
            medication_id=medication[0],
            medication=medication[1],
            medication_in_litres=bool(flags & 0x10 and flags & 0x20),
            hba1c_percent=cursor.sfloat() if flags & 0x40 else None,
        )

    def encode(self) -> bytes:
        """3 to 17 octets."""
        flags, data = 0, u16(self.sequence_number)
        if self.extended_flags is not None:
            flags, data = flags | 0x80, data + bytes((self.extended_flags,))
        if self.carbohydrate_id is not None:
            flags |= 0x01
            data += bytes((self.carbohydrate_id,)) + encode_sfloat(self.carbohydrate_kg)
        if self.meal is not None:
            flags, data = flags | 0x02, data + bytes((self.meal,))
        if self.tester is not None:
            flags, data = flags | 0x04, data + bytes((self.health << 4 | self.tester,))
        if self.exercise_duration_s is not None:
            flags |= 0x08
            data += u16(self.exercise_duration_s) + bytes((self.exercise_intensity_percent,))
        if self.medication_id is not None:
            flags |= 0x10 | (0x20 if self.medication_in_litres else 0)
            data += bytes((self.medication_id,)) + encode_sfloat(self.medication)
        if self.hba1c_percent is not None:
            flags, data = flags | 0x40, data + encode_sfloat(self.hba1c_percent)
        return bytes((flags,)) + data

    def is_ketone(self) -> bool:
        """Does a CareSens meter say that the number is no glucose?"""
        return self.meal == VENDOR_KETONE_MEAL

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {"sequence_number": self.sequence_number}
        if self.extended_flags is not None:
            document["extended_flags"] = self.extended_flags
        if self.carbohydrate_id is not None:
            document["carbohydrate_id"] = self.carbohydrate_id
            document |= number_document("carbohydrate", self.carbohydrate_kg)
        if self.meal is not None:
            document |= {"meal": self.meal, "vendor_ketone": self.is_ketone()}
        if self.tester is not None:
            document |= {"tester": self.tester, "health": self.health}
        if self.exercise_duration_s is not None:
            document["exercise_duration_s"] = self.exercise_duration_s
            document["exercise_intensity_pct"] = self.exercise_intensity_percent
        if self.medication_id is not None:
            document["medication_id"] = self.medication_id
            document |= number_document("medication", self.medication)
            document["medication_unit"] = "L" if self.medication_in_litres else "kg"
        if self.hba1c_percent is not None:
            document |= number_document("hba1c_pct", self.hba1c_percent)
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseFeature:
    """What a meter can notice: one bit for each, §3.3 (0 low battery … 9 time fault, 10 bonds)."""

    bits: int

    @classmethod
    def decode(cls, data: bytes) -> "GlucoseFeature":
        """The bits in 2 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Glucose Feature")
        cursor.require(2)
        return cls(bits=cursor.u16())

    def encode(self) -> bytes:
        """2 octets."""
        return u16(self.bits)

    def document(self) -> dict[str, object]:
        """The bits as one number."""
        return {"features": self.bits}


def concentration(value: Decimal, unit: Unit) -> tuple[Decimal, str]:
    """Concentration and unit as a meter sends them: 5.5 mmol/L is 0.0055 mol/L, exactly.

    Raises KeyError for a unit that glucose does not have.
    """
    name, shift = _UNIT_OF[unit]
    return value.scaleb(-shift), name


def reading_of(
    measurement: GlucoseMeasurement, context: GlucoseContext | None, *, raw: bytes
) -> Reading:
    """The reading that measurement and context make together.

    Value in mg/dL or mmol/L, whichever the meter used, scaled exactly. A control solution, a number
    that is none, a ketone and a result beyond the meter's range are withheld with their reason.
    """
    why = _withheld(measurement, context)
    return Reading(
        sequence=measurement.sequence_number,
        device_time=measurement.device_time(),
        values=() if why else _values(measurement),
        raw=raw,
        meal=MEAL_OF_CODE.get(context.meal or 0) if context else None,
        flags=measurement.flags(),
        withheld=why,
    )


def _withheld(measurement: GlucoseMeasurement, context: GlucoseContext | None) -> str | None:
    number, flags = measurement.concentration, measurement.flags()
    if measurement.is_control_solution():
        return "control_solution"
    if context and context.is_ketone():
        return "ketone"
    if number is Special.POSITIVE_INFINITY or Flag.RESULT_TOO_HIGH in flags:
        return "result_too_high"
    if number is Special.NEGATIVE_INFINITY or Flag.RESULT_TOO_LOW in flags:
        return "result_too_low"
    if number is None:
        return "no_concentration"
    if isinstance(number, Special):
        return "not_a_number"
    if number == _FILLER:
        return "filler"
    return "not_positive" if number <= 0 else None


def _values(measurement: GlucoseMeasurement) -> tuple[Value, ...]:
    assert isinstance(measurement.concentration, Decimal)
    shift, unit = _SHIFT[measurement.unit]
    number = float(measurement.concentration.scaleb(shift))
    return (Value(kind=Kind.GLUCOSE, value=number, unit=unit),)
