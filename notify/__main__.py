"""Drains the outbox: `kangban notify`. Several of these may run, on one machine or many.

Woken by NOTIFY and by the clock when a message falls due. What a crash may do: a message whose
contacts were just asked may be told again; none is lost. The log names messages by number and says
nothing about people's health. May hold: the loop and its threads. May not: decisions, SQL.
"""

import logging
import os
import signal
import threading
from datetime import UTC, datetime

from notify import counted
from notify.channels import apprise
from notify.config import NotifySettings
from notify.deliver import Words
from notify.patience import Patience
from notify.records import deliver_one
from observe import log as our_log
from observe.door import Door
from observe.readiness import Readiness
from store import outbox
from store.listen import Listener
from store.pool import HEARTBEAT_EVERY_S, Pool, heartbeat, open_pool, transaction
from vitals.errors import KangbanError
from vitals.settings import read

log = logging.getLogger("kangban.notify")

# seconds between two looks at the clock: how late a message may be that nobody announced
_LOOK_EVERY_S = 1.0
# seconds to wait when the database is away
_AWAY_S = 3.0


def run(settings: NotifySettings, stop: threading.Event) -> None:
    """Drains the outbox until `stop` is set."""
    patience = Patience(settings.wait_s)
    wakes = [threading.Event() for _ in range(settings.workers)]
    readiness = Readiness("notify", "database")
    with (
        Door(settings, readiness),
        open_pool(settings.database_url, process="notify", max_size=settings.workers + 1) as pool,
    ):
        threads = [
            threading.Thread(
                target=_drain, args=(pool, settings, patience, wake, stop), daemon=True
            )
            for wake in wakes
        ]
        for each in threads:
            each.start()
        try:
            _watch(pool, settings, wakes, readiness, stop)
        finally:
            stop.set()
            _wake(wakes)
            for each in threads:
                each.join(settings.wait_s + _AWAY_S)


def _watch(
    pool: Pool,
    settings: NotifySettings,
    wakes: list[threading.Event],
    readiness: Readiness,
    stop: threading.Event,
) -> None:
    """Wakes the drainers when something is due, and says that the process works."""
    beaten: datetime | None = None
    with Listener(settings.database_url, ["kangban_outbox"]) as listener:
        while not stop.is_set():
            listener.wait(_LOOK_EVERY_S)
            now = datetime.now(UTC)
            try:
                with transaction(pool) as connection:
                    next_try_at = outbox.next_try_at(connection)
                    if beaten is None or (now - beaten).total_seconds() >= HEARTBEAT_EVERY_S:
                        heartbeat(connection, "notify")
                        beaten = now
            except KangbanError as error:
                log.warning("%s", error)
                readiness.ill("database", "it does not answer")
                stop.wait(_AWAY_S)
                continue
            readiness.well("database")
            late_s = (now - next_try_at).total_seconds() if next_try_at is not None else 0.0
            counted.OVERDUE.set(max(0.0, late_s))
            if next_try_at is not None and next_try_at <= now:
                _wake(wakes)


def _drain(
    pool: Pool,
    settings: NotifySettings,
    patience: Patience,
    wake: threading.Event,
    stop: threading.Event,
) -> None:
    while not stop.is_set():
        wake.clear()
        try:
            while not stop.is_set() and deliver_one(
                pool,
                channel=_by_apprise,
                patience=patience,
                public_url=settings.public_url,
                clock=_clock,
            ):
                counted.ROUNDS.inc()
        except KangbanError as error:
            log.warning("%s", error)
            stop.wait(_AWAY_S)
        except Exception as error:
            counted.FAILURES.inc()
            # only the name: the error's own text may quote a message
            log.error("A drainer failed with %s; its message waits.", type(error).__name__)
            stop.wait(_AWAY_S)
        wake.wait()


def _by_apprise(url: str, words: Words, severity: int) -> str | None:
    return apprise.tell(url, words, severity=severity)


def _clock() -> datetime:
    return datetime.now(UTC)


def _wake(wakes: list[threading.Event]) -> None:
    for each in wakes:
        each.set()


def main() -> None:
    """Reads the settings, then drains until SIGTERM or SIGINT."""
    our_log.begin_from(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(read(NotifySettings, os.environ), stop)


if __name__ == "__main__":
    main()
