"""What a row costs as the table grows from one million to fifty, 6 % of the rows late.

At each size, in turns and in the same table: rows through the product's own path (judged, loaded
once, counted into days, committed; no broker), and a raw binary COPY of as many rows of the same
stream, patient known, nothing checked. Between the sizes the database fills itself with the same
stream, unmeasured; one message of every device goes through the loader first, which then knows
them as a worker does that has run for a day. The cost is processor time a row, of which the
machine's other work takes nothing; wall-clock rates stand beside it. Rows are counted and days
recounted at the end. The last line is JSON.

    python -m bench.growth [--until 50000000] [--engine timescale] [--folder DIR]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection

from bench.cpu import cpu_s
from bench.engine import ENGINES, Engine, postgres
from bench.households import COPY_COLUMNS, COPY_TYPES, Message, rows
from bench.stream import STEP, Stream
from ingest.arrival import Message as Arrived
from ingest.load import Loader
from ingest.validate import judge
from kangban.embedded.postgres import Postgres
from store import measurements
from store.migrate import migrate
from store.pool import connect, open_pool
from vitals.wire import MAX_MEASUREMENTS

# the cost of a row at every size, beside that at the first: issue 4
AIM = 1.25
SIZES = (1_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000)
# rows that one load, or one COPY, commits
_LOAD = 10_000
# rows that the database makes in one statement while it fills itself
_FILL = 500_000
# patients whose days are recounted at the end
_RECOUNTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Processor time of a row in microseconds, and rows a second by the clock on the wall."""

    cpu_us: float
    database_us: float
    rows_per_s: float

    def __str__(self) -> str:
        return (
            f"{self.cpu_us:6.2f} us/row (database {self.database_us:5.2f})"
            f" {self.rows_per_s:9,.0f} rows/s"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a row costs in a table of so many rows."""

    rows: int
    load: Cost
    copy: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`window`: rows that are measured at once; `rounds`: how often at each size."""

    sizes: Sequence[int]
    devices: int = 10_000
    window: int = 40_000
    rounds: int = 5


def main() -> int:
    """The benchmark; 1 where a row becomes dearer than the aim allows."""
    parser = argparse.ArgumentParser(description="What a row costs as the table grows.")
    parser.add_argument("--until", type=int, default=SIZES[-1])
    parser.add_argument("--engine", choices=ENGINES, default="timescale")
    parser.add_argument("--folder", type=Path, help="where the data lie meanwhile")
    asked = parser.parse_args()
    plan = Plan(sizes=[each for each in SIZES if each <= asked.until])
    with tempfile.TemporaryDirectory(prefix="kangban-growth-", dir=asked.folder) as folder:
        found = run(Path(folder), plan, engine=asked.engine)
    first, dearest = found[0], max(found, key=lambda each: each.load.cpu_us)
    ratio = dearest.load.cpu_us / first.load.cpu_us
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(json.dumps({"engine": asked.engine, "ratio": round(ratio, 3), "sizes": _table(found)}))
    return 1 if ratio > AIM else 0


def run(folder: Path, plan: Plan, *, engine: Engine) -> list[Size]:
    """The cost at each size, printed as it is found. Ends the program where a row is missing."""
    last = plan.sizes[-1] // (MAX_MEASUREMENTS * plan.devices) + 2
    begin = (
        datetime.now(UTC).replace(microsecond=0)
        - last * MAX_MEASUREMENTS * STEP
        - timedelta(days=1)
    )
    stream = Stream(devices=plan.devices, begin=begin)
    with postgres(folder, engine) as server:
        url = server.create_database("growth")
        migrate(url)
        with connect(url) as connection, open_pool(url, process="growth") as pool:
            stream.settle(connection)
            at = _Place(connection, server, stream, Loader(pool))
            print(f"{engine}: {plan.devices:,} devices; processor time and rate of a row")
            found = []
            for size in plan.sizes:
                found.append(_at_size(at, plan, size, is_first=size == plan.sizes[0]))
                print(_line(found), flush=True)
            at.check()
            print(_size(connection, at.stored))
    return found


class _Place:
    """The table, how many rows of the stream are in it, and the two ways of adding more."""

    def __init__(
        self, connection: Connection[Any], server: Postgres, stream: Stream, loader: Loader
    ) -> None:
        self._connection, self._server = connection, server
        self._stream, self._loader = stream, loader
        self._devices, self._gateways = _ids(connection, "device"), _ids(connection, "gateway")
        self.stored = 0

    def fill(self, until: int) -> None:
        """Lets the database store rows by itself, and write out what it has in memory."""
        while self.stored < until:
            end = min(self.stored + _FILL, until)
            self._stream.store(self._connection, self.stored, end)
            self.stored = end
        self._connection.execute("CHECKPOINT")
        self._connection.commit()

    def load(self, count: int) -> Cost:
        """The cost of the next rows by the product's path."""
        sent = self._next(count)
        now = datetime.now(UTC)

        def act() -> None:
            for each in _loads(sent):
                arrived = [Arrived(topic=one.topic, payload=one.payload) for one in each]
                self._loader.load([judge(one, now=now) for one in arrived], now=now)

        return self._measure(act, count)

    def copy(self, count: int) -> Cost:
        """The cost of the next rows by COPY; their days are counted afterwards, unmeasured."""
        ready = [self._rows(each) for each in _loads(self._next(count))]

        def act() -> None:
            for each in ready:
                _copy(self._connection, each)

        cost = self._measure(act, count)
        self._stream.count(self._connection, self.stored - count, self.stored)
        return cost

    def check(self) -> None:
        """Ends the program where a row is missing or a day is wrong."""
        found = measurements.counts(self._connection)
        wrong = [
            each
            for patient in range(1, _RECOUNTED + 1)
            for each in measurements.differences(self._connection, patient)
        ]
        if (found.measurements, found.unassigned, wrong) != (self.stored, 0, []):
            sys.exit(f"LOST: {self.stored} rows were added, {found}, {wrong=}")

    def _next(self, count: int) -> list[Message]:
        self.stored += count
        return self._stream.messages(self.stored - count, self.stored)

    def _rows(self, sent: list[Message]) -> list[tuple[Any, ...]]:
        # patients were numbered with their devices
        return rows(sent, devices=self._devices, gateways=self._gateways, patients=self._devices)

    def _measure(self, act: Callable[[], None], count: int) -> Cost:
        begin_s, own_s, server_s = time.monotonic(), time.process_time(), cpu_s(self._server.pid)
        act()
        took_s = time.monotonic() - begin_s
        database_us = (cpu_s(self._server.pid) - server_s) * 1e6 / count
        own_us = (time.process_time() - own_s) * 1e6 / count
        return Cost(cpu_us=own_us + database_us, database_us=database_us, rows_per_s=count / took_s)


def _at_size(at: _Place, plan: Plan, size: int, *, is_first: bool) -> Size:
    measured = 2 * plan.rounds * plan.window
    if is_first:
        # one message of every device: from then on the loader knows them all
        for _ in range(0, plan.devices * MAX_MEASUREMENTS, _LOAD):
            at.load(_LOAD)
    at.fill(size - measured)
    loads, copies = [], []
    for _ in range(plan.rounds):
        copies.append(at.copy(plan.window))
        loads.append(at.load(plan.window))
    return Size(rows=at.stored, load=_median(loads), copy=_median(copies))


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        cpu_us=statistics.median(each.cpu_us for each in costs),
        database_us=statistics.median(each.database_us for each in costs),
        rows_per_s=statistics.median(each.rows_per_s for each in costs),
    )


