"""How a gateway is, in one line with its figures and a row for each device: the answer to `status`.

Pure. May hold: this summary. May not: the measuring of anything.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import tzinfo
from typing import Any

from gateway_agent.pairing import Told
from vitals.command import Step
from vitals.wire import DeviceHealth, Health

# devices that one answer speaks of: about 300 bytes each of the 16 kB of an event
MOST_DEVICES = 30


def status_of(health: Health, added: Iterable[str], *, zone: tzinfo) -> Told:
    """How the gateway and its devices are: one line, its figures, one row for each device.

    `clock_behind_s` of a row says how wrong a device's clock is, as its owner in this zone sees it.
    """
    devices = sorted(added)
    troubles = " ".join(health.troubles.values())
    said = (
        f"{health.software}; devices: {len(devices)}; measurements that wait for the server: "
        f"{health.spooled}. {troubles or 'Nothing is wrong.'}"
    )
    numbers = {
        "devices": len(devices),
        "spooled": health.spooled,
        "withheld": health.withheld,
        "disk_free_mb": health.disk_free_mb,
        "uptime_s": health.uptime_s,
    }
    return Told(
        step=Step.DONE,
        said=said.strip(),
        numbers={key: each for key, each in numbers.items() if each is not None},
        values=tuple(_row(each, health.devices.get(each), zone) for each in devices[:MOST_DEVICES]),
    )


def _row(device: str, health: DeviceHealth | None, zone: tzinfo) -> dict[str, Any]:
    if health is None:
        return {"device": device}
    row = {key: each for key, each in asdict(health).items() if each not in (None, "")}
    if (offset_s := row.pop("clock_offset_s", None)) is not None:
        ahead = health.last_seen_at.astimezone(zone).utcoffset()
        row["clock_behind_s"] = offset_s + round(ahead.total_seconds() if ahead else 0)
    row["last_seen_at"] = health.last_seen_at.isoformat().replace("+00:00", "Z")
    return {"device": device, **row}
