"""A visit to a continuous glucose monitor: every minute of every session once, exactly placed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pump import START, Arrival, Device, Visited, pump

from gateway_agent.clock import clock_offset
from gateway_agent.drivers import record_access
from gateway_agent.drivers.cgm import LIVE_VALUES, LIVE_WAIT_S, talk
from gateway_agent.drivers.cgm_measurement import (
    E2E_CRC,
    FEATURE,
    MEASUREMENT,
    CgmFeature,
    CgmMeasurement,
    CgmRecord,
)
from gateway_agent.drivers.cgm_session import (
    SESSION_START,
    STATUS,
    CgmSessionStart,
    CgmStatus,
    Session,
    session_of,
)
from gateway_agent.drivers.record_access import (
    NO_RECORDS,
    NOT_COMPLETED,
    OPERATOR_UNKNOWN,
    RECORD_ACCESS,
    REPORT,
    REPORT_NUMBER,
    SUCCESS,
    Command,
    NumberOfRecords,
    Response,
)
from gateway_agent.gatt import DateTime, Special
from gateway_agent.quirk import STANDARD
from gateway_agent.talk import ClockSeen, Keep, LinkLost, Listen, SetClock, Subscribe, Visit, Write
from vitals.errors import MendDevice, TryAgain
from vitals.measurement import Flag

# the session began 2026-11-22 at 05:00 in Beijing; the visit is at START, three and a quarter hours
# later (00:15 UTC is 08:15 in Beijing)
BEGAN = CgmSessionStart(
    date_time=DateTime(year=2026, month=11, day=22, hours=5, minutes=0, seconds=0),
    time_zone_quarters=32,
    dst_code=0,
)
RUNNING = CgmStatus(time_offset_min=195)
UNKNOWN = CgmSessionStart(date_time=DateTime(year=0, month=0, day=0, hours=0, minutes=0, seconds=0))
# minutes from 2000 to 2026-11-21 21:00 UTC
SESSION = (datetime(2026, 11, 21, 21, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(
    minutes=1
)
SEALING = CgmFeature(bits=E2E_CRC).sealed()


def local(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type, misc] # noqa: DTZ001 - the sensor's own time


def value(offset: int, **spoiled: object) -> CgmRecord:
    record = CgmRecord(concentration=Decimal(100 + offset % 50), time_offset_min=offset)
    return replace(record, **spoiled)  # type: ignore[arg-type]


def sent(*records: CgmRecord) -> Arrival:
    return MEASUREMENT, CgmMeasurement(records=records).encode()


def response(code: int = SUCCESS) -> Arrival:
    return RECORD_ACCESS, Response(request=REPORT, code=code).encode()


class Monitor:
    """A sensor with these records; `between` comes after so many of them, as live values do."""

    def __init__(self, *records: CgmRecord, live: dict[int, Arrival] | None = None) -> None:
        self.records, self.live = records, live or {}
        self.commands: list[Command] = []

    def __call__(self, data: bytes) -> list[Arrival]:
        command = record_access.decode(data)
        assert isinstance(command, Command)
        low = command.low if isinstance(command.low, int) else 0
        wanted = [each for each in self.records if each.time_offset_min >= low]
        if command.op_code == REPORT_NUMBER:
            return [(RECORD_ACCESS, NumberOfRecords(number=len(wanted)).encode())]
        self.commands.append(command)
        arrivals = []
        for place, each in enumerate(wanted):
            arrivals += [sent(each), *([self.live[place]] if place in self.live else [])]
        return [*arrivals, response(SUCCESS if wanted else NO_RECORDS)]


def visit(
    monitor: Callable[[bytes], Iterable[Arrival]],
    *,
    last: int | None = None,
    start: CgmSessionStart | None = BEGAN,
    status: CgmStatus | None = RUNNING,
    feature: CgmFeature | None = None,
    backwards: bool = False,
    **device: object,
) -> Visited:
    said = {SESSION_START: start, STATUS: status, FEATURE: feature}
    reads = {name: each.encode() for name, each in said.items() if each is not None}
    quirk = replace(STANDARD, annunciation_backwards=backwards)
    known = Visit(device="ble:C0:00:00:00:00:04", last_sequence=last, quirk=quirk)
    return pump(talk(known), Device(answers=monitor, reads=reads, **device))  # type: ignore[arg-type]


def offsets(visited: Visited) -> list[int]:
    return [reading.sequence & 0xFFFF for reading in visited.kept]


def number(offset: int, session: int = SESSION) -> int:
    return session << 16 | offset


def clock(visited: Visited) -> timedelta | None:
    """What is added to the sensor's own time to get UTC."""
    seen = [ask for ask in visited.asks if isinstance(ask, ClockSeen)]
    return clock_offset(seen[0]) if seen else None


