"""Judges one message: what it brings, or why it cannot be accepted. Every word with its reasons.

Nearly all messages are sound, so soundness is decided fast, on the whole envelope; any doubt hands
it to `dismantle.py`, which goes item by item and finds the same or the reasons. May hold: the fast
decision and the dispatch by topic. May not: clocks, I/O.
"""

import json
from datetime import datetime

import msgspec

from ingest.arrival import Bundle, DeadLetter, Delivery, HealthSeen, Item, Message, Verdict
from ingest.dismantle import (
    DEVICE_NAME,
    EARLIEST,
    IDS,
    MOST_AHEAD,
    crossed,
    dismantle,
    storable,
)
from ingest.event import judge_event
from ingest.reason import Reason
from vitals.errors import MendData
from vitals.kinds import VITALS, Scale
from vitals.measurement import OF_SERVER, Clock, Flag, Meal
from vitals.wire import MAX_MEASUREMENTS, MAX_MESSAGE_BYTES, VERSION, Health, gateway_of

_BUNDLE = msgspec.json.Decoder(Bundle)
_HEALTH = msgspec.json.Decoder(Health)

# plain strings as keys: an enum's hash is a call of Python code, and this runs for every row
_SCALES: dict[tuple[str, str], Scale] = {
    (str(kind), str(scale.unit)): scale for kind, row in VITALS.items() for scale in row.scales
}
_CLOCKS = frozenset(str(each) for each in Clock)
_MEALS = frozenset([None, *(str(each) for each in Meal)])
_FLAGS = frozenset(str(each) for each in Flag if each not in OF_SERVER)


def judge(message: Message, *, now: datetime) -> Verdict:
    """What a message brings. Never raises for what a message says; `now` is aware UTC."""
    try:
        gateway = gateway_of(message.topic)
    except MendData as error:
        return DeadLetter(message=message, reasons=(str(error),), code=Reason.FOREIGN_TOPIC)
    if len(message.payload) > MAX_MESSAGE_BYTES:
        reason = f"{len(message.payload)} bytes; at most {MAX_MESSAGE_BYTES}"
        return DeadLetter(message=message, reasons=(reason,), code=Reason.TOO_LARGE)
    match message.topic.rpartition("/")[2]:
        case "up":
            return _judge_up(message, gateway=gateway, now=now)
        case "health":
            return _judge_health(message, gateway=gateway)
        case "event":
            return judge_event(message, gateway=gateway)
        case leaf:
            reason = f"nothing is expected on …/{leaf}"
            return DeadLetter(message=message, reasons=(reason,), code=Reason.FOREIGN_TOPIC)


def _judge_up(message: Message, *, gateway: str, now: datetime) -> Delivery | DeadLetter:
    try:
        bundle = _BUNDLE.decode(message.payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return dismantle(message, gateway=gateway, now=now)
    devices = frozenset([each.device for each in bundle.measurements])
    if not _is_sound(bundle, devices, gateway=gateway, now=now):
        return dismantle(message, gateway=gateway, now=now)
    return Delivery(
        message=message,
        gateway=gateway,
        batch=bundle.batch,
        resync=bundle.resync,
        items=bundle.measurements,
        devices=devices,
    )


def _is_sound(bundle: Bundle, devices: frozenset[str], *, gateway: str, now: datetime) -> bool:
    """Is there nothing to say against the envelope or any of its measurements?"""
    items = bundle.measurements
    return (
        bundle.v == VERSION
        and bundle.gateway == gateway
        and len(items) <= MAX_MEASUREMENTS
        and "\0" not in bundle.batch
        and IDS.fullmatch("".join([each.id for each in items])) is not None
        and all(map(DEVICE_NAME.fullmatch, devices))
        and _are_sound(items, latest=now + MOST_AHEAD)
        and not crossed(items)
    )


def _are_sound(items: tuple[Item, ...], *, latest: datetime) -> bool:
    scale_of, earliest = _SCALES.get, EARLIEST
    for each in items:
        scale = scale_of((each.kind, each.unit))
        if (
            scale is None
            or not scale.low <= each.value <= scale.high
            or not earliest <= each.taken_at <= latest
            or each.clock not in _CLOCKS
            or each.meal not in _MEALS
            or (each.flags and not _FLAGS.issuperset(each.flags))
        ):
            return False
    return True


def _judge_health(message: Message, *, gateway: str) -> HealthSeen | DeadLetter:
    try:
        health = _HEALTH.decode(message.payload)
        document = storable(json.loads(message.payload))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _sick_health(message, gateway=gateway, reason=f"is not a word of health: {error}")
    if health.v != VERSION:
        reason, code = f"version {health.v} is not known, {VERSION} is", Reason.UNKNOWN_VERSION
        return _sick_health(message, gateway=gateway, reason=reason, code=code)
    if health.gateway != gateway:
        reason, code = f"comes from {health.gateway!r}, not from {gateway!r}", Reason.OTHER_GATEWAY
        return _sick_health(message, gateway=gateway, reason=reason, code=code)
    moments = [health.sent_at, *(each.last_seen_at for each in health.devices.values())]
    if any(moment.utcoffset() is None for moment in moments):
        return _sick_health(message, gateway=gateway, reason="a moment lacks its offset (…Z)")
    return HealthSeen(message=message, gateway=gateway, health=health, document=document)


def _sick_health(
    message: Message, *, gateway: str, reason: str, code: Reason = Reason.MALFORMED
) -> DeadLetter:
    # one letter for each gateway and reason: the same words come again every few minutes
    about = f"health|{gateway}|{reason[:60]}"
    return DeadLetter(message=message, reasons=(storable(reason),), about=about, code=code)
