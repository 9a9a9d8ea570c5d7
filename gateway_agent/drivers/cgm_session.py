"""The session of a continuous glucose monitor: status, start and length (0x2AA9, 0x2AAA, 0x2AAB).

    CGM Status 0x2AA9 (read), 5 octets: time offset u16 (minutes since the session began), status
    u8, cal/temp u8, warning u8 (bits as in `cgm_measurement.py`)

    CGM Session Start Time 0x2AAA (read, write), 9 octets
    off  len  type       field
    0    7    Date Time  local time at which the session began; zeros where nobody has told the
                         sensor. Who writes it writes the present time; the sensor takes off what
                         has passed since the start.
    7    1    s8         time zone, quarters of an hour from UTC without summer time; -128 unknown
    8    1    u8         summer time: 0 none, 2 half an hour, 4 one, 8 two hours; 255 unknown

    CGM Session Run Time 0x2AAB (read), 2 octets: expected length u16, hours

Each with 2 octets E2E-CRC behind it where feature bit 12 says so. Sources: Continuous Glucose
Monitoring Service 1.0.2, SIG characteristic XML of 2014, GATT Specification Supplement (Time Zone,
DST Offset). May hold: these formats and what they say about time. May not: records, asking.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gateway_agent.drivers.cgm_measurement import SESSION_STOPPED
from gateway_agent.drivers.crc import Seal, opened, seal_document, sealed
from gateway_agent.gatt import DateTime, u16
from gateway_agent.talk import ClockSeen

STATUS = "2AA9"
SESSION_START = "2AAA"
RUN_TIME = "2AAB"

# Time Zone (0x2A0E), DST Offset (0x2A0D): not known
UNKNOWN_ZONE, UNKNOWN_DST = -128, 255
_QUARTER = timedelta(minutes=15)
# Time Zone: -48 … +56 quarters; DST Offset: quarters that summer time adds
_ZONES = range(-48, 57)
_DSTS = (0, 2, 4, 8)

# how far the sensor's count of minutes may be off the start that somebody wrote into it: the count
# is cut to minutes, and a quartz of 20 ppm loses 24 s in 14 days; an engineering choice
AGREES_WITHIN = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmStatus:
    """How a session stands (0x2AA9); `annunciation` 24 bits."""

    time_offset_min: int
    annunciation: int = 0
    seal: Seal | None = None

    @classmethod
    def decode(cls, data: bytes) -> "CgmStatus":
        """The status in 5 octets, 7 with a CRC. Raises CannotDecode for another length."""
        cursor, seal = opened(data, 5, "CGM Status")
        return cls(
            time_offset_min=cursor.u16(),
            annunciation=int.from_bytes(cursor.take(3), "little"),
            seal=seal,
        )

    def encode(self) -> bytes:
        """5 octets, 7 with a CRC."""
        return self._fields() + sealed(self.seal)

    def sealed(self) -> "CgmStatus":
        """The same with its right CRC."""
        return replace(self, seal=Seal.of(self._fields()))

    @property
    def is_stopped(self) -> bool:
        """Has the session ended, so that its minutes no longer count?"""
        return bool(self.annunciation & SESSION_STOPPED)

    def document(self) -> dict[str, object]:
        """The fields by name."""
        document: dict[str, object] = {
            "time_offset_min": self.time_offset_min,
            "status24": self.annunciation,
        }
        return document | seal_document(self.seal)

    def _fields(self) -> bytes:
        return u16(self.time_offset_min) + self.annunciation.to_bytes(3, "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmSessionStart:
    """When a session began (0x2AAA), in local time with what is known of its zone."""

    date_time: DateTime
    time_zone_quarters: int = UNKNOWN_ZONE
    dst_code: int = UNKNOWN_DST
    seal: Seal | None = None

    @classmethod
    def of(cls, moment: datetime) -> "CgmSessionStart":
        """What is written to a sensor at this naive local time; its zone is left open."""
        return cls(date_time=DateTime.of(moment))

    @classmethod
    def decode(cls, data: bytes) -> "CgmSessionStart":
        """The start in 9 octets, 11 with a CRC. Raises CannotDecode for another length."""
        cursor, seal = opened(data, 9, "CGM Session Start Time")
        return cls(
            date_time=cursor.date_time(),
            time_zone_quarters=int.from_bytes(cursor.take(1), "little", signed=True),
            dst_code=cursor.u8(),
            seal=seal,
        )

    def encode(self) -> bytes:
        """9 octets, 11 with a CRC."""
        return self._fields() + sealed(self.seal)

    def sealed(self) -> "CgmSessionStart":
        """The same with its right CRC."""
        return replace(self, seal=Seal.of(self._fields()))

    def moment(self) -> datetime | None:
        """The naive local time, None where the sensor does not know it."""
        return self.date_time.moment() if self.date_time.year in _YEARS else None

    def zone(self) -> timedelta | None:
        """What its local time is ahead of UTC, summer time included; None where it is unknown.

        Unknown summer time leaves the zone unknown: it may be an hour.
        """
        if self.time_zone_quarters not in _ZONES or self.dst_code not in _DSTS:
            return None
        return (self.time_zone_quarters + self.dst_code) * _QUARTER

    def document(self) -> dict[str, object]:
        """The fields by name."""
        document: dict[str, object] = {
            **self.date_time.document(),
            "time_zone_q15": self.time_zone_quarters,
            "dst_code": self.dst_code,
        }
        return document | seal_document(self.seal)

    def _fields(self) -> bytes:
        zone = self.time_zone_quarters.to_bytes(1, "little", signed=True)
        return self.date_time.encode() + zone + bytes((self.dst_code,))


@dataclass(frozen=True, slots=True, kw_only=True)
class CgmRunTime:
    """How long a session is expected to last (0x2AAB)."""

    hours: int
    seal: Seal | None = None

    @classmethod
    def decode(cls, data: bytes) -> "CgmRunTime":
        """The length in 2 octets, 4 with a CRC. Raises CannotDecode for another length."""
        cursor, seal = opened(data, 2, "CGM Session Run Time")
        return cls(hours=cursor.u16(), seal=seal)

    def encode(self) -> bytes:
        """2 octets, 4 with a CRC."""
        return u16(self.hours) + sealed(self.seal)

    def sealed(self) -> "CgmRunTime":
        """The same with its right CRC."""
        return replace(self, seal=Seal.of(u16(self.hours)))

    def document(self) -> dict[str, object]:
        """The field by name."""
        return {"run_time_h": self.hours} | seal_document(self.seal)


# minutes by which two statements about the start of one session may differ: it is written to the
# second, counted in minutes, and the quartz adds its own; an engineering choice
SAME_SESSION_MIN = 2
# sessions are counted in minutes from here
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# a start in another year was never set; an engineering choice
_YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as its records are named by: `start` is naive, the sensor's own time.

    `number` counts minutes since 2000 (in UTC where the zone is known, else in the sensor's own
    time). A record's number is `number << 16 | time offset`: it never falls from one session to the
    next, and no two records of two sessions share one. `after` is the last minute of this session
    that is on disk, -1 where none is.
    """

    start: datetime
    number: int
    after: int = -1

    def sequence(self, time_offset_min: int) -> int:
        """The lasting number of a record."""
        return self.number << 16 | time_offset_min

    def device_time(self, time_offset_min: int) -> datetime:
        """The sensor's own time of a record, naive."""
        return self.start + timedelta(minutes=time_offset_min)