def test_a_visit_subscribes_reads_how_the_session_stands_and_then_asks_for_records() -> None:
    monitor = Monitor(value(5), value(10), value(15))
    visited = visit(monitor)
    assert [ask.characteristic for ask in visited.asks if isinstance(ask, Subscribe)] == [
        MEASUREMENT,
        RECORD_ACCESS,
    ]
    order = [type(ask) for ask in visited.asks]
    assert order.index(ClockSeen) < order.index(Write) < order.index(Keep)
    assert offsets(visited) == [5, 10, 15]
    # nothing but record access is written: a session is a person's business
    assert {ask.characteristic for ask in visited.asks if isinstance(ask, Write)} == {RECORD_ACCESS}
    assert visited.of(SetClock) == []


def test_a_reading_says_value_number_and_own_time() -> None:
    (reading,) = visit(Monitor(value(65))).kept
    assert [(each.value, each.unit) for each in reading.values] == [(115.0, "mg/dL")]
    assert reading.sequence == number(65)
    # 05:00 in Beijing and 65 minutes
    assert reading.device_time == local(2026, 11, 22, 6, 5)
    assert reading.raw == value(65).encode()


@pytest.mark.parametrize(
    ("last", "asked"),
    [
        (None, "0101"),
        (number(100), "0103016500"),  # from minute 101 on
        (number(100, SESSION - 9000), "0101"),  # another session: all of this one
        (number(100, SESSION + 9000), "0101"),
        (42, "0101"),  # a number of another kind
        # the sensor was started anew within the same minutes: it has not come so far
        (number(300), "0101"),
    ],
)
def test_a_visit_asks_for_what_comes_after_the_last_minute_of_this_session(
    last: int | None, asked: str
) -> None:
    monitor = Monitor()
    visited = visit(monitor, last=last)
    assert [command.encode().hex() for command in monitor.commands] == [asked]
    assert visited.error is None


def test_numbers_never_fall_from_one_session_to_the_next_and_never_collide() -> None:
    first = Session(start=local(2026, 11, 22), number=100)
    second = Session(start=local(2026, 11, 22), number=101)
    assert first.sequence(0xFFFF) < second.sequence(0)


@pytest.mark.parametrize(
    ("start", "status", "offset_min"),
    [
        # the start has its zone: exact
        (BEGAN, RUNNING, -8 * 60),
        (BEGAN, None, -8 * 60),
        (replace(BEGAN, time_zone_quarters=28, dst_code=4), RUNNING, -8 * 60),
        # a stopped session counts no more minutes
        (BEGAN, CgmStatus(time_offset_min=5, annunciation=1), -8 * 60),
        # its count says that whoever wrote the start was an hour fast: the count is right
        (BEGAN, CgmStatus(time_offset_min=255), -9 * 60),
        # no zone: the count of minutes, against the moment at which it was read
        (replace(BEGAN, time_zone_quarters=-128, dst_code=255), RUNNING, -8 * 60),
        (replace(BEGAN, dst_code=255), RUNNING, -8 * 60),
    ],
)
def test_a_record_is_placed_by_its_zone_and_else_by_the_count_of_minutes(
    start: CgmSessionStart, status: CgmStatus | None, offset_min: int
) -> None:
    visited = visit(Monitor(value(5)), start=start, status=status)
    found = clock(visited)
    assert found is not None
    assert abs(found - timedelta(minutes=offset_min)) <= timedelta(seconds=1)


