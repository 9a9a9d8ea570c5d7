"""Who has which shards: blocks of them are leased to the workers that live, fairly, for seconds.

The 64 shards are cut into eight blocks. Every few seconds each worker looks at who lives and who
holds what, and takes one step: it renews what it holds, takes what is free and its share, gives up
what is another's share. All workers divide alike from the same rows, so nobody leads. A block moves
only where somebody has too many of them or is gone. May hold: the division and the step. May not:
clocks, SQL, MQTT: `leaseholder.py` acts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.config import Shards
from vitals.wire import SHARDS

# Shards of one block: eight blocks, for at most eight workers. One worker stores far more than the
# 19,000 rows a second of a million patients, and each block is a connection to the broker
# (docs/adr/0019): an engineering choice.
_OF_BLOCK = 8
BLOCKS = tuple(
    Shards(first=first, last=first + _OF_BLOCK - 1) for first in range(0, SHARDS, _OF_BLOCK)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One worker as it last said: when, and whether the broker lets it in."""

    name: str
    seen_at: datetime
    reaches_broker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One block: who holds it (None: nobody), and until when."""

    block: int
    holder: str | None
    until: datetime

    def is_free(self, now: datetime) -> bool:
        """May anybody take it?"""
        return self.holder is None or self.until <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one worker does now: hold these blocks for another while, and give up these of them."""

    hold: frozenset[int]
    give_up: frozenset[int]


def step(
    me: str,
    *,
    now: datetime,
    lasts: timedelta,
    workers: Collection[Worker],
    leases: Sequence[Lease],
) -> Step:
    """What `me` does at `now`; a worker that was not heard of for as long as a lease lasts is gone.

    Those whom the broker does not let in get nothing, unless it lets nobody in: then nothing moves.
    """
    living = [each for each in workers if now - each.seen_at < lasts or each.name == me]
    able = [each for each in living if each.reaches_broker]
    share = division(
        {each.block: each.holder for each in leases}, {each.name for each in able or living}
    )
    mine = {each.block for each in leases if each.holder == me}
    free = {each.block for each in leases if each.holder != me and each.is_free(now)}
    wanted = {block for block, name in share.items() if name == me}
    # what is given up stays held until its line is closed: nobody may take it before
    return Step(hold=frozenset(mine | (wanted & free)), give_up=frozenset(mine - wanted))


def division(holders: Mapping[int, str | None], workers: Collection[str]) -> dict[int, str]:
    """Who should have each block: everybody as many as the others or one more, few of them moved.

    `holders`: who has each block now; blocks of those who are not among `workers` are free.
    """
    if not workers:
        return {}
    held = {
        name: sorted(block for block, holder in holders.items() if holder == name)
        for name in workers
    }
    # the odd ones stay with those who have most already
    order = sorted(held, key=lambda name: (-len(held[name]), name))
    least, odd = divmod(len(holders), len(order))
    found: dict[int, str] = {}
    seats: list[str] = []
    for place, name in enumerate(order):
        due = least + (place < odd)
        kept = held[name][:due]
        found |= dict.fromkeys(kept, name)
        seats += [name] * (due - len(kept))
    return found | dict(zip(sorted(holders.keys() - found.keys()), seats, strict=True))
