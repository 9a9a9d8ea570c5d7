"""Where a talk with a gateway stands, from what was asked and what it answered: pure.

A talk is a search, then pairings of one of the devices found, each with what the person added
(passkey, yes or no, stop). The newest search or pairing decides. A gateway that says nothing is a
state of its own, never a page that waits for ever. May hold: this judgement and the keys of its
words. May not: words, SQL, clocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.view.drawing import drawing_of
from api.view.readings import Seen, readings_of
from store.commands import Asked, Heard
from vitals.command import ENDS, Candidate, Do, Failure, Step

# A gateway that is there takes a command within a second or two; engineering choice.
TAKEN_WITHIN = timedelta(seconds=15)
# Between two words of a pairing lies at most a person who types a passkey (a device waits 30 s for
# it: Core specification, Vol 3 Part H §3.4) or a slow transfer; engineering choice.
HEARD_WITHIN = timedelta(seconds=90)
# a search whose end was never told is over so long after it should have been
_GRACE = timedelta(seconds=5)
# dBm; a device in the same room, and one that may be out of reach: engineering choice, unconfirmed
STRONG_DBM, FAIR_DBM = -65, -80


class Stage(StrEnum):
    """What the person sees and may do."""

    SEARCHING = "searching"
    SEARCHED = "searched"
    WORKING = "working"
    PASSKEY = "passkey"
    CONFIRM = "confirm"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class WayOut(StrEnum):
    """What helps after a failure: the same once more, another search, or nothing on this page."""

    AGAIN = "again"
    SEARCH = "search"
    NOTHING = "nothing"


WAYS_OUT: Mapping[Failure, WayOut] = {
    Failure.EXPIRED: WayOut.AGAIN,
    Failure.BUSY: WayOut.AGAIN,
    Failure.UNKNOWN_DEVICE: WayOut.SEARCH,
    Failure.NOT_SUPPORTED: WayOut.SEARCH,
    Failure.OUT_OF_REACH: WayOut.AGAIN,
    Failure.WRONG_PASSKEY: WayOut.AGAIN,
    Failure.NO_PASSKEY: WayOut.AGAIN,
    Failure.REFUSED: WayOut.AGAIN,
    Failure.LOST_BOND: WayOut.AGAIN,
    Failure.CANCELLED: WayOut.SEARCH,
    Failure.ADAPTER: WayOut.AGAIN,
    Failure.DISK: WayOut.NOTHING,
    Failure.FAULT: WayOut.AGAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device on the air. `signal` is the end of a key; `hint`, `reason` are by language."""

    device: str
    name: str
    kind: str
    drawing: str
    signal: str
    supported: bool
    hint: Mapping[str, str]
    reason: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the progress: `state` is done, now, later or failed; `word` a key with `n`."""

    step: str
    state: str
    word: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """All that the page shows of a talk.

    `about`: the command that an answer of the person belongs to. `number`: what both sides show.
    `silence`: the key of a sentence, "" while the gateway is heard. `look_at`: when this may change
    though nothing comes.
    """

    stage: Stage
    about: str
    found: tuple[Found, ...] = ()
    device: str = ""
    lines: tuple[Line, ...] = ()
    number: int | None = None
    was_sent: bool = False
    failure: Failure | None = None
    said: str = ""
    silence: str = ""
    read: int = 0
    readings: tuple[Seen, ...] = ()
    look_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Does nothing happen any more unless somebody asks?"""
        return self.stage in _OVER

    @property
    def chosen(self) -> Found | None:
        """The device that is being added, as it was found."""
        return next((each for each in self.found if each.device == self.device), None)

    @property
    def is_reading(self) -> bool:
        """Is the device connected, and being read?"""
        return any(each.step in ("clock", "history") and each.state == "now" for each in self.lines)

    @property
    def way_out(self) -> WayOut | None:
        """What helps after this failure."""
        if self.failure is Failure.UNKNOWN_DEVICE and not self.found:
            # it is paired again: a search shows nothing that the gateway has already
            return WayOut.AGAIN
        return None if self.failure is None else WAYS_OUT[self.failure]


_OVER = frozenset({Stage.SEARCHED, Stage.DONE, Stage.STOPPED, Stage.FAILED})


