"""When a session is due: local times on the patient's wall clock, as moments in UTC.

Over a change of the clock: a time that does not exist (02:30 when clocks jump from 02:00 to 03:00)
comes as much later as the clock jumped; a time that comes twice is due the first time. May hold:
this arithmetic, pure. May not: who is told, the database, clocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from care_plans.plan import Task
from vitals.errors import MendData

# Hours around the due moment in which a session counts as done, and after which a reminder is too
# late to be told: clinical reference §2.4 (on time is ±2 h) and §6.
WINDOW = timedelta(hours=2)

# Local hours in which nothing is told that can wait (up to S2): clinical reference §2.5. A reminder
# comes at the time that the plan says; news about the plan waits for the morning.
QUIET_FROM, QUIET_UNTIL = time(22), time(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One session that is asked for: the moment, and its time on the patient's clock."""

    task: Task
    at: datetime
    local: time


class Remindable(Protocol):
    """What a reminder must say of itself."""

    @property
    def due_at(self) -> datetime:
        """When the session is due."""

    @property
    def told_at(self) -> datetime | None:
        """When the patient was told."""

    @property
    def done_at(self) -> datetime | None:
        """When the session was done."""


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name. Raises MendData for one that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MendData(f"{name!r} is no time zone; write it as in Asia/Shanghai.") from error


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day on the patient's wall clock."""
    return at.astimezone(zone).date()


def moment(day: date, local: time, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which the patient's clock shows this time on this day."""
    return datetime.combine(day, local.replace(fold=0), tzinfo=zone).astimezone(UTC)


def in_force(tasks: Iterable[Task], day: date) -> tuple[Task, ...]:
    """The tasks that ask for something on this day; a block stands in for others of its session."""
    covering = [each for each in tasks if each.covers(day)]
    blocked = {each.session for each in covering if each.is_block}
    return tuple(each for each in covering if each.is_block or each.session not in blocked)


def dues(tasks: Iterable[Task], *, day: date, zone: ZoneInfo) -> tuple[Due, ...]:
    """The sessions of one local day, in order of time, each moment of a task once."""
    found: dict[tuple[int, datetime], Due] = {}
    for place, task in enumerate(in_force(tasks, day)):
        if day.isoweekday() not in task.schedule.weekdays:
            continue
        for local in task.schedule.times:
            at = moment(day, local, zone)
            # two times that a clock change makes one moment are one session
            found.setdefault((place, at), Due(task=task, at=at, local=local))
    return tuple(sorted(found.values(), key=lambda each: each.at))


def dues_of_days(
    tasks: Iterable[Task], *, first: date, last: date, zone: ZoneInfo
) -> tuple[Due, ...]:
    """The sessions of the local days from `first` to `last`, both included."""
    standing = tuple(tasks)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return tuple(each for day in days for each in dues(standing, day=day, zone=zone))


def is_to_be_told(reminder: Remindable, now: datetime) -> bool:
    """Is the session due, not yet done, not yet told, and not too long past?"""
    return (
        reminder.told_at is None
        and reminder.done_at is None
        and reminder.due_at <= now < reminder.due_at + WINDOW
    )


def outside_the_night(now: datetime, zone: ZoneInfo) -> datetime:
    """Now, or the end of the patient's night."""
    there = now.astimezone(zone)
    if QUIET_UNTIL <= there.time() < QUIET_FROM:
        return now
    morning = there.date() + timedelta(days=1 if there.time() >= QUIET_FROM else 0)
    return moment(morning, QUIET_UNTIL, zone)
