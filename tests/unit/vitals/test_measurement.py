"""Readings become measurements whose identity no resend changes."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.measurement import (
    CLOCK_CODE,
    CLOCK_OF_CODE,
    FLAG_BIT,
    MEAL_CODE,
    MEAL_OF_CODE,
    Clock,
    Flag,
    Meal,
    Measurement,
    Reading,
    Value,
    content_number,
    identity,
    place,
    words,
)
from vitals.units import Unit

TAKEN = datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
GLUCOSE = Measurement(
    id="0123456789abcdef",
    device="ble:C0:00:00:00:00:01",
    kind=Kind.GLUCOSE,
    value=5.6,
    unit=Unit.MMOL_PER_L,
    taken_at=TAKEN,
    sequence=42,
    clock=Clock.MEASURED,
)
CUFF = Reading(
    sequence=7,
    device_time=datetime(2026, 11, 22, 8, 15),
    values=(
        Value(kind=Kind.SYSTOLIC, value=120.0, unit=Unit.MMHG),
        Value(kind=Kind.DIASTOLIC, value=80.0, unit=Unit.MMHG),
    ),
    raw=b"raw",
    user=1,
    flags=(Flag.IRREGULAR_PULSE,),
)


def placed(reading: Reading, *, device: str = "ble:1") -> tuple[Measurement, ...]:
    return place(
        reading,
        device=device,
        taken_at=TAKEN,
        clock=Clock.MEASURED,
        offset=timedelta(hours=-8),
    )


def test_each_value_of_a_reading_is_one_measurement_with_all_that_was_said() -> None:
    systolic, diastolic = placed(CUFF)
    assert (systolic.kind, systolic.value, systolic.unit) == (Kind.SYSTOLIC, 120.0, Unit.MMHG)
    assert (diastolic.kind, diastolic.value) == (Kind.DIASTOLIC, 80.0)
    for each in (systolic, diastolic):
        assert (each.sequence, each.user, each.raw) == (7, 1, b"raw")
        assert each.flags == (Flag.IRREGULAR_PULSE,)
        assert each.device_time == datetime(2026, 11, 22, 8, 15)
        assert each.clock_offset_s == -8 * 3600
    assert systolic.id != diastolic.id


def test_a_withheld_reading_gives_no_measurement() -> None:
    assert placed(replace(CUFF, values=(), withheld="not_a_number")) == ()


def test_a_resend_has_the_same_identity_in_whatever_zone_its_time_is_written() -> None:
    first = identity(device="ble:1", kind=Kind.PULSE, sequence=1, taken_at=TAKEN)
    shanghai = TAKEN.astimezone(ZoneInfo("Asia/Shanghai"))
    assert identity(device="ble:1", kind=Kind.PULSE, sequence=1, taken_at=shanghai) == first
    assert len(first) == 16
    assert int(first, 16) >= 0


def test_the_identity_is_what_it_was_in_the_first_release() -> None:
    # receipts name measurements by it: a gateway that was updated must still be understood
    assert identity(device="ble:1", kind=Kind.PULSE, sequence=1, taken_at=TAKEN) == (
        # BLAKE2b-64 of "ble:1|pulse|1|2026-11-22T00:15:00+00:00"
        "155be68f241750a6"
    )


def test_device_kind_number_and_time_each_make_another_measurement() -> None:
    def one(**other: object) -> str:
        fields: dict[str, object] = {
            "device": "ble:1",
            "kind": Kind.PULSE,
            "sequence": 1,
            "taken_at": TAKEN,
        }
        return identity(**(fields | other))  # type: ignore[arg-type]

    others = [
        one(),
        one(device="ble:2"),
        one(kind=Kind.HEART_RATE),
        one(sequence=2),
        one(taken_at=TAKEN + timedelta(seconds=1)),
    ]
    assert len(set(others)) == len(others)


def test_what_a_device_has_corrected_is_named_by_its_words_too() -> None:
    def one(**more: str) -> str:
        return identity(device="ble:1", kind=Kind.PULSE, sequence=1, taken_at=TAKEN, **more)

    assert one(correction="") == one()
    assert len({one(), one(correction="pulse 70.0 /min"), one(correction="pulse 71.0 /min")}) == 3
    # a spool that was upgraded must not send what it has sent under another name
    assert one(correction="pulse 70.0 /min") == (
        # BLAKE2b-64 of "ble:1|pulse|1|2026-11-22T00:15:00+00:00|pulse 70.0 /min"
        "f76844fbac070cc3"
    )


def test_the_words_of_a_measurement_are_all_that_its_device_says_and_nothing_else() -> None:
    reading = replace(CUFF, meal=Meal.FASTING, flags=(Flag.CUFF_LOOSE, Flag.BODY_MOVEMENT))
    systolic, diastolic = placed(reading)
    assert words(systolic) == "systolic 120.0 mm[Hg] user=1 meal=fasting body_movement cuff_loose"
    assert words(diastolic).startswith("diastolic 80.0 mm[Hg] ")
    later = replace(
        systolic,
        id="other",
        taken_at=TAKEN + timedelta(hours=1),
        clock=Clock.UNSURE,
        clock_offset_s=0,
        raw=b"",
        flags=(Flag.BODY_MOVEMENT, Flag.CUFF_LOOSE, Flag.BODY_MOVEMENT),
    )
    assert words(later) == words(systolic)
    assert words(placed(replace(CUFF, user=None, flags=()))[0]) == "systolic 120.0 mm[Hg]"


@given(st.lists(st.binary(max_size=20), max_size=4))
def test_a_content_number_fits_into_a_signed_database_number(parts: list[bytes]) -> None:
    assert 0 <= content_number(*parts) < 2**63


def test_a_content_number_is_the_same_for_the_same_bytes_alone() -> None:
    assert content_number(b"ab", b"c") == content_number(b"ab", b"c")
    numbers = {content_number(*parts) for parts in ([b"ab", b"c"], [b"a", b"bc"], [b"abc"], [])}
    assert len(numbers) == 4


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"taken_at": datetime(2026, 11, 22, 8, 15)}, "offset from UTC"),
        ({"value": float("nan")}, "finite"),
        ({"value": float("inf")}, "finite"),
        ({"unit": Unit.KG}, "glucose cannot be in kg"),
    ],
)
def test_a_measurement_of_parts_that_cannot_be_is_not_built(
    spoiled: dict[str, object], reason: str
) -> None:
    with pytest.raises(MendData, match=reason):
        replace(GLUCOSE, **spoiled)  # type: ignore[arg-type]


def test_the_codes_in_the_database_are_what_they_were() -> None:
    # rows hold these: new ones go to the end
    assert MEAL_CODE == {
        Meal.PREPRANDIAL: 1,
        Meal.POSTPRANDIAL: 2,
        Meal.FASTING: 3,
        Meal.CASUAL: 4,
        Meal.BEDTIME: 5,
    }
    assert [CLOCK_CODE[Clock(name)] for name in ["measured", "assumed", "unsure", "received"]] == [
        1,
        2,
        3,
        4,
    ]
    flags = (
        "irregular_pulse body_movement cuff_loose improper_position pulse_too_high pulse_too_low "
        "battery_low sensor_fault sample_too_small strip_error result_too_high result_too_low "
        "temperature_too_high temperature_too_low read_interrupted device_fault time_fault "
        "no_skin_contact early_estimate questionable poor_signal low_perfusion"
    )
    for place_of, name in enumerate(flags.split()):
        assert FLAG_BIT[Flag(name)] == 1 << place_of
    assert max(FLAG_BIT.values()) < 2**31  # the column is a signed 32-bit number


def test_every_code_leads_back_to_its_word() -> None:
    assert {MEAL_OF_CODE[code] for code in MEAL_CODE.values()} == set(Meal)
    assert {CLOCK_OF_CODE[code] for code in CLOCK_CODE.values()} == set(Clock)
