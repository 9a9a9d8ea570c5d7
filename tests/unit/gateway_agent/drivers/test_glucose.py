"""A visit to a glucose meter: nothing lost, whatever the order and wherever the link breaks."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import EIGHT_FIFTEEN, glucose
from pump import Arrival, Device, Visited, pump

from gateway_agent.drivers import record_access
from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime
from gateway_agent.drivers.glucose import RECORD_WAIT_S, talk
from gateway_agent.drivers.glucose_record import (
    CONTEXT,
    FEATURE,
    MEASUREMENT,
    GlucoseContext,
    GlucoseMeasurement,
)
from gateway_agent.drivers.record_access import (
    ABORT_FAILED,
    ALL,
    AT_LEAST,
    LAST,
    NO_RECORDS,
    OP_CODE_UNKNOWN,
    RECORD_ACCESS,
    REPORT,
    SUCCESS,
    Command,
    NumberOfRecords,
    Response,
)
from gateway_agent.talk import (
    ClockSeen,
    Keep,
    LinkLost,
    Listen,
    Read,
    Refusal,
    Subscribe,
    Visit,
    Write,
)
from vitals.errors import KangbanError, MendDevice, TryAgain
from vitals.measurement import Meal, Reading


def record(number: int, *, promised: bool = False) -> Arrival:
    return MEASUREMENT, glucose(number, context_follows=promised).encode()


def context(number: int, meal: int = 2) -> Arrival:
    return CONTEXT, GlucoseContext(sequence_number=number, meal=meal).encode()


def response(code: int = SUCCESS, request: int = REPORT) -> Arrival:
    return RECORD_ACCESS, Response(request=request, code=code).encode()


def number(counted: int) -> list[Arrival]:
    return [(RECORD_ACCESS, NumberOfRecords(number=counted).encode())]


def cannot_count(command: Command) -> list[Arrival]:
    return [response(OP_CODE_UNKNOWN, request=command.op_code)]


class Meter:
    """A meter that sends these arrivals to the first report, and to later ones what is asked.

    `counts`: what it answers when it is asked how many records there are; None: it cannot count.
    """

    def __init__(
        self,
        *arrivals: Arrival,
        again: Iterable[Arrival] | None = None,
        counts: int | None = None,
    ) -> None:
        self.arrivals = list(arrivals)
        self.counts = counts
        self.again = None if again is None else list(again)
        self.commands: list[Command] = []

    def __call__(self, data: bytes) -> list[Arrival]:
        command = record_access.decode(data)
        assert isinstance(command, Command)
        if command.op_code != REPORT:
            return cannot_count(command) if self.counts is None else number(self.counts)
        self.commands.append(command)
        if len(self.commands) > 1 and self.again is not None:
            return self.again
        return self.arrivals


def visit(
    meter: Callable[[bytes], Iterable[Arrival]],
    *,
    last: int | None = None,
    keep: Callable[[Reading], None] = lambda reading: None,
    drops_after: int | None = None,
    **device: object,
) -> Visited:
    if drops_after is not None:
        # how many there are is said before the first record
        device["drops_after"] = drops_after + 1
    known = Visit(device="ble:C0:00:00:00:00:01", last_sequence=last)
    return pump(talk(known), Device(answers=meter, **device), keep=keep)  # type: ignore[arg-type]


def numbers(visited: Visited) -> list[int]:
    return [reading.sequence for reading in visited.kept]


def meals(visited: Visited) -> dict[int, Meal | None]:
    return {reading.sequence: reading.meal for reading in visited.kept}


def test_a_visit_subscribes_reads_the_clock_and_then_asks_for_records() -> None:
    meter = Meter(record(1), response())
    visited = visit(meter, reads={CURRENT_TIME: CurrentTime(date_time=EIGHT_FIFTEEN).encode()})
    subscribed = [ask for ask in visited.asks if isinstance(ask, Subscribe)]
    assert [(each.characteristic, each.optional) for each in subscribed] == [
        (MEASUREMENT, False),
        (CONTEXT, True),
        (RECORD_ACCESS, False),
    ]
    order = [type(ask) for ask in visited.asks]
    assert order[:3] == [Subscribe] * 3
    assert order.index(ClockSeen) < order.index(Write)
    assert Read(characteristic=FEATURE) in visited.asks
    assert numbers(visited) == [1]


@pytest.mark.parametrize(
    ("last", "hex_command"),
    [
        (None, "0101"),  # never read: all
        (41, "0103012a00"),  # from 42 on
        (0, "0103010100"),
        (0xFFFE, "010301ffff"),
        (0xFFFF, "0101"),  # nothing is above: all, the spool knows what it has
    ],
)
def test_a_visit_asks_for_what_comes_after_the_last_record_on_disk(
    last: int | None, hex_command: str
) -> None:
    visited = visit(Meter(response(NO_RECORDS)), last=last)
    asked = [ask.data.hex() for ask in visited.asks if isinstance(ask, Write)]
    # first how many there are
    assert asked.pop(0) == "04" + hex_command[2:]
    # where nothing is newer, the newest is looked at: it might have begun to count anew
    assert asked == [hex_command] + ([] if hex_command == "0101" else ["0106"])
    assert visited.error is None


def test_nothing_new_is_a_good_visit() -> None:
    visited = visit(Meter(response(NO_RECORDS)), last=5)
    assert (visited.error, visited.kept, visited.refused) == (None, [], [])


def a_meter_that_has(*held: int) -> Callable[[bytes], list[Arrival]]:
    def answer(data: bytes) -> list[Arrival]:
        command = record_access.decode(data)
        assert isinstance(command, Command)
        found = [each for each in held if each >= (command.low or 0)]
        if command.op_code != REPORT:
            return number(len(found))
        if command.operator == LAST:
            found = found[-1:]
        return [*map(record, found), response() if found else response(NO_RECORDS)]

    return answer


def test_a_meter_whose_memory_was_cleared_is_read_from_its_new_beginning() -> None:
    # 90 are on disk; since then its memory was cleared, and three tests were made
    assert numbers(visit(a_meter_that_has(1, 2, 3), last=90)) == [1, 2, 3]
    # nothing new: the newest is only looked at
    assert numbers(visit(a_meter_that_has(88, 89, 90), last=90)) == []
    # cleared and going on to count
    assert numbers(visit(a_meter_that_has(), last=90)) == []


def test_a_meter_that_hangs_up_when_nothing_is_new_is_a_good_visit() -> None:
    visited = visit(a_meter_that_has(88, 89, 90), last=90, drops_after=1)
    assert (visited.error, visited.kept) == (None, [])


def test_a_context_is_joined_whether_it_comes_before_or_after_its_record() -> None:
    before = visit(Meter(context(1), record(1, promised=True), response()))
    after = visit(Meter(record(1, promised=True), context(1), response()))
    late = visit(
        Meter(record(1, promised=True), record(2), context(1), response()),
    )
    for visited in (before, after, late):
        assert meals(visited)[1] is Meal.POSTPRANDIAL
    assert before.kept[0].raw == record(1, promised=True)[1] + context(1)[1]
    assert numbers(late) == [1, 2]


def test_a_promised_context_that_never_comes_is_missing_and_the_record_is_kept() -> None:
    visited = visit(Meter(record(1, promised=True), record(2), response()))
    assert meals(visited) == {1: None, 2: None}


def test_records_are_on_disk_while_the_rest_is_still_coming() -> None:
    # a kill in the middle of 500 records must not start from nothing
    visited = visit(Meter(*(record(number) for number in range(10)), response()))
    listened = [place for place, ask in enumerate(visited.asks) if isinstance(ask, Listen)]
    kept = [place for place, ask in enumerate(visited.asks) if isinstance(ask, Keep)]
    # all but the newest, which waits for a higher one or for the meter's last word
    assert len([place for place in kept if place < listened[-1]]) == 9


def test_a_context_without_its_record_is_named_and_left() -> None:
    visited = visit(Meter(record(1), context(7), response()))
    assert numbers(visited) == [1]
    assert "record 7" in visited.refused[0].reason


def test_a_repeated_record_is_kept_once() -> None:
    visited = visit(Meter(record(1), record(1), record(2), record(2), record(1), response()))
    assert numbers(visited) == [1, 2]


def test_a_record_that_was_corrected_is_kept_beside_the_first() -> None:
    corrected = (MEASUREMENT, glucose(1, status=1).encode())
    visited = visit(Meter(record(1), record(2), corrected, response()))
    assert sorted(numbers(visited)) == [1, 1, 2]


@pytest.mark.parametrize("code", [3, 4, 5, 9])
def test_a_meter_that_cannot_count_from_a_number_is_asked_for_all(code: int) -> None:
    meter = Meter(response(code), again=[record(1), record(2), response()])
    visited = visit(meter, last=1)
    assert [command.operator for command in meter.commands] == [AT_LEAST, ALL]
    assert numbers(visited) == [1, 2]


@pytest.mark.parametrize("code", [2, 3, 7, 42])
def test_a_meter_that_refuses_says_what_to_do(code: int) -> None:
    visited = visit(Meter(response(code)))
    assert isinstance(visited.error, MendDevice)
    assert "Switch it off and on" in str(visited.error)


@pytest.mark.parametrize("code", [8, 10])
def test_a_meter_that_is_busy_or_stopped_is_tried_again(code: int) -> None:
    visited = visit(Meter(record(1), record(2, promised=True), response(code)))
    assert isinstance(visited.error, TryAgain)
    assert numbers(visited) == [1]


def test_a_meter_that_falls_silent_is_given_up_after_the_wait_and_keeps_what_came() -> None:
    visited = visit(Meter(record(1), record(2)))
    assert isinstance(visited.error, TryAgain)
    assert numbers(visited) == [1, 2]
    assert Listen(wait_s=RECORD_WAIT_S) in visited.asks


def test_the_last_word_on_another_request_is_not_ours() -> None:
    number_of_records = (RECORD_ACCESS, bytes.fromhex("05000300"))
    visited = visit(Meter(response(request=3), number_of_records, record(1), response()))
    assert numbers(visited) == [1]


def test_the_newest_record_waits_for_its_context_when_the_link_is_lost() -> None:
    # rule: it would otherwise be on disk without its meal for ever, since only what is newer
    # than the last record on disk is asked for
    arrivals = (record(1), record(2, promised=True), context(2), record(3, promised=True))
    visited = visit(Meter(*arrivals, context(3), response()), drops_after=4)
    assert isinstance(visited.error, LinkLost)
    assert meals(visited) == {1: None, 2: Meal.POSTPRANDIAL}


def test_an_older_record_does_not_wait_for_its_context_when_the_link_is_lost() -> None:
    arrivals = (record(1, promised=True), record(2), response())
    visited = visit(Meter(*arrivals), drops_after=2)
    assert numbers(visited) == [1, 2]


def test_the_newest_record_is_kept_when_the_link_is_lost_with_nothing_promised() -> None:
    visited = visit(Meter(record(1), record(2), response()), drops_after=2)
    assert numbers(visited) == [1, 2]


def test_a_meter_that_starts_with_its_newest_loses_nothing_when_the_link_is_lost() -> None:
    arrivals = (record(9), record(8), record(7), response())
    assert numbers(visit(Meter(*arrivals))) == [7, 8, 9]
    # kept now, 9 would hide 7 and 8 from the next visit
    assert numbers(visit(Meter(*arrivals), drops_after=2)) == []


def test_a_single_record_before_a_lost_link_is_kept_only_if_it_is_the_very_next() -> None:
    arrivals = (record(9), record(8), response())
    assert numbers(visit(Meter(*arrivals), drops_after=1)) == []
    assert numbers(visit(Meter(*arrivals), drops_after=1, last=7)) == []
    assert numbers(visit(Meter(*arrivals), drops_after=1, last=8)) == [9]


def test_nothing_above_a_record_that_could_not_be_stored_is_kept() -> None:
    full = False

    def keep(reading: Reading) -> None:
        nonlocal full
        if reading.sequence == 2 and not full:
            full = True
            raise TryAgain("the disk is full")

    visited = visit(Meter(*(record(each) for each in (1, 2, 3, 4)), response()), keep=keep)
    assert isinstance(visited.error, TryAgain)
    assert numbers(visited) == [1]


TORN = (MEASUREMENT, glucose(3).encode()[:-2])


def test_a_truncated_record_is_refused_and_asked_for_once_more() -> None:
    whole = [record(each) for each in (1, 2, 3, 4)]
    meter = Meter(*whole[:2], TORN, whole[3], response(), again=[*whole[2:], response()])
    visited = visit(meter)
    assert numbers(visited) == [1, 2, 3, 4]
    assert [command.encode().hex() for command in meter.commands] == ["0101", "0103010300"]
    assert [refused.data for refused in visited.refused] == [TORN[1]]
    assert visited.error is None


def test_a_truncated_record_after_the_newest_is_asked_for_once_more() -> None:
    # newest first: 4, then 3 without its end
    meter = Meter(record(4), TORN, response(), again=[record(4), record(3), response()])
    assert numbers(visit(meter, last=2)) == [3, 4]
    assert [command.low for command in meter.commands] == [3, 3]
    # the link is lost before 3 comes again: 4 would hide it from the next visit
    assert numbers(visit(Meter(record(4), TORN, record(4), record(3)), last=2, drops_after=3)) == []


def test_a_record_that_stays_truncated_does_not_stop_the_others() -> None:
    visited = visit(Meter(record(1), TORN, record(4), response()))
    assert numbers(visited) == [1, 4]
    assert len(visited.refused) == 2
    assert visited.error is None


def test_a_link_lost_after_a_truncated_record_keeps_nothing_above_it() -> None:
    visited = visit(Meter(record(1), record(2), TORN, record(4), response()), drops_after=4)
    assert numbers(visited) == [1, 2]
    assert isinstance(visited.error, LinkLost)


def test_a_truncated_context_is_read_again_with_its_record() -> None:
    torn = (CONTEXT, context(2)[1][:-1])
    first = [record(1), record(2, promised=True), torn, record(3), response()]
    again = [record(2, promised=True), context(2), record(3), response()]
    assert meals(visit(Meter(*first, again=again))) == {1: None, 2: Meal.POSTPRANDIAL, 3: None}
    assert numbers(visit(Meter(*first), drops_after=4)) == [1]


def test_a_garbled_last_word_is_waited_for_and_not_taken_for_success() -> None:
    visited = visit(Meter(record(1), (RECORD_ACCESS, b"\x06\x00\x01")))
    assert isinstance(visited.error, TryAgain)


@st.composite
def transfers(draw: st.DrawFn) -> tuple[list[Arrival], set[int], set[int]]:
    """Records of a meter in its order, contexts anywhere, some never sent; repeats in between."""
    found = draw(st.lists(st.integers(0, 200), unique=True, max_size=12))
    order = draw(st.sampled_from([sorted, lambda each: sorted(each, reverse=True), list]))
    promised = {number for number in found if draw(st.booleans())}
    sent = {number for number in promised if draw(st.integers(0, 9))}
    arrivals = [record(number, promised=number in promised) for number in order(found)]
    for number in sent:
        arrivals.insert(draw(st.integers(0, len(arrivals))), context(number))
    for arrival in draw(st.lists(st.sampled_from(arrivals), max_size=3)) if arrivals else ():
        at = draw(st.integers(arrivals.index(arrival), len(arrivals)))
        arrivals.insert(at, arrival)
    return arrivals, set(found), sent


@settings(max_examples=400, deadline=None)
@given(transfers())
def test_no_record_and_no_meal_is_lost_whatever_the_order(
    transfer: tuple[list[Arrival], set[int], set[int]],
) -> None:
    arrivals, found, with_context = transfer
    visited = visit(Meter(*arrivals, response()))
    assert visited.error is None
    assert sorted(numbers(visited)) == sorted(found)
    expected = {each: Meal.POSTPRANDIAL if each in with_context else None for each in found}
    assert meals(visited) == expected


@st.composite
def visits(draw: st.DrawFn) -> tuple[list[GlucoseMeasurement], set[int], list[int], bool]:
    """A meter's memory, its contexts, after how many notifications each visit breaks off."""
    found = sorted(draw(st.sets(st.integers(0, 300), max_size=15)))
    promised = {number for number in found if draw(st.booleans())}
    memory = [glucose(number, context_follows=number in promised) for number in found]
    drops = draw(st.lists(st.integers(0, 30), max_size=8))
    return memory, promised, drops, draw(st.booleans())


