"""The file of the spool: older releases, damage, power cuts, and a disk that is really full."""

import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from test_spool import METER, NOW, a_reading, keep, placed

from gateway_agent.spool import Spool
from gateway_agent.spool_schema import STEPS
from vitals.errors import TryAgain

# bytes of a page of the file, SQLite's default
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "g1.sqlite"


@pytest.fixture
def full(path: Path) -> Path:
    """A spool with 300 measurements, the first 100 delivered, closed in good order."""
    spool = Spool(path)
    spool.add_device(METER, now=NOW)
    for sequence in range(1, 301):
        keep(spool, sequence)
    spool.forget([each.id for each in spool.oldest(100)], {}, now=NOW)
    spool.close()
    return path


def sequences(spool: Spool) -> list[int]:
    return [each.document["sequence"] for each in spool.oldest(1_000)]


def an_older_spool(path: Path, steps: int) -> None:
    """As an earlier release left it: so many steps gone, and no word of it."""
    base = sqlite3.connect(path)
    for statement in (each for step in STEPS[:steps] for each in step):
        base.execute(statement)
    base.execute("INSERT INTO device (device, last_sequence, whole, last_seen_at) "
                 "VALUES ('ble:READ', 7, 1, '2026-11-01T00:00:00+00:00'), "
                 "('ble:HEARD', NULL, 0, '2026-11-01T00:00:00+00:00')")  # fmt: skip
    base.execute("INSERT INTO record VALUES ('ble:READ', 7, '2026-10-31T08:00:00')")
    base.execute("INSERT INTO measurement (id, document, resync, spooled_at) "
                 "VALUES ('abc', '{\"sequence\":7}', 0, '2026-11-01T00:00:00+00:00')")  # fmt: skip
    if steps > 1:
        base.execute("UPDATE device SET added_at = last_seen_at WHERE device = 'ble:READ'")
    base.commit()
    base.close()


@pytest.mark.parametrize("steps", [1, 2])
def test_a_spool_of_an_earlier_release_goes_on_with_what_it_had(path: Path, steps: int) -> None:
    an_older_spool(path, steps)
    spool = Spool(path)
    assert sequences(spool) == [7]
    devices = spool.devices()
    assert devices["ble:READ"].last_sequence == 7
    assert devices["ble:READ"].added_at is not None
    assert devices["ble:HEARD"].added_at is None
    # its memory of records was carried over: the record is no news
    reading = a_reading(7)
    assert spool._base.execute("SELECT own_time FROM record").fetchall() == [
        ("2026-10-31T08:00:00",)
    ]
    assert spool.keep(
        reading, placed(reading), device="ble:READ", resync=False, last_sequence=7, now=NOW
    )
    # and it can give room back from now on
    assert spool._base.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert spool._base.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    spool.close()
    again = Spool(path)
    assert sequences(again) == [7, 7]
    again.close()


def test_an_upgrade_that_is_broken_off_is_begun_again(path: Path) -> None:
    an_older_spool(path, 1)
    base = sqlite3.connect(path)
    # the table that the third step makes is there already: the step fails as a whole
    base.execute("CREATE TABLE command (id TEXT)")
    base.close()
    with pytest.raises(Exception, match="cannot be opened"):
        Spool(path)
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA user_version").fetchone() == (2,)
    assert "serial" not in {row[1] for row in base.execute("PRAGMA table_info(device)")}
    base.execute("DROP TABLE command")
    base.close()
    spool = Spool(path)
    assert sequences(spool) == [7]
    spool.close()


def test_a_file_that_is_no_spool_is_set_aside_and_the_gateway_goes_on(path: Path) -> None:
    path.write_bytes(b"no database at all " * 1_000)
    spool = Spool(path)
    assert keep(spool, 1)
    said = spool.troubles()["spool"]
    assert "g1.sqlite.broken-1" in said
    assert "devices must be added again" in said
    assert (path.parent / "g1.sqlite.broken-1").read_bytes().startswith(b"no database")
    spool.close()


@pytest.mark.parametrize("seed", range(6))
def test_what_can_be_read_of_a_damaged_spool_is_saved(full: Path, seed: int) -> None:
    chance = random.Random(seed)
    pages = full.stat().st_size // PAGE
    # never the first page: without it there is nothing to read
    bad = sorted(chance.sample(range(1, pages), 2))
    with full.open("r+b") as file:
        for each in bad:
            file.seek(each * PAGE)
            file.write(chance.randbytes(PAGE))
    spool = Spool(full)
    saved = sequences(spool)
    # a page holds about ten measurements; a bad page higher up in the tree costs those below it
    assert set(saved) <= set(range(101, 301))
    if spool.troubles():
        assert (full.parent / "g1.sqlite.broken-1").exists()
        assert len(list(full.parent.glob("*.mend*"))) == 0
    # and it works
    assert keep(spool, 1_000)
    assert 1_000 in sequences(spool)
    spool.close()
    again = Spool(full)
    assert 1_000 in sequences(again)
    again.close()


