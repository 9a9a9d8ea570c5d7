"""A disk of its own for the database, so small that it can be filled: without root.

A file system in memory, mounted in a namespace of this process, where it is root whoever it is
outside (`unshare`, util-linux). Everything that a campaign starts lives in it too, and the disk
goes when they are gone. Where the system forbids such namespaces there is no small disk, and who
wanted one says so. May hold: this disk. May not: who fills it and when.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_INSIDE = "KANGBAN_BENCH_NAMESPACE"
_ENTER = ("unshare", "--user", "--map-root-user", "--mount")


def enter(words: Sequence[str]) -> bool:
    """Whether this process may mount; it is begun anew as `python -m words…` in a namespace where
    it may, if need be and if that can be had."""
    if os.environ.get(_INSIDE):
        return True
    if shutil.which("unshare") is None:
        return False
    probe = [*_ENTER, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        return False
    os.environ[_INSIDE] = "1"
    os.execvp(_ENTER[0], [*_ENTER, sys.executable, "-m", *words])


class SmallDisk:
    """A disk of `octets` at `folder`; only for a process that has entered its namespace."""

    def __init__(self, folder: Path, octets: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        options = f"size={octets},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        self.folder = folder
        self._ballast = folder / "ballast"

    def close(self) -> None:
        """Takes the disk away, and all that is on it."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def free_octets(self) -> int:
        """What is left."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave: int) -> None:
        """Takes all the room but `leave` octets."""
        with self._ballast.open("ab") as file, suppress(OSError):
            begin = file.tell()
            wanted = self.free_octets() - leave
            if wanted > 0:
                os.posix_fallocate(file.fileno(), begin, wanted)

    def empty(self) -> None:
        """Gives the room back."""
        self._ballast.unlink(missing_ok=True)
