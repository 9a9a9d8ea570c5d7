"""Histories written as a person would say them: "-2d 07:00 bp 136/85", "06:30 glucose 3.8 mmol/L".

A line is: how many days ago (absent: today), local time, what, value, unit, meal, #flag, ~clock.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rules.history import DayCount, History, Line, Patient, Point, local_day
from vitals.kinds import VITALS, Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit

SHANGHAI = "Asia/Shanghai"
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZoneInfo(SHANGHAI)).astimezone(UTC)

_LINE = re.compile(r"(?:(-\d+)d )?(\d\d:\d\d) (\w+) (\S+)(.*)")


def local_moment(
    clock: str, days_ago: int = 0, *, zone: str = SHANGHAI, today: date = TODAY
) -> datetime:
    """A local time of a day, in UTC."""
    at = time.fromisoformat(clock)
    there = datetime.combine(today - timedelta(days=days_ago), at, tzinfo=ZoneInfo(zone))
    return there.astimezone(UTC)


def points(lines: Iterable[str], *, zone: str = SHANGHAI, today: date = TODAY) -> tuple[Point, ...]:
    found: list[Point] = []
    for number, line in enumerate(lines):
        found += _points(line, number, zone=zone, today=today)
    return tuple(sorted(found, key=lambda each: (each.at, each.device, each.kind)))


def history(lines: Iterable[str] = (), **others: Any) -> History:
    """A patient's history; `patient`, `line`, `zone` and `today` may be given."""
    zone, today = others.get("zone", SHANGHAI), others.get("today", TODAY)
    found = points(lines, zone=zone, today=today)
    return History(
        patient=others.get("patient", Patient(id=1, name="王建国", timezone=zone)),
        points=found,
        days=day_counts(found, zone),
        line=others.get("line", Line()),
    )


def every_day(lines: Iterable[str], *, first: int, last: int = 0) -> list[str]:
    """The same lines for each day from `first` days ago to `last` days ago."""
    return [f"-{ago}d {line}" for ago in range(first, last - 1, -1) for line in lines]


def day_counts(found: Iterable[Point], zone: str = SHANGHAI) -> tuple[DayCount, ...]:
    """The daily rollup of points."""
    days: dict[tuple[Kind, date], list[Point]] = {}
    for point in found:
        days.setdefault((point.kind, local_day(point.at, zone)), []).append(point)
    return tuple(
        DayCount(
            kind=kind,
            day=day,
            n=len(there),
            last_at=max(each.at for each in there),
            mean=sum(each.value for each in there) / len(there),
            most=max(each.value for each in there),
        )
        for (kind, day), there in sorted(days.items())
    )


def _points(line: str, number: int, *, zone: str, today: date) -> list[Point]:
    match = _LINE.fullmatch(line)
    assert match, f"cannot read {line!r}"
    ago, clock, what, value, rest = match.groups()
    words = rest.split()
    flags = tuple(Flag(word[1:]) for word in words if word.startswith("#"))
    sure = next((Clock(word[1:]) for word in words if word.startswith("~")), Clock.MEASURED)
    meal = next((Meal(word) for word in words if word in Meal._value2member_map_), None)
    unit = next((Unit(word) for word in words if word in Unit._value2member_map_), None)
    same: dict[str, Any] = {
        "at": local_moment(clock, -int(ago or 0), zone=zone, today=today),
        "flags": flags,
        "clock": sure,
        "sequence": number,
    }
    if what == "bp":
        pressures = [float(each) for each in value.split("/")]
        kinds = (Kind.SYSTOLIC, Kind.DIASTOLIC)
        return [
            Point(kind=kind, value=each, unit=unit or Unit.MMHG, device="cuff", **same)
            for kind, each in zip(kinds, pressures, strict=True)
        ]
    kind = Kind(what)
    usual = VITALS[kind].scales[0].unit
    return [
        Point(kind=kind, value=float(value), unit=unit or usual, meal=meal, device=what, **same)
    ]
