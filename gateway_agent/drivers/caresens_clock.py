"""The clock of CareSens meters (i-SENS): written to 0xFFF1, a characteristic of their own.

    off  len  type       field
    0    4    octets     C0 03 01 00: set the clock
    4    7    Date Time  the meter's local time

Source: NightscoutFoundation/xDrip, caresens/TimeTx (11 octets). Not confirmed on a meter by us.
"""

from datetime import datetime

from gateway_agent.gatt import DateTime

CARESENS_CLOCK = "FFF1"

_SET = bytes((0xC0, 0x03, 0x01, 0x00))


def encode(moment: datetime) -> bytes:
    """11 octets that set the meter's clock to this naive local time."""
    return _SET + DateTime.of(moment).encode()
