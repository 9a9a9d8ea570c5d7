"""What a gateway that has nothing to read costs: memory, and processor time of one core.

The gateway is the installed one: `requirements/gateway.txt` in a fresh environment of its own,
without pandas, psycopg or FastAPI, started as `kangban gateway run`. It hears `--devices` simulated
devices, each ten times a second, over a BlueZ stand-in on a D-Bus of its own, none of them added,
and is connected to a real mosquitto. After `--warm-up` seconds it is watched for `--seconds`;
resident memory is the most that was seen, processor time is the mean. The last line is JSON.

    python -m bench.gateway_footprint [--seconds 300] [--devices 3] [--venv DIR]
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.cpu import cpu_s
from bench.home import private_bus
from kangban.embedded.broker import Broker
from simulator.bluez import FakeBlueZ
from simulator.cuff import Cuff
from simulator.link import Air, device_on
from simulator.peripheral import Home, Identity
from simulator.record import CuffRecord
from simulator.story import SHANGHAI

_ROOT = Path(__file__).parents[1]
_MOSQUITTO = _ROOT / ".services/root/usr/sbin/mosquitto"
# megabytes and per cent of one core: what a Raspberry Pi can spare for years
AIM_RSS_MB, AIM_CPU_PERCENT = 60.0, 1.0
# milliseconds between two advertisements of a device that waits to be read: a cuff has 100 or more
_ADVERTISES_EVERY_MS = 100.0
# seconds between two looks at the memory
_LOOK_EVERY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """`rss_mb`: the most seen; `cpu_percent`: of one core; `wake_ups_per_s`: times it slept."""

    rss_mb: float
    cpu_percent: float
    wake_ups_per_s: float
    seconds: int
    devices: int
    python: str

    @property
    def is_small(self) -> bool:
        """Is it what we aim for?"""
        return self.rss_mb <= AIM_RSS_MB and self.cpu_percent <= AIM_CPU_PERCENT


def main() -> int:
    """The benchmark; 1 where the gateway is larger or busier than aimed for."""
    parser = argparse.ArgumentParser(description="Memory and processor time of an idle gateway.")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--devices", type=int, default=3)
    parser.add_argument("--venv", type=Path, help="an environment with the gateway in it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv = asked.venv or install(folder / "venv")
        with (
            private_bus(folder),
            Broker(folder / "broker", program=_MOSQUITTO, anonymous=True) as broker,
            _gateway(venv, folder, broker.url) as pid,
        ):
            found = asyncio.run(
                _watch(pid, seconds=asked.seconds, warm_up=asked.warm_up, devices=asked.devices)
            )
    print(f"aim: at most {AIM_RSS_MB:g} MB and {AIM_CPU_PERCENT:g} % of one core")
    print(json.dumps(asdict(found)))
    return 0 if found.is_small else 1


def install(venv: Path) -> Path:
    """A fresh environment with the gateway alone, as `deploy/gateway/install.sh` makes it."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [venv / "bin/python", "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
    wanted = _ROOT / "requirements/gateway.txt"
    subprocess.run([*pip, "--require-hashes", "-r", wanted], check=True)
    subprocess.run([*pip, "--no-deps", _ROOT], check=True)
    return venv


@contextmanager
def _gateway(venv: Path, folder: Path, mqtt: str) -> Iterator[int]:
    environment = {
        **{key: os.environ[key] for key in ("PATH", "DBUS_SYSTEM_BUS_ADDRESS")},
        "KANGBAN_GATEWAY_NAME": "idle",
        "KANGBAN_MQTT_URL": mqtt,
        "KANGBAN_GATEWAY_DATA": str(folder / "gateway"),
    }
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [venv / "bin/kangban", "gateway", "run"],
            env=environment,
            cwd=folder,
            stderr=log,
        )
    try:
        yield process.pid
        if process.poll() is not None:
            raise SystemExit((folder / "gateway.log").read_text())
    finally:
        # its adapter is gone already: there is nothing that a clean stop could save
        process.kill()
        process.wait()


async def _watch(pid: int, *, seconds: int, warm_up: int, devices: int) -> Footprint:
    air = Air()
    central = device_on(air, name="hci0", address="C0:00:00:00:00:01")
    await central.power_on()
    bluez = FakeBlueZ(central)
    await bluez.start()
    for number in range(devices):
        await _on_air(air, number)
    await asyncio.sleep(warm_up)
    began_s, used_s, slept = time.monotonic(), cpu_s(pid), _slept(pid)
    rss_mb = _rss_mb(pid)
    while time.monotonic() - began_s < seconds:
        await asyncio.sleep(min(_LOOK_EVERY_S, seconds))
        rss_mb = max(rss_mb, _rss_mb(pid))
    lasted_s = time.monotonic() - began_s
    await bluez.stop()
    return Footprint(
        rss_mb=round(rss_mb, 1),
        cpu_percent=round(100 * (cpu_s(pid) - used_s) / lasted_s, 2),
        wake_ups_per_s=round((_slept(pid) - slept) / lasted_s, 1),
        seconds=seconds,
        devices=devices,
        python=".".join(map(str, sys.version_info[:3])),
    )


async def _on_air(air: Air, number: int) -> None:
    """A neighbour's cuff that goes on asking to be read."""
    who = Identity(address=f"F0:00:00:00:01:{number:02X}", name="Cuff", model="KB-100")
    cuff = Cuff(Home(air=air, now=lambda: datetime.now(UTC), zone=SHANGHAI), who)
    at = datetime.now(UTC) - timedelta(hours=1)
    cuff.take(CuffRecord(at=at, systolic=Decimal(120), diastolic=Decimal(80)))
    cuff.device.advertising_interval_min = _ADVERTISES_EVERY_MS
    cuff.device.advertising_interval_max = _ADVERTISES_EVERY_MS
    await cuff.switch_on()
    await cuff.go_on_air()


def _rss_mb(pid: int) -> float:
    return _status(pid, "VmRSS") / 1024


def _slept(pid: int) -> int:
    """How often any thread of the process has gone to sleep."""
    return sum(
        _status(pid, "voluntary_ctxt_switches", f"task/{each.name}/")
        for each in Path(f"/proc/{pid}/task").iterdir()
    )


def _status(pid: int, key: str, task: str = "") -> int:
    """A number of proc(5)'s status file; 0 where it is not there."""
    lines = Path(f"/proc/{pid}/{task}status").read_text().splitlines()
    return next((int(each.split()[1]) for each in lines if each.startswith(f"{key}:")), 0)


if __name__ == "__main__":
    sys.exit(main())
