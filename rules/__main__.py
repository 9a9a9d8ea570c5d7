"""The process that judges: takes news of patients, one a transaction, and ticks for silence.

Woken by NOTIFY; looks by itself every few seconds in case nobody called. A patient whose judging
fails is put aside with the error and tried again later; the others go on. May hold: the loop. May
not: judgement, SQL.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from rules.config import RulesSettings
from rules.pack import Pack, standard_packs
from rules.records import CONSUMER, judge
from store import findings as kept
from store.listen import Listener
from store.measurements import take_news
from store.pool import HEARTBEAT_EVERY_S, Pool, heartbeat, open_pool, transaction
from vitals.errors import TryAgain
from vitals.settings import read

log = logging.getLogger("kangban.rules")

# seconds that a wait lasts at most: how soon the process stops when asked
_SLICE_S = 1.0
# seconds until the next try where the database is away
_AWAY_S = 1.0
# a patient who was due and was not judged is due again after so long
_AGAIN = timedelta(minutes=5)


class Clockwork:
    """What is done every so many seconds; `is_due` starts the next span."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next = 0.0

    def is_due(self) -> bool:
        """Has the span passed?"""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._every_s
        return True

    def at_once(self) -> None:
        """Makes it due now."""
        self._next = 0.0


def run(settings: RulesSettings, stop: threading.Event) -> None:
    """Judges until `stop` is set. An absent database is waited for."""
    packs = standard_packs()
    beat, tick = Clockwork(HEARTBEAT_EVERY_S), Clockwork(settings.tick_s)
    look = Clockwork(settings.poll_s)
    with (
        open_pool(settings.database_url, process="rules", max_size=2) as pool,
        Listener(settings.database_url, ["kangban_news"]) as listener,
    ):
        log.info("judging by %d rules", sum(len(pack.rules) for pack in packs))
        while not stop.is_set():
            try:
                if beat.is_due():
                    _beat(pool)
                if tick.is_due() and _tick(pool):
                    look.at_once()
                if look.is_due():
                    while not stop.is_set() and judge_next(pool, packs):
                        if beat.is_due():
                            _beat(pool)
                if _was_called(listener):
                    look.at_once()
            except TryAgain as error:
                log.warning("%s", error)
                look.at_once()
                stop.wait(_AWAY_S)


def _was_called(listener: Listener) -> bool:
    """Is there a reason to look? A listener that is new or was lost may have missed the call."""
    began = time.monotonic()
    return bool(listener.wait(_SLICE_S)) or time.monotonic() - began < _SLICE_S / 2


def judge_next(pool: Pool, packs: Sequence[Pack]) -> bool:
    """Judges the patient whose news wait longest. False: there is none. Raises TryAgain."""
    with transaction(pool) as connection:
        news = take_news(connection, consumer=CONSUMER, limit=1)
        for each in news:
            now = _now()
            try:
                with connection.transaction():
                    steps = judge(connection, patient_id=each.patient_id, packs=packs, now=now)
            except psycopg.OperationalError:
                raise
            except Exception as error:
                # whatever is wrong with this patient's data must not keep the others waiting
                failures = kept.not_judged(
                    connection, patient_id=each.patient_id, failure=repr(error), now=now
                )
                log.exception("patient %s not judged, try %d", each.patient_id, failures)
            else:
                for step in steps:
                    if step.event != "repeated":
                        log.info("%s %s S%d", step.event, step.alert.rule, step.alert.severity)
    return bool(news)


def _tick(pool: Pool) -> int:
    with transaction(pool) as connection:
        return kept.put_due(connection, consumer=CONSUMER, now=_now(), again=_AGAIN)


def _beat(pool: Pool) -> None:
    with transaction(pool) as connection:
        heartbeat(connection, "rules")


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Runs the process until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(read(RulesSettings, os.environ), stop)


if __name__ == "__main__":
    main()
