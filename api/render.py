"""From a template and what it shows to a page: language, text size, static addresses, escaping.

Every template gets `t` (the words in the reader's language), the visitor, and the token for forms.
May hold: the Jinja environment and what all pages share. May not: what one page shows.
"""

from datetime import date, datetime, timedelta
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import moment
from api.words import LOCALES, say, unit_in
from rules.report.build import stylesheet

HERE = Path(__file__).parent
STATIC = HERE / "static"
LOCALE_COOKIE = "kangban-locale"
TEXT_COOKIE = "kangban-text"
# the look of a report's sections comes with the report (`rules/report`)
REPORT_CSS = "report.css"
# three sizes of the patient's text; MIIT asks for at least 18 and a way to 30 (stylesheet: 20-30)
TEXT_SIZES = ("1", "2", "3")


def locale_of(request: Request) -> str:
    """The reader's language: what was chosen in this browser, else the account's, else Chinese."""
    chosen = request.cookies.get(LOCALE_COOKIE)
    if chosen in LOCALES:
        return chosen
    visitor = getattr(request.state, "visitor", None)
    if visitor is not None and visitor.account.locale in LOCALES:
        return str(visitor.account.locale)
    return LOCALES[0]


def page(request: Request, template: str, shown: dict[str, Any]) -> HTMLResponse:
    """A page in the reader's language."""
    locale = locale_of(request)
    visitor = getattr(request.state, "visitor", None)
    context = {
        "t": partial(_word, locale),
        "unit": partial(unit_in, locale),
        "locale": locale,
        "is_chinese": moment.is_chinese(locale),
        "path": request.url.path,
        "visitor": visitor,
        "form_token": visitor.form_token if visitor else "",
        "text_size": _text_size(request),
        "static": static_url,
        **shown,
    }
    return HTMLResponse(environment().get_template(template).render(context))


@cache
def environment() -> Environment:
    """The templates, with escaping always on and a missing name an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["when"] = _when
    made.filters["age"] = _age
    made.filters["day"] = _day
    made.filters["weekday"] = _weekday
    return made


@cache
def static_url(name: str) -> str:
    """The address of a static file, which changes with its content, so that it may be kept."""
    content = stylesheet().encode() if name == REPORT_CSS else (STATIC / name).read_bytes()
    return f"/static/{name}?v={blake2b(content, digest_size=6).hexdigest()}"


def _word(locale: str, key: str, **parts: Any) -> str:
    return say(key, locale, **parts)


def _text_size(request: Request) -> str:
    size = request.cookies.get(TEXT_COOKIE, "")
    return size if size in TEXT_SIZES else TEXT_SIZES[0]


def _when(at: datetime, now: datetime, zone: ZoneInfo, locale: str) -> str:
    return moment.when(at, now=now, zone=zone, locale=locale)


def _age(at: datetime, now: datetime, locale: str) -> str:
    return moment.age(max(now - at, timedelta()), locale=locale)


def _day(on: date, locale: str) -> str:
    return moment.day(on, locale=locale)


def _weekday(on: date, locale: str) -> str:
    return moment.weekday(on, locale=locale)
