"""Which readings of a delivery are not to be stored: of somebody erased, or older than is kept.

They are acknowledged like the others, so that the gateway lets go of them. May hold: this decision.
May not: SQL, clocks, I/O.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from ingest.arrival import Delivery, Item
from store.forgotten import Bar, Bars

# No two time zones are further apart (UTC+14 and UTC-12): a gateway that has another zone than the
# one before may place a record so much later than it was placed.
_ZONES_APART = timedelta(hours=26)


def remembered(
    deliveries: Iterable[Delivery], bars: Bars, *, devices: Mapping[str, int]
) -> list[Delivery]:
    """The deliveries with what is to be stored of them; `devices` gives ids by name."""
    found = []
    for delivery in deliveries:
        items = [each for each in delivery.items if not _is_forgotten(each, bars, devices)]
        if len(items) < len(delivery.items):
            delivery = delivery.only(*items, rejections=delivery.rejections)
        found.append(delivery)
    return found


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
