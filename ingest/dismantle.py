"""Takes a message apart item by item, when it could not be accepted whole, and gathers all reasons.

One bad measurement never takes its neighbours with it, and a sender learns everything that is wrong
at once. What is well-formed but not believable is told from what is malformed: it waits in
quarantine for a person. Slow and thorough; what is sound never comes here (`validate.py`). May
hold: the reasons for which a measurement or an envelope is refused. May not: clocks, I/O.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from ingest.arrival import Bundle, DeadLetter, Delivery, Item, Message, Rejection
from ingest.reason import QUARANTINED, Against, Reason, in_order
from vitals.errors import MendData
from vitals.kinds import VITALS, Kind
from vitals.measurement import OF_SERVER, Clock, Flag, Meal
from vitals.units import Unit, convert
from vitals.wire import MAX_MEASUREMENTS, VERSION

# how far a reading may lie in the future: clinical reference §1.10, clock skew
MOST_AHEAD = timedelta(minutes=10)
# the first year of the clocks of health devices (GATT Date Time of a reset device)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# mmHg that lie between the pressures of one cuff reading at least: clinical reference §1.10
# (SBP > DBP + 10)
LEAST_PULSE_PRESSURE_MMHG = 10
# years that every calendar on the way can hold, whatever the offset from UTC; a choice
_CALENDAR = (datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
# "ble:" and an address, or another scheme of printable ASCII
DEVICE_NAME = re.compile(r"[!-~]{1,128}")
IDS = re.compile(r"(?:[0-9a-f]{16})*")

# letters of a wrong value that are repeated in a reason
_SHOWN = 60


def dismantle(message: Message, *, gateway: str, now: datetime) -> Delivery | DeadLetter:
    """What can be saved of an envelope, or the whole message with every reason against it."""
    try:
        document = json.loads(message.payload.decode())
        found = tuple(_against_envelope(document, gateway))
        if found:
            code = in_order({each.code for each in found})[0]
            return DeadLetter(
                message=message, reasons=tuple(each.text for each in found), code=code
            )
        return _sort_out(document, message=message, gateway=gateway, now=now)
    except RecursionError:
        return DeadLetter(message=message, reasons=("is nested too deeply",))
    except ValueError as error:
        return DeadLetter(message=message, reasons=(f"is not JSON in UTF-8: {error}",))


def _sort_out(
    document: dict[str, Any], *, message: Message, gateway: str, now: datetime
) -> Delivery:
    documents = document["measurements"]
    found = [tuple(against_item(each, now=now)) for each in documents]
    formed = {
        place: msgspec.convert(documents[place], Item)
        for place, against in enumerate(found)
        if all(each.code in QUARANTINED for each in against)
    }
    places = list(formed)
    for each in crossed(list(formed.values())):
        found[places[each]] += (_CROSSED,)
    items = [item for place, item in formed.items() if not found[place]]
    rejections = [
        Rejection(
            gateway=gateway,
            id=_id_of(documents[place]),
            document=storable(documents[place]),
            reasons=tuple(each.text for each in against),
            codes=in_order({each.code for each in against}),
            item=formed.get(place),
        )
        for place, against in enumerate(found)
        if against
    ]
    return Delivery(
        message=message,
        gateway=gateway,
        batch=document["batch"],
        resync=document.get("resync", False),
        items=tuple(items),
        devices=frozenset(each.device for each in items),
        rejections=tuple(rejections),
    )


_CROSSED = Against(
    Reason.PRESSURE_PAIR,
    "systolic and diastolic of one reading lie too close together, or the wrong way round: "
    f"{LEAST_PULSE_PRESSURE_MMHG} mmHg and less between them is not plausible",
)


def crossed(items: Sequence[Item]) -> frozenset[int]:
    """Which of these are the two pressures of a cuff reading that cannot belong together.

    Nobody can say which of the two is wrong. Of a reading that two envelopes share, neither knows.
    """
    if "diastolic" not in [each.kind for each in items]:
        return frozenset()
    upper: dict[tuple[str, int, datetime], int] = {}
    lower: dict[tuple[str, int, datetime], int] = {}
    for place, each in enumerate(items):
        if each.kind == "systolic":
            upper[each.device, each.sequence, each.taken_at] = place
        elif each.kind == "diastolic":
            lower[each.device, each.sequence, each.taken_at] = place
    return frozenset(
        place
        for record in upper.keys() & lower.keys()
        if _is_too_close(items[upper[record]], items[lower[record]])
        for place in (upper[record], lower[record])
    )


def _is_too_close(systolic: Item, diastolic: Item) -> bool:
    high, low = (
        # decimals of kPa must not decide at the edge
        round(convert(each.value, Unit(each.unit), Unit.MMHG), 1)
        for each in (systolic, diastolic)
    )
    return high <= low + LEAST_PULSE_PRESSURE_MMHG


def _against_envelope(document: Any, gateway: str) -> Iterator[Against]:
    if not isinstance(document, dict):
        yield _malformed("an envelope is a JSON object")
        return
    if document.get("v") != VERSION or isinstance(document.get("v"), bool):
        yield Against(
            Reason.UNKNOWN_VERSION,
            f"envelope version {_show(document.get('v'))} is not known here, {VERSION} is: update "
            "whichever is older, the gateway or the server",
        )
        return
    good, found = _fields_of(
        {**document, "measurements": []} if "measurements" in document else document, Bundle
    )
    yield from found
    if "gateway" in good and good["gateway"] != gateway:
        yield Against(
            Reason.OTHER_GATEWAY,
            f"gateway is {_show(good['gateway'])}, but the topic belongs to {_show(gateway)}",
        )
    if "batch" in good and storable(good["batch"]) != good["batch"]:
        yield _malformed("batch holds characters that cannot be stored")
    measurements = document.get("measurements", [])
    if not isinstance(measurements, list):
        yield _malformed("measurements: expected a list")
    elif len(measurements) > MAX_MEASUREMENTS:
        yield _malformed(f"{len(measurements)} measurements; at most {MAX_MEASUREMENTS}")


def against_item(document: Any, *, now: datetime) -> Iterator[Against]:
    """Every reason against one measurement by itself; none when it is sound."""
    if not isinstance(document, dict):
        yield _malformed("a measurement is a JSON object")
        return
    good, found = _fields_of(document, Item)
    yield from found
    yield from _against_names(good)
    yield from _against_words(good)
    yield from _against_value(good)
    if "taken_at" in good:
        yield from _against_time(good["taken_at"], now)


def _malformed(text: str) -> Against:
    return Against(Reason.MALFORMED, text)


def _unknown(text: str) -> Against:
    return Against(Reason.UNKNOWN_WORD, text)


def _fields_of(document: dict[str, Any], shape: type) -> tuple[dict[str, Any], list[Against]]:
    """The fields that have the right type, and what is wrong with the others."""
    known: dict[str, FieldInfo] = {each.name: each for each in fields(shape)}
    good: dict[str, Any] = {}
    found = [_unknown(f"unknown field {_show(name)}") for name in document if name not in known]
    for name, info in known.items():
        if name not in document:
            if info.required:
                found.append(_malformed(f"{name} is missing"))
            continue
        try:
            good[name] = msgspec.convert(document[name], info.type)
        except msgspec.ValidationError as error:
            found.append(_malformed(f"{name}: {error}, got {_show(document[name])}"))
    return good, found


def _against_names(good: dict[str, Any]) -> Iterator[Against]:
    if "id" in good and not IDS.fullmatch(good["id"]):
        yield _malformed(f"id: expected 16 hex digits, got {_show(good['id'])}")
    if "device" in good and not DEVICE_NAME.fullmatch(good["device"]):
        yield _malformed(f"device: expected printable ASCII, got {_show(good['device'])}")


def _against_words(good: dict[str, Any]) -> Iterator[Against]:
    for name, words in (("kind", Kind), ("clock", Clock), ("meal", Meal)):
        word = good.get(name)
        if word is not None and word not in words.__members__.values():
            yield _unknown(f"unknown {name} {_show(word)}; known: {', '.join(words)}")
    for word in good.get("flags", ()):
        if word not in Flag.__members__.values() or word in OF_SERVER:
            yield _unknown(f"unknown flag {_show(word)}")


def _against_value(good: dict[str, Any]) -> Iterator[Against]:
    value = good.get("value")
    if value is not None and not math.isfinite(value):
        yield _malformed("value: expected a finite number")
        value = None
    if "kind" not in good or "unit" not in good or good["kind"] not in Kind.__members__.values():
        return
    kind = Kind(good["kind"])
    if good["unit"] not in Unit.__members__.values():
        accepted = ", ".join(each.unit for each in VITALS[kind].scales)
        yield _unknown(f"unknown unit {_show(good['unit'])}; {kind} is accepted in: {accepted}")
        return
    try:
        scale = VITALS[kind].scale(Unit(good["unit"]))
    except MendData as error:
        yield _unknown(str(error))
        return
    if value is not None and not scale.low <= value <= scale.high:
        yield Against(
            Reason.IMPLAUSIBLE,
            f"{kind} {value:g} {scale.unit} is not plausible: {scale.low:g} to {scale.high:g} is",
        )


def _against_time(taken_at: datetime, now: datetime) -> Iterator[Against]:
    if not _CALENDAR[0] <= taken_at < _CALENDAR[1]:
        yield _malformed(f"taken_at {taken_at.isoformat()} is in no calendar")
        return
    ahead = taken_at - now
    if ahead > MOST_AHEAD:
        yield Against(
            Reason.FUTURE,
            f"taken_at {taken_at.isoformat()} lies {ahead} in the future: check the clocks of "
            "gateway and server",
        )
    if taken_at < EARLIEST:
        yield Against(
            Reason.BEFORE_CLOCKS,
            f"taken_at {taken_at.isoformat()} lies before any device's clock begins",
        )


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
