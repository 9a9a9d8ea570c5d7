"""A visit to a ring: its memory by the day, nothing doubled, no night cut in two."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pump import Arrival, Device, Visited, pump

from gateway_agent.drivers.colmi import DAYS_BACK, is_over, talk
from gateway_agent.drivers.colmi_packet import (
    AWAKE,
    BATTERY,
    BIG_NOTIFY,
    DEEP,
    LIGHT,
    NOTIFY,
    PULSE_LOG,
    REM,
    SET_TIME,
    STEPS,
    Packet,
    StepRow,
    midnight,
    pulse_packets,
    pulse_slots,
    shown_by,
)
from gateway_agent.drivers.colmi_sleep import REQUEST, Night, SleepLog
from gateway_agent.drivers.day_number import day_of
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import About, Keep, SetClock, Subscribe, Visit, Write
from vitals.errors import TryAgain
from vitals.kinds import Kind
from vitals.measurement import Flag

# the pump begins at 2026-11-22 00:15 UTC
TODAY = date(2026, 11, 22)
SLOTS = 288


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@dataclass
class Ring:
    """A ring's memory: pulse by day and slot, steps by day and quarter, nights."""

    pulse: dict[date, dict[int, int]] = field(default_factory=dict)
    steps: dict[date, dict[int, int]] = field(default_factory=dict)
    nights: tuple[Night, ...] = ()
    today: date = TODAY
    # answers that are spoiled once: (command, place in the answer)
    torn: list[tuple[int, int]] = field(default_factory=list)
    has_sleep: bool = True
    asked: list[bytes] = field(default_factory=list)

    def __call__(self, data: bytes) -> list[Arrival]:
        self.asked.append(data)
        if data == REQUEST:
            return self._sleep()
        packet = Packet.decode(data)
        answer = [(NOTIFY, each.encode()) for each in self._answer(packet)]
        for each in [each for each in self.torn if each[0] == packet.command]:
            self.torn.remove(each)
            name, whole = answer[each[1]]
            answer[each[1]] = (name, whole[:-1] + bytes((whole[-1] ^ 1,)))
        return answer

    def _answer(self, packet: Packet) -> Iterable[Packet]:
        if packet.command == BATTERY:
            return [Packet(command=0x73, data=b"\x01"), replace(packet, data=b"\x40\x00")]
        if packet.command == STEPS:
            day = self.today - timedelta(days=packet.data[0])
            quarters = self.steps.get(day, {})
            if not quarters:
                return [Packet(command=STEPS, data=b"\xff")]
            head = Packet(command=STEPS, data=bytes((0xF0, len(quarters), 1)))
            rows = [
                StepRow(
                    day=day,
                    quarter=quarter,
                    index=index,
                    total=len(quarters),
                    calories=10,
                    steps=count,
                    distance_m=count,
                ).packet()
                for index, (quarter, count) in enumerate(sorted(quarters.items()))
            ]
            return [head, *rows]
        seconds = int.from_bytes(packet.data[:4], "little")
        day = datetime.fromtimestamp(seconds, UTC).date()
        if not self.pulse.get(day):
            return [Packet(command=PULSE_LOG, data=b"\xff")]
        slots = [self.pulse[day].get(slot, 0) for slot in range(SLOTS)]
        return pulse_packets(day, slots)

    def _sleep(self) -> list[Arrival]:
        if not self.has_sleep:
            return []
        data = SleepLog(nights=self.nights).encode()
        return [(BIG_NOTIFY, data[n : n + 20]) for n in range(0, len(data), 20)]


def visit(ring: Ring, *, last: int | None = None, **device: object) -> Visited:
    known = Visit(device="ble:C0:00:00:00:00:06", last_sequence=last)
    return pump(talk(known), Device(answers=ring, **device))  # type: ignore[arg-type]


def values(visited: Visited, kind: Kind) -> list[tuple[datetime | None, float]]:
    return [
        (reading.device_time, each.value)
        for reading in visited.kept
        for each in reading.values
        if each.kind is kind
    ]


def clock(day: date, hours: int, minutes: int = 0) -> datetime:
    return midnight(day) + timedelta(hours=hours, minutes=minutes)


# 23:00 to 06:30: 200 light, 100 deep, 30 awake, 120 REM
NIGHT = Night(
    days_ago=0,
    start_min=1380,
    end_min=390,
    stages=((LIGHT, 200), (DEEP, 100), (AWAKE, 30), (REM, 120)),
)


