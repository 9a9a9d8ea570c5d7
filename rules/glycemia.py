"""Metrics of glucose, each in one place: continuous data, and finger-sticks by slot of the day.

The formulas of continuous data agree with R iglu 4.3.0 to 1e-6. Values are in the unit in which
they were measured; bands are compared in that unit with the published pair; formulas that
a guideline defines in mg/dL get values converted by `vitals.units`. From finger-sticks there is no
GMI and no time in range. May hold: pure arithmetic. May not: patients, alarms, words.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from vitals.errors import MendData
from vitals.measurement import Meal
from vitals.units import Unit, convert

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A cut-point as published in both units; neither is derived from the other."""

    mmol_per_l: float
    mg_per_dl: float

    def in_unit(self, unit: Unit) -> float:
        """The number for values of this unit. Raises MendData for a unit that is not glucose's."""
        if unit is Unit.MMOL_PER_L:
            return self.mmol_per_l
        if unit is Unit.MG_PER_DL:
            return self.mg_per_dl
        raise MendData(f"glucose cannot be in {unit}; accepted: mmol/L, mg/dL.")


# mmol/L, mg/dL; international consensus on time in range, Diabetes Care 2019;42:1593, table 2
VERY_LOW = Pair(mmol_per_l=3.0, mg_per_dl=54)
LOW = Pair(mmol_per_l=3.9, mg_per_dl=70)
HIGH = Pair(mmol_per_l=10.0, mg_per_dl=180)
VERY_HIGH = Pair(mmol_per_l=13.9, mg_per_dl=250)

# mg/dL at which the risk function is zero; Kovatchev 1997, as in R iglu
_RISK_ZERO_MG_PER_DL = 112.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Per cent of values in each band; the five add up to 100."""

    very_low: float
    low: float
    in_range: float
    high: float
    very_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Glycemia:
    """Metrics of continuous data: mean and SD in `unit`; CV, GMI, eA1c and shares in per cent."""

    unit: Unit
    n: int
    mean: float
    sd: float
    cv: float
    gmi: float
    ea1c: float
    bands: Bands
    lbgi: float
    hbgi: float
    gri: float
    j_index: float


def glycemia(values: Sequence[float], unit: Unit) -> Glycemia:
    """The metrics of continuous data. Raises MendData for no value; SD of one value is NaN."""
    if not len(values):
        raise MendData("No glucose values: nothing to compute; check the period and the column.")
    measured = np.asarray(values, dtype=np.float64)
    mg_per_dl = measured * convert(1.0, unit, Unit.MG_PER_DL)
    low_risk, high_risk = risk_indices(mg_per_dl)
    mean, sd = float(measured.mean()), standard_deviation(measured)
    mean_mg, sd_mg = float(mg_per_dl.mean()), standard_deviation(mg_per_dl)
    share = bands(measured, unit)
    return Glycemia(
        unit=unit,
        n=len(measured),
        mean=mean,
        sd=sd,
        cv=100 * sd / mean,
        gmi=gmi(mean_mg),
        ea1c=ea1c(mean_mg),
        bands=share,
        lbgi=low_risk,
        hbgi=high_risk,
        gri=gri(share),
        # Wojcicki 1995: 0.001 (mean + SD)^2 in mg/dL
        j_index=0.001 * (mean_mg + sd_mg) ** 2,
    )


def standard_deviation(values: Floats) -> float:
    """The sample standard deviation (n - 1); NaN for a single value, as in R."""
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def gmi(mean_mg_per_dl: float) -> float:
    """Glucose management indicator in per cent, from at least 70 % of 14 days; never an HbA1c.

    3.31 + 0.02392 * mean in mg/dL (Bergenstal, Diabetes Care 2018;41:2275). 154 mg/dL -> 6.99 %.
    """
    return 3.31 + 0.02392 * mean_mg_per_dl


def ea1c(mean_mg_per_dl: float) -> float:
    """Estimated A1c in per cent: (46.7 + mean in mg/dL) / 28.7 (ADAG, Diabetes Care 2008)."""
    return (46.7 + mean_mg_per_dl) / 28.7


def bands(values: Floats, unit: Unit) -> Bands:
    """Shares of readings by band: each reading counts once, as in iglu."""
    very_low = values < VERY_LOW.in_unit(unit)
    below = values < LOW.in_unit(unit)
    above = values > HIGH.in_unit(unit)
    very_high = values > VERY_HIGH.in_unit(unit)
    return Bands(
        very_low=_percent(very_low),
        low=_percent(below & ~very_low),
        in_range=_percent(~below & ~above),
        high=_percent(above & ~very_high),
        very_high=_percent(very_high),
    )


def risk_indices(mg_per_dl: Floats) -> tuple[float, float]:
    """LBGI and HBGI: mean squared risk below and above 112.5 mg/dL (Kovatchev; as in iglu)."""
    risk = np.log(mg_per_dl) ** 1.084 - 5.381
    low = np.where(mg_per_dl < _RISK_ZERO_MG_PER_DL, np.minimum(risk, 0.0), 0.0)
    high = np.where(mg_per_dl >= _RISK_ZERO_MG_PER_DL, np.maximum(risk, 0.0), 0.0)
    return 22.77 * float((low**2).mean()), 22.77 * float((high**2).mean())


def gri(share: Bands) -> float:
    """Glycemia risk index, 0-100 (Klonoff 2022): 3.0, 2.4, 1.6 and 0.8 times the outer bands."""
    return min(
        100.0,
        3.0 * share.very_low + 2.4 * share.low + 1.6 * share.very_high + 0.8 * share.high,
    )


class Slot(StrEnum):
    """A slot of the day for finger-sticks; the report's rows, in this order."""

    NIGHT = "night"
    FASTING = "fasting"
    AFTER_BREAKFAST = "after_breakfast"
    BEFORE_LUNCH = "before_lunch"
    AFTER_LUNCH = "after_lunch"
    BEFORE_DINNER = "before_dinner"
    AFTER_DINNER = "after_dinner"
    BEDTIME = "bedtime"
    UNMARKED = "unmarked"


