"""Judges messages: what each brings, or why it cannot be accepted. Every word with its reasons.

Nearly all messages are sound, so soundness is decided fast, on the columns of all measurements at
once (`sheet.py`); any doubt hands a message to `dismantle.py`, which goes item by item and finds
the same or the reasons. May hold: the fast decision and the dispatch by topic. May not: clocks,
I/O.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.arrival import DeadLetter, Delivery, HealthSeen, Message, Verdict
from ingest.dismantle import (
    DEVICE_NAME,
    EARLIEST,
    IDS,
    LEAST_GAP,
    MOST_AHEAD,
    dismantle,
    storable,
)
from ingest.event import judge_event
from ingest.moment import microseconds
from ingest.reason import Reason
from ingest.shape import Page
from ingest.sheet import KINDS, UNITS, Draft, Sheet, Written
from store.columns import Columns
from vitals.errors import MendData
from vitals.kinds import VITALS
from vitals.measurement import FLAG_BIT, OF_SERVER
from vitals.wire import MAX_MEASUREMENTS, MAX_MESSAGE_BYTES, VERSION, Health, gateway_of

_PAGE = msgspec.json.Decoder(Page)
_HEALTH = msgspec.json.Decoder(Health)

# What is plausible, by the codes of kind and unit; not a number where the kind has no such unit.
_LOW, _HIGH = np.full((2, max(KINDS.values()) + 1, max(UNITS.values()) + 1), np.nan)
for _kind, _row in VITALS.items():
    for _scale in _row.scales:
        _place = _row.code, UNITS[_scale.unit]
        _LOW[_place], _HIGH[_place] = _scale.low, _scale.high

_SYSTOLIC, _DIASTOLIC = KINDS["systolic"], KINDS["diastolic"]
# what two pressures of one reading must stand apart by, by the code of their unit
_LEAST_GAP = np.full(max(UNITS.values()) + 1, np.inf)
for _unit, _gap in LEAST_GAP.items():
    _LEAST_GAP[UNITS[_unit]] = _gap
# flags that no gateway may send
_OF_SERVER = sum(FLAG_BIT[each] for each in OF_SERVER)


def judge_all(messages: Sequence[Message], *, now: datetime) -> list[Verdict]:
    """What each message brings, in their order; `now` is aware UTC.

    Never raises for what a message says. Measurements are judged by the column, all at once.
    """
    draft = Draft()
    found = [_first_look(each, draft, now=now) for each in messages]
    judged = _judge_opened(
        [each for each in found if isinstance(each, _Opened)], draft.sheet(), now=now
    )
    return [next(judged) if isinstance(each, _Opened) else each for each in found]


def judge(message: Message, *, now: datetime) -> Verdict:
    """What one message brings."""
    return judge_all([message], now=now)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A message whose envelope is sound, and where its measurements stand on the sheet."""

    message: Message
    gateway: str
    batch: str
    resync: bool
    devices: frozenset[str]
    begin: int
    end: int


def _first_look(message: Message, draft: Draft, *, now: datetime) -> Verdict | _Opened:
    try:
        gateway = gateway_of(message.topic)
    except MendData as error:
        return DeadLetter(message=message, reasons=(str(error),), code=Reason.FOREIGN_TOPIC)
    if len(message.payload) > MAX_MESSAGE_BYTES:
        reason = f"{len(message.payload)} bytes; at most {MAX_MESSAGE_BYTES}"
        return DeadLetter(message=message, reasons=(reason,), code=Reason.TOO_LARGE)
    match message.topic.rpartition("/")[2]:
        case "up":
            return _open(message, draft, gateway=gateway, now=now)
        case "health":
            return _judge_health(message, gateway=gateway)
        case "event":
            return judge_event(message, gateway=gateway)
        case leaf:
            reason = f"nothing is expected on …/{leaf}"
            return DeadLetter(message=message, reasons=(reason,), code=Reason.FOREIGN_TOPIC)


def _open(
    message: Message, draft: Draft, *, gateway: str, now: datetime
) -> _Opened | Delivery | DeadLetter:
    try:
        page = _PAGE.decode(message.payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return dismantle(message, gateway=gateway, now=now)
    if (
        page.v != VERSION
        or page.gateway != gateway
        or len(page.measurements) > MAX_MEASUREMENTS
        or "\0" in page.batch
    ):
        return dismantle(message, gateway=gateway, now=now)
    begin = len(draft)
    devices = draft.add(page.measurements)
    return _Opened(
        message=message,
        gateway=gateway,
        batch=page.batch,
        resync=page.resync,
        devices=devices,
        begin=begin,
        end=len(draft),
    )


def _judge_opened(
    opened: Sequence[_Opened], sheet: Sheet, *, now: datetime
) -> Iterator[Delivery | DeadLetter]:
    """What each brings: whole where nothing is to be said against any of its measurements."""
    doubtful = np.flatnonzero(~_are_sound(sheet, latest=now + MOST_AHEAD))
    ends = [each.end for each in opened]
    in_doubt = set(np.searchsorted(ends, doubtful, side="right").tolist())
    for place, each in enumerate(opened):
        if place in in_doubt:
            yield dismantle(each.message, gateway=each.gateway, now=now)
            continue
        yield Delivery(
            message=each.message,
            gateway=each.gateway,
            batch=each.batch,
            resync=each.resync,
            items=Written(sheet, begin=each.begin, end=each.end, payload=each.message.payload),
            devices=each.devices,
        )


def _are_sound(sheet: Sheet, *, latest: datetime) -> NDArray[np.bool_]:
    """Of which measurements is there nothing to say against?"""
    columns = sheet.columns
    low, high = (bounds[columns.kind, columns.unit] for bounds in (_LOW, _HIGH))
    sound: NDArray[np.bool_] = (
        sheet.legible
        # what a unit that the kind does not have is compared with is not a number: never true
        & (low <= columns.value)
        & (columns.value <= high)
        & (microseconds(EARLIEST) <= columns.taken_at)
        & (columns.taken_at <= microseconds(latest))
    )
    if IDS.fullmatch("".join(sheet.ids)) is None:
        sound &= np.array([IDS.fullmatch(each) is not None for each in sheet.ids])
    well_named = np.array([DEVICE_NAME.fullmatch(each) is not None for each in sheet.names], bool)
    sound &= well_named[columns.device]
    sound &= (columns.flags & _OF_SERVER) == 0
    lower = np.flatnonzero(columns.kind == _DIASTOLIC)
    if lower.size:
        sound[lower] &= _stand_apart(columns, lower)
    return sound


def _stand_apart(columns: Columns, lower: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of which diastolic pressures does the systolic stand just before, well above?

    Every other is looked at one by one (`dismantle.crossed`): nearly none is.
    """
    upper = np.maximum(lower - 1, 0)
    same = columns.kind[upper] == _SYSTOLIC
    for each in (columns.device, columns.sequence, columns.taken_at, columns.unit):
        same &= each[upper] == each[lower]
    gap = columns.value[upper] - columns.value[lower]
    apart: NDArray[np.bool_] = same & (gap > _LEAST_GAP[columns.unit[lower]])
    return apart


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
