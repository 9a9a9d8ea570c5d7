"""The gateway's own Current Time Service: what it shows to devices that have no better clock.

InfiniTime watches read their gateway's clock at each link, and some scales do.

    0x2A2B Current Time             10 octets, see `drivers/current_time.py`: local time
    0x2A0F Local Time Information    2 octets
    off  len  type  unit    field
    0    1    s8    15 min  time zone without daylight saving time, -48 … +56
    1    1    u8            daylight saving time: 0 none, 2 +0.5 h, 4 +1 h, 8 +2 h, 255 not known

Sources: Current Time Service 1.1 §3.1–3.2; GATT Specification Supplement (Current Time, Local Time
Information, DST Offset). Pure. May hold: these values. May not: D-Bus, bumble, clocks.
"""

from datetime import datetime, timedelta

from gateway_agent.drivers.current_time import CURRENT_TIME, CurrentTime

# assigned numbers of the service and of its second characteristic
SERVICE, LOCAL_TIME = "1805", "2A0F"

# DST Offset of the GATT Specification Supplement, by what daylight saving adds
_DST = {
    timedelta(0): 0,
    timedelta(minutes=30): 2,
    timedelta(hours=1): 4,
    timedelta(hours=2): 8,
}
_DST_NOT_KNOWN = 255
_QUARTER = timedelta(minutes=15)


def current_time(local: datetime) -> bytes:
    """10 octets for an aware local moment."""
    return CurrentTime.of(local.replace(tzinfo=None)).encode()


def local_time(local: datetime) -> bytes:
    """2 octets for an aware local moment: Shanghai is 20 00, Berlin in summer 04 04."""
    saving = local.dst() or timedelta(0)
    zone = (local.utcoffset() or timedelta(0)) - saving
    quarters = round(zone / _QUARTER)
    return quarters.to_bytes(1, "little", signed=True) + bytes((_DST.get(saving, _DST_NOT_KNOWN),))


VALUES = {CURRENT_TIME: current_time, LOCAL_TIME: local_time}
