"""The server processes together, for a household or a small clinic, and for the demo.

Each is a process of its own that meets the others only in data; this one starts them, starts a
fallen one again, and stops them all. Nothing outlives it, even when it is killed. May hold:
starting and stopping. May not: any of their work.
"""

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kangban import owned
from kangban.commands.process import PROCESSES
from kangban.embedded.broker import Broker
from kangban.embedded.postgres import Postgres
from store.migrate import migrate

log = logging.getLogger(__name__)

# where a household's database, broker and logs live unless a person says otherwise
HOME = Path("~/.local/share/kangban")
DATABASE = "kangban"
_ADDRESSES = ("KANGBAN_DATABASE_URL", "KANGBAN_MQTT_URL", "KANGBAN_PUBLIC_URL")

# A process that falls is started again after this many seconds, twice as long each time.
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0
# seconds for a process to end by itself before it is killed
_PATIENCE_S = 10.0


def folder(data: Path | None) -> Path:
    """The data folder, made if need be, readable by its owner alone."""
    path = (data or HOME).expanduser().resolve()
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


@contextmanager
def services(data: Path, *, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment that points at a database and a broker, migrated and running.

    Uses KANGBAN_DATABASE_URL and KANGBAN_MQTT_URL where they are `given`, and otherwise starts its
    own in the data folder.
    """
    with ExitStack() as stack:
        url = given.get("KANGBAN_DATABASE_URL")
        if not url:
            postgres = stack.enter_context(Postgres(data / "postgres"))
            url = postgres.create_database(DATABASE)
        mqtt = given.get("KANGBAN_MQTT_URL")
        if not mqtt:
            mqtt = stack.enter_context(Broker(data / "broker")).url
        migrate(url)
        yield {"KANGBAN_DATABASE_URL": url, "KANGBAN_MQTT_URL": mqtt}


class Servants:
    """The running server processes; a fallen one is started again."""

    def __init__(self, environ: Mapping[str, str], *, logs: Path) -> None:
        self._environ = {**os.environ, **environ}
        self._logs = logs
        self._stopping = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._watchers: list[threading.Thread] = []

    def __enter__(self) -> "Servants":
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in PROCESSES:
            self._start(name)
            watcher = threading.Thread(target=self._watch, args=(name,), daemon=True)
            watcher.start()
            self._watchers.append(watcher)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for each in self._running.values():
            each.terminate()
        for name, each in self._running.items():
            try:
                each.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop in %s s and is killed", name, _PATIENCE_S)
                each.kill()
                each.wait()

    def log_of(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self._logs / f"{name}.log"

    def _start(self, name: str) -> None:
        environ = self._environ | self._status_port(name)
        self._running[name] = owned.start([name], environ=environ, log=self.log_of(name))

    def _status_port(self, name: str) -> dict[str, str]:
        """A port of its own for each process, counted up from the one that was set."""
        first = self._environ.get("KANGBAN_STATUS_PORT", "")
        if not first.isdigit() or first == "0":
            return {}
        return {"KANGBAN_STATUS_PORT": str(int(first) + list(PROCESSES).index(name))}

    def _watch(self, name: str) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            code = self._running[name].wait()
            if self._stopping.wait(wait_s):
                return
            log.warning("%s ended (%s) and starts again; see %s", name, code, self.log_of(name))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            self._start(name)


def serve(*, data: Path | None, port: int) -> None:
    """Runs the server until it is asked to stop."""
    owned.follow_owner()
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    home = folder(data)
    with services(home, given=os.environ) as environ:
        environ |= {"KANGBAN_API_PORT": str(port)}
        address = os.environ.get("KANGBAN_PUBLIC_URL") or f"http://127.0.0.1:{port}"
        with Servants(environ, logs=home / "logs"):
            print(f"Kangban is at {address} — Ctrl-C stops it.")
            print("For other commands, in another terminal:")
            known = {**environ, "KANGBAN_PUBLIC_URL": address}
            print("  export", *(f"{name}='{known[name]}'" for name in _ADDRESSES), flush=True)
            stop.wait()
