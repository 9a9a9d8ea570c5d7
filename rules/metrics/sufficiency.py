"""Is a continuous series long and dense enough to speak of? Days, per cent of readings present.

May hold: this count and the gate. May not: what a report shows.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rules.metrics.local_time import NS_PER_DAY
from rules.metrics.series import Series, cadence_min, steps_min

# days and per cent; international consensus 2019 and ADA Standards of Care 2026 Table 6.2
FULL_DAYS, FULL_PERCENT = 14, 70.0
# days and per cent from which numbers are shown as preliminary; engineering choice, unconfirmed
SOME_DAYS, SOME_PERCENT = 7, 50.0
# a wear of 14 days has a first and a last day that are not whole; engineering choice
_TOLERANCE_DAYS = 0.5


class Standing(StrEnum):
    """What the numbers of a series may be used for."""

    FULL = "full"
    PRELIMINARY = "preliminary"
    EVENTS_ONLY = "events_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufficiency:
    """`days` from the first to the last reading; `active_percent` of the expected ones are there.

    `cadence_min` is None, and `active_percent` NaN, below two readings.
    """

    n: int
    days: float
    cadence_min: int | None
    active_percent: float
    longest_gap_min: float
    standing: Standing


def sufficiency(series: Series) -> Sufficiency:
    """How much of its time a series covers, by its usual step (as R iglu's active_percent)."""
    steps, cadence = steps_min(series), cadence_min(series)
    if cadence is None:
        return Sufficiency(
            n=len(series),
            days=0.0,
            cadence_min=None,
            active_percent=math.nan,
            longest_gap_min=math.nan,
            standing=Standing.EVENTS_ONLY,
        )
    days = float(series.times_ns[-1] - series.times_ns[0]) / NS_PER_DAY
    present = len(steps) + 1
    # a step of 10 minutes where 5 are usual: one reading is missing
    missing = float(np.maximum(np.round(steps / cadence) - 1, 0).sum())
    active = 100 * present / (present + missing)
    return Sufficiency(
        n=len(series),
        days=days,
        cadence_min=cadence,
        active_percent=active,
        longest_gap_min=float(steps.max()),
        standing=standing(days=days, active_percent=active),
    )


def standing(*, days: float, active_percent: float) -> Standing:
    """Full from 14 days and 70 %; preliminary from 7 days and 50 %; else events alone."""
    if days >= FULL_DAYS - _TOLERANCE_DAYS and active_percent >= FULL_PERCENT:
        return Standing.FULL
    if days >= SOME_DAYS - _TOLERANCE_DAYS and active_percent >= SOME_PERCENT:
        return Standing.PRELIMINARY
    return Standing.EVENTS_ONLY
