"""Coming in by a one-time link, leaving, choosing language and text size.

Opening a link only shows a page with one button: messengers fetch links to preview them, and must
not use them up. Pressing the button uses the link and opens a session. May hold: the doors, open to
strangers. May not: anything about a patient.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg import Connection

from api.config import ApiSettings
from api.render import LOCALE_COOKIE, TEXT_COOKIE, TEXT_SIZES, page
from api.session import cookie_name, hash_of, is_token, new_token, safe_path
from api.visitor import Db, Now, Settings, SignedIn, find_visitor, sent_from_here, signed_form
from api.words import LOCALES
from store.people import Account
from store.pool import transaction
from store.sessions import add_link, close_session, open_session, sweep, use_link
from vitals.errors import MendData

# hours that a fresh link waits for its person
LINK_HOURS = 72
# seconds; a language stays chosen for a year
_YEAR_S = 365 * 24 * 3600

router = APIRouter(tags=["doors"], include_in_schema=False)


def make_link(
    connection: Connection[Any],
    *,
    base_url: str,
    account_id: int,
    now: datetime,
    hours: float = LINK_HOURS,
) -> str:
    """The address of a fresh one-time link for an account; it works once, within these hours."""
    token = new_token()
    add_link(
        connection,
        token_hash=hash_of(token),
        account_id=account_id,
        expires_at=now + timedelta(hours=hours),
    )
    return f"{base_url.rstrip('/')}/enter/{token}"


@router.get("/", response_class=HTMLResponse)
def front(request: Request, db: Db, at: Now) -> Response:
    """One's own page for somebody who is signed in, else how to come in."""
    try:
        visitor = find_visitor(request, db, at)
    except MendData:
        # several people are signed in in this browser
        return page(request, "welcome.html", {"several": True})
    if visitor is None:
        return page(request, "welcome.html", {"several": False})
    return RedirectResponse(f"/{visitor.account.role}", status_code=303)


@router.get("/enter/{token}", response_class=HTMLResponse)
def show_door(request: Request, token: str) -> Response:
    """A page with one button; looks at nothing, changes nothing, says nothing about the link."""
    return page(request, "enter.html", {"token": token if is_token(token) else "", "used": False})


@router.post("/enter/{token}", dependencies=[Depends(sent_from_here)])
def come_in(request: Request, token: str, db: Db, at: Now, settings: Settings) -> Response:
    """Uses the link up and opens a session; a used or expired one says what to do."""
    session = new_token()
    expires_at = at + timedelta(days=settings.session_days)
    with transaction(db) as connection:
        sweep(connection, at)
        account = (
            use_link(connection, token_hash=hash_of(token), now=at) if is_token(token) else None
        )
        if account is not None:
            open_session(
                connection,
                token_hash=hash_of(session),
                account_id=account.id,
                expires_at=expires_at,
            )
    if account is None:
        shown = page(request, "enter.html", {"token": "", "used": True})
        shown.status_code = 410
        return shown
    answer = RedirectResponse(f"/{account.role}", status_code=303)
    _set_session(answer, session=session, account=account, settings=settings)
    return answer


@router.post("/{role}/leave", dependencies=[Depends(signed_form)])
def leave(role: str, visitor: SignedIn, db: Db, settings: Settings) -> Response:
    """Ends the session, here and in the database."""
    with transaction(db) as connection:
        close_session(connection, hash_of(visitor.token))
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(
        cookie_name(role, is_https=settings.is_https), secure=settings.is_https, httponly=True
    )
    return answer


@router.post("/language", dependencies=[Depends(sent_from_here)])
def choose_language(
    settings: Settings, locale: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Chooses the language of the pages in this browser."""
    return _choose(settings, back=back, cookie=LOCALE_COOKIE, value=locale, among=LOCALES)


@router.post("/text-size", dependencies=[Depends(sent_from_here)])
def choose_text_size(
    settings: Settings, size: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Chooses the size of the patient's text in this browser."""
    return _choose(settings, back=back, cookie=TEXT_COOKIE, value=size, among=TEXT_SIZES)


def _choose(
    settings: ApiSettings, *, back: str, cookie: str, value: str, among: tuple[str, ...]
) -> Response:
    answer = RedirectResponse(safe_path(back), status_code=303)
    if value in among:
        answer.set_cookie(
            cookie, value, max_age=_YEAR_S, secure=settings.is_https, httponly=True, samesite="lax"
        )
    return answer


def _set_session(
    answer: Response, *, session: str, account: Account, settings: ApiSettings
) -> None:
    answer.set_cookie(
        cookie_name(account.role, is_https=settings.is_https),
        session,
        max_age=settings.session_days * 24 * 3600,
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
