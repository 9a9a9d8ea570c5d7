"""Follows the care plans: `kangban plans`. Several of these may run.

Woken by NOTIFY when an alert moves (is anything to be proposed?) and when readings arrive (is a
reminder done?), and by the clock for what is due. A wake-up is only a hint: the tick looks at the
tables and misses nothing. One transaction a patient; a patient whose data are broken stops nobody
else. May hold: the loop. May not: decisions, SQL.
"""

import logging
import os
import signal
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from psycopg import Connection

from care_plans import counted
from care_plans.adjust import RAISED_BY
from care_plans.config import PlansSettings
from care_plans.remind import REACH, SETTLED, settle, tell, write_ahead
from care_plans.review import review
from care_plans.schedule import WINDOW
from observe import log as our_log
from observe.door import Door
from observe.readiness import Readiness
from store import plans
from store.listen import Listener
from store.pool import HEARTBEAT_EVERY_S, Pool, heartbeat, open_pool, transaction
from vitals.errors import KangbanError, TryAgain
from vitals.settings import read

log = logging.getLogger("kangban.plans")

# seconds between two looks at `stop`
_LOOK_EVERY_S = 1.0
# seconds to wait when the database is away
_AWAY_S = 3.0
# readings that came in while nobody listened are looked for this often
_SWEEP_EVERY = timedelta(hours=1)
# patients whose reminders are written ahead in one go
_BATCH = 1000


class Action(Protocol):
    """What is done for one patient, in one transaction."""

    def __call__(self, connection: Connection[Any], *, patient_id: int, now: datetime) -> object:
        """Does it."""


def run(settings: PlansSettings, stop: threading.Event) -> None:
    """Follows the plans until `stop` is set."""
    tick, beat = _Every(timedelta(seconds=settings.tick_s)), _Every(_BEAT)
    sweep = _Every(_SWEEP_EVERY)
    readiness = Readiness("plans", "database")
    with (
        Door(settings, readiness),
        open_pool(settings.database_url, process="plans", max_size=2) as pool,
        Listener(settings.database_url, ["kangban_alert", "kangban_patient"]) as listener,
    ):
        while not stop.is_set():
            heard = listener.wait(_LOOK_EVERY_S)
            now = datetime.now(UTC)
            try:
                if beat.is_due(now):
                    _beat(pool)
                    readiness.well("database")
                _hear(pool, heard, now)
                if tick.is_due(now):
                    with counted.TICK_SECONDS.time():
                        _tick(pool, now)
                if sweep.is_due(now):
                    _sweep(pool, now)
            except KangbanError as error:
                log.warning("%s", error)
                readiness.ill("database", "it does not answer")
                tick.again()
                stop.wait(_AWAY_S)


class _Every:
    """Is it time again? True at first, and then once in each period."""

    def __init__(self, period: timedelta) -> None:
        self._period = period
        self._last: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        if self._last is not None and now - self._last < self._period:
            return False
        self._last = now
        return True

    def again(self) -> None:
        """What was begun did not end: due at once."""
        self._last = None


_BEAT = timedelta(seconds=HEARTBEAT_EVERY_S)


def _beat(pool: Pool) -> None:
    with transaction(pool) as connection:
        heartbeat(connection, "plans")


def _hear(pool: Pool, heard: Iterable[tuple[str, str]], now: datetime) -> None:
    by_channel: dict[str, set[int]] = {"kangban_alert": set(), "kangban_patient": set()}
    for channel, payload in heard:
        if payload.isdigit():
            by_channel[channel].add(int(payload))
    _for_each(pool, by_channel["kangban_alert"], review, now)
    _for_each(pool, by_channel["kangban_patient"], _settle, now)


def _tick(pool: Pool, now: datetime) -> None:
    """Everything that the clock makes due."""
    with transaction(pool) as connection:
        short = plans.plans_to_remind(connection, until=now + REACH, limit=_BATCH)
        yesterday = (now - timedelta(days=1)).date()
        to_review = plans.patients_to_review(connection, rule=RAISED_BY, yesterday=yesterday)
    _for_each(pool, short, partial(write_ahead, missed=WINDOW), now)
    with transaction(pool) as connection:
        due = plans.patients_to_tell(connection, now=now, since=now - WINDOW)
    _for_each(pool, due, tell, now)
    _for_each(pool, to_review, review, now)


def _sweep(pool: Pool, now: datetime) -> None:
    with transaction(pool) as connection:
        open_ones = plans.patients_to_settle(
            connection, since=now - SETTLED, until=now + 2 * WINDOW
        )
    _for_each(pool, open_ones, _settle, now)


def _for_each(pool: Pool, patients: Iterable[int], action: Action, now: datetime) -> None:
    for patient_id in sorted(patients):
        try:
            with transaction(pool) as connection:
                action(connection, patient_id=patient_id, now=now)
            counted.FOLLOWED.inc()
        except TryAgain:
            raise
        except KangbanError as error:
            counted.FAILED.inc()
            log.warning("The plan of patient %d waits for a hand: %s", patient_id, error)
        except Exception as error:
            counted.FAILED.inc()
            # one patient's broken rows must not keep reminders from the others; only the name,
            # since the error's own text may quote a row
            log.error("The plan of patient %d failed: %s", patient_id, type(error).__name__)


def _settle(connection: Connection[Any], *, patient_id: int, now: datetime) -> None:
    if settle(connection, patient_id=patient_id, now=now):
        plans.refresh_pages(connection, patient_id)


def main() -> None:
    """Reads the settings, then follows the plans until SIGTERM or SIGINT."""
    our_log.begin_from(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(read(PlansSettings, os.environ), stop)


if __name__ == "__main__":
    main()
