"""What the system says about other processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kangban.embedded.running import command_line, is_running, is_taken, started_as, works_in


def test_this_process_runs_and_says_how_it_was_started():
    assert is_running(os.getpid())
    assert Path(sys.executable).name in command_line(os.getpid())


def test_a_dead_child_has_a_number_but_does_not_run_until_it_is_waited_for():
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_taken(child.pid)
    assert not is_running(child.pid)
    child.communicate()
    assert not is_taken(child.pid)
    assert command_line(child.pid) == ""


@pytest.mark.parametrize("pid", [0, -1])
def test_a_number_that_no_process_can_have_is_not_asked_for(pid):
    # kill(0) and kill(-1) would mean groups of processes
    assert not is_taken(pid)
    assert not is_running(pid)


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="this system does not tell")
def test_a_folder_is_known_to_be_worked_in(tmp_path):
    assert not works_in(tmp_path)
    with subprocess.Popen(["cat"], cwd=tmp_path, stdin=subprocess.PIPE) as child:
        assert works_in(tmp_path)
        child.communicate()
    assert not works_in(tmp_path)


def test_a_process_is_found_by_all_its_words_and_not_by_some(tmp_path):
    words = ["cat", "-u", "-", str(tmp_path / "of this test only")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        while command_line(child.pid).split()[:1] != ["cat"]:
            """Between fork and exec."""
        assert started_as(words) == [child.pid]
        assert started_as(words[:2]) == []
        child.communicate()
    assert started_as(words) == []
