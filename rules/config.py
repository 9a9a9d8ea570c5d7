"""Settings of the process that judges, read once at the start."""

from dataclasses import dataclass

from observe.config import Watched
from vitals.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSettings(Watched):
    """Where patients and their news stand, and how patient the process is."""

    database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens")
    poll_s: float = setting(
        "KANGBAN_RULES_POLL_S",
        "seconds after which the process looks for news although nobody called it",
        default=5.0,
        parse=float,
    )
    tick_s: float = setting(
        "KANGBAN_RULES_TICK_S",
        "seconds between two looks for patients who are due without news (silence)",
        default=10.0,
        parse=float,
    )
