"""What the system says about processes that are not our children.

May hold: looking at processes. May not: starting or ending them.
"""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def is_taken(pid: int) -> bool:
    """Whether the system still uses this number, be it for a dead process (a zombie)."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_running(pid: int) -> bool:
    """Whether a process of this number runs (a zombie does not)."""
    if not is_taken(pid):
        return False
    with suppress(OSError):
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        return stat.rpartition(")")[2].split()[0] not in "ZX"
    return is_taken(pid)


def command_line(pid: int) -> str:
    """What process `pid` was started with, empty if that cannot be told."""
    with suppress(OSError):
        words = (_PROC / str(pid) / "cmdline").read_bytes()
        return words.replace(b"\0", b" ").decode(errors="replace")
    with suppress(OSError):
        return subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    return ""


def started_as(command: Sequence[str]) -> list[int]:
    """The processes that were started with exactly these words."""
    if _PROC.is_dir():
        numbers = [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]
        return [pid for pid in numbers if command_line(pid).rstrip() == " ".join(command)]
    told = subprocess.run(["ps", "-axo", "pid=,args="], capture_output=True, text=True, check=False)
    lines = [line.split(maxsplit=1) for line in told.stdout.splitlines()]
    return [int(pid) for pid, words in lines if words.rstrip() == " ".join(command)]


def works_in(folder: Path) -> bool:
    """Whether any process has `folder` as its working directory; False where that is not told."""
    if not _PROC.is_dir():
        return False
    for each in _PROC.iterdir():
        if each.name.isdigit():
            with suppress(OSError):
                if Path(os.readlink(each / "cwd")) == folder:
                    return True
    return False
