"""How to run PostgreSQL for root, whom it refuses: a container or a CI machine has no one else.

May hold: the choice of a command that runs another without root's powers. May not: the servers.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from vitals.errors import MendSettings

# uid 0 appears as this one inside the namespace; no such user need exist
_SEEN_AS = 1000
# a number that distributions hand out to nobody (Debian policy 9.2.2 leaves 60000-64999 to
# packages that ask for one, and none has asked for this)
_NOBODY_ELSE = 61616


def prefix(*, owned: Sequence[Path], read: Path) -> list[str]:
    """What to put before a command so that it runs without root: nothing for ordinary users.

    `owned` are folders the command writes, `read` one it must be able to reach. Raises
    MendSettings where root has no way down.
    """
    if os.getuid() != 0:
        return []
    if _namespaces_work():
        return _NAMESPACE
    return _other_user(owned, read)


_NAMESPACE = ["unshare", "--user", f"--map-user={_SEEN_AS}", f"--map-group={_SEEN_AS}"]


@cache
def _namespaces_work() -> bool:
    # a user namespace where root's own files belong to an ordinary user: nothing is handed over
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def _other_user(owned: Sequence[Path], read: Path) -> list[str]:
    drop = ["setpriv", f"--reuid={_NOBODY_ELSE}", f"--regid={_NOBODY_ELSE}", "--clear-groups"]
    refusal = MendSettings(
        "PostgreSQL does not run as root, and this system allows neither user namespaces nor"
        f" another user to reach {read} and {', '.join(map(str, owned))}."
        " Start Kangban as an ordinary user, or choose a folder with --data that all may enter."
    )
    if shutil.which("setpriv") is None or _is_a_person(_NOBODY_ELSE):
        raise refusal
    for folder in owned:
        _hand_over(folder)
    reached = [*drop, "test", "-r", str(read)]
    for folder in owned:
        reached += ["-a", "-w", str(folder)]
    if subprocess.run(reached, capture_output=True, check=False).returncode != 0:
        raise refusal
    return drop


def _hand_over(folder: Path) -> None:
    os.chown(folder, _NOBODY_ELSE, _NOBODY_ELSE)
    for each in folder.rglob("*"):
        os.chown(each, _NOBODY_ELSE, _NOBODY_ELSE, follow_symlinks=False)


def _is_a_person(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
