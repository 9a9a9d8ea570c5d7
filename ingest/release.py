"""Loads what a person released from quarantine, through the same door as everything else.

    page or shell ─▶ table of quarantine ─▶ this thread ─▶ the loader

A page decides and nothing more; the decision is final and stands in the table, so that it survives
whatever is killed afterwards. Loading is idempotent and marked when it is done: a worker that falls
in between leaves it to another. May hold: this loop, and what a release changes about a
measurement. May not: SQL (`store/quarantine.py`), who may release (`api/access.py`).
"""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from ingest.arrival import Delivery, Item, Message
from ingest.load import Loader
from ingest.reason import OF_TIME
from store import quarantine
from store.listen import Listener
from store.pool import Pool, transaction
from store.quarantine import Released
from vitals.errors import KangbanError
from vitals.measurement import Clock, Flag
from vitals.wire import encode_documents, topic

log = logging.getLogger(__name__)

# seconds after which the loop looks whether it should stop
_LOOK_UP_S = 0.5
# seconds between two looks at the table that nobody asked for
_EVERY_S = 2.0
# until what a worker took, and did not load, is taken again: its gateway is shut out, or it fell
AGAIN_AFTER = timedelta(minutes=1)
# measurements of one load
_AT_ONCE = 100


class Releaser(threading.Thread):
    """Loads until the process stops. What goes wrong here never ends ingest."""

    def __init__(self, database_url: str, pool: Pool, stop: threading.Event) -> None:
        super().__init__(name="releaser")
        self._database_url, self._pool, self._stop_asked = database_url, pool, stop
        self._loader = Loader(pool)
        self._looked_s = float("-inf")

    def run(self) -> None:
        """Works until the process stops."""
        with Listener(self._database_url, [quarantine.CHANNEL]) as listener:
            while not self._stop_asked.is_set():
                woken = bool(listener.wait(_LOOK_UP_S))
                try:
                    self._work(woken=woken)
                except KangbanError as error:
                    log.warning("What was released waits: %s", error)
                except Exception:
                    log.exception("What was released waits.")

    def _work(self, *, woken: bool) -> None:
        now_s = time.monotonic()
        if woken or now_s - self._looked_s >= _EVERY_S:
            self._looked_s = now_s
            load_released(self._pool, self._loader, now=datetime.now(UTC))


def load_released(pool: Pool, loader: Loader, *, now: datetime) -> int:
    """How many released measurements were loaded, each with its day and its news."""
    done = 0
    while True:
        with transaction(pool) as connection:
            taken = quarantine.take(connection, now=now, again_after=AGAIN_AFTER, limit=_AT_ONCE)
        if not taken:
            return done
        done += _load(pool, loader, taken, now=now)


def _load(pool: Pool, loader: Loader, taken: Sequence[Released], *, now: datetime) -> int:
    loaded = loader.load([delivery_of(each) for each in taken], now=now)
    # of a gateway that was shut out meanwhile nothing is taken in: no receipt names it
    named = {receipt.batch for _, receipt in loaded.receipts}
    ids = [each.id for each in taken if _batch(each) in named]
    with transaction(pool) as connection:
        quarantine.mark_loaded(connection, ids, now=now)
    return len(ids)


def delivery_of(released: Released) -> Delivery:
    """What a released measurement is to the loader.

    It carries a flag that a person vouched for it. One whose time cannot be gets the moment of its
    receipt, as unsure: so no reading stands in the future, and none alarms as if its time were
    known.
    """
    item = msgspec.convert(released.document, Item)
    item = replace(item, flags=(*item.flags, str(Flag.RELEASED)))
    is_time_doubted = not OF_TIME.isdisjoint(released.codes)
    if is_time_doubted:
        item = replace(item, taken_at=released.received_at, clock=str(Clock.UNSURE))
    payload = encode_documents(
        gateway=released.gateway,
        batch=_batch(released),
        sent_at=released.received_at,
        documents=[released.document],
        resync=released.resync,
    )
    return Delivery(
        message=Message(topic=topic(released.gateway, "up"), payload=payload),
        gateway=released.gateway,
        batch=_batch(released),
        # Placed anew, it is looked for over all time: it may have come with a right time before.
        # Without the device's own time nothing would tell it from another record with its number.
        resync=released.resync or (is_time_doubted and item.device_time is not None),
        items=(item,),
        devices=frozenset([item.device]),
        released=True,
    )


def _batch(released: Released) -> str:
    return f"release-{released.id}"
