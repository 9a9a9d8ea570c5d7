"""What arrives from homes, as it stands at the server's door, and what is made of it.

`Item` and `Bundle` are the shapes of `vitals.wire` for msgspec, which decodes them five times
faster than the dataclasses and refuses fields that it does not know; a test holds them to the same
names and defaults. A message becomes a Delivery, a HealthSeen, an EventSeen or a DeadLetter. May
hold: these nouns. May not: judgement (`validate.py`, `dismantle.py`), I/O.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

from msgspec import Meta, Struct

from ingest.reason import QUARANTINED, Reason
from vitals.command import Event
from vitals.wire import Health, Receipt

# text that people or devices chose; longer is a mistake
_Text = Annotated[str, Meta(max_length=200)]
# PostgreSQL's int4
_Int4 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One measurement on the wire; words (kind, unit, …) are still text."""

    id: Annotated[str, Meta(min_length=16, max_length=16)]
    device: Annotated[str, Meta(min_length=1, max_length=128)]
    kind: str
    value: float
    unit: str
    taken_at: Annotated[datetime, Meta(tz=True)]
    # a record number or 63 bits of a content number: PostgreSQL's int8, not negative
    sequence: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    clock: str
    device_time: Annotated[datetime, Meta(tz=False)] | None = None
    clock_offset_s: _Int4 = 0
    # 255 stands for an unknown user (GATT Specification Supplement, User Index)
    user: Annotated[int, Meta(ge=0, le=254)] | None = None
    meal: str | None = None
    flags: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    # one GATT notification is at most 512 bytes; a glucose record with its context is two
    raw: Annotated[bytes, Meta(max_length=2048)] = b""


class Bundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One envelope on the wire."""

    v: int
    gateway: str
    batch: Annotated[str, Meta(min_length=1, max_length=200)]
    sent_at: Annotated[datetime, Meta(tz=True)]
    measurements: tuple[Item, ...]
    resync: bool = False
    software: _Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Topic and bytes, as the broker handed them over."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One measurement that was refused, with every reason; `document` is fit for the database.

    `codes`: the reasons as words to count by. `item`: the measurement where it is well-formed.
    """

    gateway: str
    id: str | None
    document: Any
    reasons: tuple[str, ...]
    codes: tuple[Reason, ...] = (Reason.MALFORMED,)
    item: Item | None = None

    @property
    def quarantined(self) -> Item | None:
        """The measurement, where it is only not believable: a person may release it."""
        return self.item if QUARANTINED.issuperset(self.codes) else None

    @property
    def digest(self) -> bytes:
        """The same for the same measurement of the same gateway, however often it comes."""
        if (item := self.quarantined) is not None:
            return record_digest(item)
        text = json.dumps(self.document, sort_keys=True, ensure_ascii=True)
        return blake2b(f"{self.gateway}|{text}".encode(), digest_size=16).digest()


def record_digest(item: Item) -> bytes:
    """The same for the same value of the same record, whichever gateway read it, and whatever time
    it was placed at, where the device gave a time of its own."""
    moment = item.device_time or item.taken_at.astimezone(UTC)
    text = f"{item.device}|{item.kind}|{item.sequence}|{moment.isoformat()}|{item.value!r}"
    return blake2b(f"{text}|{item.unit}".encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A whole message that could not be taken apart; no receipt names what it may hold.

    `about`: what makes two of them the same, the message itself unless said otherwise. `code`: the
    reasons as a word to count by.
    """

    message: Message
    reasons: tuple[str, ...]
    code: Reason = Reason.MALFORMED
    about: str | None = None

    @property
    def digest(self) -> bytes:
        """The same for the same message, or for messages about the same."""
        hasher = blake2b(digest_size=16)
        if self.about is not None:
            hasher.update(self.about.encode())
        else:
            hasher.update(self.message.topic.encode() + b"\0" + self.message.payload)
        return hasher.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one envelope brought: sound measurements of `devices`, and those that were refused.

    `released`: a person released its measurements from quarantine (`release.py`).
    """

    message: Message
    gateway: str
    batch: str
    resync: bool
    items: tuple[Item, ...]
    devices: frozenset[str]
    rejections: tuple[Rejection, ...] = ()
    released: bool = False

    def receipt(self) -> Receipt:
        """The server's word about this envelope, true once it is committed."""
        return Receipt(
            v=1,
            batch=self.batch,
            committed=tuple([each.id for each in self.items]),
            rejected={each.id: each.reasons for each in self.rejections if each.id is not None},
        )

    def only(self, *items: Item, rejections: tuple[Rejection, ...] = ()) -> "Delivery":
        """The same delivery with these measurements and refusals in place of its own."""
        devices = frozenset(each.device for each in items)
        return replace(self, items=items, devices=devices, rejections=rejections)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSeen:
    """A gateway's word about itself; `document` is all of it, fit for the database."""

    message: Message
    gateway: str
    health: Health
    document: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """A gateway's answer to a command; `document` is all of it, fit for the database."""

    message: Message
    gateway: str
    event: Event
    document: Any


Verdict = Delivery | HealthSeen | EventSeen | DeadLetter
