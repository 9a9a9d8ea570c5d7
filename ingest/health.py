"""A gateway's word about itself, as the database keeps it.

May hold: this translation. May not: judgement of silence (`rules`), I/O.
"""

from datetime import datetime

from ingest.arrival import HealthSeen
from ingest.dismantle import DEVICE_NAME, storable
from store.intake import DeviceWord, GatewayWord
from vitals.wire import DeviceHealth

# PostgreSQL's int4
_LEAST, _MOST = -(2**31), 2**31 - 1


def gateway_word(seen: HealthSeen, *, now: datetime) -> GatewayWord:
    """What is kept of a gateway's word.

    A moment ahead of `now` is taken as now: nobody was seen in the future. A number that cannot be
    (a battery of 255 %) is taken as not said.
    """
    return GatewayWord(
        name=seen.gateway,
        at=min(seen.health.sent_at, now),
        spooled=min(max(seen.health.spooled, 0), _MOST),
        document=seen.document,
        devices=tuple(
            _device_word(name, each, now=now)
            for name, each in sorted(seen.health.devices.items())
            if DEVICE_NAME.fullmatch(name)
        ),
    )


def _device_word(name: str, health: DeviceHealth, *, now: datetime) -> DeviceWord:
    return DeviceWord(
        name=name,
        kind=storable(health.kind)[:40],
        model=storable(health.model)[:200],
        battery_percent=_within(health.battery_percent, low=0, high=100),
        clock_offset_s=_within(health.clock_offset_s, low=_LEAST, high=_MOST),
        failure=None if health.failure is None else storable(health.failure)[:1000],
        at=min(health.last_seen_at, now),
    )


def _within(value: int | None, *, low: int, high: int) -> int | None:
    return value if value is not None and low <= value <= high else None
