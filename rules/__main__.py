"""The process that judges: takes news of patients, judges each in a transaction of its own, ticks.

Woken by NOTIFY; looks by itself every few seconds in case nobody called. News are taken in a short
transaction that notes the patients as due, so that ingest never waits for a judgement, and a worker
that dies leaves them due. News of nothing but old readings (a meter's memory, eight weeks of a new
household) can raise no alarm and wait for the next tick. A patient whose judging fails is put aside
with the error and tried again later; the others go on. May hold: the loop. May not: judgement, SQL.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from observe import log as our_log
from observe.door import Door
from observe.readiness import Readiness
from rules import counted
from rules.alert import Event
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
# patients whose news are taken at once
_BATCH = 20
# how long news of old readings may wait for more of them
_GATHER = timedelta(seconds=10)
# a patient who was due and was not judged is due again after so long
_AGAIN = timedelta(minutes=5)
# when somebody is due who was erased since the news of them
_NEVER = datetime.max.replace(tzinfo=UTC)


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
    readiness = Readiness("rules", "database")
    with (
        Door(settings, readiness),
        open_pool(settings.database_url, process="rules", max_size=2) as pool,
        Listener(settings.database_url, ["kangban_news"]) as listener,
    ):
        log.info("judging by %d rules", sum(len(pack.rules) for pack in packs))
        while not stop.is_set():
            try:
                if tick.is_due() and _tick(pool):
                    look.at_once()
                if look.is_due():
                    _judge_all(pool, packs, beat, stop)
                _beat(pool, beat)
                readiness.well("database")
                if _was_called(listener):
                    look.at_once()
            except TryAgain as error:
                log.warning("%s", error)
                readiness.ill("database", "it does not answer")
                # who was taken and not judged is due
                tick.at_once()
                stop.wait(_AWAY_S)


def _judge_all(pool: Pool, packs: Sequence[Pack], beat: Clockwork, stop: threading.Event) -> None:
    while not stop.is_set():
        taken = take(pool, packs)
        if taken is None:
            return
        for patient_id in taken:
            judge_one(pool, patient_id, packs)
            _beat(pool, beat)


def _was_called(listener: Listener) -> bool:
    """Is there a reason to look? A listener that is new or was lost may have missed the call."""
    began = time.monotonic()
    return bool(listener.wait(_SLICE_S)) or time.monotonic() - began < _SLICE_S / 2


def take(pool: Pool, packs: Sequence[Pack]) -> list[int] | None:
    """The patients to judge now, those first whose news wait longest; None where there is no news.

    Those of whom only old readings came may wait for more of them. Raises TryAgain.
    """
    now = _now()
    with transaction(pool) as connection:
        news = take_news(connection, consumer=CONSUMER, limit=_BATCH)
        if not news:
            return None
        is_old = {each.patient_id: now - each.latest > _old_after(packs) for each in news}
        due = kept.note_due(
            connection,
            {patient: now + _GATHER if old else now for patient, old in is_old.items()},
        )
    return [each.patient_id for each in news if due.get(each.patient_id, _NEVER) <= now]


def judge_one(pool: Pool, patient_id: int, packs: Sequence[Pack]) -> None:
    """Judges one patient; what fails is kept with its error and tried later. Raises TryAgain."""
    now = _now()
    with counted.SECONDS.time(), transaction(pool) as connection:
        kept.hold(connection, patient_id)
        try:
            with connection.transaction():
                steps = judge(connection, patient_id=patient_id, packs=packs, now=now)
        except psycopg.OperationalError:
            raise
        except Exception as error:
            # whatever is wrong with this patient's data must not keep the others waiting
            failures = kept.not_judged(
                connection, patient_id=patient_id, failure=repr(error), now=now
            )
            log.exception("patient %s not judged, try %d", patient_id, failures)
            counted.FAILED.inc()
            return
    counted.JUDGED.inc()
    for step in steps:
        if step.event is not Event.REPEATED:
            counted.STEPS.labels(event=str(step.event), severity=step.alert.severity).inc()
            log.info("%s %s S%d", step.event, step.alert.rule, step.alert.severity)


def _old_after(packs: Sequence[Pack]) -> timedelta:
    """The age from which on a reading raises no alert by any rule that looks at readings."""
    return timedelta(
        hours=max(
            rule.fresh_h for pack in packs for rule in pack.rules if rule.evaluator != "silence"
        )
    )


def _tick(pool: Pool) -> int:
    with transaction(pool) as connection:
        return kept.put_due(connection, consumer=CONSUMER, now=_now(), again=_AGAIN)


def _beat(pool: Pool, beat: Clockwork) -> None:
    if beat.is_due():
        with transaction(pool) as connection:
            heartbeat(connection, "rules")


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Runs the process until SIGTERM or SIGINT."""
    our_log.begin_from(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(read(RulesSettings, os.environ), stop)


if __name__ == "__main__":
    main()
