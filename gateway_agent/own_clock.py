"""Is the clock of this computer kept right? As the kernel says it.

Whatever sets the clock (systemd-timesyncd, chrony, ntpd) tells the kernel, and the kernel tells
anybody. A box without such a program is not sure of its time, and sets nobody's clock. May hold:
this question. May not: what follows from the answer (`clock_care.py`).
"""

import ctypes
from contextlib import suppress

# Linux adjtimex(2): the state in which the clock is not synchronised
_TIME_ERROR = 5
# bytes of struct timex, 208 on 64-bit Linux, with room to spare
_TIMEX = 512


def is_kept_right() -> bool | None:
    """Does something keep this computer's clock right? None: it cannot be told here."""
    with suppress(OSError, AttributeError):
        # all zero: asks, and changes nothing
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX))
        return None if state < 0 else state != _TIME_ERROR
    return None
