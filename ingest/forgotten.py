"""Which readings of a delivery are not to be stored: of somebody erased, or older than is kept.

They are acknowledged like the others, so that the gateway lets go of them. May hold: this decision.
May not: SQL, clocks, I/O.
"""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta

from ingest.arrival import Delivery
from ingest.shape import Item
from ingest.sheet import Written
from store.forgotten import Bar, Bars

# No two time zones are further apart (UTC+14 and UTC-12): a gateway that has another zone than the
# one before may place a record so much later than it was placed.
_ZONES_APART = timedelta(hours=26)


def remembered(
    deliveries: Sequence[Delivery], bars: Bars, *, devices: Mapping[str, int]
) -> list[Delivery]:
    """The deliveries with what is to be stored of them; `devices` gives ids by name."""
    found = []
    known = bars.of_device.keys() | {device for device, _, _ in bars.records}
    barred = {name for each in deliveries for name in each.devices if devices[name] in known}
    for delivery in deliveries:
        # measurements are looked at one by one only where some may be forgotten
        if not _may_hold_forgotten(delivery, bars, barred):
            found.append(delivery)
            continue
        items = [each for each in delivery.items if not _is_forgotten(each, bars, devices)]
        if len(items) < len(delivery.items):
            delivery = delivery.only(*items, rejections=delivery.rejections)
        found.append(delivery)
    return found


def _may_hold_forgotten(delivery: Delivery, bars: Bars, barred: Set[str]) -> bool:
    if not delivery.items:
        return False
    if bars.raw_since is not None and _earliest(delivery.items) < bars.raw_since:
        return True
    return not delivery.devices.isdisjoint(barred)


def _earliest(items: Sequence[Item]) -> datetime:
    if isinstance(items, Written):
        return items.sheet.columns.part(items.begin, items.end).span()[0]
    return min(each.taken_at for each in items)


def _is_forgotten(item: Item, bars: Bars, devices: Mapping[str, int]) -> bool:
    if bars.raw_since is not None and item.taken_at < bars.raw_since:
        return True
    device = devices[item.device]
    slot = -1 if item.user is None else item.user
    return (device, slot, item.sequence) in bars.records or any(
        bar.slot in (None, slot) and _is_before(item, bar) for bar in bars.of_device.get(device, ())
    )


def _is_before(item: Item, bar: Bar) -> bool:
    if item.taken_at < bar.until:
        return True
    # a later time may be another gateway's opinion: the device's own clock tells, unless it was set
    # back meanwhile, and then the new time is far away
    return (
        item.device_time is not None
        and bar.device_time is not None
        and item.device_time <= bar.device_time
        and item.taken_at < bar.until + _ZONES_APART
    )
