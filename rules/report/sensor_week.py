"""A sensor's numbers in a report: two weeks to the week's end, its episodes, the weeks before.

Time in range and GMI want two weeks (consensus 2019), so a week's report looks at 14 days; how a
week went beside the others is told by its own bands. Nothing is drawn across what was not worn. May
hold: which readings make which numbers. May not: words, formulas (`rules/metrics/`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.history import Point
from rules.metrics.agp import Profile, profile
from rules.metrics.cgm import Cgm, Glycemia, cgm, glycemia
from rules.metrics.glucose_episodes import GlucoseEpisode
from rules.metrics.sufficiency import Standing, sufficiency
from rules.sensor import sensor_series
from vitals.units import Unit

# days that time in range, GMI and the profile look at; consensus 2019, ADA 2026 Table 6.2
DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorOneWeek:
    """One week of the comparison; `glycemia` None where the sensor gave nothing."""

    first_day: date
    glycemia: Glycemia | None
    active_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorWeek:
    """Fourteen days of a sensor to the week's last seen day, and what is told of them.

    `lows` and `highs` are the week's own episodes below 3.9 and above 13.9 mmol/L; `worn_percent`
    is the share of the fourteen days that has readings. Values are in the unit in which they were
    measured and are judged in it; `shown` is the unit that the reader is used to.
    """

    first_day: date
    last_day: date
    metrics: Cgm
    profile: Profile
    worn_percent: float
    standing: Standing
    lows: tuple[GlucoseEpisode, ...]
    very_highs: tuple[GlucoseEpisode, ...]
    weeks: tuple[SensorOneWeek, ...]
    shown: Unit


def sensor_week(
    points: Sequence[Point],
    zone: str,
    *,
    first_day: date,
    seen_day: date,
    as_of: datetime,
    shown: Unit | None = None,
    weeks_before: int = 4,
) -> SensorWeek | None:
    """The numbers up to `seen_day`; None where the week has no reading of a sensor.

    `shown` None: the unit of most readings.
    """
    monday = _midnight(first_day, zone)
    end = min(_midnight(seen_day + timedelta(days=1), zone), as_of + timedelta(microseconds=1))
    if not any(monday <= each.at < end for each in points):
        return None
    begin_day = seen_day - timedelta(days=DAYS - 1)
    begin = _midnight(begin_day, zone)
    series = sensor_series(points, zone, since=begin, until=end)
    assert series is not None
    found = cgm(series)
    counted = found.sufficiency
    return SensorWeek(
        first_day=begin_day,
        last_day=seen_day,
        metrics=found,
        profile=profile(series),
        worn_percent=_worn_percent(counted.n, counted.cadence_min, end - begin),
        standing=counted.standing,
        lows=tuple(each for each in found.episodes.low.episodes if each.ended_at > monday),
        very_highs=tuple(
            each for each in found.episodes.very_high.episodes if each.ended_at > monday
        ),
        weeks=tuple(
            _one_week(points, zone, first_day - timedelta(days=7 * ago), end)
            for ago in range(weeks_before, -1, -1)
        ),
        shown=shown or series.unit,
    )


def _one_week(points: Sequence[Point], zone: str, monday: date, end: datetime) -> SensorOneWeek:
    since = _midnight(monday, zone)
    until = min(_midnight(monday + timedelta(days=7), zone), end)
    series = sensor_series(points, zone, since=since, until=until)
    if series is None:
        return SensorOneWeek(first_day=monday, glycemia=None, active_percent=0.0)
    counted = sufficiency(series)
    return SensorOneWeek(
        first_day=monday,
        glycemia=glycemia(series),
        active_percent=_worn_percent(counted.n, counted.cadence_min, until - since),
    )


def _worn_percent(n: int, cadence_min: int | None, span: timedelta) -> float:
    if cadence_min is None:
        return 0.0
    return min(100.0, 100 * n * cadence_min * 60 / span.total_seconds())


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
