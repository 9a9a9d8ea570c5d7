"""Ingest: takes messages from the broker, stores what they bring, and says so.

    broker ─▶ paho's thread ─▶ this thread: take, judge ─▶ the loader's thread: load, receipts, ack
    pages ─▶ table of commands ─▶ the courier's thread ─▶ broker
    pages ─▶ table of quarantine ─▶ the releaser's thread: load
    table of leases ◀─▶ the leaseholder's thread ─▶ which shards, where workers share them out

Two threads for what comes, so that the next messages are judged while the database works. Nothing
is acknowledged before it is committed; while the database is away the same load is tried again and
again, and the broker and the gateways keep what comes. May hold: this loop. May not: SQL, paho,
judgement.
"""

import gc
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, Full, Queue

import msgspec

from ingest import counted
from ingest.answer import answers
from ingest.arrival import DeadLetter, Verdict
from ingest.config import IngestSettings
from ingest.courier import Courier
from ingest.leaseholder import Leaseholder
from ingest.lines import Lines
from ingest.load import Loaded, Loader
from ingest.reason import Reason
from ingest.release import Releaser
from ingest.subscribe import Arrival
from ingest.validate import judge, judge_all
from observe.door import Door
from observe.readiness import Readiness
from store.pool import HEARTBEAT_EVERY_S, Pool, heartbeat, open_pool, transaction
from vitals.errors import KangbanError

log = logging.getLogger(__name__)