def pairing_of(commands: Sequence[Asked], heard: Sequence[Heard], *, now: datetime) -> Pairing:
    """Where a talk stands. `commands` in the order in which they were asked, at least one of them a
    search or a pairing."""
    main = [each for each in commands if each.verb in (Do.SCAN, Do.PAIR)][-1]
    answers = _answers(main, heard)
    found = _found(heard)
    stop = next(
        (each for each in commands if each.verb is Do.CANCEL and each.about == main.id), None
    )
    silence, look_at = _silence(main, answers, now)
    end = next((each for each in reversed(answers) if each.event.step in ENDS), None)
    failure = _failure(main, answers, end, commands, heard, now=now)
    if main.verb is Do.SCAN:
        stage = _stage_of_search(main, end, failure, is_stopped=stop is not None, now=now)
        if failure is Failure.CANCELLED:
            failure = None
    else:
        stage = _stage_of_pairing(main, answers, end, failure, commands, stop=stop, now=now)
    if stop is not None and stage is Stage.STOPPING:
        silence, look_at = "", stop.created_at + TAKEN_WITHIN
    is_open = stage not in _OVER
    return Pairing(
        stage=stage,
        about=main.id,
        found=found,
        device=main.device or "",
        lines=_lines(answers, stage) if main.verb is Do.PAIR else (),
        number=_last_number(answers, Step.CONFIRM_WANTED, "number"),
        was_sent=_wanted(answers) is not None and _was_answered(main, answers, commands),
        failure=failure if stage is Stage.FAILED else None,
        said="" if end is None else end.event.said,
        silence=silence if is_open else "",
        read=_read(answers),
        readings=readings_of(answers),
        look_at=look_at if is_open else None,
    )


# -- searching -------------------------------------------------------------------------------------


def _found(heard: Sequence[Heard]) -> tuple[Found, ...]:
    """Every device that was found, each as last heard, in the order of first sight; those that
    cannot be used come last."""
    newest: dict[str, Candidate] = {}
    for each in sorted(heard, key=lambda one: one.received_at):
        if each.event.candidate is not None:
            newest[each.event.candidate.device] = each.event.candidate
    return tuple(sorted(map(_shown, newest.values()), key=lambda each: not each.supported))


def _shown(candidate: Candidate) -> Found:
    return Found(
        device=candidate.device,
        name=candidate.name,
        kind=candidate.kind,
        drawing=drawing_of(picture=candidate.picture, kind=candidate.kind),
        signal=signal_of(candidate.rssi_dbm),
        supported=candidate.supported,
        hint=candidate.hint,
        reason=candidate.reason,
    )


def signal_of(rssi_dbm: int | None) -> str:
    """How near a device seems: strong, fair, weak, or unknown."""
    if rssi_dbm is None:
        return "unknown"
    if rssi_dbm >= STRONG_DBM:
        return "strong"
    return "fair" if rssi_dbm >= FAIR_DBM else "weak"


def _stage_of_search(
    main: Asked, end: Heard | None, failure: Failure | None, *, is_stopped: bool, now: datetime
) -> Stage:
    if failure is not None and failure is not Failure.CANCELLED:
        return Stage.FAILED
    if end is not None or is_stopped or now >= main.expires_at + _GRACE:
        return Stage.SEARCHED
    return Stage.SEARCHING


# -- pairing ---------------------------------------------------------------------------------------


def _stage_of_pairing(
    main: Asked,
    answers: Sequence[Heard],
    end: Heard | None,
    failure: Failure | None,
    commands: Sequence[Asked],
    *,
    stop: Asked | None,
    now: datetime,
) -> Stage:
    if failure is Failure.CANCELLED:
        return Stage.STOPPED
    if failure is not None:
        return Stage.FAILED
    if end is not None:
        return Stage.DONE
    if stop is not None:
        # a gateway that does not say that it has stopped keeps nobody waiting
        return Stage.STOPPING if now < stop.created_at + TAKEN_WITHIN else Stage.STOPPED
    wanted = _wanted(answers)
    if wanted is None or _was_answered(main, answers, commands):
        return Stage.WORKING
    return Stage.PASSKEY if wanted.event.step is Step.PASSKEY_WANTED else Stage.CONFIRM


_WANTS = frozenset({Step.PASSKEY_WANTED, Step.CONFIRM_WANTED})


def _wanted(answers: Sequence[Heard]) -> Heard | None:
    """What the gateway waits for, if its last word was that."""
    return answers[-1] if answers and answers[-1].event.step in _WANTS else None


def _was_answered(main: Asked, answers: Sequence[Heard], commands: Sequence[Asked]) -> bool:
    """Has the person said as often as the gateway has asked? Counted, not by clocks."""
    asked = sum(each.event.step in _WANTS for each in answers)
    return 0 < asked <= len(_given(main, commands))