def test_a_bad_page_costs_the_measurements_on_it_and_no_others(full: Path) -> None:
    base = sqlite3.connect(full)
    (document,) = base.execute("SELECT document FROM measurement WHERE place = 200").fetchone()
    base.close()
    octets = full.read_bytes()
    page = octets.index(document.encode()) // PAGE
    with full.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xff" * PAGE)
    spool = Spool(full)
    saved = sequences(spool)
    assert 200 not in saved
    assert len(saved) >= 180
    assert {101, 102, 299, 300} <= set(saved)
    # the device is still one that a person added, and still known record by record
    assert spool.known(METER).added_at == NOW
    assert not keep(spool, 300)
    assert "measurements and 1 devices were saved; some rows" in spool.troubles()["spool"]
    spool.close()


def test_a_document_that_is_no_json_does_not_hold_up_what_stands_behind_it(full: Path) -> None:
    base = sqlite3.connect(full)
    base.execute("UPDATE measurement SET document = '{\"seq' WHERE place = 150")
    base.commit()
    base.close()
    with full.open("r+b") as file:
        # a page of an index: what the rows say is untouched, but the check fails
        root = sqlite3.connect(full).execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'measurement_waiting'"
        ).fetchone()[0]  # fmt: skip
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)
    spool = Spool(full)
    assert sequences(spool) == [each for each in range(101, 301) if each != 150]
    spool.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_power_cut_that_tears_the_log_leaves_a_whole_beginning(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    spool = Spool(path)
    for sequence in range(1, 41):
        keep(spool, sequence)
    # as the disk stood at that moment: the file, and a log of which the end never arrived
    torn = path.parent / "torn" / path.name
    torn.parent.mkdir()
    shutil.copy(path, torn)
    log = Path(f"{path}-wal").read_bytes()
    cut = chance.randrange(len(log))
    Path(f"{torn}-wal").write_bytes(log[:cut] + chance.randbytes(chance.choice((0, 500))))
    spool.close()
    after = Spool(torn)
    kept = sequences(after)
    assert kept == list(range(1, len(kept) + 1))
    assert after.troubles() == {}
    assert (after.known(METER).last_sequence or 0) == len(kept)
    assert keep(after, 41)
    after.close()


def test_damage_that_shows_in_mid_work_leads_to_a_sentence_and_not_to_an_end(full: Path) -> None:
    spool = Spool(full)
    # everything is in the file, nothing of it in memory
    spool._base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with full.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xff" * (full.stat().st_size - PAGE))
    spool._base.execute("PRAGMA shrink_memory")
    spool._base.execute("PRAGMA cache_size = 1")
    with pytest.raises(TryAgain, match="set aside"):
        sequences(spool)
    assert keep(spool, 500)
    assert "broken-1" in spool.troubles()["spool"]
    spool.close()


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_power_cut_while_a_spool_is_mended_loses_nothing(full: Path, moved: int) -> None:
    """The new file is whole; the damaged one and its log were moved as far as `moved`."""
    shutil.copy(full, f"{full}.mended")
    full.write_bytes(b"damaged")
    Path(f"{full}-wal").write_bytes(b"its log")
    if moved > 0:
        Path(f"{full}-wal").rename(f"{full}.broken-1-wal")
    if moved > 1:
        full.rename(f"{full}.broken-1")
    spool = Spool(full)
    assert sequences(spool) == list(range(101, 301))
    assert Path(f"{full}.broken-1").read_bytes() == b"damaged"
    assert Path(f"{full}.broken-1-wal").read_bytes() == b"its log"
    spool.close()


_ON_A_SMALL_DISK = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_spool import Spool, keep
from vitals.errors import TryAgain

def keep_all(sequence):
    try:
        while True:
            keep(spool, sequence + 1)
            sequence += 1
    except TryAgain as error:
        return sequence, "free some space" in str(error)

where = Path("/mnt/deep/g1.sqlite")
spool = Spool(where, reserve_bytes=1024 * 1024)
print(spool.has_room(), spool.troubles())
kept, said = keep_all(0)
print(kept, spool.depth(), said, "disk" in spool.troubles(), spool.has_room())
# the reserve was given up: what a cuff has sent is kept, and receipts are
print(keep(spool, kept + 1), spool.forget([each.id for each in spool.oldest(500)], {{}}, now=NOW))
# and even when that is used up, what was kept is there
spool.make_room()
kept, said = keep_all(kept + 1)
waits = spool.depth()
print(kept - 500 == waits, said, spool.has_room())
spool.close()
print(Spool(where).depth() == waits)
"""


def test_a_disk_that_is_really_full_keeps_what_it_has_and_goes_on_with_its_reserve() -> None:
    code = _ON_A_SMALL_DISK.format(tests=str(Path(__file__).parent)).replace(
        "import Spool, keep", "import NOW, Spool, keep"
    )
    command = 'mount -t tmpfs -o size=12m none /mnt && exec "$@"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", command, "sh", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no disk of its own can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    begun, full, reserve, again, reopened = (line.split() for line in done.stdout.splitlines())
    assert begun == ["True", "{}"]
    kept = int(full[0])
    assert kept > 1_000
    assert full[1:] == [str(kept), "True", "True", "False"]
    assert reserve == ["True", "500"]
    assert again == ["True", "True", "False"]
    assert reopened == ["True"]
