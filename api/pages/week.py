"""One patient's week for the doctor: the report, what waits for a decision, the signature.

May hold: reading and putting together, and the doctor's buttons. May not: numbers, judgement, SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import Connection

from api.access import Deed
from api.alerts import take_on
from api.moment import is_chinese
from api.pages.doctor import LOOK_BACK
from api.proposals import accept_proposal, refuse_proposal, undo_change
from api.render import locale_of, page
from api.reports import COMMENT_AT_MOST, signed_out
from api.view import alerts as alert_view
from api.view.alerts import Reader
from api.view.panel import age_of
from api.visitor import Db, Now, SignedIn, allowed, signed_form
from api.week import Week, report_of, sign_report, week_asked
from care_plans import records as plans
from care_plans.plan import Words
from rules.report.build import sections_html
from rules.report.week import week_of
from store import measurements, pages, people, reports
from store.pool import transaction

# decided proposals and changes stay in sight for so long
_DECIDED = timedelta(days=14)

router = APIRouter(tags=["pages"], include_in_schema=False)

Treated = Annotated[int, Depends(allowed(Deed.SIGN))]
Acknowledged = Annotated[int, Depends(allowed(Deed.ACKNOWLEDGE))]
Decided = Annotated[int, Depends(allowed(Deed.DECIDE))]
Undone = Annotated[int, Depends(allowed(Deed.UNDO))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A proposal or a change of the plan in the reader's language; `state` is a key of words."""

    id: int
    title: str
    text: str
    state: str
    at: datetime
    by: str
    may_undo: bool = False


@router.get("/doctor/patients/{patient_id}", response_class=HTMLResponse)
def running_week(request: Request, patient_id: Treated, db: Db, now: Now) -> HTMLResponse:
    """The week so far."""
    return _page(request, patient_id, None, db=db, now=now)


@router.get("/doctor/patients/{patient_id}/weeks/{week}", response_class=HTMLResponse)
def one_week(request: Request, patient_id: Treated, week: str, db: Db, now: Now) -> HTMLResponse:
    """One week, signed or to be signed."""
    return _page(request, patient_id, week, db=db, now=now)


@router.post("/doctor/patients/{patient_id}/weeks/{week}/sign", dependencies=[Depends(signed_form)])
def sign(
    patient_id: Treated,
    week: str,
    visitor: SignedIn,
    db: Db,
    now: Now,
    comment: Annotated[str, Form(max_length=COMMENT_AT_MOST)] = "",
) -> Response:
    """Signs and archives the week's report as it stands."""
    with transaction(db) as connection:
        asked = week_asked(connection, patient_id=patient_id, name=week, now=now)
        sign_report(connection, asked, account_id=visitor.account.id, comment=comment, now=now)
    return _back(patient_id, f"/weeks/{asked.name}#signed")


@router.post(
    "/doctor/patients/{patient_id}/alerts/{alert_id}/acknowledge",
    dependencies=[Depends(signed_form)],
)
def acknowledge(
    patient_id: Acknowledged, alert_id: int, visitor: SignedIn, db: Db, now: Now
) -> Response:
    """The doctor takes an alert on."""
    take_on(db, patient_id=patient_id, alert_id=alert_id, account_id=visitor.account.id, now=now)
    return _back(patient_id, f"#alert-{alert_id}")


@router.post(
    "/doctor/patients/{patient_id}/proposals/{proposal_id}/accept",
    dependencies=[Depends(signed_form)],
)
def accept(patient_id: Decided, proposal_id: int, visitor: SignedIn, db: Db, now: Now) -> Response:
    """The doctor accepts a proposal."""
    account_id = visitor.account.id
    accept_proposal(
        db, patient_id=patient_id, proposal_id=proposal_id, account_id=account_id, now=now
    )
    return _back(patient_id, "#proposals")


