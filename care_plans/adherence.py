"""How much of what was planned was measured: each session by itself, never more than all of it.

A reading belongs to the nearest session of its kind, at most two hours away; what is measured
besides fills no other session, so that three readings in the morning do not stand for the evening.
May hold: this matching and counting, pure. May not: praise, blame, clocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from care_plans.plan import Session
from care_plans.schedule import WINDOW, Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """That something was measured: the session it counts for, and when."""

    session: Session
    at: datetime


class State(StrEnum):
    """Where a session stands at a moment."""

    DONE = "done"
    PART = "part"
    DUE = "due"
    LATER = "later"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One planned session and the readings that it got, oldest first."""

    due: Due
    taken_at: tuple[datetime, ...] = ()

    @property
    def share(self) -> float:
        """How much of it was done, 0 to 1: one of two readings is a half."""
        return min(1.0, len(self.taken_at) / self.due.task.schedule.readings)

    def state(self, now: datetime) -> State:
        """Where it stands: part of it counts as *part* also when its time is over."""
        if self.share == 1:
            return State.DONE
        if self.taken_at:
            return State.PART
        if now < self.due.at:
            return State.LATER
        return State.DUE if now < self.due.at + WINDOW else State.MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """Sessions planned and done; `percent` counts a half session as half, None without a plan.

    `by_time` gives (planned, done) for each local time of day, "07:00".
    """

    planned: int
    done: int
    percent: float | None
    by_time: tuple[tuple[str, int, int], ...]


def matched(dues: Sequence[Due], taken: Iterable[Taken]) -> tuple[Slot, ...]:
    """Each planned session with its readings; a reading as near to two goes to the earlier one."""
    got: list[list[datetime]] = [[] for _ in dues]
    for reading in sorted(taken, key=lambda each: each.at):
        near = [
            (abs(reading.at - due.at), place)
            for place, due in enumerate(dues)
            if due.task.session is reading.session and abs(reading.at - due.at) <= WINDOW
        ]
        if near:
            got[min(near)[1]].append(reading.at)
    return tuple(Slot(due=due, taken_at=tuple(times)) for due, times in zip(dues, got, strict=True))


def adherence(slots: Iterable[Slot], *, now: datetime) -> Adherence:
    """What was planned and done until now; a session that may still be done is not yet counted."""
    counted = [each for each in slots if each.share == 1 or each.due.at + WINDOW <= now]
    times = sorted({_clock(each) for each in counted})
    return Adherence(
        planned=len(counted),
        done=sum(each.share == 1 for each in counted),
        percent=100 * sum(each.share for each in counted) / len(counted) if counted else None,
        by_time=tuple((each, *_count(counted, each)) for each in times),
    )


def _clock(slot: Slot) -> str:
    return slot.due.local.strftime("%H:%M")


def _count(slots: Iterable[Slot], clock: str) -> tuple[int, int]:
    here = [each for each in slots if _clock(each) == clock]
    return len(here), sum(each.share == 1 for each in here)
