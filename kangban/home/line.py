"""A line to the gateway of this machine: to the one that runs, else to one started for the while.

The gateway that runs owns the Bluetooth adapter, so the shell asks it. Where none runs, its parts
run in this process as long as the command does: they read what is on air, and send nothing. May
hold: this choice. May not: what is said over the line.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway_agent.config import DATA, GatewaySettings
from gateway_agent.control import Line, reach
from vitals.errors import MendSettings
from vitals.settings import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A line, and whether a gateway runs on this machine by itself."""

    line: Line
    runs: bool


@asynccontextmanager
async def reached(
    environ: Mapping[str, str] = os.environ, *, radio: bool
) -> AsyncIterator[Reached]:
    """A line to a gateway; `radio`: one that is started for it listens to devices too.

    Raises MendSettings where none runs and none can be started.
    """
    found = await reach(folder(environ))
    if found is not None:
        async with aclosing(found):
            yield Reached(line=found, runs=True)
        return
    async with _started(environ, radio=radio) as started:
        yield Reached(line=started, runs=False)


def folder(environ: Mapping[str, str]) -> Path:
    """Where the gateway of this machine keeps its spool and its control socket."""
    given = environ.get("KANGBAN_GATEWAY_DATA")
    return (Path(given) if given else DATA).expanduser()


@asynccontextmanager
async def _started(environ: Mapping[str, str], *, radio: bool) -> AsyncIterator[Line]:
    # bleak is needed here alone: a machine without it may still ask a gateway that runs
    from gateway_agent.control import Control
    from gateway_agent.gateway import Gateway

    try:
        settings = read(GatewaySettings, environ)
    except MendSettings as error:
        raise MendSettings(
            f"No gateway runs with the folder {folder(environ)}. Start it (`kangban gateway run`), "
            f"or name its folder in KANGBAN_GATEWAY_DATA. To do it without: {error}"
        ) from error
    if settings.adapter == "sim":
        raise MendSettings(
            "No simulated household runs with this folder: start `kangban simulate household "
            "--unpaired` first, with the same KANGBAN_GATEWAY_DATA."
        )
    gateway = Gateway(settings)
    try:
        async with Control(settings.data.expanduser(), gateway.desk):
            if radio:
                gateway.start_reading()
            started = await reach(settings.data.expanduser())
            if started is None:
                raise MendSettings(
                    f"No socket can be made in {settings.data}: set KANGBAN_GATEWAY_DATA to a "
                    "folder with a short name that you may write."
                )
            async with aclosing(started):
                yield started
    finally:
        await gateway.stop()
