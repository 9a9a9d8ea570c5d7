"""Battery Level (0x2A19): one octet, 0-100 per cent; 101-255 are reserved.

Source: GATT Specification Supplement (Battery Level); Battery Service 1.0.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway_agent.gatt import Cursor

BATTERY_LEVEL = "2A19"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLevel:
    """What is left in a device's battery, per cent; a reserved value: it does not know."""

    percent: int

    @classmethod
    def decode(cls, data: bytes) -> "BatteryLevel":
        """The level in 1 octet. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Battery Level")
        cursor.require(1)
        return cls(percent=cursor.u8())

    def encode(self) -> bytes:
        """1 octet."""
        return bytes((self.percent,))

    def known(self) -> int | None:
        """The level in per cent, None for a reserved value."""
        return self.percent if self.percent <= 100 else None

    def document(self) -> dict[str, object]:
        """The field by name."""
        return {"battery_percent": self.known()}


DECODERS: dict[str, Callable[[bytes], object]] = {BATTERY_LEVEL: BatteryLevel.decode}
