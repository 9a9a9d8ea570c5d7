"""Rows are counted into their patients' days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.moment import microseconds
from ingest.rollup import Calendar, count, exact
from store.columns import NO_MEAL, NO_TIME, NOBODY, Columns

SHANGHAI = Calendar(
    first=date(2026, 11, 20),
    starts=[datetime(2026, 11, 19, 16, tzinfo=UTC) + timedelta(days=n) for n in range(6)],
)
BERLIN = Calendar(
    first=date(2026, 11, 20),
    starts=[datetime(2026, 11, 19, 23, tzinfo=UTC) + timedelta(days=n) for n in range(6)],
)
CALENDARS = {"Asia/Shanghai": SHANGHAI}
MIDNIGHT = SHANGHAI.starts[1]
GLUCOSE, MMOL, MG = 1, 1, 2


def row(at, value=5.6, *, device=10, unit=MMOL, slot=-1):  # type: ignore[no-untyped-def]
    return (device, microseconds(at), value, unit, slot)


def columns(*rows):  # type: ignore[no-untyped-def]
    count_ = len(rows)
    device, taken_at, value, unit, slot = zip(*rows, strict=True) if rows else ((),) * 5
    return Columns(
        device=np.array(device, np.int32),
        kind=np.full(count_, GLUCOSE, np.int16),
        sequence=np.zeros(count_, np.int64),
        taken_at=np.array(taken_at, np.int64),
        value=np.array(value, np.float64),
        unit=np.array(unit, np.int16),
        clock=np.ones(count_, np.int16),
        device_time=np.full(count_, NO_TIME),
        clock_offset_s=np.zeros(count_, np.int32),
        slot=np.array(slot, np.int16),
        meal=np.full(count_, NO_MEAL, np.int16),
        flags=np.zeros(count_, np.int32),
        gateway=np.ones(count_, np.int32),
        raw_begin=np.zeros(count_, np.int64),
        raw_size=np.zeros(count_, np.int32),
        raw=np.zeros(0, np.uint8),
    )


def counted(*rows, wearers=None):  # type: ignore[no-untyped-def]
    patients, days = count(
        columns(*rows),
        wearers=wearers or {(10, -1): (7, "Asia/Shanghai")},
        calendars=CALENDARS,
    )
    return [None if each == NOBODY else each for each in patients.tolist()], days


def test_a_day_ends_at_the_patient_s_midnight() -> None:
    _, days = counted(
        row(MIDNIGHT - timedelta(microseconds=1)),
        row(MIDNIGHT),
        row(MIDNIGHT + timedelta(hours=23)),
    )

    assert [(each.local_day.day, each.n) for each in days] == [(20, 1), (21, 2)]


def test_a_day_keeps_sum_limits_and_first_and_last_moment() -> None:
    _, (day,) = counted(
        row(MIDNIGHT + timedelta(hours=2), 7.0),
        row(MIDNIGHT + timedelta(hours=1), 3.3),
        row(MIDNIGHT + timedelta(hours=3), 5.1),
    )

    assert day.n == 3
    assert day.sum == Decimal("15.4")  # 7.0 + 3.3 + 5.1
    assert (day.min, day.max) == (3.3, 7.0)
    assert day.first_at == MIDNIGHT + timedelta(hours=1)
    assert day.last_at == MIDNIGHT + timedelta(hours=3)


def test_two_units_on_one_day_are_two_rows() -> None:
    _, days = counted(row(MIDNIGHT, 5.6), row(MIDNIGHT, 101, unit=MG), row(MIDNIGHT, 5.8))

    assert [(each.unit, each.n) for each in days] == [(MMOL, 2), (MG, 1)]


def test_a_reading_is_the_slot_s_person_s_or_anybody_s_or_nobody_s() -> None:
    wearers = {
        (10, 1): (7, "Asia/Shanghai"),
        (10, -1): (8, "Asia/Shanghai"),
        (12, -2): (9, "Asia/Shanghai"),
    }

    patients, days = counted(
        row(MIDNIGHT, slot=1),
        row(MIDNIGHT, slot=2),
        row(MIDNIGHT, slot=-1),
        row(MIDNIGHT, device=11),
        row(datetime(1999, 1, 1, tzinfo=UTC), device=11, slot=1),
        row(MIDNIGHT, slot=1),
        row(MIDNIGHT, device=12, slot=3),
        wearers=wearers,
    )

    # the number 2 of a cuff with numbers falls to nobody
    assert patients == [7, None, 8, None, None, 7, 9]
    assert [(each.patient_id, each.n) for each in days] == [(7, 2), (8, 1), (9, 1)]


def test_nothing_is_counted_of_nothing() -> None:
    assert counted() == ([], [])


def test_a_calendar_knows_what_it_covers() -> None:
    assert SHANGHAI.covers(SHANGHAI.starts[0])
    assert not SHANGHAI.covers(SHANGHAI.starts[0] - timedelta(microseconds=1))
    assert not SHANGHAI.covers(SHANGHAI.starts[-1])


@pytest.mark.parametrize(
    ("value", "decimal"),
    [(5.6, "5.6"), (0.1 + 0.2, "0.3"), (120.0, "120"), (1 / 3, "0." + "3" * 15)],
)
def test_a_value_is_counted_as_the_database_casts_it(value: float, decimal: str) -> None:
    assert exact(value) == Decimal(decimal)


@given(st.lists(st.tuples(st.integers(0, 72 * 60 - 1), st.integers(6, 333)), max_size=40))
def test_the_order_of_arrival_does_not_matter(readings: list[tuple[int, int]]) -> None:
    begin = SHANGHAI.starts[0]
    rows = [row(begin + timedelta(minutes=minute), tenths / 10) for minute, tenths in readings]

    assert counted(*rows)[1] == counted(*reversed(rows))[1]
    assert sum(each.n for each in counted(*rows)[1]) == len(rows)


# thirds and sums of tenths are no thousandths; 1e10 has more of them than are counted at once
VALUES = st.one_of(
    st.integers(6, 333).map(lambda tenths: tenths / 10),
    st.integers(0, 10**6).map(lambda parts: parts / 1000),
    st.sampled_from([1 / 3, 0.1 + 0.2, 1e10, -0.0, 5.6001, 1e-9]),
)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4 * 24 * 3600 - 1),
            VALUES,
            st.sampled_from([10, 11, 12]),
            st.sampled_from([MMOL, MG]),
            st.sampled_from([-1, 1]),
        ),
        max_size=60,
    )
)
def test_days_are_what_a_count_one_by_one_finds(readings: list[tuple[Any, ...]]) -> None:
    # of 10 any number is the same person's, of 11 one number is that person's too, 12 is nobody's
    wearers = {
        (10, -2): (7, "Asia/Shanghai"),
        (11, 1): (7, "Asia/Shanghai"),
        (11, -1): (8, "Europe/Berlin"),
    }
    calendars = {"Asia/Shanghai": SHANGHAI, "Europe/Berlin": BERLIN}
    expected: dict[Any, list[tuple[float, datetime]]] = {}
    rows = []
    for second, value, device, unit, slot in readings:
        at = BERLIN.starts[0] + timedelta(seconds=second)
        rows.append(row(at, value, device=device, unit=unit, slot=slot))
        wearer = wearers.get((device, slot)) or wearers.get((device, -2))
        if wearer is not None:
            day = at.astimezone(ZoneInfo(wearer[1])).date()
            expected.setdefault((wearer[0], GLUCOSE, unit, day), []).append((value, at))

    _, days = count(columns(*rows), wearers=wearers, calendars=calendars)

    assert [each[:4] for each in days] == sorted(expected)
    for day in days:
        values, moments = zip(*expected[day[:4]], strict=True)
        assert day[4:] == (
            len(values),
            sum(map(exact, values)),
            min(values),
            max(values),
            min(moments),
            max(moments),
        )
