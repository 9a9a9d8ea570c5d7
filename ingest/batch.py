"""Several deliveries become one load: who brings what, which devices need care, rows for the table.

A device needs *care* when another gateway than this one has delivered it, ever, or when its whole
memory was read again (resync): then its clock offset may have been another, and a record may be
stored under another time. Its load runs alone, and its records are *matched* over all time by what
a record keeps. May hold: these decisions and the making of rows. May not: SQL, clocks, I/O.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ingest.arrival import Delivery, Item
from vitals.kinds import VITALS
from vitals.measurement import CLOCK_CODE, FLAG_BIT, MEAL_CODE
from vitals.units import UNIT_CODE

# plain strings as keys: see validate.py
_KINDS: dict[str, int] = {str(kind): row.code for kind, row in VITALS.items()}
_UNITS: dict[str, int] = {str(unit): code for unit, code in UNIT_CODE.items()}
_CLOCKS: dict[str, int] = {str(clock): code for clock, code in CLOCK_CODE.items()}
_MEALS: dict[str | None, int | None] = {None: None}
_MEALS |= {str(meal): code for meal, code in MEAL_CODE.items()}
_FLAGS: dict[str, int] = {str(flag): bit for flag, bit in FLAG_BIT.items()}

# one row as `store.intake` takes it, and where in it what this package looks at stands
Row = tuple[Any, ...]
DEVICE, KIND, TAKEN_AT, VALUE, UNIT, SLOT = 0, 1, 3, 4, 5, 9
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


def rows_of(
    deliveries: Iterable[Delivery], *, gateways: Mapping[str, int], devices: Mapping[str, int]
) -> list[Row]:
    """The rows of these deliveries, in the order of the table's key.

    So two loads with the same rows wait for each other, but never in a circle.
    """
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

    A record that several deliveries bring is kept once.
    """
    rows: list[Row] = []
    matches: list[bool] = []
    seen: set[tuple[Any, ...]] = set()
    for delivery in deliveries:
        made = _rows(delivery.items, gateway=gateways[delivery.gateway], devices=devices)
        for item, row in zip(delivery.items, made, strict=True):
            match = row[DEVICE] in matched and _is_matched(item, resync=delivery.resync)
            record = _record(item)
            if match and record in seen:
                continue
            seen.add(record)
            rows.append(row)
            matches.append(match)
    return rows, matches


def _is_matched(item: Item, *, resync: bool) -> bool:
    # Without the device's own time, only a sequence is left to match by, and a band that streams
    # may begin again at the same one: then only its gateway's word tells that this was read before.
    return resync or item.device_time is not None


def _record(item: Item) -> tuple[Any, ...]:
    """What a record keeps however its time is placed; the same columns as `drop_known` compares."""
    return (item.device, item.kind, item.sequence, item.device_time, item.value, item.unit)


def _rows(items: Iterable[Item], *, gateway: int, devices: Mapping[str, int]) -> list[Row]:
    return [
        (
            devices[each.device],
            _KINDS[each.kind],
            each.sequence,
            each.taken_at,
            each.value,
            _UNITS[each.unit],
            _CLOCKS[each.clock],
            each.device_time,
            each.clock_offset_s,
            -1 if each.user is None else each.user,
            _MEALS[each.meal],
            _bits(each.flags) if each.flags else 0,
            gateway,
            each.raw or None,
        )
        for each in items
    ]


def _bits(flags: Iterable[str]) -> int:
    bits = 0
    for each in flags:
        bits |= _FLAGS[each]
    return bits
