"""Several deliveries become one load: who brings what, which devices need care, rows for the table.

A device needs *care* when another gateway than this one has delivered it, ever, or when its whole
memory was read again (resync): then its clock offset may have been another, and a record may be
stored under another time. Its load runs alone, and its records are *matched* over all time by what
a record keeps. May hold: these decisions and the making of rows. May not: SQL, clocks, I/O.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np

from ingest.arrival import Delivery, Item
from ingest.sheet import CLOCKS, KINDS, MEALS, UNITS, Draft, Sheet, Written, bits
from store.columns import Columns, joined

# one row as `store.intake` takes it, and where in it what this package looks at stands
Row = tuple[Any, ...]
DEVICE = 0
_KEY = itemgetter(0, 1, 2, 3)


# the only gateway that ever delivered a device; None or absent: none has; 0: several have
Owners = Mapping[int, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringing:
    """Which gateways bring each device in one load, in order, and which devices were read anew."""

    gateways: dict[int, tuple[int, ...]]
    resynced: frozenset[int]

    def careful(self, owners: Owners) -> frozenset[int]:
        """The devices whose load must run alone."""
        return self.resynced | {
            device
            for device, gateways in self.gateways.items()
            if gateways != (owners.get(device),)
        }

    def matched(self, owners: Owners) -> frozenset[int]:
        """The devices of which records may be stored, or brought, under another time.

        Not a device that nobody has delivered yet: there is nothing to find.
        """
        return self.resynced | self.several(owners)

    def several(self, owners: Owners) -> frozenset[int]:
        """The devices that will have been delivered by more than one gateway."""
        return frozenset(
            device
            for device, gateways in self.gateways.items()
            if len(gateways) > 1 or owners.get(device) not in (None, gateways[0])
        )

    def last(self) -> dict[int, int]:
        """Which gateway brings each device last."""
        return {device: gateways[-1] for device, gateways in self.gateways.items()}


def bringing(
    deliveries: Iterable[Delivery], *, gateways: Mapping[str, int], devices: Mapping[str, int]
) -> Bringing:
    """Who brings what in these deliveries; `gateways` and `devices` give ids by name."""
    found: dict[int, tuple[int, ...]] = {}
    resynced: set[int] = set()
    for delivery in deliveries:
        gateway = gateways[delivery.gateway]
        for name in delivery.devices:
            device = devices[name]
            others = found.get(device, ())
            if gateway not in others[-1:]:
                found[device] = (*others, gateway)
            if delivery.resync:
                resynced.add(device)
    return Bringing(gateways=found, resynced=frozenset(resynced))


def columns_of(
    deliveries: Sequence[Delivery], *, gateways: Mapping[str, int], devices: Mapping[str, int]
) -> Columns:
    """The rows of these deliveries as columns, in the order of the table's key.

    So two loads with the same rows wait for each other, but never in a circle.
    """
    parts = [_part(sheet, begin, end, devices) for sheet, begin, end in _stretches(deliveries)]
    whole = joined(parts)
    sizes = [len(each.items) for each in deliveries]
    brought_by = np.array([gateways[each.gateway] for each in deliveries], np.int32)
    return replace(whole, gateway=np.repeat(brought_by, sizes)).in_key_order()


def _stretches(deliveries: Iterable[Delivery]) -> list[tuple[Sheet, int, int]]:
    """Parts of sheets in the order of these deliveries; neighbours on a sheet are one part."""
    found: list[tuple[Sheet, int, int]] = []
    for each in deliveries:
        items = each.items
        if not isinstance(items, Written):
            draft = Draft()
            draft.add_items(items)
            found.append((draft.sheet(), 0, len(items)))
        elif found and found[-1][0] is items.sheet and found[-1][2] == items.begin:
            found[-1] = (items.sheet, found[-1][1], items.end)
        else:
            found.append((items.sheet, items.begin, items.end))
    # of nothing there are still columns
    return found or [(Draft().sheet(), 0, 0)]


def _part(sheet: Sheet, begin: int, end: int, devices: Mapping[str, int]) -> Columns:
    # a sheet also names devices of gateways that are strangers: their rows are in no part
    ids = np.array([devices.get(name, 0) for name in sheet.names], np.int32)
    columns = sheet.columns.part(begin, end)
    return replace(columns, device=ids[columns.device])


def rows_of(
    deliveries: Iterable[Delivery], *, gateways: Mapping[str, int], devices: Mapping[str, int]
) -> list[Row]:
    """The same rows one by one, for the staging table."""
    rows: list[Row] = []
    for delivery in deliveries:
        rows += _rows(delivery.items, gateway=gateways[delivery.gateway], devices=devices)
    rows.sort(key=_KEY)
    return rows


def matched_rows_of(
    deliveries: Sequence[Delivery],
    *,
    gateways: Mapping[str, int],
    devices: Mapping[str, int],
    matched: Collection[int],
) -> tuple[list[Row], list[bool]]:
    """The same rows where some must be matched over all time, and for each whether it must.

    They stay in the order of arrival: the first of a record says when it was.
    """
    rows: list[Row] = []
    matches: list[bool] = []
    for delivery in deliveries:
        made = _rows(delivery.items, gateway=gateways[delivery.gateway], devices=devices)
        rows += made
        matches += [
            row[DEVICE] in matched and _is_matched(item, resync=delivery.resync)
            for item, row in zip(delivery.items, made, strict=True)
        ]
    return rows, matches


def _is_matched(item: Item, *, resync: bool) -> bool:
    # Without the device's own time, only a sequence is left to match by, and a band that streams
    # may begin again at the same one: then only its gateway's word tells that this was read before.
    return resync or item.device_time is not None


def _rows(items: Iterable[Item], *, gateway: int, devices: Mapping[str, int]) -> list[Row]:
    return [
        (
            devices[each.device],
            KINDS[each.kind],
            each.sequence,
            each.taken_at,
            each.value,
            UNITS[each.unit],
            CLOCKS[each.clock],
            each.device_time,
            each.clock_offset_s,
            -1 if each.user is None else each.user,
            None if each.meal is None else MEALS[each.meal],
            bits(each.flags) if each.flags else 0,
            gateway,
            each.raw or None,
        )
        for each in items
    ]
