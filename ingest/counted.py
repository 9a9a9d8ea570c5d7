"""What ingest counts of itself, for Prometheus: each figure, and where it comes from.

Names and meanings stand in docs/observing.md with what to be alarmed by. Nothing here is counted
for each measurement: an envelope is the smallest unit, so that counting costs nothing beside
storing. The only label without end is a gateway's name, and of those only the deepest spools are
shown. May hold: figures. May not: decisions, I/O.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ingest.arrival import DeadLetter, Delivery, EventSeen, HealthSeen, Verdict
from ingest.config import Shards
from ingest.lines import Lines
from ingest.load import Loaded
from ingest.sheet import Written
from vitals.wire import shard

# gateways of which the spool is shown by name: those with the deepest. An engineering choice.
MOST_GATEWAYS = 200
# seconds after which a gateway that said nothing is no longer counted as heard: it speaks every few
# minutes
HEARD_WITHIN_S = 900.0

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0

MESSAGES = Counter("kangban_ingest_messages_total", "Messages judged, by what they were.", ["kind"])
ROWS = Counter("kangban_ingest_rows_total", "New measurements committed.")
REPEATS = Counter("kangban_ingest_repeats_total", "Measurements that were stored before.")
REFUSED = Counter(
    "kangban_ingest_refused_total", "Measurements and messages refused and kept.", ["reason"]
)
LAG = Histogram(
    "kangban_ingest_lag_seconds",
    "From the newest measurement of an envelope to its commit.",
    buckets=(1, 2, 5, 10, 30, _MINUTE, 5 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY),
)
LOAD_SECONDS = Histogram(
    "kangban_ingest_load_seconds",
    "Time to store one load, with all attempts.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, _MINUTE, 10 * _MINUTE),
)
LOAD_MESSAGES = Histogram(
    "kangban_ingest_load_messages",
    "Messages of one load.",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500),
)
FAILURES = Counter("kangban_ingest_load_failures_total", "Attempts to store a load that failed.")
LEASES_MOVED = Counter(
    "kangban_ingest_leases_moved_total", "Blocks of shards that came or went.", ["how"]
)
WAITING = Gauge("kangban_ingest_waiting_messages", "Messages taken in and not yet judged.")
UNANSWERED = Gauge(
    "kangban_ingest_receipts_outstanding",
    "Envelopes that were judged and whose receipt was not sent yet.",
)
UNCONFIRMED = Gauge(
    "kangban_ingest_receipts_unconfirmed", "Receipts and commands that the broker has to confirm."
)
OWNED = Gauge("kangban_ingest_shards_owned", "Shards that this worker has now.")
LINES = Gauge("kangban_ingest_lines_connected", "Lines to the broker that are up.")


def watch(lines: Lines) -> None:
    """Reads the figures of these lines whenever somebody asks."""
    WAITING.set_function(lines.waiting)
    UNCONFIRMED.set_function(lines.unconfirmed)
    OWNED.set_function(lambda: sum(each.last - each.first + 1 for each in lines.owned()))
    LINES.set_function(lines.connected)
    SPOOLS.of(lines.owned)


def judged(verdicts: Sequence[Verdict]) -> None:
    """Counts messages as they were judged."""
    for kind, name in (
        (Delivery, "measurements"),
        (HealthSeen, "health"),
        (EventSeen, "event"),
        (DeadLetter, "dead_letter"),
    ):
        number = sum(isinstance(each, kind) for each in verdicts)
        if number:
            MESSAGES.labels(kind=name).inc(number)
    UNANSWERED.inc(envelopes(verdicts))


def envelopes(verdicts: Iterable[Verdict]) -> int:
    """How many of them want a receipt."""
    return sum(isinstance(each, Delivery) for each in verdicts)


def loaded(verdicts: Sequence[Verdict], done: Loaded, *, now: datetime, took_s: float) -> None:
    """Counts what was committed."""
    # a gateway that nobody registered is given no receipt, and nothing of it is stored
    welcome = {gateway for gateway, _ in done.receipts}
    ROWS.inc(done.inserted)
    named = sum(len(receipt.committed) for _, receipt in done.receipts)
    REPEATS.inc(max(0, named - done.inserted))
    for reason in done.reasons:
        REFUSED.labels(reason=str(reason)).inc()
    for each in verdicts:
        if isinstance(each, Delivery) and each.items and each.gateway in welcome:
            LAG.observe(max(0.0, (now - _newest(each)).total_seconds()))
    LOAD_SECONDS.observe(took_s)
    LOAD_MESSAGES.observe(len(verdicts))
    for word in verdicts:
        if isinstance(word, HealthSeen):
            SPOOLS.note(word.gateway, spooled=word.health.spooled, now_s=now.timestamp())


def _newest(brought: Delivery) -> datetime:
    """When the newest measurement of an envelope was taken."""
    items = brought.items
    if isinstance(items, Written):
        return items.sheet.columns.part(items.begin, items.end).span()[1]
    return max([each.taken_at for each in items])


class Spools(Collector):
    """How much each gateway still has to send, by its own last word to this worker."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, tuple[int, float]] = {}
        self._owned: Callable[[], Iterable[Shards]] = list

    def of(self, owned: Callable[[], Iterable[Shards]]) -> None:
        """Counts gateways of these shards alone: others speak to another worker by now."""
        self._owned = owned

    def note(self, gateway: str, *, spooled: int, now_s: float) -> None:
        """Remembers a gateway's word."""
        with self._lock:
            self._last[gateway] = (max(0, spooled), now_s)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The deepest spools by gateway, and the sums over all gateways that are heard."""
        depths = self._heard()
        deepest = GaugeMetricFamily(
            "kangban_gateway_spooled",
            f"Measurements that a gateway has yet to deliver; the {MOST_GATEWAYS} deepest.",
            labels=["gateway"],
        )
        ranked = sorted(depths.items(), key=lambda each: (-each[1], each[0]))
        for gateway, depth in ranked[:MOST_GATEWAYS]:
            deepest.add_metric([gateway], depth)
        yield deepest
        yield GaugeMetricFamily(
            "kangban_gateways_heard",
            "Gateways of our shards that said how they are within 15 minutes.",
            value=len(depths),
        )
        yield GaugeMetricFamily(
            "kangban_gateways_spooled",
            "Measurements that all these gateways have yet to deliver.",
            value=sum(depths.values()),
        )

    def _heard(self) -> dict[str, int]:
        now_s, owned = self._clock(), list(self._owned())
        with self._lock:
            self._last = {
                gateway: last
                for gateway, last in self._last.items()
                if now_s - last[1] < HEARD_WITHIN_S
            }
            last = dict(self._last)
        return {
            gateway: depth
            for gateway, (depth, _) in last.items()
            if any(each.first <= shard(gateway) <= each.last for each in owned)
        }


SPOOLS = Spools(time.time)
REGISTRY.register(SPOOLS)
