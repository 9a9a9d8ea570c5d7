"""Rings of the Colmi R02 family: pulse every five minutes, steps, sleep, from the ring's memory.

The ring answers requests on one pair of characteristics and keeps about a week. One visit reads the
battery, then day by day from the last one on disk the pulse and the steps, then the nights; what is
read twice is kept once, as a reading's number is made of what it says (`day_number.py`). The bytes
are in `colmi_packet.py` and `colmi_sleep.py`.

The ring's clock cannot be read. Its logs follow the time as it was set, which the gateway does, in
local time, after all is read; until then, and wherever an app has set UTC, they are off by the
zone, and nobody can tell: every time of a ring is `assumed`. A ring whose today is not ours within
a day says so with a time fault.

Sources: tahnok/colmi_r02_client and Gadgetbridge (devices/colmi), which differ on the zone.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway_agent.drivers.colmi_packet import (
    BATTERY,
    BIG_NOTIFY,
    BIG_WRITE,
    ERROR,
    NO_DATA,
    NOTIFY,
    PULSE_LOG,
    STEPS,
    STEPS_HEADER,
    WRITE,
    Packet,
    StepRow,
    midnight,
    pulse_of,
    pulse_slots,
    set_time,
    steps_of,
)
from gateway_agent.drivers.colmi_sleep import REQUEST, Night, SleepLog, whole_length
from gateway_agent.drivers.day_number import What, day_number, day_of
from gateway_agent.drivers.device_information import about
from gateway_agent.gatt import CannotDecode
from gateway_agent.talk import (
    About,
    Ask,
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Refusal,
    Refused,
    SetClock,
    Subscribe,
    Talk,
    Visit,
    Write,
)
from vitals.errors import MendDevice, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Flag, Reading, Value
from vitals.units import Unit

SERVICE = "6E40FFF0-B5A3-F393-E0A9-E50E24DCCA9E"

# seconds for the next packet of an answer; an engineering choice
REPLY_WAIT_S = 5.0
# days before today that a ring still holds (unconfirmed: about a week)
DAYS_BACK = 6
# seconds between visits: the ring's battery lasts a week, and its memory waits; engineering choice
REVISIT_S = 1800.0
# minutes awake, as the ring's own logs show them, after which a night is over; engineering choice
NIGHT_IS_OVER_MIN = 60
# packets of one answer: a day's pulse takes 24, its steps at most 97; the rest is unasked for
_MOST_PACKETS = 256
# octets of a sleep log: far more than a week of nights
_LONGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """The steps of a day as they came."""

    days_ago: int
    rows: tuple[StepRow, ...]
    raw: bytes


def talk(visit: Visit) -> Talk:
    """One visit to a ring: battery, pulse and steps by the day, nights; then its clock is set.

    Raises TryAgain where it fell silent before the end; the next visit begins at the same day.
    """
    yield Subscribe(characteristic=NOTIFY)
    yield Subscribe(characteristic=BIG_NOTIFY, optional=True)
    yield from about()
    at = yield from _battery()
    days = yield from _steps_by_day(visit, at.date())
    today = _today(days, at.date())
    doubts = () if abs(today - at.date()) <= timedelta(days=1) else (Flag.TIME_FAULT,)
    latest: datetime | None = None
    for day in days:
        for reading in (yield from _pulse(today - timedelta(days=day.days_ago), doubts)):
            latest = reading.device_time
            yield Keep(reading=reading)
        if day.rows:
            reading = steps_reading(day.rows, raw=day.raw, flags=doubts)
            latest = max(filter(None, (latest, reading.device_time)))
            yield Keep(reading=reading)
    for night in (yield from _nights()):
        if is_over(night, today=today, latest=latest):
            yield Keep(reading=sleep_reading(night, today=today, flags=doubts))
    yield from _set_clock()


def steps_reading(rows: Sequence[StepRow], *, raw: bytes, flags: tuple[Flag, ...] = ()) -> Reading:
    """The steps of a day so far, at the last quarter of an hour in which there were any."""
    total, last = sum(each.steps for each in rows), max(rows, key=StepRow.at)
    return Reading(
        sequence=day_number(last.day, What.STEPS, total),
        device_time=last.at(),
        values=(Value(kind=Kind.STEPS, value=float(total), unit=Unit.STEPS),),
        raw=raw,
        flags=flags,
    )


def sleep_reading(night: Night, *, today: date, flags: tuple[Flag, ...] = ()) -> Reading:
    """The minutes asleep of a night (light, deep and REM), at the time of waking."""
    day = today - timedelta(days=night.days_ago)
    return Reading(
        sequence=day_number(day, What.SLEEP, night.end_min),
        device_time=midnight(day) + timedelta(minutes=night.end_min),
        values=(Value(kind=Kind.SLEEP_DURATION, value=float(night.asleep_min), unit=Unit.MINUTE),),
        raw=night.encode(),
        flags=flags,
    )


def is_over(night: Night, *, today: date, latest: datetime | None) -> bool:
    """Has the wearer got up for good? Else the night would be kept twice, once too short."""
    if night.days_ago:
        return True
    end = midnight(today) + timedelta(minutes=night.end_min)
    return latest is not None and latest - end >= timedelta(minutes=NIGHT_IS_OVER_MIN)


def _today(days: Sequence[_Day], guess: date) -> date:
    """The ring's own day, by the rows of any day; the UTC day where it has walked on none."""
    return next(
        (each.rows[0].day + timedelta(days=each.days_ago) for each in days if each.rows), guess
    )