# Local hours; engineering choice, unconfirmed: which meal a marked reading belongs to.
_LUNCH_FROM_H, _DINNER_FROM_H = 10.5, 15.5


def slot_of(meal: Meal | None, hour: float) -> Slot:
    """The slot of a finger-stick from its mark and the local hour (7.5 is half past seven).

    What the device did not mark is not guessed, but for the night hours (00-05), in which nobody
    eats: the report shows it as unmarked.
    """
    if meal is Meal.FASTING:
        return Slot.FASTING
    if meal is Meal.BEDTIME:
        return Slot.BEDTIME
    if meal is Meal.PREPRANDIAL:
        return _by_meal(hour, Slot.FASTING, Slot.BEFORE_LUNCH, Slot.BEFORE_DINNER)
    if meal is Meal.POSTPRANDIAL:
        return _by_meal(hour, Slot.AFTER_BREAKFAST, Slot.AFTER_LUNCH, Slot.AFTER_DINNER)
    return Slot.NIGHT if hour < 5 else Slot.UNMARKED


def _by_meal(hour: float, breakfast: Slot, lunch: Slot, dinner: Slot) -> Slot:
    # after lunch is measured two hours later than before it
    later = 1.5 if breakfast is Slot.AFTER_BREAKFAST else 0.0
    if hour < _LUNCH_FROM_H + later:
        return breakfast
    return lunch if hour < _DINNER_FROM_H + later else dinner


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """k of n with the Wilson interval, all as fractions of one."""

    k: int
    n: int
    low: float
    high: float


def wilson(k: int, n: int, confidence: float = 0.95) -> Share:
    """The share k of n with its Wilson score interval (Wilson 1927). 8 of 10: 0.490 to 0.943."""
    if n == 0:
        return Share(k=0, n=0, low=0.0, high=1.0)
    z = float(norm.ppf(0.5 + confidence / 2))
    p, spread = k / n, 1 + z * z / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Share(k=k, n=n, low=(middle - half) / spread, high=(middle + half) / spread)


def _percent(mask: NDArray[np.bool_]) -> float:
    return 100.0 * int(mask.sum()) / len(mask)
