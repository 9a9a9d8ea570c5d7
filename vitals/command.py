"""What a person asks a gateway to do, and what it answers while it does it; version 1.

The server publishes to the gateway's `command` topic, the gateway answers on its `event` topic.
A command names the moment after which nobody wants it any more, and has an id that a gateway obeys
once: a broker may bring it twice, and somebody may play it again. Events carry the id of their
command and count from 0, so that one that comes twice is one.

    command  {"v":1,"id":"<32 hex>","gateway":"g1","at":"…Z","expires_at":"…Z","do":"pair",
              "device":"ble:…"}
    event    {"v":1,"gateway":"g1","at":"…Z","command":"<32 hex>","number":3,"step":"bonded",
              "device":"ble:…"}

A pairing is a talk of several commands: `scan` (its events are candidates), `pair` a device,
`passkey` or `confirm` when an event wants it, `cancel`. May hold: these shapes and their bytes. May
not: what a gateway does with them (`gateway_agent`), how a page words them (`api`).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from vitals.errors import MendData
from vitals.wire import GATEWAY_NAME, VERSION

# bytes of one command or event; the longest, a candidate with its hints, takes about 2 kB
MAX_BYTES = 16 * 1024
# how long a command is of use unless it says otherwise: who waits longer has left the page; an
# engineering choice
LIFE = timedelta(minutes=2)
# no command may live longer: a gateway remembers the ids of commands for so long
LONGEST_LIFE = timedelta(hours=1)
# how far the clocks of server and gateway may differ; an engineering choice
CLOCKS_DIFFER = timedelta(minutes=2)
# Core specification, Vol 3 Part H §2.3.5.6.2: a passkey has six decimal digits
MOST_PASSKEY = 999_999
# User Data Service 1.0, User Control Point: codes of four digits; user 255 is nobody
MOST_CONSENT, MOST_USER = 9_999, 254

_ID = re.compile(r"^[0-9a-f]{32}\Z")
_DEVICE = re.compile(r"^ble:[0-9A-F]{2}(:[0-9A-F]{2}){5}\Z")


class Do(StrEnum):
    """What is asked for."""

    # say which devices are on the air and not yet added
    SCAN = "scan"
    # add `device`: bond with it where it wants that, read it
    PAIR = "pair"
    # `number` is what the device shows, for the pairing `about`
    PASSKEY = "passkey"
    # `yes`: both sides show the same number, for the pairing `about`
    CONFIRM = "confirm"
    # end the scan or the pairing `about`
    CANCEL = "cancel"
    # remove `device` and its bond; what was read from it stays
    FORGET = "forget"
    # `number` is the code by which `device` hands over the readings of its `user`
    CONSENT = "consent"
    # say how the gateway and its devices are
    STATUS = "status"


class Step(StrEnum):
    """How far a command has come. DONE and FAILED end it."""

    TAKEN = "taken"
    SCANNING = "scanning"
    CANDIDATE = "candidate"
    CONNECTING = "connecting"
    PASSKEY_WANTED = "passkey_wanted"
    CONFIRM_WANTED = "confirm_wanted"
    BONDED = "bonded"
    CLOCK = "clock"
    HISTORY = "history"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"


class Failure(StrEnum):
    """Why a command ended without its aim; pages have a sentence and a way out for each."""

    EXPIRED = "expired"
    BUSY = "busy"
    UNKNOWN_DEVICE = "unknown_device"
    NOT_SUPPORTED = "not_supported"
    OUT_OF_REACH = "out_of_reach"
    WRONG_PASSKEY = "wrong_passkey"
    NO_PASSKEY = "no_passkey"
    REFUSED = "refused"
    LOST_BOND = "lost_bond"
    CANCELLED = "cancelled"
    ADAPTER = "adapter"
    DISK = "disk"
    FAULT = "fault"


ENDS = frozenset({Step.DONE, Step.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to do. `about` is the id of the scan or pairing that PASSKEY, CONFIRM, CANCEL
    belong to; moments are aware UTC. Raises MendData when built of parts that cannot be."""

    id: str
    gateway: str
    at: datetime
    expires_at: datetime
    do: Do
    device: str | None = None
    about: str | None = None
    # a passkey or a consent code: no log may have it
    number: int | None = field(default=None, repr=False)
    yes: bool | None = None
    user: int | None = None
    v: int = VERSION

    def __post_init__(self) -> None:
        if not _ID.match(self.id) or (self.about is not None and not _ID.match(self.about)):
            raise MendData("a command is named by 32 hexadecimal digits.")
        if not GATEWAY_NAME.match(self.gateway):
            raise MendData(f"{self.gateway!r} cannot name a gateway.")
        if self.at.utcoffset() is None or self.expires_at.utcoffset() is None:
            raise MendData("a command's moments must carry their offset from UTC (…Z).")
        if not timedelta(0) < self.expires_at - self.at <= LONGEST_LIFE:
            raise MendData(f"a command lives at most {LONGEST_LIFE} and ends after it began.")
        if self.device is not None and not _DEVICE.match(self.device):
            raise MendData(f"{self.device!r} is no device: write ble: and its address.")
        if self.number is not None and not 0 <= self.number <= MOST_PASSKEY:
            raise MendData("a passkey has at most six digits.")
        if self.do is Do.CONSENT and self.number is not None and self.number > MOST_CONSENT:
            raise MendData("a consent code has at most four digits.")
        if self.user is not None and not 0 <= self.user <= MOST_USER:
            raise MendData(f"a device numbers its users from 0 to {MOST_USER}.")
        missing = [name for name in _NEEDS[self.do] if getattr(self, name) is None]
        if missing:
            raise MendData(f"{self.do} needs {', '.join(missing)}.")


