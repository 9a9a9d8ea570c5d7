"""A database comes to the schema of this release once, whoever asks and however often."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

import store.migrate
from store.migrate import Migration, migrate, migrations
from store.pool import connect
from vitals.errors import MendData, MendSettings, TryAgain

Replace = Callable[[list[Migration]], None]


@pytest.fixture
def these(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Lets the release have other migrations than its own."""

    def replace(found: list[Migration]) -> None:
        monkeypatch.setattr(store.migrate, "migrations", lambda: found)

    return replace


def tables(url: str) -> set[str]:
    with connect(url) as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    return {name for (name,) in rows}


def one(name: str, text: Any, digest: str = "") -> Migration:
    return Migration(name=name, text=text, digest=digest or text)


def test_every_migration_is_applied_once_in_order(blank_database: str) -> None:
    names = [each.name for each in migrations()]

    assert names == sorted(names)
    assert migrate(blank_database) == names
    assert migrate(blank_database) == []
    assert {"patient", "measurement", "measurement_day", "news"} <= tables(blank_database)


def test_measurements_are_a_hypertable_where_the_extension_is(timescale_url: str) -> None:
    with connect(timescale_url) as connection:
        found = connection.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables"
        ).fetchall()

    assert found == [("measurement",)]


def test_two_that_start_together_do_not_race(blank_database: str) -> None:
    applied: list[list[str]] = []
    starters = [
        threading.Thread(target=lambda: applied.append(migrate(blank_database))) for _ in range(4)
    ]
    for each in starters:
        each.start()
    for each in starters:
        each.join()

    assert sorted(applied) == [[], [], [], [each.name for each in migrations()]]


def test_an_edited_migration_is_noticed(database: str, these: Replace) -> None:
    first, *rest = migrations()
    these([Migration(name=first.name, text=first.text, digest="edited"), *rest])

    with pytest.raises(MendData, match=f"{first.name}.sql was edited after it had been applied"):
        migrate(database)


def test_a_failed_migration_changes_nothing_and_leaves_those_before_it(
    database: str, these: Replace
) -> None:
    good = one("9001_good", "CREATE TABLE good (id int)")
    bad = one("9002_bad", "CREATE TABLE half (id int); SELECT no_such_thing")
    these([*migrations(), good, bad])

    with pytest.raises(MendData, match=r"9002_bad\.sql failed and changed nothing"):
        migrate(database)

    assert "good" in tables(database)
    assert "half" not in tables(database)
    these([*migrations(), good, one("9002_bad", "CREATE TABLE whole (id int)")])
    assert migrate(database) == ["9002_bad"]


def test_a_database_of_a_newer_release_is_left_alone(database: str, these: Replace) -> None:
    ours = migrations()
    these([*ours, one("9001_future", "CREATE TABLE future (id int)")])
    migrate(database)
    these(ours)

    with pytest.raises(MendSettings, match="9001_future is not known here"):
        migrate(database)


def test_an_absent_server_is_named_with_its_setting() -> None:
    with pytest.raises(TryAgain, match="KANGBAN_DATABASE_URL"):
        migrate("postgresql://nobody@127.0.0.1:1/nowhere")
