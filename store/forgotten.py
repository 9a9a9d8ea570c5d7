"""What is not taken in again: readings of somebody who was erased, and those older than is kept.

A gateway, or a device with a memory, may bring a reading again long after it was erased here. May
hold: these reads over `sql/forgotten.sql` and their nouns. May not: erasing (`erasure.py`),
removing what is old (`retention.py`), the decision about one reading (`ingest/forgotten.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection

from store.named import queries

_SQL = queries("forgotten")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Readings of one user number of a device (None: of the whole device) taken before `until`,
    or put by the device's own clock no later than `device_time`."""

    slot: int | None
    until: datetime
    device_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What is not taken in of some devices.

    `records`: single ones, by device, slot (-1: without a number) and sequence. `raw_since`:
    nothing that was taken before; None: everything is kept.
    """

    raw_since: datetime | None = None
    of_device: Mapping[int, tuple[Bar, ...]] = field(default_factory=dict)
    records: frozenset[tuple[int, int, int]] = frozenset()

    def __bool__(self) -> bool:
        """Is there anything to look for?"""
        return self.raw_since is not None or bool(self.of_device) or bool(self.records)


NOTHING_FORGOTTEN = Bars()


def bars(
    connection: Connection[Any], devices: Collection[int], *, raw_since: datetime | None
) -> Bars:
    """What is not taken in of these devices, of which something is forgotten."""
    if not devices:
        return Bars(raw_since=raw_since)
    of_device: dict[int, tuple[Bar, ...]] = {}
    asked = {"devices": list(devices)}
    for device, slot, until, device_time in connection.execute(_SQL["bars"], asked):
        bar = Bar(slot=slot, until=until, device_time=device_time)
        of_device[device] = (*of_device.get(device, ()), bar)
    records = frozenset(connection.execute(_SQL["records"], asked).fetchall())
    return Bars(raw_since=raw_since, of_device=of_device, records=records)


def drop_refused(connection: Connection[Any], digests: Collection[bytes]) -> None:
    """Takes back rejections, and readings in quarantine, of somebody who is erased."""
    asked = {"digests": list(digests)}
    connection.execute(_SQL["drop_rejections"], asked)
    connection.execute(_SQL["drop_quarantined"], asked)
