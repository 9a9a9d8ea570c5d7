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

# whom the server takes itself for; initdb insists that the number belongs to a known user
_STAND_INS = ("postgres", "nobody", "daemon")


def prefix(*, owned: Sequence[Path], read: Path) -> list[str]:
    """What to put before a command so that it runs without root: nothing for ordinary users.

    `owned` are folders the command writes, `read` one it must be able to reach. Raises
    MendSettings where root has no way down.
    """
    if os.getuid() != 0:
        return []
    user = _stand_in()
    if _namespaces_work():
        return _namespace(user)
    return _other_user(user, owned, read)


def _stand_in() -> pwd.struct_passwd:
    users = {each.pw_name: each for each in pwd.getpwall() if each.pw_uid != 0}
    for name in _STAND_INS:
        if name in users:
            return users[name]
    raise MendSettings(
        "PostgreSQL does not run as root, and this system has no other user, not even nobody:"
        " add one, or start Kangban as an ordinary user."
    )


def _namespace(user: pwd.struct_passwd) -> list[str]:
    # a user namespace where root's own files belong to an ordinary user: nothing is handed over
    return ["unshare", "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}"]


@cache
def _namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*_namespace(_stand_in()), "true"], capture_output=True, check=False)
    return tried.returncode == 0


def _other_user(user: pwd.struct_passwd, owned: Sequence[Path], read: Path) -> list[str]:
    drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    refusal = MendSettings(
        "PostgreSQL does not run as root. This system allows no user namespaces, and its user"
        f" {user.pw_name} cannot reach {read} and {', '.join(map(str, owned))}."
        " Start Kangban as an ordinary user, or choose a folder with --data that all may enter."
    )
    if shutil.which("setpriv") is None:
        raise refusal
    for folder in owned:
        _hand_over(folder, user)
    reached = [*drop, "test", "-r", str(read)]
    for folder in owned:
        reached += ["-a", "-w", str(folder)]
    if subprocess.run(reached, capture_output=True, check=False).returncode != 0:
        raise refusal
    return drop


def _hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    for each in (folder, *folder.rglob("*")):
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)