def test_without_zone_and_count_the_sensors_time_is_local_time() -> None:
    unzoned = replace(BEGAN, time_zone_quarters=-128)
    assert clock(visit(Monitor(value(5)), start=unzoned, status=None)) is None


def test_a_sensor_that_was_never_told_the_time_is_read_first_and_told_afterwards() -> None:
    visited = visit(Monitor(value(190), value(195)), start=UNKNOWN)
    assert offsets(visited) == [190, 195]
    # 00:15 less 195 minutes: its own time is counted in UTC
    assert visited.kept[-1].device_time == local(2026, 11, 22, 0, 15)
    assert clock(visited) == timedelta(0)
    (told,) = visited.of(SetClock)
    assert isinstance(told, SetClock)
    asks = [type(ask) for ask in visited.asks]
    assert asks.index(SetClock) > max(n for n, each in enumerate(asks) if each is Keep)
    # no CRC, zone and summer time left open
    assert told.encode(local(2026, 11, 22, 8, 15)).hex() == "ea070b16080f0080ff"


def test_a_sealing_sensor_is_told_the_time_with_a_crc() -> None:
    status, start = RUNNING.sealed(), UNKNOWN.sealed()
    visited = visit(Monitor(), start=start, status=status, feature=SEALING)
    (told,) = visited.of(SetClock)
    assert isinstance(told, SetClock)
    written = CgmSessionStart.decode(told.encode(local(2026, 11, 22, 8, 15)))
    assert written.seal is not None
    assert written.seal.is_right


# the start as it is derived and as it is said after it was told differ by their rounding
@pytest.mark.parametrize("minutes", [-2, -1, 0, 1, 2])
def test_a_new_statement_about_the_start_makes_no_new_session(minutes: int) -> None:
    monitor = Monitor(value(5), value(10), value(15))
    visited = visit(monitor, last=number(10, SESSION + minutes))
    assert [reading.sequence for reading in visited.kept] == [number(15, SESSION + minutes)]
    assert visit(Monitor(value(5)), last=number(3, SESSION + 3)).kept[0].sequence == number(5)


def test_a_traveller_who_writes_another_zone_makes_no_new_session() -> None:
    # the same moment as written in London
    london = CgmSessionStart.of(local(2026, 11, 21, 21))
    visited = visit(
        Monitor(value(5)), start=replace(london, time_zone_quarters=0, dst_code=0), last=number(3)
    )
    assert [reading.sequence for reading in visited.kept] == [number(5)]


def test_a_stopped_sensor_without_a_start_is_read_only_where_its_session_is_known() -> None:
    stopped = CgmStatus(time_offset_min=195, annunciation=1)
    known = visit(Monitor(value(5)), start=UNKNOWN, status=stopped, last=number(3))
    assert [reading.sequence for reading in known.kept] == [number(5)]
    assert known.of(SetClock) == []
    unknown = visit(Monitor(value(5)), start=UNKNOWN, status=stopped)
    assert isinstance(unknown.error, MendDevice)
    assert "when its session began" in str(unknown.error)


def test_a_sensor_that_says_nothing_of_its_session_needs_a_hand() -> None:
    visited = visit(Monitor(value(5)), start=None, status=None)
    assert (type(visited.error), visited.kept) == (MendDevice, [])


def test_nothing_new_is_a_good_visit() -> None:
    visited = visit(Monitor(value(5)), last=number(5))
    assert (visited.error, visited.kept, visited.refused) == (None, [], [])


def test_a_live_value_in_between_hides_no_record_when_the_link_is_lost() -> None:
    memory = [value(5 * each) for each in range(1, 9)]
    live = {2: sent(value(45))}
    assert offsets(visit(Monitor(*memory, live=live))) == [5, 10, 15, 20, 25, 30, 35, 40, 45]
    for drops_after in range(1, 10):
        found = offsets(visit(Monitor(*memory, live=live), drops_after=drops_after))
        # 5 … n without a gap, or nothing
        assert found == [5 * each for each in range(1, len(found) + 1)], drops_after


