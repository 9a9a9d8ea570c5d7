"""Our PostgreSQL in a folder: commits survive whoever is killed, and nothing is left behind."""

import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from kangban.embedded import privileges
from kangban.embedded.postgres import Postgres
from vitals.errors import MendSettings

_OWN = """
import sys
from pathlib import Path
from kangban.embedded.postgres import Postgres

server = Postgres(Path(sys.argv[1]), Path(sys.argv[2]))
server.start()
print(server.pid, server._server.guard_pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["embedded", "timescale"])
def server(request, private_postgres) -> Postgres:
    """A running PostgreSQL of each kind, which the test may kill."""
    return private_postgres(request.param)


@pytest.fixture
def owner(server: Postgres) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that owns the folder of `server`, which was stopped for it."""
    server.stop()
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN, str(server.data), str(server.binaries)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    yield process
    process.kill()
    process.communicate()


def pids_of(owner: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Postmaster and guard, once the owner's server answers."""
    assert owner.stdout is not None
    postmaster, guard = owner.stdout.readline().split()
    return int(postmaster), int(guard)


def ends(*pids: int, within_s: float = 30) -> bool:
    """Whether these processes end by themselves in that time."""
    with ExitStack() as open_files:
        for pid in pids:
            try:
                watched = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            open_files.callback(os.close, watched)
            if not select.select([watched], [], [], within_s)[0]:
                return False
    return True


def note(server: Postgres, value: int) -> None:
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (value int)")
        connection.execute("INSERT INTO note VALUES (%s)", (value,))


def notes(server: Postgres) -> list[int]:
    with psycopg.connect(server.url("postgres")) as connection:
        return [value for (value,) in connection.execute("SELECT value FROM note ORDER BY value")]


def test_a_folder_keeps_its_data_from_one_start_to_the_next(server):
    note(server, 1)
    server.stop()
    server.start()
    assert notes(server) == [1]


def test_a_killed_postmaster_is_started_again_with_all_that_was_committed(server):
    note(server, 1)
    before = server.pid
    os.kill(before, signal.SIGKILL)
    assert ends(before)
    server.wait(patience_s=30)
    assert server.pid != before
    note(server, 2)
    assert notes(server) == [1, 2]


def test_it_recovers_from_five_kills_in_a_row(server):
    for value in range(5):
        note(server, value)
        postmaster = server.pid
        os.kill(postmaster, signal.SIGKILL)
        assert ends(postmaster)
        server.wait(patience_s=30)
    assert notes(server) == list(range(5))


def test_a_killed_connection_does_not_take_the_server_along(server):
    note(server, 1)
    connection = psycopg.connect(server.url("postgres"))
    os.kill(connection.info.backend_pid, signal.SIGKILL)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    server.wait(patience_s=30)
    assert notes(server) == [1]


def test_a_stopped_server_leaves_no_process_and_no_socket(server):
    assert server._server is not None
    left = (server.pid, server._server.guard_pid)
    server.stop()
    assert ends(*left, within_s=0)
    assert list(server.socket.iterdir()) == []
    assert server.pid == 0
    assert not server.answers()


def test_a_killed_owner_leaves_no_orphan_and_the_next_one_finds_the_data(server, owner):
    postmaster, guard = pids_of(owner)
    note(server, 1)
    os.kill(owner.pid, signal.SIGKILL)
    server.start()  # at once, while the old server is still stopping
    assert notes(server) == [1]
    assert server.pid != postmaster
    assert ends(postmaster, guard)


def test_owner_and_guard_killed_together_leave_no_orphan_either(server, owner):
    postmaster, guard = pids_of(owner)
    note(server, 1)
    for pid in (guard, owner.pid):
        os.kill(pid, signal.SIGKILL)
    assert ends(postmaster), "the kernel stops a server whose guard died"
    server.start()
    assert notes(server) == [1]


def test_owner_guard_and_postmaster_killed_together_lose_nothing(server, owner):
    postmaster, guard = pids_of(owner)
    note(server, 1)
    for pid in (guard, owner.pid, postmaster):
        os.kill(pid, signal.SIGKILL)
    server.start()
    assert notes(server) == [1]


def test_a_server_that_outlived_everyone_is_found_and_stopped(server):
    note(server, 1)
    server.stop()
    # started by hand: nobody guards it, as after a crash on a system without parent-death signals
    stray = subprocess.Popen(
        [
            *privileges.prefix(owned=[server.data], read=server.binaries),
            *(server.binaries / "postgres", "-D", server.cluster, "-k", server.socket),
            *("-c", "listen_addresses="),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not server.answers():
            assert stray.poll() is None
        server.start()
        assert stray.wait(timeout=30) is not None
        assert notes(server) == [1]
    finally:
        stray.kill()
        stray.wait()


def test_a_recycled_process_number_does_not_keep_the_server_down(server):
    note(server, 1)
    server.stop()
    # a container that restarts gives old numbers to other programs: here, to this test
    (server.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{server.cluster}\n1\n5432\n")
    server.start()
    assert notes(server) == [1]


def test_a_killed_guard_is_replaced_while_the_owner_lives(server):
    note(server, 1)
    assert server._server is not None
    guard = server._server.guard_pid
    before = server.pid
    os.kill(guard, signal.SIGKILL)
    assert ends(before), "without its guard the server stops"
    while server._server.guard_pid == guard:
        """Our watcher has yet to notice."""
    server.wait(patience_s=30)
    note(server, 2)
    assert notes(server) == [1, 2]


def test_a_second_owner_is_told_who_holds_the_folder(server):
    other = Postgres(server.data, server.binaries)
    with pytest.raises(MendSettings, match=f"in use by process {os.getpid()}.*--data"):
        other.start()
    assert server.answers()


def test_a_first_start_cut_short_does_not_spoil_the_folder(tmp_path):
    half = tmp_path / "data" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with Postgres(tmp_path / "data") as server:
        note(server, 1)
        assert notes(server) == [1]


def test_nobody_else_may_look_into_the_folder_or_reach_the_socket(server):
    for folder in (server.data, server.cluster, server.socket):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert server.socket.is_relative_to(server.data) or server.socket.lstat().st_uid == os.getuid()
    with psycopg.connect(server.url("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_folder_too_deep_for_a_socket_gets_a_short_one(tmp_path):
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    with Postgres(deep) as server:
        assert not server.socket.is_relative_to(deep)
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        note(server, 1)
    with Postgres(deep) as server:
        assert notes(server) == [1]


def test_a_folder_with_spaces_and_chinese_letters_works(tmp_path):
    with Postgres(tmp_path / "my 数据 100%") as server:
        url = server.create_database("kangban")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("kangban",)


def test_making_a_database_twice_gives_the_same_one(server):
    url = server.create_database("kangban")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept ()")
    assert server.create_database("kangban") == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == ("kept",)


def test_texts_sort_by_code_point_and_cities_are_known(server):
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SELECT 'Z' < 'a', lower('Ä'), now() AT TIME ZONE 'Asia/Shanghai'")
        before, lowered, _ = row.fetchone() or (None, None, None)
    assert (before, lowered) == (True, "ä")


def test_data_of_another_version_is_refused_with_what_to_do(tmp_path):
    server = Postgres(tmp_path)
    server.start()
    server.stop()
    (server.cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(MendSettings, match=r"made by PostgreSQL 16.*--fresh"):
        server.start()


def test_a_server_that_cannot_start_says_why(tmp_path):
    server = Postgres(tmp_path, settings={"shared_buffers": "nonsense"})
    with pytest.raises(Exception, match=r"(?s)does not start.*shared_buffers"):
        server.start()
    server._settings["shared_buffers"] = "16MB"
    with server:
        assert server.answers()


@pytest.mark.skipif(os.getuid() != 0, reason="only root needs a way down")
class TestForRootWithoutNamespaces:
    @pytest.fixture(autouse=True)
    def _no_namespaces(self, monkeypatch):
        monkeypatch.setattr(privileges, "_namespaces_work", lambda: False)

    def test_another_user_runs_the_server(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            with Postgres(Path(folder) / "data") as server:
                note(server, 1)
                assert Path(f"/proc/{server.pid}").stat().st_uid != 0
                assert notes(server) == [1]

    def test_a_folder_that_user_cannot_reach_is_refused_with_what_to_do(self, tmp_path):
        tmp_path.chmod(0o700)
        with pytest.raises(MendSettings, match="ordinary user"):
            Postgres(tmp_path / "data").start()
