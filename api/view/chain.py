"""The line from the device to this page, hop by hop, in words for the family.

Which hop is silent is judged in one place, `rules/line.py`; here each hop gets its state, the
sentence and what to do. Behind a broken hop nothing is known, so nothing there is green. May hold:
this table. May not: thresholds of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.view.alerts import AlertShown
from api.view.glance import Mood
from rules.history import GatewaySeen, Line
from rules.line import Break, Hop, broken_hop
from store.pages import DeviceRow, GatewayRow
from vitals.kinds import Kind

# per cent; below it the family is asked to change the battery; engineering choice
BATTERY_LOW_PERCENT = 20
# the kinds of devices that have words of their own (`device_…`)
DEVICE_KINDS = frozenset(
    {
        "glucose_meter",
        "blood_pressure_cuff",
        "wristband",
        "cgm",
        "smart_watch",
        "ring",
        "pulse_oximeter",
        "weight_scale",
        "body_composition_scale",
        "thermometer",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HopShown:
    """One hop. `word` and `do` are keys ("" where nothing is to be done), `said` a sentence."""

    hop: Hop
    mood: Mood
    word: str
    said: str = ""
    do: str = ""
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceShown:
    """One device as last seen; `name` is what to call it, `kind` the key of its kind or ""."""

    kind: str
    name: str
    seen_at: datetime | None
    battery_percent: int | None
    is_low: bool
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All hops from the home to the server, and the devices."""

    hops: tuple[HopShown, ...]
    devices: tuple[DeviceShown, ...]

    @property
    def is_broken(self) -> bool:
        """Is a hop known to be silent?"""
        return any(hop.mood is Mood.LOOK for hop in self.hops)


def chain_of(
    *,
    gateways: Sequence[GatewayRow],
    devices: Sequence[DeviceRow],
    server_seen_at: datetime | None,
    alerts: Sequence[AlertShown],
    has_data: bool,
    now: datetime,
    locale: str,
) -> Chain:
    """The chain of one person."""
    line = Line(
        gateways=tuple(
            GatewaySeen(
                name=each.name,
                last_seen_at=each.last_seen_at,
                spooled=each.spooled or 0,
                troubles=tuple(each.health.get("troubles") or ()),
            )
            for each in gateways
        ),
        server_seen_at=server_seen_at,
    )
    # without devices in the line, "device" only means that all hops after it work
    broken = broken_hop(line, Kind.SYSTOLIC, now)
    shown_devices = tuple(_device(each) for each in devices)
    return Chain(
        hops=(
            _device_hop(shown_devices, broken, alerts=alerts, has_data=has_data),
            *_home_hops(line, broken, locale=locale),
            _server_hop(line, broken, locale=locale),
        ),
        devices=shown_devices,
    )


def _server_hop(line: Line, broken: Break, *, locale: str) -> HopShown:
    if broken.hop is Hop.SERVER:
        return _silent(broken, locale=locale)
    if line.server_seen_at is None:
        return HopShown(hop=Hop.SERVER, mood=Mood.NONE, word="hop_unknown")
    return HopShown(hop=Hop.SERVER, mood=Mood.WELL, word="hop_works", seen_at=line.server_seen_at)


def _home_hops(line: Line, broken: Break, *, locale: str) -> tuple[HopShown, HopShown]:
    """Gateway and network: seen together, because only the gateway's word crosses the network."""
    if not line.gateways:
        absent = HopShown(hop=Hop.GATEWAY, mood=Mood.NONE, word="hop_absent")
        return absent, HopShown(hop=Hop.NETWORK, mood=Mood.NONE, word="hop_unknown")
    if broken.hop is Hop.DEVICE:
        seen = max(each.last_seen_at for each in line.gateways if each.last_seen_at)
        return (
            HopShown(hop=Hop.GATEWAY, mood=Mood.WELL, word="hop_works", seen_at=seen),
            HopShown(hop=Hop.NETWORK, mood=Mood.WELL, word="hop_works"),
        )
    gateway, network = (
        _silent(broken, locale=locale)
        if broken.hop is hop
        else HopShown(hop=hop, mood=Mood.NONE, word="hop_unknown")
        for hop in (Hop.GATEWAY, Hop.NETWORK)
    )
    return gateway, network


def _device_hop(
    devices: Sequence[DeviceShown],
    broken: Break,
    *,
    alerts: Sequence[AlertShown],
    has_data: bool,
) -> HopShown:
    silence = next((each for each in alerts if each.hop == Hop.DEVICE and not each.is_closed), None)
    if silence is not None:
        return HopShown(
            hop=Hop.DEVICE,
            mood=Mood.LOOK,
            word="hop_silent",
            said=silence.sentence,
            do="do_device",
        )
    if not devices:
        return HopShown(hop=Hop.DEVICE, mood=Mood.NONE, word="hop_absent")
    if any(each.is_low for each in devices):
        return HopShown(hop=Hop.DEVICE, mood=Mood.LOOK, word="hop_battery", do="do_battery")
    if broken.hop is not Hop.DEVICE or not has_data:
        return HopShown(hop=Hop.DEVICE, mood=Mood.NONE, word="hop_unknown")
    return HopShown(hop=Hop.DEVICE, mood=Mood.WELL, word="hop_works")


def _silent(broken: Break, *, locale: str) -> HopShown:
    return HopShown(
        hop=broken.hop,
        mood=Mood.LOOK,
        word="hop_silent",
        said=broken.said.to(locale),
        do=f"do_{broken.hop}",
        seen_at=broken.since,
    )


def _device(row: DeviceRow) -> DeviceShown:
    battery = row.battery_percent
    return DeviceShown(
        kind=row.kind,
        name=row.model or row.name,
        seen_at=row.last_seen_at,
        battery_percent=battery,
        is_low=battery is not None and battery <= BATTERY_LOW_PERCENT,
        failure=row.failure,
    )
