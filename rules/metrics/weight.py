"""Weight by the day, and how much it changed over some days.

May hold: this arithmetic in kg. May not: which change is too much (rule packs), a body's make-up.
"""

import math
from dataclasses import dataclass

import numpy as np

from rules.metrics.local_time import Times
from rules.metrics.series import Floats

# kg within a day: another person stood on the scale (clinical reference §1.10)
OTHER_PERSON_KG = 8.0
# days by which the earlier weight may be older than asked; engineering choice, unconfirmed
_SLACK_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightChange:
    """From the day about `days` before the newest to the newest. NaN without such a day.

    `from_day` and `to_day` are local day numbers; `percent` is of the earlier weight.
    """

    days: int
    from_day: int | None
    to_day: int | None
    from_kg: float
    to_kg: float
    kg: float
    percent: float


def daily(day_numbers: Times, kg: Floats) -> tuple[Times, Floats]:
    """Days in order, each with the median of its weighings."""
    days, place = np.unique(day_numbers, return_inverse=True)
    order = np.lexsort((kg, place))
    ranked, n = kg[order], np.bincount(place, minlength=len(days))
    first = np.cumsum(n) - n
    if not len(days):
        return days, kg
    medians: Floats = (ranked[first + (n - 1) // 2] + ranked[first + n // 2]) / 2
    return days, medians


def change(day_numbers: Times, kg: Floats, *, over_days: int) -> WeightChange:
    """The change over some days: newest daily median minus the one `over_days` before it.

    Without a weighing on that day, the newest of the three days before it is taken; with none
    there, there is no change to tell. 80.0 on Monday and 82.1 on Thursday: +2.1 kg in 3 days.
    """
    days, medians = daily(day_numbers, kg)
    if not len(days):
        return _unknown(over_days)
    wanted = int(days[-1]) - over_days
    place = int(np.searchsorted(days, wanted, side="right")) - 1
    if place < 0 or int(days[place]) < wanted - _SLACK_DAYS:
        return _unknown(over_days)
    before, after = float(medians[place]), float(medians[-1])
    return WeightChange(
        days=over_days,
        from_day=int(days[place]),
        to_day=int(days[-1]),
        from_kg=before,
        to_kg=after,
        kg=after - before,
        percent=100 * (after - before) / before,
    )


def other_person_days(day_numbers: Times, kg: Floats) -> tuple[int, ...]:
    """The days whose median lies more than 8 kg from that of the day before: ask who it was."""
    days, medians = daily(day_numbers, kg)
    jumped = (np.abs(np.diff(medians)) > OTHER_PERSON_KG) & (np.diff(days) <= 1)
    return tuple(int(each) for each in days[1:][jumped])


def _unknown(over_days: int) -> WeightChange:
    return WeightChange(
        days=over_days,
        from_day=None,
        to_day=None,
        from_kg=math.nan,
        to_kg=math.nan,
        kg=math.nan,
        percent=math.nan,
    )
