"""Room on the disk that is held back for the moment at which it is full.

On a disk that is really full not even a receipt can be written down, so that nothing may ever be
dropped: and a cuff forgets what it hands over. So a file of a few megabytes is held in the folder
of the spool and given up when the disk takes no more: what a cuff has just sent and the receipts
that are on their way fit into that. No device is called on before it is held again. May hold: this
one file. May not: what is written into the room.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

# bytes: room for about 8,000 readings; an engineering choice
RESERVE_BYTES = 8 * 1024 * 1024
# bytes that must be free beside it before it is taken (again), else it would itself fill the disk
_BESIDE = 8 * 1024 * 1024


class Reserve:
    """The reserve beside one spool; of 0 octets there is none, and it is always held."""

    def __init__(self, path: Path, octets: int) -> None:
        self._path, self._octets = path, octets
        self.is_held = not octets

    def hold(self) -> bool:
        """Is the reserve held? It is taken where it is not and there is room for it."""
        self.is_held = self.is_held or self._take()
        return self.is_held

    def _take(self) -> bool:
        with suppress(OSError):
            if self._path.stat().st_size >= self._octets:
                return True
        try:
            if shutil.disk_usage(self._path.parent).free < self._octets + _BESIDE:
                return False
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._octets)
            return True
        except OSError:
            self.give_up()
            return False

    def give_up(self) -> None:
        """Lets the room be used."""
        self.is_held = not self._octets
        with suppress(OSError):
            self._path.unlink()
