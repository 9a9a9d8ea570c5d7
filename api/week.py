"""One patient's week for those who show it: the report with what the plan asked for, and signing.

Page and JSON go through here, so that what is signed is what was shown. May hold: this bridge
between report and care plan, and the errors a reader gets. May not: numbers, HTTP, SQL.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from api.errors import TooLate, Unknown, WeekOpen
from api.moment import local_day
from care_plans import records as plans
from care_plans.adherence import adherence
from care_plans.plan import Session
from care_plans.remind import slots_of_days
from rules.report import records
from rules.report.shape import Report
from rules.report.week import Measuring, first_day_of, week_of
from store import people
from store.people import Patient
from store.reports import Signed
from vitals.errors import AskPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A patient's ISO week on the patient's calendar."""

    patient: Patient
    name: str
    monday: date
    sunday: date
    today: date

    @property
    def is_running(self) -> bool:
        """Is the week not over yet?"""
        return self.today <= self.sunday


def week_asked(
    connection: Connection[Any], *, patient_id: int, name: str | None, now: datetime
) -> Week:
    """The week of this name, or the running one. Raises Unknown for none, or one to come."""
    patient = people.patient(connection, patient_id)
    if patient is None:
        raise Unknown("There is no such patient.")
    today = local_day(now, ZoneInfo(patient.timezone))
    monday = _monday(name or week_of(today))
    if monday > today:
        raise Unknown("This week has not begun.")
    return Week(
        patient=patient,
        name=week_of(monday),
        monday=monday,
        sunday=monday + timedelta(days=6),
        today=today,
    )


def report_of(
    connection: Connection[Any], week: Week, *, now: datetime
) -> tuple[Report, Signed | None]:
    """The report: as signed where it is, else as the data stand now."""
    return records.report(
        connection,
        patient_id=week.patient.id,
        week=week.name,
        now=now,
        measuring=_measuring(connection, week, now),
    )


def sign_report(
    connection: Connection[Any], week: Week, *, account_id: int, comment: str, now: datetime
) -> Signed:
    """The report, archived as it stands. Raises WeekOpen, or TooLate for a signed week."""
    if week.is_running:
        raise WeekOpen("The week is not over yet.")
    try:
        return records.sign(
            connection,
            patient_id=week.patient.id,
            week=week.name,
            account_id=account_id,
            now=now,
            measuring=_measuring(connection, week, now),
            comment=comment.strip(),
        )
    except AskPerson as error:
        raise TooLate(str(error)) from error


def _monday(name: str) -> date:
    try:
        monday = first_day_of(name)
    except ValueError as error:
        raise Unknown("There is no such week.") from error
    # 2026-W7 is not how a week is written: an archive knows each by one name only
    if week_of(monday) != name:
        raise Unknown("There is no such week.")
    return monday


def _measuring(connection: Connection[Any], week: Week, now: datetime) -> list[Measuring]:
    """What the plan asked for in the week and what was done of it, by kind of session."""
    plan = plans.plan_of(connection, week.patient.id)
    if plan is None:
        return []
    slots = slots_of_days(
        connection, plan, first=week.monday, last=week.sunday, zone=week.patient.timezone
    )
    found = []
    for session in Session:
        counted = adherence([each for each in slots if each.due.task.session is session], now=now)
        if counted.percent is not None:
            done = counted.planned * counted.percent / 100
            found.append(
                Measuring(session=session.value, planned=counted.planned, done=round(done, 6))
            )
    return found
