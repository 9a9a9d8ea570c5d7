"""The order of a scan and of a pairing: what is told when, and what an end means.

Nothing here waits or sends. `desk.py` brings in what happens (the radio connects, a device asks for
its passkey, a record is on disk) and gets back what is to be told, as `Told`; it makes events of
that. What may follow what stands in one table, so that a device which connects twice or asks again
tells no story backwards. May hold: these two machines and their sentences. May not: clocks, the
radio, MQTT.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from gateway_agent.bonding import Asks, Question
from gateway_agent.hint import hint_of, picture_of
from gateway_agent.quirk import STANDARD, Words
from gateway_agent.recognise import Recognised
from gateway_agent.talk import ClockSeen
from vitals.command import Candidate, Failure, Step
from vitals.measurement import Measurement

# seconds that a scan lasts: who holds a button that long has found the wrong one; engineering
# choice
SCAN_S = 60.0
# seconds between two words about the same candidate, and dB that its signal must have moved for
# one: a hand that moves changes it by 3; engineering choice
CANDIDATE_EVERY_S = 3.0
CANDIDATE_MOVED_DB = 5
# candidates of one scan: a house with more devices than this has another trouble
MOST_CANDIDATES = 64
# seconds between two counts of what was read
HISTORY_EVERY_S = 1.0

_ASKING = frozenset({Step.PASSKEY_WANTED, Step.CONFIRM_WANTED})
_VISITING = frozenset({Step.CLOCK, Step.HISTORY, Step.READING})
_END = frozenset({Step.DONE, Step.FAILED})
# what may be told after what; a bond may be asked for late, when a value is first read
FOLLOWS: Mapping[Step, frozenset[Step]] = {
    Step.TAKEN: frozenset({Step.CONNECTING}) | _END,
    Step.CONNECTING: _ASKING | _VISITING | _END | {Step.BONDED},
    Step.PASSKEY_WANTED: _ASKING | _VISITING | _END | {Step.BONDED},
    Step.CONFIRM_WANTED: _ASKING | _VISITING | _END | {Step.BONDED},
    Step.BONDED: _VISITING | _END,
    Step.CLOCK: _ASKING | _VISITING | _END | {Step.BONDED},
    Step.HISTORY: _ASKING | _VISITING | _END | {Step.BONDED},
    Step.READING: _END,
    Step.DONE: frozenset(),
    Step.FAILED: frozenset(),
}
# told once in a pairing, however often it happens
_ONCE = frozenset({Step.CONNECTING, Step.BONDED, Step.CLOCK, Step.READING})

UNKNOWN = Words(
    zh="不认识的设备：网关没有读取它的程序。",
    en="An unknown device: this gateway has no driver that reads it.",
)

# the way out of each failure, where whoever noticed it has no sentence of its own
WAYS_OUT: Mapping[Failure, str] = {
    Failure.EXPIRED: "That came too late: ask again.",
    Failure.BUSY: "The gateway is adding another device: wait until it is done, or cancel it.",
    Failure.UNKNOWN_DEVICE: "The gateway does not hear this device: switch it on, put it into "
    "pairing mode within three metres of the gateway, and scan again.",
    Failure.NOT_SUPPORTED: "This device cannot be read: its maker keeps its data to its own app.",
    Failure.OUT_OF_REACH: "The device went silent: bring it within three metres of the gateway, "
    "switch it on, and try again.",
    Failure.WRONG_PASSKEY: "The device did not accept these digits: put it into pairing mode "
    "again and type what it then shows, it is new each time.",
    Failure.NO_PASSKEY: "Nobody typed the digits in time: put the device into pairing mode again "
    "and have this page ready.",
    Failure.REFUSED: "The device refused: put it into pairing mode again; where it is paired with "
    "a phone, remove it there first.",
    Failure.LOST_BOND: "The device no longer knows this gateway: put it into pairing mode and add "
    "it again, the old key is thrown away.",
    Failure.CANCELLED: "It was cancelled.",
    Failure.ADAPTER: "The gateway's Bluetooth does not work: unplug its adapter and plug it in "
    "again, or restart the gateway.",
    Failure.DISK: "The gateway's disk takes nothing more: free some space, then try again.",
    Failure.FAULT: "Something went wrong in the gateway: try again, and send its log to support "
    "if it goes on.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an event says, without whose it is and when."""

    step: Step
    device: str | None = None
    candidate: Candidate | None = None
    failure: Failure | None = None
    said: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    values: tuple[Mapping[str, Any], ...] = ()


