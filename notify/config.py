"""Settings of the process that tells people, read once at the start."""

from dataclasses import dataclass

from observe.config import Watched
from vitals.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings(Watched):
    """Where messages wait, and how patient the drainers are."""

    database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens")
    public_url: str = setting(
        "KANGBAN_PUBLIC_URL",
        "the address that people type (https://care.example.org), for links in messages; "
        "without it messages carry no link",
        default="",
    )
    workers: int = setting(
        "KANGBAN_NOTIFY_WORKERS", "how many messages are told at once", default=4, parse=int
    )
    wait_s: float = setting(
        "KANGBAN_NOTIFY_WAIT_S",
        "seconds after which a channel that does not answer counts as failed",
        default=15.0,
        parse=float,
    )
