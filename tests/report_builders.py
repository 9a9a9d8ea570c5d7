"""A patient's week for report tests, from lines as in `rule_builders`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from rule_builders import every_day, history, local_moment

from rules.evaluate import evaluate
from rules.history import History, Patient, Point
from rules.pack import standard_packs
from rules.report.week import AlertSeen, Inputs, PatientWeek, patient_week
from vitals.kinds import Kind
from vitals.units import Unit

# Sunday evening of the week that holds rule_builders.TODAY, in Shanghai
AS_OF = datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)
MONDAY = datetime(2026, 11, 15, 16, 0, tzinfo=UTC)
WEEK = "2026-W47"

TWICE = ["07:00 bp 142/88", "07:01 bp 140/86", "20:00 bp 146/84", "20:01 bp 144/82"]


def concerns_of(there: History, as_of: datetime = AS_OF) -> tuple[AlertSeen, ...]:
    return tuple(
        AlertSeen(finding=each, state="open", severity=each.severity, opened_at=each.at)
        for each in evaluate(there, standard_packs(), as_of)
        if each.at >= MONDAY
    )


def week(*lines: str, as_of: datetime = AS_OF, **others: Any) -> PatientWeek:
    patient = others.pop("patient", Patient(id=1, name="王建国", conditions=("高血压",)))
    there = history(lines, patient=patient, **{k: v for k, v in others.items() if k == "line"})
    given = {k: v for k, v in others.items() if k != "line"}
    given.setdefault("concerns", concerns_of(there, as_of))
    return patient_week(Inputs(history=there, **given), week=WEEK, as_of=as_of)


def four_weeks() -> list[str]:
    """Four weeks of twice two readings, and a few finger-sticks with one low."""
    return [
        *every_day(TWICE, first=27, last=0),
        *every_day(["06:30 glucose 7.4 fasting", "09:30 glucose 10.8 postprandial"], first=27),
        "-2d 03:10 glucose 2.8",
        "-2d 03:30 glucose 5.1",
    ]


def sensor_points(
    *,
    first: int = 13,
    last: int = 0,
    step_min: int = 5,
    value: Callable[[datetime], float] = lambda at: 7.0,
    unit: Unit = Unit.MMOL_PER_L,
    device: str = "sensor",
) -> tuple[Point, ...]:
    """A sensor's values from midnight of `first` days ago to the end of `last` days ago."""
    at, end = local_moment("00:00", first), local_moment("00:00", last - 1)
    found = []
    while at < end:
        found.append(Point(at=at, kind=Kind.GLUCOSE, value=value(at), unit=unit, device=device))
        at += timedelta(minutes=step_min)
    return tuple(found)


def sensor_week_of(
    points: tuple[Point, ...], as_of: datetime = AS_OF, **patient: Any
) -> PatientWeek:
    """The report's numbers of a person of whom there are just these points."""
    there = History(patient=Patient(id=1, name="李明", **patient), points=points)
    return patient_week(Inputs(history=there), week=WEEK, as_of=as_of)