def session_of(
    start: CgmSessionStart | None,
    status: CgmStatus | None,
    *,
    at: datetime,
    last_sequence: int | None,
) -> Session | None:
    """The session that is under way; None where the sensor says nothing about its time.

    `at` is when the status was read, `last_sequence` the highest number on disk. Where the sensor
    was never told the time, its minutes are counted back from `at`; a start that differs by no more
    than `SAME_SESSION_MIN` from that of the last number, and has not fallen behind its offset, is
    that session: a new statement about its start does not make it a new one. A session that was
    started anew has another start, and all of it is read.
    """
    known, offset = (last_sequence or 0) >> 16, (last_sequence or 0) & 0xFFFF
    went_on = known > 0 and (status is None or status.time_offset_min >= offset)
    told = start is not None and start.moment() is not None
    if not told and (status is None or status.is_stopped):
        # its minutes stand still: only a session that is known already can be told from others
        is_known = went_on and status is not None
        return Session(start=_naive(known), number=known, after=offset) if is_known else None
    began, number = _began(start, status, at)
    if went_on and abs(known - number) <= SAME_SESSION_MIN:
        # to the minute as it was first named
        began += timedelta(minutes=known - number)
        return Session(start=began, number=known, after=offset)
    return Session(start=began, number=number)


def clock_of(
    start: CgmSessionStart | None, status: CgmStatus | None, session: Session, *, at: datetime
) -> ClockSeen | None:
    """What the sensor's own time is worth; None: nothing is known but its local time.

    Where the start has its zone, and the sensor's count of minutes does not contradict it, UTC is
    exact. Else the count of a running session, read at the moment `at`, is the sensor's clock, to
    the minute.
    """
    running = status is not None and not status.is_stopped
    counted = None
    if running:
        assert status is not None
        counted = ClockSeen(device_time=session.device_time(status.time_offset_min), at=at)
    zone = start.zone() if start is not None and start.moment() is not None else None
    if zone is None:
        return counted
    told = ClockSeen(device_time=(at.astimezone(UTC) + zone).replace(tzinfo=None), at=at)
    if counted is None or abs(told.device_time - counted.device_time) <= AGREES_WITHIN:
        return told
    return counted


def _began(
    start: CgmSessionStart | None, status: CgmStatus | None, at: datetime
) -> tuple[datetime, int]:
    moment = start.moment() if start is not None else None
    if start is not None and moment is not None:
        utc = (moment - (start.zone() or timedelta(0))).replace(tzinfo=UTC)
        return moment, _minutes(utc)
    assert status is not None
    utc = at.astimezone(UTC) - timedelta(minutes=status.time_offset_min)
    return _naive(_minutes(utc)), _minutes(utc)


def _minutes(moment: datetime) -> int:
    # never 0: the numbers of all sessions lie above the record numbers of 16 bits
    return max(1, (moment - _EPOCH) // timedelta(minutes=1))


def _naive(minutes: int) -> datetime:
    return (_EPOCH + timedelta(minutes=minutes)).replace(tzinfo=None)
