"""A visit to an oximeter: stored and live spot checks, and one reading of its stream."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from formats.oximeter import continuous, spot_checks
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import EIGHT_FIFTEEN
from pump import START, Arrival, Device, pump

from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.pulse_oximeter import (
    MOST_VALUES,
    VALUES,
    reading_of,
    reading_of_stream,
    talk,
)
from gateway_agent.drivers.pulse_oximeter_record import (
    CONTINUOUS,
    FEATURES,
    SPOT_CHECK,
    Continuous,
    Features,
    Oxygen,
    Signs,
    SpotCheck,
)
from gateway_agent.drivers.record_access import (
    ABORT,
    BUSY,
    NO_RECORDS,
    OP_CODE_UNKNOWN,
    RECORD_ACCESS,
    REPORT,
    STOP,
    SUCCESS,
    Response,
)
from gateway_agent.gatt import Number, Special
from gateway_agent.spool import Spool
from gateway_agent.talk import (
    ClockSeen,
    Heard,
    Keep,
    LinkLost,
    Refusal,
    SetClock,
    Subscribe,
    Visit,
    Write,
)
from vitals.errors import MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Flag, Reading
from vitals.units import Unit

VISIT = Visit(device="ble:C0:00:00:00:00:05")
CLOCK = {CURRENT_TIME: CurrentTime(date_time=EIGHT_FIFTEEN).encode()}
STORES = {**CLOCK, FEATURES: Features(bits=0x0C).encode()}
# 97 %, 68 per minute, nobody doubts it
SPOT = SpotCheck(oxygen=Oxygen(spo2=Decimal(97), pulse_rate=Decimal(68)), time_stamp=EIGHT_FIFTEEN)
VALIDATED, ONGOING, EARLY = 1 << 7, 1 << 5, 1 << 6


def read(spot: SpotCheck, at: datetime = START) -> Reading:
    return reading_of(spot, raw=spot.encode(), at=at)


def check(minute: int, spot: SpotCheck = SPOT) -> Arrival:
    return SPOT_CHECK, replace(spot, time_stamp=replace(EIGHT_FIFTEEN, minutes=minute)).encode()


def stream(spo2: int, pulse: Number = Decimal(70), **signs: int) -> Arrival:
    normal = Oxygen(spo2=Decimal(spo2), pulse_rate=pulse)
    return CONTINUOUS, Continuous(normal=normal, signs=Signs(**signs)).encode()


def stored(*records: Arrival, code: int = SUCCESS) -> Callable[[bytes], Iterable[Arrival]]:
    return lambda data: [*records, (RECORD_ACCESS, Response(request=REPORT, code=code).encode())]


def values(reading: Reading) -> list[tuple[Kind, float]]:
    return [(each.kind, each.value) for each in reading.values]


def test_a_spot_check_is_oxygen_in_per_cent_and_pulse_per_minute() -> None:
    reading = read(SPOT)
    assert [(each.kind, each.value, each.unit) for each in reading.values] == [
        (Kind.SPO2, 97.0, Unit.PERCENT),
        (Kind.PULSE, 68.0, Unit.PER_MINUTE),
    ]
    assert (reading.device_time, reading.flags, reading.withheld) == (
        datetime(2026, 11, 22, 8, 15),
        (),
        None,
    )


@pytest.mark.parametrize(
    ("bit", "flags", "withheld"),
    [
        (4, (), None),  # reserved
        (5, (), None),  # ongoing
        (6, (Flag.EARLY_ESTIMATE,), None),
        (7, (), None),
        (8, (), None),
        (9, (), None),  # from storage
        (10, (), "demonstration"),
        (11, (), "testing"),
        (12, (), "calibration"),
        (13, (), "unavailable"),
        (14, (Flag.QUESTIONABLE,), None),
        (15, (), "invalid"),
    ],
)
def test_each_bit_of_the_measurement_status_is_a_doubt_a_reason_or_nothing(
    bit: int, flags: tuple[Flag, ...], withheld: str | None
) -> None:
    reading = read(replace(SPOT, signs=Signs(status=1 << bit)))
    assert (reading.flags, reading.withheld) == (flags, withheld)
    assert bool(reading.values) is (withheld is None)


@pytest.mark.parametrize(
    ("bit", "flags", "withheld"),
    [
        (0, (Flag.QUESTIONABLE,), None),
        (1, (Flag.DEVICE_FAULT,), None),
        (2, (Flag.POOR_SIGNAL,), None),
        (3, (Flag.POOR_SIGNAL,), None),
        (4, (Flag.POOR_SIGNAL,), None),
        (5, (Flag.LOW_PERFUSION,), None),
        (6, (Flag.POOR_SIGNAL,), None),
        (7, (Flag.QUESTIONABLE,), None),
        (8, (Flag.QUESTIONABLE,), None),
        (9, (Flag.EARLY_ESTIMATE,), None),
        (10, (Flag.POOR_SIGNAL,), None),
        (11, (), "sensor_off"),
        (12, (Flag.SENSOR_FAULT,), None),
        (13, (), "sensor_off"),
        (14, (Flag.SENSOR_FAULT,), None),
        (15, (), "sensor_off"),
        (16, (), None),  # reserved
        (23, (), None),
    ],
)
def test_each_bit_of_the_sensor_status_is_a_doubt_a_reason_or_nothing(
    bit: int, flags: tuple[Flag, ...], withheld: str | None
) -> None:
    reading = read(replace(SPOT, signs=Signs(sensor_status=1 << bit)))
    assert (reading.flags, reading.withheld) == (flags, withheld)


def test_a_doubt_that_both_statuses_name_is_named_once() -> None:
    signs = Signs(status=1 << 14, sensor_status=1 << 8 | 1 << 5)
    assert read(replace(SPOT, signs=signs)).flags == (Flag.QUESTIONABLE, Flag.LOW_PERFUSION)


@pytest.mark.parametrize(
    ("spo2", "pulse", "shown", "withheld"),
    [
        (Special.NAN, Decimal(68), [], "not_a_number"),
        (Special.NRES, Special.NRES, [], "not_a_number"),
        (Decimal(0), Decimal(0), [], "no_spo2"),
        (Decimal(97), Special.NAN, [(Kind.SPO2, 97.0)], None),
        (Decimal(97), Decimal(0), [(Kind.SPO2, 97.0)], None),
    ],
)
def test_what_is_no_number_is_kept_and_never_shown(
    spo2: Number, pulse: Number, shown: list[tuple[Kind, float]], withheld: str | None
) -> None:
    reading = read(replace(SPOT, oxygen=Oxygen(spo2=spo2, pulse_rate=pulse)))
    assert (values(reading), reading.withheld) == (shown, withheld)
    assert reading.raw


def test_a_time_of_a_clock_that_was_never_set_is_no_time() -> None:
    assert read(replace(SPOT, clock_not_set=True)).device_time is None
    assert read(replace(SPOT, time_stamp=None)).device_time is None


def test_a_dated_check_has_the_same_number_whenever_it_comes() -> None:
    later = START + timedelta(days=1)
    assert read(SPOT).sequence == read(SPOT, later).sequence
    undated = replace(SPOT, time_stamp=None)
    assert read(undated).sequence != read(undated, later).sequence


def test_an_undated_stored_check_has_the_same_number_at_each_visit_and_equal_ones_are_two() -> None:
    undated = replace(SPOT, time_stamp=None).encode()
    device = Device(reads=STORES, answers=stored(*[(SPOT_CHECK, undated)] * 2))
    first, second = (pump(talk(VISIT), device).kept for _ in range(2))
    assert [each.sequence for each in first] == [each.sequence for each in second]
    assert first[0].sequence != first[1].sequence
    # the spool knows numbers of 16 bits as those of records that come again
    assert all(each.sequence <= 0xFFFF for each in first)


def test_an_undated_stored_check_that_comes_again_is_no_news_to_the_spool(tmp_path: Path) -> None:
    undated = replace(SPOT, time_stamp=None).encode()
    device = Device(reads=STORES, answers=stored(*[(SPOT_CHECK, undated)] * 2))
    spool = Spool(tmp_path / "spool.sqlite")
    news = [
        spool.keep(each, (), device="ble:o", resync=True, last_sequence=None, now=START)
        for _ in range(2)
        for each in pump(talk(VISIT), device).kept
    ]
    spool.close()
    assert news == [True, True, False, False]


def test_the_stored_checks_are_asked_for_all_at_once_and_never_deleted() -> None:
    device = Device(reads=STORES, answers=stored(check(1), check(2)), sends=[])
    visited = pump(talk(VISIT), device)
    assert [each.device_time.minute for each in visited.kept if each.device_time] == [1, 2]
    assert [ask.data.hex() for ask in visited.asks if isinstance(ask, Write)] == ["0101"]
    assert visited.error is None


def test_an_oximeter_that_stores_nothing_is_not_asked_for_records() -> None:
    for reads in (CLOCK, {**CLOCK, FEATURES: b""}, {**CLOCK, FEATURES: b"\x08\x00"}):
        visited = pump(talk(VISIT), Device(reads=reads, sends=[check(1)]))
        assert visited.of(Write) == []
        assert len(visited.kept) == 1


def test_what_came_before_the_records_was_measured_now() -> None:
    undated = (SPOT_CHECK, replace(SPOT, time_stamp=None).encode())
    visited = pump(talk(VISIT), Device(reads=STORES, sends=[undated], answers=stored()))
    assert visited.kept[0].sequence > 0xFFFF


def test_the_clock_is_seen_first_and_set_when_everything_is_kept() -> None:
    device = Device(reads=STORES, sends=[stream(97)] * VALUES, answers=stored(check(1)))
    visited = pump(talk(VISIT), device)
    order = [type(ask) for ask in visited.asks]
    assert order[:3] == [Subscribe] * 3
    assert order.index(ClockSeen) < order.index(Keep)
    assert visited.asks.index(Keep(reading=visited.kept[-1])) < order.index(SetClock)


@pytest.mark.parametrize(
    ("code", "error"), [(BUSY, TryAgain), (OP_CODE_UNKNOWN, MendDevice), (NO_RECORDS, None)]
)
def test_a_refusal_is_raised_when_what_was_measured_now_is_kept(
    code: int, error: type[Exception] | None
) -> None:
    device = Device(reads=STORES, sends=[check(1)], answers=stored(code=code))
    visited = pump(talk(VISIT), device)
    assert type(visited.error) is (error or type(None))
    assert len(visited.kept) == 1
    # records that are still in there must not be dated by a clock that was set meanwhile
    assert bool(visited.of(SetClock)) is (error is None)


def test_an_oximeter_busy_with_an_earlier_request_is_freed_and_asked_again() -> None:
    written: list[bytes] = []

    def answers(data: bytes) -> Iterable[Arrival]:
        written.append(data)
        if data == STOP.encode():
            return [(RECORD_ACCESS, Response(request=ABORT, code=SUCCESS).encode())]
        if len(written) == 1:
            raise Refusal("busy", att_error=0xFE)
        return stored(check(1), check(2))(data)

    visited = pump(talk(VISIT), Device(reads=STORES, answers=answers))
    assert [each.hex() for each in written] == ["0101", "0300", "0101"]
    assert len(visited.kept) == 2
    assert visited.error is None


def test_a_memory_that_falls_silent_is_asked_again() -> None:
    device = Device(reads=STORES, answers=lambda data: [check(1)])
    visited = pump(talk(VISIT), device)
    assert len(visited.kept) == 1
    assert isinstance(visited.error, TryAgain)


@pytest.mark.parametrize("after", range(4))
def test_a_link_lost_in_the_middle_of_the_records_is_tried_again(after: int) -> None:
    records = [check(each) for each in range(3)]
    device = Device(reads=STORES, answers=stored(*records), drops_after=after)
    visited = pump(talk(VISIT), device)
    assert len(visited.kept) == after
    assert isinstance(visited.error, LinkLost)


@pytest.mark.parametrize("radio_asks", range(3, 14))
def test_an_oximeter_that_goes_away_leaves_what_it_had_measured(radio_asks: int) -> None:
    sends = [stream(96), check(1), stream(97), stream(98)]
    device = Device(reads=CLOCK, sends=sends, radio_asks=radio_asks)
    visited = pump(talk(VISIT), device)
    assert [values(each)[0] for each in visited.kept] == [(Kind.SPO2, 97.0), (Kind.SPO2, 97.0)]
    assert visited.error is None


def test_a_stream_is_one_reading_and_no_more_is_waited_for() -> None:
    sends = [stream(90 + each % 10) for each in range(30)]
    (reading,) = pump(talk(VISIT), Device(reads=CLOCK, sends=sends)).kept
    # 90 … 99: the lower of the two in the middle
    assert values(reading) == [(Kind.SPO2, 94.0), (Kind.PULSE, 70.0)]
    # all payloads, each after its length
    assert reading.raw[:7].hex() == "0500" + sends[0][1].hex()


@pytest.mark.parametrize(
    ("sends", "spo2", "flags"),
    [
        # validated values go before all others
        ([stream(80, status=EARLY)] * 5 + [stream(97, status=VALIDATED)], 97, ()),
        # then those without doubt
        ([stream(80, status=EARLY), stream(96, status=ONGOING)], 96, ()),
        # then whatever there is, with its doubts
        ([stream(80, status=EARLY)] * 2, 80, (Flag.EARLY_ESTIMATE,)),
        ([stream(0), stream(95), stream(99, sensor_status=1 << 11)], 95, ()),
        # a pulse that is no number leaves the oxygen
        ([stream(95, Special.NAN), stream(95, Special.NAN)], 95, ()),
    ],
)
def test_the_reading_of_a_stream_is_made_of_its_best_values(
    sends: list[Arrival], spo2: int, flags: tuple[Flag, ...]
) -> None:
    (reading,) = pump(talk(VISIT), Device(reads=CLOCK, sends=sends)).kept
    assert values(reading)[0] == (Kind.SPO2, float(spo2))
    assert (reading.flags, reading.withheld) == (flags, None)


def test_a_stream_without_a_finger_is_kept_and_never_shown() -> None:
    sends = [stream(97, sensor_status=1 << 11)] * 3
    (reading,) = pump(talk(VISIT), Device(reads=CLOCK, sends=sends)).kept
    assert (reading.values, reading.withheld) == ((), "sensor_off")


def test_a_stream_that_never_settles_does_not_hold_the_radio() -> None:
    sends = [stream(97, status=EARLY)] * 200
    (reading,) = pump(talk(VISIT), Device(reads=CLOCK, sends=sends[: MOST_VALUES + 5])).kept
    # the five that waited in the queue by then are in it too
    assert len(reading.raw) == (MOST_VALUES + 5) * 9


def test_an_oximeter_that_says_nothing_is_left_in_peace() -> None:
    visited = pump(talk(VISIT), Device(reads=CLOCK))
    assert (visited.kept, visited.error) == ([], None)


def test_a_truncated_value_is_refused_and_the_next_one_counted() -> None:
    torn = [(SPOT_CHECK, b"\x01\x61"), (CONTINUOUS, b"\x00"), (RECORD_ACCESS, b"\x06")]
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=[*torn, check(1)]))
    assert [each.characteristic for each in visited.refused] == [each for each, _ in torn]
    assert len(visited.kept) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(spot_checks, max_size=5), st.lists(continuous, max_size=12), st.integers(3, 20))
def test_each_spot_check_and_each_stream_is_exactly_one_reading(
    checks: list[SpotCheck], stream: list[Continuous], radio_asks: int
) -> None:
    sends = [(SPOT_CHECK, each.encode()) for each in checks]
    sends += [(CONTINUOUS, each.encode()) for each in stream]
    visited = pump(talk(VISIT), Device(reads=CLOCK, sends=sends, radio_asks=radio_asks))
    # a link that is lost before anything was asked loses nothing that had arrived
    assert len(visited.kept) == len(checks) + bool(stream)
    for reading in visited.kept:
        assert bool(reading.values) is (reading.withheld is None)


def test_the_number_of_a_stream_is_the_moment_of_its_first_value() -> None:
    value = Continuous(normal=SPOT.oxygen)
    heard = [
        (Heard(characteristic=CONTINUOUS, data=b"\x00", at=START + timedelta(seconds=s)), value)
        for s in range(2)
    ]
    # 2026-11-22T00:15:00Z is 1795306500 s after 1970
    assert reading_of_stream(heard).sequence == 1_795_306_500_000
