"""What a device corrects is kept as a revision: not lost, not doubled, and obeyed once."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from arriving import ABSENT, METER, NOW, delivery, glucose
from stored_home import CUFF, StoredHome

from ingest.load import Loader
from store import assignment, measurements, people, revisions
from store.inbox import Visit
from store.pool import open_pool, transaction
from vitals.errors import TryAgain
from vitals.kinds import Kind
from vitals.measurement import Flag, Meal
from vitals.units import Unit

HALF_AN_HOUR_LATER = -8 * 3600 + 1800


@pytest.fixture
def home(database: str) -> Iterator[StoredHome]:
    with open_pool(database, process="test") as pool:
        yield StoredHome(pool)


# -- which version stands --------------------------------------------------------------------------


def test_a_corrected_value_stands_and_the_one_before_is_kept(home: StoredHome) -> None:
    home.bring(delivery(glucose(1, value=5.6), glucose(2)))
    loaded = home.bring(delivery(glucose(1, value=6.1)))

    assert loaded.inserted == 0
    ((_, receipt),) = loaded.receipts
    assert receipt.committed == (glucose(1)["id"],)
    assert home.values == [6.1, 5.6]
    assert home.before == [5.6]
    assert home.wrong_days == []


def test_a_repeat_of_either_version_changes_nothing(home: StoredHome) -> None:
    old, new = delivery(glucose(1, value=5.6)), delivery(glucose(1, value=6.1))
    home.bring(old)
    home.bring(new)
    before = home.tables

    for repeat in ([old], [new], [new, old], [old, new], [old, old]):
        home.bring(*repeat, loader=Loader(home.pool))

    assert home.tables == before


def test_a_third_version_stands_over_the_second(home: StoredHome) -> None:
    for value in (5.6, 6.1, 5.9):
        home.bring(delivery(glucose(1, value=value)))

    assert home.values == [5.9]
    assert home.before == [5.6, 6.1]


def test_versions_that_come_in_one_envelope_are_taken_in_their_order(home: StoredHome) -> None:
    home.bring(
        delivery(*[glucose(1, value=each) for each in (5.6, 6.1, 5.6, 5.9)], glucose(2)),
        delivery(glucose(1, value=6.4), glucose(3)),
    )

    assert home.values == [6.4, 5.6, 5.6]
    assert home.before == [5.6, 6.1, 5.9]
    assert home.wrong_days == []


# caption: what the device says the second time; what was said first stays in the revision
@pytest.mark.parametrize(
    "changes",
    [
        {"value": 101, "unit": "mg/dL"},
        {"meal": "bedtime"},
        {"meal": ABSENT},
        {"flags": ["battery_low"]},
        {"user": 3},
    ],
)
def test_whatever_the_device_says_otherwise_is_a_correction(
    home: StoredHome, changes: dict[str, Any]
) -> None:
    home.bring(delivery(glucose(1)))
    home.do("DELETE FROM news")
    home.bring(delivery(glucose(1, **changes), glucose(2)))

    columns = "value, unit, slot, meal, flags"
    (now,) = home.ask(f"SELECT {columns} FROM measurement WHERE sequence = 1")
    (before,) = home.ask(f"SELECT {columns} FROM revision")
    (untouched,) = home.ask(f"SELECT {columns} FROM measurement WHERE sequence = 2")
    assert now != before
    assert before == untouched
    assert home.ask("SELECT patient_id FROM news") == [(home.mother,)]
    assert home.wrong_days == []


# caption: what the gateway says otherwise; it is no word of the device
@pytest.mark.parametrize("changes", [{"clock": "unsure"}, {"raw": "BAUG"}])
def test_what_only_the_gateway_says_otherwise_is_no_correction(
    home: StoredHome, changes: dict[str, Any]
) -> None:
    home.bring(delivery(glucose(1)))
    before = home.tables
    home.bring(delivery(glucose(1, **changes)))

    assert home.tables == before


def test_who_is_concerned_is_judged_again_and_the_moment_of_arrival_stays(home: StoredHome) -> None:
    home.bring(delivery(glucose(1, value=25.0)))
    arrived = home.ask("SELECT received_at, gateway_id FROM measurement")
    home.do("DELETE FROM news")
    home.bring(delivery(glucose(1, value=5.2)))

    assert home.ask("SELECT patient_id, earliest, latest FROM news") == [
        (home.mother, at, at) for (at,) in home.ask("SELECT taken_at FROM measurement")
    ]
    assert home.ask("SELECT received_at, gateway_id FROM measurement") == arrived
    assert home.ask("SELECT n, min, max FROM measurement_day") == [(1, 5.2, 5.2)]


# -- another gateway, another offset ---------------------------------------------------------------


@pytest.mark.parametrize("together", [False, True])
def test_a_correction_by_another_gateway_with_another_offset_finds_its_record(
    home: StoredHome, together: bool
) -> None:
    first = delivery(glucose(1, value=5.6), glucose(2))
    later = delivery(
        glucose(1, value=6.1, offset_s=HALF_AN_HOUR_LATER),
        glucose(2, offset_s=HALF_AN_HOUR_LATER),
        gateway="g2",
    )
    for load in [[first, later]] if together else [[first], [later]]:
        home.bring(*load)
    placed = home.ask("SELECT taken_at, clock_offset_s FROM measurement WHERE sequence = 1")
    for repeat in ([first], [later], [later, first]):
        home.bring(*repeat)

    assert home.values == [6.1, 5.6]
    assert home.before == [5.6]
    assert home.ask("SELECT taken_at, clock_offset_s FROM measurement WHERE sequence = 1") == placed
    assert placed[0][1] == -8 * 3600, "when it was, the first gateway has said"
    assert home.wrong_days == []


def test_a_gateway_that_came_between_two_messages_of_another_is_remembered(
    home: StoredHome,
) -> None:
    elsewhere = glucose(1, offset_s=HALF_AN_HOUR_LATER)
    home.bring(delivery(glucose(2)))
    home.bring(delivery(glucose(3)), delivery(elsewhere, gateway="g2"), delivery(glucose(4)))
    home.bring(delivery(glucose(1)))

    assert len(home.values) == 4


def test_a_memory_read_again_by_a_replaced_gateway_brings_its_corrections(home: StoredHome) -> None:
    home.bring(delivery(*[glucose(n) for n in range(1, 31)]))
    again = [
        glucose(n, offset_s=HALF_AN_HOUR_LATER, meal="casual" if n == 7 else "fasting")
        for n in range(1, 35)
    ]

    assert home.bring(delivery(*again, resync=True)).inserted == 4
    assert len(home.values) == 34
    assert home.ask("SELECT sequence FROM revision") == [(7,)]
    assert home.wrong_days == []


# caption: hours between the two places of one number and one time of the device; one record?
@pytest.mark.parametrize(("apart_h", "is_one"), [(1, True), (26, True), (26.001, False)])
def test_the_same_number_and_device_time_far_apart_are_two_records(
    home: StoredHome, apart_h: float, is_one: bool
) -> None:
    # a meter that lost its battery counts from one again, and its clock begins anew
    home.bring(delivery(glucose(1, value=5.6)))
    offset_s = -8 * 3600 + round(apart_h * 3600)
    home.bring(delivery(glucose(1, value=9.9, offset_s=offset_s), gateway="g2"))

    assert home.values == ([9.9] if is_one else [5.6, 9.9])
    assert home.wrong_days == []


@pytest.mark.parametrize("resync", [False, True])
def test_a_band_without_a_clock_that_counts_anew_corrects_nothing(
    home: StoredHome, resync: bool
) -> None:
    streamed = {"device_time": ABSENT, "clock_offset_s": ABSENT, "clock": "received"}
    home.bring(delivery(glucose(1, at=NOW - timedelta(hours=2), value=5.6, **streamed)))
    for gateway in ("g1", "g2"):
        ago = timedelta(hours=1, minutes=gateway == "g2")
        again = glucose(1, at=NOW - ago, value=5.9 if gateway == "g1" else 6.1, **streamed)
        home.bring(delivery(again, gateway=gateway, resync=resync))

    assert sorted(home.values) == [5.6, 5.9, 6.1]
    assert home.before == []


def test_the_same_record_of_a_band_without_a_clock_is_never_changed_by_a_reread(
    home: StoredHome,
) -> None:
    streamed = {"device_time": ABSENT, "clock_offset_s": ABSENT, "clock": "received"}
    home.bring(delivery(glucose(1, at=NOW - timedelta(hours=2), **streamed)))
    before = home.tables
    again = glucose(1, at=NOW, flags=["poor_signal"], **streamed)
    home.bring(delivery(again, again, resync=True))

    assert home.tables == before


# -- whose -----------------------------------------------------------------------------------------


def test_a_correction_stays_with_whom_a_person_gave_the_reading_to(home: StoredHome) -> None:
    with transaction(home.pool) as connection:
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=2)
    home.bring(delivery(glucose(1, device=CUFF)))
    (at,) = home.ask("SELECT taken_at FROM measurement")[0]
    with transaction(home.pool) as connection:
        assignment.give(
            connection,
            Visit(device_id=home.cuff, sequence=1, taken_at=at),
            patient_id=home.father,
            account_id=home.son,
            now=NOW,
        )
    home.bring(delivery(glucose(1, device=CUFF, value=6.1, user=2)))

    assert home.ask("SELECT patient_id, value FROM measurement") == [(home.father, 6.1)]
    assert home.wrong_days == []


def test_a_corrected_user_number_brings_the_reading_to_its_person(home: StoredHome) -> None:
    with transaction(home.pool) as connection:
        people.bind_device(connection, CUFF, patient_id=home.father, slot=1)
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=2)
    home.bring(delivery(glucose(1, device=CUFF, user=1), glucose(2, device=CUFF, user=1)))
    home.do("DELETE FROM news")
    home.bring(delivery(glucose(1, device=CUFF, user=2)))

    whose = home.ask("SELECT sequence, patient_id FROM measurement ORDER BY 1")
    assert whose == [(1, home.mother), (2, home.father)]
    assert home.ask("SELECT patient_id FROM news ORDER BY 1") == [(home.mother,), (home.father,)]
    assert home.wrong_days == []


def test_a_reading_that_waits_is_corrected_and_goes_on_waiting(home: StoredHome) -> None:
    home.bring(delivery(glucose(1, device=CUFF, value=5.6)))
    home.bring(delivery(glucose(1, device=CUFF, value=6.1), glucose(2)))

    assert home.ask("SELECT patient_id, value FROM measurement ORDER BY sequence") == [
        (None, 6.1),
        (home.mother, 5.6),
    ]
    assert home.ask("SELECT patient_id FROM news") == [(home.mother,)]
    assert home.wrong_days == []


def test_a_guest_s_reading_stays_aside_when_it_is_corrected(home: StoredHome) -> None:
    home.bring(delivery(glucose(1, device=CUFF)))
    home.do("UPDATE measurement SET set_aside = true")
    with transaction(home.pool) as connection:
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=2)
    home.bring(delivery(glucose(1, device=CUFF, user=2, value=6.1)))

    assert home.ask("SELECT patient_id, set_aside, value FROM measurement") == [(None, True, 6.1)]


# -- at once ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("gateways", [("g1", "g1", "g1"), ("g1", "g1", "g2")])
def test_workers_with_other_versions_at_once_keep_each_once(
    home: StoredHome, caplog: pytest.LogCaptureFixture, gateways: tuple[str, ...]
) -> None:
    """Three workers, in step: at each stroke all bring the same records, each its own version."""
    numbers = list(range(1, 21))
    home.bring(delivery(*[glucose(n, value=5.0) for n in numbers]))
    stroke = threading.Barrier(len(gateways))
    failures: list[BaseException] = []

    def work(turn: int, gateway: str) -> None:
        loader = Loader(home.pool)
        offset_s = -8 * 3600 if gateway == "g1" else HALF_AN_HOUR_LATER
        try:
            for of_stroke in range(4):
                value = 5.1 + of_stroke + turn / 10
                documents = [glucose(n, value=value, offset_s=offset_s) for n in numbers]
                stroke.wait(60)
                home.bring(delivery(*documents[:: (-1) ** turn], gateway=gateway), loader=loader)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=each) for each in enumerate(gateways)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(120)

    assert failures == []
    assert caplog.messages == [], "no load had to be taken apart"
    said = home.ask(
        "SELECT sequence, array_agg(value ORDER BY value) FROM ("
        " SELECT sequence, value FROM measurement UNION ALL SELECT sequence, value FROM revision"
        ") AS version GROUP BY 1 ORDER BY 1"
    )
    versions = [5.0, *sorted(5.1 + stroke + turn / 10 for stroke in range(4) for turn in range(3))]
    assert said == [(number, versions) for number in numbers]
    assert len(home.values) == len(numbers)
    assert home.wrong_days == []


def test_a_row_that_the_database_took_and_did_not_store_is_never_receipted(
    home: StoredHome,
) -> None:
    home.do(
        "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN CASE WHEN NEW.value <> 13 THEN NEW END; END $$"
    )
    home.do(
        "CREATE TRIGGER forget BEFORE INSERT ON measurement FOR EACH ROW EXECUTE FUNCTION forget()"
    )
    home.bring(delivery(glucose(1)))
    with pytest.raises(TryAgain, match="did not store"):
        home.bring(delivery(glucose(1), glucose(2, value=13), glucose(3)))

    assert home.values == [5.6]


# -- reading ---------------------------------------------------------------------------------------


def test_what_a_measurement_said_before_can_be_read(home: StoredHome) -> None:
    home.bring(delivery(glucose(1, value=5.6), glucose(2)))
    home.bring(delivery(glucose(2, value=101, unit="mg/dL", flags=["battery_low"], meal=ABSENT)))
    home.bring(delivery(glucose(2, value=6.1)))

    with transaction(home.pool) as connection:
        newest = measurements.newest(connection, home.mother)
        said = revisions.revisions(connection, newest.values())
        nothing = revisions.revisions(connection, [])
    ((key, (first, second)),) = said.items()
    assert key[:3] == (METER, Kind.GLUCOSE, 2)
    assert (first.value, first.unit, first.meal, first.flags) == (
        5.6,
        Unit.MMOL_PER_L,
        Meal.FASTING,
        (),
    )
    assert (second.value, second.unit, second.meal, second.flags) == (
        101,
        Unit.MG_PER_DL,
        None,
        (Flag.BATTERY_LOW,),
    )
    assert first.replaced_at < second.replaced_at
    assert nothing == {}
