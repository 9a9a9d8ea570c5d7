"""Resting heart rate: from a band's minutes of waking stillness, from a cuff, and of a night.

The three are different numbers and are never mixed: a cuff counts a seated pulse, a band's fifth
percentile lies lower. May hold: this arithmetic. May not: limits.
"""

from dataclasses import dataclass

import numpy as np

from rules.metrics.series import Floats, Mask

# percentile of awake, still minutes that is called resting; clinical reference §2.4, unconfirmed
RESTING_PERCENTILE = 5
# minutes below which a day has no resting rate; engineering choice, unconfirmed
ENOUGH_MIN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartRate:
    """Beats a minute; None where a day has too little of what the number needs."""

    resting: float | None
    night: float | None
    awake_min: int
    asleep_min: int


def heart_rate(bpm: Floats, *, is_still: Mask, is_asleep: Mask) -> HeartRate:
    """The resting and nightly rate of one day, of one value a minute.

    Resting is the fifth percentile of the minutes that are awake and still; nightly the mean of
    those asleep. Each needs an hour of them.
    """
    rest, sleep = bpm[is_still & ~is_asleep], bpm[is_asleep]
    return HeartRate(
        resting=float(np.percentile(rest, RESTING_PERCENTILE)) if _is_enough(rest) else None,
        night=float(sleep.mean()) if _is_enough(sleep) else None,
        awake_min=len(rest),
        asleep_min=len(sleep),
    )


def resting_of_cuff(pulses: Floats) -> float | None:
    """The mean of pulses counted by a cuff, seated and at rest; None without any."""
    return float(pulses.mean()) if len(pulses) else None


def _is_enough(minutes: Floats) -> bool:
    return len(minutes) >= ENOUGH_MIN
