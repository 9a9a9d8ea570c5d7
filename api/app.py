"""The application: routers, headers, errors, and the two things that live as long as it does.

`create_app(settings)` opens nothing; the pool of connections and the hub of open pages begin when
the server starts it and end with it. May hold: putting together. May not: routes of its own.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles

from api import (
    alerts,
    devices,
    doors,
    enrolment,
    errors,
    events,
    health,
    inbox,
    patients,
    proposals,
    quarantine,
    reports,
)
from api.config import ApiSettings
from api.counted import Counted
from api.headers import SafeHeaders
from api.hub import Hub
from api.pages import device_users, doctor, family, gateway, pairing_again, patient, removing, week
from api.pages import devices as devices_pages
from api.pages import inbox as inbox_page
from api.pages import quarantine as quarantine_page
from api.render import STATIC
from store.pool import open_pool

# what answers in JSON, then the pages
_ROUTES = (
    *(health, doors, events, patients, alerts, reports, proposals, inbox, quarantine, devices),
    enrolment,
    *(
        patient,
        family,
        doctor,
        week,
        inbox_page,
        quarantine_page,
        device_users,
        devices_pages,
        removing,
        gateway,
        pairing_again,
    ),
)

_ABOUT = """Readings, alerts, reports and proposals of the patients that you are related to.

Sign in by opening your one-time link in a browser; the session cookie is then sent by itself. With
several people signed in in one browser, say who asks with `?as=doctor`. Values are in the unit in
which they were measured; times are UTC; days and weeks are the patient's.
"""


def create_app(settings: ApiSettings, *, clock: Callable[[], datetime] | None = None) -> FastAPI:
    """The application for these settings; `clock` says what time it is, for tests."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = open_pool(
            settings.database_url, process="api", max_size=settings.pool_size
        )
        app.state.hub.open()
        yield
        await run_in_threadpool(app.state.hub.close)
        await run_in_threadpool(app.state.pool.close, timeout=1.0)

    app = FastAPI(
        title="Kangban",
        description=_ABOUT,
        version="1",
        lifespan=lifespan,
        # the pages that show OpenAPI fetch scripts from other hosts
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.clock = clock or (lambda: datetime.now(UTC))
    app.state.hub = Hub(settings.database_url)
    errors.add_handlers(app)
    app.add_middleware(SafeHeaders, is_https=settings.is_https)
    app.add_middleware(Counted)
    for each in _ROUTES:
        app.include_router(each.router)
    # after the routers: a report's stylesheet is no file of ours
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
