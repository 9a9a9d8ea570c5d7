"""All numbers of one patient's ISO week, computed once, in one place.

Whatever shows a number of the week (page, file, list) takes it from here. The same inputs give the
same `PatientWeek`. Missing data are missing, with a reason, never zero. May hold: nouns and
arithmetic over the metric functions. May not: words, looks, I/O, a clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.finding import Finding
from rules.history import History, Line, Patient, Point, cuff_readings
from rules.report.glucose_week import GlucoseWeek, glucose_week
from rules.report.pressure_week import PressureWeek, pressure_week
from rules.report.sensor_week import SensorWeek, sensor_week
from rules.sensor import split
from vitals.kinds import Kind
from vitals.units import Unit

# weeks before this one that a report compares with
WEEKS_BEFORE = 4
# the days of a report's charts: this week and the three before
CHART_DAYS = 28
# measured days within the chart that make a kind usual; engineering choice, unconfirmed
_USUAL_DAYS = 4
# kinds whose missing days a report names
_NAMED = (Kind.SYSTOLIC, Kind.GLUCOSE)


class Missing(StrEnum):
    """Why a day has no data."""

    NOT_MEASURED = "not_measured"
    NOT_RECEIVED = "not_received"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The days of the week without a usual kind, and why."""

    kind: Kind
    days: tuple[date, ...]
    reason: Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSeen:
    """A finding of the week with its alert; `state` None: it raised none (its data came late).

    `acknowledged_by` is a name.
    """

    finding: Finding
    state: str | None
    severity: int
    opened_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    closed_at: datetime | None = None
    closed_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """Planned and done measuring of one kind of session in the week ("bp", "glucose", …)."""

    session: str
    planned: int
    done: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the week's numbers rest on: readings counted, doubted, refused; days with data."""

    readings: Mapping[str, int]
    suspect: int
    unsure: int
    rejected: int
    days_with_data: int
    days_so_far: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientWeek:
    """One report's numbers. `as_of`: up to when data were looked at; a week may be running."""

    patient: Patient
    week: str
    first_day: date
    last_day: date
    as_of: datetime
    quality: Quality
    pressure: PressureWeek | None
    # of finger-sticks alone; what a sensor measured is in `sensor`
    glucose: GlucoseWeek | None
    sensor: SensorWeek | None
    # what the week's history says at its end, and the alerts that lived in it
    concerns: tuple[AlertSeen, ...]
    alerts: tuple[AlertSeen, ...]
    gaps: tuple[Gap, ...]
    measuring: tuple[Measuring, ...]

    @property
    def is_running(self) -> bool:
        """Were data looked at before the week was over?"""
        return self.last_seen_day < self.last_day

    @property
    def last_seen_day(self) -> date:
        """The last day of the week at which data were looked."""
        zone = History(patient=self.patient)
        return min(self.last_day, zone.day_of(self.as_of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a report is computed from: the history at the week's end, and what happened in it."""

    history: History
    concerns: tuple[AlertSeen, ...] = ()
    alerts: tuple[AlertSeen, ...] = ()
    rejected_at: tuple[datetime, ...] = ()
    measuring: tuple[Measuring, ...] = ()


def first_day_of(week: str) -> date:
    """The Monday of an ISO week text ("2026-W47"). Raises ValueError for what is not one."""
    year, _, number = week.partition("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def week_of(day: date) -> str:
    """The ISO week of a day: "2026-W47"."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def patient_week(inputs: Inputs, *, week: str, as_of: datetime) -> PatientWeek:
    """The numbers of one week, as they stood at `as_of`."""
    history, monday = inputs.history, first_day_of(week)
    sunday = monday + timedelta(days=6)
    points = tuple(
        each for each in history.points if each.at <= as_of and history.day_of(each.at) <= sunday
    )
    known = History(patient=history.patient, points=points, line=history.line)
    so_far = min(sunday, history.day_of(as_of))
    worn, pricked = split(known)
    return PatientWeek(
        patient=history.patient,
        week=week,
        first_day=monday,
        last_day=sunday,
        as_of=as_of,
        quality=_quality(known, inputs.rejected_at, monday, so_far),
        pressure=pressure_week(known, first_day=monday, last_day=sunday),
        glucose=glucose_week(known, pricked, first_day=monday, last_day=sunday),
        sensor=sensor_week(
            worn,
            history.patient.timezone,
            first_day=monday,
            seen_day=so_far,
            as_of=as_of,
            # sensors speak mg/dL on the air, Chinese doctors mmol/L
            shown=Unit.MMOL_PER_L if history.patient.locale.startswith("zh") else None,
        ),
        concerns=inputs.concerns,
        alerts=inputs.alerts,
        gaps=tuple(_gaps(known, inputs.rejected_at, monday, so_far)),
        measuring=inputs.measuring,
    )


def _quality(
    history: History, rejected_at: Sequence[datetime], monday: date, so_far: date
) -> Quality:
    points = [each for each in history.points if history.day_of(each.at) >= monday]
    cuffs = cuff_readings(points)
    counts = {
        "pressure": len(cuffs),
        "glucose": sum(each.kind is Kind.GLUCOSE for each in points),
    }
    records = _records(points)
    return Quality(
        readings=counts,
        suspect=sum(each.is_suspect for each in records),
        unsure=sum(each.is_unsure for each in records),
        rejected=sum(monday <= history.day_of(at) <= so_far for at in rejected_at),
        days_with_data=len({history.day_of(each.at) for each in points}),
        days_so_far=(so_far - monday).days + 1,
    )


def _records(points: Iterable[Point]) -> list[Point]:
    # a cuff's record holds several values: it is doubted once
    return list({(each.device, each.at, each.sequence): each for each in points}.values())


def _gaps(
    history: History, rejected_at: Sequence[datetime], monday: date, so_far: date
) -> Iterable[Gap]:
    refused = {history.day_of(at) for at in rejected_at}
    week = [monday + timedelta(days=number) for number in range((so_far - monday).days + 1)]
    for kind in _NAMED:
        measured = {history.day_of(each.at) for each in history.of(kind)}
        if (
            len({day for day in measured if day > so_far - timedelta(days=CHART_DAYS)})
            < _USUAL_DAYS
        ):
            continue
        missing = [day for day in week if day not in measured]
        for reason in Missing:
            days = [day for day in missing if _reason(history, day, refused) is reason]
            if days:
                yield Gap(kind=kind, days=tuple(days), reason=reason)


def _reason(history: History, day: date, refused: set[date]) -> Missing:
    if day in refused:
        return Missing.REJECTED
    return Missing.NOT_RECEIVED if _was_dark(history, history.line, day) else Missing.NOT_MEASURED


def _was_dark(history: History, line: Line, day: date) -> bool:
    """Had every gateway of the household fallen silent by that day?"""
    seen = [each.last_seen_at for each in line.gateways]
    return bool(seen) and all(at is None or history.day_of(at) < day for at in seen)
