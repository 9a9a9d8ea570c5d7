"""Reminders: written ahead for the coming days, marked done by measurements, told when due.

Everything here may be done twice: a reminder is one row for each task and moment, a message one key
in the outbox. May hold: the thin layer over `store/plans.py` for reminders. May not: SQL, channels.
"""

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from psycopg import Connection

from care_plans.adherence import Slot, Taken, matched
from care_plans.document import schedule_of
from care_plans.plan import COUNTED_KIND, Plan
from care_plans.rows import plan_of_row, task_of_row
from care_plans.schedule import WINDOW, Due, dues_of_days, local_day, moment, zone_of
from care_plans.words import reminder_body
from store import outbox, plans
from vitals.kinds import VITALS

# whole days ahead for which reminders stand
_DAYS_AHEAD = 2
# how far reminders must reach at least: written again at the start of each day of the patient
REACH = timedelta(days=2)
# how far back late readings still mark a reminder done
SETTLED = timedelta(days=3)
# S1, "tell the patient": clinical reference §1
SEVERITY = 1
LINK = "/patient"

_SESSION_OF_CODE = {VITALS[kind].code: session for session, kind in COUNTED_KIND.items()}


def write_ahead(
    connection: Connection[Any], *, patient_id: int, now: datetime, missed: timedelta = timedelta()
) -> None:
    """The coming reminders of a patient are those of its plan as it stands now.

    `missed`: also those that fell due so long ago, because this process may have been away. After
    a change of the plan nothing was missed: what the old plan asked for was told.
    """
    row = plans.lock_plan(connection, patient_id)
    if row is None:
        return
    plan, zone = plan_of_row(connection, row), zone_of(row["timezone"])
    today = local_day(now, zone)
    last = today + timedelta(days=_DAYS_AHEAD)
    first = today - timedelta(days=1)
    plans.set_reminders(
        connection,
        plan_id=plan.id,
        patient_id=patient_id,
        wanted=[
            (each.task.id, each.at)
            for each in dues_of_days(plan.tasks, first=first, last=last, zone=zone)
            if each.at > now - missed and each.task.id is not None
        ],
        now=now,
        until=moment(last + timedelta(days=1), time(0), zone),
    )


def settle(connection: Connection[Any], *, patient_id: int, now: datetime) -> int:
    """How many reminders of the last days are newly known to be done, early ones included."""
    first, last = now - SETTLED, now + 2 * WINDOW
    rows = plans.reminders(connection, patient_id=patient_id, first=first, last=last)
    if all(each["done_at"] for each in rows):
        return 0
    dues = [_due(each) for each in rows]
    slots = matched(dues, taken(connection, patient_id=patient_id, first=first, last=last))
    newly = [
        (row, slot)
        for row, slot in zip(rows, slots, strict=True)
        if row["done_at"] is None and slot.taken_at
    ]
    for row, slot in newly:
        plans.mark_done(connection, id=row["id"], done_at=slot.taken_at[0])
    return len(newly)


def tell(connection: Connection[Any], *, patient_id: int, now: datetime) -> int:
    """How many reminders were put into the outbox now: due, not done, at most two hours old."""
    settle(connection, patient_id=patient_id, now=now)
    rows = plans.take_reminders(connection, patient_id=patient_id, now=now, since=now - WINDOW)
    accounts = plans.own_accounts(connection, patient_id)
    if not accounts:
        return 0
    for due_at, together in groupby(rows, key=lambda each: each["due_at"]):
        body = reminder_body([schedule_of(each["schedule"]) for each in together], link=LINK)
        for account_id in accounts:
            outbox.put(
                connection,
                key=f"reminder/{patient_id}/{due_at.timestamp():.0f}/{account_id}",
                account_id=account_id,
                patient_id=patient_id,
                severity=SEVERITY,
                body=body,
                due_at=now,
                expires_at=due_at + WINDOW,
            )
    plans.mark_told(connection, ids=[each["id"] for each in rows], now=now)
    return len(rows)


def taken(
    connection: Connection[Any], *, patient_id: int, first: datetime, last: datetime
) -> list[Taken]:
    """What was measured from `first` to before `last`, by session."""
    rows = plans.taken(
        connection, patient_id=patient_id, kinds=list(_SESSION_OF_CODE), first=first, last=last
    )
    return [Taken(session=_SESSION_OF_CODE[each["kind"]], at=each["taken_at"]) for each in rows]


def slots_of_days(
    connection: Connection[Any], plan: Plan, *, first: date, last: date, zone: str
) -> tuple[Slot, ...]:
    """The planned sessions of these local days, both included, with what was measured."""
    there = zone_of(zone)
    dues = dues_of_days(plan.tasks, first=first, last=last, zone=there)
    if not dues:
        return ()
    readings = taken(
        connection,
        patient_id=plan.patient_id,
        first=dues[0].at - WINDOW,
        last=dues[-1].at + WINDOW + timedelta(seconds=1),
    )
    return matched(dues, readings)


def _due(row: plans.Row) -> Due:
    task = task_of_row(row, id="task_id")
    return Due(task=task, at=row["due_at"], local=row["due_at"].time())
