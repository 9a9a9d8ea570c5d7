"""The parts of the chain that are processes of ours, each to be killed and begun again.

Gateways run the spool, the agent's keeping and the uplink of `gateway_agent`; what would come from
Bluetooth comes from a household's numbered readings. Workers run `ingest`, the judge runs `rules`.
Clocks can be skewed while they run. All are forked from a process that has imported everything, so
that a start costs a tenth of a second. May hold: these processes. May not: what happens to them.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.home import end_with_owner
from bench.ledger import LOCAL, Household, Ledger, Offer
from vitals.broker import broker
from vitals.measurement import Clock, place
from vitals.settings import read

# libraries for numbers would start threads in a process that is forked again and again
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["bench.parts", "gateway_agent.gateway", "ingest.__main__", "rules.__main__"]
)

# a clock this far ahead is beyond what the server accepts (ingest's limit is ten minutes)
FAR_AHEAD_S = 3 * 86_400
# seconds between two looks of a household that measures nothing for now
_LOOK_EVERY_S = 0.05

Body = Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class Home:
    """What a gateway's process is told. `skew_s`: how far its clock is ahead; `pace`: readings a
    second, 0 for none; `most`: the number of the last reading, 0 for no end."""

    household: Household
    folder: Path
    mqtt: str
    skew_s: Any
    pace: Any
    most: Any
    # divides the patience of the uplink while an hour is played in a minute
    haste: Any


class Member:
    """One process: begun, killed, begun again."""

    def __init__(self, name: str, body: Body, *told: Any, folder: Path) -> None:
        self.name, self.starts = name, 0
        self.log = folder / f"{name}.log"
        self._body, self._told = body, told
        self._process: Any = None
        self._line: Any = None
        self.is_frozen = False

    @property
    def pid(self) -> int:
        """The process that lives now, or lived last."""
        return int(self._process.pid)

    def start(self) -> None:
        """Begins it."""
        mine, its = FORKS.Pipe()
        self._process = FORKS.Process(
            target=_be, args=(its, self.log, self._body, *self._told), daemon=True
        )
        self._process.start()
        its.close()
        self._line, self.starts, self.is_frozen = mine, self.starts + 1, False

    def is_alive(self) -> bool:
        """Does it live?"""
        return self._process is not None and bool(self._process.is_alive())

    def kill(self) -> None:
        """Ends it in the middle of whatever it does."""
        self._process.kill()
        self._gone()

    def ask_to_stop(self) -> None:
        """Asks it to end, as systemd does."""
        if self.is_frozen:
            self.thaw()
        self._process.terminate()

    @property
    def exit_code(self) -> int | None:
        """How it ended: 0 in good order; None where it has not ended."""
        code: int | None = self._process.exitcode
        return code

    def freeze(self) -> None:
        """Lets it hang."""
        os.kill(self.pid, signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)
        self.is_frozen = False

    def _gone(self) -> None:
        self._process.join(30)
        self._process.close()
        self._line.close()
        self._process = None


def _be(lifeline: Any, log: Path, body: Body, *told: Any) -> None:
    """Is one member, until it is killed or told to stop."""
    logging.basicConfig(
        filename=log, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    threading.Thread(target=end_with_owner, args=(lifeline,), daemon=True).start()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        body(stop, *told)
    except Exception:
        logging.getLogger(__name__).exception("ended by itself")
        raise


# -- the gateway of a household --------------------------------------------------------------------


def gateway(stop: threading.Event, home: Home) -> None:
    """Measures, keeps and sends."""
    import gateway_agent.delivery as delivery
    from gateway_agent.agent import Agent
    from gateway_agent.config import GatewaySettings
    from gateway_agent.spool import Spool
    from gateway_agent.uplink import Uplink

    patience_s = delivery.patience_s
    delivery.patience_s = lambda **told: patience_s(**told) / home.haste.value
    name = home.household.gateway
    settings = GatewaySettings(name=name, mqtt=broker(home.mqtt), data=home.folder, admit="all")
    spool = Spool(home.folder / f"{name}.sqlite")

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=home.skew_s.value)

    agent = Agent(
        name,
        spool,
        zone=ZoneInfo("Asia/Shanghai"),
        now=now,
        admit_all=True,
        time_is_sure=lambda: True,
    )
    uplink = Uplink(settings, spool, health=agent.health, now=now, software="bench")
    agent.on_change = uplink.tell_health
    uplink.start()
    ledger = Ledger(home.folder / f"{name}.ledger")
    asyncio.run(_measure(stop, home, agent, ledger))
    uplink.stop()
    agent.close()
    spool.close()


async def _measure(stop: threading.Event, home: Home, agent: Any, ledger: Ledger) -> None:
    due_s = time.monotonic()
    while not stop.is_set():
        pace = home.pace.value
        done = home.most.value and ledger.next_number > home.most.value
        if ledger.pending is None and (pace <= 0 or done):
            await asyncio.sleep(_LOOK_EVERY_S)
            due_s = time.monotonic()
            continue
        await _keep_one(home, agent, ledger)
        # what a slow disk has held up is caught up on
        due_s += 1 / max(pace, 1.0)
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))


async def _keep_one(home: Home, agent: Any, ledger: Ledger) -> None:
    """One reading from the device into the spool, as the agent does it, and into the ledger."""
    pending = ledger.pending
    now_s = pending.measured_at_s if pending else int(time.time())
    number = ledger.next_number
    device, reading = home.household.reading(number, now_s=now_s)
    assert reading.device_time is not None
    measured_at = (reading.device_time - LOCAL).replace(tzinfo=UTC)
    # the device's clock was right, and was read by a gateway whose clock is not
    skew = timedelta(seconds=round(home.skew_s.value))
    measurements = place(
        reading,
        device=device,
        taken_at=measured_at + skew,
        clock=Clock.MEASURED,
        offset=skew - LOCAL,
    )
    is_ahead = (measured_at + skew).timestamp() > time.time() + FAR_AHEAD_S / 2
    ledger.offered(
        Offer(
            number=number,
            device=device,
            sequence=reading.sequence,
            measured_at_s=int(measured_at.timestamp()),
            taken_at_s=int((measured_at + skew).timestamp()),
            is_ahead=is_ahead,
            values=[(each.kind.value, each.value) for each in measurements],
        )
    )
    await agent.keep(
        reading, measurements, device=device, resync=False, last_sequence=reading.sequence
    )
    ledger.kept(number)


# -- the server ------------------------------------------------------------------------------------


def worker(stop: threading.Event, url: str, mqtt: str, shards: str, skew_s: Any) -> None:
    """One worker of ingest."""
    import ingest.__main__ as process
    from ingest.config import IngestSettings

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=skew_s.value)

    # it looks at the clock by itself, in this one place
    vars(process)["datetime"] = Skewed
    environ = {"KANGBAN_DATABASE_URL": url, "KANGBAN_MQTT_URL": mqtt, "KANGBAN_SHARDS": shards}
    process.run(read(IngestSettings, environ), stop)


def judge(stop: threading.Event, url: str, skew_s: Any) -> None:
    """The process of the rules."""
    import rules.__main__ as process
    from rules.config import RulesSettings

    # judging is not what is tried here: it must be right, and may be late
    os.nice(5)
    process._now = lambda: datetime.now(UTC) + timedelta(seconds=skew_s.value)
    process.run(read(RulesSettings, {"KANGBAN_DATABASE_URL": url}), stop)
