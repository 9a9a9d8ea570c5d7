"""Values as devices send them: builders that start valid, and all that can be (Hypothesis)."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from gateway_agent.drivers.blood_pressure import BloodPressure
from gateway_agent.drivers.current_time import CurrentTime
from gateway_agent.drivers.glucose_record import (
    KG_PER_L,
    MOL_PER_L,
    GlucoseContext,
    GlucoseMeasurement,
)
from gateway_agent.drivers.heart_rate import HeartRate
from gateway_agent.drivers.record_access import (
    ABORT,
    ALL,
    AT_LEAST,
    AT_MOST,
    BY_SEQUENCE,
    BY_TIME,
    DELETE,
    FIRST,
    LAST,
    RANGE,
    REPORT,
    REPORT_NUMBER,
    Command,
    NumberOfRecords,
    Response,
)
from gateway_agent.gatt import DateTime, Number, Special

EIGHT_FIFTEEN = DateTime(year=2026, month=11, day=22, hours=8, minutes=15, seconds=0)

# 99 mg/dL, from a finger, no doubts
GLUCOSE = GlucoseMeasurement(
    sequence_number=42, base_time=EIGHT_FIFTEEN, concentration=Decimal("0.00099")
)
# 120/80 mmHg, mean 93, pulse 72, user 1
PRESSURE = BloodPressure(
    systolic=Decimal(120),
    diastolic=Decimal(80),
    mean_arterial_pressure=Decimal(93),
    time_stamp=EIGHT_FIFTEEN,
    pulse_rate=Decimal(72),
    user_id=1,
    status=0,
)


def glucose(number: int, **spoiled: object) -> GlucoseMeasurement:
    return replace(GLUCOSE, sequence_number=number, **spoiled)  # type: ignore[arg-type]


u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
s16 = st.integers(-0x8000, 0x7FFF)
nibble = st.integers(0, 15)


def _decimal(mantissa: int, exponent: int) -> Decimal:
    digits = tuple(int(digit) for digit in str(abs(mantissa)))
    return Decimal((int(mantissa < 0), digits, exponent))


# every SFLOAT that may be sent: mantissa -2045 … 2045, exponent -8 … 7, and the five special words
sendable = st.sampled_from([each for each in Special if each is not Special.SUSPECT])
sfloats: st.SearchStrategy[Number] = st.one_of(
    st.builds(_decimal, st.integers(-2045, 2045), st.integers(-8, 7)), sendable
)
floats: st.SearchStrategy[Number] = st.one_of(
    st.builds(_decimal, st.integers(-8388605, 8388605), st.integers(-128, 127)), sendable
)
date_times = st.builds(
    DateTime, year=u16, month=u8, day=u8, hours=u8, minutes=u8, seconds=u8
) | st.datetimes().map(DateTime.of)
current_times = st.builds(
    CurrentTime, date_time=date_times, day_of_week=u8, fractions256=u8, adjust_reason=u8
)


def _optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


@st.composite
def glucose_measurements(draw: st.DrawFn) -> GlucoseMeasurement:
    concentration = draw(_optional(sfloats))
    there = concentration is not None
    return GlucoseMeasurement(
        sequence_number=draw(u16),
        base_time=draw(date_times),
        time_offset_min=draw(_optional(s16)),
        concentration=concentration,
        unit=draw(st.sampled_from([KG_PER_L, MOL_PER_L])) if there else KG_PER_L,
        type=draw(nibble) if there else 1,
        sample_location=draw(nibble) if there else 1,
        status=draw(_optional(u16)),
        context_follows=draw(st.booleans()),
    )


@st.composite
def glucose_contexts(draw: st.DrawFn) -> GlucoseContext:
    fields: dict[str, object] = {"sequence_number": draw(u16)}
    groups: list[dict[str, st.SearchStrategy[object]]] = [
        {"extended_flags": u8},
        {"carbohydrate_id": u8, "carbohydrate_kg": sfloats},
        {"meal": u8},
        {"tester": nibble, "health": nibble},
        {"exercise_duration_s": u16, "exercise_intensity_percent": u8},
        {"medication_id": u8, "medication": sfloats, "medication_in_litres": st.booleans()},
        {"hba1c_percent": sfloats},
    ]
    for group in groups:
        if draw(st.booleans()):
            fields |= {name: draw(strategy) for name, strategy in group.items()}
    return GlucoseContext(**fields)  # type: ignore[arg-type]


blood_pressures = st.builds(
    BloodPressure,
    systolic=sfloats,
    diastolic=sfloats,
    mean_arterial_pressure=sfloats,
    in_kpa=st.booleans(),
    time_stamp=_optional(date_times),
    pulse_rate=_optional(sfloats),
    user_id=_optional(u8),
    status=_optional(u16),
)
heart_rates = st.builds(
    HeartRate,
    rate_per_minute=u16,
    contact=st.sampled_from([None, False, True]),
    energy_kj=_optional(u16),
    rr_1024ths=st.lists(u16, max_size=9).map(tuple),
)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    operator = draw(st.sampled_from([ALL, AT_MOST, AT_LEAST, RANGE, FIRST, LAST]))
    op_code = draw(st.sampled_from([REPORT, DELETE, REPORT_NUMBER, ABORT]))
    if operator not in (AT_MOST, AT_LEAST, RANGE):
        return Command(op_code=op_code, operator=operator)
    filter_type = draw(st.sampled_from([BY_SEQUENCE, BY_TIME]))
    value = u16 if filter_type == BY_SEQUENCE else date_times
    return Command(
        op_code=op_code,
        operator=operator,
        filter_type=filter_type,
        low=None if operator == AT_MOST else draw(value),
        high=None if operator == AT_LEAST else draw(value),
    )


record_accesses = st.one_of(
    commands(),
    st.builds(NumberOfRecords, number=u16),
    st.builds(Response, request=u8, code=u8),
)
