"""A series of glucose values in order of time, and what a device said instead of a number.

A meter or sensor that shows LO or HI has measured: the value lies beyond what it can show. That is
a code here (`beyond`), never a number: bands and episodes count it, mean and spread leave it out,
and every result says how many there were. Who wants a number in its place says which
(`with_substitutes`). May hold: the series, its cadence and its weights. May not: thresholds.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rules.metrics.local_time import NS_PER_MIN, Times
from vitals.errors import MendData
from vitals.units import Unit, convert

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Mask = NDArray[np.bool_]

# minutes; readings further apart are a gap that nothing is interpolated across (R iglu, inter_gap)
GAP_MIN = 45
# readings whose median step tells the cadence of a stretch; engineering choice
_STRETCH = 24
# a stretch has another cadence when its step differs by this factor, and a series is mixed when
# such stretches hold this share of its time; engineering choices, unconfirmed
_OTHER_FACTOR, _OTHER_SHARE = 1.5, 0.05


class Beyond(IntEnum):
    """Where a value lies that the device could not show as a number."""

    BELOW = -1
    WITHIN = 0
    ABOVE = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """Values in `unit` by ascending time (ns since 1970 UTC); NaN where only a code was given.

    `repeated`: how many rows said again what another had said for the same moment. `zone` is where
    the person lives: it says what a day is.
    """

    times_ns: Times
    values: Floats
    beyond: Codes
    unit: Unit
    zone: str
    repeated: int = 0

    @property
    def numbers(self) -> Floats:
        """The values that are numbers, in order of time."""
        return self.values[~np.isnan(self.values)]

    @property
    def below(self) -> int:
        """How many readings were LO."""
        return int((self.beyond == Beyond.BELOW).sum())

    @property
    def above(self) -> int:
        """How many readings were HI."""
        return int((self.beyond == Beyond.ABOVE).sum())

    def __len__(self) -> int:
        return len(self.times_ns)


def series_of(
    times_ns: ArrayLike,
    values: ArrayLike,
    *,
    unit: Unit,
    zone: str,
    beyond: ArrayLike | None = None,
) -> Series:
    """The series of rows in any order; exact repeats of a row are dropped and counted.

    Different values for the same moment all stay. Raises MendData where the columns differ in
    length, or a value is no number and has no code either.
    """
    times = np.asarray(times_ns, dtype=np.int64)
    numbers = np.asarray(values, dtype=np.float64)
    codes = np.zeros(len(times)) if beyond is None else beyond
    marks = np.asarray(codes, dtype=np.int8)
    if not len(times) == len(numbers) == len(marks):
        raise MendData("times and values differ in number; give one value for each time.")
    numbers = np.where(marks == Beyond.WITHIN, numbers, np.nan)
    if np.any(~np.isfinite(numbers) & (marks == Beyond.WITHIN)):
        raise MendData("a value is not a number; leave its row out, or mark it as LO or HI.")
    order = np.lexsort((numbers, marks, times))
    times, numbers, marks = times[order], numbers[order], marks[order]
    same = np.zeros(len(times), dtype=np.bool_)
    same[1:] = (
        (np.diff(times) == 0)
        & (np.diff(marks) == 0)
        & ((np.diff(numbers) == 0) | (marks[1:] != Beyond.WITHIN))
    )
    return _frozen(
        Series(
            times_ns=times[~same],
            values=numbers[~same],
            beyond=marks[~same],
            unit=unit,
            zone=zone,
            repeated=int(same.sum()),
        )
    )


def with_substitutes(series: Series, *, low: float | None, high: float | None) -> Series:
    """The series with numbers in place of LO and HI, in its unit; the codes stay and are told.

    A sensor of 2.2-27.8 mmol/L may be given 2.2 and 27.8: the choice is the caller's.
    """
    values = series.values.copy()
    for code, number in ((Beyond.BELOW, low), (Beyond.ABOVE, high)):
        if number is not None:
            values[series.beyond == code] = number
    return _frozen(replace(series, values=values))


def in_mg_per_dl(series: Series) -> Floats:
    """The numbers in mg/dL, for formulas that are defined in it."""
    return series.numbers * convert(1.0, series.unit, Unit.MG_PER_DL)


def as_ranks(values: Floats, codes: Codes) -> Floats:
    """The values with LO as minus and HI as plus infinity where there is no number: their ranks."""
    ranks = values.copy()
    missing = np.isnan(values)
    ranks[missing & (codes == Beyond.BELOW)] = -np.inf
    ranks[missing & (codes == Beyond.ABOVE)] = np.inf
    return ranks


def by_moment(series: Series) -> tuple[Times, Floats, Codes]:
    """One row a moment: the mean of its numbers, else its code (a LO before a HI)."""
    if len(series) < 2 or not np.any(np.diff(series.times_ns) == 0):
        return series.times_ns, series.values, series.beyond
    times, first, place = np.unique(series.times_ns, return_index=True, return_inverse=True)
    is_number = ~np.isnan(series.values)
    counts = np.bincount(place[is_number], minlength=len(times))
    sums = np.bincount(place[is_number], series.values[is_number], minlength=len(times))
    with np.errstate(invalid="ignore"):
        values = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    codes = np.where(counts > 0, np.int8(Beyond.WITHIN), series.beyond[first]).astype(np.int8)
    return times, values, codes


def steps_min(series: Series) -> Floats:
    """Minutes between successive moments."""
    between = np.diff(series.times_ns)
    steps: Floats = between[between > 0] / NS_PER_MIN
    return steps


def cadence_min(series: Series) -> int | None:
    """The usual step in whole minutes, at least 1 (the median, as in R iglu); None below two."""
    steps = steps_min(series)
    return max(1, round(float(np.median(steps)))) if len(steps) else None


def is_mixed(series: Series) -> bool:
    """Does the series hold stretches of clearly different cadence (two sensors of two makers)?"""
    steps = steps_min(series)
    rows = len(steps) // _STRETCH
    if rows < 2:
        return False
    stretches = steps[: rows * _STRETCH].reshape(rows, _STRETCH)
    usual = np.median(stretches, axis=1)
    ratio = usual / float(np.median(steps))
    other = (ratio >= _OTHER_FACTOR) | (ratio <= 1 / _OTHER_FACTOR)
    time = np.minimum(stretches, GAP_MIN).sum(axis=1)
    return bool(time[other].sum() >= _OTHER_SHARE * time.sum())


def weights(series: Series) -> Floats | None:
    """What each reading counts: minutes until the next where the cadence is mixed, else None.

    None means that each counts as one, as in R iglu. The reading before a gap counts as the one
    before it; readings of one moment share its minutes.
    """
    if not is_mixed(series):
        return None
    times, place = np.unique(series.times_ns, return_inverse=True)
    to_next = np.append(np.diff(times) / NS_PER_MIN, np.inf)
    usual = float(cadence_min(series) or 1)
    from_before = np.append(usual, to_next[:-1])
    from_before = np.where(from_before <= GAP_MIN, from_before, usual)
    minutes = np.where(to_next <= GAP_MIN, to_next, from_before)
    shared: Floats = (minutes / np.bincount(place))[place]
    return shared


def _frozen(series: Series) -> Series:
    for each in (series.times_ns, series.values, series.beyond):
        each.flags.writeable = False
    return series
