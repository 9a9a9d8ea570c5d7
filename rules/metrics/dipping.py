"""How far blood pressure falls in sleep: the dip of a night against its day, and its class.

May hold: this ratio and its classes. May not: which readings are of the night (the device's own
mark, or the plan's hours, say so).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# fractions of the day's mean; Ohkubo 1997, O'Brien 1988 (a dipper falls by at least a tenth), and
# R package bp. Exactly 0 is reverse, exactly 0.1 and 0.2 are a dipper's.
REVERSE_TO, DIPPER_FROM, EXTREME_ABOVE = 0.0, 0.1, 0.2


class DipClass(StrEnum):
    """The class of a dip; the words are those of R package bp."""

    REVERSE = "reverse"
    NON_DIPPER = "non-dipper"
    DIPPER = "dipper"
    EXTREME = "extreme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dip:
    """One day and night. `dip` = 1 - night mean / day mean; NaN and no class without both."""

    n_day: int
    n_night: int
    day: float
    night: float
    dip: float
    dip_class: DipClass | None


def dip(day: Sequence[float], night: Sequence[float]) -> Dip:
    """The dip of one pressure (mmHg): 120 by day and 102 by night is 0.15, a dipper."""
    day_mean = math.fsum(day) / len(day) if len(day) else math.nan
    night_mean = math.fsum(night) / len(night) if len(night) else math.nan
    fall = 1 - night_mean / day_mean
    return Dip(
        n_day=len(day),
        n_night=len(night),
        day=day_mean,
        night=night_mean,
        dip=fall,
        dip_class=None if math.isnan(fall) else dip_class(fall),
    )


def dip_class(fall: float) -> DipClass:
    """The class of a dip given as a fraction of the day's mean."""
    if fall <= REVERSE_TO:
        return DipClass.REVERSE
    if fall < DIPPER_FROM:
        return DipClass.NON_DIPPER
    return DipClass.DIPPER if fall <= EXTREME_ABOVE else DipClass.EXTREME