def test_live_values_are_kept_while_we_are_there_and_not_for_ever() -> None:
    live = [sent(value(200 + each)) for each in range(LIVE_VALUES + 5)]
    monitor = Monitor(value(195))
    visited = visit(lambda data: [*monitor(data), *(live if data[0] == REPORT else ())])
    assert offsets(visited) == [195, *range(200, 200 + LIVE_VALUES)]
    assert Listen(wait_s=LIVE_WAIT_S) in visited.asks


def test_a_live_value_that_did_not_arrive_whole_ends_the_visit() -> None:
    torn = (MEASUREMENT, value(200).encode()[:-1])
    monitor = Monitor(value(195))
    after = [torn, sent(value(205))]
    visited = visit(lambda data: [*monitor(data), *(after if data[0] == REPORT else ())])
    # 205 on disk would hide 200 from the next visit
    assert offsets(visited) == [195]
    assert len(visited.refused) == 1


def test_a_sensor_that_walks_away_after_its_records_is_a_good_visit() -> None:
    visited = visit(Monitor(value(5)), hangs_up=True)
    assert (offsets(visited), visited.error) == ([5], None)


def test_several_records_in_one_notification_are_all_kept() -> None:
    def answers(data: bytes) -> list[Arrival]:
        if data[0] != REPORT:
            return []
        return [sent(value(5), value(10)), sent(value(15), value(20)), response()]

    assert offsets(visit(answers)) == [5, 10, 15, 20]


@pytest.mark.parametrize(
    "spoiled",
    [value(10), replace(value(10).sealed(), concentration=Decimal(40))],
    ids=["no CRC", "a wrong CRC"],
)
def test_a_record_without_its_right_crc_is_asked_for_once_more(spoiled: CgmRecord) -> None:
    whole = [value(each).sealed() for each in (5, 10, 15)]
    asked: list[bytes] = []

    def answers(data: bytes) -> list[Arrival]:
        if data[0] != REPORT:
            return []
        asked.append(data)
        first = [whole[0], spoiled, whole[2]]
        return [*map(sent, first if len(asked) == 1 else whole), response()]

    said = {"start": BEGAN.sealed(), "status": RUNNING.sealed(), "feature": SEALING}
    visited = visit(answers, **said)  # type: ignore[arg-type]
    assert offsets(visited) == [5, 10, 15]
    assert [reading.values[0].value for reading in visited.kept] == [105.0, 110.0, 115.0]
    assert (len(asked), len(visited.refused)) == (2, 1)


def test_a_session_start_with_a_wrong_crc_is_not_believed() -> None:
    forged = replace(BEGAN.sealed(), time_zone_quarters=0)
    visited = visit(Monitor(), start=forged, status=RUNNING.sealed(), feature=SEALING)
    assert len(visited.refused) == 1
    # the count of minutes stands in
    assert clock(visited) == timedelta(0)


