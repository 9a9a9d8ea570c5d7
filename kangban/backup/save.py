"""Saves an installation: one moment of its database, and the files that lie beside it.

The server goes on meanwhile. A backup that was cut short has no manifest and another name. May
hold: the steps of saving. May not: SQL (`store/backup.py`), bringing it back (`restore.py`).
"""

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path

from kangban.backup import programs
from kangban.backup.manifest import DUMP, FILES, MANIFEST, Manifest, Table, encode
from store import backup
from store.backup import Content
from store.migrate import migrations
from vitals.errors import MendSettings

# seconds that pg_dump waits for a table that a migration holds
_LOCK_WAIT_S = 60


def save(url: str, target: Path, *, files: Mapping[str, Path], now: datetime) -> Manifest:
    """What was saved in the folder `target`, which must not exist; `files` by the name they get.

    Raises MendSettings where something is there, or is missing; TryAgain where the database, or
    pg_dump, does not finish.
    """
    if target.exists():
        raise MendSettings(f"{target} is there already: name a new folder for each backup.")
    half = target.with_name(f"{target.name}.partial")
    shutil.rmtree(half, ignore_errors=True)
    (half / FILES).mkdir(parents=True, mode=0o700)
    half.chmod(0o700)
    with backup.one_snapshot(url) as (connection, snapshot):
        server = backup.server(connection)
        content = backup.content(connection)
        if not content.migrations:
            raise MendSettings(
                "There is no Kangban in this database: check KANGBAN_DATABASE_URL, or run "
                "`kangban migrate`."
            )
        _dump(url, half / DUMP, major=server.major, snapshot=snapshot)
    for name, path in files.items():
        shutil.copyfile(path, half / FILES / name)
    manifest = Manifest(
        at=now,
        release=version("kangban"),
        postgres=server.major,
        timescaledb=server.timescaledb,
        migrations=content.migrations,
        tables=tables_of(content),
        files={
            name: digest(half / name) for name in [DUMP, *(f"{FILES}/{each}" for each in files)]
        },
        origin={f"{FILES}/{name}": str(path) for name, path in files.items()},
    )
    (half / MANIFEST).write_text(encode(manifest), encoding="utf-8")
    for path in half.rglob("*"):
        _settle(path)
    half.rename(target)
    _settle(target.parent)
    return manifest


def tables_of(content: Content) -> dict[str, Table]:
    """The tables of a database as a manifest names them."""
    return {name: Table(rows=each.rows, digest=each.text) for name, each in content.tables.items()}


def digest(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def is_known(manifest: Manifest) -> bool:
    """Does this release know every migration of the backup?"""
    return set(manifest.migrations) <= {each.name for each in migrations()}


def _dump(url: str, path: Path, *, major: int, snapshot: str) -> None:
    words = [
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={_LOCK_WAIT_S}s",
        f"--file={path}",
    ]
    programs.run(programs.program("pg_dump", major=major), words, url=url)


def _settle(path: Path) -> None:
    """Has the disk keep a file, or the names in a folder, and nobody else read it."""
    if path.is_file():
        path.chmod(0o600)
    line = os.open(path, os.O_RDONLY)
    try:
        os.fsync(line)
    finally:
        os.close(line)
