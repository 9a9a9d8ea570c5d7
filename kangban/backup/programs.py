"""The programs that copy a database: found in the version that fits the server, and run.

pg_dump refuses a server that is newer than itself, and what a newer one wrote an older pg_restore
does not read. May hold: looking for them and running them. May not: what they are for.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg

from kangban.embedded.postgres import wheel_binaries
from vitals.errors import MendSettings, TryAgain

# names a folder to look in first
BIN_VARIABLE = "KANGBAN_POSTGRES_BIN"
# Debian; Red Hat; Homebrew on either kind of Mac: where a version's programs lie beside others
_MORE = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
)


def program(name: str, *, major: int) -> Path:
    """The program of this major version, or of the next newer one. Raises MendSettings."""
    found: dict[int, Path] = {}
    for folder in _folders(major):
        path = folder / name
        have = _major(path)
        if have is not None and have >= major:
            found.setdefault(have, path)
    if not found:
        raise MendSettings(
            f"{name} of PostgreSQL {major}, which the server is, was not found: install "
            f"PostgreSQL's client programs of that version, or name their folder in {BIN_VARIABLE}."
        )
    return found[min(found)]


def run(program: Path, words: Sequence[str], *, url: str) -> None:
    """Returns when the program has done its work on the database. Raises TryAgain with its words.

    A password travels in the environment: anybody on the machine sees a program's words.
    """
    named = psycopg.conninfo.conninfo_to_dict(url)
    password = named.pop("password", None)
    environ = {**os.environ, "PGCONNECT_TIMEOUT": "10"}
    if password is not None:
        environ["PGPASSWORD"] = str(password)
    dbname = psycopg.conninfo.make_conninfo("", **named)
    done = subprocess.run(
        [program, *words, f"--dbname={dbname}"],
        env=environ,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"{program.name} ended with {done.returncode}"]
        raise TryAgain(
            f"{program.name} did not finish, and what it made is of no use: {' / '.join(lines[:3])}"
        )


def _folders(major: int) -> Iterator[Path]:
    named = os.environ.get(BIN_VARIABLE)
    if named:
        yield Path(named)
    with suppress(MendSettings):
        yield wheel_binaries()
    on_path = shutil.which("pg_dump")
    if on_path:
        yield Path(on_path).parent
    for each in _MORE:
        yield Path(each.format(major=major))
    # what `make services` unpacked, when this runs from a checkout
    yield Path(__file__).parents[2] / f".services/root/usr/lib/postgresql/{major}/bin"


def _major(path: Path) -> int | None:
    if not path.exists():
        return None
    # "pg_dump (PostgreSQL) 18.6", also where a distribution adds words of its own
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", told)
    return int(found[1]) if found else None
