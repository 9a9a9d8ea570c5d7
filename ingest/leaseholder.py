"""The leaseholder: keeps this worker's blocks of shards, takes its share, gives up another's.

A lease says who may connect; the broker sees to it that one does: opening a block's line closes
whoever had it. So a worker that stood still past its lease wakes up without its lines, may not open
them again before it holds them again, and fights nobody. What it was storing meanwhile is stored
once, like everything that comes twice. While the database is away nobody can take a block, and
whoever is connected stays so. May hold: this loop. May not: SQL (`store/leases.py`), the division
(`lease.py`), paho.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from uuid import uuid4

from ingest import counted
from ingest.config import IngestSettings
from ingest.lease import BLOCKS, Lease, Step, Worker, step
from ingest.lines import Lines
from observe.readiness import Readiness
from store import leases
from store.pool import Pool, transaction
from vitals.errors import KangbanError

log = logging.getLogger(__name__)

# steps within one lease: some may fail before it is lost
_STEPS = 5
# leases for which a worker that the broker did not let in stands back
_STAND_BACK = 20


class Leaseholder(threading.Thread):
    """Holds until the process stops. What goes wrong here never ends ingest."""

    def __init__(
        self,
        settings: IngestSettings,
        lines: Lines,
        pool: Pool,
        readiness: Readiness,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="leaseholder")
        self._lasts_s, self._lines, self._pool = settings.lease_s, lines, pool
        self._readiness, self._stop_asked = readiness, stop
        # whose it is can be read from it; a restarted worker is another one
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._held: frozenset[int] = frozenset()
        self._held_until_s = float("-inf")
        self._unreached_since_s: float | None = None
        self._stands_back_until_s = float("-inf")
        self._has_tidied = False

    def run(self) -> None:
        """Works until the process stops; then others may have the blocks at once."""
        while not self._stop_asked.is_set():
            try:
                self._turn()
            except KangbanError as error:
                log.warning("The leases wait: %s", error)
            except Exception:
                log.exception("The leases wait.")
            self._readiness.say("lease", well=self.is_current(), trouble="it is over")
            self._stop_asked.wait(self._lasts_s / _STEPS)
        self._leave()

    def is_current(self) -> bool:
        """Was the last step in time? Else others may have what this worker holds."""
        return time.monotonic() < self._held_until_s

    def may_connect(self, block: int) -> bool:
        """Is this block surely held?"""
        return block in self._held and self.is_current()

    def _turn(self) -> None:
        # before the step, so that we never think longer of it than the server does
        began_s = time.monotonic()
        done = self._step(reaches_broker=self._reaches_broker(began_s))
        self._say(done.hold)
        self._held, self._held_until_s = done.hold - done.give_up, began_s + self._lasts_s
        for block in frozenset(range(len(BLOCKS))) - self._held:
            self._lines.close(BLOCKS[block])
        if done.give_up:
            counted.LEASES_MOVED.labels(how="given_up").inc(len(done.give_up))
            with transaction(self._pool) as connection:
                leases.give_up(connection, self.worker, blocks=done.give_up)
        for block in sorted(self._held):
            self._lines.open(BLOCKS[block], may_connect=partial(self.may_connect, block))
        if 0 in self._held and not self._has_tidied and self._lines.is_connected():
            # one worker does it, once, beside the leases: a broker may take its time
            self._has_tidied = True
            threading.Thread(target=self._tidy, name="tidy", daemon=True).start()

    def _step(self, *, reaches_broker: bool) -> Step:
        lasts = timedelta(seconds=self._lasts_s)
        with transaction(self._pool) as connection:
            standing = leases.attend(
                connection,
                self.worker,
                reaches_broker=reaches_broker,
                patience_s=self._lasts_s / _STEPS,
            )
            done = step(
                self.worker,
                now=standing.now,
                lasts=lasts,
                workers=[Worker(**each._asdict()) for each in standing.workers],
                leases=[Lease(**each._asdict()) for each in standing.leases],
            )
            leases.hold(connection, self.worker, blocks=done.hold, until=standing.now + lasts)
        return done

    def _reaches_broker(self, now_s: float) -> bool:
        """Does the broker let this worker in, as far as it knows?

        One that was not let in for as long as a lease lasts stands back for a while, so that
        others may try.
        """
        if not self._held or self._lines.is_connected():
            self._unreached_since_s = None
        elif self._unreached_since_s is None:
            self._unreached_since_s = now_s
        elif now_s - self._unreached_since_s > self._lasts_s:
            self._unreached_since_s = None
            self._stands_back_until_s = now_s + _STAND_BACK * self._lasts_s
            log.error("The broker was not reached for %.0f s: others may try.", self._lasts_s)
        return now_s >= self._stands_back_until_s

    def _tidy(self) -> None:
        try:
            self._lines.forget_former()
        except OSError as error:
            log.warning("The session of a former worker may be left at the broker: %s", error)

    def _leave(self) -> None:
        self._held = frozenset()
        self._lines.stop()
        try:
            with transaction(self._pool) as connection:
                leases.leave(connection, self.worker, blocks=range(len(BLOCKS)))
        except KangbanError as error:
            log.warning("Others have our shards only after %.0f s: %s", self._lasts_s, error)

    def _say(self, held: Collection[int]) -> None:
        new, lost = sorted(set(held) - self._held), sorted(self._held - set(held))
        counted.LEASES_MOVED.labels(how="taken").inc(len(new))
        counted.LEASES_MOVED.labels(how="lost").inc(len(lost))
        if new:
            log.info("Takes the shards %s.", ", ".join(str(BLOCKS[each]) for each in new))
        if lost:
            log.warning(
                "Others took the shards %s while we stood still.",
                ", ".join(str(BLOCKS[each]) for each in lost),
            )