def test_a_visit_brings_pulse_steps_and_the_night() -> None:
    ring = Ring(
        # 08:00 and 08:05, slots 96 and 97; slot 0 is midnight
        pulse={TODAY: {0: 55, 96: 70, 97: 71}},
        steps={TODAY: {30: 100, 32: 50}},
        nights=(NIGHT,),
    )
    visited = visit(ring)
    assert values(visited, Kind.HEART_RATE) == [
        (clock(TODAY, 0), 55.0),
        (clock(TODAY, 8), 70.0),
        (clock(TODAY, 8, 5), 71.0),
    ]
    # up to the quarter that begins at 08:00
    assert values(visited, Kind.STEPS) == [(clock(TODAY, 8), 150.0)]
    # light, deep and REM; at the time of waking
    assert values(visited, Kind.SLEEP_DURATION) == [(clock(TODAY, 6, 30), 420.0)]
    assert About(battery_percent=64) in visited.asks
    assert (visited.error, visited.refused) == (None, [])


def test_the_clock_is_set_when_all_is_kept_and_never_before() -> None:
    visited = visit(Ring(steps={TODAY: {30: 100}}, nights=(replace(NIGHT, days_ago=1),)))
    order = [type(ask) for ask in visited.asks]
    assert order[:2] == [Subscribe, Subscribe]
    assert order[-1] is SetClock
    assert order.count(SetClock) == 1
    assert Keep in order
    written = [ask.data[0] for ask in visited.asks if isinstance(ask, Write)]
    assert SET_TIME not in written
    (ask,) = visited.of(SetClock)
    assert isinstance(ask, SetClock)
    assert not ask.readable
    data = ask.encode(clock(TODAY, 12, 30))
    assert data.hex() == "0126112212300001000000000000009d"
    assert shown_by(Packet.decode(data)) == clock(TODAY, 12, 30)


def test_a_ring_that_is_read_again_brings_the_same_numbers_and_no_others() -> None:
    ring = Ring(
        pulse={ago(1): {5: 60}, TODAY: {96: 70}},
        steps={ago(1): {90: 4000}, TODAY: {30: 100}},
        nights=(NIGHT, replace(NIGHT, days_ago=1)),
    )
    first, second = visit(ring), visit(ring)
    assert [(each.sequence, each.device_time) for each in first.kept] == [
        (each.sequence, each.device_time) for each in second.kept
    ]
    numbers = [each.sequence for each in first.kept]
    assert len(set(numbers)) == len(numbers)


def days_asked(ring: Ring) -> list[int]:
    return [data[1] for data in ring.asked if data[0] == STEPS]


def test_a_ring_is_read_from_the_last_day_on_disk_on() -> None:
    fresh = Ring(steps={TODAY: {30: 100}})
    assert days_asked(fresh) == []
    kept = visit(fresh).kept
    assert days_asked(fresh) == list(range(DAYS_BACK, -1, -1))
    # today is on disk: today, and one more as the ring's day may be ahead of UTC
    again = Ring(steps={TODAY: {30: 100}})
    visit(again, last=max(each.sequence for each in kept))
    assert days_asked(again) == [1, 0]
    # three days ago
    old = visit(Ring(steps={ago(3): {30: 100}})).kept
    late = Ring(steps={TODAY: {30: 100}})
    visit(late, last=max(each.sequence for each in old))
    assert days_asked(late) == [4, 3, 2, 1, 0]
    # a day in the future was a wrong clock: everything
    wrong = Ring(steps={TODAY: {30: 100}})
    ahead = visit(Ring(steps={ago(-9): {30: 100}}, today=ago(-9))).kept
    visit(wrong, last=max(each.sequence for each in ahead))
    assert days_asked(wrong) == list(range(DAYS_BACK, -1, -1))


def test_the_rings_own_day_counts_where_it_is_ahead_of_utc() -> None:
    tomorrow = ago(-1)
    ring = Ring(steps={tomorrow: {2: 30}}, pulse={tomorrow: {1: 60}}, today=tomorrow)
    visited = visit(ring)
    assert values(visited, Kind.HEART_RATE) == [(clock(tomorrow, 0, 5), 60.0)]
    assert {day_of(each.sequence) for each in visited.kept} == {tomorrow}
    assert all(each.flags == () for each in visited.kept)


