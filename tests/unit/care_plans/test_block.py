"""What a block has brought: the same numbers as the rules see."""

from datetime import UTC, date, datetime, timedelta

import pytest
from care_plan_builders import EPISODE
from hypothesis import given
from hypothesis import strategies as st

from care_plans.block import DOUBTS, BlockSoFar, Pressure, so_far, window
from care_plans.schedule import zone_of
from rules.history import SUSPECT, CuffReading
from rules.metrics.home_protocol import block
from vitals.kinds import Kind
from vitals.units import MMHG_PER_KPA, Unit

SHANGHAI = zone_of("Asia/Shanghai")
MORNING = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # the 23rd, 07:00 in Shanghai


def readings(*pairs: tuple[float, float], unit: Unit = Unit.MMHG) -> list[Pressure]:
    """One reading every twelve hours."""
    return [
        Pressure(kind=kind, value=value, unit=unit, at=MORNING + number * timedelta(hours=12))
        for number, pair in enumerate(pairs)
        for kind, value in zip((Kind.SYSTOLIC, Kind.DIASTOLIC), pair, strict=True)
    ]


def brought(values: list[Pressure]) -> BlockSoFar | None:
    return so_far(values, episode=EPISODE, zone=SHANGHAI)


def test_all_readings_count_alike() -> None:
    found = brought(readings((130, 80), (140, 90), (150, 85)))
    assert found is not None
    # 07:00 and 19:00 on the 23rd, 07:00 on the 24th
    assert (found.days, found.readings) == (2, 3)
    assert (found.systolic_mmhg, found.diastolic_mmhg) == (140.0, 85.0)


def test_kilopascals_are_the_same_pressure() -> None:
    found = brought(readings((16.0, 10.0), unit=Unit.KPA))
    assert found is not None
    assert found.systolic_mmhg == pytest.approx(16.0 * MMHG_PER_KPA)


def test_silence_has_no_mean() -> None:
    assert brought([]) is None


def test_the_same_doubts_keep_a_reading_out_as_in_the_rules() -> None:
    assert DOUBTS == SUSPECT


@given(st.lists(st.tuples(st.integers(60, 250), st.integers(40, 150)), min_size=1, max_size=14))
def test_the_mean_is_the_one_that_the_rules_compute(pairs: list[tuple[int, int]]) -> None:
    found = brought(readings(*pairs))
    theirs = block(
        [
            CuffReading(at=MORNING + number * timedelta(hours=12), systolic=high, diastolic=low)
            for number, (high, low) in enumerate(pairs)
        ],
        last_day=date(2026, 11, 29),
        zone="Asia/Shanghai",
    )
    assert found is not None
    assert (found.days, found.readings) == (theirs.days, theirs.n)
    assert found.systolic_mmhg == pytest.approx(theirs.systolic)
    assert found.diastolic_mmhg == pytest.approx(theirs.diastolic)


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 11, 30), date(2026, 11, 23), date(2026, 11, 29)),  # seven whole days
        (date(2026, 12, 4), date(2026, 11, 27), date(2026, 12, 3)),  # the last seven
        (date(2026, 11, 25), date(2026, 11, 23), date(2026, 11, 24)),  # two so far
    ],
)
def test_the_last_seven_whole_days_of_the_block_count(today: date, first: date, last: date) -> None:
    assert window(starts_on=date(2026, 11, 23), today=today, days=7) == (first, last)
