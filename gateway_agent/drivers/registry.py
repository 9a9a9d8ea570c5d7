"""The drivers that are there: every module of this package with a `DRIVER` is one.

A new device is a new file; nothing is registered by hand. May hold: finding drivers and decoders.
May not: any device.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

from gateway_agent.gatt import Decoded, Number, decode_float, decode_sfloat, number_document
from gateway_agent.talk import Driver
from vitals.errors import MendData


def _modules() -> Iterator[ModuleType]:
    for each in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if each.name != Path(__file__).stem:
            yield importlib.import_module(f"{__package__}.{each.name}")


def _drivers() -> dict[str, Driver]:
    found = [module.DRIVER for module in _modules() if hasattr(module, "DRIVER")]
    return {driver.kind: driver for driver in sorted(found, key=lambda each: each.rank)}


def _decoders() -> dict[str, Callable[[bytes], object]]:
    found: dict[str, Callable[[bytes], object]] = {}
    for module in _modules():
        found |= getattr(module, "DECODERS", {})
    for driver in DRIVERS.values():
        found |= driver.decoders
    return found


# by kind, the lower rank first where several kinds advertise the same service
DRIVERS: dict[str, Driver] = _drivers()

# by characteristic, upper-case hex; what they give back has `document()`
DECODERS: dict[str, Callable[[bytes], object]] = _decoders()

# the bare number formats, for support
_NUMBERS: dict[str, Callable[[bytes], Number]] = {"SFLOAT": decode_sfloat, "FLOAT": decode_float}


def driver_of(service: str) -> Driver | None:
    """The driver for an advertised service ("1808", or its 128-bit form); None for strangers."""
    name = short_name(service)
    return next((each for each in DRIVERS.values() if each.service == name), None)


def decode(characteristic: str, data: bytes) -> dict[str, object]:
    """The fields of a value by name, ready for JSON.

    `characteristic`: "2A18", its 128-bit form, or "SFLOAT", "FLOAT". Raises CannotDecode for bytes
    that are not such a value, MendData for a characteristic that no driver knows.
    """
    name = short_name(characteristic)
    if name in _NUMBERS:
        return number_document("value", _NUMBERS[name](data))
    if name not in DECODERS:
        known = ", ".join(sorted({*DECODERS, *_NUMBERS}))
        raise MendData(f"No driver knows characteristic {characteristic}; known are {known}.")
    return cast(Decoded, DECODERS[name](data)).document()


# Core specification, Vol 3 Part B §2.5.1: the Bluetooth base UUID of which 16 bits are the number
_BASE = "-0000-1000-8000-00805F9B34FB"


def short_name(name: str) -> str:
    """A UUID in upper case, short where it is of the Bluetooth base."""
    upper = name.strip().upper().removeprefix("0X")
    if upper.endswith(_BASE) and upper.startswith("0000"):
        return upper.removesuffix(_BASE)[4:]
    return upper