# seconds after which the loops look whether they should stop
_LOOK_UP_S = 0.5
# seconds between attempts of one load: the first, and the longest
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.2, 10.0
# leases that a transaction may last, a minute as settings come: a load takes a second, and one that
# stands still with its worker must not keep others from the same devices
_LEASES_OF_TRANSACTION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Messages and what was found in each."""

    arrivals: Sequence[Arrival]
    verdicts: Sequence[Verdict]


def run(settings: IngestSettings, stop: threading.Event) -> None:
    """Works until `stop` is set; an absent broker or database is waited for."""
    # the objects of a load live until its end, and rows make no circles: looking for some among
    # them after every 700 took a fifth of the time
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    # One load that waits, so that the loader never does. The next is taken when the loader has
    # taken that one: till then it grows, and costs the database less a row.
    judged: Queue[_Work] = Queue(maxsize=1)
    lines = Lines(settings)
    readiness = Readiness(
        "ingest", "broker", "database", *(["lease"] if settings.shards.leased else [])
    )
    counted.watch(lines)
    with (
        open_pool(
            settings.database_url,
            process=settings.process,
            max_size=5,
            transaction_limit_s=_LEASES_OF_TRANSACTION * settings.lease_s,
        ) as pool,
        Door(settings, readiness),
    ):
        loader = _LoadingThread(settings, lines, pool, judged, readiness, stop)
        threads: list[threading.Thread] = [loader, Courier(settings, lines, pool, stop)]
        threads.append(
            threading.Thread(target=_wake, args=(lines, loader.took, stop), name="waker")
        )
        threads.append(Releaser(settings.database_url, pool, stop))
        if settings.shards.leased:
            threads.append(Leaseholder(settings, lines, pool, readiness, stop))
        for each in threads:
            each.start()
        lines.start()
        try:
            while not stop.is_set():
                if judged.full() and not loader.took.wait(_LOOK_UP_S):
                    continue
                loader.took.clear()
                arrivals = lines.take(wait_s=_LOOK_UP_S)
                if arrivals:
                    _hand_over(judged, _judge_all(arrivals), stop)
        finally:
            stop.set()
            for each in threads:
                each.join()
            lines.stop()
    if loader.failure is not None:
        raise loader.failure


def _wake(lines: Lines, took: threading.Event, stop: threading.Event) -> None:
    """Lets the loop look up once it is asked to stop, whatever its waits have come to."""
    stop.wait()
    took.set()
    lines.wake()


def _judge_all(arrivals: Sequence[Arrival]) -> _Work:
    now = datetime.now(UTC)
    try:
        verdicts = judge_all([each.message for each in arrivals], now=now)
    except Exception:
        # whichever it was, its neighbours are judged
        verdicts = [_judge_one(each, now) for each in arrivals]
    counted.judged(verdicts)
    return _Work(arrivals=arrivals, verdicts=verdicts)


def _judge_one(arrival: Arrival, now: datetime) -> Verdict:
    try:
        return judge(arrival.message, now=now)
    except Exception as error:
        # a mistake of ours must not stop the stream: the message is kept, with what went wrong
        log.exception("A message could not be judged; it is kept as a dead letter.")
        reason = f"this release of ingest failed on it: {type(error).__name__}"
        return DeadLetter(message=arrival.message, reasons=(reason,), code=Reason.FAILED_HERE)


def _hand_over(judged: "Queue[_Work]", work: _Work, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            return judged.put(work, timeout=_LOOK_UP_S)
        except Full:
            continue


class _LoadingThread(threading.Thread):
    """Commits, then sends receipts, then acknowledges; beats while it works."""

    def __init__(
        self,
        settings: IngestSettings,
        lines: Lines,
        pool: Pool,
        judged: "Queue[_Work]",
        readiness: Readiness,
        stop: threading.Event,
    ) -> None:
        super().__init__(name="loader")
        self._settings, self._lines, self._pool = settings, lines, pool
        self._judged, self._readiness, self._stop_asked = judged, readiness, stop
        self._loader = Loader(pool)
        self._looked_s, self._has_beaten = float("-inf"), False
        # set whenever it takes a load
        self.took = threading.Event()
        # what ended this thread before it was asked to stop: the process ends with it
        self.failure: Exception | None = None

    def run(self) -> None:
        """Works until the process stops; what is not committed then comes again."""
        try:
            self._work()
        except Exception as error:
            self.failure = error
            self._stop_asked.set()

    def _work(self) -> None:
        while not self._stop_asked.is_set():
            self._beat()
            try:
                work = self._judged.get(timeout=_LOOK_UP_S)
            except Empty:
                continue
            self.took.set()
            loaded = self._load(work)
            if loaded is not None:
                self._answer(work, loaded)

    def _load(self, work: _Work) -> Loaded | None:
        """What was committed; None when the process stops before anything could be."""
        wait_s, began_s = _FIRST_RETRY_S, time.monotonic()
        while True:
            now = datetime.now(UTC)
            try:
                done = self._loader.load(work.verdicts, now=now)
                took_s = time.monotonic() - began_s
                counted.loaded(work.verdicts, done, now=now, took_s=took_s)
                return done
            except KangbanError as error:
                log.error("Nothing is acknowledged, the same is tried again: %s", error)
            except Exception:
                log.exception("Nothing is acknowledged, the same is tried again.")
            counted.FAILURES.inc()
            self._readiness.ill("database", "it takes nothing in")
            if self._stop_asked.wait(wait_s):
                return None
            wait_s = min(2 * wait_s, _LONGEST_RETRY_S)

    def _answer(self, work: _Work, loaded: Loaded) -> None:
        for gateway, receipt in answers(loaded.receipts):
            # the same bytes as vitals.wire.encode_receipt gives, in a tenth of the time
            self._lines.send(gateway, "receipt", msgspec.json.encode(receipt))
        self._lines.acknowledge(work.arrivals)
        counted.UNANSWERED.dec(counted.envelopes(work.verdicts))
        if loaded.refused:
            log.warning("%d measurements or messages were refused and kept.", loaded.refused)
        log.debug("%d messages, %d new measurements", len(work.arrivals), loaded.inserted)

    def _beat(self) -> None:
        """Says that this worker works: it has a broker, and the database takes its word."""
        self._readiness.say("broker", well=self._lines.is_whole(), trouble="it lets us not in")
        now_s = time.monotonic()
        connected = self._lines.is_connected()
        # the first beat comes as soon as there is a broker
        if now_s - self._looked_s < HEARTBEAT_EVERY_S and (self._has_beaten or not connected):
            return
        self._looked_s = now_s
        self._loader.ask_again_who_is_welcome()
        try:
            with transaction(self._pool) as connection:
                # pages and rules ask whether ingest lives, supervisors whether this worker does
                for name in {"ingest", self._settings.process} if connected else ():
                    heartbeat(connection, name)
        except KangbanError as error:
            self._readiness.ill("database", "it does not answer")
            log.error("%s", error)
        else:
            self._readiness.well("database")
            self._has_beaten = self._has_beaten or connected