@router.post(
    "/doctor/patients/{patient_id}/proposals/{proposal_id}/refuse",
    dependencies=[Depends(signed_form)],
)
def refuse(patient_id: Decided, proposal_id: int, visitor: SignedIn, db: Db, now: Now) -> Response:
    """The doctor refuses a proposal."""
    account_id = visitor.account.id
    refuse_proposal(
        db, patient_id=patient_id, proposal_id=proposal_id, account_id=account_id, now=now
    )
    return _back(patient_id, "#proposals")


@router.post(
    "/doctor/patients/{patient_id}/changes/{change_id}/undo", dependencies=[Depends(signed_form)]
)
def undo(patient_id: Undone, change_id: int, visitor: SignedIn, db: Db, now: Now) -> Response:
    """The doctor puts the plan back as it was before the newest change."""
    account_id = visitor.account.id
    undo_change(db, patient_id=patient_id, change_id=change_id, account_id=account_id, now=now)
    return _back(patient_id, "#proposals")


def _page(
    request: Request, patient_id: int, name: str | None, *, db: Db, now: datetime
) -> HTMLResponse:
    locale = locale_of(request)
    with transaction(db) as connection:
        week = week_asked(connection, patient_id=patient_id, name=name, now=now)
        report, signed = report_of(connection, week, now=now)
        alerts = pages.alerts(connection, [patient_id], since=now - LOOK_BACK)
        newest = measurements.newest(connection, patient_id)
        decisions = _decisions(connection, patient_id, locale=locale, now=now)
        due = reports.signed(connection, patient_id=patient_id, week=_before(week))
    shown = {
        "patient": week.patient,
        "age": age_of(week.patient.born_on, week.today),
        "zone": ZoneInfo(week.patient.timezone),
        "now": now,
        "week": week,
        "week_before": week_of(week.monday - timedelta(days=7)),
        "week_after": week_of(week.monday + timedelta(days=7)),
        "due_week": _before(week),
        "due_unsigned": week.is_running and due is None,
        "newest_at": max((each.taken_at for each in newest.values()), default=None),
        "alerts": alert_view.shown(alerts, reader=Reader.DOCTOR, locale=locale),
        "decisions": decisions,
        "report": sections_html(report, locale),
        "signed": signed_out(signed) if signed else None,
    }
    return page(request, "week.html", shown)


def _before(week: Week) -> str:
    """The last whole week: the one that waits for a signature."""
    return week_of(week.today - timedelta(days=7))


def _decisions(
    connection: Connection[Any], patient_id: int, *, locale: str, now: datetime
) -> list[Decision]:
    """What waits for a decision, then what was decided and changed lately."""

    def say(words: Words) -> str:
        return words.zh if is_chinese(locale) else words.en

    proposals = plans.proposals_of(connection, patient_id)
    changes = plans.changes_of(connection, patient_id)
    names = _names(
        connection,
        [each.decided_by for each in proposals] + [each.decided_by for each in changes],
    )
    waiting = [each for each in proposals if each.state == "proposed"]
    closed = [
        each
        for each in proposals
        if each.state in ("refused", "withdrawn") and each.decided_at
        if now - each.decided_at <= _DECIDED
    ]
    return [
        *(
            Decision(
                id=each.id,
                title=say(each.title),
                text=say(each.reason),
                state=each.state,
                at=each.decided_at or each.proposed_at,
                by=names.get(each.decided_by, ""),
            )
            for each in (*waiting, *closed)
        ),
        *(
            Decision(
                id=each.id,
                title=say(each.title),
                text=say(each.explained),
                state="undone" if each.undone_at else "changed",
                at=each.undone_at or each.at,
                by=names.get(each.decided_by, ""),
                may_undo=each.may_undo,
            )
            for each in changes
            if now - each.at <= _DECIDED
        ),
    ]


def _names(connection: Connection[Any], accounts: Sequence[int | None]) -> dict[int | None, str]:
    """The names of those who decided: a handful."""
    found: dict[int | None, str] = {}
    for number in {each for each in accounts if each is not None}:
        account = people.account(connection, number)
        found[number] = account.name if account else ""
    return found


def _back(patient_id: int, where: str) -> Response:
    return RedirectResponse(f"/doctor/patients/{patient_id}{where}", status_code=303)
