"""The loop of the web process: serve, say that it works, stop within two seconds when asked."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime

import uvicorn

from api.app import create_app
from api.config import ApiSettings
from observe.door import Door
from observe.readiness import Readiness
from store.pool import HEARTBEAT_EVERY_S, Pool, heartbeat, transaction
from vitals.errors import KangbanError, MendSettings, TryAgain

log = logging.getLogger(__name__)

# seconds for pages that are being made when the stop comes
_PATIENCE_S = 1
# seconds between looks at `stop` and at the server
_LOOK_S = 0.2
_BACKLOG = 256


def run(
    settings: ApiSettings,
    stop: threading.Event,
    *,
    on_listening: Callable[[str], None] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> None:
    """Serves until `stop` is set; `on_listening` hears the address (port 0 takes a free one).

    Raises MendSettings where the port cannot be had, TryAgain where the server fell.
    """
    bound = listen(settings)
    app = create_app(settings, clock=clock)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            # addresses of one-time links and numbers of patients belong in no log
            access_log=False,
            log_config=None,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
    )
    serving = threading.Thread(
        target=server.run, kwargs={"sockets": [bound]}, name="kangban-pages", daemon=True
    )
    serving.start()
    address = address_of(settings, bound)
    log.info("pages at %s", address)
    if on_listening is not None:
        on_listening(address)
    readiness = Readiness("api", "database")
    try:
        with Door(settings, readiness):
            _watch(app.state, serving, readiness, stop)
    finally:
        app.state.hub.close()
        server.should_exit = True
        serving.join()
        bound.close()
    if not stop.is_set():
        raise TryAgain("The pages stopped by themselves; the log says why. Start them again.")


def listen(settings: ApiSettings) -> socket.socket:
    """A socket bound to the host and port of the settings. Raises MendSettings."""
    try:
        bound = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise MendSettings(
            f"The pages cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            "choose another KANGBAN_API_PORT, or 0 for any free one."
        ) from error
    # lines inherit it. asyncio sets it only on sockets that name their protocol, and without it the
    # end of a page waits until the browser has confirmed its beginning: 40 ms (measured)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def address_of(settings: ApiSettings, bound: socket.socket) -> str:
    """Where people reach the pages."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if host in ("0.0.0.0", "[::]"):
        host = socket.gethostname()
    return f"http://{host}:{bound.getsockname()[1]}"


def _watch(
    state: object, serving: threading.Thread, readiness: Readiness, stop: threading.Event
) -> None:
    """Waits for the stop, beating now and then; returns too where the server has fallen."""
    beat_at = time.monotonic()
    while serving.is_alive() and not stop.wait(_LOOK_S):
        pool: Pool | None = getattr(state, "pool", None)
        if pool is not None and time.monotonic() >= beat_at:
            _beat(pool, readiness)
            beat_at = time.monotonic() + HEARTBEAT_EVERY_S


def _beat(pool: Pool, readiness: Readiness) -> None:
    try:
        with transaction(pool) as connection:
            heartbeat(connection, "api")
        readiness.well("database")
    except KangbanError as error:
        readiness.ill("database", "it does not answer")
        log.warning("no heartbeat: %s", error)