def test_a_ring_whose_today_is_not_ours_says_that_its_time_is_wrong() -> None:
    wrong = date(2023, 1, 1)
    visited = visit(Ring(steps={wrong: {2: 30}}, pulse={wrong: {1: 60}}, today=wrong))
    assert len(visited.kept) == 2
    assert all(each.flags == (Flag.TIME_FAULT,) for each in visited.kept)


@pytest.mark.parametrize(
    ("night", "latest", "over"),
    [
        (NIGHT, None, False),
        (NIGHT, clock(TODAY, 7, 29), False),
        (NIGHT, clock(TODAY, 7, 30), True),
        (replace(NIGHT, days_ago=1), None, True),
    ],
)
def test_a_night_is_kept_once_its_sleeper_is_up(
    night: Night, latest: datetime | None, over: bool
) -> None:
    assert is_over(night, today=TODAY, latest=latest) is over


def test_a_visit_in_the_middle_of_the_night_leaves_it_for_the_next() -> None:
    # asleep at 03:00, the pulse goes on until then
    half = replace(NIGHT, end_min=180)
    ring = Ring(pulse={TODAY: {36: 50}}, nights=(half, replace(NIGHT, days_ago=1)))
    visited = visit(ring)
    assert [each for each, _ in values(visited, Kind.SLEEP_DURATION)] == [clock(ago(1), 6, 30)]


def test_a_ring_without_a_sleep_log_is_read_all_the_same() -> None:
    visited = visit(Ring(steps={TODAY: {30: 100}}, has_sleep=False))
    assert values(visited, Kind.STEPS) == [(clock(TODAY, 7, 30), 100.0)]
    assert visited.error is None


@pytest.mark.parametrize("torn", [(BATTERY, 1), (STEPS, 0), (PULSE_LOG, 0), (PULSE_LOG, 3)])
def test_a_broken_packet_is_asked_for_once_more(torn: tuple[int, int]) -> None:
    memory = {"pulse": {ago(6): {5: 60}, TODAY: {96: 70}}, "steps": {TODAY: {30: 1, 31: 2}}}
    whole = visit(Ring(**memory))  # type: ignore[arg-type]
    visited = visit(Ring(torn=[torn], **memory))  # type: ignore[arg-type]
    assert visited.kept == whole.kept
    assert visited.error is None
    assert len(visited.refused) == 1


def test_a_ring_that_falls_silent_is_tried_again_and_no_later_day_was_kept() -> None:
    ring = Ring(steps={ago(2): {30: 100}, TODAY: {30: 100}}, pulse={ago(2): {1: 60}})

    def silent(data: bytes) -> list[Arrival]:
        answer = ring(data)
        # the log of the last day but one breaks off
        yesterday = data[0] == PULSE_LOG and data[1:5] == pulse_packets(ago(1), [0])[1].data[1:5]
        return [] if yesterday else answer

    visited = visit(silent)  # type: ignore[arg-type]
    assert isinstance(visited.error, TryAgain)
    assert {day_of(each.sequence) for each in visited.kept} == {ago(2)}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(0, 3), st.integers(1, 90), max_size=4),
    st.lists(st.integers(1, 60), max_size=4),
)
def test_visits_that_break_off_anywhere_end_with_the_whole_memory_on_disk(
    days: dict[int, int], drops: list[int]
) -> None:
    ring = Ring(
        pulse={ago(each): {10: 60, 200: 61} for each in days},
        steps={ago(each): {quarter: 100} for each, quarter in days.items()},
    )
    disk: set[int] = set()
    for drop in [*drops, None]:
        visited = visit(ring, last=max(disk, default=None), drops_after=drop)
        disk |= {each.sequence for each in visited.kept}
    assert disk == {each.sequence for each in visit(ring).kept}


@given(st.dictionaries(st.integers(0, SLOTS - 1), st.integers(1, 255)))
def test_a_days_pulse_comes_back_slot_by_slot(slots: dict[int, int]) -> None:
    packets = pulse_packets(TODAY, [slots.get(each, 0) for each in range(SLOTS)])
    found = {slot.minute // 5: slot.rate_per_minute for slot in pulse_slots(packets, TODAY)}
    assert found == slots
    with pytest.raises(CannotDecode, match="another day"):
        pulse_slots(packets, ago(1))
    with pytest.raises(CannotDecode, match="without a header"):
        pulse_slots(packets[1:], TODAY)
