"""The family's page: is all well, look in or call; which hop is silent; who has taken an alert.

May hold: reading for all relatives at once and putting together. May not: judgement, SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import Connection

from api.access import Deed, Relation
from api.alerts import take_on
from api.inbox import MOST
from api.moment import local_day
from api.pages import quarantine
from api.pages.lines import Lines, lines_of
from api.render import locale_of, page
from api.view import alerts as alert_view
from api.view import latest as latest_view
from api.view.alerts import AlertShown, Reader
from api.view.chain import DEVICE_KINDS, Chain
from api.view.chart import Chart, glucose_chart, pressure_chart
from api.view.latest import Shown
from api.view.state import State, state_of, urgency
from api.visitor import Db, Now, SignedIn, allowed, signed_form
from store import inbox, measurements, pages, people
from store.measurements import Stored
from store.pages import AlertRow, Day
from store.people import RelatedPatient
from store.pool import transaction
from vitals.kinds import Kind

# closed alerts stay in sight for so long
LOOK_BACK = timedelta(days=7)
_CHARTED = (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.GLUCOSE)

router = APIRouter(tags=["pages"], include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One card of the page."""

    id: int
    name: str
    zone: ZoneInfo
    state: State
    newest_at: datetime | None
    values: list[Shown]
    alerts: list[AlertShown]
    chain: Chain
    charts: list[Chart]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """All that the page reads, for all relatives."""

    relatives: list[RelatedPatient]
    alerts: list[AlertRow]
    newest: dict[int, dict[Kind, Stored]]
    days: list[Day]
    lines: Lines


@router.get("/family", response_class=HTMLResponse)
def family_page(request: Request, visitor: SignedIn, db: Db, now: Now) -> HTMLResponse:
    """The page of a family member: whoever needs them most comes first."""
    locale = locale_of(request)
    with transaction(db) as connection:
        read = _read(connection, visitor.account.id, now)
        unnamed = inbox.count_waiting(connection, [each.id for each in read.relatives], limit=MOST)
        doubted = quarantine.count(connection, visitor.account.id, Relation.FAMILY)
    persons = [_person(each, read, now=now, locale=locale) for each in read.relatives]
    shown = {
        "people": sorted(persons, key=lambda each: urgency(each.state)),
        "now": now,
        "home_zone": persons[0].zone if persons else ZoneInfo("Asia/Shanghai"),
        "device_kinds": DEVICE_KINDS,
        "unnamed": unnamed,
        "doubted": doubted,
    }
    return page(request, "family.html", shown)


@router.post(
    "/family/patients/{patient_id}/alerts/{alert_id}/acknowledge",
    dependencies=[Depends(signed_form)],
)
def acknowledge(
    patient_id: Annotated[int, Depends(allowed(Deed.ACKNOWLEDGE))],
    alert_id: int,
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> Response:
    """The visitor takes an alert on; everybody related sees who did and when."""
    take_on(db, patient_id=patient_id, alert_id=alert_id, account_id=visitor.account.id, now=now)
    return RedirectResponse(f"/family#alert-{alert_id}", status_code=303)


def _read(connection: Connection[Any], account_id: int, now: datetime) -> _Read:
    relatives = [
        each
        for each in people.patients_of_account(connection, account_id)
        if each.relation == Relation.FAMILY
    ]
    ids = [each.id for each in relatives]
    return _Read(
        relatives=relatives,
        alerts=pages.alerts(connection, ids, since=now - LOOK_BACK),
        newest={each: measurements.newest(connection, each) for each in ids},
        days=pages.days(connection, patients=ids, kinds=_CHARTED, now=now, last=7),
        lines=lines_of(connection, ids),
    )


def _person(patient: RelatedPatient, read: _Read, *, now: datetime, locale: str) -> Person:
    alerts = alert_view.shown(
        [row for row in read.alerts if row.patient_id == patient.id],
        reader=Reader.FAMILY,
        locale=locale,
    )
    values = latest_view.shown(read.newest[patient.id], targets=patient.targets, now=now)
    newest_at = latest_view.newest(values)
    chain = read.lines.of(
        patient.id, alerts=alerts, has_data=newest_at is not None, now=now, locale=locale
    )
    zone = ZoneInfo(patient.timezone)
    return Person(
        id=patient.id,
        name=patient.name,
        zone=zone,
        state=state_of(alerts, values=values, is_broken=chain.is_broken, now=now),
        newest_at=newest_at,
        values=values,
        alerts=alerts,
        chain=chain,
        charts=charts_of([row for row in read.days if row.patient_id == patient.id], now, zone),
    )


def charts_of(rows: Sequence[Day], now: datetime, zone: ZoneInfo) -> list[Chart]:
    """The small charts of one person's last seven days: only what was measured."""
    today = local_day(now, zone)
    made = (pressure_chart(rows, last_day=today), glucose_chart(rows, last_day=today))
    return [chart for chart in made if chart is not None]
