"""What a driver may ask of a device, and what it hears back. No I/O here.

A driver's `talk()` is a generator: it yields one Ask at a time and is sent the Answer. `radio.py`
pumps it against a real or simulated device; a test pumps it with a list. The talk never sleeps,
never looks at a clock: moments arrive with the answers.

    Subscribe -> None           notifications or indications of a characteristic are wanted
    Read      -> Heard | None   None: the device does not have this characteristic
    Write     -> None
    Listen    -> Heard | None   None: nothing came within `wait_s`
    Keep      -> None           a reading is ready; the pump returns only when it is on disk
    ClockSeen -> None           the device's own clock, and the moment at which it was read
    About     -> None           what the device says of itself (model, battery, …)
    Refused   -> None           bytes that cannot be decoded: the pump logs and counts, and goes on
    SetClock  -> Heard | None   the device's clock may be set now, if it is far enough off; None: no

What the device denies is thrown into the talk as `Refusal`, with the error code of the Attribute
Protocol.

Every Subscribe comes before every other Ask: a bonded cuff sends its memory the moment the link is
up, and what arrives before the subscription is lost for ever. What arrives between two Listens
waits in the pump's queue, in order; `Listen(wait_s=0)` takes from that queue without waiting. A
subscription whose answer was lost with the link counts as made where something has arrived.

When the link goes down, the pump answers on as long as it can without a radio: Keep, ClockSeen,
About and Refused as always, Listen from what is still queued. Where an answer would need the radio
(Read, Write, Subscribe, SetClock, or Listen with nothing queued) the pump throws `LinkLost` into
the talk at that ask. The talk may then go on asking (the pump goes on answering by the same rule):
it listens to what is still queued and keeps what it holds. It ends by returning where all that was
wanted has come (a cuff hangs up by itself), or by letting `LinkLost` out where something is still
at the device; the next visit fetches that. `.close()` is for shutting down only: nothing can be
kept then.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway_agent.quirk import STANDARD, Quirk
from vitals.errors import MendDevice, TryAgain
from vitals.measurement import Reading


class LinkLost(TryAgain):
    """The radio link went down; thrown into the talk at an ask that would need it."""


class Refusal(MendDevice):
    """The device denied a Subscribe or Write; `att_error` is the code it gave, None without one."""

    def __init__(self, said: str, *, att_error: int | None = None) -> None:
        super().__init__(said)
        self.att_error = att_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Wants what a characteristic sends. `optional`: a device without it is no failure."""

    characteristic: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Wants a characteristic's value; answered None where the device has none or denies it."""

    characteristic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Writes with response."""

    characteristic: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Waits for the next thing any subscribed characteristic sends, at most `wait_s` seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Hands over a reading; answered when it is on disk."""

    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSeen:
    """The device's clock (naive, as it shows it) at the aware moment `at`."""

    device_time: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SetClock:
    """Lets the pump set the device's clock: never before its records are kept.

    Whether it is far enough off, and what its local time should be, is the pump's to say; `encode`
    makes the bytes of a naive local time. Answered with what was written and when, None where the
    clock was left as it is. `readable` False: no visit can ever see this clock, and it is set
    without that. `accepted_error`: the ATT error by which the device says that it took the time and
    not every field beside it.
    """

    characteristic: str
    encode: Callable[[datetime], bytes]
    readable: bool = True
    accepted_error: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the device says of itself; None where it does not say."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    battery_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What a characteristic sent and no decoder takes; `reason` says why and what to do."""

    characteristic: str
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a characteristic sent, and when it reached us (aware UTC)."""

    characteristic: str
    data: bytes
    at: datetime


Ask = Subscribe | Read | Write | Listen | Keep | ClockSeen | About | Refused | SetClock
Talk = Generator[Ask, Heard | None, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What the gateway knows of a device before it calls on it.

    `last_sequence`: the highest record number that is safely on disk, None at the first visit or
    when everything must be read again (`resync`). `read_anew`: must it, after what the device has
    said of itself in this visit (its battery is new, its clock fell back)? To be asked when About
    and ClockSeen were answered. `quirk`: what differs in this model. `consents`: user index in the
    device → the consent code by which it hands over that user's readings.
    """

    device: str
    last_sequence: int | None = None
    read_anew: Callable[[], bool] = lambda: False
    quirk: Quirk = STANDARD
    consents: Mapping[int, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One kind of device. `service` is the UUID that it advertises, upper case: short where it is
    of the Bluetooth base ("1808"), else whole. Several kinds may share one; the first by `rank`
    that fits is taken, the others are chosen by a row of `quirk.py`.

    `decoders` maps characteristics to their pure decoders, for `kangban gateway decode` and for
    the vectors; `revisit_s` is how long to wait before calling on the same device again when it
    goes on advertising.
    """

    kind: str
    service: str
    zh: str
    en: str
    talk: Callable[[Visit], Talk]
    decoders: Mapping[str, Callable[[bytes], object]]
    revisit_s: float
    rank: int = 0
