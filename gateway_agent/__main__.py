"""The gateway's process: reads its settings, runs until it is told to stop.

`run(settings, stop)` is what the command line calls. May hold: start, signals, stop.
"""

import asyncio
import logging
import os
import signal
import threading

from gateway_agent.agent import utc_now
from gateway_agent.config import GatewaySettings
from gateway_agent.control import Control
from gateway_agent.enrolled import remembered
from gateway_agent.gateway import Gateway
from gateway_agent.health import look, with_box
from gateway_agent.notify_systemd import notify
from gateway_agent.radio import Backends
from gateway_agent.upkeep import feed_watchdog, renew_in_time
from vitals.errors import MendSettings
from vitals.settings import read

# how KANGBAN_ADAPTER names the simulated one
SIMULATED = "sim"


def run(
    settings: GatewaySettings, stop: threading.Event, *, backends: Backends | None = None
) -> None:
    """Runs one gateway until `stop` is set; `backends` stands in for BlueZ.

    Raises MendSettings where the settings cannot work.
    """
    if settings.adapter == SIMULATED and backends is None:
        raise MendSettings(
            "KANGBAN_ADAPTER=sim needs simulated devices: `kangban simulate household` brings both."
        )
    asyncio.run(_run(settings, stop, backends))


async def _run(settings: GatewaySettings, stop: threading.Event, backends: Backends | None) -> None:
    gateway = Gateway(settings, backends=backends)
    gateway.agent.with_box = lambda health: with_box(health, look(settings.data))
    upkeep = [
        asyncio.create_task(feed_watchdog(lambda: gateway.uplink.is_alive)),
        asyncio.create_task(
            renew_in_time(settings, now=utc_now, renewed=gateway.uplink.certificate_renewed)
        ),
    ]
    try:
        async with Control(settings.data.expanduser(), gateway.desk):
            gateway.start()
            await asyncio.to_thread(stop.wait)
    finally:
        notify("STOPPING=1")
        for each in upkeep:
            each.cancel()
        await asyncio.gather(*upkeep, return_exceptions=True)
        await gateway.stop()


def main() -> None:
    """Starts a gateway with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    run(read(GatewaySettings, remembered(os.environ)), stop)


if __name__ == "__main__":
    main()
