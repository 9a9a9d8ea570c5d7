"""Brings a database to the schema of this release: each file of `store/migrations` once, in order.

One transaction a file, so that a failed migration leaves the version before it running. What was
applied is remembered with the file's digest: a file that was edited afterwards is noticed. Two
processes that start together do not race: the second waits and finds nothing to do. May hold: the
applying of migrations. May not: any schema of its own but the table that remembers.

Processes of the release before go on while a migration runs and after one that failed: migrations
add, and take nothing away that the release before reads (`tests/integration/test_upgrade.py`).
"""

from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg import Connection

from store.named import queries
from store.pool import connect
from vitals.errors import MendData, MendSettings, TryAgain

_SQL = queries("migrate")

# any number that nothing else here locks on: "kangban" in ASCII, cut to 31 bits
_LOCK = 0x6B616E67
# milliseconds that a migration waits for a table: loads wait behind it, and gateways keep what they
# have meanwhile; an engineering choice
_PATIENCE_MS = 30_000


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
        connection.execute(_SQL["lock"], {"lock": _LOCK})
        _create_timescaledb(url, connection)
        connection.execute(_SQL["remember"])
        return [each.name for each in _pending(connection) if _apply(connection, each)]


def applied(connection: Connection[Any]) -> dict[str, str]:
    """The migrations that a database has, in order, each with its digest; none: it is not ours."""
    if connection.execute(_SQL["is_remembered"]).fetchone() != (True,):
        return {}
    return dict(connection.execute(_SQL["applied"]).fetchall())


def _pending(connection: Connection[Any]) -> list[Migration]:
    known = applied(connection)
    ours = migrations()
    unknown = sorted(known.keys() - {each.name for each in ours})
    if unknown:
        raise MendSettings(
            f"The database was migrated by a newer release ({', '.join(unknown)} is not known "
            "here): update this installation, or point KANGBAN_DATABASE_URL at its own database."
        )
    for each in ours:
        if known.get(each.name, each.digest) != each.digest:
            raise MendData(
                f"{each.name}.sql was edited after it had been applied: put the old text back and "
                "write the change as a new migration."
            )
    return [each for each in ours if each.name not in known]


def _apply(connection: Connection[Any], migration: Migration) -> bool:
    try:
        with connection.transaction():
            connection.execute(_SQL["be_patient"], {"patience_ms": _PATIENCE_MS})
            connection.execute(migration.text)
            connection.execute(_SQL["note"], {"name": migration.name, "digest": migration.digest})
    except psycopg.errors.LockNotAvailable as error:
        raise TryAgain(
            f"{migration.name}.sql waited {_PATIENCE_MS // 1000} s for a table that is in use and "
            "changed nothing: run `kangban migrate` again, at a quiet hour or with the server "
            "processes stopped."
        ) from error
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise MendData(
            f"{migration.name}.sql failed and changed nothing; the schema before it still stands, "
            "and the release that ran before goes on with it. Keep that release, and say what "
            f"follows to whoever makes this one: {error}"
        ) from error
    return True


def _create_timescaledb(url: str, connection: Connection[Any]) -> None:
    """Creates the extension where that is possible; without it the tables are plain."""
    row = connection.execute(_SQL["may_have_timescaledb"]).fetchone()
    if row != (True,):
        return
    # on a connection of its own: the library loads with the extension
    with connect(url, autocommit=True) as other:
        try:
            other.execute(_SQL["create_timescaledb"])
        except psycopg.errors.InsufficientPrivilege:
            # plain tables give the same results; a superuser may create it before migrating
            return
