"""The metrics of a CSV file: glucose or home blood pressure, one object for each group.

Numbers that cannot be are null; every object says how many rows were not used, and why. May hold:
reading the file and choosing what it holds. May not: formulas (`rules/metrics/`), keys
(`metrics_table.py`), what exports look like (`rules/exports/`).
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from rules.exports.moment import Order
from rules.exports.read import Asked, read_glucose, read_pressure
from rules.exports.rows import NotUsed, Row, Rows, grouped
from rules.history import CuffReading, Point
from rules.metrics.home_protocol import CN2025, PROTOCOLS
from rules.metrics.local_time import ns_of
from rules.metrics.series import GAP_MIN, Beyond, Series, cadence_min, series_of, with_substitutes
from rules.metrics_table import cgm_table, pressure_table, smbg_table
from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.measurement import Flag
from vitals.units import Unit, convert

Metrics = dict[str, dict[str, Any]]

_CODE_FLAG = {Beyond.BELOW: Flag.RESULT_TOO_LOW, Beyond.ABOVE: Flag.RESULT_TOO_HIGH}

# lines of rows that were not used, named for each reason
_NAMED_LINES = 10


class Source(StrEnum):
    """What measured: a sensor, a finger-stick meter, or whichever the times tell."""

    AUTO = "auto"
    CGM = "cgm"
    SMBG = "smbg"


def glucose_metrics_of_file(
    path: Path,
    *,
    timezone: str,
    time_column: str | None = None,
    value_column: str | None = None,
    group_column: str | None = None,
    unit: Unit | None = None,
    source: Source = Source.AUTO,
    low_as: float | None = None,
    high_as: float | None = None,
    date_order: Order | None = None,
) -> Metrics:
    """The metrics of glucose by group; mean, SD, MODD and MAGE in the file's unit.

    Readings whose median step is more than 45 minutes are finger-sticks: they have no time in range
    and no GMI. `low_as` and `high_as` stand in for LO and HI. Raises MendData for a column, a time,
    a number or a zone that cannot be.
    """
    asked = Asked(
        timezone=timezone,
        time=time_column,
        values=(value_column,),
        group=group_column,
        unit=unit,
        order=date_order,
    )
    rows = read_glucose(_content(path), path.name, asked, strips=source is Source.SMBG)
    found: Metrics = {}
    for group, readings, others in grouped(rows):
        series = with_substitutes(
            _series(readings, rows.layout.unit, timezone), low=low_as, high=high_as
        )
        step = cadence_min(series)
        sparse = source is Source.SMBG or (
            source is Source.AUTO and step is not None and step > GAP_MIN
        )
        if sparse:
            points = _points(readings, rows.layout.unit)
            numbers = smbg_table(points, rows.layout.unit, timezone)
        else:
            numbers = cgm_table(series)
        found[group] = _plain({**numbers, **_told(rows, group, series.repeated, others)})
    return found


def bp_metrics_of_file(
    path: Path,
    *,
    timezone: str,
    time_column: str | None = None,
    systolic_column: str | None = None,
    diastolic_column: str | None = None,
    pulse_column: str | None = None,
    group_column: str | None = None,
    unit: Unit | None = None,
    protocol: str = CN2025.id,
    date_order: Order | None = None,
) -> Metrics:
    """The metrics of home blood pressure in mmHg by group.

    Systolic, diastolic and pulse each as n, mean, sd, cv and arv over readings; morning, evening
    and whole as means of days; control rate and load over sittings; `ttr` over day means; the last
    protocol block. Raises MendData as the glucose metrics.
    """
    if protocol not in PROTOCOLS:
        raise MendData(f"{protocol!r} is no protocol; there are: {', '.join(PROTOCOLS)}.")
    asked = Asked(
        timezone=timezone,
        time=time_column,
        values=(systolic_column, diastolic_column, pulse_column),
        group=group_column,
        unit=unit,
        order=date_order,
    )
    rows = read_pressure(_content(path), path.name, asked)
    found: Metrics = {}
    for group, readings, others in grouped(rows):
        cuff = _cuff(readings, rows.layout.unit)
        numbers = pressure_table(cuff, timezone, PROTOCOLS[protocol])
        repeated = len(readings) - len(cuff)
        found[group] = _plain({**numbers, **_told(rows, group, repeated, others)})
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MendData(f"{path} cannot be read: {error}") from error


def _series(readings: Sequence[Row], unit: Unit, zone: str) -> Series:
    return series_of(
        [ns_of(each.at) for each in readings],
        [math.nan if each.values[0] is None else each.values[0] for each in readings],
        beyond=[int(each.beyond) for each in readings],
        unit=unit,
        zone=zone,
    )


def _points(readings: Sequence[Row], unit: Unit) -> list[Point]:
    """Finger-sticks, each once: a row that is there twice is one reading."""
    points = {
        (each.at, each.values[0], each.beyond): Point(
            at=each.at,
            kind=Kind.GLUCOSE,
            value=each.values[0] or 0.0,
            unit=unit,
            flags=(_CODE_FLAG[each.beyond],) if each.beyond else (),
        )
        for each in readings
    }
    return list(points.values())


def _cuff(readings: Sequence[Row], unit: Unit) -> list[CuffReading]:
    """Cuff readings in mmHg and in order of time, each once."""
    found: dict[tuple[Any, ...], CuffReading] = {}
    for each in readings:
        systolic, diastolic, pulse = (*each.values, None)[:3]
        if systolic is not None and diastolic is not None:
            found[each.at, systolic, diastolic] = CuffReading(
                at=each.at,
                systolic=convert(systolic, unit, Unit.MMHG),
                diastolic=convert(diastolic, unit, Unit.MMHG),
                pulse=pulse,
            )
    return sorted(found.values(), key=lambda each: (each.at, each.systolic, each.diastolic))


def _told(rows: Rows, group: str, repeated: int, others: Sequence[NotUsed]) -> dict[str, Any]:
    """What the file was taken for, and the rows that no number rests on, by reason."""
    lines: dict[str, list[int]] = {}
    for each in others:
        lines.setdefault(each.why, []).append(each.line)
    not_used: list[dict[str, Any]] = [
        {"why": why, "rows": len(found), "lines": found[:_NAMED_LINES]}
        for why, found in lines.items()
    ]
    if repeated:
        not_used.append({"why": "said again", "rows": repeated, "lines": []})
    told: dict[str, Any] = {"format": rows.layout.name, "not_used": not_used}
    if group in rows.skipped:
        told["in_skipped_hour"] = rows.skipped[group]
    return told


def _plain(value: Any) -> Any:
    """The value as JSON knows it: None for what is undefined (the SD of one value)."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
