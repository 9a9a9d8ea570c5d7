"""Room that is held back: taken when there is enough, given up when it is needed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway_agent.reserve import RESERVE_BYTES, Reserve


def free(monkeypatch: pytest.MonkeyPatch, octets: int) -> None:
    def disk_usage(_: Path) -> Any:
        return shutil._ntuple_diskusage(octets, 0, octets)  # type: ignore[attr-defined]

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)


def test_the_reserve_is_real_room_and_is_given_up_whole(tmp_path: Path) -> None:
    path = tmp_path / "g1.sqlite.reserve"
    reserve = Reserve(path, 100_000)
    assert not reserve.is_held
    assert reserve.hold()
    # not a hole in the file: the blocks are there
    assert path.stat().st_blocks * 512 >= 100_000
    reserve.give_up()
    assert (reserve.is_held, path.exists()) == (False, False)
    assert reserve.hold()


@pytest.mark.parametrize(("spare", "held"), [(0, True), (-1, False)])
def test_it_is_taken_only_where_as_much_is_free_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, held: bool
) -> None:
    free(monkeypatch, RESERVE_BYTES + 8 * 1024 * 1024 + spare)
    assert Reserve(tmp_path / "reserve", RESERVE_BYTES).hold() is held


def test_a_reserve_that_is_there_already_is_held_however_full_the_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Reserve(tmp_path / "reserve", 1_000).hold()
    free(monkeypatch, 0)
    assert Reserve(tmp_path / "reserve", 1_000).hold()
    assert not Reserve(tmp_path / "other", 1_000).hold()


def test_who_wants_no_reserve_always_has_it(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 0)
    reserve.give_up()
    assert reserve.hold()
    assert list(tmp_path.iterdir()) == []
