"""The address of the MQTT broker, as home and server are given it.

May hold: this noun and its reading. May not: a client.
"""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

# IANA: "mqtt" 1883, "secure-mqtt" 8883
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and how to reach it; `tls` by the scheme mqtts."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = None


def broker(url: str) -> Broker:
    """The broker of `mqtt://user:password@host:port` or `mqtts://…`. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        # the address is not repeated: it may hold a password
        raise ValueError("it is not of the form mqtt://user:password@host:port or mqtts://…")
    return Broker(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )
