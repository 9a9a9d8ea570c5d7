"""Who is asking, and whether they may: the dependencies that every route but the doors declares.

`signed_in` gives the Visitor behind the session cookie; `allowed(deed)` also asks `access.py` about
the `patient_id` of the address and gives it back; `sent_from_here` guards whatever changes
something. A route that forgets them fails the test that walks all routes. May hold: the way from a
request to a Visitor. May not: what a relation permits (`access.py`), SQL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request

from api.access import Answer, Deed, Relation, may
from api.config import ApiSettings
from api.errors import Choose, ComeIn, NotAllowed, NotFromHere, Unknown
from api.session import (
    ROLES,
    comes_from_here,
    cookie_name,
    form_token,
    hash_of,
    is_form_token,
    is_token,
)
from store.people import Account
from store.pool import Pool, transaction
from store.sessions import account_of_session, relation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person with a living session."""

    account: Account
    token: str

    @property
    def form_token(self) -> str:
        """What a form of this session carries."""
        return form_token(self.token)


def pool(request: Request) -> Pool:
    """The connections of this application."""
    return cast(Pool, request.app.state.pool)


def settings(request: Request) -> ApiSettings:
    """The settings of this application."""
    return cast(ApiSettings, request.app.state.settings)


def now(request: Request) -> datetime:
    """This moment, by the clock that the application was made with."""
    return cast(Callable[[], datetime], request.app.state.clock)()


Db = Annotated[Pool, Depends(pool)]
Settings = Annotated[ApiSettings, Depends(settings)]
Now = Annotated[datetime, Depends(now)]


def role_asked(request: Request) -> str | None:
    """The role whose session is meant: the first part of a page's address, or `?as=…`."""
    first = request.url.path.split("/")[1]
    named = first if first in ROLES else request.query_params.get("as")
    return named if named in ROLES else None


def session_token(request: Request, role: str | None) -> str | None:
    """The session token in the cookies for a role, or the only one there is.

    Raises Choose where several sessions are open in this browser and none was named.
    """
    is_https = settings(request).is_https
    names = (role,) if role else ROLES
    tokens = [request.cookies.get(cookie_name(each, is_https=is_https), "") for each in names]
    found = [token for token in tokens if is_token(token)]
    if len(found) > 1:
        raise Choose("Several people are signed in here: say which with ?as=doctor.")
    return found[0] if found else None


def find_visitor(request: Request, db: Db, at: Now) -> Visitor | None:
    """The visitor behind the session cookie; None for somebody who has not come in."""
    role = role_asked(request)
    token = session_token(request, role)
    if token is None:
        return None
    with transaction(db) as connection:
        account = account_of_session(connection, token_hash=hash_of(token), now=at)
    if account is None or (role and account.role != role):
        return None
    return Visitor(account=account, token=token)


def signed_in(request: Request, db: Db, at: Now) -> Visitor:
    """The visitor. Raises ComeIn where nobody is signed in."""
    visitor = find_visitor(request, db, at)
    if visitor is None:
        raise ComeIn("Open your own link to come in.")
    request.state.visitor = visitor
    return visitor


SignedIn = Annotated[Visitor, Depends(signed_in)]


def allowed(deed: Deed) -> Callable[..., int]:
    """A dependency that gives the address's `patient_id` back where the visitor may do this.

    Raises Unknown for a patient that the visitor has nothing to do with, NotAllowed for a deed that
    the relation does not permit.
    """

    def ask(patient_id: int, visitor: SignedIn, db: Db) -> int:
        with transaction(db) as connection:
            relation = relation_of(connection, account_id=visitor.account.id, patient_id=patient_id)
        answer = may(Relation(relation) if relation else None, deed)
        if answer is Answer.UNKNOWN:
            raise Unknown("There is no such patient for you.")
        if answer is Answer.NOT_ALLOWED:
            raise NotAllowed("Your relation to this patient does not permit this.")
        return patient_id

    ask.deed = deed  # type: ignore[attr-defined]  # read by the test that walks all routes
    return ask


def sent_from_here(request: Request, where: Settings) -> None:
    """Refuses a POST that another site made the browser send. Raises NotFromHere."""
    public = urlsplit(where.public_url).netloc
    hosts = frozenset({request.headers.get("host", "").lower(), public.lower()} - {""})
    if not comes_from_here(
        origin=request.headers.get("origin"),
        fetch_site=request.headers.get("sec-fetch-site"),
        hosts=hosts,
    ):
        raise NotFromHere("This form was sent by another site; open the page here and try again.")


def signed_form(
    visitor: SignedIn,
    _here: Annotated[None, Depends(sent_from_here)],
    form_token: Annotated[str, Form()] = "",
) -> None:
    """Refuses a form that was not made for this session. Raises NotFromHere."""
    if not is_form_token(form_token, visitor.token):
        raise NotFromHere("This form is not of your session; reload the page and try again.")


def signed_json(
    request: Request, visitor: SignedIn, _here: Annotated[None, Depends(sent_from_here)]
) -> None:
    """Refuses a change over JSON that a form of another site could send. Raises NotFromHere.

    A foreign page cannot send this content type without asking first, and we answer no such ask.
    """
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        raise NotFromHere("Send application/json.")
