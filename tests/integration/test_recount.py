"""Each day says what its measurements say, whatever happens to them and in whatever order."""

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from arriving import METER, NOW, delivery, glucose
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from stored_home import CUFF, StoredHome

from ingest.load import Loader
from ingest.rollup import exact
from store import assignment, intake, people, recount, zone
from store.inbox import Visit
from store.pool import open_pool, transaction
from vitals.errors import MendData

# a database is behind each example, and a busy machine is slow, not wrong
BRIEF = settings(
    max_examples=20,
    deadline=None,
    # to make a failing example smaller takes longer than to read it
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# whole hours and quarters, a midnight that is missing or comes twice, a day that was left out
ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
# clocks change there, or a chunk of the hypertable ends: its weeks begin on Thursdays in UTC
DANGEROUS = [
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 10, 27, 1, tzinfo=UTC),
    datetime(2024, 11, 3, 5, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),
    datetime(2024, 11, 14, tzinfo=UTC),
    datetime(2024, 11, 20, 16, tzinfo=UTC),
]
HALF_AN_HOUR = 1800


@pytest.fixture
def home(database: str) -> Iterator[StoredHome]:
    with open_pool(database, process="test", max_size=10) as pool:
        made = StoredHome(pool)
        with transaction(pool) as connection:
            people.bind_device(connection, CUFF, patient_id=made.father, slot=1)
            people.bind_device(connection, CUFF, patient_id=made.mother, slot=2)
        yield made


def counted_by_hand(home: StoredHome) -> dict[Any, Any]:
    """The days as Python's calendar and exact numbers count them."""
    zones = dict(home.ask("SELECT id, timezone FROM patient"))
    days: dict[Any, list[tuple[float, datetime]]] = {}
    for patient, kind, unit, at, value in home.ask(
        "SELECT patient_id, kind, unit, taken_at, value FROM measurement"
        " WHERE patient_id IS NOT NULL"
    ):
        day = at.astimezone(ZoneInfo(zones[patient])).date()
        days.setdefault((patient, kind, unit, day), []).append((value, at))
    return {
        key: (
            len(found),
            sum((exact(value) for value, _ in found), start=Decimal(0)),
            min(value for value, _ in found),
            max(value for value, _ in found),
            min(at for _, at in found),
            max(at for _, at in found),
        )
        for key, found in days.items()
    }


def kept(home: StoredHome) -> dict[Any, Any]:
    rows = home.ask(
        "SELECT patient_id, kind, unit, local_day, n, sum, min, max, first_at, last_at"
        " FROM measurement_day"
    )
    return {row[:4]: row[4:] for row in rows}


# -- whatever happens ------------------------------------------------------------------------------

MOMENTS = st.builds(
    lambda around, minutes: around + timedelta(minutes=minutes),
    st.sampled_from(DANGEROUS),
    st.integers(-200, 200),
)
WORDS = st.one_of(
    st.fixed_dictionaries(
        {"value": st.sampled_from([3.9, 5.6, 7.2, 0.1 + 10.2]), "unit": st.just("mmol/L")}
    ),
    st.fixed_dictionaries({"value": st.sampled_from([71, 101, 333 / 3]), "unit": st.just("mg/dL")}),
)
READINGS = st.tuples(
    st.integers(1, 12),  # number
    MOMENTS,
    WORDS,
    st.sampled_from([(METER, None), (CUFF, None), (CUFF, 1), (CUFF, 2)]),
)
STEPS = st.one_of(
    # late, repeated and corrected readings: a number with another moment is another reading, a
    # gateway with another clock moves what only it has seen
    st.tuples(
        st.just("load"),
        st.lists(READINGS, min_size=1, max_size=6),
        st.sampled_from([("g1", 0), ("g1", 0), ("g2", HALF_AN_HOUR)]),
        st.booleans(),
    ),
    st.tuples(st.just("correct"), st.randoms(use_true_random=False), WORDS),
    st.tuples(st.just("delete"), st.randoms(use_true_random=False), st.booleans()),
    st.tuples(st.just("move"), st.randoms(use_true_random=False)),
    st.tuples(st.just("zone"), st.booleans(), st.sampled_from(ZONES)),
)


def document(reading: Any, offset_s: int = 0) -> dict[str, Any]:
    number, at, words, (device, user) = reading
    shown = {
        "device_time": at.replace(tzinfo=None).isoformat(),
        "clock_offset_s": offset_s,
        **({} if user is None else {"user": user}),
    }
    placed = at + timedelta(seconds=offset_s)
    return glucose(number, device=device, at=placed, **words, **shown)


