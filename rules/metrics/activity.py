"""Steps by the day. A day of no step at all is a band that lay on the table, not a day in bed.

May hold: this arithmetic on daily totals. May not: goals' sizes, praise.
"""

import math
from dataclasses import dataclass

import numpy as np

from rules.metrics.local_time import Times
from rules.metrics.series import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Daily steps over the days worn; `unworn` days have a total of zero and enter no mean.

    `at_goal`: worn days with at least the goal, None without one. Means are NaN without a day.
    """

    days: int
    unworn: int
    mean: float
    median: float
    most: float
    at_goal: int | None


def steps(day_numbers: Times, totals: Floats, *, goal: float | None = None) -> Steps:
    """The steps of some days; of a day told twice the larger total counts (totals only grow)."""
    days, place = np.unique(day_numbers, return_inverse=True)
    of_day = np.zeros(len(days))
    np.maximum.at(of_day, place, totals)
    worn = of_day[of_day > 0]
    return Steps(
        days=len(worn),
        unworn=len(days) - len(worn),
        mean=float(worn.mean()) if len(worn) else math.nan,
        median=float(np.median(worn)) if len(worn) else math.nan,
        most=float(worn.max()) if len(worn) else math.nan,
        at_goal=None if goal is None else int((worn >= goal).sum()),
    )
