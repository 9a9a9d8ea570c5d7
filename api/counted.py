"""What the web process counts of itself, for Prometheus; told in docs/observing.md.

A request is named by its route as written in the code ("/patients/{patient_id}"), never by its
address, which holds numbers of people and one-time links. May hold: figures, and the middleware
that takes them. May not: decisions.
"""

import time

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("kangban_api_requests_total", "Requests answered.", ["route", "status"])
SECONDS = Histogram(
    "kangban_api_request_seconds",
    "Time until a request was answered, open event streams left out.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
_STREAM = b"text/event-stream"


class Counted:
    """Counts every request that a route has answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began_s = time.perf_counter()
        status, stays_open = 500, False

        async def watched(message: Message) -> None:
            nonlocal status, stays_open
            if message["type"] == "http.response.start":
                status = message["status"]
                stays_open = any(_STREAM in value for _, value in message["headers"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(route=route, status=f"{status // 100}xx").inc()
            if not stays_open:
                SECONDS.labels(route=route).observe(time.perf_counter() - began_s)
