"""InfiniTime, the open firmware of the PineTime watch: heart rate, and steps of the day.

It advertises the Heart Rate Service like any band, and is told apart by its name. It stores no
history: a visit is one reading of the pulse, where the watch measures it, and one of the steps so
far today. What is kept of the steps, and why: ADR 0016.

    Motion Service 00030000-78fc-48fe-8e23-433b3a1942d0
    00030001-…  step count (read, notify): u32, steps since the watch's midnight
    00030002-…  raw motion (not read): 3 * s16, 1024 = 1 g

    Heart Rate Measurement 0x2A37: 2 octets, flags 0 and beats per minute; no contact bit, no
    RR intervals. Current Time 0x2A2B: read and write; the watch also asks its host for the time.

    `D2 04 00 00` 1234 steps · `00 48` 72 per minute

Source: InfiniTimeOrg/InfiniTime, doc/ble.md and doc/MotionService.md.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime

from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime, see_clock
from gateway_agent.drivers.day_number import What, day_number, is_news
from gateway_agent.drivers.device_information import about
from gateway_agent.drivers.heart_rate import MEASUREMENT, HeartRate, listen, reading_of
from gateway_agent.gatt import CannotDecode, Cursor
from gateway_agent.talk import (
    Ask,
    ClockSeen,
    Driver,
    Heard,
    Keep,
    LinkLost,
    Read,
    Refusal,
    Refused,
    SetClock,
    Subscribe,
    Talk,
    Visit,
)
from vitals.errors import MendDevice
from vitals.kinds import Kind
from vitals.measurement import Reading, Value
from vitals.units import Unit

STEPS = "00030001-78FC-48FE-8E23-433B3A1942D0"

# seconds between visits, as for a band
REVISIT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    """Steps since the watch's midnight."""

    steps: int

    @classmethod
    def decode(cls, data: bytes) -> "StepCount":
        """The count in 4 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Step Count")
        cursor.require(4)
        return cls(steps=int.from_bytes(cursor.take(4), "little"))

    def encode(self) -> bytes:
        """4 octets."""
        return self.steps.to_bytes(4, "little")

    def document(self) -> dict[str, object]:
        """The field by name."""
        return {"steps": self.steps}


def steps_reading(said: StepCount, *, shown: datetime | None, heard: Heard) -> Reading:
    """The steps so far today; `shown` is what the watch's clock shows, None where it is unknown.

    Without a clock the day is not known, and the number is the moment of receipt in ms.
    """
    if shown is None:
        sequence = round(heard.at.timestamp() * 1000)
    else:
        sequence = day_number(shown.date(), What.STEPS, said.steps)
    return Reading(
        sequence=sequence,
        device_time=None if shown is None else shown.replace(microsecond=0),
        values=(Value(kind=Kind.STEPS, value=float(said.steps), unit=Unit.STEPS),),
        raw=heard.data,
    )


def talk(visit: Visit) -> Talk:
    """One visit to a watch: its clock, the steps of the day if they grew, one reading of the pulse.

    Raises MendDevice where it gives neither, LinkLost where it went away before its first value.
    """
    yield Subscribe(characteristic=MEASUREMENT)
    lost: LinkLost | None = None
    steps = False
    heard: list[tuple[Heard, HeartRate]] = []
    try:
        shown = yield from _clock()
        yield from about()
        steps = yield from _steps(visit, shown)
    except LinkLost as error:
        lost = error
    try:
        # what was sent before the link went down still waits
        yield from listen(heard)
    except LinkLost as error:
        lost = error
    if heard:
        yield Keep(reading=reading_of(heard))
    elif lost is not None and not steps:
        raise lost
    elif not steps:
        raise MendDevice(
            "The watch gives neither steps nor a heart rate: start its heart-rate measurement, and "
            "update its firmware (InfiniTime 1.7 or later counts steps for others to read)."
        )
    if lost is None:
        yield from _set_clock()


def _steps(visit: Visit, shown: datetime | None) -> Generator[Ask, Heard | None, bool]:
    """Keeps the steps of the day where they are news; whether the watch counts them."""
    heard = yield Read(characteristic=STEPS)
    if heard is None:
        return False
    try:
        said = StepCount.decode(heard.data)
    except CannotDecode as error:
        yield Refused(characteristic=STEPS, data=heard.data, reason=str(error))
        return False
    if shown is None or is_news(said.steps, shown.date(), visit.last_sequence):
        yield Keep(reading=steps_reading(said, shown=shown, heard=heard))
    return True


def _clock() -> Generator[Ask, Heard | None, datetime | None]:
    """What the watch's clock shows; also reported, as of every device."""
    shown: datetime | None = None
    asking = see_clock()
    answer: Heard | None = None
    try:
        while True:
            ask = asking.send(answer)
            if isinstance(ask, ClockSeen):
                shown = ask.device_time
            answer = yield ask
    except StopIteration:
        return shown


def _set_clock() -> Talk:
    """Lets the clock be set now that all is kept."""
    try:
        yield SetClock(
            characteristic=CURRENT_TIME, encode=lambda moment: CurrentTime.of(moment).encode()
        )
    except LinkLost:
        return
    except Refusal as error:
        yield Refused(characteristic=CURRENT_TIME, data=b"", reason=str(error))


DRIVER = Driver(
    kind="smart_watch",
    service="180D",
    zh="手表",
    en="Watch",
    talk=talk,
    decoders={STEPS: StepCount.decode, MEASUREMENT: HeartRate.decode},
    revisit_s=REVISIT_S,
    # a band is what advertises 0x180D and has no row of its own
    rank=1,
)