def _battery() -> Generator[Ask, Heard | None, datetime]:
    """Reports the battery; the moment at which the ring answered."""
    heard = yield from _ask(Packet(command=BATTERY))
    packet = heard[0][0]
    if packet.command == BATTERY and packet.data[0] <= 100:
        yield About(battery_percent=packet.data[0])
    return heard[0][1].at


def _steps_by_day(visit: Visit, guess: date) -> Generator[Ask, Heard | None, list[_Day]]:
    """The steps from the last day on disk to today, oldest first."""
    back, last = DAYS_BACK, day_of(visit.last_sequence)
    if last is not None and 0 <= (guess - last).days < DAYS_BACK:
        # the ring's day may be one ahead of the UTC day
        back = (guess - last).days + 1
    days = []
    for days_ago in range(back, -1, -1):
        packets = yield from _ask(steps_of(days_ago))
        rows, raw = [], b""
        for packet, heard in packets:
            if packet.command & ERROR or packet.data[0] in (NO_DATA, STEPS_HEADER):
                continue
            try:
                rows.append(StepRow.of(packet))
                raw += heard.data
            except CannotDecode as error:
                yield Refused(characteristic=NOTIFY, data=heard.data, reason=str(error))
        days.append(_Day(days_ago=days_ago, rows=tuple(rows), raw=raw))
    return days


def _pulse(day: date, flags: tuple[Flag, ...]) -> Generator[Ask, Heard | None, list[Reading]]:
    """Every pulse of a day's log, one reading each."""
    packets = [packet for packet, _ in (yield from _ask(pulse_of(day)))]
    if packets[0].command & ERROR or packets[0].data[0] == NO_DATA:
        return []
    try:
        slots = pulse_slots(packets, day)
    except CannotDecode as error:
        yield Refused(characteristic=NOTIFY, data=packets[0].encode(), reason=str(error))
        return []
    return [
        Reading(
            sequence=day_number(day, What.PULSE, each.minute),
            device_time=midnight(day) + timedelta(minutes=each.minute),
            values=(
                Value(
                    kind=Kind.HEART_RATE, value=float(each.rate_per_minute), unit=Unit.PER_MINUTE
                ),
            ),
            raw=each.raw,
            flags=flags,
        )
        for each in slots
    ]


def _ask(request: Packet) -> Generator[Ask, Heard | None, list[tuple[Packet, Heard]]]:
    """The packets of an answer, to its last; one that came broken is asked for once more.

    Raises TryAgain where the ring falls silent in the middle.
    """
    for _ in range(2):
        yield Write(characteristic=WRITE, data=request.encode())
        packets, is_whole = yield from _answer(request)
        if is_whole:
            break
    if not packets:
        raise TryAgain("The ring sent nothing that could be read: leave it near the gateway.")
    return packets


def _answer(
    request: Packet,
) -> Generator[Ask, Heard | None, tuple[list[tuple[Packet, Heard]], bool]]:
    packets: list[tuple[Packet, Heard]] = []
    is_whole = True
    for _ in range(_MOST_PACKETS):
        heard = yield Listen(wait_s=REPLY_WAIT_S)
        if heard is None:
            if is_whole:
                raise TryAgain(
                    f"The ring sent nothing for {REPLY_WAIT_S:.0f} s in the middle of an answer: "
                    "leave it near the gateway."
                )
            return packets, False
        if heard.characteristic != NOTIFY:
            continue
        try:
            packet = Packet.decode(heard.data)
        except CannotDecode as error:
            yield Refused(characteristic=NOTIFY, data=heard.data, reason=str(error))
            is_whole = False
            continue
        if packet.command & ~ERROR != request.command:
            # what it says unasked: a live value, its battery
            continue
        packets.append((packet, heard))
        if _is_last(packet, packets[0][0]):
            break
    return packets, is_whole


def _is_last(packet: Packet, first: Packet) -> bool:
    """Is this the end of the answer that began with `first`?"""
    if packet.command & ERROR or packet.data[0] == NO_DATA:
        return True
    if packet.command == STEPS:
        # a row: index and number of rows
        return packet.data[0] != STEPS_HEADER and packet.data[4] + 1 >= packet.data[5]
    if packet.command == PULSE_LOG:
        return packet.data[0] + 1 >= first.data[1]
    return True


def _nights() -> Generator[Ask, Heard | None, Sequence[Night]]:
    """The nights that the ring holds; none where this model keeps none."""
    try:
        yield Write(characteristic=BIG_WRITE, data=REQUEST)
    except LinkLost:
        raise
    except MendDevice:
        return ()
    data = b""
    while len(data) < (whole_length(data) or _LONGEST):
        heard = yield Listen(wait_s=REPLY_WAIT_S)
        if heard is None:
            # a model without it says nothing
            break
        if heard.characteristic == BIG_NOTIFY:
            data += heard.data
    if not data:
        return ()
    try:
        return SleepLog.decode(data).nights
    except CannotDecode as error:
        yield Refused(characteristic=BIG_NOTIFY, data=data, reason=str(error))
        return ()


def _set_clock() -> Talk:
    """Lets the clock be set now that all is kept."""
    try:
        yield SetClock(
            characteristic=WRITE,
            encode=lambda moment: set_time(moment).encode(),
            readable=False,
        )
    except LinkLost:
        return
    except Refusal as error:
        yield Refused(characteristic=WRITE, data=b"", reason=str(error))


DRIVER = Driver(
    kind="ring",
    service=SERVICE,
    zh="智能戒指",
    en="Ring",
    talk=talk,
    decoders={NOTIFY: Packet.decode, BIG_NOTIFY: SleepLog.decode},
    revisit_s=REVISIT_S,
)
