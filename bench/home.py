"""A home to try a gateway in: devices on the air behind an `org.bluez`, a broker, a server's word.

The gateway is a process of its own, as in a home, and reaches the devices through bleak's BlueZ
backend over a private D-Bus; so it can be killed, starved and started again while everything else
lives on. The server is a stand-in that commits to memory and sends receipts: whatever it has named,
it has. May hold: this world and its parts. May not: faults and their order (`gateway_campaign.py`),
figures.
"""

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from simulator.bluez import FakeBlueZ
from simulator.link import Air, device_on
from vitals.broker import broker as parse
from vitals.command import ENDS, LIFE, Command, Do, Event, decode_event, encode_command
from vitals.errors import MendSettings
from vitals.wire import Receipt, encode_receipt, gateway_of, topic

GATEWAY = "bench-home"

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow own="*"/><allow send_destination="*"/>
  <allow receive_sender="*"/><allow user="*"/></policy>
  <limit name="max_match_rules_per_connection">100000</limit>
</busconfig>"""


@contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """The address of a D-Bus of our own, also as this process's system bus."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None:
        raise MendSettings("dbus-daemon is missing: install D-Bus (Debian: apt install dbus).")
    socket, config = folder / "bus", folder / "bus.conf"
    config.write_text(_BUS.format(socket=socket))
    process = subprocess.Popen(
        [daemon, f"--config-file={config}", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        address = f"unix:path={socket}"
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address
        yield address
    finally:
        process.terminate()
        process.wait()


class Server:
    """Commits what gateways send, names it in receipts, and knows every measurement it has."""

    def __init__(self, url: str) -> None:
        where = parse(url)
        self.committed: dict[str, dict[str, Any]] = {}
        # measurements that came once more, and ones that came with other words than the first time
        self.repeats = 0
        self.contradictions: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="bench-server", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.max_inflight_messages_set(1000)
        # how each command ended
        self.ended: dict[str, Event] = {}
        self._client.on_connect = lambda client, *_: client.subscribe(
            [("kangban/v1/+/+/up", 1), ("kangban/v1/+/+/event", 1)]
        )
        self._client.on_message = self._on_message
        self._client.connect_async(where.host, where.port, keepalive=5)

    def __enter__(self) -> "Server":
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, enough: Callable[[], bool], *, wait_s: float) -> bool:
        """Whether `enough` came true in time, looked at after each arrival."""
        with self._changed:
            return self._changed.wait_for(enough, wait_s)

    def ask(self, do: Do, device: str) -> str:
        """The id of a command that somebody has given just now."""
        now = datetime.now(UTC)
        command = Command(
            id=uuid.uuid4().hex,
            gateway=GATEWAY,
            at=now,
            expires_at=now + LIFE,
            do=do,
            device=device,
        )
        self._client.publish(topic(GATEWAY, "command"), encode_command(command), qos=1)
        return command.id

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        if message.topic.endswith("/event"):
            event = decode_event(message.payload)
            if event.step in ENDS:
                self.ended[event.command] = event
            return
        envelope = json.loads(message.payload)
        with self._changed:
            for each in envelope["measurements"]:
                known = self.committed.setdefault(each["id"], each)
                self.repeats += known is not each
                if known != each:
                    self.contradictions.append(each)
            self._changed.notify_all()
        receipt = Receipt(
            v=1,
            batch=envelope["batch"],
            committed=tuple(each["id"] for each in envelope["measurements"]),
            rejected={},
        )
        gateway = gateway_of(message.topic)
        self._client.publish(topic(gateway, "receipt"), encode_receipt(receipt), qos=1)


@dataclass(frozen=True, kw_only=True)
class Box:
    """What a gateway's process is told. `clock` holds the moment (s since 1970), 0 is the real one;
    `kept` is a file for a line at each reading that is on disk: device, seconds (monotonic)."""

    data: Path
    mqtt: str
    bus: str
    log: Path
    kept: Path
    clock: Any
    lifeline: Any


Body = Callable[[Box], None]


def live(box: Box) -> None:
    """Is the gateway, in a process of its own, until it is killed or told to stop."""
    import logging

    from gateway_agent.calling import Patience
    from gateway_agent.config import GatewaySettings
    from gateway_agent.gateway import Gateway

    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = box.bus
    logging.basicConfig(
        filename=box.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    threading.Thread(target=end_with_owner, args=(box.lifeline,), daemon=True).start()
    settings = GatewaySettings(name=GATEWAY, mqtt=parse(box.mqtt), data=box.data, admit="all")

    def now() -> datetime:
        stands_at = box.clock.value
        return datetime.fromtimestamp(stands_at, UTC) if stands_at else datetime.now(UTC)

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    async def run() -> None:
        gateway = Gateway(
            settings, now=now, patience=Patience(first=timedelta(0), revisit=timedelta(0))
        )
        with box.kept.open("a", buffering=1) as lines:
            gateway.agent.on_kept = lambda device, _: note(lines, device)
            gateway.start()
            try:
                await asyncio.to_thread(stop.wait)
            finally:
                await gateway.stop()

    asyncio.run(run())


def note(lines: TextIO, device: str) -> None:
    """Writes down that a reading of this device is kept now."""
    lines.write(f"{device} {time.monotonic()}\n")


def end_with_owner(lifeline: Any) -> None:
    try:
        lifeline.recv()
    except EOFError:
        os._exit(1)


class GatewayProcess:
    """The gateway's process: begun, killed, begun again. Forked from a process that has imported
    everything, so that a start costs a tenth of a second."""

    def __init__(self, folder: Path, *, mqtt: str, bus: str) -> None:
        self.body: Body = live
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["gateway_agent.gateway", "bench.home"])
        # without a lock: a gateway killed while it holds one would keep it for ever
        self.clock = self._context.RawValue("d", 0.0)
        self._folder, self._mqtt, self._bus = folder, mqtt, bus
        self._process: Any = None
        self._line: Any = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """The process that lives now."""
        return int(self._process.pid)

    @property
    def spool(self) -> Path:
        """Its spool on disk."""
        return self._folder / "gateway" / f"{GATEWAY}.sqlite"

    @property
    def log(self) -> Path:
        """What it has to say."""
        return self._folder / "gateway.log"

    @property
    def kept(self) -> Path:
        """A line for each reading that was kept."""
        return self._folder / "kept"

    def start(self) -> None:
        """Begins the gateway with whatever is in its spool."""
        mine, its = self._context.Pipe()
        box = Box(
            data=self._folder / "gateway",
            mqtt=self._mqtt,
            bus=self._bus,
            log=self.log,
            kept=self.kept,
            clock=self.clock,
            lifeline=its,
        )
        self._process = self._context.Process(target=self.body, args=(box,), daemon=True)
        self._process.start()
        its.close()
        self._line, self.starts = mine, self.starts + 1

    def kill(self) -> None:
        """Ends it in the middle of whatever it does."""
        self._process.kill()
        self._gone()

    def stop(self) -> None:
        """Asks it to end, as systemd does."""
        self._process.terminate()
        self._gone()

    def is_alive(self) -> bool:
        """Does it live?"""
        return bool(self._process.is_alive())

    def _gone(self) -> None:
        self._process.join(30)
        self._process.close()
        self._line.close()


@dataclass(kw_only=True)
class Home:
    """The home, lived in."""

    air: Air
    bluez: FakeBlueZ
    gateway: GatewayProcess
    folder: Path
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


@asynccontextmanager
async def home(folder: Path, *, mqtt: str) -> AsyncIterator[Home]:
    """A home without devices, its gateway not yet begun."""
    with private_bus(folder) as bus:
        air = Air()
        central = device_on(air, name="hci0", address="C0:00:00:00:00:01")
        await central.power_on()
        bluez = FakeBlueZ(central)
        await bluez.start()
        gateway = GatewayProcess(folder, mqtt=mqtt, bus=bus)
        try:
            yield Home(air=air, bluez=bluez, gateway=gateway, folder=folder)
        finally:
            if gateway.starts:
                gateway.kill()
            await bluez.stop()