_NEEDS: dict[Do, tuple[str, ...]] = {
    Do.SCAN: (),
    Do.PAIR: ("device",),
    Do.PASSKEY: ("about", "number"),
    Do.CONFIRM: ("about", "yes"),
    Do.CANCEL: ("about",),
    Do.FORGET: ("device",),
    Do.CONSENT: ("device", "user", "number"),
    Do.STATUS: (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A device on the air that is not added yet.

    `kind` as in a device's health ("" for a stranger), `model` the id of its row among the quirks
    ("" where there is none), `picture` the key of the drawing that shows its button, `hint` how to
    put it into pairing mode and `reason` why it cannot be used, each by language ("zh", "en").
    """

    device: str
    name: str
    kind: str = ""
    model: str = ""
    rssi_dbm: int | None = None
    supported: bool = True
    shows_passkey: bool = False
    picture: str = ""
    hint: Mapping[str, str] = field(default_factory=dict)
    reason: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One answer. `said` is a sentence in English for support; `numbers` what the step counts.

    `numbers`: HISTORY {"read": 120}, CLOCK {"offset_s": 31}, CONFIRM_WANTED {"number": 123456},
    DONE of a pairing {"read": 500}. `values` of READING: [{"kind", "value", "unit", "taken_at"}].
    """

    gateway: str
    at: datetime
    command: str
    number: int
    step: Step
    device: str | None = None
    candidate: Candidate | None = None
    failure: Failure | None = None
    said: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    values: tuple[Mapping[str, Any], ...] = ()
    v: int = VERSION


def encode_command(command: Command) -> bytes:
    """Bytes of a command."""
    return _dump(
        {
            "v": command.v,
            "id": command.id,
            "gateway": command.gateway,
            "at": _utc(command.at),
            "expires_at": _utc(command.expires_at),
            "do": command.do.value,
            "device": command.device,
            "about": command.about,
            "number": command.number,
            "yes": command.yes,
            "user": command.user,
        }
    )


def decode_command(payload: bytes) -> Command:
    """A command. Raises MendData for what is not one; a gateway then does nothing."""
    document = _document(payload, "command")
    try:
        return Command(
            v=document["v"],
            id=_text(document["id"]),
            gateway=_text(document["gateway"]),
            at=datetime.fromisoformat(document["at"]),
            expires_at=datetime.fromisoformat(document["expires_at"]),
            do=Do(document["do"]),
            device=_maybe(document.get("device"), str),
            about=_maybe(document.get("about"), str),
            number=_maybe(document.get("number"), int),
            yes=_maybe(document.get("yes"), bool),
            user=_maybe(document.get("user"), int),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise MendData(f"not a command: {error!r}") from error


def encode_event(event: Event) -> bytes:
    """Bytes of an event; what is absent is left out."""
    document: dict[str, Any] = {
        "v": event.v,
        "gateway": event.gateway,
        "at": _utc(event.at),
        "command": event.command,
        "number": event.number,
        "step": event.step.value,
    }
    if event.device is not None:
        document["device"] = event.device
    if event.candidate is not None:
        document["candidate"] = candidate_document(event.candidate)
    if event.failure is not None:
        document["failure"] = event.failure.value
    if event.said:
        document["said"] = event.said
    if event.numbers:
        document["numbers"] = dict(event.numbers)
    if event.values:
        document["values"] = [dict(each) for each in event.values]
    return _dump(document)


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    """A candidate as it stands in an event."""
    return {
        "device": candidate.device,
        "name": candidate.name,
        "kind": candidate.kind,
        "model": candidate.model,
        "rssi_dbm": candidate.rssi_dbm,
        "supported": candidate.supported,
        "shows_passkey": candidate.shows_passkey,
        "picture": candidate.picture,
        "hint": dict(candidate.hint),
        "reason": dict(candidate.reason),
    }


def decode_event(payload: bytes) -> Event:
    """An event. Raises MendData for what is not one."""
    document = _document(payload, "event")
    try:
        at = datetime.fromisoformat(document["at"])
        if at.utcoffset() is None:
            raise MendData("an event's moment must carry its offset from UTC (…Z).")
        if not _ID.match(_text(document["command"])):
            raise MendData("a command is named by 32 hexadecimal digits.")
        candidate = document.get("candidate")
        failure = document.get("failure")
        number = _maybe(document["number"], int)
        # the database counts them in 32 bits
        if number is None or not 0 <= number < 2**31:
            raise MendData("events count from 0.")
        return Event(
            v=document["v"],
            gateway=_text(document["gateway"]),
            at=at,
            command=document["command"],
            number=number,
            step=Step(document["step"]),
            device=_maybe(document.get("device"), str),
            candidate=None if candidate is None else _candidate(candidate),
            failure=None if failure is None else Failure(failure),
            said=_text(document.get("said", "")),
            numbers=_numbers(document.get("numbers", {})),
            values=tuple(dict(each) for each in document.get("values", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise MendData(f"not an event: {error!r}") from error


def _candidate(document: Mapping[str, Any]) -> Candidate:
    return Candidate(
        device=_text(document["device"]),
        name=_text(document["name"]),
        kind=_text(document.get("kind", "")),
        model=_text(document.get("model", "")),
        rssi_dbm=_maybe(document.get("rssi_dbm"), int),
        supported=bool(document.get("supported", True)),
        shows_passkey=bool(document.get("shows_passkey", False)),
        picture=_text(document.get("picture", "")),
        hint=_words(document.get("hint", {})),
        reason=_words(document.get("reason", {})),
    )


def _document(payload: bytes, what: str) -> dict[str, Any]:
    if len(payload) > MAX_BYTES:
        raise MendData(f"{what} of {len(payload)} bytes; at most {MAX_BYTES}.")
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MendData(f"not a {what}: {error!r}") from error
    if not isinstance(document, dict):
        raise MendData(f"not a {what}: no object")
    version = document.get("v")
    # True equals 1 to Python
    if version != VERSION or version is True:
        raise MendData(f"{what} version {version!r} is not known, {VERSION} is.")
    return document


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _maybe(value: Any, kind: type[Any]) -> Any:
    # True is an int to Python, and no number to us
    if value is None or (isinstance(value, kind) and isinstance(value, bool) == (kind is bool)):
        return value
    raise TypeError(f"{value!r} is no {kind.__name__}")


def _words(value: Any) -> dict[str, str]:
    return {_text(key): _text(each) for key, each in dict(value).items()}


def _numbers(value: Any) -> dict[str, int]:
    found = {_text(key): _maybe(each, int) for key, each in dict(value).items()}
    if None in found.values():
        raise TypeError("a count is no null")
    return found


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