@settings(max_examples=400, deadline=None)
@given(visits())
def test_visits_that_break_off_anywhere_end_with_the_whole_memory_on_disk(
    story: tuple[list[GlucoseMeasurement], set[int], list[int], bool],
) -> None:
    memory, promised, drops, newest_first = story
    disk: dict[int, Reading] = {}

    def answers(data: bytes) -> list[Arrival]:
        command = record_access.decode(data)
        assert isinstance(command, Command)
        low = command.low if isinstance(command.low, int) else 0
        wanted = [each for each in memory if each.sequence_number >= low]
        if command.op_code != REPORT:
            return number(len(wanted))
        if command.operator == LAST:
            wanted = memory[-1:]
        sent: list[Arrival] = []
        for each in reversed(wanted) if newest_first else wanted:
            sent.append((MEASUREMENT, each.encode()))
            if each.context_follows:
                sent.append(context(each.sequence_number))
        return [*sent, response(SUCCESS if wanted else NO_RECORDS)]

    for drop in [*drops, None]:
        last = max(disk, default=None)
        visited = visit(answers, last=last, drops_after=drop)
        for reading in visited.kept:
            assert reading.sequence not in disk, "a record was read twice"
            disk[reading.sequence] = reading
    assert sorted(disk) == [each.sequence_number for each in memory]
    assert {number for number, each in disk.items() if each.meal} == promised