@pytest.mark.parametrize(
    ("record", "withheld", "flags"),
    [
        (value(5, status=0x02), None, (Flag.BATTERY_LOW,)),
        (value(5, status=0x08), "sensor_malfunction", (Flag.SENSOR_FAULT,)),
        (value(5, status=0x04), "sensor_type", (Flag.SENSOR_FAULT,)),
        (value(5, status=0x01), "session_stopped", ()),
        (value(5, status=0x20), "device_fault", (Flag.DEVICE_FAULT,)),
        (value(5, cal_temp=0x10), None, (Flag.TEMPERATURE_TOO_HIGH,)),
        (value(5, cal_temp=0x20), None, (Flag.TEMPERATURE_TOO_LOW,)),
        (value(5, cal_temp=0x01), None, (Flag.TIME_FAULT,)),
        # alarm levels are not the sensor's doubt: rules judge the value
        (value(5, warning=0x3F), None, ()),
        (value(5, warning=0x40), "result_too_low", (Flag.RESULT_TOO_LOW,)),
        (value(5, warning=0x80), "result_too_high", (Flag.RESULT_TOO_HIGH,)),
        (value(5, concentration=Special.NAN), "not_a_number", ()),
        (value(5, concentration=Special.POSITIVE_INFINITY), "result_too_high", ()),
        (value(5, concentration=Special.NEGATIVE_INFINITY), "result_too_low", ()),
        (value(5, concentration=Decimal(0)), "not_positive", ()),
    ],
)
def test_what_the_sensor_doubts_itself_is_said_or_withheld(
    record: CgmRecord, withheld: str | None, flags: tuple[Flag, ...]
) -> None:
    (reading,) = visit(Monitor(record)).kept
    assert (reading.withheld, reading.flags) == (withheld, flags)
    assert bool(reading.values) is (withheld is None)


def test_a_sensor_that_sends_its_octets_backwards_is_read_so() -> None:
    # warning first: bit 22 below the range, status last: bit 1 battery low
    record = value(5, status=0x40, cal_temp=0x10, warning=0x02)
    (reading,) = visit(Monitor(record), backwards=True).kept
    assert reading.withheld == "result_too_low"
    assert set(reading.flags) == {Flag.BATTERY_LOW, Flag.TEMPERATURE_TOO_HIGH, Flag.RESULT_TOO_LOW}
    # the bytes stay as they came
    assert reading.raw == record.encode()


def test_a_sensor_in_control_solution_is_never_shown() -> None:
    (reading,) = visit(Monitor(value(5)), feature=CgmFeature(bits=0, type=10)).kept
    assert (reading.values, reading.withheld) == ((), "control_solution")


def test_a_sensor_that_cannot_count_from_a_minute_is_asked_for_all() -> None:
    commands: list[str] = []

    def answers(data: bytes) -> list[Arrival]:
        commands.append(data.hex())
        return [response(OPERATOR_UNKNOWN)] if data[0] == REPORT and len(data) > 2 else [response()]

    visit(answers, last=number(5))
    assert commands[-2:] == ["0103010600", "0101"]


def test_a_sensor_that_stops_or_falls_silent_is_tried_again() -> None:
    stopped = visit(lambda data: [response(NOT_COMPLETED)])
    assert type(stopped.error) is TryAgain
    silent = visit(lambda data: [sent(value(5)), sent(value(10))] if data[0] == REPORT else [])
    assert type(silent.error) is TryAgain
    # what could be kept without hiding another is kept, and the sensor is told to end
    assert offsets(silent) == [5]
    assert [ask.data.hex() for ask in silent.asks if isinstance(ask, Write)][-1] == "0300"


@settings(max_examples=300, deadline=None)
@given(
    st.sets(st.integers(0, 400), max_size=20),
    st.lists(st.integers(0, 40), max_size=6),
    st.integers(0, 20),
)
def test_visits_that_break_off_anywhere_end_with_the_whole_memory_on_disk(
    held: set[int], drops: list[int], live_at: int
) -> None:
    memory = [value(each) for each in sorted(held)]
    disk: dict[int, int] = {}
    status = CgmStatus(time_offset_min=500)
    for drop in [*drops, None]:
        last = max(disk, default=None)
        newest = {live_at: sent(memory[-1])} if memory else {}
        start = replace(BEGAN, time_zone_quarters=-128)
        visited = visit(
            Monitor(*memory, live=newest), last=last, drops_after=drop, start=start, status=status
        )
        assert visited.error is None or isinstance(visited.error, LinkLost)
        disk |= {reading.sequence: reading.sequence & 0xFFFF for reading in visited.kept}
    assert sorted(disk.values()) == sorted(held)


def test_a_session_is_none_where_nothing_is_said() -> None:
    assert session_of(None, None, at=START, last_sequence=None) is None
    assert session_of(UNKNOWN, None, at=START, last_sequence=number(5)) is None
