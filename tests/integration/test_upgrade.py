"""Every released schema comes to this release with its data; one that cannot stays as it was."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest
from arriving import METER, NOW, delivery, glucose
from database_rows import columns, rows, shape

import store.migrate
from ingest.load import Loader
from store import measurements, people
from store.migrate import Migration, migrate, migrations
from store.pool import connect, open_pool, transaction
from vitals.errors import MendData, TryAgain

# what a household had when each schema was the newest: one file for each migration that needs one
RELEASED = Path(__file__).parents[1] / "released"
NAMES = [each.name for each in migrations()]
Release = Callable[[list[Migration]], None]


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Release:
    """Lets the release have these migrations."""
    return lambda found: monkeypatch.setattr(store.migrate, "migrations", lambda: found)


def fill(url: str, names: list[str]) -> None:
    with connect(url) as connection:
        for each in names:
            path = RELEASED / f"{each}.sql"
            if path.exists():
                connection.execute(cast(LiteralString, path.read_text(encoding="utf-8")))


def test_what_a_household_had_is_kept_for_migrations_that_exist() -> None:
    assert {path.stem for path in RELEASED.glob("*.sql")} <= set(NAMES)


@pytest.mark.parametrize("newest", NAMES)
def test_every_released_schema_upgrades_with_its_data(
    blank_database: str, release: Release, newest: str
) -> None:
    ours = migrations()
    at = NAMES.index(newest) + 1
    release(ours[:at])
    migrate(blank_database)
    fill(blank_database, NAMES[:at])
    with connect(blank_database) as connection:
        known = columns(connection)
        had = rows(connection, known)
    del had["schema_migration"], known["schema_migration"]
    assert sum(map(len, had.values())) > 20

    release(ours)
    assert migrate(blank_database) == NAMES[at:]

    with connect(blank_database) as connection:
        assert rows(connection, known) == had
        if "measurement" in known:
            assert measurements.differences(connection) == []
            assert measurements.counts(connection).measurements == 200


def test_an_upgraded_schema_is_like_a_new_one(
    blank_database: str, embedded_url: str, timescale_url: str, release: Release
) -> None:
    ours = migrations()
    release(ours[:1])
    migrate(blank_database)
    fill(blank_database, NAMES[:1])
    release(ours)
    migrate(blank_database)

    with connect(blank_database) as upgraded:
        extension = upgraded.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'")
        fresh_url = timescale_url if extension.fetchone() is not None else embedded_url
        with connect(fresh_url) as fresh:
            for one, other in zip(shape(upgraded), shape(fresh), strict=True):
                assert set(one) ^ set(other) == set()


def test_ingest_goes_on_through_a_migration_that_fails(database: str, release: Release) -> None:
    bad = (
        "ALTER TABLE measurement ADD COLUMN half int; DROP TABLE measurement_day;"
        " UPDATE patient SET name = ''; SELECT no_such_thing"
    )
    release([*migrations(), Migration(name="9001_bad", text=bad, digest="bad")])
    with open_pool(database, process="test") as pool:
        with transaction(pool) as connection:
            people.register_gateway(connection, name="g1")
            mother = people.create_patient(connection, name="母亲")
            people.bind_device(connection, METER, patient_id=mother)
        loader = Loader(pool)
        loader.load([delivery(glucose(1))], now=NOW)

        with pytest.raises(MendData, match="the release that ran before goes on"):
            migrate(database)

        assert loader.load([delivery(glucose(1), glucose(2))], now=NOW).inserted == 1
        with transaction(pool) as connection:
            assert measurements.differences(connection) == []
            assert measurements.counts(connection).measurements == 2
            found = people.patient(connection, mother)
            assert found is not None
            assert found.name == "母亲"


def test_a_migration_does_not_keep_loads_waiting_behind_a_busy_table(
    database: str, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.migrate, "_PATIENCE_MS", 50)
    wants_all: Any = "ALTER TABLE patient ADD COLUMN later int"
    release([*migrations(), Migration(name="9001_later", text=wants_all, digest="later")])
    with closing(psycopg.connect(database)) as reader:
        reader.execute("SELECT FROM patient")

        with pytest.raises(TryAgain, match="changed nothing: run `kangban migrate` again"):
            migrate(database)

    assert migrate(database) == ["9001_later"]
