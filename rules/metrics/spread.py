"""Mean and variability of a series of numbers in order of time, of whatever they are.

May hold: this noun and its arithmetic. May not: units, thresholds (there is no accepted cut-off for
the variability of blood pressure: clinical check 5.11).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """n, mean, SD (n - 1), CV in per cent, ARV and SV of a series; NaN where undefined."""

    n: int
    mean: float
    sd: float
    cv: float
    arv: float
    sv: float


def spread(values: Sequence[float] | NDArray[np.float64]) -> Spread:
    """Mean and variability of values in order of time.

    ARV is the mean absolute difference of successive values (Mena 2005; R package bp), SV the root
    of their mean square. 120, 130, 126: ARV = (10 + 4) / 2 = 7, SV = sqrt((100 + 16) / 2) = 7.6.
    """
    series = np.asarray(values, dtype=np.float64)
    n = len(series)
    mean = float(series.mean()) if n else math.nan
    if n < 2:
        return Spread(n=n, mean=mean, sd=math.nan, cv=math.nan, arv=math.nan, sv=math.nan)
    sd, steps = float(series.std(ddof=1)), np.diff(series)
    return Spread(
        n=n,
        mean=mean,
        sd=sd,
        cv=100 * sd / mean,
        arv=float(np.abs(steps).mean()),
        sv=math.sqrt(float((steps**2).mean())),
    )
