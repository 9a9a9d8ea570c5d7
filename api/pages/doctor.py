"""The doctor's list: who needs a look first, why, and this week's numbers.

Four hundred patients cost three queries, never one each. May hold: reading and putting together.
May not: an order of its own (`rules/need.py`), SQL.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from api.access import Relation
from api.pages import quarantine
from api.render import locale_of, page
from api.view import panel
from api.visitor import Db, Now, SignedIn
from store import pages
from store.pool import transaction

# closed alerts that nobody reviewed keep a patient in sight for so long
LOOK_BACK = timedelta(days=7)

router = APIRouter(tags=["pages"], include_in_schema=False)


@router.get("/doctor", response_class=HTMLResponse)
def doctor_page(
    request: Request,
    visitor: SignedIn,
    db: Db,
    now: Now,
    q: Annotated[str, Query(max_length=80)] = "",
) -> HTMLResponse:
    """The doctor's patients in the order of need; `q` keeps those whose name holds it."""
    wanted = q.strip()
    account_id = visitor.account.id
    with transaction(db) as connection:
        rows = pages.panel(connection, account_id=account_id, now=now)
        if wanted:
            rows = [row for row in rows if wanted.casefold() in row.name.casefold()]
        numbers = pages.panel_numbers(
            connection, account_id=account_id, kinds=panel.KINDS, cuts=panel.CUTS, now=now
        )
        doubted = quarantine.count(connection, account_id, Relation.DOCTOR)
        alerts = pages.alerts(connection, [row.id for row in rows], since=now - LOOK_BACK)
    sections = panel.sections_of(
        rows, numbers=numbers, alerts=alerts, locale=locale_of(request), now=now
    )
    shown = {
        "sections": sections,
        "total": len(rows),
        "wanted": wanted,
        "now": now,
        "doubted": doubted,
    }
    return page(request, "doctor.html", shown)
