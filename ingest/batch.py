"""Several deliveries become one load: rows for a binary COPY, and which devices need care.

A device *needs care* when its readings must be matched over all time: its gateway says that it has
read the whole memory again (resync), or another gateway delivered last, whose clock offset may have
been another. May hold: the making of rows and this decision. May not: SQL, clocks, I/O.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.arrival import Delivery, Item
from vitals.kinds import VITALS
from vitals.measurement import CLOCK_CODE, FLAG_BIT, MEAL_CODE
from vitals.units import UNIT_CODE

# plain strings as keys: see validate.py
_KINDS = {str(kind): row.code for kind, row in VITALS.items()}
_UNITS = {str(unit): code for unit, code in UNIT_CODE.items()}
_CLOCKS = {str(clock): code for clock, code in CLOCK_CODE.items()}
_MEALS = {str(meal): code for meal, code in MEAL_CODE.items()}
_FLAGS = {str(flag): bit for flag, bit in FLAG_BIT.items()}

# one row as `store.intake.stage` takes it
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One load.

    `devices`: every device in it and the gateway that delivers it now; `careful`: those that must
    be locked for this load alone and be matched over all time; `matches`: is there a row to match?
    """

    rows: list[Row]
    devices: dict[int, int]
    careful: frozenset[int]
    matches: bool


def device_names(deliveries: Iterable[Delivery]) -> list[str]:
    """The devices of these deliveries, sorted."""
    return sorted({item.device for delivery in deliveries for item in delivery.items})


def assemble(
    deliveries: Sequence[Delivery],
    *,
    gateways: Mapping[str, int],
    devices: Mapping[str, int],
    owners: Mapping[int, int | None],
) -> Batch:
    """One load of these deliveries.

    `gateways` and `devices` give ids by name, `owners` the gateway that delivered each device last
    (None or absent: nobody yet). A record that several deliveries bring is kept once where it must
    be matched over all time; elsewhere the table's key sees to that.
    """
    now_of = {
        devices[name]: gateways[delivery.gateway]
        for delivery in deliveries
        for name in {item.device for item in delivery.items}
    }
    careful = _careful(deliveries, gateways=gateways, devices=devices, owners=owners)
    rows: list[Row] = []
    seen: set[tuple[Any, ...]] = set()
    for delivery in deliveries:
        gateway_id = gateways[delivery.gateway]
        for item in delivery.items:
            device_id = devices[item.device]
            match = device_id in careful and _is_matched(item, resync=delivery.resync)
            if device_id in careful:
                record = _record(item, device_id)
                if match and record in seen:
                    continue
                seen.add(record)
            rows.append(_row(item, device_id=device_id, gateway_id=gateway_id, match=match))
    return Batch(rows=rows, devices=now_of, careful=careful, matches=any(row[-1] for row in rows))


def _careful(
    deliveries: Sequence[Delivery],
    *,
    gateways: Mapping[str, int],
    devices: Mapping[str, int],
    owners: Mapping[int, int | None],
) -> frozenset[int]:
    found: set[int] = set()
    for delivery in deliveries:
        gateway_id = gateways[delivery.gateway]
        for name in {item.device for item in delivery.items}:
            device_id = devices[name]
            if delivery.resync or owners.get(device_id) != gateway_id:
                found.add(device_id)
    return frozenset(found)


def _is_matched(item: Item, *, resync: bool) -> bool:
    # Without the device's own time, only a sequence is left to match by, and a band that streams
    # may begin again at the same one: then only its gateway's word tells that this was read before.
    return resync or item.device_time is not None


def _record(item: Item, device_id: int) -> tuple[Any, ...]:
    """What a record keeps however its time is placed; the same columns as `drop_known` compares."""
    return (device_id, item.kind, item.sequence, item.device_time, item.value, item.unit)


def _row(item: Item, *, device_id: int, gateway_id: int, match: bool) -> Row:
    flags = 0
    for flag in item.flags:
        flags |= _FLAGS[flag]
    return (
        device_id,
        _KINDS[item.kind],
        item.sequence,
        item.taken_at,
        item.value,
        _UNITS[item.unit],
        _CLOCKS[item.clock],
        item.device_time,
        item.clock_offset_s,
        -1 if item.user is None else item.user,
        None if item.meal is None else _MEALS[item.meal],
        flags,
        gateway_id,
        item.raw or None,
        match,
    )
