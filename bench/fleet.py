"""A city's gateways before the real chain: lines, rates, lag, memory, bytes; and what follows.

One process holds the lines of all gateways to a real mosquitto (no TLS); one ingest worker and one
PostgreSQL do what they always do. Three stages: a city's mean rate, its peak in messages of ten
(homes that catch up), and its peak in messages of two (each visit to a meter for itself). A
message is sent when it is due, whatever became of those before, and its lag counts from then to its
receipt. Few gateways carry the stream of many: how busy each is compared to a real one is printed.
What is measured and what is only multiplied stand in two tables. The last line is JSON.

    python -m bench.fleet [--connections 2000] [--gateways N] [--seconds 30] [--engine timescale]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.cpu import cpu_s
from bench.engine import ENGINES, MOSQUITTO, Engine, postgres
from bench.lines import Due, Heard, Lines
from bench.stream import Stream, gateway_name
from kangban.embedded.broker import Broker
from store import measurements
from store.migrate import migrate
from store.pool import connect, heartbeats

# engineering choice: a million patients who bring 300 values a day each, and one in twenty of them
# wears a sensor and a band besides, with 288 values a day each
CITY_PATIENTS, CITY_ROWS_A_DAY = 1_000_000, 328_800_000
CITY_GATEWAYS = CITY_PATIENTS // 2
MEAN_ROWS_PER_S = CITY_ROWS_A_DAY / 86_400
# five times the mean: mornings, and homes that come back after an outage
PEAK_ROWS_PER_S = 5 * MEAN_ROWS_PER_S
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """So many rows a second for so long, so many in a message."""

    name: str
    rows_per_s: float
    rows_of_message: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One stage: what was done, how late, and the processor time of a row by process."""

    stage: Stage
    rows: int
    rows_per_s: float
    lag_p50_s: float
    lag_p99_s: float
    behind_s: float
    cpu_us: dict[str, float]

    def __str__(self) -> str:
        parts = "  ".join(f"{name} {each:.1f}" for name, each in self.cpu_us.items())
        held = "held" if self.behind_s < 1 else f"NOT HELD: done {self.behind_s:.0f} s late"
        return (
            f"{self.stage.name}: {self.rows:,} rows, {self.rows_per_s:,.0f} a second"
            f" of {self.stage.rows_per_s:,.0f} asked, {held}\n"
            f"    due to receipt: p50 {self.lag_p50_s * 1000:,.0f} ms,"
            f" p99 {self.lag_p99_s * 1000:,.0f} ms\n"
            f"    CPU us/row: {parts}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that was measured."""

    stages: Sequence[Measured]
    broker_bytes_of_connection: float
    bytes_of_row: float


def main() -> int:
    """The benchmark; ends with an error where a row is lost."""
    parser = argparse.ArgumentParser(description="A city's gateways before the real chain.")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--gateways", type=int, help="more than connections: lines are shared")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--engine", choices=ENGINES, default="timescale")
    asked = parser.parse_args()
    gateways = asked.gateways or asked.connections
    with tempfile.TemporaryDirectory(prefix="kangban-fleet-") as folder:
        found = run(
            Path(folder),
            stages_of(asked.seconds),
            gateways=gateways,
            connections=asked.connections,
            engine=asked.engine,
        )
    print_city(found)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(json.dumps(_summary(found)))
    return 0


def stages_of(seconds: float) -> list[Stage]:
    """A city's mean and its peak, each for so long."""
    return [
        Stage(name=name, rows_per_s=rows_per_s, rows_of_message=rows_of_message, seconds=seconds)
        for name, rows_per_s, rows_of_message in (
            ("city, mean, 2 rows a message", MEAN_ROWS_PER_S, 2),
            ("city, peak, 10 rows a message", PEAK_ROWS_PER_S, 10),
            ("city, peak, 2 rows a message", PEAK_ROWS_PER_S, 2),
        )
    ]


def run(
    folder: Path, stages: Sequence[Stage], *, gateways: int, connections: int, engine: Engine
) -> Found:
    """Measures and prints; ends the program where a row is lost."""
    with (
        postgres(folder, engine) as server,
        Broker(folder / "broker", program=MOSQUITTO) as broker,
    ):
        url = server.create_database("fleet")
        migrate(url)
        with connect(url) as connection:
            Stream(devices=2 * gateways, begin=datetime.now(UTC)).settle(connection)
        names = [gateway_name(each) for each in range(gateways)]
        before = _rss_bytes(broker.pid)
        lines = Lines(broker.url, names, connections=connections)
        each_line = (_rss_bytes(broker.pid) - before) / connections
        print(f"{gateways:,} gateways over {connections:,} TCP connections of one process, no TLS;")
        print(f"mosquitto takes {each_line / 1024:.1f} KiB for each that is quiet.", flush=True)
        try:
            with _worker(url, broker.url) as worker:
                pids = {"database": server.pid, "ingest": worker, "broker": broker.pid}
                measured = [
                    _measure(lines, each, number, gateways=gateways, pids=pids)
                    for number, each in enumerate(stages)
                ]
        finally:
            lines.close()
        bytes_of_row = _check(url, sum(each.rows for each in measured))
        print(f"{bytes_of_row:.0f} bytes a row in the database, indexes and days with it.")
    return Found(stages=measured, broker_bytes_of_connection=each_line, bytes_of_row=bytes_of_row)


