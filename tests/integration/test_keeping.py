"""Old raw readings go when a setting says so, and nothing else does: days, records, what waits."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from arriving import METER, delivery, glucose
from database_rows import rows
from typer.testing import CliRunner

from ingest.load import Loader
from kangban.command import app
from kangban.keeping.__main__ import run
from kangban.keeping.config import KeepingSettings
from kangban.keeping.work import Done, in_words, keep_once, plan
from store import assignment, measurements, people, retention
from store.inbox import Visit
from store.named import queries
from store.pool import Pool, connect, heartbeats, open_pool, transaction

NOW = datetime(2024, 11, 24, 11, 0, tzinfo=UTC)
# 400 days before, at midnight, and two days of which every patient's day is whole
KEPT_SINCE = datetime(2023, 10, 21, tzinfo=UTC)
REMOVED_BEFORE = KEPT_SINCE - timedelta(days=2)
OLD = datetime(2023, 8, 1, 12, 0, tzinfo=UTC)
CUFF = "ble:AA:BB:CC:00:00:02"


class Clinic:
    """A mother in Shanghai, a friend in Honolulu; a reading of each every third day since 2023."""

    def __init__(self, url: str, pool: Pool) -> None:
        self.url, self.pool = url, pool
        self.settings = KeepingSettings(database_url=url, keep_raw_days=400)
        with transaction(pool) as connection:
            home = people.create_household(connection, "家")
            people.register_gateway(connection, name="g1", household_id=home)
            self.mother = people.create_patient(connection, name="母亲", household_id=home)
            self.far = people.create_patient(
                connection, name="Far", household_id=home, timezone="Pacific/Honolulu"
            )
            self.family = people.create_account(connection, name="女儿", role="family")
            people.bind_device(connection, METER, patient_id=self.mother)
            people.bind_device(connection, CUFF, patient_id=self.far)
        self.loader = Loader(pool)
        days = [OLD + timedelta(hours=71 * n) for n in range(150)]
        self.bring(*(glucose(n, at=at) for n, at in enumerate(days)))
        self.bring(*(glucose(n, at=at, device=CUFF) for n, at in enumerate(days)))

    def bring(self, *readings: Any) -> int:
        parts = [readings[first : first + 50] for first in range(0, len(readings), 50)]
        return self.loader.load([delivery(*part, now=NOW) for part in parts], now=NOW).inserted

    def keep(self, **options: Any) -> Done:
        done = keep_once(self.settings, now=NOW, **options)
        assert done is not None
        return done

    def ask(self, query: Any, *values: Any) -> list[Any]:
        with transaction(self.pool) as connection:
            return connection.execute(query, values).fetchall()

    def all_rows(self) -> dict[str, list[str]]:
        with connect(self.url) as connection:
            return rows(connection)

    @property
    def wrong_days(self) -> list[measurements.Difference]:
        with transaction(self.pool) as connection:
            return measurements.differences(connection)


@pytest.fixture
def clinic(database: str) -> Iterator[Clinic]:
    with open_pool(database, process="test") as pool:
        yield Clinic(database, pool)


def test_without_the_setting_nothing_is_ever_removed(clinic: Clinic) -> None:
    clinic.settings = KeepingSettings(database_url=clinic.url)
    before = clinic.all_rows()

    clinic.keep()

    assert clinic.all_rows() == before


def test_a_plan_says_what_would_go_and_changes_nothing(clinic: Clinic) -> None:
    before = clinic.all_rows()

    with connect(clinic.url) as connection:
        found = plan(connection, clinic.settings, now=NOW)

    (older,) = clinic.ask("SELECT count(*) FROM measurement WHERE taken_at < %s", REMOVED_BEFORE)
    assert found.cut == KEPT_SINCE
    assert found.older == older[0] > 50
    assert f"{found.older} of them go, 0 of which wait for a name; days stay." in in_words(found)
    assert clinic.all_rows() == before


def test_old_readings_go_and_their_days_stay(clinic: Clinic) -> None:
    before = clinic.all_rows()
    assert clinic.wrong_days == []

    done = clinic.keep()

    after = clinic.all_rows()
    assert done.removed.rows == len(before["measurement"]) - len(after["measurement"]) > 50
    assert clinic.ask("SELECT min(taken_at) >= %s FROM measurement", REMOVED_BEFORE) == [(True,)]
    assert set(after["measurement"]) < set(before["measurement"])
    changed = {table for table, had in before.items() if after[table] != had}
    assert changed == {"measurement", "retention"}
    # the check knows since when it can count, and still sees what is wrong after that
    assert clinic.wrong_days == []
    newest = clinic.ask("SELECT max(local_day) FROM measurement_day")[0][0]
    changed_days = clinic.ask(
        "UPDATE measurement_day SET n = n + 1 WHERE local_day = %s RETURNING patient_id", newest
    )
    assert len(clinic.wrong_days) == len(changed_days) > 0


def test_doing_it_again_does_nothing_more(clinic: Clinic) -> None:
    clinic.keep()
    once = clinic.all_rows()

    again = clinic.keep()

    assert (again.removed.rows, again.plan.cut) == (0, None)
    assert clinic.all_rows() == once


def test_what_a_killed_run_left_is_removed_by_the_next(clinic: Clinic) -> None:
    with connect(clinic.url, autocommit=True) as connection:
        retention.cut(connection, complete_since=KEPT_SINCE, now=NOW)
    assert clinic.wrong_days == []

    assert clinic.keep().removed.rows > 50
    assert clinic.wrong_days == []


def test_a_meter_that_brings_its_old_memory_again_counts_nothing_twice(clinic: Clinic) -> None:
    clinic.keep()
    days = clinic.ask("SELECT * FROM measurement_day ORDER BY 1, 2, 3, 4")

    came = delivery(glucose(0, at=OLD), glucose(500, at=NOW), now=NOW, resync=True)
    done = Loader(clinic.pool).load([came], now=NOW)

    # acknowledged, so that the gateway lets go of it, and not stored
    assert [len(receipt.committed) for _, receipt in done.receipts] == [2]
    assert done.inserted == 1
    assert len(clinic.ask("SELECT * FROM measurement_day ORDER BY 1, 2, 3, 4")) == len(days) + 1
    assert clinic.wrong_days == []


def test_a_reading_that_waits_for_a_name_holds_the_cut_back_and_is_named(clinic: Clinic) -> None:
    waits = datetime(2023, 9, 3, 5, 0, tzinfo=UTC)
    clinic.bring(glucose(9000, at=waits, device="ble:AA:BB:CC:00:00:03"))

    done = clinic.keep()

    assert done.plan.cut == datetime(2023, 9, 3, tzinfo=UTC)
    assert any("A reading of 2023-09-03 waits for a name" in each for each in in_words(done.plan))
    # it can still be given to somebody, and its day is counted
    visit = clinic.ask("SELECT device_id, sequence, taken_at FROM measurement"
                       " WHERE patient_id IS NULL")[0]  # fmt: skip
    with transaction(clinic.pool) as connection:
        given = assignment.give(
            connection,
            Visit(device_id=visit[0], sequence=visit[1], taken_at=visit[2]),
            patient_id=clinic.mother,
            account_id=clinic.family,
            now=NOW,
        )
    assert given.outcome is assignment.Outcome.DONE
    assert clinic.wrong_days == []
    # then nothing holds it back any more
    assert clinic.keep().plan.cut == KEPT_SINCE


def test_who_says_so_removes_what_waits_too(clinic: Clinic) -> None:
    clinic.bring(glucose(9000, at=OLD + timedelta(hours=1), device="ble:AA:BB:CC:00:00:03"))

    done = clinic.keep(also_waiting=True)

    assert (done.plan.cut, done.plan.waiting) == (KEPT_SINCE, 1)
    assert clinic.ask("SELECT count(*) FROM measurement WHERE patient_id IS NULL") == [(0,)]


def test_a_reading_at_the_edge_does_not_change_hands_when_its_day_is_gone(clinic: Clinic) -> None:
    edge = KEPT_SINCE - timedelta(minutes=1)
    clinic.bring(glucose(9001, at=edge))
    clinic.keep()
    (device,) = clinic.ask("SELECT device_id FROM measurement WHERE sequence = 9001")[0]

    with transaction(clinic.pool) as connection:
        moved = assignment.release(
            connection,
            Visit(device_id=device, sequence=9001, taken_at=edge),
            patient_id=clinic.mother,
            account_id=clinic.family,
            now=NOW,
        )

    assert moved.outcome is assignment.Outcome.ABSENT
    assert clinic.wrong_days == []


def test_loads_and_a_cut_at_once_leave_days_and_readings_alike(clinic: Clinic) -> None:
    stop = threading.Event()

    def bring_again() -> None:
        loader = Loader(clinic.pool)
        while not stop.is_set():
            old = [glucose(n, at=OLD + timedelta(hours=71 * n)) for n in range(0, 150, 7)]
            loader.load([delivery(*old, now=NOW)], now=NOW)

    before = clinic.ask("SELECT * FROM measurement_day ORDER BY 1, 2, 3, 4")
    bringing = [threading.Thread(target=bring_again) for _ in range(2)]
    for each in bringing:
        each.start()
    clinic.keep()
    stop.set()
    for each in bringing:
        each.join()

    clinic.keep()
    assert clinic.ask("SELECT * FROM measurement_day ORDER BY 1, 2, 3, 4") == before
    assert clinic.wrong_days == []


def test_of_two_that_keep_at_once_one_works(clinic: Clinic) -> None:
    with connect(clinic.url, autocommit=True) as other:
        assert retention.keep_alone(other)
        assert keep_once(clinic.settings, now=NOW) is None
    assert keep_once(clinic.settings, now=NOW) is not None


def test_the_process_works_at_once_and_says_that_it_lives(clinic: Clinic) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(clinic.settings, stop))
    thread.start()
    with connect(clinic.url, autocommit=True) as connection:
        while not connection.execute("SELECT FROM retention").rowcount:
            assert thread.is_alive()
        assert "keep" in heartbeats(connection)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert clinic.wrong_days == []


def test_the_command_says_what_it_would_do_and_then_does_it(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KANGBAN_DATABASE_URL", clinic.url)
    monkeypatch.setenv("KANGBAN_KEEP_RAW_DAYS", "400")
    before = clinic.all_rows()

    planned = CliRunner().invoke(app, ["keep", "plan"])
    assert planned.exit_code == 0
    assert "Raw readings are kept since" in planned.output
    assert clinic.all_rows() == before

    done = CliRunner().invoke(app, ["keep", "now"])
    assert done.exit_code == 0
    gone = len(before["measurement"]) - len(clinic.all_rows()["measurement"])
    assert f"Done: {gone} readings removed" in done.output
    assert clinic.wrong_days == []


# -- TimescaleDB -----------------------------------------------------------------------------------


def test_new_chunks_are_as_long_as_the_expected_readings_say(timescale_url: str) -> None:
    settings = KeepingSettings(
        database_url=timescale_url, expected_rows_a_day=329_000_000, database_memory_gb=64
    )
    done = keep_once(settings, now=NOW)
    assert done is not None
    assert done.plan.interval == timedelta(hours=6)
    with connect(timescale_url) as connection:
        assert retention.chunk_interval(connection) == timedelta(hours=6)
    again = keep_once(settings, now=NOW)
    assert again is not None
    assert again.plan.interval is None


def test_plain_postgresql_has_no_chunks_and_nothing_goes_wrong(embedded_url: str) -> None:
    settings = KeepingSettings(database_url=embedded_url, expected_rows_a_day=329_000_000)
    done = keep_once(settings, now=NOW)
    assert done is not None
    assert (done.plan.interval, done.plan.compress_before) == (None, None)


def test_the_apache_edition_is_not_asked_to_compress(timescale_url: str) -> None:
    done = keep_once(KeepingSettings(database_url=timescale_url), now=NOW)
    assert done is not None
    assert done.plan.facts.licence == "apache"
    assert done.plan.compress_before is None
    assert "Nothing is compressed: TimescaleDB's apache edition does not." in in_words(done.plan)


def test_the_statement_that_compresses_is_refused_for_the_licence_alone(timescale_url: str) -> None:
    # that is all that can be known of it where the community edition is not installed
    with (
        psycopg.connect(timescale_url) as connection,
        pytest.raises(psycopg.errors.FeatureNotSupported, match="license"),
    ):
        connection.execute(queries("retention")["allow_compression"])


def test_what_comes_late_into_a_compressed_chunk_is_stored_once() -> None:
    url = os.environ.get("KANGBAN_TEST_TSL_URL")
    if not url:
        pytest.skip("KANGBAN_TEST_TSL_URL names no TimescaleDB of the community edition")
    with open_pool(url, process="test") as pool:
        clinic = Clinic(url, pool)
        clinic.settings = replace(clinic.settings, keep_raw_days=None)
        before = clinic.all_rows()
        assert clinic.keep().compressed > 50
        assert clinic.all_rows() == before
        assert clinic.bring(glucose(0, at=OLD), glucose(9000, at=OLD + timedelta(hours=1))) == 1
        assert clinic.wrong_days == []
