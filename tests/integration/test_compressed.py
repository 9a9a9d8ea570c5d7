"""Repeats, late readings and corrections of what has been compressed.

Only the community edition of TimescaleDB compresses. It is not part of the test installation: set
KANGBAN_TSL_URL to a server that has it, with a role that may create databases.
"""

import os
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from arriving import NOW, delivery, glucose
from psycopg import sql
from psycopg.conninfo import make_conninfo
from stored_home import StoredHome

from store import zone
from store.migrate import migrate
from store.pool import open_pool, transaction

SERVER = os.environ.get("KANGBAN_TSL_URL")
DAYS = 60

pytestmark = pytest.mark.skipif(
    SERVER is None, reason="no server that compresses: set KANGBAN_TSL_URL to one"
)


@pytest.fixture
def home() -> Iterator[StoredHome]:
    """Sixty days of readings, all of them compressed."""
    assert SERVER is not None
    name = f"kangban_test_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = make_conninfo(SERVER, dbname=name)
            migrate(url)
            with open_pool(url, process="test") as pool:
                made = StoredHome(pool)
                made.bring(delivery(*[_of_day(n) for n in range(40)]))
                made.bring(delivery(*[_of_day(n) for n in range(40, DAYS)]))
                _compress(made)
                yield made
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _of_day(number: int, **changes: object) -> dict[str, object]:
    return glucose(number, at=NOW - timedelta(days=number), **changes)


def _compress(home: StoredHome) -> None:
    home.do(
        "ALTER TABLE measurement SET (timescaledb.compress,"
        " timescaledb.compress_segmentby = 'patient_id',"
        " timescaledb.compress_orderby = 'kind, taken_at')"
    )
    chunks = home.ask("SELECT compress_chunk(each)::text FROM show_chunks('measurement') AS each")
    assert len(chunks) >= DAYS // 7


def test_repeats_add_nothing(home: StoredHome) -> None:
    before = home.tables
    home.bring(delivery(*[_of_day(n) for n in range(20, 50)]))
    assert home.tables == before


def test_late_readings_among_repeats_are_stored(home: StoredHome) -> None:
    late = [glucose(100 + n, at=NOW - timedelta(days=n, hours=1)) for n in range(0, DAYS, 2)]
    repeats = [_of_day(n) for n in range(10)]
    assert home.bring(delivery(*repeats, *late)).inserted == len(late)
    assert home.wrong_days == []


def test_corrections_are_revisions(home: StoredHome) -> None:
    corrected = delivery(*[_of_day(n, value=6.1) for n in range(0, DAYS, 5)])
    for _ in range(2):
        assert home.bring(corrected).inserted == 0
    assert home.before == [5.6] * (DAYS // 5)
    assert home.values.count(6.1) == DAYS // 5
    assert home.wrong_days == []


def test_a_journey_counts_compressed_days_anew(home: StoredHome) -> None:
    with transaction(home.pool) as connection:
        zone.set_zone(connection, patient_id=home.mother, timezone="America/Havana")
    assert home.wrong_days == []
