"""Sleep by the night: how long, how much of the time in bed, how regular the bedtime.

Stages are told as the device told them, without a claim. May hold: this arithmetic. May not: what
is enough sleep.
"""

import math
from dataclasses import dataclass

import numpy as np

from rules.metrics.local_time import NS_PER_DAY, NS_PER_MIN, Times, local_ns
from rules.metrics.series import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Means over nights. Minutes, per cent, and minutes after local midnight (negative before).

    `efficiency_percent` is all minutes asleep of all minutes in bed. `bedtime_sd_min` needs two
    nights. NaN where no night tells it.
    """

    nights: int
    repeated: int
    asleep_min: float
    efficiency_percent: float
    bedtime_min: float
    midpoint_min: float
    bedtime_sd_min: float


def sleep(begun_ns: Times, ended_ns: Times, asleep_min: Floats, zone: str) -> Sleep:
    """The sleep of some nights: in bed from, until, minutes asleep. Exact repeats are dropped."""
    rows = np.stack((begun_ns, ended_ns, np.asarray(asleep_min * NS_PER_MIN, dtype=np.int64)))
    nights = np.unique(rows, axis=1)
    begun, ended, asleep = nights[0], nights[1], nights[2] / NS_PER_MIN
    n = len(begun)
    bed = float((ended - begun).sum()) / NS_PER_MIN
    bedtimes = _about_midnight(local_ns(begun, zone))
    midpoints = _about_midnight(local_ns(begun + (ended - begun) // 2, zone))
    return Sleep(
        nights=n,
        repeated=rows.shape[1] - n,
        asleep_min=float(asleep.mean()) if n else math.nan,
        efficiency_percent=100 * float(asleep.sum()) / bed if bed else math.nan,
        bedtime_min=float(bedtimes.mean()) if n else math.nan,
        midpoint_min=float(midpoints.mean()) if n else math.nan,
        bedtime_sd_min=float(bedtimes.std(ddof=1)) if n > 1 else math.nan,
    )


def _about_midnight(there_ns: Times) -> Floats:
    """Minutes from the nearest midnight: 23:30 is -30 and 00:30 is 30, so that they can be meaned.

    Noon parts the days: who sleeps by day stands far from midnight, with the sign of the hour.
    """
    half = NS_PER_DAY // 2
    minutes: Floats = ((there_ns + half) % NS_PER_DAY - half) / NS_PER_MIN
    return minutes
