"""A word to systemd: that we are ready, that we still live, that we stop.

The protocol is a datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)); where there is
none, nothing is said. May hold: this protocol. May not: when to say what (`upkeep.py`).
"""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Tells systemd `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=…`; False without systemd."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    # an abstract socket's name begins with NUL (unix(7))
    where = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto(state.encode(), where)
    except OSError as error:
        log.warning("systemd could not be told %s: %s", state, error)
        return False
    return True


def watchdog_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds after which systemd restarts a program that says nothing; None where it does not."""
    if environ.get("WATCHDOG_PID") not in (None, str(os.getpid())):
        return None
    try:
        return int(environ["WATCHDOG_USEC"]) / 1e6
    except (KeyError, ValueError):
        return None
