"""Episodes of low and high glucose: at least 15 minutes beyond a level, until 15 minutes back.

International consensus (ATTD 2017): an event begins with 15 minutes beyond the level and ends with
15 minutes back within; a low of 120 minutes is prolonged. Counted on the grid of the series' own
step, so that one lost reading neither ends nor makes an episode; a gap of more than 45 minutes ends
it. LO and HI count as beyond. Agrees with R iglu 4.3.0. May hold: this counting. May not: alarms.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rules.metrics.glucose_band import HIGH, LOW, VERY_HIGH, VERY_LOW, Pair
from rules.metrics.grid import Grid
from rules.metrics.local_time import moment_of
from rules.metrics.series import Floats, Mask
from vitals.units import Unit

# minutes beyond a level that make an event, and back within that end it; ATTD 2017
EVENT_MIN = 15
# minutes of a prolonged low; ATTD 2017
PROLONGED_MIN = 120
_MIN_PER_DAY = 1440

_BACK, _BEYOND, _MISSING = 0, 1, 2


class Level(StrEnum):
    """How far; the words are those of R iglu's table."""

    LEVEL_1 = "lv1"
    LEVEL_2 = "lv2"
    PROLONGED = "extended"
    ONLY_LEVEL_1 = "lv1_excl"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseEpisode:
    """One episode. `mean` and `worst` in the series' unit; `worst` infinite for LO or HI.

    `mean` is that of the grid's numbers, NaN where all of it was LO or HI.
    """

    started_at: datetime
    ended_at: datetime
    minutes: int
    mean: float
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The episodes of one level: how many, per day of data, mean minutes, mean of their means."""

    is_low: bool
    level: Level
    episodes: tuple[GlucoseEpisode, ...]
    per_day: float
    minutes: float
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseEpisodes:
    """The episodes of a series by level. `days` is the time covered by data, in days."""

    days: float
    low: Tally
    very_low: Tally
    prolonged_low: Tally
    only_low: Tally
    high: Tally
    very_high: Tally
    only_high: Tally

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """All levels, in the order of R iglu's table."""
        return (
            self.low,
            self.very_low,
            self.prolonged_low,
            self.high,
            self.very_high,
            self.only_low,
            self.only_high,
        )


def episodes(even: Grid, unit: Unit) -> GlucoseEpisodes:
    """The episodes on a grid of the series' own step, whose values are in `unit`."""
    days = int((~np.isnan(even.values)).sum()) * even.step_min / _MIN_PER_DAY
    low = beyond(even, LOW, unit, is_low=True)
    very_low = beyond(even, VERY_LOW, unit, is_low=True)
    prolonged = beyond(even, LOW, unit, is_low=True, at_least_min=PROLONGED_MIN)
    high = beyond(even, HIGH, unit, is_low=False)
    very_high = beyond(even, VERY_HIGH, unit, is_low=False)
    return GlucoseEpisodes(
        days=days,
        low=_tally(low, Level.LEVEL_1, days, is_low=True),
        very_low=_tally(very_low, Level.LEVEL_2, days, is_low=True),
        prolonged_low=_tally(prolonged, Level.PROLONGED, days, is_low=True),
        only_low=_tally(_without(low, very_low), Level.ONLY_LEVEL_1, days, is_low=True),
        high=_tally(high, Level.LEVEL_1, days, is_low=False),
        very_high=_tally(very_high, Level.LEVEL_2, days, is_low=False),
        only_high=_tally(_without(high, very_high), Level.ONLY_LEVEL_1, days, is_low=False),
    )


def beyond(
    even: Grid, level: Pair, unit: Unit, *, is_low: bool, at_least_min: int = EVENT_MIN
) -> tuple[GlucoseEpisode, ...]:
    """The episodes below or above one level that begin with `at_least_min` minutes beyond it.

    A grid coarser than that rounds up: of readings every 20 minutes, one is enough.
    """
    limit = level.in_unit(unit)
    is_beyond = even.values < limit if is_low else even.values > limit
    begin, end = _spans(
        is_beyond,
        np.isnan(even.values),
        enough=_points(at_least_min, even.step_min),
        back=_points(EVENT_MIN, even.step_min),
    )
    return tuple(_episode(even, int(a), int(b), is_low) for a, b in zip(begin, end, strict=True))


def _points(minutes: int, step_min: int) -> int:
    return max(1, math.ceil(minutes / step_min))


def _spans(
    is_beyond: Mask, missing: Mask, *, enough: int, back: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and one-past-last grid points of the episodes.

    Equal neighbours are runs; a run long enough opens or closes, a shorter one changes nothing, a
    gap closes at once. An episode is what lies between an opening and the next closing run.
    """
    if not len(is_beyond):
        none = np.empty(0, dtype=np.intp)
        return none, none
    state = np.where(missing, _MISSING, np.where(is_beyond, _BEYOND, _BACK))
    starts = np.concatenate(([0], np.flatnonzero(np.diff(state)) + 1))
    lengths = np.diff(np.concatenate((starts, [len(state)])))
    kind = state[starts]
    opens = (kind == _BEYOND) & (lengths >= enough)
    closes = (kind == _MISSING) | ((kind == _BACK) & (lengths >= back))
    # each run stands as the last one before it that opened or closed
    told = np.maximum.accumulate(np.where(opens | closes, np.arange(len(kind)), -1))
    is_open = (told >= 0) & opens[told]
    edges = np.diff(np.concatenate(([False], is_open, [False])).astype(np.int8))
    bounds = np.concatenate((starts, [len(state)]))
    return bounds[np.flatnonzero(edges == 1)], bounds[np.flatnonzero(edges == -1)]


def _episode(even: Grid, begin: int, end: int, is_low: bool) -> GlucoseEpisode:
    values: Floats = even.values[begin:end]
    numbers = values[np.isfinite(values)]
    return GlucoseEpisode(
        started_at=moment_of(even.time_ns(begin)),
        ended_at=moment_of(even.time_ns(end)),
        minutes=(end - begin) * even.step_min,
        mean=float(numbers.mean()) if len(numbers) else math.nan,
        worst=float(values.min() if is_low else values.max()),
    )


def _without(
    found: tuple[GlucoseEpisode, ...], worse: tuple[GlucoseEpisode, ...]
) -> tuple[GlucoseEpisode, ...]:
    """The episodes that none of the worse ones falls into."""
    return tuple(
        each
        for each in found
        if not any(w.started_at < each.ended_at and each.started_at < w.ended_at for w in worse)
    )


def _tally(found: tuple[GlucoseEpisode, ...], level: Level, days: float, *, is_low: bool) -> Tally:
    n = len(found)
    means = [each.mean for each in found if not math.isnan(each.mean)]
    return Tally(
        is_low=is_low,
        level=level,
        episodes=found,
        per_day=n / days if days else math.nan,
        minutes=math.fsum(each.minutes for each in found) / n if n else 0.0,
        mean=math.fsum(means) / len(means) if means else math.nan,
    )
