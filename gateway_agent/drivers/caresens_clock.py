"""CareSens meters (i-SENS): the request that sets their clock, characteristic 0xFFF1 of their own.

    off  len  type       field
    0    4    u8         C0 03 01 00: set the time
    4    7    Date Time  local time

    2018-11-29 22:45:59 is `C0 03 01 00 E2 07 0B 1D 16 2D 3B`

Source: NightscoutFoundation/xDrip, glucosemeter/caresens/TimeTx and its test. May hold: this
format. May not: when a clock may be set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway_agent.gatt import CannotDecode, Cursor, DateTime

CARESENS_CLOCK = "FFF1"

_SET = bytes.fromhex("C0030100")


@dataclass(frozen=True, slots=True, kw_only=True)
class CareSensClock:
    """A request to show this local time."""

    date_time: DateTime

    @classmethod
    def of(cls, moment: datetime) -> "CareSensClock":
        """The request to show this naive local time."""
        return cls(date_time=DateTime.of(moment))

    @classmethod
    def decode(cls, data: bytes) -> "CareSensClock":
        """The request in 11 octets. Raises CannotDecode for another length or another request."""
        cursor = Cursor(data, "CareSens clock")
        cursor.require(11)
        if cursor.take(4) != _SET:
            raise CannotDecode("A request to a CareSens meter, but not to set its clock: refused.")
        return cls(date_time=cursor.date_time())

    def encode(self) -> bytes:
        """11 octets."""
        return _SET + self.date_time.encode()

    def document(self) -> dict[str, object]:
        """The field by name."""
        return {"set_time": self.date_time.text(), **self.date_time.parts()}


def encode(moment: datetime) -> bytes:
    """11 octets that make the meter show this naive local time."""
    return CareSensClock.of(moment).encode()


DECODERS: dict[str, Callable[[bytes], object]] = {CARESENS_CLOCK: CareSensClock.decode}
