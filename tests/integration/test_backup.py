"""What was saved while everything went on comes back into an empty cluster, row for row."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, LiteralString, cast

import pytest
from arriving import METER, delivery, glucose
from database_rows import rows
from typer.testing import CliRunner

import store.migrate
from ingest.load import Loader
from kangban.backup import programs
from kangban.backup.manifest import MANIFEST, Manifest
from kangban.backup.restore import restore
from kangban.backup.save import save
from kangban.command import app
from kangban.embedded.postgres import Postgres
from store import measurements, people, retention
from store.erasure import Wish, erase
from store.migrate import migrate, migrations
from store.pool import connect, open_pool
from vitals.errors import AskPerson, MendData, MendSettings, TryAgain

RELEASED = sorted((Path(__file__).parents[1] / "released").glob("*.sql"))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Engine = Literal["embedded", "timescale"]
Start = Callable[[Engine], Postgres]


@pytest.fixture(params=["embedded", "timescale"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Plain PostgreSQL, and again TimescaleDB."""
    return cast(Engine, request.param)


def clinic(server: Postgres) -> str:
    """The URL of a database with two homes, 200 readings of two months, and a year before that."""
    url = server.create_database("clinic")
    migrate(url)
    with connect(url) as connection:
        for path in RELEASED:
            connection.execute(cast(LiteralString, path.read_text(encoding="utf-8")))
        people.register_gateway(connection, name="g1")
        people.bind_device(connection, METER, patient_id=2)
    bring(url, *(glucose(n, at=NOW - timedelta(days=8 * n)) for n in range(1, 46)))
    return url


def bring(url: str, *readings: Any) -> int:
    with open_pool(url, process="test") as pool:
        return Loader(pool).load([delivery(*readings, now=NOW)], now=NOW).inserted


def all_rows(url: str) -> dict[str, list[str]]:
    with connect(url) as connection:
        return rows(connection)


def saved(url: str, target: Path, **files: Path) -> Manifest:
    return save(url, target, files=files, now=NOW)


def test_every_row_of_every_table_comes_back_into_an_empty_cluster(
    private_postgres: Start, engine: Engine, tmp_path: Path
) -> None:
    source, empty = private_postgres(engine), private_postgres(engine)
    url = clinic(source)
    had = all_rows(url)
    manifest = saved(url, tmp_path / "backup")
    source.stop()

    done = restore(tmp_path / "backup", empty.url("back"))

    has = all_rows(empty.url("back"))
    assert has == had
    assert sum(map(len, had.values())) == sum(each.rows for each in manifest.tables.values()) > 400
    assert done.applied == ()
    with connect(empty.url("back"), autocommit=True) as connection:
        assert measurements.differences(connection) == []
        known = retention.facts(connection)
        assert (known.timescaledb is not None) is (engine == "timescale")
        if known.timescaledb:
            chunks = connection.execute("SELECT show_chunks('measurement')").fetchall()
            assert len(chunks) > 40
            assert retention.chunk_interval(connection) == timedelta(days=7)
    # and it goes on: what is known stays once, what is new comes in, in a new chunk too
    known_one, new = glucose(1, at=NOW - timedelta(days=8)), glucose(99, at=NOW)
    assert bring(empty.url("back"), known_one, new) == 1
    assert migrate(empty.url("back")) == []


def test_a_backup_is_of_one_moment_while_readings_go_on_coming(
    private_postgres: Start, engine: Engine, tmp_path: Path
) -> None:
    server = private_postgres(engine)
    url = clinic(server)
    stop, brought = threading.Event(), []

    def go_on() -> None:
        number = 100
        while not stop.is_set():
            number += 3
            three = [glucose(number + n, at=NOW - timedelta(hours=number + n)) for n in range(3)]
            brought.append(bring(url, *three))

    writer = threading.Thread(target=go_on)
    writer.start()
    while len(brought) < 2:
        assert writer.is_alive()
    saved(url, tmp_path / "backup")
    at_least = len(brought) + 1
    while len(brought) < at_least:
        assert writer.is_alive()
    stop.set()
    writer.join(30)

    restore(tmp_path / "backup", server.url("back"))

    came, back = all_rows(url), all_rows(server.url("back"))
    assert set(back["measurement"]) < set(came["measurement"])
    # loads of three: none is half in it
    assert (len(back["measurement"]) - 245) % 3 == 0
    assert len(back["measurement"]) >= 245 + 6


