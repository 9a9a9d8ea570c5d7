"""Contour meters (Ascensia): the request that sets their clock, a characteristic of their own.

    00001026-0002-11e2-9e96-0800200c9a66
    off  len  type       field
    0    1    u8         01: set the time
    1    7    Date Time  UTC
    8    2    s16        minutes that local time is ahead of UTC

    2026-11-22 08:15:00 in Beijing is `01 EA 07 0B 16 00 0F 00 E0 01`

Source: weliem/blessed-android, its Contour time characteristic. Not tried on a meter. May hold:
this format. May not: when a clock may be set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway_agent.gatt import CannotDecode, Cursor, DateTime

CONTOUR_CLOCK = "00001026-0002-11E2-9E96-0800200C9A66"

_SET = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ContourClock:
    """A request to show this time: UTC, and the minutes that local time is ahead of it."""

    date_time: DateTime
    offset_min: int = 0

    @classmethod
    def of(cls, moment: datetime, *, ahead: timedelta = timedelta(0)) -> "ContourClock":
        """The request to show this naive local time, which is so far ahead of UTC.

        With nothing said about the zone the meter takes its local time for UTC, and shows the same.
        """
        offset_min = round(ahead.total_seconds() / 60)
        return cls(
            date_time=DateTime.of(moment - timedelta(minutes=offset_min)), offset_min=offset_min
        )

    @classmethod
    def decode(cls, data: bytes) -> "ContourClock":
        """The request in 10 octets. Raises CannotDecode for another length or another request."""
        cursor = Cursor(data, "Contour clock")
        cursor.require(10)
        if cursor.u8() != _SET:
            raise CannotDecode("A request to a Contour meter, but not to set its clock: refused.")
        return cls(date_time=cursor.date_time(), offset_min=cursor.s16())

    def encode(self) -> bytes:
        """10 octets."""
        offset = self.offset_min.to_bytes(2, "little", signed=True)
        return bytes((_SET,)) + self.date_time.encode() + offset

    def document(self) -> dict[str, object]:
        """The fields by name."""
        document = {"set_time": self.date_time.text(), **self.date_time.parts()}
        return document | {"offset_min": self.offset_min}


def encode(moment: datetime) -> bytes:
    """10 octets that make the meter show this naive local time."""
    return ContourClock.of(moment).encode()


DECODERS: dict[str, Callable[[bytes], object]] = {CONTOUR_CLOCK: ContourClock.decode}
