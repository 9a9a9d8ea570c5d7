"""Device Information (0x180A) and battery: what a device says of itself. All to be read, optional.

    2A29 manufacturer, 2A24 model, 2A25 serial, 2A26 firmware, 2A27 hardware, 2A28 software
         revision: UTF-8, no terminator; some devices pad with NUL, which is cut off
    2A23 System ID, 8 octets: manufacturer's number u40, organizationally unique identifier u24
    2A50 PnP ID, 7 octets: who numbers vendors u8 (1 Bluetooth SIG, 2 USB-IF), vendor u16, product
         u16, version u16 (0xJJMN is JJ.M.N, unconfirmed)
    2A2A IEEE 11073-20601 regulatory certification data: count u16, length u16, then items of body
         u8 (2 Continua), type u8 (1 certified classes, 2 regulation), length u16, data; big-endian
         as medical data are, where the lengths say so, else little-endian as this radio's are

Sources: Device Information Service 1.1, GATT Specification Supplement; the two orders of 2A2A are
two readers' word, so it is kept as bytes and its items are told only where the lengths add up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gateway_agent.drivers.battery import BATTERY_LEVEL, BatteryLevel
from gateway_agent.gatt import CannotDecode, Cursor, u16
from gateway_agent.talk import About, LinkLost, Read, Talk

MANUFACTURER = "2A29"
MODEL = "2A24"
SERIAL = "2A25"
FIRMWARE = "2A26"
HARDWARE = "2A27"
SOFTWARE = "2A28"
SYSTEM_ID = "2A23"
PNP_ID = "2A50"
REGULATORY = "2A2A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One string of the Device Information Service."""

    text: str

    @classmethod
    def decode(cls, data: bytes) -> "Text":
        """The string; padding is cut off, what is not UTF-8 shows as the replacement sign."""
        return cls(text=data.decode("utf-8", "replace").strip("\0 \t\r\n"))

    def encode(self) -> bytes:
        """UTF-8 without a terminator."""
        return self.text.encode()

    def document(self) -> dict[str, object]:
        """The string."""
        return {"text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemId:
    """A device's lasting number: its maker's, and what the maker numbered."""

    manufacturer_id: int
    oui: int

    @classmethod
    def decode(cls, data: bytes) -> "SystemId":
        """The number in 8 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "System ID")
        cursor.require(8)
        manufacturer_id = int.from_bytes(cursor.take(5), "little")
        return cls(manufacturer_id=manufacturer_id, oui=int.from_bytes(cursor.take(3), "little"))

    def encode(self) -> bytes:
        """8 octets: EUI-64 12-34-56-FF-FE-9A-BC-DE is `DE BC 9A FE FF 56 34 12`."""
        return self.manufacturer_id.to_bytes(5, "little") + self.oui.to_bytes(3, "little")

    def document(self) -> dict[str, object]:
        """The whole number as it is printed, and its maker's part."""
        return {
            "system_id": f"{self.oui:06X}{self.manufacturer_id:010X}",
            "oui": f"{self.oui:06X}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PnpId:
    """Vendor, product and version, in numbers."""

    vendor_source: int
    vendor: int
    product: int
    version: int

    @classmethod
    def decode(cls, data: bytes) -> "PnpId":
        """The numbers in 7 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "PnP ID")
        cursor.require(7)
        return cls(
            vendor_source=cursor.u8(),
            vendor=cursor.u16(),
            product=cursor.u16(),
            version=cursor.u16(),
        )

    def encode(self) -> bytes:
        """7 octets."""
        numbers = u16(self.vendor) + u16(self.product) + u16(self.version)
        return bytes((self.vendor_source,)) + numbers

    def document(self) -> dict[str, object]:
        """The numbers by name; 0x0213 is version 2.1.3."""
        version = self.version
        return {
            "vendor_source": self.vendor_source,
            "vendor": self.vendor,
            "product": self.product,
            "version": f"{version >> 8:x}.{version >> 4 & 0xF:x}.{version & 0xF:x}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulatory:
    """What a device is certified as, kept as its bytes."""

    data: bytes

    @classmethod
    def decode(cls, data: bytes) -> "Regulatory":
        """The bytes, whatever they are."""
        return cls(data=bytes(data))

    def encode(self) -> bytes:
        """As they came."""
        return self.data

    def items(self) -> list[tuple[int, int, bytes]] | None:
        """Body, type and data of each item; None where the lengths add up in neither order."""
        big = _items(self.data, "big")
        return _items(self.data, "little") if big is None else big

    def document(self) -> dict[str, object]:
        """The bytes, and the items where they can be told apart."""
        document: dict[str, object] = {"data": self.data.hex()}
        if (items := self.items()) is not None:
            document["items"] = [
                {"body": body, "type": kind, "data": data.hex()} for body, kind, data in items
            ]
        return document


def _items(data: bytes, order: Literal["big", "little"]) -> list[tuple[int, int, bytes]] | None:
    cursor = Cursor(data, "Regulatory Certification Data")
    found = []
    try:
        count, length = (int.from_bytes(cursor.take(2), order) for _ in range(2))
        # the length counts what follows it: of the worked example's 22 octets, 18
        if length != len(data) - 4:
            return None
        for _ in range(count):
            body, kind = cursor.take(2)
            found.append((body, kind, cursor.take(int.from_bytes(cursor.take(2), order))))
        cursor.require(4 + sum(4 + len(each) for _, _, each in found))
    except CannotDecode:
        return None
    return found


_TEXTS = (MANUFACTURER, MODEL, SERIAL, FIRMWARE)
DECODERS: dict[str, Callable[[bytes], object]] = {
    **dict.fromkeys((*_TEXTS, HARDWARE, SOFTWARE), Text.decode),
    SYSTEM_ID: SystemId.decode,
    PNP_ID: PnpId.decode,
    REGULATORY: Regulatory.decode,
}


def about() -> Talk:
    """Asks for maker, model, serial, firmware and battery, and reports them.

    The identity of a device is its address; this is what people recognise it by. A device that
    hangs up in between is reported with what it had said.
    """
    said: dict[str, bytes] = {}
    try:
        for characteristic in (*_TEXTS, BATTERY_LEVEL):
            heard = yield Read(characteristic=characteristic)
            if heard is not None:
                said[characteristic] = heard.data
    except LinkLost:
        if said:
            yield _about(said)
        raise
    yield _about(said)


def _about(said: dict[str, bytes]) -> About:
    texts = {each: Text.decode(said[each]).text or None for each in _TEXTS if each in said}
    return About(
        manufacturer=texts.get(MANUFACTURER),
        model=texts.get(MODEL),
        serial=texts.get(SERIAL),
        firmware=texts.get(FIRMWARE),
        battery_percent=_percent(said.get(BATTERY_LEVEL)),
    )


def _percent(data: bytes | None) -> int | None:
    try:
        return BatteryLevel.decode(data).known() if data is not None else None
    except CannotDecode:
        # a remark about the device, not a reading: a level that cannot be read is an unknown one
        return None
