"""The bands of glucose: cut-points as published in both units, and the share of values in each.

A value is compared in the unit in which it was measured with the number published for that unit:
10.0 mmol/L is in range although 10.0 * 18.0156 is more than 180. May hold: the consensus pairs and
the shares. May not: a patient's own targets, other cut-points.
"""

from dataclasses import dataclass

import numpy as np

from rules.metrics.series import Beyond, Codes, Floats, Mask
from vitals.errors import MendData
from vitals.units import Unit


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
# mmol/L, mg/dL; time in tight range 3.9-7.8 (70-140), PMC10877396; shown only, no target
TIGHT_HIGH = Pair(mmol_per_l=7.8, mg_per_dl=140)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Per cent of values in each band; the five add up to 100."""

    very_low: float
    low: float
    in_range: float
    high: float
    very_high: float


def bands(
    values: Floats, unit: Unit, *, beyond: Codes | None = None, weight: Floats | None = None
) -> Bands:
    """Shares of readings by band; NaN without readings.

    Each reading counts once, as in R iglu, or as its `weight`. LO counts as very low and HI as very
    high: no meter's range begins above 54 or ends below 250 mg/dL.
    """
    at_least, at_most = np.full(len(values), False), np.full(len(values), False)
    if beyond is not None:
        at_least, at_most = beyond == Beyond.BELOW, beyond == Beyond.ABOVE
    very_low = (values < VERY_LOW.in_unit(unit)) | at_least
    below = (values < LOW.in_unit(unit)) | at_least
    above = (values > HIGH.in_unit(unit)) | at_most
    very_high = (values > VERY_HIGH.in_unit(unit)) | at_most
    return Bands(
        very_low=percent(very_low, weight),
        low=percent(below & ~very_low, weight),
        in_range=percent(~below & ~above, weight),
        high=percent(above & ~very_high, weight),
        very_high=percent(very_high, weight),
    )


def tight_range(
    values: Floats, unit: Unit, *, beyond: Codes | None = None, weight: Floats | None = None
) -> float:
    """Per cent of readings in 3.9-7.8 mmol/L (70-140 mg/dL), both ends included."""
    within = (values >= LOW.in_unit(unit)) & (values <= TIGHT_HIGH.in_unit(unit))
    if beyond is not None:
        within &= beyond == Beyond.WITHIN
    return percent(within, weight)


def percent(mask: Mask, weight: Floats | None = None) -> float:
    """Per cent of the readings, or of their weight; NaN without readings."""
    if not len(mask):
        return float("nan")
    if weight is None:
        return 100.0 * int(mask.sum()) / len(mask)
    return 100.0 * float(weight[mask].sum() / weight.sum())
