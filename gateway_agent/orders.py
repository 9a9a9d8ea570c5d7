"""Which commands a gateway obeys, and which answers still wait to be sent: decided here.

A command may come late, come twice, be played again by somebody, or be another gateway's. The ids
of those that were obeyed stand in the spool for longer than any of them can live, so that neither a
restart nor a clock that was set back lets one in again. Answers leave in the order in which they
came about; one that nobody can be waiting for any more is dropped. May hold: these decisions and
their constants. May not: clocks, sockets, SQL, what a command does (`desk.py`).
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from vitals.command import CLOCKS_DIFFER, LIFE, Command, Event, Failure

# answers that wait or may have to be sent again; a scan in a full house has about thirty, a pairing
# about twenty and one a second while it reads; engineering choice
MOST_ANSWERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a command is not obeyed; `failure` None: not even an answer is due, only a log line."""

    failure: Failure | None
    said: str


def refusal(command: Command, *, gateway: str, now: datetime) -> Refusal | None:
    """Why this gateway does not obey this command at this moment; None: it does."""
    if command.gateway != gateway:
        said = f"it is for {command.gateway}: see who may publish to this gateway's topic."
        return Refusal(failure=None, said=said)
    if now > command.expires_at + CLOCKS_DIFFER:
        late = _words((now - command.expires_at).total_seconds())
        return Refusal(
            failure=Failure.EXPIRED,
            said=f"It reached the gateway {late} too late: is the gateway online? Ask again.",
        )
    if command.at > now + CLOCKS_DIFFER:
        ahead = _words((command.at - now).total_seconds())
        return Refusal(
            failure=Failure.EXPIRED,
            said=f"The clocks of server and gateway differ by {ahead}: set the one that is wrong "
            "(a gateway gets the time from the network), then ask again.",
        )
    return None


def remembered_until(command: Command) -> datetime:
    """Until when an obeyed command might be obeyed again, by the gateway's clock; the spool keeps
    its id for longer, so that a clock that is set back lets nothing in twice."""
    return command.expires_at + CLOCKS_DIFFER


def useful_until(event: Event, command: Command) -> datetime:
    """Until when somebody may be waiting for this event."""
    return max(command.expires_at, event.at + LIFE)


@dataclass(slots=True, kw_only=True)
class _Answer:
    event: Event
    useful_until: datetime
    handed_over: bool = False


@dataclass(slots=True, kw_only=True)
class Answers:
    """The events of one gateway that are not yet sent, or may have been lost with the broker."""

    most: int = MOST_ANSWERS
    _kept: deque[_Answer] = field(default_factory=deque)

    def add(self, event: Event, *, useful_until: datetime) -> None:
        """Takes in the next event; when there are too many, the oldest goes."""
        self._kept.append(_Answer(event=event, useful_until=useful_until))
        while len(self._kept) > self.most:
            self._kept.popleft()

    def due(self, now: datetime) -> list[Event]:
        """What is to be handed to the broker now, in order; forgets what is of use to nobody."""
        self._kept = deque(each for each in self._kept if each.useful_until >= now)
        return [each.event for each in self._kept if not each.handed_over]

    def handed_over(self, event: Event) -> None:
        """Notes that the link has it."""
        for each in self._kept:
            if each.event is event:
                each.handed_over = True

    def broker_forgot(self, repeated: Collection[str]) -> None:
        """The broker has lost what it held: all of it is due again, but for what the link itself
        repeats (by `answer_key`)."""
        for each in self._kept:
            if answer_key(each.event) not in repeated:
                each.handed_over = False


def answer_key(event: Event) -> str:
    """The name of an answer: of which command, and which one."""
    return f"{event.command} {event.number}"


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
