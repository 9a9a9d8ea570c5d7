"""Battery Service (0x180F): how much is left, and what the battery is doing.

    Battery Level 0x2A19 (read), 1 octet: 0-100 per cent; 101-255 are reserved

    Battery Level Status 0x2BED (read, notify), 3-7 octets
    field              type  meaning                                          if
    flags              u8
    power state        u16   bits, see below
    identifier         u16   which battery                                    bit 0
    battery level      u8    per cent                                         bit 1
    additional status  u8    bits 0-1 service required (0 no, 1 yes,          bit 2
                             2 unknown), 2 battery fault

    power state: 0 battery present, 1-2 wired and 3-4 wireless source (0 no, 1 yes, 2 unknown),
    5-6 charge state (0 unknown, 1 charging, 2 discharging, 3 idle), 7-8 charge level (0 unknown,
    1 good, 2 low, 3 critical), 9-11 charging type, 12-14 faults (battery, source, other)

Sources: GATT Specification Supplement (Battery Level, Battery Level Status); Battery Service 1.1.
The bits of the power state are second-hand, from one reader of the supplement: unconfirmed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway_agent.gatt import Cursor, u16

BATTERY_LEVEL = "2A19"
BATTERY_LEVEL_STATUS = "2BED"

_CHARGE_LEVEL = {1: "good", 2: "low", 3: "critical"}
_CHARGE_STATE = {1: "charging", 2: "discharging", 3: "idle"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryLevelStatus:
    """One 0x2BED value. None: the field is absent."""

    power_state: int
    identifier: int | None = None
    percent: int | None = None
    additional_status: int | None = None

    @classmethod
    def decode(cls, data: bytes) -> "BatteryLevelStatus":
        """The status. Raises CannotDecode where the length is not what the flags say."""
        cursor = Cursor(data, "Battery Level Status")
        flags = cursor.u8()
        octets = {0x01: 2, 0x02: 1, 0x04: 1}
        cursor.require(3 + sum(size for bit, size in octets.items() if flags & bit))
        return cls(
            power_state=cursor.u16(),
            identifier=cursor.u16() if flags & 0x01 else None,
            percent=cursor.u8() if flags & 0x02 else None,
            additional_status=cursor.u8() if flags & 0x04 else None,
        )

    def encode(self) -> bytes:
        """3 to 7 octets."""
        flags, data = 0, u16(self.power_state)
        if self.identifier is not None:
            flags, data = flags | 0x01, data + u16(self.identifier)
        if self.percent is not None:
            flags, data = flags | 0x02, data + bytes((self.percent,))
        if self.additional_status is not None:
            flags, data = flags | 0x04, data + bytes((self.additional_status,))
        return bytes((flags,)) + data

    def charge_level(self) -> str | None:
        """good, low or critical; None where the device does not know."""
        return _CHARGE_LEVEL.get(self.power_state >> 7 & 0b11)

    def document(self) -> dict[str, object]:
        """The fields by name; absent ones are left out."""
        document: dict[str, object] = {
            "power_state": self.power_state,
            "battery_present": bool(self.power_state & 1),
            "charge_state": _CHARGE_STATE.get(self.power_state >> 5 & 0b11),
            "charge_level": self.charge_level(),
        }
        if self.identifier is not None:
            document["identifier"] = self.identifier
        if self.percent is not None:
            document["battery_percent"] = self.percent if self.percent <= 100 else None
        if self.additional_status is not None:
            document["additional_status"] = self.additional_status
        return document


DECODERS: dict[str, Callable[[bytes], object]] = {
    BATTERY_LEVEL: BatteryLevel.decode,
    BATTERY_LEVEL_STATUS: BatteryLevelStatus.decode,
}