def test_a_backup_of_the_release_before_is_brought_to_this_one(
    private_postgres: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = private_postgres("embedded")
    ours = migrations()
    with monkeypatch.context() as before:
        before.setattr(store.migrate, "migrations", lambda: ours[:8])
        url = server.create_database("before")
        migrate(url)
        with connect(url) as connection:
            people.create_patient(connection, name="母亲")
        saved(url, tmp_path / "backup")

    done = restore(tmp_path / "backup", server.url("back"))

    assert list(done.applied) == [each.name for each in ours[8:]]
    with connect(server.url("back")) as connection:
        assert [each.name for each in people.patients(connection)] == ["母亲"]


def test_what_is_not_as_it_was_saved_is_refused(private_postgres: Start, tmp_path: Path) -> None:
    server = private_postgres("embedded")
    url = clinic(server)
    backup = tmp_path / "backup"
    saved(url, backup)
    manifest = (backup / MANIFEST).read_text()
    dump = (backup / "database.dump").read_bytes()

    # one byte of the dump
    (backup / "database.dump").write_bytes(dump[:-1] + bytes([dump[-1] ^ 1]))
    with pytest.raises(MendData, match=r"database\.dump .* is not what was saved"):
        restore(backup, server.url("back"))
    (backup / "database.dump").write_bytes(dump)

    # a dump with less in it than the manifest says, though its checksum is right
    document = json.loads(manifest)
    document["tables"]["patient"]["rows"] += 1
    (backup / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(MendData, match="patient has 3 rows instead of 4"):
        restore(backup, server.url("less"))
    document = json.loads(manifest)
    document["tables"]["measurement"]["digest"] = "0" * 16
    (backup / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(MendData, match="measurement has 245 rows, but not the same"):
        restore(backup, server.url("other"))

    # of a release to come
    document = {**json.loads(manifest), "migrations": ["9001_future"]}
    (backup / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(MendSettings, match="made by a newer release"):
        restore(backup, server.url("newer"))

    # cut short: there is no manifest
    (backup / MANIFEST).unlink()
    with pytest.raises(MendData, match="is no whole backup"):
        restore(backup, server.url("cut"))


def test_a_database_with_something_in_it_is_replaced_only_when_told(
    private_postgres: Start, tmp_path: Path
) -> None:
    server = private_postgres("embedded")
    url = clinic(server)
    saved(url, tmp_path / "backup")
    had = all_rows(url)
    erase(url, Wish(patient_id=1, asked_by="herself", because="a letter", with_reports=True),
          now=NOW + timedelta(hours=1))  # fmt: skip

    with pytest.raises(AskPerson, match="Something is in this database already"):
        restore(tmp_path / "backup", url)
    done = restore(tmp_path / "backup", url, replace=True)

    assert all_rows(url) == had
    # whoever was erased since is back, and is named
    assert [each.patient_no for each in done.erased] == [1]


def test_a_dump_of_timescaledb_is_not_poured_into_plain_postgresql(
    private_postgres: Start, tmp_path: Path
) -> None:
    saved(clinic(private_postgres("timescale")), tmp_path / "backup")
    with pytest.raises(
        MendSettings, match=r"needs TimescaleDB .* which this server does not offer"
    ):
        restore(tmp_path / "backup", private_postgres("embedded").url("back"))


def test_a_backup_is_whole_or_not_there(private_postgres: Start, tmp_path: Path) -> None:
    server = private_postgres("embedded")
    with pytest.raises(MendSettings, match="There is no Kangban in this database"):
        saved(server.create_database("nothing"), tmp_path / "backup")
    assert not (tmp_path / "backup").exists()

    url = clinic(server)
    saved(url, tmp_path / "backup")
    with pytest.raises(MendSettings, match="is there already"):
        saved(url, tmp_path / "backup")
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "backup").rglob("*")}
    assert modes == {0}


def test_programs_of_another_version_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MendSettings, match="pg_dump of PostgreSQL 99"):
        programs.program("pg_dump", major=99)
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    old.chmod(0o755)
    monkeypatch.setenv(programs.BIN_VARIABLE, str(tmp_path))
    assert programs.program("pg_dump", major=18) != old


def test_a_password_is_not_among_the_words_of_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tells = tmp_path / "tells"
    tells.write_text('#!/bin/sh\necho "$PGPASSWORD $*" >&2\nexit 1\n')
    tells.chmod(0o755)
    with pytest.raises(TryAgain) as told:
        programs.run(tells, ["--x"], url="postgresql://kangban:geheim@db/kangban")
    assert "geheim --x" in str(told.value)
    assert str(told.value).count("geheim") == 1


def test_a_household_saves_and_restores_everything_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KANGBAN_DATABASE_URL", "KANGBAN_DATABASE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    home, other = tmp_path / "home", tmp_path / "other"
    key = tmp_path / "authority.key"
    key.write_text("KEY")
    monkeypatch.setenv("KANGBAN_AUTHORITY_KEY_PATH", str(key))
    with Postgres(home / "postgres") as server:
        url = server.create_database("kangban")
        migrate(url)
        with connect(url) as connection:
            people.create_patient(connection, name="母亲")
        (home / "broker").mkdir()
        (home / "broker" / "password").write_text("geheim")
        # while it runs
        run("backup", str(tmp_path / "first"), "--data", str(home))
        had = all_rows(url)
    # and while it does not
    said = run("backup", str(tmp_path / "backup"), "--data", str(home))
    assert "broker-password, authority.key" in said
    key.unlink()

    said = run("restore", str(tmp_path / "backup"), "--data", str(other))

    assert "are back and are the same" in said
    assert key.read_text() == "KEY"
    assert (other / "broker" / "password").read_text() == "geheim"
    with Postgres(other / "postgres") as server:
        assert all_rows(server.url("kangban")) == had
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    assert manifest["files"]["files/authority.key"] == sha256(b"KEY").hexdigest()


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output
