"""Connections to PostgreSQL, their errors in our words, and the heartbeat of a process.

`transaction(pool)` is the door through which processes work: what the server refuses for now comes
out as TryAgain, what it refuses because of the data as MendData. May hold: connecting, pooling,
translating errors, the heartbeat. May not: queries about people or measurements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool

from store.named import queries
from vitals.errors import MendData, MendSettings, TryAgain

_SQL = queries("process")

Pool = ConnectionPool[Connection[Any]]

# seconds until an unreachable server is given up for this attempt
_CONNECT_TIMEOUT_S = 5
# how a silent death of the server's machine or of the way there is noticed, within a minute (libpq,
# Database Connection Control Functions). Who waits for an answer would else wait for two hours
# (tcp(7), tcp_keepalive_time 7200 s): nothing would be acknowledged, and nobody would know why
NOTICE_DEATH: dict[str, Any] = {
    # seconds, seconds, probes
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # milliseconds that what was sent may stay unacknowledged
    "tcp_user_timeout": 60_000,
}
# seconds between two heartbeats of a process; silence is judged on several of them
HEARTBEAT_EVERY_S = 10


@contextmanager
def connect(url: str, *, autocommit: bool = False) -> Iterator[Connection[Any]]:
    """One connection outside any pool, closed at the end. Raises what `errors_in_words` raises."""
    with (
        errors_in_words(),
        psycopg.connect(
            url, autocommit=autocommit, connect_timeout=_CONNECT_TIMEOUT_S, **NOTICE_DEATH
        ) as connection,
    ):
        _speak_utc(connection)
        yield connection


def open_pool(
    url: str,
    *,
    process: str = "kangban",
    max_size: int = 4,
    transaction_limit_s: float | None = None,
) -> Pool:
    """A pool of connections named after the process; close it with `.close()` or use `with`.

    Connects in the background: an absent server shows at the first transaction. The server ends a
    transaction that lasts longer than `transaction_limit_s`, with its connection.
    """

    def configure(connection: Connection[Any]) -> None:
        if transaction_limit_s is not None:
            _limit_transactions(connection, transaction_limit_s)
        _speak_utc(connection)

    return ConnectionPool(
        url,
        min_size=1,
        max_size=max_size,
        timeout=_CONNECT_TIMEOUT_S,
        # a connection that a restarted server has dropped is replaced before it is handed out
        check=ConnectionPool.check_connection,
        kwargs={
            "application_name": f"kangban-{process}",
            "connect_timeout": _CONNECT_TIMEOUT_S,
            **NOTICE_DEATH,
        },
        configure=configure,
        name=process,
        open=True,
    )


@contextmanager
def transaction(pool: Pool) -> Iterator[Connection[Any]]:
    """A connection within one transaction: committed at the end, rolled back on any error.

    Raises what `errors_in_words` raises.
    """
    with errors_in_words(), pool.connection() as connection, connection.transaction():
        yield connection


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Turns the driver's errors into ours.

    TryAgain: the server is away, restarts, is full, or chose us to end a deadlock. MendData: it
    refused a value. MendSettings: the schema or a permission is missing.
    """
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise MendData(f"The database refused a value: {_first_line(error)}") from error
    except psycopg.ProgrammingError as error:
        raise MendSettings(
            f"The database does not fit this release ({_first_line(error)}): run "
            "`kangban migrate`, and check the database and role in KANGBAN_DATABASE_URL."
        ) from error
    except psycopg.Error as error:
        raise TryAgain(
            f"The database did not answer ({_first_line(error)}): check that PostgreSQL runs and "
            "that KANGBAN_DATABASE_URL points at it."
        ) from error


def heartbeat(connection: Connection[Any], process: str) -> None:
    """Says that this process works now; its silence is the server's."""
    connection.execute(_SQL["beat"], {"process": process})


def heartbeats(connection: Connection[Any]) -> dict[str, datetime]:
    """When each process last said that it works."""
    return dict(connection.execute(_SQL["beats"]).fetchall())


def _speak_utc(connection: Connection[Any]) -> None:
    connection.execute(_SQL["speak_utc"])
    connection.commit()


def _limit_transactions(connection: Connection[Any], limit_s: float) -> None:
    # also in the middle of a COPY whose worker stands still, which no other limit ends;
    # PostgreSQL has it since 17
    connection.execute(
        "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'transaction_timeout'",
        (str(round(limit_s * 1000)),),
    )


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