def failed(failure: Failure, said: str = "", *, device: str | None = None) -> Told:
    """The end of a command that did not reach its aim, always with a way out."""
    return Told(step=Step.FAILED, device=device, failure=failure, said=said or WAYS_OUT[failure])


def candidate_of(device: str, name: str, rssi_dbm: int, recognised: Recognised) -> Candidate:
    """A device on the air as a person sees it; one that nothing recognises is a stranger, with
    neither kind nor model."""
    driver, quirk = recognised.driver, recognised.quirk
    reason = quirk.reason if driver is None and recognised.is_known else None
    if driver is None and reason is None:
        reason = UNKNOWN
    return Candidate(
        device=device,
        name=name,
        kind=driver.kind if driver is not None else "",
        model="" if quirk is STANDARD else quirk.id,
        rssi_dbm=rssi_dbm,
        supported=driver is not None,
        shows_passkey=quirk.shows_passkey,
        picture=picture_of(quirk, driver) if recognised.is_known else "",
        hint=hint_of(quirk, driver).document() if driver is not None else {},
        reason=reason.document() if reason is not None else {},
    )


def is_stranger(candidate: Candidate) -> bool:
    """Is this one of the neighbours' phones: nothing that we know, be it as unusable?"""
    return not candidate.supported and not candidate.model


def behind_s(seen: ClockSeen, zone: tzinfo) -> int:
    """Seconds that a device's clock is behind the time of its home; below 0, ahead of it.

    One that shows 08:14:29 when it is 08:15:00 there: 31.
    """
    shown = seen.at.astimezone(zone).replace(tzinfo=None)
    return round((shown - seen.device_time).total_seconds())


@dataclass(slots=True)
class _Shown:
    candidate: Candidate
    at_s: float


@dataclass(slots=True, kw_only=True)
class Scan:
    """One scan: whom it has shown, and when it shows them again. Seconds are of a clock that never
    jumps."""

    added: frozenset[str]
    strangers: bool
    _shown: dict[str, _Shown] = field(default_factory=dict)

    @property
    def found(self) -> int:
        """How many devices were shown."""
        return len(self._shown)

    def heard(self, candidate: Candidate, *, now_s: float) -> Told | None:
        """What is to be told about an advertisement; None: nothing new."""
        if candidate.device in self.added or (is_stranger(candidate) and not self.strangers):
            return None
        before = self._shown.get(candidate.device)
        if before is None and len(self._shown) >= MOST_CANDIDATES:
            return None
        if before is not None and not _is_news(before, candidate, now_s):
            return None
        self._shown[candidate.device] = _Shown(candidate, now_s)
        return Told(step=Step.CANDIDATE, device=candidate.device, candidate=candidate)

    def ended(self) -> Told:
        """The last word of a scan."""
        said = f"{self.found} found." if self.found else "No device was found: " + _WAKE
        return Told(step=Step.DONE, said=said, numbers={"found": self.found})


_WAKE = "put it into pairing mode within three metres of the gateway and scan again."


def _is_news(before: _Shown, candidate: Candidate, now_s: float) -> bool:
    was = before.candidate
    if (was.name, was.model, was.kind) != (candidate.name, candidate.model, candidate.kind):
        return True
    moved_db = abs((candidate.rssi_dbm or 0) - (was.rssi_dbm or 0))
    return moved_db >= CANDIDATE_MOVED_DB and now_s >= before.at_s + CANDIDATE_EVERY_S


