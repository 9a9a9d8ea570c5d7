"""Weekly reports: as JSON, as a page, as PDF, as archived; signing; and their stylesheet.

May hold: shapes and reads. May not: numbers or wording (`rules/report`), SQL.
"""

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api.access import Deed
from api.errors import Unknown
from api.render import REPORT_CSS, locale_of, page
from api.visitor import Db, Now, SignedIn, allowed, signed_json
from api.week import Week, report_of, sign_report, week_asked
from api.words import say
from rules.report.build import sections_html, stylesheet, to_json
from rules.report.pdf import page_pdf
from store import reports as archive
from store.pool import transaction
from store.reports import Signed

# letters of a doctor's comment
COMMENT_AT_MOST = 2000

router = APIRouter(tags=["reports"])

Read = Annotated[int, Depends(allowed(Deed.READ_REPORT))]


class SignedOut(BaseModel):
    """Who signed, when, with which comment; `digest` is the SHA-256 of the archived bytes."""

    by: str
    at: datetime
    comment: str
    digest: str
    is_intact: bool


class ReportOut(BaseModel):
    """A week's report. Sections carry both languages; `signed` is null until it is signed."""

    week: str
    is_running: bool
    signed: SignedOut | None
    report: dict[str, Any]


class SignIn(BaseModel):
    """What a doctor adds to a signature."""

    comment: str = Field(default="", max_length=COMMENT_AT_MOST)


@router.get("/api/patients/{patient_id}/reports")
def signed_weeks(patient_id: Read, db: Db) -> list[str]:
    """The weeks that are signed, newest first."""
    with transaction(db) as connection:
        return list(archive.signed_weeks(connection, patient_id))


@router.get("/api/patients/{patient_id}/reports/{week}")
def report(patient_id: Read, week: str, db: Db, now: Now) -> ReportOut:
    """The report of an ISO week (2026-W47): as signed, else as the data stand now."""
    with transaction(db) as connection:
        asked = week_asked(connection, patient_id=patient_id, name=week, now=now)
        found, signed = report_of(connection, asked, now=now)
    return ReportOut(
        week=asked.name,
        is_running=asked.is_running,
        signed=signed_out(signed) if signed else None,
        report=json.loads(to_json(found)),
    )


@router.get("/api/patients/{patient_id}/reports/{week}/page", response_class=HTMLResponse)
def report_page(request: Request, patient_id: Read, week: str, db: Db, now: Now) -> HTMLResponse:
    """The report alone, to read, print or keep."""
    with transaction(db) as connection:
        asked = week_asked(connection, patient_id=patient_id, name=week, now=now)
        found, signed = report_of(connection, asked, now=now)
    shown = {
        "week": asked.name,
        "report": sections_html(found, locale_of(request)),
        "signed": signed_out(signed) if signed else None,
        "patient": asked.patient,
        "zone": ZoneInfo(asked.patient.timezone),
        "now": now,
    }
    return page(request, "report.html", shown)


@router.get("/api/patients/{patient_id}/reports/{week}/pdf", response_class=Response)
def report_pdf(request: Request, patient_id: Read, week: str, db: Db, now: Now) -> Response:
    """The report on A4, to print, to keep or to hand on; as signed, else as the data stand now."""
    with transaction(db) as connection:
        asked = week_asked(connection, patient_id=patient_id, name=week, now=now)
        found, signed = report_of(connection, asked, now=now)
    locale = locale_of(request)
    # the number, not the name: a file's name travels further than its content
    name = f"kangban-{patient_id}-{asked.name}.pdf"
    return Response(
        page_pdf(found, locale, signature=_signature(signed, asked, locale)),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )


@router.get("/api/patients/{patient_id}/reports/{week}/archive")
def archived(patient_id: Read, week: str, db: Db, now: Now) -> Response:
    """The bytes that were signed, exactly."""
    with transaction(db) as connection:
        asked = week_asked(connection, patient_id=patient_id, name=week, now=now)
        signed = archive.signed(connection, patient_id=patient_id, week=asked.name)
    if signed is None:
        raise Unknown("Nobody has signed this week.")
    return Response(signed.content, media_type="application/json")


def _signature(signed: Signed | None, week: Week, locale: str) -> str:
    if signed is None:
        return ""
    at = signed.signed_at.astimezone(ZoneInfo(week.patient.timezone))
    parts = [f"{say('signed', locale)}: {signed.signed_by}", f"{at:%Y-%m-%d %H:%M}"]
    parts += [signed.comment] if signed.comment else []
    parts += [] if signed.is_intact else [say("signed_broken", locale)]
    return " · ".join([*parts, f"SHA-256 {signed.digest.hex()}"])


@router.post("/api/patients/{patient_id}/reports/{week}/sign", dependencies=[Depends(signed_json)])
def sign(
    patient_id: Annotated[int, Depends(allowed(Deed.SIGN))],
    week: str,
    words: SignIn,
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> SignedOut:
    """Archives the report as it stands, under the caller's name; once."""
    with transaction(db) as connection:
        asked = week_asked(connection, patient_id=patient_id, name=week, now=now)
        signed = sign_report(
            connection, asked, account_id=visitor.account.id, comment=words.comment, now=now
        )
    return signed_out(signed)


@router.get(f"/static/{REPORT_CSS}", include_in_schema=False)
def report_css() -> Response:
    """The look of the report's sections."""
    return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def signed_out(signed: Signed) -> SignedOut:
    """A signature as programs see it."""
    return SignedOut(
        by=signed.signed_by,
        at=signed.signed_at,
        comment=signed.comment,
        digest=signed.digest.hex(),
        is_intact=signed.is_intact,
    )
