"""The courier: carries what pages ask of gateways to the broker, until the gateway answers.

A page leaves a command in the table; this thread is woken by NOTIFY, publishes what its shards have
and publishes it again every few seconds until the first answer or its expiry: a gateway obeys an id
once. It is a thread of its own, so that commands and measurements never wait for each other. May
hold: this loop. May not: SQL (`store/commands.py`), paho, what a command means.
"""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from ingest.config import IngestSettings, Shards
from ingest.lines import Lines
from store import commands
from store.listen import Listener
from store.pool import Pool, transaction
from vitals.errors import KangbanError

log = logging.getLogger(__name__)

# seconds after which the loop looks whether it should stop
_LOOK_UP_S = 0.5
# seconds between two looks at the table that nobody asked for
_EVERY_S = 2.0
# until a command that nobody answered is sent again: a gateway answers within a second or two
AGAIN_AFTER = timedelta(seconds=5)
# commands of one transaction
_AT_ONCE = 100
# seconds between two sweeps of what is old
_SWEEP_EVERY_S = 30.0


class Courier(threading.Thread):
    """Carries until the process stops. What goes wrong here never ends ingest."""

    def __init__(
        self,
        settings: IngestSettings,
        lines: Lines,
        pool: Pool,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="courier")
        self._settings, self._lines, self._pool = settings, lines, pool
        self._stop_asked = stop
        self._looked_s = self._swept_s = float("-inf")

    def run(self) -> None:
        """Works until the process stops."""
        with Listener(self._settings.database_url, [commands.CHANNEL]) as listener:
            while not self._stop_asked.is_set():
                woken = bool(listener.wait(_LOOK_UP_S))
                try:
                    self._work(woken=woken)
                except KangbanError as error:
                    log.warning("Commands wait: %s", error)
                except Exception:
                    log.exception("Commands wait.")

    def _work(self, *, woken: bool) -> None:
        now_s = time.monotonic()
        # without a broker, commands stay in the table: paho would keep each repetition
        if (woken or now_s - self._looked_s >= _EVERY_S) and self._lines.is_connected():
            self._looked_s = now_s
            while self._carry() == _AT_ONCE:
                """There are more."""
        if now_s - self._swept_s >= _SWEEP_EVERY_S:
            self._swept_s = now_s
            with transaction(self._pool) as connection:
                commands.sweep(connection, datetime.now(UTC))

    def _carry(self) -> int:
        """The most commands of one range of shards that were handed to the broker."""
        return max(map(self._carry_of, self._lines.owned()), default=0)

    def _carry_of(self, owned: Shards) -> int:
        now = datetime.now(UTC)
        with transaction(self._pool) as connection:
            waiting = commands.take(
                connection,
                first=owned.first,
                last=owned.last,
                now=now,
                again_after=AGAIN_AFTER,
                limit=_AT_ONCE,
            )
            # sent before it is marked: after a fall between the two it is sent twice, never not
            for each in waiting:
                self._lines.send(each.gateway, "command", each.payload)
            if waiting:
                commands.mark_sent(connection, [each.id for each in waiting], now=now)
        return len(waiting)
