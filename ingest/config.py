"""The settings of ingest.

May hold: the settings dataclass and the reading of its values. May not: defaults hidden elsewhere.
"""

from dataclasses import dataclass
from pathlib import Path

from observe.config import Watched
from vitals.broker import Broker, broker
from vitals.settings import setting
from vitals.wire import SHARDS

LEASED = "leased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The shards that one worker owns, `first` to `last`, both included.

    `leased`: those of them that it leases, block by block, from one moment to the next.
    """

    first: int
    last: int
    leased: bool = False

    def __str__(self) -> str:
        return LEASED if self.leased else f"{self.first:02d}-{self.last:02d}"

    @property
    def is_all(self) -> bool:
        """Is there no other worker, or none with other shards for ever?"""
        return (self.first, self.last) == (0, SHARDS - 1)


def shards(text: str) -> Shards:
    """The shards of "00-63" or "leased". Raises ValueError for what is no range within them."""
    if text == LEASED:
        return Shards(first=0, last=SHARDS - 1, leased=True)
    first, _, last = text.partition("-")
    found = Shards(first=int(first), last=int(last or first))
    if not 0 <= found.first <= found.last < SHARDS:
        raise ValueError(f"{text!r} is no range within 00-{SHARDS - 1}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings(Watched):
    """What one ingest worker must know before it starts."""

    database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens: postgresql://…")
    mqtt: Broker = setting(
        "KANGBAN_MQTT_URL", "the broker, mqtt://user:password@host:port or mqtts://…", parse=broker
    )
    shards: Shards = setting(
        "KANGBAN_SHARDS",
        "the shards that this worker owns, as 00-31, each of exactly one worker; or leased: the "
        "workers share all of them out, and again whenever one comes or goes",
        default=Shards(first=0, last=SHARDS - 1),
        parse=shards,
    )
    lease_s: float = setting(
        "KANGBAN_LEASE_S",
        "seconds after which the shards of a worker that is silent are another's, where they are "
        "leased; the same for all workers",
        default=15.0,
        parse=float,
    )
    tls_ca: Path | None = setting(
        "KANGBAN_MQTT_CA_PATH",
        "PEM file of the authority that signed the broker's certificate",
        default=None,
        parse=Path,
    )
    tls_certificate: Path | None = setting(
        "KANGBAN_MQTT_CERTIFICATE_PATH",
        "PEM file of this worker's certificate",
        default=None,
        parse=Path,
    )
    tls_key: Path | None = setting(
        "KANGBAN_MQTT_KEY_PATH", "PEM file of this worker's private key", default=None, parse=Path
    )

    @property
    def process(self) -> str:
        """The name of this worker: its heartbeat's, and part of its client id."""
        return "ingest" if self.shards.is_all else f"ingest-{self.shards}"
