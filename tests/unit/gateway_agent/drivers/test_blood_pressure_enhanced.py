"""A cuff of Blood Pressure Service 1.1: one measurement in two forms is one reading."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from formats.blood_pressure_enhanced import enhanced_pressures
from hypothesis import given, settings
from payloads import PRESSURE
from pump import START, Arrival, Device, Visited, pump

from gateway_agent.drivers.blood_pressure import MEASUREMENT, BloodPressure, reading_of, talk
from gateway_agent.drivers.blood_pressure_enhanced import (
    MEASUREMENT as ENHANCED,
)
from gateway_agent.drivers.blood_pressure_enhanced import EnhancedBloodPressure, Tail
from gateway_agent.drivers.blood_pressure_record import BloodPressureRecord, Segment
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import Subscribe, Visit
from vitals.measurement import Flag

VISIT = Visit(device="ble:C0:00:00:00:00:02")
# 2026-11-22 08:15:00, as PRESSURE has it
EIGHT_FIFTEEN_S = 848_650_500


def twin(minute: int = 0, **spoiled: object) -> EnhancedBloodPressure:
    """What `PRESSURE` is in the enhanced form."""
    tail = Tail(
        shown_s=EIGHT_FIFTEEN_S + 60 * minute,
        pulse_rate=PRESSURE.pulse_rate,
        user_id=PRESSURE.user_id,
        status=PRESSURE.status,
    )
    return EnhancedBloodPressure(
        systolic=PRESSURE.systolic,
        diastolic=PRESSURE.diastolic,
        mean_arterial_pressure=PRESSURE.mean_arterial_pressure,
        tail=replace(tail, **spoiled),  # type: ignore[arg-type]
    )


def enhanced(minute: int = 0, **spoiled: object) -> Arrival:
    return ENHANCED, twin(minute, **spoiled).encode()


def plain(minute: int = 0) -> Arrival:
    assert PRESSURE.time_stamp is not None
    stamp = replace(PRESSURE.time_stamp, minutes=PRESSURE.time_stamp.minutes + minute)
    return MEASUREMENT, replace(PRESSURE, time_stamp=stamp).encode()


def visit(*sends: Arrival) -> Visited:
    return pump(talk(VISIT), Device(sends=sends, hangs_up=True))


@pytest.mark.parametrize("sends", [(plain(), enhanced()), (enhanced(), plain())])
def test_a_measurement_in_both_forms_is_one_reading(sends: tuple[Arrival, Arrival]) -> None:
    (reading,) = visit(*sends).kept
    assert reading.raw == sends[0][1]
    assert {each.value for each in reading.values} == {120.0, 80.0, 93.0, 72.0}


def test_both_forms_have_the_same_number_and_time_so_two_visits_bring_one_reading() -> None:
    (first,), (second,) = visit(plain()).kept, visit(enhanced()).kept
    assert (first.sequence, first.device_time) == (second.sequence, second.device_time)
    assert (first.values, first.flags, first.user) == (second.values, second.flags, second.user)


def test_equal_pressures_of_two_moments_are_two_measurements() -> None:
    assert len(visit(plain(0), enhanced(1)).kept) == 2
    assert len(visit(plain(0), plain(1), enhanced(0), enhanced(1)).kept) == 2
    assert len(visit(enhanced(0), enhanced(1), plain(1), plain(0)).kept) == 2
    # a form without a time is the twin of one alone
    undated = enhanced(shown_s=None)
    assert len(visit(plain(0), plain(1), undated).kept) == 2


def test_other_pressures_at_the_same_moment_are_two_measurements() -> None:
    other = (ENHANCED, replace(twin(), systolic=Decimal(121)).encode())
    assert len(visit(plain(), other).kept) == 2


def test_the_time_that_the_cuff_shows_goes_before_its_bare_time_stamp() -> None:
    (reading,) = visit(enhanced(time_stamp_s=5)).kept
    assert (reading.device_time, reading.flags) == (PRESSURE.time_stamp.moment(), ())  # type: ignore[union-attr]
    # what a bare time stamp counts is not known
    (bare,) = visit(enhanced(shown_s=None, time_stamp_s=EIGHT_FIFTEEN_S)).kept
    assert bare.device_time == reading.device_time
    assert bare.flags == (Flag.TIME_FAULT,)


def test_seconds_are_counted_from_1900_or_2000() -> None:
    assert Tail(shown_s=0, since_2000=False).shown() == START.replace(
        year=1900, month=1, day=1, hour=0, minute=0, tzinfo=None
    )
    assert Tail(shown_s=0).shown() == datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def test_a_cuff_is_asked_for_both_forms_and_need_not_have_the_second() -> None:
    subscribed = [ask for ask in visit().asks if isinstance(ask, Subscribe)]
    assert [(each.characteristic, each.optional) for each in subscribed] == [
        (MEASUREMENT, False),
        (ENHANCED, True),
    ]


@settings(max_examples=200, deadline=None)
@given(enhanced_pressures)
def test_any_enhanced_measurement_is_one_reading(said: EnhancedBloodPressure) -> None:
    (reading,) = visit((ENHANCED, said.encode())).kept
    assert reading.raw == said.encode()


RECORD = BloodPressureRecord(sequence_number=42, characteristic="2B34", value=twin().encode())


@pytest.mark.parametrize("octets", [2, 6, 20, 100])
@pytest.mark.parametrize("has_crc", [False, True])
def test_a_record_in_any_number_of_segments_is_put_together(octets: int, has_crc: bool) -> None:
    record = RECORD.sealed() if has_crc else RECORD
    segments = record.split(octets, counter=60)
    assert all(len(each.encode()) <= octets for each in segments)
    again = [Segment.decode(each.encode()) for each in segments]
    found = BloodPressureRecord.join(again, has_crc=has_crc)
    assert found == record
    assert EnhancedBloodPressure.decode(found.value) == twin()


def test_a_record_with_a_segment_missing_is_refused_whole() -> None:
    segments = RECORD.split(6)
    assert len(segments) > 3
    for missing in range(len(segments)):
        with pytest.raises(CannotDecode, match="segment missing"):
            BloodPressureRecord.join(segments[:missing] + segments[missing + 1 :], has_crc=False)
    for broken in ([], [*segments, segments[-1]], [segments[0], *segments], segments[::-1]):
        with pytest.raises(CannotDecode, match="segment missing"):
            BloodPressureRecord.join(broken, has_crc=False)


def test_a_record_with_a_wrong_crc_is_refused_whole() -> None:
    segments = RECORD.sealed().split(20)
    spoiled = [replace(segments[0], payload=b"\x2b" + segments[0].payload[1:]), *segments[1:]]
    with pytest.raises(CannotDecode, match="wrong CRC"):
        BloodPressureRecord.join(spoiled, has_crc=True)
    short = [Segment(is_first=True, is_last=True, counter=0, payload=b"\x00")]
    for has_crc in (False, True):
        with pytest.raises(CannotDecode):
            BloodPressureRecord.join(short, has_crc=has_crc)


def test_the_plain_form_keeps_the_number_that_it_always_had() -> None:
    read = reading_of(PRESSURE, raw=PRESSURE.encode(), at=START + timedelta(days=1))
    assert BloodPressure.decode(read.raw) == PRESSURE
    assert visit(enhanced()).kept[0].sequence == read.sequence
