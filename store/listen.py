"""Waiting for NOTIFY: what wakes a process before its next tick.

A notification is only a hint; the work itself stands in tables. So a listener that lost its
connection says so by waking up: look at the tables, nothing is missed. May hold: LISTEN. May not:
anything about what the notification means.
"""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import psycopg
from psycopg import Connection, sql

from store.pool import NOTICE_DEATH


class Listener:
    """Listens on channels, reconnecting as needed. Use it as a context manager, in one thread."""

    def __init__(self, url: str, channels: Sequence[str]) -> None:
        self._url = url
        self._channels = tuple(channels)
        self._connection: Connection[Any] | None = None

    def wait(self, timeout_s: float) -> list[tuple[str, str]]:
        """(channel, payload) of what came, empty when nothing did within `timeout_s`.

        Also returns empty when the connection is new: then look at the tables. An absent server
        is waited for, a second at a time, and never raises; the next call tries again.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
                return []
            first = list(self._connection.notifies(timeout=timeout_s, stop_after=1))
            if not first:
                return []
            rest = list(self._connection.notifies(timeout=0))
            return [(each.channel, each.payload) for each in first + rest]
        except psycopg.OperationalError:
            self.close()
            time.sleep(min(timeout_s, 1.0))
            return []

    def close(self) -> None:
        """Ends the connection; a later wait opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _connect(self) -> Connection[Any]:
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5, **NOTICE_DEATH)
        for channel in self._channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        return connection
