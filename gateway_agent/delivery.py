"""What a gateway sends next, and what it sends again: decided here, done in `uplink.py`.

Measurements leave in envelopes, a few of which are in flight at a time. An envelope is over when
receipts have named all its measurements. One whose receipt does not come is sent again with the
same measurements after a while that doubles each time and is never quite the same for two gateways,
so that a server that comes back is not met by everybody at once. Moments are seconds of a clock
that never jumps: a small computer without a battery wakes up in 1970 and is set while it works.
May hold: these decisions and their constants. May not: clocks, sockets, the spool.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from vitals.wire import MAX_MEASUREMENTS, MAX_MESSAGE_BYTES

# envelopes in flight: 8 of 50 keep a broker busy over a round trip of 100 ms at 4,000 measurements
# a second and bound what a lost link repeats
WINDOW = 8
# seconds; an ingest that is well answers within one, its restart takes a few
FIRST_WAIT_S = 5.0
# seconds; a server that is away for a day costs each gateway 8 envelopes each 5 minutes
MOST_WAIT_S = 300.0
# bytes of an envelope around its measurements: names of at most 63 letters, a time, a batch
_AROUND = 1024
# part of the wait that is left to chance
JITTER = 0.25
# seconds that an envelope with room left waits for company after another has taken off: a single
# reading leaves at once, a meter's whole memory leaves in full envelopes
LINGER_S = 0.1


@dataclass(slots=True, kw_only=True)
class Flight:
    """One envelope on its way: what it carries that is not yet named, and when to lose patience."""

    batch: str
    waiting: set[str]
    due_s: float
    attempt: int = 1


@dataclass(slots=True, kw_only=True)
class Delivery:
    """All flights of one gateway. `cursor` is the last place in the spool that has taken off."""

    flights: dict[str, Flight] = field(default_factory=dict)
    cursor: int = 0
    took_off_s: float = -LINGER_S
    held: bool = False

    def may_take_off(self, *, full: bool, now_s: float) -> bool:
        """May an envelope take off now? One that is not full may be held a moment."""
        if len(self.flights) >= WINDOW:
            return False
        self.held = not full and now_s < self.took_off_s + LINGER_S
        return not self.held

    def took_off(
        self, batch: str, ids: Collection[str], *, last_place: int, now_s: float, chance: float
    ) -> None:
        """Notes a new envelope; `chance` is a random number from 0 to 1."""
        self.cursor, self.took_off_s = max(self.cursor, last_place), now_s
        due_s = now_s + patience_s(attempt=1, chance=chance)
        self.flights[batch] = Flight(batch=batch, waiting=set(ids), due_s=due_s)

    def named(self, ids: Iterable[str]) -> None:
        """Takes out what a receipt named, of whichever envelope it was."""
        gone = set(ids)
        for batch, flight in list(self.flights.items()):
            flight.waiting -= gone
            if not flight.waiting:
                del self.flights[batch]

    def overdue(self, now_s: float) -> list[Flight]:
        """The envelopes to be sent again, the longest overdue first."""
        late = [flight for flight in self.flights.values() if flight.due_s <= now_s]
        return sorted(late, key=lambda flight: flight.due_s)

    def sent_again(self, flight: Flight, *, now_s: float, chance: float) -> None:
        """Notes that an overdue envelope left once more."""
        flight.attempt += 1
        flight.due_s = now_s + patience_s(attempt=flight.attempt, chance=chance)

    def reconnected(
        self,
        *,
        session_kept: bool,
        repeated: Collection[str] = (),
        now_s: float,
        chance: float,
    ) -> None:
        """A new link: what flew into a broker that forgot us is due at once; anything else has its
        first patience again, for the broker still holds it or the link brings it now.

        `repeated`: the batches that the link sends again by itself.
        """
        for flight in self.flights.values():
            flight.attempt = 1
            comes = session_kept or flight.batch in repeated
            flight.due_s = now_s + (patience_s(attempt=1, chance=chance) if comes else 0.0)

    def next_due_s(self) -> float | None:
        """When there will be something to do; None while nothing flies and nothing is held."""
        due = [flight.due_s for flight in self.flights.values()]
        if self.held:
            due.append(self.took_off_s + LINGER_S)
        return min(due, default=None)


def patience_s(*, attempt: int, chance: float) -> float:
    """Seconds to wait for the receipt of this attempt.

    The first wait doubles up to the longest, plus or minus up to a quarter by chance: attempt 3
    waits 20 s, with chance 0 15 s, with chance 1 25 s.
    """
    # 2**10 first waits are longer than the longest
    wait_s = min(FIRST_WAIT_S * 2.0 ** min(attempt - 1, 10), MOST_WAIT_S)
    return wait_s * (1 + JITTER * (2 * chance - 1))


def fits(octets: Iterable[int]) -> int:
    """How many of these measurements, from the first on, go into one envelope; at least one.

    The server takes apart no message that is larger: a full envelope of large measurements would
    come back for ever.
    """
    room = MAX_MESSAGE_BYTES - _AROUND
    fitting = sum(1 for size in accumulate(octets) if size <= room)
    return max(1, min(fitting, MAX_MEASUREMENTS))
