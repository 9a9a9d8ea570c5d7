"""When a session is due, on days of 23, 24 and 25 hours."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from care_plan_builders import block_task, plan, schedule, task
from hypothesis import given
from hypothesis import strategies as st

from care_plans.plan import Session
from care_plans.schedule import (
    WINDOW,
    dues,
    dues_of_days,
    in_force,
    is_to_be_told,
    moment,
    zone_of,
)
from vitals.errors import MendData


@pytest.mark.parametrize(
    ("zone", "day", "local", "utc"),
    [
        # no change of clocks in China: always +8
        ("Asia/Shanghai", date(2026, 11, 22), time(7), "2026-11-21T23:00"),
        ("Asia/Shanghai", date(2026, 3, 29), time(2, 30), "2026-03-28T18:30"),
        # an ordinary day in Berlin: +1
        ("Europe/Berlin", date(2026, 3, 28), time(2, 30), "2026-03-28T01:30"),
        # 29 March 2026, Berlin: 02:00 +1 becomes 03:00 +2; 02:30 does not exist: 03:30 +2
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),
        ("Europe/Berlin", date(2026, 3, 29), time(1, 59), "2026-03-29T00:59"),
        ("Europe/Berlin", date(2026, 3, 29), time(3), "2026-03-29T01:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(7), "2026-03-29T05:00"),
        # 25 October 2026, Berlin: 03:00 +2 becomes 02:00 +1; 02:30 comes twice: the first, +2
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),
        ("Europe/Berlin", date(2026, 10, 25), time(7), "2026-10-25T06:00"),
        # 8 March 2026, New York: 02:30 does not exist: 03:30 -4
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:30"),
        # 1 November 2026, New York: 01:30 comes twice: the first, -4
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
        ("America/New_York", date(2026, 11, 1), time(7), "2026-11-01T12:00"),
    ],
)
def test_a_local_time_is_one_moment(zone: str, day: date, local: time, utc: str) -> None:
    assert moment(day, local, zone_of(zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_two_times_that_a_clock_change_makes_one_are_one_session() -> None:
    berlin = zone_of("Europe/Berlin")
    night = task(
        schedule=schedule(times=(time(2, 30), time(3, 30)), weekdays=(7,)),
        starts_on=date(2026, 1, 1),
    )
    assert len(dues([night], day=date(2026, 3, 22), zone=berlin)) == 2
    assert len(dues([night], day=date(2026, 3, 29), zone=berlin)) == 1


@pytest.mark.parametrize(
    ("day", "times"),
    [
        (date(2026, 11, 22), []),  # a Sunday
        (date(2026, 11, 23), ["07:00", "20:00"]),  # a Monday
        (date(2026, 11, 24), []),
    ],
)
def test_a_task_asks_on_its_weekdays_only(day: date, times: list[str]) -> None:
    found = dues([task()], day=day, zone=zone_of("Asia/Shanghai"))
    assert [each.local.strftime("%H:%M") for each in found] == times


@pytest.mark.parametrize(
    ("day", "asks"),
    [
        (date(2026, 11, 1), False),
        (date(2026, 11, 2), True),
        (date(2026, 11, 9), True),
        (date(2026, 11, 10), False),
    ],
)
def test_a_task_asks_from_its_first_to_its_last_day(day: date, asks: bool) -> None:
    ours = task(
        schedule=schedule(weekdays=(1, 2, 3, 4, 5, 6, 7)),
        starts_on=date(2026, 11, 2),
        ends_on=date(2026, 11, 9),
    )
    assert bool(dues([ours], day=day, zone=zone_of("Asia/Shanghai"))) is asks


def test_a_block_stands_in_for_the_ordinary_task_and_then_gives_way() -> None:
    block = block_task(days_ago=0, days=7)
    glucose = task(id=3, session=Session.GLUCOSE)
    tasks = plan(task(), glucose, block).tasks
    last = block.starts_on + timedelta(days=6)
    assert [each.id for each in in_force(tasks, block.starts_on - timedelta(days=1))] == [1, 3]
    assert [each.id for each in in_force(tasks, block.starts_on)] == [3, 2]
    assert [each.id for each in in_force(tasks, last)] == [3, 2]
    assert [each.id for each in in_force(tasks, last + timedelta(days=1))] == [1, 3]


@given(
    first=st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1)),
    local=st.times().map(lambda each: each.replace(second=0, microsecond=0, fold=0)),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Tehran"]),
)
def test_every_day_has_its_session_once_whatever_the_clocks_do(
    first: date, local: time, zone: str
) -> None:
    ours = task(schedule=schedule(times=(local,), weekdays=(1, 2, 3, 4, 5, 6, 7)), starts_on=first)
    found = dues_of_days([ours], first=first, last=first + timedelta(days=29), zone=zone_of(zone))
    assert len(found) == 30
    gaps = {later.at - earlier.at for earlier, later in pairwise(found)}
    assert min(gaps) >= timedelta(hours=22)
    assert max(gaps) <= timedelta(hours=26)


def test_a_zone_that_does_not_exist_is_named() -> None:
    with pytest.raises(MendData, match="Mars/Olympus"):
        zone_of("Mars/Olympus")


@dataclass
class Reminder:
    due_at: datetime
    told_at: datetime | None = None
    done_at: datetime | None = None


@pytest.mark.parametrize(
    ("late", "told"),
    [
        (timedelta(minutes=-1), False),
        (timedelta(0), True),
        (WINDOW - timedelta(seconds=1), True),
        (WINDOW, False),
    ],
)
def test_a_reminder_is_told_when_due_and_not_two_hours_later(late: timedelta, told: bool) -> None:
    due_at = datetime(2026, 11, 22, tzinfo=UTC)
    assert is_to_be_told(Reminder(due_at), due_at + late) is told
    assert not is_to_be_told(Reminder(due_at, told_at=due_at), due_at + late)
    assert not is_to_be_told(Reminder(due_at, done_at=due_at), due_at + late)
