"""What a backup and a restore ask of the database, besides the programs that copy it.

May hold: these calls over `sql/backup.sql`. May not: programs and files (`kangban/backup`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from store import digest
from store.digest import Digest
from store.migrate import applied
from store.named import queries
from store.pool import connect
from vitals.errors import MendSettings

_SQL, _SERVER_SQL = queries("backup"), queries("server")

# databases that every server has, from which another one can be made
_DOORS = ("postgres", "template1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server's major version, and the version of TimescaleDB in this database (None: none)."""

    major: int
    timescaledb: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a database holds: its migrations in order, and every table's rows."""

    migrations: tuple[str, ...]
    tables: dict[str, Digest]


@contextmanager
def one_snapshot(url: str) -> Iterator[tuple[Connection[Any], str]]:
    """A connection that sees one moment of the database, and the name of this moment."""
    with connect(url) as connection:
        connection.execute(_SQL["one_snapshot"])
        row = connection.execute(_SQL["export_snapshot"]).fetchone()
        assert row is not None
        yield connection, row[0]


def server(connection: Connection[Any]) -> Server:
    """Which server this is."""
    row = connection.execute(_SQL["server"]).fetchone()
    assert row is not None
    return Server(major=row[0] // 10_000, timescaledb=row[1])


def content(connection: Connection[Any]) -> Content:
    """What this connection sees of the database; reads every row."""
    return Content(
        migrations=tuple(applied(connection)),
        tables={table: digest.digest(connection, table) for table in digest.tables(connection)},
    )


def is_empty(connection: Connection[Any]) -> bool:
    """Is nothing of anybody in this database?"""
    return connection.execute(_SQL["is_empty"]).fetchone() == (True,)


def ensure_database(url: str, *, anew: bool) -> None:
    """Makes the database of this URL where there is none; `anew`: removes what there is first.

    Raises TryAgain where the server cannot be reached, MendSettings without the permission.
    """
    named: dict[str, Any] = {**psycopg.conninfo.conninfo_to_dict(url)}
    name = str(named.pop("dbname", "") or named.get("user") or "")
    for door in _DOORS:
        if door == name:
            continue
        at_door = psycopg.conninfo.make_conninfo("", **{**named, "dbname": door})
        with connect(at_door, autocommit=True) as connection:
            if anew:
                _form(connection, "drop_database", name)
            if connection.execute(_SERVER_SQL["database_exists"], {"name": name}).rowcount == 0:
                _form(connection, "create_database", name)
        return


@contextmanager
def restoring(url: str, *, timescaledb: str | None) -> Iterator[None]:
    """While this is entered, the database can be filled from a dump, whatever extension it needs.

    Raises MendSettings where the server does not offer the very version of TimescaleDB.
    """
    if timescaledb is None:
        yield
        return
    with connect(url, autocommit=True) as connection:
        offered = connection.execute(_SQL["offers_timescaledb"], {"version": timescaledb})
        if offered.fetchone() != (True,):
            raise MendSettings(
                f"The backup needs TimescaleDB {timescaledb}, which this server does not offer: "
                "restore into a server with that very version, and update the extension there."
            )
        statement = sql.SQL(_SQL["create_timescaledb"])
        connection.execute(statement.format(version=sql.Literal(timescaledb)))
    # connections of their own: the library loads with the extension
    with connect(url, autocommit=True) as connection:
        connection.execute(_SQL["before_restore"])
    try:
        yield
    finally:
        with connect(url, autocommit=True) as connection:
            connection.execute(_SQL["after_restore"])


def analyze(url: str) -> None:
    """Has the planner know what is there now."""
    with connect(url, autocommit=True) as connection:
        connection.execute(_SQL["analyze"])


def _form(connection: Connection[Any], name: str, database: str) -> None:
    statement = sql.SQL(_SERVER_SQL[name])
    connection.execute(statement.format(name=sql.Identifier(database)))