def _loads(sent: Sequence[Message]) -> Iterator[list[Message]]:
    step = _LOAD // MAX_MEASUREMENTS
    for begin in range(0, len(sent), step):
        yield list(sent[begin : begin + step])


def _copy(connection: Connection[Any], ready: Sequence[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY measurement ({COPY_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(COPY_TYPES)
        for row in ready:
            copy.write_row(row)
    connection.commit()


def _ids(connection: Connection[Any], table: str) -> dict[str, int]:
    return dict(connection.execute(f"SELECT name, id FROM {table}").fetchall())


def _line(found: Sequence[Size]) -> str:
    first, here = found[0], found[-1]
    return (
        f"{here.rows:12,} rows\n"
        f"    ingest   {here.load}  x{here.load.cpu_us / first.load.cpu_us:.2f}\n"
        f"    raw COPY {here.copy}  x{here.copy.cpu_us / first.copy.cpu_us:.2f}"
    )


def _table(found: Sequence[Size]) -> list[dict[str, float]]:
    return [
        {
            "rows": each.rows,
            "ingest_us": round(each.load.cpu_us, 2),
            "copy_us": round(each.copy.cpu_us, 2),
            "ingest_rows_per_s": round(each.load.rows_per_s),
            "copy_rows_per_s": round(each.copy.rows_per_s),
        }
        for each in found
    ]


def _size(connection: Connection[Any], stored: int) -> str:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    size = row[0] if row else 0
    return f"{size / 1e9:.1f} GB on disk, {size / stored:.0f} B a row with its days and indexes"


if __name__ == "__main__":
    sys.exit(main())
