"""How far a device was read: marks that rise, fall back, roll over; memories read anew."""

# ruff: noqa: DTZ001 - a device's own time has no zone

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_agent.sync import (
    BATTERY_JUMP_PERCENT,
    CLOCK_JUMP,
    LAST_NUMBER,
    Anew,
    Progress,
    Said,
    anew_by_clock,
    anew_by_word,
)
from gateway_agent.talk import About

BEFORE = Said(serial="S1", firmware="1.0", battery_percent=40)


@pytest.mark.parametrize(
    ("before", "about", "why"),
    [
        (BEFORE, About(serial="S1", firmware="1.0", battery_percent=40), None),
        (BEFORE, About(), None),
        (BEFORE, About(battery_percent=40 + BATTERY_JUMP_PERCENT), Anew.BATTERY),
        (BEFORE, About(battery_percent=40 + BATTERY_JUMP_PERCENT - 1), None),
        (BEFORE, About(battery_percent=0), None),
        (BEFORE, About(serial="S2"), Anew.SERIAL),
        (BEFORE, About(firmware="1.1"), Anew.FIRMWARE),
        # nothing was known: nothing changed
        (Said(), About(serial="S2", firmware="1.1", battery_percent=100), None),
    ],
)
def test_what_a_device_says_of_itself_shows_that_its_memory_may_be_another(
    before: Said, about: About, why: Anew | None
) -> None:
    assert anew_by_word(before, about) is why


@pytest.mark.parametrize(
    ("back", "why"),
    [
        (timedelta(0), None),
        (CLOCK_JUMP, None),
        (CLOCK_JUMP + timedelta(seconds=1), Anew.CLOCK),
        (-CLOCK_JUMP * 100, None),
        (timedelta(days=365 * 26), Anew.CLOCK),
    ],
)
def test_a_clock_that_falls_back_by_months_has_lost_its_power(
    back: timedelta, why: Anew | None
) -> None:
    expected = datetime(2026, 11, 22, 8, 30)
    assert anew_by_clock(expected - back, expected=expected) is why


def read(mark: int | None, records: Iterable[tuple[int, bool]]) -> tuple[int | None, list[int]]:
    """The mark after these records (number, is it new?), and those that showed a new count."""
    progress, anew = Progress.at(mark), []
    for number, new in records:
        if progress.began_anew(number, new=new):
            anew.append(number)
        progress = progress.after(number, new=new)
    return progress.mark, anew


@pytest.mark.parametrize(
    ("mark", "records", "after", "anew"),
    [
        # a first visit, and one that goes on
        (None, [(1, True), (2, True)], 2, []),
        (90, [(91, True), (92, True)], 92, []),
        # nothing new
        (90, [], 90, []),
        # a meter that hands over everything each time
        (90, [(88, False), (89, False), (90, False), (91, True)], 91, []),
        # its memory was cleared: 1 to 3 are new
        (90, [(1, True), (2, True), (3, True)], 3, [1, 2, 3]),
        # cleared, and read again from the beginning in the next visit
        (3, [(1, False), (2, False), (3, False), (4, True)], 4, []),
        # after the last number comes 0; what came before it is still there
        (65535, [(0, True), (1, True), (65534, False), (65535, False)], 1, [0, 1]),
        # then the mark climbs once more, and everything is asked for again: nothing is lost
        (1, [(2, True), (65534, False), (65535, False)], 65535, []),
        # numbers that are made of bytes say nothing
        (None, [(2**60, True), (2**50, True)], 2**60, []),
        (2**60, [(2**50, True)], 2**60, []),
        # a mark left by such numbers does not hide that real ones began
        (2**60, [(5, True), (6, True)], 6, [5, 6]),
    ],
)
def test_the_mark_follows_what_is_new(
    mark: int | None, records: list[tuple[int, bool]], after: int, anew: list[int]
) -> None:
    assert read(mark, records) == (after, anew)


class _Meter:
    """A meter with a memory of `holds` records, asked for what lies above a mark."""

    def __init__(self, holds: int) -> None:
        self._holds = holds
        self.memory: list[tuple[int, int]] = []
        self._next = 1
        self.made = 0

    def test(self, count: int) -> None:
        for _ in range(count):
            # the second part tells two records of the same number apart, as their times do
            self.memory.append((self._next, self.made))
            self._next, self.made = (self._next + 1) & LAST_NUMBER, self.made + 1
        self.memory = self.memory[-self._holds :]

    def clear(self) -> None:
        self.memory, self._next = [], 1

    def jump_to(self, number: int) -> None:
        self._next = max(self._next, number)

    def report(self, mark: int | None, kept: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """What lies above the mark; all, where the newest shows a new count."""
        if mark is None or mark >= LAST_NUMBER:
            return sorted(self.memory)
        above = [each for each in self.memory if each[0] > mark]
        newest = self.memory[-1] if self.memory else None
        began_anew = newest is not None and (newest[0] < mark or newest not in kept)
        return sorted(self.memory if began_anew and not above else above)


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("test"), st.integers(1, 6)),
            st.tuples(st.just("visit"), st.integers(0, 8)),
            st.tuples(st.just("jump"), st.integers(65_530, 65_535)),
        ),
        max_size=30,
    )
)
def test_no_record_is_lost_however_visits_break_off_and_numbers_roll_over(
    steps: list[tuple[str, int]],
) -> None:
    meter, mark = _Meter(holds=1_000), None
    kept: set[tuple[int, int]] = set()

    def visit(breaks_after: int | None) -> None:
        nonlocal mark
        progress = Progress.at(mark)
        for count, record in enumerate(meter.report(mark, kept)):
            if count == breaks_after:
                return
            new = record not in kept
            # what a power cut right after this record would leave
            mark = progress.mark_with(record[0])
            kept.add(record)
            progress = progress.after(record[0], new=new)
        mark = progress.mark

    for step, number in steps:
        if step == "test":
            meter.test(number)
        elif step == "jump":
            meter.jump_to(number)
        else:
            visit(number)
    for _ in range(3):
        visit(None)
    assert len(kept) == meter.made
    # a memory that was cleared is noticed, be its count lower or just as far as the mark
    meter.clear()
    meter.test(1)
    visit(None)
    assert len(kept) == meter.made