def test_any_error_at_any_ask_keeps_what_had_come() -> None:
    """A write that a meter denies, a link that is lost: what is on disk is never above a gap."""
    for radio_asks in range(30):
        meter = Meter(*(record(each) for each in range(5)), response())
        visited = visit(meter, radio_asks=radio_asks)
        assert numbers(visited) == list(range(len(visited.kept)))
        assert visited.error is None or isinstance(visited.error, KangbanError)


def test_a_record_that_did_not_arrive_is_asked_for_once_more() -> None:
    first = [record(1), record(3), response()]
    visited = visit(Meter(*first, again=[record(2), *first], counts=3))
    assert sorted(numbers(visited)) == [1, 2, 3]
    assert visited.refused == []


def test_a_record_that_never_arrives_is_noted_and_the_others_are_kept() -> None:
    meter = Meter(record(1), record(3), response(), counts=3)
    visited = visit(meter)
    assert numbers(visited) == [1, 3]
    assert "counted 3 records and sent 2" in visited.refused[0].reason
    assert (len(meter.commands), visited.error) == (2, None)


def written(visited: Visited) -> list[str]:
    return [ask.data.hex() for ask in visited.asks if isinstance(ask, Write)]


def test_a_meter_that_falls_silent_is_told_to_end_before_the_talk_gives_up() -> None:
    assert written(visit(Meter(record(1), record(2)))) == ["0401", "0101", "0300"]
    # with the link down there is nobody to tell
    assert written(visit(Meter(record(1), record(2)), hangs_up=True))[-1] == "0101"


