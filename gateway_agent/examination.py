"""Gathers what the doctor judges: looks at this box without changing anything on it.

Each look that fails leaves None, never an exception. The broker gets no more than a TLS greeting: a
second client of the same name would throw the running gateway out. May hold: looks. May not:
judgement (`doctor.py`).
"""

import asyncio
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_agent.ailments import Facts
from gateway_agent.config import GatewaySettings
from gateway_agent.enrolled import data_folder, is_enrolled, remembered, runs_out_at
from gateway_agent.health import look
from gateway_agent.look_bluez import BluetoothFacts, look_at_bluez
from gateway_agent.spool import Spool
from vitals.errors import KangbanError, MendSettings
from vitals.settings import read

# seconds for one program or one connection
_PATIENCE_S = 5.0
# seconds within which a broker that does not like our certificate says so
_OBJECTION_S = 1.0
_RFKILL = Path("/sys/class/rfkill")
_PROC = Path("/proc")
# programs that scan or hold links for themselves, by the name the kernel has for them (15 letters)
_SCANNERS = frozenset(
    {"bluetoothctl", "btmgmt", "hcitool", "gatttool", "blueman-manager", "bluetuith", "hass",
     "TheengsGateway", "openhab", "monitor.sh"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spooled:
    error: str | None = None
    added: frozenset[str] | None = None
    once_bonded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    error: str | None = None
    until: datetime | None = None


def gather(environ: Mapping[str, str]) -> Facts:
    """What is found on this box now, by these settings."""
    folder = data_folder(environ)
    settings, problem = _settings(environ)
    bluetooth = _bluetooth(settings.adapter if settings else environ.get("KANGBAN_ADAPTER", "hci0"))
    spooled = _spool(folder / f"{settings.name}.sqlite") if settings else _Spooled()
    broker = _broker(settings) if settings else _Reached()
    hard, soft = _blocked()
    return Facts(
        now=datetime.now(UTC),
        data=str(folder),
        adapter=bluetooth.adapter,
        settings_error=problem,
        data_error=_data_error(folder),
        spool_error=spooled.error,
        disk_free_mb=look(folder if folder.exists() else Path("/")).disk_free_mb,
        is_clock_synced=_is_clock_synced(),
        bus_error=bluetooth.bus_error,
        is_bluez_running=bluetooth.is_running,
        bluez_version=_bluez_version(),
        adapters=bluetooth.adapters,
        is_powered=bluetooth.is_powered,
        is_hard_blocked=hard,
        is_soft_blocked=soft,
        agent_error=bluetooth.agent_error,
        is_refused=bluetooth.is_refused,
        scanning_programs=_scanning_programs(),
        is_enrolled=settings is not None or is_enrolled(folder),
        broker=f"{settings.mqtt.host}:{settings.mqtt.port}" if settings else "",
        broker_error=broker.error,
        broker_certificate_until=broker.until,
        certificate_until=(
            runs_out_at(settings.tls_certificate) if settings and settings.tls_certificate else None
        ),
        added=spooled.added,
        once_bonded=spooled.once_bonded,
        bonded=bluetooth.bonded,
    )


def _settings(environ: Mapping[str, str]) -> tuple[GatewaySettings | None, str | None]:
    try:
        return read(GatewaySettings, remembered(environ)), None
    except MendSettings as error:
        return None, str(error)


def _data_error(folder: Path) -> str | None:
    """Why the data folder cannot be written; one that is not there yet is made at the start."""
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return None
    except OSError as error:
        return str(error)


def _spool(path: Path) -> _Spooled:
    """The spool by a copy of it, which may be opened, mended and thrown away."""
    if not path.exists():
        return _Spooled(added=frozenset())
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / path.name
        try:
            for each in (path, path.with_name(f"{path.name}-wal")):
                if each.exists():
                    shutil.copyfile(each, copy.with_name(each.name))
            spool = Spool(copy)
            devices = spool.devices()
            spool.close()
        except (OSError, KangbanError) as error:
            return _Spooled(error=str(error))
    return _Spooled(
        added=frozenset(name for name, each in devices.items() if each.added_at is not None),
        once_bonded=frozenset(
            name for name, each in devices.items() if each.about.get("bonded") is True
        ),
    )


def _bluetooth(adapter: str) -> BluetoothFacts:
    try:
        return asyncio.run(asyncio.wait_for(look_at_bluez(adapter), 2 * _PATIENCE_S))
    except TimeoutError:
        return BluetoothFacts(adapter=adapter, bus_error="it does not answer")


def _broker(settings: GatewaySettings) -> _Reached:
    where = settings.mqtt
    try:
        with socket.create_connection((where.host, where.port), timeout=_PATIENCE_S) as line:
            return _greeting(line, settings) if where.tls else _Reached()
    except OSError as error:
        return _Reached(error=str(error))


def _greeting(line: socket.socket, settings: GatewaySettings) -> _Reached:
    context = ssl.create_default_context(cafile=settings.tls_ca)
    if settings.tls_certificate is not None:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    with context.wrap_socket(line, server_hostname=settings.mqtt.host) as greeted:
        shown: Mapping[str, Any] = greeted.getpeercert() or {}
        until = datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)
        # a broker objects to our certificate only after its own part of the greeting is over
        greeted.settimeout(_OBJECTION_S)
        with suppress(TimeoutError):
            greeted.recv(1)
        return _Reached(until=until)


def _is_clock_synced() -> bool | None:
    said = _output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    return {"yes": True, "no": False}.get(said or "")


def _bluez_version() -> tuple[int, int] | None:
    said = _output("bluetoothctl", "--version") or ""
    numbers = said.rpartition(" ")[2].split(".")
    try:
        return int(numbers[0]), int(numbers[1])
    except (ValueError, IndexError):
        return None


def _blocked() -> tuple[bool | None, bool | None]:
    """Is every Bluetooth radio blocked by a switch, by a program? None where there is no radio."""
    radios = [each for each in _RFKILL.glob("rfkill*") if _text(each / "type") == "bluetooth"]
    if not radios:
        return None, None
    hard, soft = (all(_text(each / how) == "1" for each in radios) for how in ("hard", "soft"))
    return hard, soft


def _scanning_programs() -> tuple[str, ...]:
    running = {_text(each) for each in _PROC.glob("[0-9]*/comm")}
    return tuple(sorted(running & {name[:15] for name in _SCANNERS}))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
