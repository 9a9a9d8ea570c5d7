"""Connections, transactions, heartbeats and wake-ups on a real server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Rollback

from store.listen import Listener
from store.pool import Pool, connect, heartbeat, heartbeats, open_pool, transaction
from vitals.errors import MendData, MendSettings, TryAgain


@pytest.fixture
def pool(embedded_url: str) -> Iterator[Pool]:
    with open_pool(embedded_url, process="test") as pool:
        yield pool


def households(pool: Pool) -> int:
    with transaction(pool) as connection:
        return len(connection.execute("SELECT FROM household").fetchall())


def test_a_transaction_counts_at_its_end_or_not_at_all(pool: Pool) -> None:
    with transaction(pool) as connection:
        connection.execute("INSERT INTO household (name) VALUES ('Zhang')")
    with transaction(pool) as connection:
        connection.execute("INSERT INTO household (name) VALUES ('Li')")
        raise Rollback

    assert households(pool) == 1


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("INSERT INTO patient (name, timezone) VALUES ('x', 'Mars/Olympus')", MendData),
        ("INSERT INTO patient (name, household_id) VALUES ('x', 99)", MendData),
        ("SELECT 1 / 0", MendData),
        ("SELECT * FROM no_such_table", MendSettings),
        ("SELECT pg_terminate_backend(pg_backend_pid())", TryAgain),
    ],
)
def test_an_error_is_named_by_what_to_do_next(
    pool: Pool, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error), transaction(pool) as connection:
        connection.execute(statement)

    # and the pool goes on
    assert households(pool) == 0


def test_an_absent_server_is_named_with_its_setting() -> None:
    with (
        pytest.raises(TryAgain, match="KANGBAN_DATABASE_URL"),
        connect("postgresql://nobody@127.0.0.1:1/nowhere"),
    ):
        """Nobody is there."""


def test_moments_are_read_in_utc_whatever_the_server_speaks(embedded_url: str) -> None:
    with connect(embedded_url, autocommit=True) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        connection.execute(f"ALTER DATABASE {name} SET timezone TO 'Asia/Shanghai'")
    with open_pool(embedded_url) as pool, transaction(pool) as connection:
        (now,) = connection.execute("SELECT now()").fetchone() or (None,)

    assert now.tzinfo is UTC


def test_a_server_that_dies_in_silence_is_noticed_within_a_minute(
    embedded_url: str, pool: Pool
) -> None:
    listener = Listener(embedded_url, ["kangban_news"])
    with connect(embedded_url) as alone, pool.connection() as pooled, listener:
        listener.wait(1.0)
        assert listener._connection is not None
        for each in (alone, pooled, listener._connection):
            said = {
                name: int(value)
                for name, value in each.info.get_parameters().items()
                if name.startswith(("keepalives_", "tcp_"))
            }
            probes_s = said["keepalives_interval"] * said["keepalives_count"]
            assert said["keepalives_idle"] + probes_s <= 60
            assert said["tcp_user_timeout"] <= 60_000


def test_a_process_beats_and_the_last_beat_counts(pool: Pool) -> None:
    for process in ("ingest", "rules", "ingest"):
        with transaction(pool) as connection:
            heartbeat(connection, process)

    with transaction(pool) as connection:
        beats = heartbeats(connection)
    assert beats.keys() == {"ingest", "rules"}
    assert all(abs(datetime.now(UTC) - each) < timedelta(minutes=1) for each in beats.values())


def test_a_listener_hears_what_it_asked_for(embedded_url: str, pool: Pool) -> None:
    with Listener(embedded_url, ["kangban_alert", "kangban_told"]) as listener:
        assert listener.wait(0) == [], "a new connection wakes: look at the tables"
        with transaction(pool) as connection:
            connection.execute(
                "NOTIFY kangban_alert, '7'; NOTIFY kangban_other; NOTIFY kangban_told"
            )

        assert sorted(listener.wait(10)) == [("kangban_alert", "7"), ("kangban_told", "")]
        assert listener.wait(0.01) == []


def test_a_listener_that_lost_its_connection_wakes_and_hears_again(
    embedded_url: str, pool: Pool
) -> None:
    with Listener(embedded_url, ["kangban_alert"]) as listener:
        listener.wait(0)
        with transaction(pool) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        heard = []
        for _ in range(100):
            heard += listener.wait(0.05)
            if heard:
                break
            with transaction(pool) as connection:
                connection.execute("NOTIFY kangban_alert, '7'")

    assert ("kangban_alert", "7") in heard


def test_a_listener_waits_for_an_absent_server_without_complaint() -> None:
    with Listener("postgresql://nobody@127.0.0.1:1/nowhere", ["kangban_alert"]) as listener:
        assert listener.wait(0.01) == []
        assert listener.wait(0.01) == []
