"""Keeps the database in order once a day: `kangban keep`. Of several, one works.

May hold: the loop. May not: the work (`work.py`).
"""

import logging
import threading
from datetime import UTC, datetime, timedelta

from kangban.keeping.config import KeepingSettings
from kangban.keeping.work import in_words, keep_once
from observe.door import Door
from observe.readiness import Readiness
from store.pool import HEARTBEAT_EVERY_S, heartbeat, open_pool, transaction
from vitals.errors import KangbanError

log = logging.getLogger("kangban.keep")

_EVERY = timedelta(days=1)
# after a failure; a server that is away may be back soon
_AGAIN = timedelta(minutes=5)


def run(settings: KeepingSettings, stop: threading.Event) -> None:
    """Does the daily work at once and then every day, until `stop` is set."""
    due = datetime.now(UTC)
    readiness = Readiness("keep", "database")
    with (
        Door(settings, readiness),
        open_pool(settings.database_url, process="keep", max_size=1) as pool,
    ):
        while True:
            now = datetime.now(UTC)
            try:
                with transaction(pool) as connection:
                    heartbeat(connection, "keep")
                readiness.well("database")
                if due <= now:
                    due = now + _AGAIN
                    _keep(settings, now)
                    due = now + _EVERY
            except KangbanError as error:
                log.warning("%s", error)
                readiness.ill("database", "it does not answer")
            if stop.wait(HEARTBEAT_EVERY_S):
                return


def _keep(settings: KeepingSettings, now: datetime) -> None:
    done = keep_once(settings, now=now)
    if done is None:
        return
    for each in in_words(done.plan):
        log.info("%s", each)
    if done.removed.rows or done.compressed:
        log.info("%d rows removed, %d chunks compressed", done.removed.rows, done.compressed)