def take(home: StoredHome, known: list[Any], step: Any) -> None:
    match step:
        case ("load", readings, (gateway, offset_s), resync):
            known += [(each, gateway, offset_s) for each in readings]
            documents = [document(each, offset_s) for each in readings]
            home.bring(delivery(*documents, gateway=gateway, resync=resync))
        case ("correct", chance, words) if known:
            (number, at, _, whose), gateway, offset_s = chance.choice(known)
            home.bring(delivery(document((number, at, words, whose), offset_s), gateway=gateway))
        case ("delete", chance, whole):
            delete(home, chance, whole=whole)
        case ("move", chance):
            move(home, chance)
        case ("zone", of_mother, name):
            patient = home.mother if of_mother else home.father
            with transaction(home.pool) as connection:
                zone.set_zone(connection, patient_id=patient, timezone=name)


def delete(home: StoredHome, chance: random.Random, *, whole: bool) -> None:
    """As an erasure would: the rows, and then what is counted of them."""
    with transaction(home.pool) as connection:
        stored = connection.execute(
            "SELECT patient_id, kind, unit, taken_at, sequence, device_id FROM measurement"
            " ORDER BY 5, 4, 6"
        ).fetchall()
        gone = chance.sample(stored, min(len(stored), 3))
        for _, _, _, taken_at, sequence, device_id in gone:
            connection.execute(
                "DELETE FROM measurement WHERE (taken_at, sequence, device_id) = (%s, %s, %s)",
                (taken_at, sequence, device_id),
            )
        if whole:
            for patient in (home.mother, home.father):
                recount.recount_patient(connection, patient)
            return
        touched = [
            recount.Touched(patient_id=patient, kind=kind, unit=unit, taken_at=taken_at)
            for patient, kind, unit, taken_at, _, _ in gone
            if patient is not None
        ]
        recount.recount_rows(connection, touched)


def move(home: StoredHome, chance: random.Random) -> None:
    stored = home.ask(
        "SELECT device_id, sequence, taken_at, patient_id FROM measurement ORDER BY 1, 2, 3"
    )
    if not stored:
        return
    device_id, sequence, taken_at, patient = chance.choice(stored)
    visit = Visit(device_id=device_id, sequence=sequence, taken_at=taken_at)
    who = {"account_id": home.son, "now": NOW}
    with transaction(home.pool) as connection:
        if patient is None:
            assignment.give(connection, visit, patient_id=home.father, **who)
        elif chance.random() < 0.5:
            assignment.release(connection, visit, patient_id=patient, **who)
        else:
            other = home.mother if patient == home.father else home.father
            assignment.hand_over(connection, visit, patient_id=patient, to=other, **who)


@BRIEF
@given(steps=st.lists(STEPS, min_size=2, max_size=9))
def test_a_day_says_what_a_recount_says_whatever_happened(
    home: StoredHome, steps: list[Any]
) -> None:
    home.forget_all()
    known: list[Any] = []
    for step in steps:
        take(home, known, step)

    assert kept(home) == counted_by_hand(home)
    assert home.wrong_days == []


def load_forty(home: StoredHome, first: int, device: str, user: int | None) -> None:
    """Forty readings, every third of them corrected and repeated."""
    loader = Loader(home.pool)
    for number in range(first, first + 40):
        at = DANGEROUS[number % 7] + timedelta(minutes=number)
        said, corrected = (
            delivery(document((number, at, {"value": value, "unit": unit}, (device, user))))
            for value, unit in ((5.6, "mmol/L"), (101, "mg/dL"))
        )
        home.bring(said, loader=loader)
        if number % 3 == 0:
            home.bring(corrected, said, loader=loader)


def travel(home: StoredHome, patient: int) -> None:
    for name in ZONES * 2:
        with transaction(home.pool) as connection:
            zone.set_zone(connection, patient_id=patient, timezone=name)
        # at every moment, not only at the end: the next journey would mend what this one spoilt
        assert home.wrong_days == []


def hand_around(home: StoredHome) -> None:
    chance = random.Random(20261124)
    for _ in range(30):
        move(home, chance)


