"""The metrics of a CSV file: continuous glucose or home blood pressure, one object for each group.

Times without an offset are taken in the given time zone; an empty cell is no value. What cannot be
read is named with its line. May hold: reading the file and putting the metrics together. May not:
formulas (`glycemia.py`, `blood_pressure.py`).
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rules.blood_pressure import (
    EVENING_H,
    MORNING_H,
    Spread,
    control,
    day_means,
    in_hours,
    mean_of_days,
    sessions,
    spread,
)
from rules.glycemia import glycemia
from rules.history import CuffReading
from vitals.errors import MendData
from vitals.units import Unit

Metrics = dict[str, dict[str, Any]]

# the group of a file without a group column
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    line: int
    group: str
    at: datetime
    values: tuple[float | None, ...]


def glucose_metrics_of_file(
    path: Path,
    *,
    time_column: str,
    value_column: str,
    unit: Unit,
    timezone: str,
    group_column: str | None = None,
) -> Metrics:
    """The metrics of continuous glucose by group, keys as R iglu names them.

    Mean and SD are in `unit`; every other number is per cent or an index. Raises MendData for a
    column, a time, a number or a zone that cannot be.
    """
    found: Metrics = {}
    for group, rows in _grouped(
        path, time_column, [value_column], group_column=group_column, timezone=timezone
    ).items():
        values = [row.values[0] for row in rows if row.values[0] is not None]
        metrics, share = glycemia(values, unit), glycemia(values, unit).bands
        found[group] = _without_nan(
            {
                "n": metrics.n,
                "unit": unit.value,
                "mean": metrics.mean,
                "sd": metrics.sd,
                "cv": metrics.cv,
                "gmi": metrics.gmi,
                "ea1c": metrics.ea1c,
                "tir": share.in_range,
                "below_54": share.very_low,
                "below_70": share.very_low + share.low,
                "above_180": share.high + share.very_high,
                "above_250": share.very_high,
                "lbgi": metrics.lbgi,
                "hbgi": metrics.hbgi,
                "gri": metrics.gri,
                "j_index": metrics.j_index,
                "days": _days(rows),
            }
        )
    return found


def bp_metrics_of_file(
    path: Path,
    *,
    time_column: str,
    systolic_column: str,
    diastolic_column: str,
    timezone: str,
    pulse_column: str | None = None,
    group_column: str | None = None,
) -> Metrics:
    """The metrics of home blood pressure in mmHg by group.

    Systolic, diastolic and pulse each as n, mean, sd, cv and arv over readings; morning and evening
    as means of days; control rate and load over sittings. Raises MendData as the glucose metrics.
    """
    columns = [systolic_column, diastolic_column, *([pulse_column] if pulse_column else [])]
    found: Metrics = {}
    for group, rows in _grouped(
        path, time_column, columns, group_column=group_column, timezone=timezone
    ).items():
        found[group] = _without_nan(_bp_metrics(_readings(rows), rows, timezone))
    return found


def _bp_metrics(readings: Sequence[CuffReading], rows: Sequence[_Row], zone: str) -> dict[str, Any]:
    held = control(sessions(readings))
    pulses = [each.pulse for each in readings if each.pulse is not None]
    return {
        "n": len(readings),
        "days": _days(rows),
        "systolic": _spread(spread([each.systolic for each in readings])),
        "diastolic": _spread(spread([each.diastolic for each in readings])),
        "pulse": _spread(spread(pulses)),
        "control_rate": held.rate_percent,
        "load": held.load_percent,
        "sessions": held.sessions,
        "morning": _part(in_hours(readings, MORNING_H, zone), zone),
        "evening": _part(in_hours(readings, EVENING_H, zone), zone),
    }


def _part(readings: Sequence[CuffReading], zone: str) -> dict[str, Any]:
    days = day_means(readings, zone)
    return {
        "n": len(readings),
        "days": len(days),
        "systolic": mean_of_days(days, lambda each: each.systolic),
        "diastolic": mean_of_days(days, lambda each: each.diastolic),
    }


def _readings(rows: Sequence[_Row]) -> list[CuffReading]:
    return [
        CuffReading(
            at=row.at,
            systolic=row.values[0],
            diastolic=row.values[1],
            pulse=row.values[2] if len(row.values) > 2 else None,
        )
        for row in rows
        if row.values[0] is not None and row.values[1] is not None
    ]


def _spread(found: Spread) -> dict[str, Any]:
    return {
        "n": found.n,
        "mean": found.mean,
        "sd": found.sd,
        "cv": found.cv,
        "arv": found.arv,
    }


def _days(rows: Sequence[_Row]) -> float:
    """From the first to the last value, in days with one decimal, as R iglu counts them."""
    return round((rows[-1].at - rows[0].at).total_seconds() / 86400, 1)


def _grouped(
    path: Path,
    time_column: str,
    columns: Sequence[str],
    *,
    group_column: str | None,
    timezone: str,
) -> dict[str, list[_Row]]:
    """The rows that hold a value by group, each in order of time."""
    zone = _zone(timezone)
    groups: dict[str, list[_Row]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            wanted = [time_column, *columns, *([group_column] if group_column else [])]
            _check_columns(path, reader.fieldnames or [], wanted)
            for row in _rows(path, reader, time_column, columns, group_column, zone):
                groups.setdefault(row.group, []).append(row)
    except OSError as error:
        raise MendData(f"{path} cannot be read: {error}") from error
    if not groups:
        raise MendData(f"{path} holds no value in {', '.join(columns)}.")
    return {group: sorted(rows, key=lambda row: row.at) for group, rows in groups.items()}


def _rows(
    path: Path,
    reader: "csv.DictReader[str]",
    time_column: str,
    columns: Sequence[str],
    group_column: str | None,
    zone: ZoneInfo,
) -> Iterator[_Row]:
    for row in reader:
        place = f"{path.name}:{reader.line_num}"
        values = tuple(_number(row[column], column, place) for column in columns)
        if values[0] is not None:
            yield _Row(
                line=reader.line_num,
                group=row[group_column] if group_column else ALL,
                at=_moment(row[time_column], zone, place),
                values=values,
            )


def _check_columns(path: Path, there: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [each for each in wanted if each not in there]
    if missing:
        raise MendData(
            f"{path} has no column {', '.join(map(repr, missing))}; it has: {', '.join(there)}."
        )


def _number(text: str | None, column: str, place: str) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        number = float(text)
    except ValueError:
        raise MendData(f"{place}: {text!r} in {column} is not a number.") from None
    if not math.isfinite(number):
        return None
    return number


def _moment(text: str | None, zone: ZoneInfo, place: str) -> datetime:
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise MendData(f"{place}: {text!r} is no time; write it like 2026-11-22 07:30.") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise MendData(f"{name!r} is no time zone; write it like Asia/Shanghai.") from None


def _without_nan(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics with None for what is undefined (the SD of one value)."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(each) for key, each in value.items()}
        return None if isinstance(value, float) and math.isnan(value) else value

    return {key: clean(value) for key, value in metrics.items()}
