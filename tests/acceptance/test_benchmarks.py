"""The benchmarks of reads, growth and a fleet, small: what they measure is right. Never how fast.

Each checks itself for rows that are missing and days that are wrong, and ends the program then.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import city, fleet, growth, reads
from bench.engine import Engine, postgres
from bench.growth import Plan
from bench.stream import Stream
from kangban.embedded.postgres import Postgres
from store import measurements
from store.pool import connect
from tests.conftest import binaries_of

ENGINES: tuple[Engine, ...] = ("timescale", "embedded")


def is_large(table: str) -> bool:
    """Does it grow with readings or homes? A hypertable's rows lie in its chunks."""
    grow = ("measurement", "measurement_day", "patient", "gateway", "device", "device_user")
    return table in grow or table.endswith("_chunk")


@pytest.fixture(scope="module", params=ENGINES)
def small_city(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Postgres, str, datetime]]:
    binaries_of(request.param)
    server = postgres(tmp_path_factory.mktemp("city"), request.param)
    with server:
        url, now = reads.build(server, rows=180_000)
        yield server, url, now


def test_a_city_is_what_it_says(small_city: tuple[Postgres, str, datetime]) -> None:
    _, url, now = small_city
    wanted = city.city_of(180_000)
    with connect(url) as connection:
        stored = measurements.counts(connection)
        wrong = measurements.differences(connection)
    assert stored.unassigned == 0
    # today is not over, and what comes late is still on its way
    assert 0.97 * wanted.rows < stored.measurements <= wanted.rows
    assert wrong == []
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=20)


def test_no_read_of_a_person_looks_at_everybodys_rows(
    small_city: tuple[Postgres, str, datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url, now = small_city
    # a table as small as this one is read as a whole for good reasons; with this, only where no
    # index would do
    monkeypatch.setenv("PGOPTIONS", "-c enable_seqscan=off")
    for read in reads.reads_of(url, now=now, people=1):
        plans = reads.plans_of(url, read, now=now)
        assert any(is_large(table) for each in plans for table in each.tables), read.name
        for plan in plans:
            whole = set(filter(is_large, plan.tables_read_whole))
            assert whole == set(), f"{read.name}: {plan.query}\n{plan.text}"


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_two_sizes_are_all_there(engine: Engine, tmp_path: Path) -> None:
    binaries_of(engine)
    plan = Plan(sizes=(15_000, 30_000), devices=200, window=1000, rounds=2)
    found = growth.run(tmp_path, plan, engine=engine)
    assert [each.rows for each in found] == [15_000, 30_000]


def test_a_stream_says_the_same_in_python_and_in_sql(timescale_url: str) -> None:
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    stream = Stream(devices=10, begin=begin, envelope=5, first=7)
    with connect(timescale_url) as connection:
        stream.settle(connection)
        stream.store(connection, 0, 3000)
        stored = connection.execute(
            "SELECT device.name, sequence, taken_at, value, device_time,"
            " measurement.clock_offset_s, raw"
            " FROM measurement JOIN device ON device.id = device_id ORDER BY 1, 2"
        ).fetchall()
        assert measurements.differences(connection) == []
    made = sorted(
        (
            each.device,
            each.sequence,
            each.taken_at,
            each.value,
            each.device_time,
            each.clock_offset_s,
            each.raw,
        )
        for message in stream.messages(0, 3000)
        for each in message.measurements
    )
    assert stored == made


def test_a_fleet_gets_a_receipt_for_each_row(services_root: Path, tmp_path: Path) -> None:
    stages = [
        fleet.Stage(name="few", rows_per_s=200, rows_of_message=2, seconds=2),
        fleet.Stage(name="many", rows_per_s=1000, rows_of_message=10, seconds=2),
    ]
    found = fleet.run(tmp_path, stages, gateways=50, connections=25, engine="timescale")
    assert [each.rows for each in found.stages] == [400, 2000]
    assert found.bytes_of_row > 0