def test_loads_corrections_moves_and_journeys_at_once_leave_no_day_wrong(
    home: StoredHome,
) -> None:
    failures: list[BaseException] = []

    def watched(work: Any, *parts: Any) -> None:
        try:
            work(home, *parts)
        except BaseException as error:
            failures.append(error)

    workers = [
        threading.Thread(target=watched, args=parts)
        for parts in (
            (load_forty, 0, METER, None),
            (load_forty, 20, METER, None),
            (load_forty, 100, CUFF, 1),
            (load_forty, 120, CUFF, 2),
            (travel, home.mother),
            (travel, home.father),
            (hand_around,),
        )
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join(120)

    assert failures == []
    assert kept(home) == counted_by_hand(home)


# -- another zone ----------------------------------------------------------------------------------


def test_a_journey_counts_every_day_anew_and_has_the_patient_judged_again(
    home: StoredHome,
) -> None:
    at = datetime(2024, 11, 1, 20, tzinfo=UTC)
    home.bring(delivery(glucose(1, at=at), glucose(2, at=at + timedelta(hours=5))))
    home.do("DELETE FROM news")
    with transaction(home.pool) as connection:
        counted = zone.set_zone(connection, patient_id=home.mother, timezone="America/Havana")

    assert [key[3] for key in sorted(kept(home))] == [date(2024, 11, 1)]
    assert {(each.local_day, each.had, each.has) for each in counted} == {
        (date(2024, 11, 2), 2, 0),
        (date(2024, 11, 1), 0, 2),
    }
    assert home.ask("SELECT patient_id, latest FROM news") == [
        (home.mother, at + timedelta(hours=5))
    ]
    home.bring(delivery(glucose(3, at=at + timedelta(hours=8))))
    assert kept(home) == counted_by_hand(home)


def test_a_journey_within_the_same_hours_changes_no_day(home: StoredHome) -> None:
    home.bring(delivery(glucose(1)))
    received = home.ask("SELECT received_at FROM measurement_day")
    with transaction(home.pool) as connection:
        counted = zone.set_zone(connection, patient_id=home.mother, timezone="Asia/Singapore")

    assert counted == []
    assert home.ask("SELECT received_at FROM measurement_day") == received


def test_a_zone_or_a_patient_that_nobody_knows_is_refused(home: StoredHome) -> None:
    for patient, name in ((home.mother, "Mars/Olympus"), (0, "Asia/Tokyo")):
        with pytest.raises(MendData), transaction(home.pool) as connection:
            zone.set_zone(connection, patient_id=patient, timezone=name)


def test_a_journey_waits_for_a_load_that_runs_and_loads_wait_for_it(home: StoredHome) -> None:
    moved = threading.Event()

    def travel() -> None:
        with transaction(home.pool) as connection:
            zone.set_zone(connection, patient_id=home.mother, timezone="Europe/Berlin")
        moved.set()

    with transaction(home.pool) as connection:
        ground = intake.lock_devices(connection, [home.meter], alone=[])
        journey = threading.Thread(target=travel)
        journey.start()
        _wait_until(home, "SELECT count(*) FROM pg_locks WHERE NOT granted", 1)
        load = threading.Thread(target=lambda: home.bring(delivery(glucose(1))))
        load.start()
        _wait_until(home, "SELECT count(*) FROM pg_locks WHERE NOT granted", 2)
        assert ground.wearers[home.meter, -1] == (home.mother, "Asia/Shanghai")
        assert not moved.is_set()
    journey.join(60)
    load.join(60)

    assert moved.is_set()
    assert kept(home) == counted_by_hand(home)


def _wait_until(home: StoredHome, query: str, value: int) -> None:
    until = time.monotonic() + 30
    while home.ask(query) != [(value,)]:
        assert time.monotonic() < until, f"{query} never gave {value}"


# -- mending ---------------------------------------------------------------------------------------


def test_a_wrong_day_is_mended_and_told_and_a_right_one_is_left(home: StoredHome) -> None:
    home.bring(delivery(glucose(1), glucose(2), glucose(2000)))
    right = kept(home)
    home.do("UPDATE measurement_day SET sum = sum + 1, n = n + 1 WHERE local_day < '2024-11-02'")
    home.do("DELETE FROM measurement_day WHERE local_day >= '2024-11-02'")
    home.do(
        "INSERT INTO measurement_day (patient_id, kind, unit, local_day, n, sum, min, max,"
        " first_at, last_at) SELECT patient_id, kind, unit, '2020-01-01', 4, 4, 1, 1, first_at,"
        " last_at FROM measurement_day"
    )
    assert len(home.wrong_days) == 3
    with transaction(home.pool) as connection:
        mended = recount.recount_patient(connection, home.mother)
        again = recount.recount_patient(connection, home.mother)

    assert sorted((each.local_day, each.had, each.has) for each in mended) == [
        (date(2020, 1, 1), 4, 0),
        (date(2024, 11, 1), 3, 2),
        (date(2024, 11, 2), 0, 1),
    ]
    assert again == []
    assert kept(home) == right
    assert home.wrong_days == []


def test_some_days_are_mended_and_others_left(home: StoredHome) -> None:
    home.bring(delivery(glucose(1), glucose(2000)))
    home.do("UPDATE measurement_day SET n = 7")
    with transaction(home.pool) as connection:
        mended = recount.recount_patient(connection, home.mother, last=date(2024, 11, 1))

    assert [each.local_day for each in mended] == [date(2024, 11, 1)]
    assert [each.local_day for each in home.wrong_days] == [date(2024, 11, 2)]


def test_rows_of_nobody_touch_no_day(home: StoredHome) -> None:
    with transaction(home.pool) as connection:
        recount.recount_rows(connection, [])
        assert recount.recount_patient(connection, home.father) == []

    assert kept(home) == {}
