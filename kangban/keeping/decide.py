"""Since when raw readings are kept, and how long a chunk is.

May hold: these decisions. May not: SQL, clocks, I/O.
"""

from datetime import UTC, datetime, time, timedelta

# Chunks of these lengths are offered, the longest first: fewer chunks, quicker plans.
CHUNKS = (
    timedelta(days=7),
    timedelta(days=1),
    timedelta(hours=6),
    timedelta(hours=1),
)
# bytes of both indexes for one row of `measurement`: 0.45 of the 213 bytes that a row takes in all
# (measured at 20 million rows: index share 0.4-0.5, estimated)
_INDEX_BYTES = 96
# the share of memory that the indexes of the chunk being written may take; the rest is for older
# chunks that late readings touch, for queries and for the system; an engineering choice
_INDEX_SHARE = 0.25
# bytes
_GB = 10**9


def complete_since(
    *,
    keep_days: int | None,
    oldest_waiting: datetime | None,
    raw_since: datetime | None,
    now: datetime,
) -> datetime | None:
    """The moment since which raw readings are to be kept; None: no further cut than `raw_since`.

    A midnight of UTC. Never later than the oldest reading that waits for a name: whoever gives it a
    name wants its day counted, and nobody has seen it yet.
    """
    if keep_days is None:
        return None
    found = _midnight(now - timedelta(days=keep_days))
    if oldest_waiting is not None:
        found = min(found, _midnight(oldest_waiting))
    return None if raw_since is not None and found <= raw_since else found


def chunk_interval(*, rows_a_day: int, memory_gb: int) -> timedelta:
    """The longest chunk whose indexes take no more than a quarter of memory.

    3.3 million rows a day (10,000 patients) × 7 days × 96 bytes = 2.2 GB: 7 days fit 16 GB;
    329 million (a million patients) × 6 hours = 7.9 GB: 6 hours fit 64 GB. Where nothing fits, the
    shortest.
    """
    room = memory_gb * _GB * _INDEX_SHARE
    for length in CHUNKS:
        if rows_a_day * (length / timedelta(days=1)) * _INDEX_BYTES <= room:
            return length
    return CHUNKS[-1]


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
