"""The web process of the product over a benchmark's database, and visitors who are signed in.

May hold: starting it in a process of its own with a clock that stands at the newest data, sessions,
one request. May not: measuring.
"""

import http.client
import multiprocessing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit

from psycopg import Connection

from api.__main__ import run
from api.config import ApiSettings
from api.session import cookie_name, hash_of, new_token
from store.sessions import open_session

_PATIENCE_S = 60.0


def sign_in(
    connection: Connection[Any], accounts: Iterable[int], *, now: datetime
) -> dict[int, str]:
    """The token of a session for each of these accounts."""
    tokens = {each: new_token() for each in accounts}
    for account_id, token in tokens.items():
        open_session(
            connection,
            token_hash=hash_of(token),
            account_id=account_id,
            expires_at=now + timedelta(days=1),
        )
    connection.commit()
    return tokens


@contextmanager
def serving(database_url: str, *, now: datetime) -> Iterator[tuple[str, int]]:
    """Address and process id of the web process; its clock stands at `now`."""
    context = multiprocessing.get_context("spawn")
    stop, heard = context.Event(), context.Queue()
    process = context.Process(target=_serve, args=(database_url, now, stop, heard), daemon=True)
    process.start()
    try:
        yield heard.get(timeout=_PATIENCE_S), process.pid or 0
    finally:
        stop.set()
        process.join()


def _serve(database_url: str, now: datetime, stop: Event, heard: "Queue[str]") -> None:
    settings = ApiSettings(database_url=database_url, port=0)
    run(settings, stop, on_listening=heard.put, clock=lambda: now)  # type: ignore[arg-type]


class Browser:
    """One line to the web process, kept open as a browser keeps it."""

    def __init__(self, address: str) -> None:
        self._line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=_PATIENCE_S)

    def get(self, path: str, *, role: str, token: str) -> bytes:
        """What the page holds. Raises ValueError for any answer but 200."""
        cookie = f"{cookie_name(role, is_https=False)}={token}"
        self._line.request("GET", path, headers={"Cookie": cookie})
        answer = self._line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"{path} answered {answer.status}: {body[:200]!r}")
        return body
