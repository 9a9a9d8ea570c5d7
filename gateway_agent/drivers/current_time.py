"""The time types of the Current Time Service (0x1805): how a device's clock is read and set.

    Current Time 0x2A2B (read, write), 10 octets
    off  len  type   field
    0    7    Date Time   local time of the device
    7    1    u8     day of week: 1 Monday … 7 Sunday, 0 unknown
    8    1    u8     1/256 s
    9    1    u8     adjust reason: bit 0 manual, 1 external, 2 time zone, 3 daylight saving

    Date Time 0x2A08, 7 octets: bare (Accu-Chek keeps its clock so, inside the Glucose Service)

    Local Time Information 0x2A0F (read), 2 octets
    0    1    s8     quarters of an hour from UTC, -48 … 56, without daylight saving; -128 unknown
    1    1    u8     quarters of an hour of daylight saving: 0, 2, 4, 8; 255 unknown

    Reference Time Information 0x2A14 (read), 4 octets
    0    1    u8     source: 0 unknown, 1 NTP, 2 GPS, 3 radio, 4 manual, 5 atomic, 6 cellular
    1    1    u8     accuracy, 1/8 s; 254 out of range, 255 unknown
    2    1    u8     days since the clock was set by it; 255: as many or more
    3    1    u8     hours besides, 0-23; 255 where the days are 255

Sources: GATT Specification Supplement (Current Time, Date Time, Local Time Information, Reference
Time Information); Current Time Service 1.1.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway_agent.drivers import caresens_clock
from gateway_agent.gatt import CannotDecode, Cursor, DateTime
from gateway_agent.quirk import ClockSetting, Quirk
from gateway_agent.talk import ClockSeen, Read, Refused, SetClock, Talk
from vitals.errors import KangbanError

CURRENT_TIME = "2A2B"
DATE_TIME = "2A08"
LOCAL_TIME = "2A0F"
REFERENCE_TIME = "2A14"

# adjust reason, bit 0: somebody has set the clock (Current Time Service 1.1 §3.1.2.1)
MANUAL_UPDATE = 0x01
# ATT error "data field ignored": the time was taken, a field beside it was not (Current Time
# Service, application errors; second-hand)
DATA_FIELD_IGNORED = 0x80

# Local Time Information: the zone, and the daylight saving, that a device does not know
_ZONE_UNKNOWN, _DST_UNKNOWN = -128, 255
# quarters of an hour of standard, half, whole and double daylight saving; others are reserved
_DST = (0, 2, 4, 8)
# quarters of an hour, the farthest time zones
_ZONES = range(-48, 57)
# Reference Time Information: the first accuracy that is no number of eighths of a second
_NO_ACCURACY = 254


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTime:
    """A device's clock as 0x2A2B gives it."""

    date_time: DateTime
    day_of_week: int = 0
    fractions256: int = 0
    adjust_reason: int = 0

    @classmethod
    def of(cls, moment: datetime) -> "CurrentTime":
        """What a device shows at this naive time; fractions of a second are cut to 1/256 s."""
        return cls(
            date_time=DateTime.of(moment),
            day_of_week=moment.isoweekday(),
            fractions256=moment.microsecond * 256 // 1_000_000,
        )

    @classmethod
    def decode(cls, data: bytes) -> "CurrentTime":
        """The clock in 10 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Current Time")
        cursor.require(10)
        return cls(
            date_time=cursor.date_time(),
            day_of_week=cursor.u8(),
            fractions256=cursor.u8(),
            adjust_reason=cursor.u8(),
        )

    def encode(self) -> bytes:
        """10 octets."""
        tail = bytes((self.day_of_week, self.fractions256, self.adjust_reason))
        return self.date_time.encode() + tail

    def moment(self) -> datetime | None:
        """The naive time, with its fraction; None where the device does not know it."""
        whole = self.date_time.moment()
        if whole is None:
            return None
        return whole + timedelta(seconds=self.fractions256 / 256)

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            **self.date_time.document(),
            "day_of_week": self.day_of_week,
            "fractions256": self.fractions256,
            "adjust_reason": self.adjust_reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """Where a device thinks it is: quarters of an hour of its zone and of daylight saving."""

    zone_quarters: int
    dst_quarters: int

    @classmethod
    def decode(cls, data: bytes) -> "LocalTime":
        """Zone and daylight saving in 2 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Local Time Information")
        cursor.require(2)
        zone = int.from_bytes(cursor.take(1), "little", signed=True)
        return cls(zone_quarters=zone, dst_quarters=cursor.u8())

    def encode(self) -> bytes:
        """2 octets: UTC+8 without daylight saving is `20 00`."""
        return self.zone_quarters.to_bytes(1, "little", signed=True) + bytes((self.dst_quarters,))

    def utc_offset(self) -> timedelta | None:
        """What the device's clock is ahead of UTC by; None where zone or saving is not known."""
        if self.zone_quarters not in _ZONES or self.dst_quarters not in _DST:
            return None
        return timedelta(minutes=15 * (self.zone_quarters + self.dst_quarters))

    def document(self) -> dict[str, object]:
        """The fields by name; what the device does not know is null."""
        zone, saving = self.zone_quarters, self.dst_quarters
        return {
            "time_zone_q15": None if zone == _ZONE_UNKNOWN else zone,
            "dst_code": None if saving == _DST_UNKNOWN else saving,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTime:
    """What last set a device's clock, how well, and how long ago."""

    source: int
    accuracy_eighths_s: int
    days_since_update: int
    hours_since_update: int

    @classmethod
    def decode(cls, data: bytes) -> "ReferenceTime":
        """The fields in 4 octets. Raises CannotDecode for another length."""
        cursor = Cursor(data, "Reference Time Information")
        cursor.require(4)
        return cls(
            source=cursor.u8(),
            accuracy_eighths_s=cursor.u8(),
            days_since_update=cursor.u8(),
            hours_since_update=cursor.u8(),
        )

    def encode(self) -> bytes:
        """4 octets."""
        since = (self.days_since_update, self.hours_since_update)
        return bytes((self.source, self.accuracy_eighths_s, *since))

    def accuracy_s(self) -> float | None:
        """How far off the source may be, seconds; None where that is not said."""
        eighths = self.accuracy_eighths_s
        return None if eighths >= _NO_ACCURACY else eighths / 8

    def document(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "time_source": self.source,
            "accuracy_s": self.accuracy_s(),
            "days_since_update": self.days_since_update,
            "hours_since_update": self.hours_since_update,
        }


DECODERS: dict[str, Callable[[bytes], object]] = {
    CURRENT_TIME: CurrentTime.decode,
    DATE_TIME: DateTime.decode,
    LOCAL_TIME: LocalTime.decode,
    REFERENCE_TIME: ReferenceTime.decode,
}


def see_clock() -> Talk:
    """Asks for the device's clock (0x2A2B, else 0x2A08) and reports it where there is one.

    To be asked before any record is fetched, and never after a clock was set.
    """
    for characteristic in (CURRENT_TIME, DATE_TIME):
        heard = yield Read(characteristic=characteristic)
        if heard is None:
            continue
        try:
            moment = _moment(characteristic, heard.data)
        except CannotDecode as error:
            yield Refused(characteristic=characteristic, data=heard.data, reason=str(error))
            continue
        if moment is not None:
            yield ClockSeen(device_time=moment, at=heard.at)
            return


def _moment(characteristic: str, data: bytes) -> datetime | None:
    if characteristic == CURRENT_TIME:
        return CurrentTime.decode(data).moment()
    return DateTime.decode(data).moment()


def set_clock(characteristic: str | None = None) -> Talk:
    """Lets the device's clock be set, at `characteristic`, else where the device has one.

    To be asked when every record is kept, never before. A clock that cannot be set (many can only
    be read), and a device that has gone by now, are no failure of a visit: the next one sees what
    the clock shows.
    """
    with suppress(KangbanError):
        if characteristic in _OWN_CLOCKS:
            # a maker's own clock can be written and perhaps not be read
            yield SetClock(characteristic=characteristic, encode=_OWN_CLOCKS[characteristic])
            return
        for each in (characteristic,) if characteristic else (CURRENT_TIME, DATE_TIME):
            if (yield Read(characteristic=each)) is not None:
                encode = _date_time if each == DATE_TIME else _current_time
                accepted = DATA_FIELD_IGNORED if each == CURRENT_TIME else None
                yield SetClock(characteristic=each, encode=encode, accepted_error=accepted)
                return


# clocks that are neither 0x2A2B nor 0x2A08, as rows of the quirks name them
_OWN_CLOCKS: dict[str, Callable[[datetime], bytes]] = {
    caresens_clock.CARESENS_CLOCK: caresens_clock.encode
}


def set_clock_after_records(quirk: Quirk) -> Talk:
    """The end of a talk that has kept every record: `set_clock` where this model allows it."""
    if quirk.clock_setting is ClockSetting.AFTER_RECORDS:
        yield from set_clock(quirk.clock)


def _current_time(moment: datetime) -> bytes:
    return replace(CurrentTime.of(moment), adjust_reason=MANUAL_UPDATE).encode()


def _date_time(moment: datetime) -> bytes:
    return DateTime.of(moment).encode()
