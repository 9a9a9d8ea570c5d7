"""What belongs together: marks along time become episodes, with hysteresis.

Each reading (or day) is a mark: *firing*, *clear*, or between the two. An episode begins with a
firing mark, holds through marks between, and ends with a clear one; a long gap ends it too. This is
how an alarm neither flickers at its threshold nor outlives the trouble. May hold: this logic. May
not: values and thresholds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Level(Enum):
    """Where a mark stands."""

    FIRING = "firing"
    BETWEEN = "between"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(Generic[T]):
    """One moment, where it stands, and what was seen.

    `since`: when what makes this one mark began (the first reading of a sitting, of a day), where
    `at` is its newest: an episode keeps its beginning while its first mark still grows.
    """

    at: datetime
    level: Level
    seen: T
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode(Generic[T]):
    """Firing marks in a row. `ended_by` is the clear mark, or the mark after a gap."""

    firing: tuple[Mark[T], ...]
    ended_by: Mark[T] | None

    @property
    def started_at(self) -> datetime:
        """The moment at which the first firing mark began."""
        return self.firing[0].since or self.firing[0].at

    @property
    def at(self) -> datetime:
        """The moment of the newest firing mark."""
        return self.firing[-1].at


def episodes(
    marks: Iterable[Mark[T]], *, gap: timedelta | None = None, after: int = 1
) -> list[Episode[T]]:
    """The episodes among marks in order of time.

    `gap`: two firing marks farther apart are two episodes. `after`: so many firing marks without a
    clear one between are needed before an episode begins (with the last of them).
    """
    found: list[Episode[T]] = []
    firing: list[Mark[T]] = []
    run = 0
    for mark in marks:
        if firing and gap is not None and mark.at - firing[-1].at > gap:
            found.append(Episode(firing=tuple(firing), ended_by=mark))
            firing = []
        if mark.level is Level.FIRING:
            run += 1
            if not firing and found and found[-1].at == mark.at:
                # at one and the same moment it was over and is back: two episodes that begin
                # together would have one name
                firing = list(found.pop().firing)
            if firing or run >= after:
                firing.append(mark)
        elif mark.level is Level.CLEAR:
            run = 0
            if firing:
                found.append(Episode(firing=tuple(firing), ended_by=mark))
                firing = []
    if firing:
        found.append(Episode(firing=tuple(firing), ended_by=None))
    return found
