"""What lets a gateway run for years: it tells systemd that it lives, and renews its certificate.

The watchdog is fed from the event loop, and only while the thread that sends still turns: a gateway
that hangs is restarted by systemd. Once a day it looks whether its certificate runs out, and asks
for the next one long before. May hold: when this is done. May not: the protocol
(`notify_systemd.py`), keys (`enrol.py`).
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gateway_agent.config import GatewaySettings
from gateway_agent.enrolled import runs_out_at, server_authority
from gateway_agent.notify_systemd import notify, watchdog_s
from vitals.enrol import RENEW_BEFORE
from vitals.errors import KangbanError

log = logging.getLogger(__name__)

# seconds between two looks at the certificate
LOOK_EVERY_S = 24 * 3600.0
# seconds before the first look, and after a renewal that failed: a server that is away comes back
RETRY_S = 3600.0


async def feed_watchdog(is_alive: Callable[[], bool]) -> None:
    """Tells systemd that we are ready, then that we live, for as long as `is_alive` says so."""
    notify("READY=1")
    timeout_s = watchdog_s()
    if timeout_s is None:
        return
    while True:
        if is_alive():
            notify("WATCHDOG=1")
        else:
            log.error("The thread that sends does not turn: systemd will restart this gateway.")
        # sd_watchdog_enabled(3) recommends half the time
        await asyncio.sleep(timeout_s / 2)


async def renew_in_time(
    settings: GatewaySettings,
    *,
    now: Callable[[], datetime],
    renewed: Callable[[], None],
    wait_s: float = RETRY_S,
) -> None:
    """Asks for the next certificate whenever less than `RENEW_BEFORE` is left; calls `renewed`."""
    identity = settings.tls_certificate
    if identity is None or not settings.server or runs_out_at(identity) is None:
        return
    while True:
        await asyncio.sleep(wait_s)
        try:
            is_renewed = await asyncio.to_thread(_renew, settings, identity, now())
        except KangbanError as error:
            log.warning("The certificate is not renewed yet: %s", error)
            wait_s = RETRY_S
        except Exception:
            log.exception("A fault in this program held up the renewal; it is tried again.")
            wait_s = RETRY_S
        else:
            wait_s = LOOK_EVERY_S
            if is_renewed:
                renewed()


def _renew(settings: GatewaySettings, identity: Path, now: datetime) -> bool:
    until = runs_out_at(identity)
    if until is None or until - now > RENEW_BEFORE:
        return False
    # loaded for these few seconds of a year
    from gateway_agent.enrol import Server, renew

    server = Server(url=settings.server, authority=server_authority(identity.parent))
    fresh = renew(server, name=settings.name, identity=identity, now=now)
    log.info("The certificate was renewed: it lasts until %s.", fresh.date())
    return True
