"""The gateway's process: reads its settings, runs until it is told to stop.

`run(settings, stop)` is what the command line calls. May hold: start, signals, stop.
"""

import asyncio
import logging
import os
import signal
import threading

from gateway_agent.config import GatewaySettings
from gateway_agent.control import Control
from gateway_agent.gateway import Gateway
from gateway_agent.radio import Backends
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
    try:
        async with Control(settings.data.expanduser(), gateway.desk):
            gateway.start()
            await asyncio.to_thread(stop.wait)
    finally:
        await gateway.stop()


def main() -> None:
    """Starts a gateway with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    run(read(GatewaySettings, os.environ), stop)


if __name__ == "__main__":
    main()
