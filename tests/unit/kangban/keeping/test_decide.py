"""What is kept how long follows from the settings, the clock and what waits for a name."""

from datetime import UTC, datetime, timedelta

import pytest

from kangban.keeping.config import KeepingSettings
from kangban.keeping.decide import chunk_interval, complete_since
from store.retention import Facts
from vitals.errors import MendSettings
from vitals.settings import read

NOW = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
FOR_EVER = {"keep_days": None, "oldest_waiting": None, "raw_since": None}


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "kept_since"),
    [
        # by default nothing is ever removed
        ({}, None),
        # 24 November 2026 less 400 days, at midnight
        ({"keep_days": 400}, day("2025-10-20")),
        # what was cut yesterday is cut a day further, and not twice on one day
        ({"keep_days": 400, "raw_since": day("2025-10-19")}, day("2025-10-20")),
        ({"keep_days": 400, "raw_since": day("2025-10-20")}, None),
        # a longer time than before brings nothing back
        ({"keep_days": 800, "raw_since": day("2025-10-20")}, None),
        # a reading that waits for a name holds the cut back at its own day
        ({"keep_days": 400, "oldest_waiting": day("2025-08-01T23:59")}, day("2025-08-01")),
        ({"keep_days": 400, "oldest_waiting": day("2025-10-20T00:00")}, day("2025-10-20")),
        ({"keep_days": 400, "oldest_waiting": day("2026-11-01")}, day("2025-10-20")),
    ],
)
def test_readings_are_kept_for_the_days_that_were_set(changes, kept_since) -> None:
    assert complete_since(**{**FOR_EVER, **changes}, now=NOW) == kept_since


@pytest.mark.parametrize(
    ("timescaledb", "licence", "compresses"),
    [
        (None, None, False),  # plain PostgreSQL
        (None, "timescale", False),  # offered by the server, not created in this database
        ("2.19.3", "apache", False),
        ("2.29.2", "timescale", True),
    ],
)
def test_only_the_community_edition_compresses(timescaledb, licence, compresses) -> None:
    facts = Facts(timescaledb=timescaledb, licence=licence, raw_since=None, oldest_waiting=None)
    assert facts.may_compress is compresses


@pytest.mark.parametrize(
    ("rows_a_day", "memory_gb", "interval"),
    [
        # a household: two cuff readings of three values
        (6, 1, timedelta(days=7)),
        # 10,000 patients, 3.3 million: 7 days × 96 bytes = 2.2 GB
        (3_300_000, 16, timedelta(days=7)),
        (3_300_000, 8, timedelta(days=1)),
        # 100,000 patients, 33 million: 7 days would be 22 GB, one is 3.2 GB
        (33_000_000, 64, timedelta(days=1)),
        # a million patients, 329 million: one day would be 32 GB, six hours are 7.9 GB
        (329_000_000, 64, timedelta(hours=6)),
        (329_000_000, 16, timedelta(hours=1)),
        # exactly a quarter of 16 GB, and one row more
        (4_000_000_000 // 96, 16, timedelta(days=1)),
        (4_000_000_000 // 96 + 1, 16, timedelta(hours=6)),
        # nothing fits: the shortest
        (10**12, 1, timedelta(hours=1)),
    ],
)
def test_a_chunk_is_as_long_as_memory_allows(rows_a_day, memory_gb, interval) -> None:
    assert chunk_interval(rows_a_day=rows_a_day, memory_gb=memory_gb) == interval


@pytest.mark.parametrize("text", ["399", "0", "-1", "a year"])
def test_raw_readings_are_not_kept_shorter_than_rules_look_back(text: str) -> None:
    given = {"KANGBAN_DATABASE_URL": "postgresql://", "KANGBAN_KEEP_RAW_DAYS": text}
    with pytest.raises(MendSettings, match="KANGBAN_KEEP_RAW_DAYS is wrong"):
        read(KeepingSettings, given)
