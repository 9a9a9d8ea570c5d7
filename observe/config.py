"""The settings by which any server process can be watched: a part of each process's own settings.

May hold: these settings. May not: a setting of one process alone.
"""

from dataclasses import dataclass
from enum import StrEnum

from vitals.settings import setting


class LogForm(StrEnum):
    """How a line of the log is written: for a person's eye, or one JSON object for a program."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Where a process says how it is, and how it writes its log."""

    status_port: int | None = setting(
        "KANGBAN_STATUS_PORT",
        "the port on which this process says how it is (/healthz, /readyz, /metrics), 0 takes any "
        "free one; `kangban serve` counts up from it, in the order ingest, rules, plans, notify, "
        "keep, api; without it nothing listens",
        default=None,
        parse=int,
    )
    status_host: str = setting(
        "KANGBAN_STATUS_HOST",
        "the address on which it does; keep it away from the world: it names gateways",
        default="127.0.0.1",
    )
    log: LogForm = setting(
        "KANGBAN_LOG",
        "text, or json: one JSON object a line; neither holds health data",
        default=LogForm.TEXT,
        parse=LogForm,
    )
