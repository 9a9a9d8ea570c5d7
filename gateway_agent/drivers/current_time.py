"""Current Time (0x2A2B) and Date Time (0x2A08): how a device's clock is read.

    2A2B, 10 octets
    off  len  type   field
    0    7    Date Time   local time of the device
    7    1    u8     day of week: 1 Monday … 7 Sunday, 0 unknown
    8    1    u8     1/256 s
    9    1    u8     adjust reason: bit 0 manual, 1 external, 2 time zone, 3 daylight saving

    2A08, 7 octets: a bare Date Time (Accu-Chek keeps its clock so, inside the Glucose Service)

Sources: GATT Specification Supplement (Current Time, Date Time); Current Time Service 1.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway_agent.gatt import CannotDecode, Cursor, DateTime
from gateway_agent.talk import ClockSeen, Read, Refused, Talk

CURRENT_TIME = "2A2B"
DATE_TIME = "2A08"


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


DECODERS: dict[str, Callable[[bytes], object]] = {
    CURRENT_TIME: CurrentTime.decode,
    DATE_TIME: DateTime.decode,
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
