"""Takes a message apart item by item, when it could not be accepted whole, and gathers all reasons.

One bad measurement never takes its neighbours with it, and a sender learns everything that is wrong
at once. Slow and thorough; what is sound never comes here (`validate.py`). May hold: the reasons
for which a measurement or an envelope is refused. May not: clocks, I/O.
"""

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from ingest.arrival import Bundle, DeadLetter, Delivery, Item, Message, Rejection
from vitals.errors import MendData
from vitals.kinds import VITALS, Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit
from vitals.wire import MAX_MEASUREMENTS, VERSION

# how far a reading may lie in the future: clinical reference §1.10, clock skew
MOST_AHEAD = timedelta(minutes=10)
# the first year of the clocks of health devices (GATT Date Time of a reset device)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# "ble:" and an address, or another scheme of printable ASCII
DEVICE_NAME = re.compile(r"[!-~]{1,128}")
IDS = re.compile(r"(?:[0-9a-f]{16})*")

# letters of a wrong value that are repeated in a reason
_SHOWN = 60


def dismantle(message: Message, *, gateway: str, now: datetime) -> Delivery | DeadLetter:
    """What can be saved of an envelope, or the whole message with every reason against it."""
    try:
        document = json.loads(message.payload.decode())
        reasons = tuple(_against_envelope(document, gateway))
        if reasons:
            return DeadLetter(message=message, reasons=reasons)
        return _sort_out(document, message=message, gateway=gateway, now=now)
    except RecursionError:
        return DeadLetter(message=message, reasons=("is nested too deeply",))
    except ValueError as error:
        return DeadLetter(message=message, reasons=(f"is not JSON in UTF-8: {error}",))


def _sort_out(
    document: dict[str, Any], *, message: Message, gateway: str, now: datetime
) -> Delivery:
    items, rejections = [], []
    for each in document["measurements"]:
        reasons = tuple(against_item(each, now=now))
        if reasons:
            rejections.append(
                Rejection(
                    gateway=gateway, id=_id_of(each), document=storable(each), reasons=reasons
                )
            )
        else:
            items.append(msgspec.convert(each, Item))
    return Delivery(
        message=message,
        gateway=gateway,
        batch=document["batch"],
        resync=document.get("resync", False),
        items=tuple(items),
        devices=frozenset(each.device for each in items),
        rejections=tuple(rejections),
    )


def _against_envelope(document: Any, gateway: str) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "an envelope is a JSON object"
        return
    if document.get("v") != VERSION or isinstance(document.get("v"), bool):
        yield (
            f"envelope version {_show(document.get('v'))} is not known here, {VERSION} is: update "
            "whichever is older, the gateway or the server"
        )
        return
    good, reasons = _fields_of(
        {**document, "measurements": []} if "measurements" in document else document, Bundle
    )
    yield from reasons
    if "gateway" in good and good["gateway"] != gateway:
        yield f"gateway is {_show(good['gateway'])}, but the topic belongs to {_show(gateway)}"
    if "batch" in good and storable(good["batch"]) != good["batch"]:
        yield "batch holds characters that cannot be stored"
    measurements = document.get("measurements", [])
    if not isinstance(measurements, list):
        yield "measurements: expected a list"
    elif len(measurements) > MAX_MEASUREMENTS:
        yield f"{len(measurements)} measurements; at most {MAX_MEASUREMENTS}"


def against_item(document: Any, *, now: datetime) -> Iterator[str]:
    """Every reason against one measurement; none when it is sound."""
    if not isinstance(document, dict):
        yield "a measurement is a JSON object"
        return
    good, reasons = _fields_of(document, Item)
    yield from reasons
    yield from _against_names(good)
    yield from _against_words(good)
    yield from _against_value(good)
    if "taken_at" in good:
        yield from _against_time(good["taken_at"], now)


def _fields_of(document: dict[str, Any], shape: type) -> tuple[dict[str, Any], list[str]]:
    """The fields that have the right type, and what is wrong with the others."""
    known: dict[str, FieldInfo] = {each.name: each for each in fields(shape)}
    good: dict[str, Any] = {}
    reasons = [f"unknown field {_show(name)}" for name in document if name not in known]
    for name, info in known.items():
        if name not in document:
            if info.required:
                reasons.append(f"{name} is missing")
            continue
        try:
            good[name] = msgspec.convert(document[name], info.type)
        except msgspec.ValidationError as error:
            reasons.append(f"{name}: {error}, got {_show(document[name])}")
    return good, reasons


def _against_names(good: dict[str, Any]) -> Iterator[str]:
    if "id" in good and not IDS.fullmatch(good["id"]):
        yield f"id: expected 16 hex digits, got {_show(good['id'])}"
    if "device" in good and not DEVICE_NAME.fullmatch(good["device"]):
        yield f"device: expected printable ASCII, got {_show(good['device'])}"


def _against_words(good: dict[str, Any]) -> Iterator[str]:
    for name, words in (("kind", Kind), ("clock", Clock), ("meal", Meal)):
        word = good.get(name)
        if word is not None and word not in words.__members__.values():
            yield f"unknown {name} {_show(word)}; known: {', '.join(words)}"
    for word in good.get("flags", ()):
        if word not in Flag.__members__.values():
            yield f"unknown flag {_show(word)}"


def _against_value(good: dict[str, Any]) -> Iterator[str]:
    value = good.get("value")
    if value is not None and not math.isfinite(value):
        yield "value: expected a finite number"
        value = None
    if "kind" not in good or "unit" not in good or good["kind"] not in Kind.__members__.values():
        return
    kind = Kind(good["kind"])
    if good["unit"] not in Unit.__members__.values():
        accepted = ", ".join(each.unit for each in VITALS[kind].scales)
        yield f"unknown unit {_show(good['unit'])}; {kind} is accepted in: {accepted}"
        return
    try:
        scale = VITALS[kind].scale(Unit(good["unit"]))
    except MendData as error:
        yield str(error)
        return
    if value is not None and not scale.low <= value <= scale.high:
        yield (
            f"{kind} {value:g} {scale.unit} is not plausible: {scale.low:g} to {scale.high:g} is"
        )


def _against_time(taken_at: datetime, now: datetime) -> Iterator[str]:
    ahead = taken_at - now
    if ahead > MOST_AHEAD:
        yield (
            f"taken_at {taken_at.isoformat()} lies {ahead} in the future: check the clocks of "
            "gateway and server"
        )
    if taken_at < EARLIEST:
        yield f"taken_at {taken_at.isoformat()} lies before any device's clock begins"


def _id_of(document: Any) -> str | None:
    """The id by which a receipt can name it, if it has any."""
    given = document.get("id") if isinstance(document, dict) else None
    return str(storable(given))[:200] if isinstance(given, str) and given else None


def storable(value: Any) -> Any:
    """The same document without what jsonb cannot hold: NUL, lone surrogates, infinities."""
    match value:
        case str():
            text = value.replace("\0", "\\u0000")
            return text.encode("utf-8", "backslashreplace").decode()
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {storable(key): storable(each) for key, each in value.items()}
        case list():
            return [storable(each) for each in value]
    return value


def _show(value: Any) -> str:
    text = storable(repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
