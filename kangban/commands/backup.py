"""`kangban backup` and `kangban restore`: everything that an installation needs to go on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vitals.errors import MendSettings

# files beside the database, by the name they get in a backup
_AUTHORITY = {
    "authority.crt": "KANGBAN_AUTHORITY_CERTIFICATE_PATH",
    "authority.key": "KANGBAN_AUTHORITY_KEY_PATH",
    "revoked.crl": "KANGBAN_AUTHORITY_REVOKED_PATH",
}
_HOME = {"broker-password": "broker/password", "broker-port": "broker/port"}

Data = Annotated[
    Path | None,
    typer.Option(help="Folder of `kangban serve`; ~/.local/share/kangban when left out."),
]


def backup(
    target: Annotated[Path, typer.Argument(help="A new folder for this backup.")],
    data: Data = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="A file to save beside; may repeat.")
    ] = None,
) -> None:
    """Save the database and the keys beside it into a new folder, while everything goes on.

    Takes KANGBAN_DATABASE_URL, or else the household's database in --data. The folder holds health
    data and keys: keep it where nobody else reads it, on another machine.
    """
    from kangban.backup.save import save

    home = _folder(data)
    files = {name: path for name, path in _places(home).items() if path.is_file()}
    files |= {path.name: path for path in file or ()}
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise MendSettings(f"There is no file {', '.join(missing)}: nothing was saved.")
    with _database(home) as url:
        saved = save(url, target.absolute(), files=files, now=datetime.now(UTC))
    rows = sum(each.rows for each in saved.tables.values())
    print(f"{target} holds {rows} rows of {len(saved.tables)} tables, PostgreSQL {saved.postgres}.")
    print(f"Beside them: {', '.join(files) or 'no files'}.")
    print("Try it: `kangban restore FOLDER --into` a new database. Keep it secret and elsewhere.")


def restore(
    source: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    into: Annotated[
        str | None, typer.Option(help="The database, made if need be: postgresql://…")
    ] = None,
    data: Data = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove for good what is in the database.")
    ] = False,
) -> None:
    """Bring a backup back into an empty database, and prove that every row is there.

    Takes --into, or KANGBAN_DATABASE_URL, or else makes the household's database in --data. Stop
    the server before.
    """
    from kangban.backup.restore import put_files
    from kangban.backup.restore import restore as bring_back

    home = _folder(data)
    with _database(home, into) as url:
        done = bring_back(source, url, replace=replace)
    rows = sum(each.rows for each in done.manifest.tables.values())
    print(f"All {rows} rows of {done.manifest.at:%Y-%m-%d %H:%M} UTC are back and are the same.")
    for name in done.applied:
        print(f"applied {name}")
    put = put_files(source, done.manifest, _places(home))
    for path in put.values():
        print(f"put back {path}")
    for name, origin in done.manifest.origin.items():
        if name not in put:
            print(f"{source / name} came from {origin} and was not put back")
    for each in done.erased:
        print(
            f"Patient {each.patient_no} was erased on {each.at:%Y-%m-%d} and is back: "
            f"`kangban people erase {each.patient_no}` again."
        )
    print("Readings that came after this backup: see docs/keeping.md.")
    if done.wrong_days:
        print(f"{done.wrong_days} days differ from a recount, as they did before: look with")
        print("`kangban ingest check`.")
        raise typer.Exit(1)


def _folder(data: Path | None) -> Path:
    from kangban.serve import HOME

    return (data or HOME).expanduser().absolute()


def _places(home: Path) -> dict[str, Path]:
    """Where the files beside the database lie in this installation."""
    found = {name: home / path for name, path in _HOME.items()}
    for name, variable in _AUTHORITY.items():
        if os.environ.get(variable):
            found[name] = Path(os.environ[variable])
    return found


@contextmanager
def _database(home: Path, into: str | None = None) -> Iterator[str]:
    """The URL of the database: as it was said, or the household's own, which runs meanwhile."""
    from kangban.commands.process import database_url
    from kangban.embedded.postgres import Postgres
    from kangban.serve import DATABASE

    given = any(os.environ.get(f"KANGBAN_DATABASE_URL{each}") for each in ("", "_FILE"))
    if into or given:
        yield into or database_url()
        return
    postgres = Postgres(home / "postgres")
    if postgres.answers():
        yield postgres.url(DATABASE)
        return
    with postgres:
        yield postgres.create_database(DATABASE)
