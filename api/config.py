"""Settings of the web process, read once at the start."""

from dataclasses import dataclass
from pathlib import Path

from observe.config import Watched
from vitals.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings(Watched):
    """Where the pages listen and where they read."""

    database_url: str = setting("KANGBAN_DATABASE_URL", "where PostgreSQL listens")
    host: str = setting(
        "KANGBAN_API_HOST", "the address on which the pages listen", default="127.0.0.1"
    )
    port: int = setting(
        "KANGBAN_API_PORT",
        "the port on which the pages listen; 0 takes any free one",
        default=8000,
        parse=int,
    )
    public_url: str = setting(
        "KANGBAN_PUBLIC_URL",
        "the address that people type (https://care.example.org), where it differs from "
        "host and port; https makes cookies Secure",
        default="",
    )
    session_days: int = setting(
        "KANGBAN_SESSION_DAYS",
        "days after which a person must open a new link",
        default=30,
        parse=int,
    )
    pool_size: int = setting(
        "KANGBAN_API_POOL", "the most connections to PostgreSQL at once", default=8, parse=int
    )

    authority_certificate: Path | None = setting(
        "KANGBAN_AUTHORITY_CERTIFICATE_PATH",
        "PEM file of the installation's authority, which signs the certificates of gateways that "
        "are set up from a page",
        default=None,
        parse=Path,
    )
    authority_key: Path | None = setting(
        "KANGBAN_AUTHORITY_KEY_PATH",
        "PEM file of the authority's private key",
        default=None,
        parse=Path,
    )
    authority_revoked: Path | None = setting(
        "KANGBAN_AUTHORITY_REVOKED_PATH",
        "the broker's crlfile: the list of gateways that are shut out",
        default=None,
        parse=Path,
    )
    gateway_mqtt_url: str = setting(
        "KANGBAN_GATEWAY_MQTT_URL",
        "the broker as homes reach it, mqtts://care.example.org:8883",
        default="",
    )

    @property
    def is_https(self) -> bool:
        """Do people reach the pages over https?"""
        return self.public_url.startswith("https://")
