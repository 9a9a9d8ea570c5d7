"""How the box itself is: disk, temperature, how long it has been on.

What this machine does not tell is None. May hold: these readings of the system, and what is wrong
with them. May not: devices, the radio (`agent.py`, `radio.py`).
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from vitals.wire import Health

# megabytes; below it the spool will soon take nothing more: SQLite needs room for its log too
DISK_LEAST_MB = 100
_THERMAL = Path("/sys/class/thermal")
_UPTIME = Path("/proc/uptime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The box at one moment."""

    disk_free_mb: int | None
    temperature_c: float | None
    uptime_s: int | None


def look(folder: Path, *, thermal: Path = _THERMAL, uptime: Path = _UPTIME) -> Box:
    """The box that this data folder is on."""
    return Box(
        disk_free_mb=_disk_free_mb(folder),
        temperature_c=_temperature_c(thermal),
        uptime_s=_uptime_s(uptime),
    )


def with_box(health: Health, box: Box) -> Health:
    """A word of health with what the box adds to it; troubles that others found stay theirs."""
    troubles = dict(health.troubles)
    if box.disk_free_mb is not None and box.disk_free_mb < DISK_LEAST_MB:
        troubles.setdefault(
            "disk", f"The disk is nearly full ({box.disk_free_mb} MB): make room on it."
        )
    return replace(
        health,
        disk_free_mb=box.disk_free_mb,
        temperature_c=box.temperature_c,
        uptime_s=box.uptime_s,
        troubles=troubles,
    )


def _disk_free_mb(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder.expanduser()).free // 1_000_000
    except OSError:
        return None


def _temperature_c(thermal: Path) -> float | None:
    """The hottest zone: which one is the processor's differs from board to board."""
    found = []
    for zone in sorted(thermal.glob("thermal_zone*/temp")):
        try:
            # millidegrees (kernel, Documentation/driver-api/thermal/sysfs-api.rst)
            found.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):
            continue
    return round(max(found), 1) if found else None


def _uptime_s(uptime: Path) -> int | None:
    try:
        return int(float(uptime.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return None