def _measure(
    lines: Lines, stage: Stage, number: int, *, gateways: int, pids: dict[str, int]
) -> Measured:
    plan = _plan(stage, number, gateways=gateways)
    before_s = {name: cpu_s(pid) for name, pid in pids.items()} | {"sender": time.process_time()}
    heard = lines.play(plan)
    after_s = {name: cpu_s(pid) for name, pid in pids.items()} | {"sender": time.process_time()}
    rows = len(plan) * stage.rows_of_message
    if (heard.committed, heard.rejected) != (rows, 0):
        sys.exit(f"LOST: {rows} rows were sent; receipts name {heard.committed} of them")
    lags = sorted(heard.lags_s)
    real = CITY_ROWS_A_DAY / CITY_GATEWAYS / 86_400
    found = Measured(
        stage=stage,
        rows=rows,
        rows_per_s=rows / heard.took_s,
        lag_p50_s=lags[len(lags) // 2],
        lag_p99_s=lags[len(lags) * 99 // 100],
        behind_s=_behind_s(heard, stage),
        cpu_us={name: (after_s[name] - before_s[name]) * 1e6 / rows for name in after_s},
    )
    print(
        f"{found}\n    {len(plan) / stage.seconds:,.0f} messages a second; each gateway is"
        f" {stage.rows_per_s / gateways / real:,.0f} times as busy as a real one",
        flush=True,
    )
    return found


def _plan(stage: Stage, number: int, *, gateways: int) -> list[Due]:
    size = stage.rows_of_message
    count = max(1, int(stage.rows_per_s * stage.seconds / size))
    stream = Stream(
        devices=2 * gateways,
        begin=datetime.now(UTC) - timedelta(days=60 - number),
        envelope=size,
        # numbers that no stage before has used
        first=number * 1_000_000,
    )
    return [
        Due(
            at_s=place * size / stage.rows_per_s,
            gateway=place % (2 * gateways) // 2,
            first_id=each.measurements[0].id,
            topic=each.topic,
            payload=each.payload,
        )
        for place, each in enumerate(stream.messages(0, count * size))
    ]


def _behind_s(heard: Heard, stage: Stage) -> float:
    return max(0.0, heard.took_s - stage.seconds)


@contextmanager
def _worker(url: str, broker: str) -> Iterator[int]:
    """The process id of an ingest worker that works."""
    places = {"KANGBAN_DATABASE_URL": url, "KANGBAN_MQTT_URL": broker}
    worker = subprocess.Popen([sys.executable, "-m", "kangban", "ingest"], env=os.environ | places)
    try:
        until_s = time.monotonic() + _PATIENCE_S
        with connect(url, autocommit=True) as connection:
            # the first heartbeat comes once broker and database have both answered
            while not any(name.startswith("ingest") for name in heartbeats(connection)):
                if worker.poll() is not None or time.monotonic() > until_s:
                    sys.exit("the ingest worker did not start")
                time.sleep(0.05)
        yield worker.pid
    finally:
        worker.terminate()
        worker.wait()


def _check(url: str, rows: int) -> float:
    """Bytes a row. Ends the program where a row is missing or a day is wrong."""
    with connect(url) as connection:
        stored = measurements.counts(connection)
        wrong = measurements.differences(connection)
        size = connection.execute(
            "SELECT sum(pg_total_relation_size(format('%I.%I', schemaname, relname)::regclass))"
            " FROM pg_stat_user_tables"
            " WHERE relname LIKE 'measurement%' OR relname LIKE '\\_hyper%'"
        ).fetchone()
    if (stored.measurements, wrong) != (rows, []):
        sys.exit(f"LOST: {rows} rows have a receipt; {stored}, {wrong=}")
    assert size is not None
    return float(size[0]) / rows


def _rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def print_city(found: Found) -> None:
    """What the measured figures say of a whole city: multiplied, not measured."""
    mean, peak = found.stages[0], found.stages[1]
    print("\nEXTRAPOLATED to a city of 1,000,000 patients and 500,000 gateways: the figures above,")
    print("multiplied. No city was measured.")
    for name in ("broker", "ingest", "database"):
        print(
            f"    {name:9} {mean.cpu_us[name] * MEAN_ROWS_PER_S / 1e6:5.2f} cores at"
            f" {MEAN_ROWS_PER_S:,.0f} rows/s,"
            f" {peak.cpu_us[name] * PEAK_ROWS_PER_S / 1e6:5.2f} at {PEAK_ROWS_PER_S:,.0f}"
        )
    lines_gb = found.broker_bytes_of_connection * CITY_GATEWAYS / 1e9
    disk_gb = found.bytes_of_row * CITY_ROWS_A_DAY / 1e9
    print(f"    500,000 lines: {lines_gb:.1f} GB of a broker's own memory, without TLS and kernel")
    print(f"    disk: {disk_gb:.0f} GB a day as it comes, before compression")


def _summary(found: Found) -> dict[str, object]:
    return {
        "stages": [
            {
                "name": each.stage.name,
                "rows_per_s": round(each.rows_per_s),
                "lag_p50_ms": round(each.lag_p50_s * 1000),
                "lag_p99_ms": round(each.lag_p99_s * 1000),
                "behind_s": round(each.behind_s, 1),
                "cpu_us": {name: round(us, 1) for name, us in each.cpu_us.items()},
            }
            for each in found.stages
        ],
        "broker_kib_of_connection": round(found.broker_bytes_of_connection / 1024, 1),
        "bytes_of_row": round(found.bytes_of_row),
    }


if __name__ == "__main__":
    sys.exit(main())
