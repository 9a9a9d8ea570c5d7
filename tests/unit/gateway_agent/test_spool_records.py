"""A record that comes again is no news, and what its device has corrected is passed on once."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_spool import METER, NOW, a_reading, keep

from gateway_agent import spool_records as module
from gateway_agent.spool import Spool
from gateway_agent.spool_schema import STEPS
from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal, Reading, Value, identity, place
from vitals.units import Unit

HOUR = timedelta(hours=1)
# the offset by which the first visit placed what the device said
MEASURED = timedelta(hours=-8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "g1.sqlite"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    opened = Spool(path)
    yield opened
    opened.close()


FIRST = a_reading(7)
MARKED = replace(FIRST, meal=Meal.POSTPRANDIAL, raw=b"with its context")


def glucose(value: float, unit: Unit = Unit.MMOL_PER_L) -> tuple[Value, ...]:
    return (Value(kind=Kind.GLUCOSE, value=value, unit=unit),)


def cuff(systolic: float, *, pulse: float | None = None, user: int | None = None) -> Reading:
    said = {Kind.SYSTOLIC: systolic, Kind.DIASTOLIC: 80.0}
    values = [Value(kind=kind, value=each, unit=Unit.MMHG) for kind, each in said.items()]
    if pulse is not None:
        values.append(Value(kind=Kind.PULSE, value=pulse, unit=Unit.PER_MINUTE))
    return replace(FIRST, values=tuple(values), user=user)


def read(
    spool: Spool,
    reading: Reading,
    *,
    offset: timedelta = MEASURED,
    clock: Clock = Clock.MEASURED,
    device: str = METER,
) -> bool:
    """One reading as a visit keeps it; whether it was a new record."""
    at = NOW if reading.device_time is None else reading.device_time.replace(tzinfo=UTC) + offset
    placed = place(reading, device=device, taken_at=at, clock=clock, offset=offset)
    return spool.keep(reading, placed, device=device, resync=False, last_sequence=7, now=NOW)


def deliver(spool: Spool) -> list[dict[str, Any]]:
    """What the spool sends until receipts have named all, in its order."""
    sent = []
    while waiting := spool.oldest(50):
        sent += [{"resync": each.resync, **each.document} for each in waiting]
        assert spool.forget([each.id for each in waiting], {}, now=NOW) == len(waiting)
    assert spool.depth() == 0
    return sent


# -- what is a correction --------------------------------------------------------------------------


# caption: what the device says when it sends its memory again
@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"values": glucose(6.1)}, "value", 6.1),
        ({"values": glucose(5.6, Unit.MG_PER_DL)}, "unit", "mg/dL"),
        ({"user": 2}, "user", 2),
        ({"meal": Meal.POSTPRANDIAL}, "meal", "postprandial"),
        ({"flags": (Flag.BATTERY_LOW,)}, "flags", ["battery_low"]),
    ],
)
def test_whatever_a_device_says_otherwise_of_a_record_is_passed_on_under_an_id_of_its_own(
    spool: Spool, changes: dict[str, Any], field: str, says: object
) -> None:
    read(spool, FIRST)
    # no new record: the numbers of the device have not begun anew
    assert not read(spool, replace(FIRST, **changes))

    before, after = deliver(spool)
    assert after[field] == says
    assert before.get(field) != says
    assert before["id"] != after["id"]
    # the server looks for the record whoever brought it, and under whatever time
    assert (before["resync"], after["resync"]) == (False, True)
    same = ("device", "kind", "sequence", "taken_at", "device_time")
    assert [before[each] for each in same] == [after[each] for each in same]


def test_what_a_record_said_first_keeps_the_id_of_earlier_releases(spool: Spool) -> None:
    read(spool, FIRST)
    read(spool, MARKED)
    first, _ = deliver(spool)
    assert first["id"] == identity(
        device=METER,
        kind=Kind.GLUCOSE,
        sequence=7,
        taken_at=datetime(2026, 11, 22, 0, 7, tzinfo=UTC),
    )


# caption: what is no word of the device
@pytest.mark.parametrize(
    "changes", [{"raw": b"other bytes"}, {"flags": (Flag.BATTERY_LOW, Flag.BATTERY_LOW)}]
)
def test_other_bytes_that_say_the_same_are_no_correction(
    spool: Spool, changes: dict[str, Any]
) -> None:
    first = replace(FIRST, flags=(Flag.BATTERY_LOW,))
    read(spool, first)
    assert not read(spool, replace(first, **changes))
    assert len(deliver(spool)) == 1


def test_flags_in_another_order_are_no_correction(spool: Spool) -> None:
    flags = (Flag.BODY_MOVEMENT, Flag.CUFF_LOOSE)
    read(spool, replace(FIRST, flags=flags))
    read(spool, replace(FIRST, flags=flags[::-1]))
    assert len(deliver(spool)) == 1


def test_a_device_that_goes_back_and_forth_is_passed_on_once_for_each_wording(
    path: Path,
) -> None:
    wordings = {"A": FIRST, "B": MARKED, "C": replace(FIRST, values=glucose(6.1))}
    sent = []
    for wording in "ABABACABCCBA":
        # each visit by a gateway that was started anew, and of which all was delivered and pruned
        spool = Spool(path)
        read(spool, wordings[wording])
        sent += deliver(spool)
        spool.make_room()
        spool.close()
    assert [(each["value"], each.get("meal")) for each in sent] == [
        (5.6, None),
        (5.6, "postprandial"),
        (6.1, None),
    ]
    assert len({each["id"] for each in sent}) == 3


def test_only_the_values_that_a_cuff_has_corrected_are_sent_again(spool: Spool) -> None:
    read(spool, cuff(142.0))
    assert [each["kind"] for each in deliver(spool)] == ["systolic", "diastolic"]
    read(spool, cuff(124.0))
    assert [(each["kind"], each["value"]) for each in deliver(spool)] == [("systolic", 124.0)]
    # another person measured: that is said of both
    read(spool, cuff(124.0, user=2))
    assert [(each["kind"], each["user"]) for each in deliver(spool)] == [
        ("systolic", 2),
        ("diastolic", 2),
    ]


def test_a_value_that_a_record_did_not_have_before_is_the_first_of_its_kind(spool: Spool) -> None:
    read(spool, cuff(142.0))
    deliver(spool)
    read(spool, cuff(142.0, pulse=70.0), offset=MEASURED + HOUR)
    (pulse,) = deliver(spool)
    taken_at = datetime(2026, 11, 22, 0, 7, tzinfo=UTC)
    assert (pulse["kind"], pulse["taken_at"]) == ("pulse", "2026-11-22T00:07:00Z")
    assert pulse["id"] == identity(device=METER, kind=Kind.PULSE, sequence=7, taken_at=taken_at)


def test_a_record_without_the_devices_own_time_is_never_corrected(spool: Spool) -> None:
    timeless = replace(FIRST, device_time=None)
    assert read(spool, timeless, clock=Clock.RECEIVED)
    assert not read(spool, replace(timeless, meal=Meal.FASTING), clock=Clock.RECEIVED)
    assert len(deliver(spool)) == 1
    # a stream is numbered by its moment, and every moment is another
    live = replace(timeless, sequence=round(NOW.timestamp() * 1000))
    assert [read(spool, live), read(spool, live)] == [True, True]


def test_the_same_number_and_time_of_another_device_corrects_nothing(spool: Spool) -> None:
    assert read(spool, FIRST)
    assert read(spool, MARKED, device="ble:OTHER")
    assert [each["resync"] for each in deliver(spool)] == [False, False]


# -- when it was, and in which order it leaves -----------------------------------------------------


# caption: how the second visit would place the record
@pytest.mark.parametrize(
    ("offset", "clock"),
    [
        # the clock has drifted
        (MEASURED + timedelta(seconds=40), Clock.MEASURED),
        # a new battery: by what its clock shows now, the record lies forty days off
        (MEASURED + timedelta(days=40), Clock.UNSURE),
    ],
)
def test_a_correction_stays_at_the_moment_at_which_its_record_was_placed_first(
    spool: Spool, offset: timedelta, clock: Clock
) -> None:
    read(spool, FIRST)
    read(spool, MARKED, offset=offset, clock=clock)
    placements = [
        (each["taken_at"], each["clock"], each["clock_offset_s"]) for each in deliver(spool)
    ]
    assert placements == [("2026-11-22T00:07:00Z", "measured", -8 * 3600)] * 2


@pytest.mark.parametrize("refused", [False, True])
def test_a_correction_waits_until_what_it_corrects_is_named(spool: Spool, refused: bool) -> None:
    # of two versions, the server lets stand what came last; an envelope may be lost on its way
    for reading in (FIRST, MARKED, replace(FIRST, values=glucose(6.1)), a_reading(8)):
        read(spool, reading)
    sent = []
    while waiting := spool.oldest(50):
        (each,) = waiting
        assert spool.oldest(50, after=each.place) == [] or each.document["value"] == 6.1
        sent.append((each.document["sequence"], each.document["value"], "meal" in each.document))
        reasons = {each.id: ["not plausible"]} if refused else {}
        spool.forget([] if refused else [each.id], reasons, now=NOW)
    assert sent == [(7, 5.6, False), (7, 5.6, True), (7, 6.1, False), (8, 5.6, False)]


def test_a_receipt_names_one_version_and_not_the_other(spool: Spool) -> None:
    read(spool, FIRST)
    read(spool, MARKED)
    (first,) = spool.oldest(50)
    spool.forget([first.id], {}, now=NOW)
    # the same receipt once more, for the same envelope came twice
    spool.forget([first.id], {}, now=NOW)
    assert [each.document.get("meal") for each in spool.oldest(50)] == ["postprandial"]


# -- withheld readings -----------------------------------------------------------------------------


def test_a_reading_that_was_withheld_and_has_a_value_now_is_passed_on_once(spool: Spool) -> None:
    withheld = replace(FIRST, values=(), withheld="not_a_number")
    assert read(spool, withheld)
    assert not read(spool, FIRST)
    # placed by its first value from then on
    assert not read(spool, MARKED, offset=MEASURED + HOUR)
    assert not read(spool, withheld)
    assert [each["taken_at"] for each in deliver(spool)] == ["2026-11-22T00:07:00Z"] * 2
    assert spool.withheld() == 1


def test_a_value_that_the_device_takes_back_is_kept_as_withheld_once(spool: Spool) -> None:
    read(spool, FIRST)
    for _ in range(2):
        assert not read(spool, replace(FIRST, values=(), withheld="control_solution"))
    assert len(deliver(spool)) == 1
    assert spool.withheld() == 1


# -- how far the memory goes back ------------------------------------------------------------------


def test_the_memory_of_records_is_bounded_by_what_a_device_could_send_again(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORDS", 10)
    for sequence in range(1, 31):
        keep(spool, sequence)
    other = a_reading(1)
    spool.keep(other, (), device="ble:OTHER", resync=False, last_sequence=1, now=NOW)
    spool.read_to_the_end(METER, 30)
    rows = spool._base.execute("SELECT sequence FROM record WHERE device = ?", (METER,)).fetchall()
    assert sorted(sequence for (sequence,) in rows) == list(range(21, 31))
    assert not keep(spool, 21)
    # the other device's memory is its own
    assert not spool.keep(other, (), device="ble:OTHER", resync=False, last_sequence=1, now=NOW)


def test_a_device_that_corrects_without_end_fills_no_disk_and_pushes_no_record_out(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORDS", 10)
    for sequence in range(1, 6):
        keep(spool, sequence)
    for tenth in range(60, 100):
        read(spool, a_reading(3, value=tenth / 10))
    spool.read_to_the_end(METER, 5)
    assert spool._base.execute("SELECT count(*) FROM correction").fetchone() == (10,)
    sent = deliver(spool)
    spool.make_room()
    assert [keep(spool, sequence) for sequence in range(1, 6)] == [False] * 5
    # a wording that was forgotten is sent once more, by the name that it had
    for value in (6.0, 9.9):
        read(spool, a_reading(3, value=value))
    assert deliver(spool) == [each for each in sent if each["value"] == 6.0]


def test_a_record_that_an_earlier_release_has_read_is_no_news_and_may_be_corrected(
    path: Path,
) -> None:
    base = sqlite3.connect(path)
    before = STEPS[:4]
    for statement in (each for step in before for each in step):
        base.execute(statement)
    base.execute(f"PRAGMA user_version = {len(before)}")
    base.execute(
        "INSERT INTO record (device, sequence, own_time) VALUES (?, 7, '2026-11-22T08:07:00')",
        (METER,),
    )
    base.execute(
        "INSERT INTO record (device, sequence, own_time) "
        "VALUES (?, 9, 'unknown, glucose 5.6 mmol/L')",
        (METER,),
    )
    base.commit()
    base.close()
    spool = Spool(path)
    timeless = replace(a_reading(9), device_time=None)
    # what it said then was not written down: it is taken to have been what it says now
    for _ in range(2):
        assert not read(spool, FIRST)
        assert not read(spool, timeless, clock=Clock.RECEIVED)
    assert spool.depth() == 0
    for hour in range(3):
        assert not read(spool, MARKED, offset=MEASURED + hour * HOUR)
        assert not read(spool, FIRST, offset=MEASURED + hour * HOUR)
    (only,) = deliver(spool)
    assert (only["meal"], only["resync"]) == ("postprandial", True)
    spool.close()


def test_a_damaged_spool_takes_its_corrections_along(path: Path) -> None:
    spool = Spool(path)
    read(spool, FIRST)
    read(spool, MARKED)
    deliver(spool)
    spool.make_room()
    for sequence in range(100, 400):
        keep(spool, sequence)
    spool.close()
    with path.open("r+b") as file:
        root = sqlite3.connect(path).execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'measurement_waiting'"
        ).fetchone()[0]  # fmt: skip
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    spool = Spool(path)
    assert "were saved" in spool.troubles()["spool"]
    waiting = spool.depth()
    assert not read(spool, MARKED)
    assert not read(spool, FIRST)
    assert spool.depth() == waiting
    spool.close()
