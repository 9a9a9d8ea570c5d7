"""The door at which a process says how it is: /healthz, /readyz, /metrics, for supervisors alone.

    /healthz   200 {"process":"rules","state":"alive"}: it answers; restart it where it does not
    /readyz    200 {"process":"rules","state":"ready"}, or 503 with what it waits for
    /metrics   all figures of the process, as Prometheus reads them (docs/observing.md)

Plain HTTP in a thread of its own, off unless a port is set. May hold: these three answers. May not:
figures (each process has its own `counted.py`), anything about people.
"""

import json
import logging
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from prometheus_client import REGISTRY, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from observe.config import Watched
from observe.readiness import Readiness
from vitals.errors import MendSettings

log = logging.getLogger(__name__)

# seconds for a caller to say what it wants
_PATIENCE_S = 5.0

# a second series for each counter, of which nothing here makes use
disable_created_metrics()  # type: ignore[no-untyped-call]


class Door:
    """Open while it is entered as a context; closed where the settings name no port."""

    def __init__(self, settings: Watched, readiness: Readiness) -> None:
        self._settings, self._readiness = settings, readiness
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int | None:
        """Where it listens, if it does."""
        return self._server.server_address[1] if self._server else None

    def __enter__(self) -> "Door":
        if self._settings.status_port is not None:
            self._server = self._listen(self._settings.status_port)
            threading.Thread(target=self._server.serve_forever, name="status", daemon=True).start()
            log.info("says how it is at port %s", self.port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _listen(self, port: int) -> ThreadingHTTPServer:
        readiness = self._readiness

        class Answer(_Answer):
            def readiness(self) -> Readiness:
                return readiness

        try:
            return ThreadingHTTPServer((self._settings.status_host, port), Answer)
        except OSError as error:
            raise MendSettings(
                f"Nobody can be told how this process is at {self._settings.status_host}:{port} "
                f"({error.strerror}): choose another KANGBAN_STATUS_PORT."
            ) from error


class _Answer(BaseHTTPRequestHandler):
    timeout = _PATIENCE_S

    def readiness(self) -> Readiness:
        """What the process has found."""
        raise NotImplementedError

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/healthz":
                self._say(200, {"state": "alive"})
            case "/readyz":
                troubles = self.readiness().troubles()
                if troubles:
                    self._say(503, {"state": "waiting", **troubles})
                else:
                    self._say(200, {"state": "ready"})
            case "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._send(200, encode(REGISTRY), kind)
            case _:
                self._say(404, {"state": "no such page"})

    def _say(self, code: int, document: dict[str, str]) -> None:
        named = {"process": self.readiness().process, **document}
        self._send(code, json.dumps(named).encode(), "application/json")

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    def version_string(self) -> str:
        """What the answer says of its server: nothing of use to a stranger."""
        return "kangban"

    def log_message(self, format: str, *args: object) -> None:
        """A supervisor that asks every few seconds belongs in no log."""
