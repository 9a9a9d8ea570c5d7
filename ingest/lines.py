"""The worker's lines to the broker: one for its range of shards, or one for each block it leases.

A leased block is a client id and a session of its own at the broker, whoever the worker is. So a
block moves with everything the broker keeps for it: whoever opens the line next gets what the last
holder did not acknowledge, and the broker closes the line of the last holder. No session is left
behind to fill. What all lines bring goes into one queue. May hold: the set of lines. May not: paho
(`subscribe.py`), who gets which block (`lease.py`).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import SimpleQueue

from ingest.config import IngestSettings, Shards
from ingest.subscribe import Arrival, Subscription, forget_session, gather
from vitals.wire import shard, topic

# The client ids of a worker that had all shards for itself, with a password and with a certificate:
# where shards are leased now, its session would fill for ever.
_FORMER = ("kangban-ingest-00-63", "kangban.ingest")


class Lines:
    """All lines of one worker; its methods may be called from different threads."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._waiting: SimpleQueue[Arrival | None] = SimpleQueue()
        # guards the set of lines, which is replaced and never changed
        self._lock = threading.Lock()
        self._lines: dict[Shards, Subscription] = {}

    def start(self) -> None:
        """Opens the line of a worker whose shards are fixed; leased ones are opened one by one."""
        if not self._settings.shards.leased:
            line = Subscription(self._settings, waiting=self._waiting)
            self._lines = {self._settings.shards: line}
            line.start()

    def open(self, block: Shards, *, may_connect: Callable[[], bool]) -> None:
        """Begins to connect for a leased block, and again after each loss while it may."""
        with self._lock:
            if block in self._lines:
                return
            # a dot: no gateway can have this name, nor by its certificate this client id
            line = Subscription(
                replace(self._settings, shards=block),
                client_id=f"kangban.ingest.{block}",
                waiting=self._waiting,
                may_connect=may_connect,
            )
            self._lines = {**self._lines, block: line}
        line.start()

    def close(self, block: Shards) -> None:
        """Ends a line; what was not acknowledged waits for whoever opens it next."""
        with self._lock:
            line = self._lines.get(block)
            self._lines = {key: each for key, each in self._lines.items() if key != block}
        if line is not None:
            line.stop()

    def forget_former(self) -> None:
        """Ends the sessions of a worker that had all shards. Raises OSError without a broker."""
        for each in _FORMER:
            forget_session(self._settings, each)

    def stop(self) -> None:
        """Ends every line."""
        for each in self.owned():
            self.close(each)

    def owned(self) -> list[Shards]:
        """The shards of which this worker has a line, connected or not."""
        return list(self._lines)

    def is_connected(self) -> bool:
        """Does the broker bring anything of what this worker owns?"""
        return any(each.is_connected() for each in self._lines.values())

    def connected(self) -> int:
        """How many lines are up."""
        return sum(each.is_connected() for each in self._lines.values())

    def is_whole(self) -> bool:
        """Does the broker bring everything that this worker owns?"""
        return all(each.is_connected() for each in self._lines.values())

    def waiting(self) -> int:
        """Messages that came and were not taken yet."""
        return self._waiting.qsize()

    def unconfirmed(self) -> int:
        """Messages of ours that the broker has not confirmed."""
        return sum(each.unconfirmed() for each in self._lines.values())

    def take(self, *, wait_s: float) -> list[Arrival]:
        """The messages of the next load in order of arrival, empty when none came in `wait_s`."""
        return gather(self._waiting, wait_s=wait_s)

    def wake(self) -> None:
        """Ends the wait of `take`, now or the next time."""
        self._waiting.put(None)

    def send(self, gateway: str, leaf: str, payload: bytes) -> None:
        """Publishes to a gateway, on the line by which its messages come.

        So a receipt travels before the acknowledgement, on the same connection: if that is lost, so
        is the acknowledgement, the message comes again and with it the receipt. Without that line
        it is dropped; whoever has the line now sends another.
        """
        number = shard(gateway)
        for shards, line in self._lines.items():
            if shards.first <= number <= shards.last:
                return line.send(topic(gateway, leaf), payload)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tells the broker, in order, that these need not come again."""
        for each in self._lines.values():
            each.acknowledge(arrivals)
