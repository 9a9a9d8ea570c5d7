"""How glucose swings: between the same time of two days (MODD), and between peaks (MAGE).

Both need an even grid. MAGE depends on its algorithm, which is the one of Fernandes et al. 2022
(J Diabetes Sci Technol, short and long moving averages): shown with that name, no alarm rests on
it. May hold: these two. May not: what needs no order of time (`cgm.py`).
"""

import math

import numpy as np
from numpy.typing import NDArray

from rules.metrics.grid import Grid
from rules.metrics.series import Floats

_MIN_PER_DAY = 1440
# minutes; the grid that the moving averages need (R iglu, mage)
MAGE_STEP_MIN = 5
# grid points of the short and the long moving average (Fernandes 2022, recommended)
_SHORT, _LONG = 5, 32
# share of the largest value by which two averages differ only in their arithmetic
_EQUAL = 1e-12
# minutes; a longer gap parts a series into pieces of their own (R iglu, max_gap)
_PART_MIN = 180


def modd(even: Grid) -> float:
    """Mean absolute difference to 24 hours before, in the grid's unit; NaN below a day's length.

    On a day of 23 or 25 hours the 24 hours before are still 24 hours. Service and Nelson 1980.
    """
    values, a_day = even.numbers, _MIN_PER_DAY // even.step_min
    if len(values) <= a_day:
        return math.nan
    differences = np.abs(values[a_day:] - values[:-a_day])
    there = differences[~np.isnan(differences)]
    return float(there.mean()) if len(there) else math.nan


def mage(even: Grid) -> float:
    """Mean amplitude of excursions of at least one SD, in the grid's unit; NaN without any.

    The grid has steps of MAGE_STEP_MIN. The mean rise and the mean fall of each piece without a gap
    of three hours, each weighted by the length of its piece; a piece shorter than the long average
    (2 h 40 min) has none. Service 1970, by the algorithm of Fernandes 2022.
    """
    found = [
        (height, len(piece) - 1)
        for piece in _pieces(even.numbers)
        for height in _mean_heights(piece)
    ]
    if not found:
        return math.nan
    return math.fsum(height * length for height, length in found) / sum(n for _, n in found)


def _pieces(values: Floats) -> list[Floats]:
    """The stretches of the grid between gaps of three hours, each from value to value."""
    there = np.flatnonzero(~np.isnan(values))
    if not len(there):
        return []
    apart = (np.diff(there) - 1) * MAGE_STEP_MIN >= _PART_MIN
    firsts = there[np.concatenate(([True], apart))]
    lasts = there[np.concatenate((apart, [True]))]
    return [values[first : last + 1] for first, last in zip(firsts, lasts, strict=True)]


def _mean_heights(values: Floats) -> list[float]:
    """MAGE+ and MAGE- of one piece, those of the two that there are."""
    there = np.flatnonzero(~np.isnan(values))
    if len(there) < _LONG:
        return []
    sd = float(values[there].std(ddof=1))
    if sd <= 0:
        # a flat line has no excursion, not endless ones of nothing
        return []
    turns = _turning_points(values, there)
    return [
        math.fsum(heights) / len(heights)
        for heights in (_rises(turns, sd), _rises([-each for each in turns], sd))
        if heights
    ]


def _turning_points(values: Floats, there: NDArray[np.intp]) -> list[float]:
    """Lows and highs in turn: the extreme of each stretch between two crosses of the averages.

    Where the short average runs below the long one there is a low, above it a high. A stretch is
    searched from the turn before it on, since an average lags behind its peak.
    """
    apart = (_average(values, _SHORT) - _average(values, _LONG))[there]
    # equal averages differ in their last bits, and differently in the other unit
    above = np.where(np.abs(apart) > _EQUAL * np.abs(values[there]).max(), np.sign(apart), 0)
    known = np.flatnonzero(above)
    if not len(known):
        return []
    crosses = known[1:][np.diff(above[known]) != 0]
    numbers, is_high = values[there], above[known[0]] > 0
    turns, begin = [], 0
    for end in (*crosses.tolist(), len(numbers) - 1):
        stretch = numbers[begin : end + 1]
        place = int(stretch.argmax() if is_high else stretch.argmin())
        turns.append(float(stretch[place]))
        begin, is_high = begin + place, not is_high
    return turns


def _average(values: Floats, width: int) -> Floats:
    """The mean of the last `width` points, missing ones left out; the first is carried back."""
    there = ~np.isnan(values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(there, values, 0.0))))
    counts = np.concatenate(([0], np.cumsum(there)))
    n = counts[width:] - counts[:-width]
    means = np.full(len(values), np.nan)
    np.divide(sums[width:] - sums[:-width], n, out=means[width - 1 :], where=n > 0)
    means[: width - 1] = means[width - 1]
    return means


def _rises(turns: list[float], sd: float) -> list[float]:
    """The heights of rises of at least one SD, each ended by a fall of one SD or the end."""
    heights: list[float] = []
    begin = at = 0
    while at < len(turns):
        bottom = min(turns[begin : at + 1])
        if turns[at] - bottom < sd:
            at += 1
            continue
        peak = turns[at]
        while at < len(turns) and peak - turns[at] < sd:
            peak = max(peak, turns[at])
            at += 1
        heights.append(peak - bottom)
        begin = at
    return heights
