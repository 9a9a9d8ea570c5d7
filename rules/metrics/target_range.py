"""Time in target range: for how much of the time the pressure lay between two limits.

Between two days the pressure is taken to move in a straight line (Rosendaal 1993, as SPRINT's time
in target range does); across more than fourteen days nothing is assumed. May hold: this
arithmetic. May not: which range a patient has.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

# mmHg, systolic at home; engineering choice after Kailuan 110-140 and SPRINT 110-130, a doctor may
# set another. Unconfirmed.
HOME_RANGE = (110.0, 135.0)
# days between two points beyond which no line is drawn; engineering choice, unconfirmed
MAX_GAP_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInTarget:
    """Per cent of the days that lines cover; `breaks` are gaps too long for one. NaN without."""

    percent: float
    days: int
    breaks: int
    low: float
    high: float


def time_in_target(
    days: Sequence[date], values: Sequence[float], *, low: float, high: float
) -> TimeInTarget:
    """Time in target of day means, limits included.

    120 on Monday and 140 on Wednesday, range 110-135: in target for 1.5 of 2 days, 75 %.
    """
    order = np.argsort(np.asarray([each.toordinal() for each in days], dtype=np.int64))
    at = np.asarray([each.toordinal() for each in days], dtype=np.int64)[order]
    value = np.asarray(values, dtype=np.float64)[order]
    width = np.diff(at)
    joined = (width > 0) & (width <= MAX_GAP_DAYS)
    bottom = np.minimum(value[:-1], value[1:])
    top = np.maximum(value[:-1], value[1:])
    reach = top - bottom
    overlap = np.clip(np.minimum(top, high) - np.maximum(bottom, low), 0.0, None)
    flat = ((bottom >= low) & (bottom <= high)).astype(np.float64)
    inside = np.where(reach > 0, overlap / np.where(reach > 0, reach, 1.0), flat)
    covered = int(width[joined].sum())
    return TimeInTarget(
        percent=100 * float((inside * width)[joined].sum()) / covered if covered else math.nan,
        days=covered,
        breaks=int((width > MAX_GAP_DAYS).sum()),
        low=low,
        high=high,
    )