@dataclass(slots=True, kw_only=True)
class Pairing:
    """One pairing: how far it is, and what was read in it."""

    device: str
    step: Step = Step.TAKEN
    read: int = 0
    unanswered: bool = False
    _told: set[Step] = field(default_factory=set)
    _told_read: int = 0
    _told_read_s: float | None = None
    _newest: tuple[Measurement, ...] = ()

    def connecting(self) -> list[Told]:
        """The radio begins to connect."""
        return self._tell(Step.CONNECTING)

    def asked(self, question: Question) -> list[Told]:
        """The device wants to know something from a person."""
        if question.asks is Asks.CONFIRM:
            return self._tell(Step.CONFIRM_WANTED, numbers={"number": question.number or 0})
        return self._tell(Step.PASSKEY_WANTED)

    def bonded(self) -> list[Told]:
        """Both sides hold a key, or the device wants none."""
        return self._tell(Step.BONDED)

    def clock(self, seen: ClockSeen, zone: tzinfo) -> list[Told]:
        """The device's clock was read; a right one shows the time of this zone."""
        return self._tell(Step.CLOCK, numbers={"offset_s": behind_s(seen, zone)})

    def kept(self, measurements: Sequence[Measurement], *, now_s: float) -> list[Told]:
        """A new record is on disk; one without values to show is none that a person counts."""
        if not measurements:
            return []
        self.read += 1
        if not self._newest or measurements[0].taken_at >= self._newest[0].taken_at:
            self._newest = tuple(measurements)
        if self._told_read_s is not None and now_s < self._told_read_s + HISTORY_EVERY_S:
            return []
        return self._count(now_s)

    def visited(self, *, now_s: float, trouble: str = "") -> list[Told]:
        """The first visit has ended: the last count, the newest reading, the end. `trouble`: what
        cut it short after it had brought something."""
        told = self._count(now_s) if self.read > self._told_read else []
        if self._newest:
            told += self._tell(Step.READING, values=tuple(map(_value, self._newest)))
        said = self._summary() if not trouble else self._cut_short(trouble)
        return told + self._tell(Step.DONE, said=said, numbers={"read": self.read})

    def broke_off(self, failure: Failure, said: str, *, now_s: float) -> list[Told]:
        """It ended before its aim. Where records were read already, the device is this home's and
        the rest is read by itself: that is no failure to a person."""
        if self.unanswered:
            failure, said = Failure.NO_PASSKEY, ""
        if self.read and failure is not Failure.CANCELLED:
            return self.visited(now_s=now_s, trouble=said or WAYS_OUT[failure])
        return self._fail(failure, said)

    def _fail(self, failure: Failure, said: str) -> list[Told]:
        if Step.FAILED not in FOLLOWS[self.step]:
            return []
        self.step = Step.FAILED
        return [failed(failure, said, device=self.device)]

    def _count(self, now_s: float) -> list[Told]:
        self._told_read, self._told_read_s = self.read, now_s
        return self._tell(Step.HISTORY, numbers={"read": self.read})

    def _summary(self) -> str:
        if self.read:
            return f"Added; readings so far: {self.read}. New ones are read by themselves."
        return "Added; it had no new readings. Measure once: the next one is read by itself."

    def _cut_short(self, trouble: str) -> str:
        return (
            f"Added; readings so far: {self.read}, then it broke off ({trouble}) The rest is read "
            "by itself when the device is on air again."
        )

    def _tell(self, step: Step, **more: Any) -> list[Told]:
        if step not in FOLLOWS[self.step] or (step in _ONCE and step in self._told):
            return []
        self.step = step
        self._told.add(step)
        return [Told(step=step, device=self.device, **more)]


def _value(measurement: Measurement) -> dict[str, Any]:
    return {
        "kind": measurement.kind.value,
        "value": measurement.value,
        "unit": measurement.unit.value,
        "taken_at": measurement.taken_at.isoformat().replace("+00:00", "Z"),
    }
