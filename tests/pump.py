"""A pump for driver talks that needs no radio: a scripted device answers, a list keeps.

It follows the rules of `gateway_agent/talk.py`: subscriptions first, arrivals in order, LinkLost at
an ask that needs the radio once the link is down and the queue is used up.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway_agent.talk import (
    Ask,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Read,
    Refused,
    Subscribe,
    Talk,
    Write,
)
from vitals.errors import KangbanError
from vitals.measurement import Reading

START = datetime(2026, 11, 22, 0, 15, tzinfo=UTC)

Arrival = tuple[str, bytes]


@dataclass(kw_only=True)
class Device:
    """What a device has to say.

    `sends`: what arrives once the last subscription is made; `answers`: what arrives after a write;
    `drops_after`: the link goes down when so many notifications have arrived (None: never);
    `radio_asks`: the link goes down at the ask after so many that need the radio.
    """

    reads: Mapping[str, bytes] = field(default_factory=dict)
    sends: Iterable[Arrival] = ()
    answers: Callable[[bytes], Iterable[Arrival]] = lambda data: ()
    drops_after: int | None = None
    hangs_up: bool = False
    radio_asks: int | None = None


@dataclass(kw_only=True)
class Visited:
    """What came of a visit: every ask in order, the readings on disk, how it ended."""

    asks: list[Ask] = field(default_factory=list)
    kept: list[Reading] = field(default_factory=list)
    error: KangbanError | None = None

    def of(self, kind: type[Ask]) -> list[Ask]:
        return [ask for ask in self.asks if isinstance(ask, kind)]

    @property
    def refused(self) -> list[Refused]:
        return [ask for ask in self.asks if isinstance(ask, Refused)]


class _Link:
    def __init__(self, device: Device) -> None:
        self.device = device
        self.queue: list[Arrival] = []
        self.arrived = 0
        self.asked = 0
        self.down = False
        self.moment = START
        self.sent = False

    def arrive(self, arrivals: Iterable[Arrival]) -> None:
        for arrival in arrivals:
            if self.arrived == self.device.drops_after:
                self.down = True
                return
            self.arrived += 1
            self.queue.append(arrival)

    def need_radio(self) -> None:
        self.asked += 1
        if self.device.radio_asks is not None and self.asked > self.device.radio_asks:
            self.down = True
        if self.down:
            raise LinkLost("the link went down; the device is asked again when it is near.")

    def heard(self, arrival: Arrival) -> Heard:
        return Heard(characteristic=arrival[0], data=arrival[1], at=self.moment)

    def answer(self, ask: Ask) -> Heard | None:
        self.moment += timedelta(milliseconds=10)
        if isinstance(ask, Listen):
            return self._listen()
        if isinstance(ask, Subscribe):
            self.need_radio()
        elif isinstance(ask, Read):
            self.need_radio()
            data = self.device.reads.get(ask.characteristic)
            return None if data is None else self.heard((ask.characteristic, data))
        elif isinstance(ask, Write):
            self.need_radio()
            self.arrive(self.device.answers(ask.data))
        return None

    def _listen(self) -> Heard | None:
        if self.queue:
            return self.heard(self.queue.pop(0))
        self.down = self.down or self.device.hangs_up
        self.need_radio()
        return None


def pump(
    talk: Talk, device: Device, *, keep: Callable[[Reading], None] = lambda reading: None
) -> Visited:
    """Holds the talk to its end. `keep` may raise: a disk that is full."""
    visited, link = Visited(), _Link(device)
    answer: Heard | None = None
    failure: KangbanError | None = None
    try:
        while True:
            ask = talk.throw(failure) if failure else talk.send(answer)
            visited.asks.append(ask)
            answer, failure = None, None
            if not isinstance(ask, Subscribe) and not link.sent:
                link.sent = True
                link.arrive(device.sends)
            try:
                if isinstance(ask, Keep):
                    keep(ask.reading)
                    visited.kept.append(ask.reading)
                answer = link.answer(ask)
            except KangbanError as error:
                failure = error
    except StopIteration:
        return visited
    except KangbanError as error:
        visited.error = error
        return visited
