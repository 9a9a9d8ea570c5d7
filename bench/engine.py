"""The PostgreSQL of a benchmark, either engine, in a folder of its own; and how to make it cold.

May hold: starting a server for a benchmark, and taking its files out of the machine's memory. May
not: measuring.
"""

import os
from pathlib import Path
from typing import Literal

from kangban.embedded.postgres import Postgres

Engine = Literal["timescale", "embedded"]
ENGINES: tuple[Engine, ...] = ("timescale", "embedded")

_SERVICES = Path(__file__).parents[1] / ".services/root"
_TIMESCALE = _SERVICES / "usr/lib/postgresql/17/bin"
MOSQUITTO = _SERVICES / "usr/sbin/mosquitto"

# a server with 4 GB; durability as it comes: fsync and synchronous_commit are on
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB"}


def postgres(folder: Path, engine: Engine) -> Postgres:
    """The server of this engine with its data in `folder`; enter it to start it."""
    binaries = _TIMESCALE if engine == "timescale" else None
    return Postgres(folder / engine, binaries, settings=SETTINGS)


def forget_files(server: Postgres) -> None:
    """Takes the data of a stopped server out of the machine's memory: the next read is a disk's.

    Only this server's files, so that nothing else on the machine becomes slow.
    """
    for file in server.cluster.rglob("*"):
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)
