"""Settings of the process that keeps the database in order, read once at the start."""

from dataclasses import dataclass

from observe.config import Watched
from vitals.settings import setting

# Days. Rules and reports look back a year and more (the same season); an engineering choice.
SHORTEST_KEPT_DAYS = 400


def kept_days(text: str) -> int:
    """The days of this text. Raises ValueError for fewer than rules and reports look back."""
    days = int(text)
    if days < SHORTEST_KEPT_DAYS:
        raise ValueError(f"{days} is fewer than {SHORTEST_KEPT_DAYS}")
    return days


def positive(text: str) -> int:
    """A number of one or more. Raises ValueError."""
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingSettings(Watched):
    """Where the database is, how long raw readings stay, and how much is expected."""

    database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens")
    keep_raw_days: int | None = setting(
        "KANGBAN_KEEP_RAW_DAYS",
        f"days for which raw readings are kept, at least {SHORTEST_KEPT_DAYS}; without it for "
        "ever. Days, alerts and signed reports always stay",
        default=None,
        parse=kept_days,
    )
    compress_after_days: int = setting(
        "KANGBAN_COMPRESS_AFTER_DAYS",
        "days after which TimescaleDB's community edition compresses raw readings; other servers "
        "do not",
        default=14,
        parse=positive,
    )
    expected_rows_a_day: int | None = setting(
        "KANGBAN_EXPECTED_ROWS_A_DAY",
        "readings that a day will bring, from which the length of a chunk follows (a cuff twice a "
        "day: 6; a glucose sensor: 288); without it chunks stay as they are",
        default=None,
        parse=positive,
    )
    database_memory_gb: int = setting(
        "KANGBAN_DATABASE_MEMORY_GB",
        "memory of the database's machine in GB, of which the indexes of the newest chunk may "
        "take a quarter",
        default=16,
        parse=positive,
    )
