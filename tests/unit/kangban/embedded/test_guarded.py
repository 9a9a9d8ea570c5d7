"""A guarded program runs as long as its owner holds it: restarted if it falls, ended if let go."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kangban.embedded.guarded import FolderLock, Guarded
from vitals.errors import MendSettings, TryAgain

_PATIENCE_S = 20
# a server in one line: says that it is up, then waits for a signal
_UP = "import signal, sys; print('up', flush=True); "
_OBEDIENT = _UP + "signal.pause()"
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + _OBEDIENT


@pytest.fixture
def guarded(tmp_path) -> Iterator[Callable[..., Guarded]]:
    """Puts a line of Python under a guard; what it prints goes to the log."""
    made: list[Guarded] = []
    lock = FolderLock(tmp_path, patience_s=1)

    def start(*command: str, patience_s: float = 5) -> Guarded:
        each = Guarded(
            command,
            log=tmp_path / "log",
            lock=lock,
            stop=signal.SIGTERM,
            force=signal.SIGKILL,
            patience_s=patience_s,
        )
        made.append(each)
        return each

    yield start
    for each in made:
        each.stop()
    lock.release()


def python(line: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", line)


def ups(tmp_path: Path, times: int) -> Callable[[], bool]:
    return lambda: (tmp_path / "log").read_text().count("up\n") >= times


def ended(*pids: int) -> bool:
    for pid in pids:
        try:
            watched = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([watched], [], [], _PATIENCE_S)[0]:
                return False
        finally:
            os.close(watched)
    return True


def test_a_program_that_falls_is_started_again(guarded, tmp_path):
    server = guarded(*python(_OBEDIENT))
    for start in range(1, 4):
        server.wait_until(ups(tmp_path, start), patience_s=_PATIENCE_S)
        fallen = server.listen()
        os.kill(fallen, signal.SIGKILL)
        assert ended(fallen)
    server.wait_until(ups(tmp_path, 4), patience_s=_PATIENCE_S)
    assert server.falls == 3


def test_a_program_that_ends_by_itself_is_started_again_too(guarded, tmp_path):
    server = guarded(*python("print('up')"))
    server.wait_until(ups(tmp_path, 3), patience_s=_PATIENCE_S)
    assert server.falls >= 2


def test_letting_go_stops_program_and_guard(guarded, tmp_path):
    server = guarded(*python(_OBEDIENT))
    server.wait_until(ups(tmp_path, 1), patience_s=_PATIENCE_S)
    both = (server.listen(), server.guard_pid)
    server.stop()
    assert ended(*both)
    assert not server.is_guarded()


def test_a_program_that_does_not_listen_is_ended_by_force_after_the_patience(guarded, tmp_path):
    server = guarded(*python(_STUBBORN), patience_s=0.5)
    server.wait_until(ups(tmp_path, 1), patience_s=_PATIENCE_S)
    stubborn = server.listen()
    begun = time.monotonic()
    server.stop()
    assert ended(stubborn)
    assert 0.5 <= time.monotonic() - begun < 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_program_whose_guard_is_killed_does_not_outlive_it(guarded, tmp_path):
    server = guarded(*python(_OBEDIENT))
    server.wait_until(ups(tmp_path, 1), patience_s=_PATIENCE_S)
    program = server.listen()
    os.kill(server.guard_pid, signal.SIGKILL)
    assert ended(program)


def test_signals_for_the_owner_do_not_end_a_guard(guarded, tmp_path):
    server = guarded(*python(_OBEDIENT))
    server.wait_until(ups(tmp_path, 1), patience_s=_PATIENCE_S)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(server.guard_pid, each)
    fallen = server.listen()
    os.kill(fallen, signal.SIGKILL)
    server.wait_until(ups(tmp_path, 2), patience_s=_PATIENCE_S)
    assert server.is_guarded()


def test_a_program_that_never_starts_is_given_up_with_the_end_of_its_log(guarded):
    server = guarded(*python("import sys; sys.exit('no such port')"))
    with pytest.raises(TryAgain, match=r"(?s)does not start.*no such port"):
        server.wait_until(lambda: False, patience_s=_PATIENCE_S)


def test_a_program_that_is_not_there_is_given_up_by_name(guarded):
    server = guarded("/nowhere/mosquitto")
    with pytest.raises(TryAgain, match="/nowhere/mosquitto does not start"):
        server.wait_until(lambda: False, patience_s=_PATIENCE_S)


def test_a_program_that_starts_but_never_answers_is_given_up_after_the_patience(guarded, tmp_path):
    server = guarded(*python(_OBEDIENT))
    with pytest.raises(TryAgain, match="No answer for 1 s"):
        server.wait_until(lambda: False, patience_s=1)


def test_settings_of_another_postgres_do_not_reach_the_program(guarded, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPORT", "6543")
    server = guarded(*python("import os; print(sorted(k for k in os.environ if 'PG' in k), 'up')"))
    server.wait_until(ups(tmp_path, 1), patience_s=_PATIENCE_S)
    assert (tmp_path / "log").read_text().startswith("[] up\n")


_HOLD = """
import sys
from pathlib import Path
from kangban.embedded.guarded import FolderLock

lock = FolderLock(Path(sys.argv[1]), patience_s=1)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_in_use_names_its_owner(tmp_path, holder):
    with pytest.raises(MendSettings, match=f"process {holder.pid}.*--data"):
        FolderLock(tmp_path, patience_s=60)


def test_the_death_of_an_owner_frees_its_folder(tmp_path, holder):
    holder.kill()
    FolderLock(tmp_path, patience_s=60).release()


def test_a_released_folder_is_free(tmp_path):
    for _ in range(3):
        FolderLock(tmp_path, patience_s=0).release()
