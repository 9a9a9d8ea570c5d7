"""What arrives from homes, as it stands at the server's door, and what is made of it.

A message becomes a Delivery, a HealthSeen, an EventSeen or a DeadLetter. May hold: these nouns. May
not: judgement (`validate.py`, `dismantle.py`), I/O.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from hashlib import blake2b
from typing import Any

from ingest.reason import QUARANTINED, Reason
from ingest.shape import Bundle as Bundle
from ingest.shape import Item as Item
from ingest.sheet import Written
from vitals.command import Event
from vitals.wire import Health, Receipt


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

    `items` are mostly columns still (`sheet.py`), and are decoded when somebody looks at them.
    `released`: a person released its measurements from quarantine (`release.py`).
    """

    message: Message
    gateway: str
    batch: str
    resync: bool
    items: Sequence[Item]
    devices: frozenset[str]
    rejections: tuple[Rejection, ...] = ()
    released: bool = False

    def receipt(self) -> Receipt:
        """The server's word about this envelope, true once it is committed."""
        return Receipt(
            v=1,
            batch=self.batch,
            committed=tuple(self._ids()),
            rejected={each.id: each.reasons for each in self.rejections if each.id is not None},
        )

    def _ids(self) -> Sequence[str]:
        if isinstance(self.items, Written):
            return self.items.ids
        return [each.id for each in self.items]

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
