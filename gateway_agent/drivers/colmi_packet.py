"""What a ring of the Colmi R02 family says, packet by packet.

A packet has 16 octets: command, 14 of data (zeros behind what is meant), check sum (the sum of the
15 before it, modulo 256). A reply repeats the command; bit 7 of it set: the ring cannot. u16 and
u32 are little-endian, dates are binary coded decimal.

    write 6E400002-…, notify 6E400003-B5A3-F393-E0A9-E50E24DCCA9E, in service 6E40FFF0-…
    cmd  what              asked with                     answered with
    01   set the time      BCD yy MM dd HH mm ss, 01      01
    03   battery                                          level u8 per cent, charging u8
    15   pulse of a day    u32, the day's midnight as     00 n minutes: n packets with this one,
                           seconds since 1970, in the     then 01, u32 that midnight, 9 slots,
                           ring's own time                then 02 … n-1 with 13 slots each;
                                                          slot u8 per minute, 0 none; FF no data
    43   steps of a day    days ago, 0F 00 5F 01          F0 total flag (1: calories * 10), then
                                                          rows; FF no data
         a row             BCD yy mm dd, quarter of an hour 0-95, index, total, calories u16,
                           steps u16, metres u16; the last has index total - 1
    69   live value        type, action                   type (1 pulse), error, value

    write DE5BF72A-…, notify DE5BF729-D711-4E47-AF26-65E3012A5DC7, in service DE5BF728-…
    BC 27 sleep            BC 27 01 00 FF 00 FF           BC 27, u16 length, u16 CRC, days u8, then
                                                          by day: days ago u8, octets u8 (from here
                                                          on), start u16, end u16 minutes of the
                                                          day, pairs of stage u8 and minutes u8:
                                                          2 light, 3 deep, 4 REM, 5 awake

A start after the end belongs to the day before. Which time zone the logs are in is not documented:
they follow the clock as it was set, which here is local time. How the CRC of a sleep log is made is
unknown; it is not checked. Sources: tahnok/colmi_r02_client, Gadgetbridge (devices/colmi). May
hold: these formats. May not: asking, what is kept.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gateway_agent.gatt import CannotDecode, Cursor, u16

NOTIFY = "6E400003-B5A3-F393-E0A9-E50E24DCCA9E"
WRITE = "6E400002-B5A3-F393-E0A9-E50E24DCCA9E"
BIG_NOTIFY = "DE5BF729-D711-4E47-AF26-65E3012A5DC7"
BIG_WRITE = "DE5BF72A-D711-4E47-AF26-65E3012A5DC7"

SET_TIME, BATTERY, PULSE_LOG, STEPS, LIVE = 0x01, 0x03, 0x15, 0x43, 0x69
ERROR = 0x80
NO_DATA, STEPS_HEADER = 0xFF, 0xF0
# command 69: kinds of live values
_LIVE_KINDS = {1: "HEART_RATE", 3: "SPO2"}
# minutes of one row of the steps
QUARTER_MIN = 15
LIGHT, DEEP, REM, AWAKE = 2, 3, 4, 5

_DATA = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet; `data` are the 14 octets between command and check sum."""

    command: int
    data: bytes = bytes(_DATA)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", self.data.ljust(_DATA, b"\0"))

    @classmethod
    def decode(cls, data: bytes) -> "Packet":
        """The packet. Raises CannotDecode for another length or a wrong check sum."""
        cursor = Cursor(data, "Colmi packet")
        cursor.require(2 + _DATA)
        if sum(data[:-1]) & 0xFF != data[-1]:
            raise CannotDecode("Colmi packet with a wrong check sum. Read it again.")
        return cls(command=cursor.u8(), data=cursor.take(_DATA))

    def encode(self) -> bytes:
        """16 octets."""
        body = bytes((self.command,)) + self.data
        return body + bytes((sum(body) & 0xFF,))

    def document(self) -> dict[str, object]:
        """The fields by name, as far as the command is one that is read here."""
        document: dict[str, object] = {"command": self.command}
        if self.command == BATTERY:
            return document | {"battery_percent": self.data[0], "charging": bool(self.data[1])}
        if self.command == LIVE:
            kind = _LIVE_KINDS.get(self.data[0], self.data[0])
            return document | {"kind": kind, "error": self.data[1], "value": self.data[2]}
        if self.command == STEPS and self.data[0] not in (NO_DATA, STEPS_HEADER):
            try:
                return document | StepRow.of(self).document()
            except CannotDecode:
                # a request, or a row of no day
                pass
        return document | {"data": self.data.hex()}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """What was walked in one quarter of an hour; `calories` in the ring's own unit."""

    day: date
    quarter: int
    index: int
    total: int
    calories: int
    steps: int
    distance_m: int

    @classmethod
    def of(cls, packet: Packet, *, header: Packet | None = None) -> "StepRow":
        """The row in a packet. Raises CannotDecode where its date or quarter is none.

        `header`: the packet before the rows, which says whether calories are sent in tens.
        """
        cursor = Cursor(packet.data, "Colmi steps")
        year, month, day = _bcd(cursor.u8()), _bcd(cursor.u8()), _bcd(cursor.u8())
        quarter = cursor.u8()
        try:
            found = date(2000 + year, month, day)
        except ValueError as error:
            raise CannotDecode(f"Colmi steps of no day: {error}. Set the ring's time.") from error
        if quarter >= 96:
            raise CannotDecode(f"Colmi steps of quarter {quarter} of a day: refused.")
        return cls(
            day=found,
            quarter=quarter,
            index=cursor.u8(),
            total=cursor.u8(),
            calories=cursor.u16() * (10 if header is not None and header.data[2] == 1 else 1),
            steps=cursor.u16(),
            distance_m=cursor.u16(),
        )

    def packet(self) -> Packet:
        """The packet that says so."""
        data = bytes(map(_to_bcd, (self.day.year % 100, self.day.month, self.day.day)))
        data += bytes((self.quarter, self.index, self.total))
        data += u16(self.calories) + u16(self.steps) + u16(self.distance_m)
        return Packet(command=STEPS, data=data)

    def at(self) -> datetime:
        """When the quarter began, the ring's own time."""
        return midnight(self.day) + timedelta(minutes=QUARTER_MIN * self.quarter)

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "year": self.day.year,
            "month": self.day.month,
            "day": self.day.day,
            "time_index": self.quarter,
            "calories": self.calories,
            "steps": self.steps,
            "distance": self.distance_m,
        }


