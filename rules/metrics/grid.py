"""A series on an even grid of time, as day-to-day differences, excursions and episodes need it.

Between two readings at most 45 minutes apart the line is drawn straight; across a longer gap there
is nothing (NaN). Next to a LO or HI nothing can be drawn: the grid takes the nearer reading, minus
or plus infinity where that is the code. The grid begins at the local midnight before the first
reading, so that the same person has the same grid whatever the file begins with. May hold: this
interpolation. May not: metrics.
"""

from dataclasses import dataclass

import numpy as np

from rules.metrics.local_time import NS_PER_DAY, NS_PER_MIN, Times, local_ns
from rules.metrics.series import (
    GAP_MIN,
    Beyond,
    Codes,
    Floats,
    Series,
    as_ranks,
    by_moment,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Values every `step_min` minutes from `first_ns` on; NaN in gaps, infinite beyond range."""

    first_ns: int
    step_min: int
    values: Floats

    def time_ns(self, place: int) -> int:
        """The moment of one grid point."""
        return self.first_ns + place * self.step_min * NS_PER_MIN

    @property
    def numbers(self) -> Floats:
        """The values with NaN also where a reading was beyond the device's range."""
        return np.where(np.isfinite(self.values), self.values, np.nan)


def grid(series: Series, step_min: int) -> Grid:
    """The series every `step_min` minutes, from its first to its last reading."""
    times, values, codes = by_moment(series)
    if not len(times):
        return Grid(first_ns=0, step_min=step_min, values=np.empty(0))
    step_ns = step_min * NS_PER_MIN
    begin = _midnight_ns(times, series.zone)
    first = -(-(int(times[0]) - begin) // step_ns)
    last = (int(times[-1]) - begin) // step_ns
    ticks = begin + np.arange(first, last + 1, dtype=np.int64) * step_ns
    return Grid(
        first_ns=begin + first * step_ns,
        step_min=step_min,
        values=_drawn(times, values, codes, ticks),
    )


def _midnight_ns(times: Times, zone: str) -> int:
    first = times[:1]
    there = local_ns(first, zone)
    return int(first[0] - there[0] % NS_PER_DAY)


def _drawn(times: Times, values: Floats, codes: Codes, ticks: Times) -> Floats:
    after = np.searchsorted(times, ticks, side="left")
    before = np.searchsorted(times, ticks, side="right") - 1
    width = times[after] - times[before]
    passed = ticks - times[before]
    share = np.divide(passed, width, out=np.zeros(len(ticks)), where=width > 0)
    drawn: Floats = values[before] + (values[after] - values[before]) * share
    if np.any(codes != Beyond.WITHIN):
        shown = as_ranks(values, codes)
        beside = np.isnan(drawn)
        nearer = np.where(share <= 0.5, before, after)
        drawn[beside] = shown[nearer[beside]]
    drawn[width > GAP_MIN * NS_PER_MIN] = np.nan
    return drawn
