"""The settings of a gateway, and how its broker's address is read.

May hold: the settings dataclass and the parsing of its values. May not: defaults hidden elsewhere.
"""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from vitals.broker import Broker, broker
from vitals.errors import MendData
from vitals.settings import setting
from vitals.wire import topic

# where a gateway keeps its spool and its control socket, unless it is told
DATA = Path("~/.local/share/kangban/gateway")


def _gateway_name(text: str) -> str:
    try:
        topic(text, "up")
    except MendData as error:
        raise ValueError(str(error)) from error
    return text


def _admit(text: str) -> str:
    if text not in ("added", "all"):
        raise ValueError("it is neither added nor all")
    return text


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("it must be 1 or more")
    return number


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, OSError) as error:
        raise ValueError(f"no time zone {text!r} is known") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What one gateway must know before it starts."""

    name: str = setting(
        "KANGBAN_GATEWAY_NAME",
        "this gateway's name, unique in the service: a-z, 0-9, '-' and '_'",
        parse=_gateway_name,
    )
    mqtt: Broker = setting(
        "KANGBAN_MQTT_URL", "the broker, mqtt://user:password@host:port or mqtts://…", parse=broker
    )
    data: Path = setting(
        "KANGBAN_GATEWAY_DATA",
        "folder of the spool: what was read and not yet received by the server",
        default=DATA,
        parse=Path,
    )
    spool_mb: int = setting(
        "KANGBAN_GATEWAY_SPOOL_MB",
        "MB that the spool may take on disk; the oldest delivered measurements go first, and what "
        "waits is never dropped",
        default=200,
        parse=_count,
    )
    spool_days: int = setting(
        "KANGBAN_GATEWAY_SPOOL_DAYS",
        "days that delivered measurements stay in the spool, for support",
        default=7,
        parse=_count,
    )
    timezone: ZoneInfo = setting(
        "KANGBAN_GATEWAY_TIMEZONE",
        "time zone that the clocks of the devices show",
        default=ZoneInfo("Asia/Shanghai"),
        parse=_zone,
    )
    adapter: str = setting(
        "KANGBAN_ADAPTER",
        "Bluetooth adapter: hci0, hci1 …, or sim for simulated devices",
        default="hci0",
    )
    admit: str = setting(
        "KANGBAN_GATEWAY_ADMIT",
        "whose devices are read: added (those that a person added) or all (whatever is heard, the "
        "neighbours' too: for tests)",
        default="added",
        parse=_admit,
    )
    tls_ca: Path | None = setting(
        "KANGBAN_MQTT_CA_PATH",
        "PEM file of the authority that signed the broker's certificate",
        default=None,
        parse=Path,
    )
    tls_certificate: Path | None = setting(
        "KANGBAN_MQTT_CERTIFICATE_PATH",
        "PEM file of this gateway's certificate",
        default=None,
        parse=Path,
    )
    tls_key: Path | None = setting(
        "KANGBAN_MQTT_KEY_PATH", "PEM file of this gateway's private key", default=None, parse=Path
    )
    server: str = setting(
        "KANGBAN_SERVER_URL",
        "the server that enrolled this gateway (https://care.example.org): it is asked for the "
        "next certificate",
        default="",
    )
