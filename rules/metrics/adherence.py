"""Adherence in three senses: drug in the house (PDC), doses on time, planned measuring done.

May hold: these counts. May not: praise, blame, what to do about it; which reading belongs to which
planned session (the care plan says so).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from rules.metrics.local_time import NS_PER_MIN, Times
from rules.metrics.series import Mask

# per cent from which a patient is called adherent; PQA convention, unconfirmed
ADHERENT_PERCENT = 80.0
# minutes before and after its time in which a dose counts as on time (clinical reference §2.4)
ON_TIME_MIN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Drug handed out: on which day, for how many days."""

    day: date
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Of `due`, how many were kept; `percent` is NaN where nothing was due."""

    due: float
    kept: float

    @property
    def percent(self) -> float:
        """Per cent kept."""
        return 100 * self.kept / self.due if self.due else math.nan


def days_covered(supplies: Sequence[Supply], *, first_day: date, last_day: date) -> Kept:
    """The days of a window on which drug was in the house (PDC), both ends included.

    What is handed out before the last is used up is used after it, so that an early refill loses
    nothing; what reaches beyond the window counts for nothing.
    """
    first, last = first_day.toordinal(), last_day.toordinal()
    covered, runs_out = 0, 0
    for supply in sorted(supplies, key=lambda each: each.day):
        begin = max(supply.day.toordinal(), runs_out)
        runs_out = begin + supply.days
        covered += max(0, min(runs_out, last + 1) - max(begin, first))
    return Kept(due=max(0, last - first + 1), kept=covered)


def doses_on_time(due_ns: Times, taken_ns: Times, *, paused: Mask | None = None) -> Kept:
    """Doses confirmed within two hours of their time; doses paused by the doctor are not due.

    Each confirmation counts for one dose, the earliest that it fits: two taps at noon do not stand
    for the morning. All times are of one drug.
    """
    wanted = np.sort(due_ns if paused is None else due_ns[~paused])
    taken, window = np.sort(taken_ns), ON_TIME_MIN * NS_PER_MIN
    kept, place = 0, 0
    for due in wanted:
        while place < len(taken) and taken[place] < due - window:
            place += 1
        if place < len(taken) and taken[place] <= due + window:
            kept, place = kept + 1, place + 1
    return Kept(due=len(wanted), kept=kept)


def measuring(planned: NDArray[np.int64], done: NDArray[np.int64]) -> Kept:
    """Planned sessions done, each capped at the whole of itself; a half-done one is a half.

    `planned` and `done` are readings of each planned session: 2 of 2 and 4 of 2 are two sessions
    of two, not three.
    """
    there = planned > 0
    share = np.minimum(done[there] / planned[there], 1.0)
    return Kept(due=int(there.sum()), kept=float(share.sum()))
