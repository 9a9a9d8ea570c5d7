"""Chance that can be repeated: numbers that depend on a seed and on what they are for, alone.

The same seed, day and purpose give the same number on every machine and in whatever order they are
asked for, so a story can be told in steps of any length. Pure: no generator, no state. May hold:
these numbers. May not: clocks, stories.
"""

import math
from hashlib import blake2b
from statistics import NormalDist

_STANDARD = NormalDist()


def uniform(seed: str, *purpose: object) -> float:
    """A number between 0 and 1, never either."""
    text = "|".join((seed, *map(str, purpose)))
    digest = blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64


def normal(seed: str, *purpose: object) -> float:
    """A number of the standard normal distribution, never beyond ±3."""
    return max(-3.0, min(3.0, _STANDARD.inv_cdf(uniform(seed, *purpose))))


def wave(days: float, period_days: float, phase: float = 0.0) -> float:
    """A slow swing between -1 and 1, as of weeks that are good or bad."""
    return math.sin(2 * math.pi * (days / period_days + phase))
