"""Metrics of continuous glucose: what one pass over the readings gives.

The formulas agree with R iglu 4.3.0 to 1e-6. Values are in the unit in which they were measured;
formulas that a guideline defines in mg/dL get values converted by `vitals.units`. Finger-sticks
have neither GMI nor time in range: they go to `smbg.py`. May hold: these formulas, and the record
of all metrics of a series. May not: patients, alarms, words.
"""

import math
from dataclasses import dataclass

import numpy as np

from rules.metrics.glucose_band import Bands, bands, tight_range
from rules.metrics.glucose_episodes import GlucoseEpisodes, episodes
from rules.metrics.grid import Grid, grid
from rules.metrics.series import Floats, Series, cadence_min, in_mg_per_dl, weights
from rules.metrics.sufficiency import Sufficiency, sufficiency
from rules.metrics.variability import MAGE_STEP_MIN, mage, modd
from vitals.units import Unit

# mg/dL at which the risk function is zero; Kovatchev 1997, as in R iglu
_RISK_ZERO_MG_PER_DL = 112.5

_NOTHING = Grid(first_ns=0, step_min=MAGE_STEP_MIN, values=np.empty(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Glycemia:
    """Mean, SD, median and quartiles in `unit`; CV, GMI, eA1c and shares in per cent.

    `n` counts every reading, `n_below` and `n_above` those that were LO or HI: they are in the
    bands (and so in GRI), in nothing else unless they were given substitutes. `by_time`: readings
    count by the minutes they stand for, because the cadence is mixed. What cannot be is NaN.
    """

    unit: Unit
    n: int
    n_below: int
    n_above: int
    repeated: int
    by_time: bool
    mean: float
    sd: float
    cv: float
    median: float
    quartiles: tuple[float, float]
    gmi: float
    ea1c: float
    bands: Bands
    tight_range: float
    lbgi: float
    hbgi: float
    gri: float
    j_index: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgm:
    """All metrics of one person's continuous series. `modd` and `mage` are in `glycemia.unit`."""

    glycemia: Glycemia
    sufficiency: Sufficiency
    modd: float
    mage: float
    episodes: GlucoseEpisodes


def cgm(series: Series) -> Cgm:
    """Every metric of a continuous series; NaN for what its readings cannot tell.

    A single reading has no step, so no grid: it makes no episode.
    """
    step = cadence_min(series)
    even = grid(series, step) if step else _NOTHING
    fine = even if step in (None, MAGE_STEP_MIN) else grid(series, MAGE_STEP_MIN)
    return Cgm(
        glycemia=glycemia(series),
        sufficiency=sufficiency(series),
        modd=modd(even),
        mage=mage(fine),
        episodes=episodes(even, series.unit),
    )


def glycemia(series: Series) -> Glycemia:
    """The metrics that need no order of the readings; the SD of one value is NaN, as in R."""
    weight = weights(series)
    is_number = ~np.isnan(series.values)
    numbers, mg_per_dl = series.numbers, in_mg_per_dl(series)
    weight_of_numbers = None if weight is None else weight[is_number]
    mean, sd = _mean_sd(numbers, weight_of_numbers)
    mean_mg, sd_mg = _mean_sd(mg_per_dl, weight_of_numbers)
    share = bands(series.values, series.unit, beyond=series.beyond, weight=weight)
    low_risk, high_risk = risk_indices(mg_per_dl, weight_of_numbers)
    lower, median, upper = _quartiles(numbers)
    return Glycemia(
        unit=series.unit,
        n=len(series),
        n_below=series.below,
        n_above=series.above,
        repeated=series.repeated,
        by_time=weight is not None,
        mean=mean,
        sd=sd,
        cv=100 * sd / mean,
        median=median,
        quartiles=(lower, upper),
        gmi=gmi(mean_mg),
        ea1c=ea1c(mean_mg),
        bands=share,
        tight_range=tight_range(series.values, series.unit, beyond=series.beyond, weight=weight),
        lbgi=low_risk,
        hbgi=high_risk,
        gri=gri(share),
        # Wojcicki 1995: 0.001 (mean + SD)^2 in mg/dL
        j_index=0.001 * (mean_mg + sd_mg) ** 2,
    )


def gmi(mean_mg_per_dl: float) -> float:
    """Glucose management indicator in per cent, from at least 70 % of 14 days; never an HbA1c.

    3.31 + 0.02392 * mean in mg/dL (Bergenstal, Diabetes Care 2018;41:2275). 154 mg/dL -> 6.99 %.
    """
    return 3.31 + 0.02392 * mean_mg_per_dl


def ea1c(mean_mg_per_dl: float) -> float:
    """Estimated A1c in per cent: (46.7 + mean in mg/dL) / 28.7 (ADAG, Diabetes Care 2008)."""
    return (46.7 + mean_mg_per_dl) / 28.7


def risk_indices(mg_per_dl: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """LBGI and HBGI: mean squared risk below and above 112.5 mg/dL (Kovatchev; as in iglu).

    NaN without values. LBGI to 1.1 is minimal, to 2.5 low, to 5 moderate, above high risk; HBGI to
    4.5 is low, to 9 moderate, above high (clinical check 8.1, 8.2).
    """
    if not len(mg_per_dl):
        return math.nan, math.nan
    # a value below 1 mg/dL has no logarithm to this power; no device says one
    risk = np.log(np.maximum(mg_per_dl, 1.0)) ** 1.084 - 5.381
    is_low = mg_per_dl < _RISK_ZERO_MG_PER_DL
    low = np.where(is_low, np.minimum(risk, 0.0), 0.0) ** 2
    high = np.where(is_low, 0.0, np.maximum(risk, 0.0)) ** 2
    return (
        22.77 * float(np.average(low, weights=weight)),
        22.77 * float(np.average(high, weights=weight)),
    )


def gri(share: Bands) -> float:
    """Glycemia risk index, 0-100 (Klonoff 2022): 3.0, 2.4, 1.6 and 0.8 times the outer bands."""
    return min(
        100.0,
        3.0 * share.very_low + 2.4 * share.low + 1.6 * share.very_high + 0.8 * share.high,
    )


def _mean_sd(values: Floats, weight: Floats | None) -> tuple[float, float]:
    """Mean and sample SD (n - 1), weighted where weights are given; NaN where undefined."""
    n = len(values)
    if not n:
        return math.nan, math.nan
    mean = float(np.average(values, weights=weight))
    if n == 1:
        return mean, math.nan
    if weight is None:
        return mean, float(values.std(ddof=1))
    spread = float(np.average((values - mean) ** 2, weights=weight))
    return mean, math.sqrt(spread * n / (n - 1))


def _quartiles(values: Floats) -> tuple[float, float, float]:
    if not len(values):
        return math.nan, math.nan, math.nan
    lower, median, upper = np.quantile(values, (0.25, 0.5, 0.75))
    return float(lower), float(median), float(upper)
