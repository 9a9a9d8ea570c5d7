"""The spool: what is kept stays kept, and nothing leaves before it is named."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway_agent.spool import KEEP_DELIVERED, Spool
from vitals.errors import MendSettings, TryAgain
from vitals.kinds import Kind
from vitals.measurement import Clock, Measurement, Reading, Value, place
from vitals.units import Unit

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
METER = "ble:F0:00:00:00:00:01"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "spool.sqlite"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    opened = Spool(path)
    yield opened
    opened.close()


def a_reading(sequence: int, *, value: float = 5.6, minutes: int = 0) -> Reading:
    return Reading(
        sequence=sequence,
        device_time=datetime(2026, 11, 22, 8, 0) + timedelta(minutes=sequence + minutes),  # noqa: DTZ001
        values=(Value(kind=Kind.GLUCOSE, value=value, unit=Unit.MMOL_PER_L),),
        raw=bytes([sequence % 256]),
    )


def placed(reading: Reading, *, drift_s: int = 0) -> tuple[Measurement, ...]:
    assert reading.device_time is not None
    taken_at = reading.device_time.replace(tzinfo=UTC) - timedelta(hours=8, seconds=drift_s)
    return place(
        reading, device=METER, taken_at=taken_at, clock=Clock.MEASURED, offset=timedelta(hours=-8)
    )


def keep(spool: Spool, sequence: int, *, resync: bool = False, drift_s: int = 0) -> bool:
    reading = a_reading(sequence)
    return spool.keep(
        reading,
        placed(reading, drift_s=drift_s),
        device=METER,
        resync=resync,
        last_sequence=sequence,
        now=NOW,
    )


def keep_until_full(spool: Spool, first: int) -> int:
    """The first record that the disk did not take."""
    for sequence in range(first, 5_000):
        try:
            keep(spool, sequence)
        except TryAgain:
            return sequence
    pytest.fail("the disk took everything")


def test_what_was_kept_waits_in_order_after_a_restart(path: Path) -> None:
    before = Spool(path)
    for sequence in (1, 2, 3):
        assert keep(before, sequence)
    before.close()
    after = Spool(path)
    assert [each.document["sequence"] for each in after.oldest(50)] == [1, 2, 3]
    assert after.known(METER).last_sequence == 3
    assert after.identity == before.identity
    after.close()


def test_a_record_that_is_read_again_is_no_news_even_when_the_clock_has_drifted(
    spool: Spool,
) -> None:
    assert keep(spool, 7)
    assert not keep(spool, 7, drift_s=40)
    assert spool.depth() == 1


def test_a_record_that_was_delivered_and_pruned_is_still_no_news(spool: Spool) -> None:
    keep(spool, 7)
    spool.forget([each.id for each in spool.oldest(50)], {}, now=NOW)
    spool.make_room()
    assert not keep(spool, 7, drift_s=40)
    assert spool.depth() == 0


def test_a_meter_that_counts_from_one_again_is_not_mistaken_for_its_past(spool: Spool) -> None:
    keep(spool, 1)
    later = a_reading(1, minutes=60 * 24)
    new = spool.keep(later, placed(later), device=METER, resync=False, last_sequence=1, now=NOW)
    assert new
    assert spool.depth() == 2


def test_the_same_values_twice_from_a_device_without_a_clock_are_two(spool: Spool) -> None:
    # such a device has no record numbers: its readings are numbered by their moment
    number = round(NOW.timestamp() * 1000)
    for moment in (number, number + 1000):
        reading = Reading(
            sequence=moment, device_time=None, values=(), raw=b"x", withheld="not_a_number"
        )
        assert spool.keep(reading, (), device=METER, resync=False, last_sequence=None, now=NOW)
    assert spool.withheld() == 2


def test_the_memory_of_a_meter_that_does_not_know_the_time_is_kept_once(spool: Spool) -> None:
    def keep_at(value: float, received_at: datetime) -> bool:
        reading = replace(a_reading(5, value=value), device_time=None)
        measurements = place(
            reading,
            device=METER,
            taken_at=received_at,
            clock=Clock.RECEIVED,
            offset=timedelta(),
        )
        return spool.keep(
            reading, measurements, device=METER, resync=False, last_sequence=5, now=received_at
        )

    assert keep_at(5.6, NOW)
    # it cannot count from a number and hands over everything at the next visit
    assert not keep_at(5.6, NOW + timedelta(minutes=1))
    assert spool.depth() == 1
    # counted from one again
    assert keep_at(7.1, NOW + timedelta(minutes=2))
    assert spool.depth() == 2


def test_a_withheld_reading_is_kept_and_counted_and_never_sent(spool: Spool) -> None:
    reading = Reading(
        sequence=4,
        device_time=datetime(2026, 11, 22, 8, 0),  # noqa: DTZ001
        values=(),
        raw=b"\x0a",
        withheld="control_solution",
    )
    assert spool.keep(reading, (), device=METER, resync=False, last_sequence=4, now=NOW)
    assert (spool.depth(), spool.withheld()) == (0, 1)
    assert spool.known(METER).last_sequence == 4


def test_an_envelope_is_all_resync_or_none(spool: Spool) -> None:
    keep(spool, 1, resync=True)
    keep(spool, 2, resync=True)
    keep(spool, 3)
    first = spool.oldest(50)
    assert [(each.document["sequence"], each.resync) for each in first] == [(1, True), (2, True)]
    rest = spool.oldest(50, after=first[-1].place)
    assert [(each.document["sequence"], each.resync) for each in rest] == [(3, False)]


def test_only_what_is_named_is_forgotten(spool: Spool) -> None:
    for sequence in range(1, 5):
        keep(spool, sequence)
    first, second, third, fourth = spool.oldest(50)
    done = spool.forget([first.id, "0000000000000000"], {second.id: ["too old"]}, now=NOW)
    assert done == 2
    assert [each.id for each in spool.oldest(50)] == [third.id, fourth.id]
    assert [(document["id"], why) for document, why in spool.rejected()] == [
        (second.id, ["too old"])
    ]


def test_a_receipt_that_comes_twice_is_harmless(spool: Spool) -> None:
    keep(spool, 1)
    (only,) = spool.oldest(50)
    assert spool.forget([only.id], {}, now=NOW) == 1
    assert spool.forget([only.id], {only.id: ["nonsense"]}, now=NOW) == 0
    assert spool.rejected() == []


def test_delivered_measurements_go_when_they_are_old_and_waiting_ones_stay(spool: Spool) -> None:
    keep(spool, 1)
    keep(spool, 2)
    (first, second) = spool.oldest(50)
    spool.forget([first.id], {}, now=NOW)
    later = NOW + KEEP_DELIVERED + timedelta(seconds=1)
    spool.forget([], {}, now=later)
    assert [each.id for each in spool.those([first.id, second.id])] == [second.id]


def test_a_full_disk_says_so_and_loses_nothing_that_was_kept(spool: Spool) -> None:
    keep(spool, 1)
    # SQLite's own way to be full: no page more than there are
    spool._base.execute("PRAGMA max_page_count = 1")
    sequence = keep_until_full(spool, 2)
    with pytest.raises(TryAgain, match="free some space"):
        keep(spool, sequence)
    kept = [each.document["sequence"] for each in spool.oldest(5_000)]
    assert kept == list(range(1, sequence))
    assert spool.known(METER).last_sequence == sequence - 1
    spool._base.execute("PRAGMA max_page_count = 1000000")
    assert keep(spool, sequence)


def test_what_was_delivered_makes_room_on_a_full_disk(spool: Spool) -> None:
    for sequence in range(1, 500):
        keep(spool, sequence)
    spool.forget([each.id for each in spool.oldest(1_000)], {}, now=NOW)
    spool._base.execute("PRAGMA max_page_count = 1")
    keep_until_full(spool, 500)
    waiting = spool.depth()
    spool.make_room()
    assert keep(spool, 6_000)
    assert spool.depth() == waiting + 1


def test_a_spool_that_cannot_be_opened_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(MendSettings, match="KANGBAN_GATEWAY_DATA"):
        Spool(tmp_path / "file" / "spool.sqlite")


def test_a_device_that_was_never_met_is_read_whole(spool: Spool) -> None:
    assert (spool.known(METER).last_sequence, spool.known(METER).whole) == (None, False)
    spool.note(METER, last_seen_at=NOW, about={"kind": "glucose_meter"}, clock_offset_s=-28800)
    keep(spool, 9, resync=True)
    assert not spool.known(METER).whole
    spool.read_to_the_end(METER, 9)
    known = spool.known(METER)
    assert (known.last_sequence, known.whole, known.clock_offset_s) == (9, True, -28800)
    assert known.last_seen_at == NOW


def test_whoever_watches_hears_of_each_change_until_he_stops(spool: Spool) -> None:
    heard: list[int] = []
    stop = spool.watch(lambda: heard.append(spool.depth()))
    keep(spool, 1)
    keep(spool, 2)
    stop()
    keep(spool, 3)
    assert heard == [1, 2]


def test_a_file_that_grows_too_large_loses_its_oldest_delivered_and_never_what_waits(
    path: Path,
) -> None:
    spool = Spool(path, most_bytes=800_000)
    for sequence in range(1, 2_001):
        keep(spool, sequence)
    assert spool.size_bytes() > 800_000
    assert "2000 measurements wait" in spool.troubles()["spool"]
    waiting = spool.oldest(2_000)
    # nothing was delivered: nothing may go
    spool.forget([], {}, now=NOW)
    assert spool.depth() == 2_000
    spool.forget([each.id for each in waiting[:1_500]], {}, now=NOW)
    assert spool.depth() == 500
    assert spool.size_bytes() <= 800_000
    assert spool.troubles() == {}
    spool.make_room()
    # the room is given back to the disk, not only within the file
    assert path.stat().st_size == spool.size_bytes()
    assert spool.depth() == 500
    spool.close()


def test_what_is_doubted_later_says_so_and_keeps_its_identity(spool: Spool) -> None:
    for sequence in (1, 2, 3):
        keep(spool, sequence)
    first, second, third = spool.oldest(50)
    spool.forget([first.id], {}, now=NOW)
    assert spool.doubt([first.id, second.id]) == 1
    after = spool.oldest(50)
    assert [(each.id, each.document["clock"]) for each in after] == [
        (second.id, "unsure"),
        (third.id, "measured"),
    ]
    assert after[0].document["taken_at"] == second.document["taken_at"]


def test_the_last_moment_of_the_spool_is_that_of_its_newest_measurement(spool: Spool) -> None:
    assert spool.last_spooled_at() is None
    keep(spool, 1)
    assert spool.last_spooled_at() == NOW


_KEEPER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_spool import METER, NOW, Spool, keep
spool = Spool(Path({path!r}))
begin = spool.depth() + 1
for sequence in range(begin, begin + 100_000):
    keep(spool, sequence)
    print(sequence, flush=True)
    if sequence % 7 == 0:
        spool.note(METER, last_seen_at=NOW, about={{}}, clock_offset_s=sequence)
        spool.make_room()
"""


def test_killing_the_gateway_at_any_moment_loses_nothing_that_it_had_kept(path: Path) -> None:
    chance = random.Random(7)
    code = _KEEPER.format(tests=str(Path(__file__).parent), path=str(path))
    promised = 0
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(chance.randint(1, 60)):
            promised = int(process.stdout.readline())
        # at whatever instruction it is by then
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.random() / 100)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        # what it had still said before it died was promised as well
        promised = int((process.stdout.read().split() or [str(promised)])[-1])
        after = Spool(path)
        kept = [each.document["sequence"] for each in after.oldest(100_000)]
        assert kept == list(range(1, len(kept) + 1))
        assert len(kept) >= promised
        assert after.known(METER).last_sequence == len(kept)
        after.close()
