"""The devices of a home as their page shows them: which gateway has each, what is wrong with it.

What a gateway says of its devices in its last word (`added`, `bonded`) is joined with what is
stored. May hold: this joining and the keys of its words. May not: SQL, words, thresholds of the
line (`chain.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from api.view.chain import BATTERY_LOW_PERCENT
from api.view.drawing import SHARED, drawing_of
from api.view.pairing import clock_word
from store.commands import Around
from store.people import Gateway

# A gateway says how it is every few minutes; engineering choice (as the silence alarm's).
GATEWAY_SILENT = timedelta(minutes=15)
# A clock that is off by less puts no reading into another hour; engineering choice.
CLOCK_OFF_S = 120


class Whose(StrEnum):
    """Whose readings a device gives, seen from one patient's page."""

    MINE = "mine"
    SHARED = "shared"
    OTHER = "other"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """One device. `troubles`: keys of sentences, each with a `…_do` beside it; `said`: the
    gateway's own words, for support; `others`: who else has it, by patient."""

    id: int
    device: str
    name: str
    drawing: str
    whose: Whose
    others: tuple[int, ...]
    gateway: str
    seen_at: datetime | None
    battery_percent: int | None
    is_low: bool
    clock_word: str
    clock_n: int
    is_clock_off: bool
    troubles: tuple[str, ...]
    said: str
    has_users: bool

    @property
    def may_pair_again(self) -> bool:
        """Has it lost its key, with a gateway that can make another?"""
        return bool(self.gateway) and "trouble_bond" in self.troubles


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLine:
    """A gateway that can be asked to search."""

    name: str
    is_silent: bool
    seen_at: datetime | None


def gateways_of(gateways: Sequence[Gateway], *, now: datetime) -> list[GatewayLine]:
    """The gateways of a home, those that speak first."""
    lines = [
        GatewayLine(
            name=each.name,
            is_silent=each.last_seen_at is None or now - each.last_seen_at > GATEWAY_SILENT,
            seen_at=each.last_seen_at,
        )
        for each in gateways
    ]
    return sorted(lines, key=lambda each: each.is_silent)


def added(gateways: Sequence[Gateway]) -> dict[str, str]:
    """The devices that people added to gateways, each with the gateway that has it."""
    return {
        device: gateway.name
        for gateway in gateways
        for device, word in _words_of(gateway).items()
        if word.get("added", True)
    }


def devices_of(
    around: Sequence[Around],
    gateways: Sequence[Gateway],
    *,
    patient_id: int,
    zone: tzinfo,
    coming: Collection[str] = (),
) -> list[DeviceLine]:
    """The lines of a patient's page: their own devices first, then others in the home.

    `coming` are being added just now, and have a page of their own; `zone` is what a device's clock
    should show.
    """
    has = added(gateways)
    words = {device: word for each in gateways for device, word in _words_of(each).items()}
    lines = [
        _line(each, has.get(each.name, ""), words.get(each.name, {}), patient_id, zone)
        for each in around
        if each.name not in coming
    ]
    order = list(Whose)
    return sorted(lines, key=lambda each: order.index(each.whose))


def _line(
    device: Around, gateway: str, word: Mapping[str, Any], patient_id: int, zone: tzinfo
) -> DeviceLine:
    drawing = drawing_of(kind=device.kind)
    battery = device.battery_percent
    is_low = battery is not None and battery <= BATTERY_LOW_PERCENT
    behind_s = _clock_behind_s(device, zone)
    is_off = behind_s is not None and abs(behind_s) >= CLOCK_OFF_S
    clock, n = ("", 0) if behind_s is None else clock_word(behind_s if is_off else 0)
    return DeviceLine(
        id=device.id,
        device=device.name,
        name=device.model or _text(word.get("name")),
        drawing=drawing,
        whose=_whose(device.wearers, patient_id),
        others=tuple(each for each in device.wearers if each != patient_id),
        gateway=gateway,
        seen_at=device.last_seen_at,
        battery_percent=battery,
        is_low=is_low,
        clock_word=clock,
        clock_n=n,
        is_clock_off=is_off,
        troubles=_troubles(device, word, is_low=is_low),
        said=device.failure or "",
        has_users=drawing in SHARED,
    )


def _clock_behind_s(device: Around, zone: tzinfo) -> int | None:
    """Seconds that a clock is behind what it should show, the time of its home; None: not known.

    What is stored leads from the device's time to UTC: -28800 for one that is right in Shanghai.
    """
    if device.clock_offset_s is None or device.last_seen_at is None:
        return None
    ahead = device.last_seen_at.astimezone(zone).utcoffset() or timedelta()
    return device.clock_offset_s + round(ahead.total_seconds())


def _whose(wearers: Sequence[int], patient_id: int) -> Whose:
    if patient_id in wearers:
        return Whose.MINE if len(wearers) == 1 else Whose.SHARED
    return Whose.OTHER if wearers else Whose.NOBODY


def _troubles(device: Around, word: Mapping[str, Any], *, is_low: bool) -> tuple[str, ...]:
    found = []
    if device.failure:
        # a gateway that knows that the key is gone says so; everything else is helped by the same
        found.append("trouble_bond" if word.get("bonded") is False else "trouble_failed")
    elif device.last_seen_at is None:
        found.append("trouble_never_seen")
    if is_low:
        found.append("trouble_battery")
    return tuple(found)


def _words_of(gateway: Gateway) -> dict[str, Mapping[str, Any]]:
    """What a gateway said of each device; its word is stored as it came."""
    devices = gateway.health.get("devices")
    if not isinstance(devices, dict):
        return {}
    return {name: word for name, word in devices.items() if isinstance(word, dict)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
