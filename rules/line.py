"""Which hop of the line is broken when no readings arrive: device, gateway, network or server.

Judged from what each hop last said: ingest's heartbeat, the gateway's health, the device as its
gateway last saw it. From outside, a gateway without power and one without internet look alike; only
what it said before tells them apart. May hold: this judgement and its words. May not: when silence
begins (`evaluators/silence.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.history import DeviceSeen, Line
from rules.words import Said, age_text, kind_text
from vitals.kinds import Kind

# ingest beats every ten seconds; engineering choice
SERVER_SILENT = timedelta(minutes=2)
# a gateway reports every few minutes; engineering choice
GATEWAY_SILENT = timedelta(minutes=30)
# troubles of a gateway that keep it from hearing any device: its adapter is gone or deaf, or the
# system's Bluetooth service does not run
_DEAFENS = frozenset({"adapter", "bluetooth", "bus", "silence"})
# troubles that make it leave every reading in its device: it does not know the time
_HOLDS_BACK = frozenset({"clock"})
# per cent below which a battery is named as the likely cause; engineering choice
_BATTERY_LOW = 20


class Hop(StrEnum):
    """A place on the way of a reading."""

    DEVICE = "device"
    GATEWAY = "gateway"
    NETWORK = "network"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The hop that is silent, since when (None: never heard), and a sentence on it."""

    hop: Hop
    since: datetime | None
    said: Said


# What the device for a kind is called.
DEVICE_NAME: dict[Kind, Said] = {
    Kind.GLUCOSE: Said(zh="血糖仪", en="the glucose meter"),
    Kind.SYSTOLIC: Said(zh="血压计", en="the blood-pressure cuff"),
    Kind.HEART_RATE: Said(zh="手环", en="the wristband"),
    Kind.SPO2: Said(zh="血氧仪", en="the oximeter"),
    Kind.WEIGHT: Said(zh="体重秤", en="the scale"),
    Kind.BODY_TEMPERATURE: Said(zh="体温计", en="the thermometer"),
}


def broken_hop(line: Line, kind: Kind, now: datetime) -> Break:
    """The hop nearest to us that is silent; the device where all else works."""
    return (
        _server(line, now)
        or _gateway(line, now)
        or _deaf_gateway(line, now)
        or _device(line, kind, now)
    )


def is_dark(line: Line, now: datetime) -> bool:
    """Are all gateways of the household silent (and is there one)?"""
    return bool(line.gateways) and all(
        each.last_seen_at is None or now - each.last_seen_at > GATEWAY_SILENT
        for each in line.gateways
    )


def _server(line: Line, now: datetime) -> Break | None:
    seen = line.server_seen_at
    if seen is None or now - seen <= SERVER_SILENT:
        return None
    age = age_text(now - seen)
    return Break(
        hop=Hop.SERVER,
        since=seen,
        said=Said(
            zh=f"服务器接收已中断{age.zh}，不是家里的问题",
            en=f"the server has received nothing for {age.en}; nothing is wrong at home",
        ),
    )


def _gateway(line: Line, now: datetime) -> Break | None:
    if not is_dark(line, now):
        return None
    seen = max((each.last_seen_at for each in line.gateways if each.last_seen_at), default=None)
    waiting = sum(each.spooled for each in line.gateways)
    age = age_text(now - seen) if seen else None
    ago = (
        Said(zh=f"已{age.zh}没有消息", en=f"has been silent for {age.en}")
        if age
        else Said(zh="从未有过消息", en="has never reported")
    )
    if waiting or len(line.gateways) > 1:
        held = (
            Said(
                zh=f"，最后一次报告时有{waiting}条数据没送出",
                en=f"; {waiting} readings were waiting when it last reported",
            )
            if waiting
            else Said(zh="", en="")
        )
        return Break(
            hop=Hop.NETWORK,
            since=seen,
            said=Said(
                zh=f"家里的网络可能不通：网关{ago.zh}{held.zh}",
                en=f"the home network may be down: the gateway {ago.en}{held.en}",
            ),
        )
    return Break(
        hop=Hop.GATEWAY,
        since=seen,
        said=Said(
            zh=f"家里的网关{ago.zh}，可能断电或断网",
            en=f"the gateway at home {ago.en}; it may have no power or no internet",
        ),
    )


def _deaf_gateway(line: Line, now: datetime) -> Break | None:
    """A gateway that lives and says itself that it hears no device, or reads none."""
    living = [
        each
        for each in line.gateways
        if each.last_seen_at is not None and now - each.last_seen_at <= GATEWAY_SILENT
    ]
    if not living:
        return None
    for troubles, said in _NOT_READING.items():
        if all(troubles.intersection(each.troubles) for each in living):
            since = max(each.last_seen_at for each in living if each.last_seen_at)
            return Break(hop=Hop.GATEWAY, since=since, said=said)
    return None


_NOT_READING = {
    _DEAFENS: Said(
        zh="家里的网关在线，但它的蓝牙不工作，听不到设备",
        en="the gateway at home is online, but its Bluetooth does not work and it hears no device",
    ),
    _HOLDS_BACK: Said(
        zh="家里的网关在线，但它的时间不对，所以先不读设备",
        en="the gateway at home is online, but its clock is wrong, so that it reads no device",
    ),
}


def _device(line: Line, kind: Kind, now: datetime) -> Break:
    name = DEVICE_NAME.get(kind, kind_text(kind))
    found = [each for each in line.devices if kind in each.kinds]
    device = max(
        found,
        key=lambda each: (each.last_seen_at is not None, each.last_seen_at or now),
        default=None,
    )
    seen = device.last_seen_at if device else None
    cause = _cause(device)
    if seen and now - seen <= timedelta(days=1):
        age = age_text(now - seen)
        return Break(
            hop=Hop.DEVICE,
            since=seen,
            said=Said(
                zh=f"{name.zh}{age.zh}前还在网关附近，但没有新的测量{cause.zh}",
                en=f"{name.en} was in reach {age.en} ago but has no new measurement{cause.en}",
            ),
        )
    return Break(
        hop=Hop.DEVICE,
        since=seen,
        said=Said(
            zh=f"网关正常，{name.zh}没有出现：可能没有测量、没电或离网关太远{cause.zh}",
            en=f"the gateway works, {name.en} does not show: not used, out of battery or out of "
            f"reach{cause.en}",
        ),
    )


def _cause(device: DeviceSeen | None) -> Said:
    if device and device.battery_percent is not None and device.battery_percent <= _BATTERY_LOW:
        low = device.battery_percent
        return Said(zh=f"（最后电量{low}%）", en=f" (its battery was at {low}%)")
    if device and device.failure:
        return Said(
            zh=f"（最后一次读取失败：{device.failure}）", en=f" (last try: {device.failure})"
        )
    return Said(zh="", en="")
