"""Who is this? From what a device says on the air to its driver and its peculiarities.

A row of `quirk.py` that names a driver counts first; else the driver whose service is advertised.
What no driver reads is a stranger, with the reason where we know one. Pure. May hold: this
decision. May not: bleak, whether a device may be called on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway_agent.quirk import Confidence, Quirk, quirk_of
from gateway_agent.talk import Driver


@dataclass(frozen=True, slots=True, kw_only=True)
class Advert:
    """What a device says of itself on the air: its name ("" where it says none) and the UUIDs of
    its services, upper case, short where they are of the Bluetooth base."""

    name: str
    services: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What we make of it. `driver` None: nothing of ours reads it."""

    driver: Driver | None
    quirk: Quirk

    @property
    def is_known(self) -> bool:
        """Do we know what it is, be it that we cannot read it?"""
        return self.driver is not None or self.quirk.confidence is Confidence.UNSUPPORTED


def recognise(advert: Advert, drivers: Mapping[str, Driver]) -> Recognised:
    """The driver and the row for an advertisement; `drivers` by kind, in order of preference."""
    quirk = quirk_of(name=advert.name, services=advert.services)
    if quirk.confidence is Confidence.UNSUPPORTED:
        return Recognised(driver=None, quirk=quirk)
    if quirk.driver is not None and quirk.driver in drivers:
        return Recognised(driver=drivers[quirk.driver], quirk=quirk)
    found = next((each for each in drivers.values() if each.service in advert.services), None)
    return Recognised(driver=found, quirk=quirk)
