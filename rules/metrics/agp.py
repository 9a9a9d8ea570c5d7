"""The ambulatory glucose profile: percentiles of each quarter of an hour over all days.

Numbers are stored as they are; a drawing may smooth them. By the wall clock: on a day of 25 hours
the hour that comes twice falls into its own quarters twice, on one of 23 hours they stay empty.
Five percentiles as in R iglu's AGP after Johnson 2019. May hold: the profile. May not: drawing.
"""

from dataclasses import dataclass

import numpy as np

from rules.metrics.local_time import NS_PER_DAY, NS_PER_MIN, Times, local_ns
from rules.metrics.series import Floats, Series, as_ranks
from vitals.units import Unit

# minutes of one part of the day; 96 parts. Engineering choice (three readings of a 5-minute sensor)
PART_MIN = 15
_PARTS = 1440 // PART_MIN
PERCENTILES = (5, 25, 50, 75, 95)
# days with data below which a part is greyed out; engineering choice, unconfirmed
ENOUGH_DAYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the day, beginning at local `minute`; `percentiles` as in PERCENTILES.

    A percentile is infinite where LO or HI stands at its place, and None without a reading.
    """

    minute: int
    n: int
    days: int
    percentiles: tuple[float, ...] | None

    @property
    def is_enough(self) -> bool:
        """Do enough days speak here to draw it in full?"""
        return self.days >= ENOUGH_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The 96 parts of a day, in `unit`."""

    unit: Unit
    parts: tuple[Part, ...]


def profile(series: Series) -> Profile:
    """The profile of a series over all its days."""
    there = local_ns(series.times_ns, series.zone)
    days, part = there // NS_PER_DAY, there % NS_PER_DAY // (PART_MIN * NS_PER_MIN)
    n = np.bincount(part, minlength=_PARTS)
    measured = np.unique(days * _PARTS + part) % _PARTS
    days_of = np.bincount(measured, minlength=_PARTS)
    shown = as_ranks(series.values, series.beyond)
    ranked = shown[np.lexsort((shown, part))]
    levels = np.stack([_percentile(ranked, n, level) for level in PERCENTILES], axis=1)
    return Profile(
        unit=series.unit,
        parts=tuple(
            Part(
                minute=place * PART_MIN,
                n=int(n[place]),
                days=int(days_of[place]),
                percentiles=tuple(levels[place].tolist()) if n[place] else None,
            )
            for place in range(_PARTS)
        ),
    )


def _percentile(ranked: Floats, n: Times, level: int) -> Floats:
    """One percentile of each part (type 7, the default of R and numpy); NaN where it is empty."""
    if not len(ranked):
        return np.full(len(n), np.nan)
    first, most = np.cumsum(n) - n, np.maximum(n - 1, 0)
    place = most * level / 100
    whole = np.floor(place).astype(np.int64)
    last = len(ranked) - 1
    lower = ranked[np.minimum(first + whole, last)]
    upper = ranked[np.minimum(first + np.minimum(whole + 1, most), last)]
    # from a number to an infinity there is no line: only the exact place of a rank is a number
    with np.errstate(invalid="ignore"):
        drawn: Floats = lower + (upper - lower) * (place - whole)
    found: Floats = np.where((lower == upper) | (place == whole), lower, drawn)
    return found
