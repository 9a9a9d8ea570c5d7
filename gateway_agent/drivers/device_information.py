"""Device Information (0x180A) and battery: what a device says of itself.

    2A29 manufacturer, 2A24 model, 2A25 serial, 2A26 firmware: UTF-8, no terminator, all optional

Some devices pad with NUL; those are cut off. Source: Device Information Service 1.1, GATT
Specification Supplement.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway_agent.drivers.battery import BATTERY_LEVEL, BatteryLevel
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import About, LinkLost, Read, Talk

MANUFACTURER = "2A29"
MODEL = "2A24"
SERIAL = "2A25"
FIRMWARE = "2A26"


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


_TEXTS = (MANUFACTURER, MODEL, SERIAL, FIRMWARE)
DECODERS: dict[str, Callable[[bytes], object]] = {**dict.fromkeys(_TEXTS, Text.decode)}


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
