"""Is a sparse, noisy home series rising? Theil-Sen slope with a Mann-Kendall test.

Both look at ranks, so one wild value moves neither. Where neighbouring days resemble each other,
the plain test finds trends that are not there; then the variance is corrected for it
(Hamed and Rao 1998). May hold: pure statistics on daily values. May not: thresholds of rules.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pymannkendall
from numpy.typing import NDArray
from scipy.stats import theilslopes

# lag-1 autocorrelation beyond which the correction is used; engineering choice, unconfirmed
AUTOCORRELATED = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Slope in units a day with its 95 % interval, and the Mann-Kendall p (two-sided)."""

    n: int
    slope_per_day: float
    low: float
    high: float
    p: float


def slope(days: Sequence[float], values: Sequence[float]) -> float:
    """The Theil-Sen slope: the median of the slopes between all pairs of days."""
    return _slope(np.asarray(days, dtype=np.float64), np.asarray(values, dtype=np.float64))


def trend(days: Sequence[float], values: Sequence[float]) -> Trend:
    """Slope, interval and p of daily values (at least three, in order of time)."""
    found = theilslopes(values, days, 0.95)
    return Trend(
        n=len(values),
        slope_per_day=float(found.slope),
        low=float(found.low_slope),
        high=float(found.high_slope),
        p=mann_kendall_p(values),
    )


def mann_kendall_p(values: Sequence[float]) -> float:
    """The two-sided p that the order of the values is chance; 1.0 where all are equal."""
    series = np.asarray(values, dtype=np.float64)
    if len(series) < 3 or np.ptp(series) == 0:
        return 1.0
    plain = float(pymannkendall.original_test(series).p)
    if autocorrelation(series) <= AUTOCORRELATED:
        return plain
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        corrected = float(pymannkendall.hamed_rao_modification_test(series).p)
    # a perfect line leaves no residuals to correct with; a correction never makes surer
    return max(plain, corrected) if np.isfinite(corrected) else plain


def autocorrelation(series: NDArray[np.float64]) -> float:
    """The lag-1 autocorrelation of the values about their mean."""
    centred = series - series.mean()
    total = float((centred**2).sum())
    return float((centred[1:] * centred[:-1]).sum()) / total if total else 0.0


def _slope(days: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    first, second = np.triu_indices(len(days), k=1)
    runs = days[second] - days[first]
    kept = runs > 0
    return float(np.median((values[second] - values[first])[kept] / runs[kept]))
