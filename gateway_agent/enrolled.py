"""What an enrolled gateway remembers in its data folder, so that no setting must be typed.

    gateway.env    its settings, one NAME=value a line, as systemd reads them too
    gateway.pem    its certificate and its private key: one file, so that both change at once
    authority.pem  the authority by which it knows the broker
    server.pem     the authority by which it knows the pages, where it is none that all trust

May hold: these files. May not: keys being made, the network (`enrol.py`).
"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from gateway_agent.config import GatewaySettings
from vitals.enrol import Enrolled
from vitals.errors import MendSettings
from vitals.settings import describe

SETTINGS, IDENTITY, AUTHORITY = "gateway.env", "gateway.pem", "authority.pem"
SERVER = "server.pem"
# stands above the certificate (RFC 7468 §2 lets text stand there): a gateway learns when it runs
# out without the library that reads certificates, which would take 9 MB for ever
_UNTIL = "Certificate until "


def data_folder(environ: Mapping[str, str]) -> Path:
    """The gateway's data folder by its setting."""
    given = environ.get("KANGBAN_GATEWAY_DATA")
    if given:
        return Path(given).expanduser()
    (default,) = (
        default for name, _, default in describe(GatewaySettings) if name == "KANGBAN_GATEWAY_DATA"
    )
    return Path(default).expanduser()


def remembered(environ: Mapping[str, str]) -> dict[str, str]:
    """These settings, and below them what enrolment has written down."""
    try:
        text = (data_folder(environ) / SETTINGS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return dict(environ)
    except OSError as error:
        raise MendSettings(
            f"The settings of this gateway cannot be read ({error}): start it as the user who "
            "enrolled it, or set KANGBAN_GATEWAY_DATA."
        ) from error
    lines = (line.partition("=") for line in text.splitlines() if "=" in line)
    written = {name.strip(): value for name, _, value in lines if not name.startswith("#")}
    return {**written, **environ}


def is_enrolled(folder: Path) -> bool:
    """Has this folder an identity already?"""
    return (folder / SETTINGS).exists()


def server_authority(folder: Path) -> Path | None:
    """The authority of the pages, None where it is one that the system trusts."""
    path = folder / SERVER
    return path if path.exists() else None


def settle_in(folder: Path, enrolled: Enrolled, *, server: str) -> None:
    """Writes down all but the identity; the settings come last, since they name the others."""
    write(folder / AUTHORITY, enrolled.authority, mode=0o644)
    settings = {
        "KANGBAN_GATEWAY_NAME": enrolled.name,
        "KANGBAN_GATEWAY_DATA": folder,
        "KANGBAN_GATEWAY_TIMEZONE": enrolled.timezone,
        "KANGBAN_MQTT_URL": enrolled.mqtt,
        "KANGBAN_MQTT_CA_PATH": folder / AUTHORITY,
        "KANGBAN_MQTT_CERTIFICATE_PATH": folder / IDENTITY,
        "KANGBAN_SERVER_URL": server,
    }
    lines = ["# written by `kangban gateway enrol`; the environment goes before it"]
    lines += [f"{name}={value}" for name, value in settings.items()]
    write(folder / SETTINGS, "\n".join(lines) + "\n", mode=0o600)


def keep_identity(path: Path, *, certificate: str, key: str, until: datetime) -> None:
    """Keeps certificate and key; what was there before is replaced whole or not at all."""
    write(path, f"{_UNTIL}{until.isoformat()}\n{certificate}{key}", mode=0o600)


def runs_out_at(path: Path) -> datetime | None:
    """When an identity that we wrote runs out; None for one that somebody else put there."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline().strip()
        return datetime.fromisoformat(first.removeprefix(_UNTIL))
    except (OSError, ValueError):
        return None


def write(path: Path, text: str, *, mode: int) -> None:
    """Writes a file that is whole at every moment, also when the power goes."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
