"""A share of a few readings with its interval: 8 of 10 is not 80 per cent to the point.

May hold: this interval. May not: what is counted.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist


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
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p, spread = k / n, 1 + z * z / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Share(k=k, n=n, low=(middle - half) / spread, high=(middle + half) / spread)
