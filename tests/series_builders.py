"""Continuous glucose as a person would say it: values every few minutes from a local time on."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rules.metrics.local_time import ns_of
from rules.metrics.series import Beyond, Series, series_of
from vitals.units import Unit

SHANGHAI = "Asia/Shanghai"
MMOL, MG = Unit.MMOL_PER_L, Unit.MG_PER_DL
MORNING = datetime(2026, 11, 9, 8, 0)  # noqa: DTZ001 - a wall clock, placed by its zone below

_CODES = {"LO": Beyond.BELOW, "HI": Beyond.ABOVE}


def every(
    minutes: float,
    values: Iterable[float | str | None],
    *,
    start: datetime = MORNING,
    unit: Unit = MG,
    zone: str = SHANGHAI,
) -> Series:
    """One value every so many minutes; None is a lost one, "LO" and "HI" are codes."""
    begin = start.replace(tzinfo=ZoneInfo(zone))
    rows = [
        (ns_of(begin) + round(place * minutes * 60e9), value)
        for place, value in enumerate(values)
        if value is not None
    ]
    return series_from(rows, unit=unit, zone=zone)


def at(
    moments: Sequence[tuple[str, float | str]],
    *,
    unit: Unit = MG,
    zone: str = SHANGHAI,
    day: datetime = MORNING,
) -> Series:
    """Values at clock times of one day, "08:05"; "+1 08:05" is the day after."""
    rows = []
    for text, value in moments:
        ago, _, clock = text.rpartition(" ")
        hour, minute = clock.split(":")
        moment = day.replace(hour=int(hour), minute=int(minute), tzinfo=ZoneInfo(zone))
        rows.append((ns_of(moment + timedelta(days=int(ago or 0))), value))
    return series_from(rows, unit=unit, zone=zone)


def series_from(
    rows: Sequence[tuple[int, float | str]], *, unit: Unit = MG, zone: str = SHANGHAI
) -> Series:
    """The series of (nanoseconds, value or code) rows, in whatever order they are."""
    return series_of(
        [ns for ns, _ in rows],
        [float("nan") if isinstance(value, str) else value for _, value in rows],
        beyond=[int(_CODES[value]) if isinstance(value, str) else 0 for _, value in rows],
        unit=unit,
        zone=zone,
    )
