"""Settings of the process that follows care plans, read once at the start."""

from dataclasses import dataclass

from observe.config import Watched
from vitals.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class PlansSettings(Watched):
    """Where plans stand, and how often the clock is looked at."""

    database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens")
    tick_s: float = setting(
        "KANGBAN_PLANS_TICK_S",
        "seconds between two looks at what is due: how late a reminder may be",
        default=60.0,
        parse=float,
    )
