"""Brings a database to the schema of this release: each file of `store/migrations` once, in order.

One transaction a file, so that a failed migration leaves the version before it running. What was
applied is remembered with the file's digest: a file that was edited afterwards is noticed. Two
processes that start together do not race: the second waits and finds nothing to do. May hold: the
applying of migrations. May not: any schema of its own but the table that remembers.
"""

from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg import Connection

from store.pool import connect
from vitals.errors import MendData, MendSettings

# any number that nothing else here locks on: "kangban" in ASCII, cut to 31 bits
_LOCK = 0x6B616E67


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file: its name orders it, its digest tells an edited one."""

    name: str
    text: LiteralString
    digest: str


def migrations() -> list[Migration]:
    """The migrations of this release, in the order in which they apply."""
    files = [
        each
        for each in resources.files("store").joinpath("migrations").iterdir()
        if each.name.endswith(".sql")
    ]
    found = []
    for each in sorted(files, key=lambda file: file.name):
        text = each.read_text(encoding="utf-8")
        found.append(
            Migration(
                name=each.name.removesuffix(".sql"),
                text=text,
                digest=sha256(text.encode()).hexdigest(),
            )
        )
    return found


def migrate(url: str) -> list[str]:
    """The names of the migrations that were applied now, in order; empty when all were there.

    Creates the extension timescaledb first where the server offers it and the role may. Raises
    TryAgain when the server cannot be reached, MendSettings when the database holds something
    newer than this release, MendData when a migration fails or was edited after it was applied.
    """
    with connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        _create_timescaledb(url, connection)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration ("
            " name text PRIMARY KEY, digest text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        return [each.name for each in _pending(connection) if _apply(connection, each)]


def _pending(connection: Connection[Any]) -> list[Migration]:
    applied: dict[str, str] = dict(
        connection.execute("SELECT name, digest FROM schema_migration").fetchall()
    )
    ours = migrations()
    unknown = sorted(applied.keys() - {each.name for each in ours})
    if unknown:
        raise MendSettings(
            f"The database was migrated by a newer release ({', '.join(unknown)} is not known "
            "here): update this installation, or point KANGBAN_DATABASE_URL at its own database."
        )
    for each in ours:
        if applied.get(each.name, each.digest) != each.digest:
            raise MendData(
                f"{each.name}.sql was edited after it had been applied: put the old text back and "
                "write the change as a new migration."
            )
    return [each for each in ours if each.name not in applied]


def _apply(connection: Connection[Any], migration: Migration) -> bool:
    try:
        with connection.transaction():
            connection.execute(migration.text)
            connection.execute(
                "INSERT INTO schema_migration (name, digest) VALUES (%s, %s)",
                (migration.name, migration.digest),
            )
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise MendData(
            f"{migration.name}.sql failed and changed nothing; the schema before it still stands: "
            f"{error}"
        ) from error
    return True


def _create_timescaledb(url: str, connection: Connection[Any]) -> None:
    """Creates the extension where that is possible; without it the tables are plain."""
    # the loader's own setting exists only when it is preloaded; without that, CREATE EXTENSION
    # would end the connection
    row = connection.execute(
        "SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"
        " AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
    ).fetchone()
    if row != (True,):
        return
    # on a connection of its own: the library loads with the extension
    with connect(url, autocommit=True) as other:
        try:
            other.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except psycopg.errors.InsufficientPrivilege:
            # plain tables give the same results; a superuser may create it before migrating
            return