class Busy:
    """A meter that answers a write with these ATT errors first, then as the meter behind it."""

    def __init__(self, meter: Meter, *errors: int, abort: int = SUCCESS) -> None:
        self.meter, self.errors, self.abort = meter, list(errors), abort

    def __call__(self, data: bytes) -> list[Arrival]:
        if data == b"\x03\x00":
            # a stray record of the request that is ended
            return [record(90), response(self.abort, request=3)]
        if self.errors:
            raise Refusal("it refuses", att_error=self.errors.pop(0))
        return self.meter(data)


@pytest.mark.parametrize("code", [0x80, 0xFE])
def test_a_meter_that_is_busy_with_an_earlier_request_is_freed_and_asked_again(code: int) -> None:
    visited = visit(Busy(Meter(record(1), response()), code))
    assert (numbers(visited), visited.error) == ([1], None)
    assert written(visited) == ["0401", "0300", "0401", "0101"]


@pytest.mark.parametrize("code", [0x80, 0xFE])
def test_a_meter_that_does_not_end_an_earlier_request_is_tried_again(code: int) -> None:
    visited = visit(Busy(Meter(), code, abort=ABORT_FAILED))
    assert type(visited.error) is TryAgain
    assert "busy with an earlier request" in str(visited.error)


@pytest.mark.parametrize("code", [0x81, 0xFD])
def test_a_meter_that_lost_the_subscription_says_what_a_person_must_do(code: int) -> None:
    visited = visit(Busy(Meter(), code))
    assert type(visited.error) is MendDevice
    assert "add it again" in str(visited.error)


def test_a_meter_that_will_not_be_asked_how_many_is_asked_for_its_records() -> None:
    visited = visit(Busy(Meter(record(1), response()), 0x06))
    assert (numbers(visited), visited.error) == ([1], None)
    # what it refuses twice is an error, with the words of the radio
    assert isinstance(visit(Busy(Meter(), 0x06, 0x06)).error, Refusal)


def test_the_reading_of_a_record_says_what_its_bytes_say() -> None:
    spoiled = replace(glucose(1), type=10)
    visited = visit(Meter((MEASUREMENT, spoiled.encode()), response()))
    assert visited.kept[0].withheld == "control_solution"
