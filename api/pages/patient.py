"""The patient's page: today, the newest values, one next step.

Written for somebody of eighty: one column, large text, a word and an icon for every state.
May hold: reading and putting together. May not: judgement (`api/view`), SQL.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.access import Deed, Relation
from api.errors import Unknown
from api.inbox import MOST
from api.moment import local_day
from api.pages.lines import lines_of
from api.proposals import undo_change
from api.render import locale_of, page
from api.view import alerts as alert_view
from api.view import latest as latest_view
from api.view import tasks as task_view
from api.view.alerts import GRAVE, AlertShown, Reader
from api.view.state import state_of
from api.visitor import Db, Now, SignedIn, allowed, signed_form
from care_plans import records
from care_plans.records import ChangeShown
from store import inbox, measurements, pages, people, revisions
from store.people import RelatedPatient
from store.pool import transaction

# a change of the plan is told on the page for so long
_NEWS = timedelta(days=7)

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/patient", response_class=HTMLResponse)
def patient_page(request: Request, visitor: SignedIn, db: Db, now: Now) -> HTMLResponse:
    """The page of the person who is signed in."""
    locale = locale_of(request)
    with transaction(db) as connection:
        person = _oneself(people.patients_of_account(connection, visitor.account.id))
        rows = pages.alerts(connection, [person.id], since=now)
        unnamed = inbox.count_waiting(connection, [person.id], limit=MOST)
        newest = measurements.newest(connection, person.id)
        corrected = revisions.revisions(connection, newest.values())
        lines = lines_of(connection, [person.id])
        slots = records.tasks_of_day(connection, patient_id=person.id, now=now)
        changes = records.changes_of(connection, person.id)
    alerts = alert_view.shown(rows, reader=Reader.PATIENT, locale=locale)
    values = latest_view.shown(newest, targets=person.targets, now=now, corrected=corrected)
    newest_at = latest_view.newest(values)
    chain = lines.of(
        person.id, alerts=alerts, has_data=newest_at is not None, now=now, locale=locale
    )
    zone = ZoneInfo(person.timezone)
    urgent, others = _split(alerts)
    tasks = task_view.shown(slots, locale=locale, now=now)
    shown = {
        "person": person,
        "zone": zone,
        "now": now,
        "today": local_day(now, zone),
        "urgent": urgent,
        "others": others,
        "state_now": state_of(alerts, values=values, is_broken=chain.is_broken, now=now),
        "newest_at": newest_at,
        "values": values,
        "tasks": tasks,
        "step": task_view.next_step(tasks),
        "change": _recent(changes, now),
        "unnamed": unnamed,
    }
    return page(request, "patient.html", shown)


@router.post(
    "/patient/patients/{patient_id}/changes/{change_id}/undo",
    dependencies=[Depends(signed_form)],
)
def undo(
    patient_id: Annotated[int, Depends(allowed(Deed.UNDO))],
    change_id: int,
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Response:
    """The patient puts the plan back as it was before the newest change."""
    undo_change(
        db, patient_id=patient_id, change_id=change_id, account_id=visitor.account.id, now=now
    )
    return RedirectResponse("/patient", status_code=303)


def _recent(changes: Sequence[ChangeShown], now: datetime) -> ChangeShown | None:
    """The newest change of the plan while it is news and stands."""
    for each in changes[:1]:
        if each.may_undo and now - each.at <= _NEWS:
            return each
    return None


def _oneself(related: Sequence[RelatedPatient]) -> RelatedPatient:
    """The patient who is the visitor. Raises Unknown where the account is nobody's own."""
    for each in related:
        if each.relation == Relation.SELF:
            return each
    raise Unknown("This account belongs to no patient.")


def _split(alerts: Sequence[AlertShown]) -> tuple[list[AlertShown], list[AlertShown]]:
    """What stands large on top, and what is told below; one taken on stays until it is over."""
    living = [each for each in alerts if not each.is_closed]
    grave = [each for each in living if each.severity >= GRAVE] or living[:1]
    return grave, [each for each in living if each not in grave]
