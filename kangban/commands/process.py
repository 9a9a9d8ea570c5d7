"""Starting one process of the house: settings from the environment, a clean stop on a signal."""

import importlib
import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException

from kangban.owned import follow_owner
from observe import log
from observe.config import Watched
from vitals.errors import MendSettings
from vitals.settings import read

# package -> its settings class
SETTINGS = {
    "ingest": "IngestSettings",
    "rules": "RulesSettings",
    "care_plans": "PlansSettings",
    "notify": "NotifySettings",
    "kangban.keeping": "KeepingSettings",
    "api": "ApiSettings",
    "gateway_agent": "GatewaySettings",
    "simulator": "SimulatorSettings",
}

# the name of a process on the command line and in the heartbeat table -> its package
PROCESSES = {
    "ingest": "ingest",
    "rules": "rules",
    "plans": "care_plans",
    "notify": "notify",
    "keep": "kangban.keeping",
    "api": "api",
}

# A process beats every few seconds; after a minute without a beat it is not working.
_STALE = timedelta(seconds=60)
# seconds for a process to say how it is
_PATIENCE_S = 5.0


def run(package: str) -> None:
    """Runs one process until it is asked to stop. Raises MendSettings before it begins."""
    follow_owner()
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    config = importlib.import_module(f"{package}.config")
    settings = read(getattr(config, SETTINGS[package]), os.environ)
    if isinstance(settings, Watched):
        log.begin(settings.log)
    importlib.import_module(f"{package}.__main__").run(settings, stop)


def database_url() -> str:
    """The database of this environment. Raises MendSettings where it is not set."""
    url = os.environ.get("KANGBAN_DATABASE_URL")
    path = os.environ.get("KANGBAN_DATABASE_URL_FILE")
    if path:
        with open(path, encoding="utf-8") as file:
            url = file.read().strip()
    if not url:
        raise MendSettings(
            "KANGBAN_DATABASE_URL is missing: where PostgreSQL listens, for instance "
            "postgresql://kangban@localhost/kangban"
        )
    return url


def migrate() -> None:
    """Applies what is missing and says what it did."""
    from store.migrate import migrate as apply

    applied = apply(database_url())
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")


def is_healthy(name: str) -> bool:
    """Can the process that this environment describes do its work?

    Asked at its door where KANGBAN_STATUS_PORT leads to it, as in a container; else by its
    heartbeat of the last minute. One of several ingest workers is then named with its shards,
    "ingest-00-31".
    """
    from store.pool import connect, heartbeats

    if name.split("-")[0] not in PROCESSES:
        raise MendSettings(f"{name!r} is no process; there are: {', '.join(PROCESSES)}.")
    port = os.environ.get("KANGBAN_STATUS_PORT", "")
    answer = _answer(int(port)) if port.isdigit() and port != "0" else None
    if answer is not None and answer.get("process") == name:
        return answer.get("state") == "ready"
    with connect(database_url()) as connection:
        last = heartbeats(connection).get(name)
    return last is not None and datetime.now(UTC) - last < _STALE


def _answer(port: int) -> dict[str, str] | None:
    """What the process at this door says of itself; None where nobody does."""
    line = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        line.request("GET", "/readyz")
        answer = json.loads(line.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        line.close()
    return answer if isinstance(answer, dict) else None
