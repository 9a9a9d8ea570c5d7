"""The one place where errors become HTTP: a status, a sentence in the reader's language, a way on.

A page gets a page, a program gets `{"error": …, "do": …}`; nobody gets a stack trace or the inside
of a message, which may name hosts. The errors of the door are here too, named by what to do next.
May hold: those errors, the table and the handlers. May not: routes.
"""

import logging
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from api.render import locale_of, page
from api.words import say
from vitals.errors import (
    AskPerson,
    KangbanError,
    MendData,
    MendDevice,
    MendSettings,
    TryAgain,
)

log = logging.getLogger(__name__)


class ComeIn(AskPerson):
    """Nobody is signed in: open your own link."""


class Unknown(AskPerson):
    """There is no such thing for this visitor: go back to your own page."""


class NotAllowed(AskPerson):
    """The relation does not permit this: ask the doctor or the family."""


class NotFromHere(AskPerson):
    """Another site, or an old page, sent this: open the page here and do it again."""


class Choose(MendData):
    """Several people are signed in in this browser: say which."""


class WeekOpen(MendData):
    """The week is not over: sign it from the next Monday on."""


class TooLate(MendData):
    """Somebody decided this before: reload the page and look."""


class Busy(TryAgain):
    """The gateway is adding a device for somebody else: wait until they are done."""


class SomebodyElses(AskPerson):
    """The device is somebody else's in this home: say whose its readings are to be."""


class AnotherHomes(AskPerson):
    """The device belongs to another home: it must be removed there first."""


class TooOften(TryAgain):
    """This account asks gateways for too much: wait a minute."""


class CodeRefused(AskPerson):
    """A gateway's code is wrong, used or too old: let the page make another."""


class GatewayRefused(AskPerson):
    """A gateway that is not known, or was shut out, or shows a wrong time: set it up anew."""


class NameTaken(MendData):
    """A gateway cannot have this name: choose another."""


class NoAuthority(MendSettings):
    """This server has no authority that could sign: ask whoever runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How an error is told: its status and the name of its words (`<name>`, `<name>_do`)."""

    status: int
    words: str


# Read from the top: the first class that fits is told.
TELLINGS: tuple[tuple[type[Exception], Telling], ...] = (
    (ComeIn, Telling(status=401, words="error_come_in")),
    (Unknown, Telling(status=404, words="error_unknown")),
    (NotFromHere, Telling(status=403, words="error_not_from_here")),
    (SomebodyElses, Telling(status=409, words="error_somebody_elses")),
    (AnotherHomes, Telling(status=409, words="error_another_homes")),
    (CodeRefused, Telling(status=403, words="error_code")),
    (GatewayRefused, Telling(status=403, words="error_gateway")),
    (AskPerson, Telling(status=403, words="error_not_allowed")),
    (Choose, Telling(status=400, words="error_choose")),
    (TooLate, Telling(status=409, words="error_too_late")),
    (WeekOpen, Telling(status=409, words="error_week_open")),
    (NameTaken, Telling(status=409, words="error_name_taken")),
    (RequestValidationError, Telling(status=422, words="error_mend_data")),
    (MendData, Telling(status=422, words="error_mend_data")),
    (MendDevice, Telling(status=502, words="error_mend_device")),
    (NoAuthority, Telling(status=501, words="error_no_authority")),
    (MendSettings, Telling(status=500, words="error_mend_settings")),
    (Busy, Telling(status=409, words="error_busy")),
    (TooOften, Telling(status=429, words="error_too_often")),
    (TryAgain, Telling(status=503, words="error_try_again")),
    (PoolTimeout, Telling(status=503, words="error_try_again")),
)
_BROKEN = Telling(status=500, words="error_broken")
# seconds; the database of a household is back within a few
_RETRY_AFTER_S = 5


def telling_of(error: Exception) -> Telling:
    """How this error is told; 500 for one that nobody thought of."""
    for kind, telling in TELLINGS:
        if isinstance(error, kind):
            return telling
    return _BROKEN


def wants_page(request: Request) -> bool:
    """Does a person wait for a page, and not a program for JSON?"""
    path = request.url.path
    return not path.startswith(
        ("/api/", "/enrol", "/events", "/healthz", "/readyz", "/openapi.json")
    )


def add_handlers(app: FastAPI) -> None:
    """Makes the application tell every error this way."""
    for kind in (KangbanError, PoolTimeout, RequestValidationError):
        app.add_exception_handler(kind, _tell)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(Exception, _tell_broken)


def _tell(request: Request, error: Exception) -> Response:
    telling = telling_of(error)
    if isinstance(error, ComeIn) and wants_page(request) and request.method == "GET":
        return RedirectResponse("/", status_code=303)
    if telling.status >= 500 or error.__cause__ is not None:
        # the message says what to do; the address is left out, it may carry a token
        log.warning("%s: %s", type(error).__name__, error)
    return _answer(request, telling)


def _tell_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = "error_unknown" if status in (404, 405) else "error_broken"
    return _answer(request, Telling(status=status, words=words))


def _tell_broken(request: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return _answer(request, _BROKEN)


def _answer(request: Request, telling: Telling) -> Response:
    locale = locale_of(request)
    headers = {"Retry-After": str(_RETRY_AFTER_S)} if telling.status == 503 else {}
    sentence, way_on = say(telling.words, locale), say(f"{telling.words}_do", locale)
    if not wants_page(request):
        document = {"error": sentence, "do": way_on}
        return JSONResponse(document, status_code=telling.status, headers=headers)
    shown = page(request, "error.html", {"sentence": sentence, "way_on": way_on})
    shown.status_code = telling.status
    shown.headers.update(headers)
    return shown
