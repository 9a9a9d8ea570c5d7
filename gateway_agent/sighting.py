"""What was heard on the air lately, strangers included: for who looks for a device to add.

A house in a street hears hundreds of addresses that change every quarter of an hour: the book keeps
the last few and forgets the rest. Pure. May hold: this book. May not: bleak, clocks, who may be
called on.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from gateway_agent.recognise import Recognised

# devices that are remembered; a scan shows a handful, a block of flats hears a hundred; an
# engineering choice
MOST_SIGHTINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One device as it was last heard ("ble:…"), aware UTC; `name` is "" where it says none."""

    device: str
    name: str
    rssi_dbm: int
    at: datetime
    recognised: Recognised


@dataclass(slots=True, kw_only=True)
class Sightings:
    """The devices heard last, at most so many."""

    most: int = MOST_SIGHTINGS
    _by_device: OrderedDict[str, Sighting] = field(default_factory=OrderedDict)

    def note(self, sighting: Sighting) -> bool:
        """Takes it down; is the device new, or not what it seemed to be?"""
        before = self._by_device.get(sighting.device)
        self._by_device[sighting.device] = sighting
        self._by_device.move_to_end(sighting.device)
        if len(self._by_device) > self.most:
            self._by_device.popitem(last=False)
        return before is None or (before.name, before.recognised) != (
            sighting.name,
            sighting.recognised,
        )

    def is_known(self, device: str) -> bool:
        """Was this device heard lately?"""
        return device in self._by_device

    def newest_first(self) -> list[Sighting]:
        """All of them."""
        return list(reversed(self._by_device.values()))
