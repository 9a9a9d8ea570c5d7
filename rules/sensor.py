"""Which of a patient's glucose values a sensor measured, and the series that they make.

Time in range and GMI are a sensor's alone: of finger-sticks they would be nonsense that looks like
a number. A stored value does not say what measured it, so each device is known by how it measures;
in doubt it is a meter. May hold: this choice, in one place. May not: metrics, thresholds.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from rules.history import History, Point
from rules.metrics.local_time import NS_PER_DAY, ns_of
from rules.metrics.series import GAP_MIN, Beyond, Series, cadence_min, series_of
from vitals.kinds import Kind
from vitals.measurement import Flag
from vitals.units import Unit, convert

# readings a day with data, on average, from which a device is a sensor: nobody pricks a finger once
# an hour, day and night, and a sensor of 15 minutes that is worn for a quarter of the day gives as
# many. Engineering choice, unconfirmed
_A_DAY = 24


def sensors(points: Sequence[Point]) -> frozenset[str]:
    """The devices among these glucose values that measure all the time.

    Such a device gives at least 24 readings a day with data, its usual step is at most 45 minutes
    (as `kangban metrics` has it for files), and it never knows of a meal.
    """
    by_device: dict[str, list[Point]] = {}
    for each in points:
        by_device.setdefault(each.device, []).append(each)
    return frozenset(name for name, found in by_device.items() if _is_sensor(found))


def split(history: History) -> tuple[list[Point], list[Point]]:
    """The trusted glucose values of sensors, and those of finger-sticks."""
    trusted = history.trusted(Kind.GLUCOSE)
    known = sensors(trusted)
    return (
        [each for each in trusted if each.device in known],
        [each for each in trusted if each.device not in known],
    )


def sensor_series(
    points: Sequence[Point], zone: str, *, since: datetime, until: datetime
) -> Series | None:
    """The series of a sensor's values in [since, until), in the unit of most; None without any.

    The points must be in order of time, as a history's are.
    """
    first = bisect_left(points, since, key=_at)
    there = points[first : bisect_left(points, until, lo=first, key=_at)]
    if not there:
        return None
    counts = Counter(each.unit for each in there)
    unit = max(counts, key=lambda each: (counts[each], each is Unit.MMOL_PER_L))
    return series_of(
        [ns_of(each.at) for each in there],
        [math.nan if _beyond(each) else _value(each, unit) for each in there],
        beyond=[int(_beyond(each)) for each in there],
        unit=unit,
        zone=zone,
    )


def _is_sensor(found: Sequence[Point]) -> bool:
    if len(found) < _A_DAY or any(each.meal for each in found):
        return False
    times = [ns_of(each.at) for each in found]
    days = len({each // NS_PER_DAY for each in times})
    series = series_of(times, [0.0] * len(times), unit=found[0].unit, zone="UTC")
    step = cadence_min(series)
    return step is not None and step <= GAP_MIN and len(series) >= _A_DAY * days


def _at(point: Point) -> datetime:
    return point.at


def _beyond(point: Point) -> Beyond:
    if Flag.RESULT_TOO_LOW in point.flags:
        return Beyond.BELOW
    return Beyond.ABOVE if Flag.RESULT_TOO_HIGH in point.flags else Beyond.WITHIN


def _value(point: Point, unit: Unit) -> float:
    # a value in the unit of most stays the number that the device gave
    return point.value if point.unit is unit else convert(point.value, point.unit, unit)
