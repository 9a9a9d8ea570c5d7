"""Brings a saved installation back into an empty database, and proves that it is the same.

May hold: the steps of restoring. May not: SQL (`store/backup.py`), saving (`save.py`).
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kangban.backup import programs
from kangban.backup.manifest import DUMP, FILES, MANIFEST, Manifest, decode, differences
from kangban.backup.save import digest, is_known, tables_of
from store import backup, erasure, measurements
from store.erasure import Past
from store.migrate import migrate
from store.pool import connect
from vitals.errors import AskPerson, KangbanError, MendData, MendSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back, every row the same.

    `applied`: migrations that this release added; `wrong_days`: how many days differ from a
    recount, as they did when they were saved; `erased`: people who were erased since the backup in
    the database that it replaced, and are back.
    """

    manifest: Manifest
    applied: tuple[str, ...]
    wrong_days: int
    erased: tuple[Past, ...]


def read(source: Path) -> Manifest:
    """The manifest of a backup whose files are whole.

    Raises MendData where it is none or where a file is not what was saved.
    """
    try:
        manifest = decode((source / MANIFEST).read_text(encoding="utf-8"))
        wrong = [name for name, sum in manifest.files.items() if digest(source / name) != sum]
    except OSError as error:
        raise MendData(f"{source} is no whole backup: {error}") from error
    if wrong:
        raise MendData(
            f"{', '.join(wrong)} in {source} is not what was saved: take another backup."
        )
    return manifest


def restore(source: Path, url: str, *, replace: bool = False) -> Restored:
    """What was brought back into the database of this URL, which is made if there is none.

    `replace`: what is in it is removed first. Raises MendData where the backup is not whole or what
    was brought back is not the same, MendSettings where the server does not fit, AskPerson where
    there is something in the database.
    """
    manifest = read(source)
    if not is_known(manifest):
        raise MendSettings(
            f"This backup was made by a newer release ({manifest.release}): update first."
        )
    backup.ensure_database(url, anew=False)
    with connect(url) as connection:
        server, is_empty = backup.server(connection), backup.is_empty(connection)
    erased: tuple[Past, ...] = ()
    if not is_empty:
        if not replace:
            raise AskPerson(
                "Something is in this database already: name a new one with --into, or say "
                "--replace to remove it for good."
            )
        erased = _erased_since(url, manifest)
    if server.major < manifest.postgres:
        raise MendSettings(
            f"The backup is of PostgreSQL {manifest.postgres}, this server is older "
            f"({server.major}): restore into {manifest.postgres} or newer."
        )
    if not is_empty or server.timescaledb not in (None, manifest.timescaledb):
        backup.ensure_database(url, anew=True)
    with backup.restoring(url, timescaledb=manifest.timescaledb):
        words = ["--no-owner", "--no-privileges", "--exit-on-error", str(source / DUMP)]
        programs.run(programs.program("pg_restore", major=server.major), words, url=url)
    _prove(url, manifest)
    backup.analyze(url)
    applied = tuple(migrate(url))
    with connect(url) as connection:
        wrong_days = len(measurements.differences(connection))
    return Restored(manifest=manifest, applied=applied, wrong_days=wrong_days, erased=erased)


def put_files(source: Path, manifest: Manifest, places: Mapping[str, Path]) -> dict[str, Path]:
    """Files of a backup, by path, that lie again where nothing lay; `places` by their name."""
    put = {}
    for name, path in places.items():
        kept = f"{FILES}/{name}"
        if kept in manifest.files and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(source / kept, path)
            path.chmod(0o600)
            put[kept] = path
    return put


def _prove(url: str, manifest: Manifest) -> None:
    with connect(url) as connection:
        found = backup.content(connection)
        wrong = differences(manifest.tables, tables_of(found))
        if found.migrations != manifest.migrations:
            wrong.append("the schema is another")
    if wrong:
        raise MendData(
            f"What was brought back is not what was saved: {'; '.join(wrong)}. Take another backup."
        )


def _erased_since(url: str, manifest: Manifest) -> tuple[Past, ...]:
    try:
        with connect(url) as connection:
            return tuple(erasure.since(connection, manifest.at))
    except KangbanError:
        # a database before there were erasures, or none of ours
        return ()