def _given(main: Asked, commands: Sequence[Asked]) -> frozenset[str]:
    """The commands in which the person answered."""
    return frozenset(
        each.id
        for each in commands
        if each.verb in (Do.PASSKEY, Do.CONFIRM) and each.about == main.id
    )


# The lines of the progress, and the steps that say that a line is reached. A device that shares no
# key passes the second without a word of it.
LINES: tuple[tuple[str, frozenset[Step]], ...] = (
    ("asked", frozenset({Step.TAKEN})),
    ("connecting", frozenset({Step.CONNECTING})),
    ("bonded", _WANTS | {Step.BONDED}),
    ("clock", frozenset({Step.CLOCK})),
    ("history", frozenset({Step.HISTORY, Step.READING})),
)
# steps that end their line; the others say that it is being worked on
_ENDS_LINE = frozenset({Step.TAKEN, Step.BONDED, Step.CLOCK})


def _lines(answers: Sequence[Heard], stage: Stage) -> tuple[Line, ...]:
    seen = {each.event.step for each in answers}
    reached = max((n for n, (_, steps) in enumerate(LINES) if steps & seen), default=-1)
    if reached >= 0 and LINES[reached][1] & seen & _ENDS_LINE:
        reached += 1
    reached = max(reached, 0)
    if stage is Stage.DONE:
        reached = len(LINES)
    at = "failed" if stage in (Stage.FAILED, Stage.STOPPED) else "now"
    return tuple(
        _line(step, answers, "done" if n < reached else at if n == reached else "later")
        for n, (step, steps) in enumerate(LINES)
        # what was passed without a word was not needed
        if not (n < reached and step in ("bonded", "clock") and not steps & seen)
    )


def _line(step: str, answers: Sequence[Heard], state: str) -> Line:
    if step == "clock" and state == "done":
        word, n = clock_word(_last_number(answers, Step.CLOCK, "offset_s") or 0)
        return Line(step=step, state=state, word=word, n=n)
    if step == "history" and _read(answers):
        return Line(step=step, state=state, word="pairing_read", n=_read(answers))
    return Line(step=step, state=state)


def clock_word(offset_s: int) -> tuple[str, int]:
    """How wrong a device's clock was, as a key and a number: minutes, hours or days."""
    off_s = abs(offset_s)
    for word, unit_s in (("clock_off_days", 86_400), ("clock_off_hours", 3600)):
        if off_s >= 2 * unit_s:
            return word, round(off_s / unit_s)
    return ("clock_off_minutes", round(off_s / 60)) if off_s >= 60 else ("clock_right", 0)


def _read(answers: Sequence[Heard]) -> int:
    return max((each.event.numbers.get("read", 0) for each in answers), default=0)


# -- both ------------------------------------------------------------------------------------------


def _answers(main: Asked, heard: Sequence[Heard]) -> list[Heard]:
    """What was answered to one command, in the order in which it was said."""
    mine = [each for each in heard if each.event.command == main.id]
    return sorted(mine, key=lambda each: each.event.number)


def _failure(
    main: Asked,
    answers: Sequence[Heard],
    end: Heard | None,
    commands: Sequence[Asked],
    heard: Sequence[Heard],
    *,
    now: datetime,
) -> Failure | None:
    """Why it ended without its aim, or cannot go on."""
    if end is not None:
        return (end.event.failure or Failure.FAULT) if end.event.step is Step.FAILED else None
    if not answers:
        # nobody took it, and nobody will
        return Failure.EXPIRED if now >= main.expires_at else None
    # an answer of the person that the gateway could do nothing with
    helpers = _given(main, commands)
    last = max(each.received_at for each in answers)
    for each in heard:
        if (
            each.event.command in helpers
            and each.event.step is Step.FAILED
            and each.received_at >= last
        ):
            return each.event.failure or Failure.FAULT
    return None


def _silence(main: Asked, answers: Sequence[Heard], now: datetime) -> tuple[str, datetime | None]:
    """The key of what is said of a silent gateway, and when this is to be looked at again."""
    if not answers:
        said_at = main.created_at + TAKEN_WITHIN
        return ("silent_at_first", main.expires_at) if now >= said_at else ("", said_at)
    last = max(each.received_at for each in answers)
    if now >= last + HEARD_WITHIN:
        return "silent_since", None
    over_at = main.expires_at + _GRACE
    soonest = [last + HEARD_WITHIN]
    if main.verb is Do.SCAN and over_at > now:
        soonest.append(over_at)
    return "", min(soonest)


def _last_number(answers: Sequence[Heard], step: Step, name: str) -> int | None:
    found = [each.event.numbers.get(name) for each in answers if each.event.step is step]
    return found[-1] if found else None