def steps_of(days_ago: int) -> Packet:
    """The request for the steps of a day."""
    return Packet(command=STEPS, data=bytes((days_ago, 0x0F, 0x00, 0x5F, 0x01)))


def pulse_of(day: date) -> Packet:
    """The request for the pulse of a day: its midnight, the ring's own time taken as UTC."""
    return Packet(command=PULSE_LOG, data=_seconds(day))


def set_time(moment: datetime) -> Packet:
    """The request to show this naive time; English, as the ring has no words."""
    day = (moment.year % 100, moment.month, moment.day)
    parts = (*day, moment.hour, moment.minute, moment.second)
    return Packet(command=SET_TIME, data=bytes(map(_to_bcd, parts)) + b"\x01")


def shown_by(packet: Packet) -> datetime:
    """The naive time that a request sets. Raises CannotDecode where it is none."""
    year, month, day, hours, minutes, seconds = map(_bcd, packet.data[:6])
    try:
        return datetime(2000 + year, month, day, hours, minutes, seconds)  # noqa: DTZ001 - naive
    except ValueError as error:
        raise CannotDecode(f"Colmi set time of no time: {error}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A pulse, per minute, at a minute of a day; `raw` is the packet that said it."""

    minute: int
    rate_per_minute: int
    raw: bytes


def pulse_slots(packets: list[Packet], day: date) -> list[Slot]:
    """Every pulse of a day's log, from its packets in any order, without the header's zeros.

    `packets` begin with the header. Raises CannotDecode where the log is of another day.
    """
    head = next((each for each in packets if each.data[0] == 0), None)
    minutes = head.data[2] if head is not None else 0
    if not minutes:
        raise CannotDecode("Colmi pulse log without a header. Read it again.")
    found = []
    for each in packets:
        index = each.data[0]
        if index == 0:
            continue
        if index == 1 and each.data[1:5] != _seconds(day):
            raise CannotDecode(f"Colmi pulse log of another day than {day}: refused.")
        first = 0 if index == 1 else 9 + (index - 2) * 13
        for place, rate in enumerate(each.data[5:] if index == 1 else each.data[1:]):
            minute = (first + place) * minutes
            if rate and minute < 24 * 60:
                found.append(Slot(minute=minute, rate_per_minute=rate, raw=each.encode()))
    return sorted(found, key=lambda slot: slot.minute)


def pulse_packets(day: date, slots: list[int], *, minutes: int = 5) -> list[Packet]:
    """The packets of a day's log, as a ring sends them."""
    parts = [slots[:9], *(slots[n : n + 13] for n in range(9, len(slots), 13))]
    head = Packet(command=PULSE_LOG, data=bytes((0, len(parts) + 1, minutes)))
    first = Packet(command=PULSE_LOG, data=b"\x01" + _seconds(day) + bytes(parts[0]))
    rest = (
        Packet(command=PULSE_LOG, data=bytes((index, *part)))
        for index, part in enumerate(parts[1:], start=2)
    )
    return [head, first, *rest]


def midnight(day: date) -> datetime:
    """The beginning of a day, naive."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the ring's own time


def _seconds(day: date) -> bytes:
    since = midnight(day).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400).to_bytes(4, "little")


def _bcd(octet: int) -> int:
    tens, ones = octet >> 4, octet & 15
    if tens > 9 or ones > 9:
        raise CannotDecode(f"0x{octet:02X} is no binary coded decimal: refused.")
    return 10 * tens + ones


def _to_bcd(number: int) -> int:
    return number // 10 << 4 | number % 10
