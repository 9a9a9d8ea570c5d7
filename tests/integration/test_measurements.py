"""What is stored is read as it was measured: newest values, series, days, news."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from arriving import ABSENT, METER, NOW, delivery, glucose, moment
from psycopg import Connection, Rollback

from ingest.load import Loader
from store import measurements, people
from store.pool import Pool, open_pool, transaction
from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit

CUFF = "ble:AA:BB:CC:00:00:02"


def pressure(sequence: int, *, at: datetime, systolic: float, diastolic: float) -> list[Any]:
    """One cuff reading: two measurements of one record."""
    both = (("systolic", systolic), ("diastolic", diastolic))
    return [
        glucose(sequence, at=at, device=CUFF, kind=kind, value=value, unit="mm[Hg]", meal=ABSENT)
        | {"id": f"{sequence:015x}{place}"}
        for place, (kind, value) in enumerate(both)
    ]


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, process="test") as pool:
        with transaction(pool) as connection:
            people.register_gateway(connection, name="g1")
            for name in ("母亲", "父亲"):
                people.create_patient(connection, name=name)
            people.bind_device(connection, METER, patient_id=1)
            people.bind_device(connection, CUFF, patient_id=1)
        yield pool


@pytest.fixture
def connection(pool: Pool) -> Iterator[Connection[Any]]:
    Loader(pool).load(
        [
            delivery(
                glucose(1, at=NOW - timedelta(days=40), value=101, unit="mg/dL"),
                glucose(2, at=NOW - timedelta(days=1), value=6.1, flags=["irregular_pulse"]),
                glucose(3, at=NOW, value=7.0, user=2, device_time=ABSENT, clock="received"),
                *pressure(1, at=NOW - timedelta(days=1), systolic=141, diastolic=88),
                *pressure(2, at=NOW - timedelta(hours=1), systolic=138, diastolic=86),
            )
        ],
        now=NOW,
    )
    with transaction(pool) as connection:
        yield connection


def test_the_newest_of_each_kind_is_found_whatever_its_unit(connection: Connection[Any]) -> None:
    newest = measurements.newest(connection, 1)

    assert {kind: each.value for kind, each in newest.items()} == {
        Kind.GLUCOSE: 7.0,
        Kind.SYSTOLIC: 138,
        Kind.DIASTOLIC: 86,
    }
    glucose_now = newest[Kind.GLUCOSE]
    assert (glucose_now.unit, glucose_now.taken_at) == (Unit.MMOL_PER_L, NOW)
    assert (glucose_now.user, glucose_now.clock) == (2, Clock.RECEIVED)
    assert glucose_now.device_time is None


def test_a_late_old_reading_is_not_the_newest(connection: Connection[Any], pool: Pool) -> None:
    Loader(pool).load([delivery(glucose(9, at=NOW - timedelta(days=3), value=20))], now=NOW)

    assert measurements.newest(connection, 1)[Kind.GLUCOSE].value == 7.0


def test_somebody_without_readings_has_none(connection: Connection[Any]) -> None:
    assert measurements.newest(connection, 2) == {}
    assert measurements.series(connection, patient_id=2, since=NOW.replace(2000), until=NOW) == []


def test_a_series_begins_at_its_first_moment_and_ends_before_its_last(
    connection: Connection[Any],
) -> None:
    def sequences(since: datetime, until: datetime) -> list[int]:
        found = measurements.series(
            connection, patient_id=1, since=since, until=until, kinds=[Kind.GLUCOSE]
        )
        return [each.sequence for each in found]

    day_before = NOW - timedelta(days=1)
    assert sequences(day_before, NOW) == [2]
    assert sequences(day_before, NOW + timedelta(microseconds=1)) == [2, 3]
    assert sequences(day_before + timedelta(microseconds=1), NOW) == []
    assert sequences(NOW - timedelta(days=365), NOW) == [1, 2]


def test_a_measurement_is_read_as_it_was_measured(connection: Connection[Any]) -> None:
    (found,) = measurements.series(
        connection,
        patient_id=1,
        since=NOW - timedelta(days=1),
        until=NOW,
        kinds=[Kind.GLUCOSE],
    )

    assert (found.value, found.unit, found.device) == (6.1, Unit.MMOL_PER_L, METER)
    assert (found.meal, found.flags) == (Meal.FASTING, (Flag.IRREGULAR_PULSE,))
    assert found.device_time == datetime.fromisoformat("2024-11-01T07:02:00")
    assert (found.clock, found.clock_offset_s, found.user) == (Clock.MEASURED, -28800, None)


def test_all_kinds_of_a_series_stand_in_order_of_time(connection: Connection[Any]) -> None:
    found = measurements.series(
        connection, patient_id=1, since=NOW - timedelta(days=50), until=NOW + timedelta(days=1)
    )

    assert [each.taken_at for each in found] == sorted(each.taken_at for each in found)
    assert len(found) == 7


def test_days_are_the_patient_s_and_apart_by_unit(connection: Connection[Any]) -> None:
    found = measurements.days(
        connection, patient_id=1, first=date(2024, 10, 13), last=date(2024, 11, 22)
    )

    assert [(each.local_day, each.kind, each.unit, each.mean) for each in found] == [
        (date(2024, 10, 13), Kind.GLUCOSE, Unit.MG_PER_DL, 101),
        (date(2024, 11, 21), Kind.GLUCOSE, Unit.MMOL_PER_L, 6.1),
        (date(2024, 11, 21), Kind.SYSTOLIC, Unit.MMHG, 141),
        (date(2024, 11, 21), Kind.DIASTOLIC, Unit.MMHG, 88),
        (date(2024, 11, 22), Kind.GLUCOSE, Unit.MMOL_PER_L, 7.0),
        (date(2024, 11, 22), Kind.SYSTOLIC, Unit.MMHG, 138),
        (date(2024, 11, 22), Kind.DIASTOLIC, Unit.MMHG, 86),
    ]
    assert not measurements.days(
        connection, patient_id=1, first=date(2024, 10, 14), last=date(2024, 11, 20)
    )


def test_a_rollup_that_lies_is_told_apart(connection: Connection[Any]) -> None:
    assert measurements.differences(connection) == []
    connection.execute("UPDATE measurement_day SET n = n + 1 WHERE local_day = '2024-10-13'")
    connection.execute("DELETE FROM measurement WHERE kind = 3 AND sequence = 1")
    connection.execute("DELETE FROM measurement_day WHERE kind = 3 AND local_day = '2024-11-22'")

    found = measurements.differences(connection, 1)

    assert [(each.kept is None, each.counted is None) for each in found] == [
        (False, False),
        (False, True),
        (True, False),
    ]
    assert measurements.differences(connection, 2) == []


def test_news_of_a_patient_grow_and_are_taken_once(connection: Connection[Any]) -> None:
    hour = timedelta(hours=1)
    measurements.put_news(
        connection, consumer="rules", patient_ids=[2], earliest=NOW, latest=NOW + hour
    )
    measurements.put_news(
        connection, consumer="rules", patient_ids=[1, 2], earliest=NOW - hour, latest=NOW
    )
    measurements.put_news(connection, consumer="others", patient_ids=[2], earliest=NOW, latest=NOW)

    taken = measurements.take_news(connection, consumer="rules", limit=5)

    assert {each.patient_id: (each.earliest, each.latest) for each in taken} == {
        1: (NOW - timedelta(days=40), NOW),
        2: (NOW - hour, NOW + hour),
    }
    assert measurements.take_news(connection, consumer="rules") == []
    assert len(measurements.take_news(connection, consumer="others")) == 1


def test_news_that_one_worker_takes_are_left_alone_by_another_and_come_back_if_it_fails(
    pool: Pool,
) -> None:
    with transaction(pool) as connection:
        measurements.put_news(
            connection, consumer="rules", patient_ids=[1, 2], earliest=NOW, latest=NOW
        )
    with transaction(pool) as one:
        (first,) = measurements.take_news(one, consumer="rules")
        with transaction(pool) as other:
            (second,) = measurements.take_news(other, consumer="rules", limit=9)
        assert {first.patient_id, second.patient_id} == {1, 2}
        raise Rollback

    with transaction(pool) as connection:
        (again,) = measurements.take_news(connection, consumer="rules", limit=9)
    assert again.patient_id == first.patient_id


def test_whose_household_which_gateways_and_devices(pool: Pool) -> None:
    with transaction(pool) as connection:
        household = people.create_household(connection, "Zhang")
        child = people.create_account(connection, name="女儿", role="family")
        mother = people.create_patient(connection, name="母亲", household_id=household)
        people.register_gateway(connection, name="g9", household_id=household)
        people.bind_device(connection, "ble:9", patient_id=mother, slot=1)
        people.relate(connection, account_id=child, patient_id=mother, relation="family")
        people.relate(connection, account_id=child, patient_id=mother, relation="family")
        people.add_contact(connection, account_id=child, url="json://x", min_severity=3)

        assert [each.id for each in people.patients(connection, household)] == [mother]
        assert [each.name for each in people.gateways_of_patient(connection, mother)] == ["g9"]
        assert [each.name for each in people.devices_of_patient(connection, mother)] == ["ble:9"]
        (seen,) = people.patients_of_account(connection, child)
        assert (seen.id, seen.relation) == (mother, "family")
        (told,) = people.accounts_of_patient(connection, mother)
        assert (told.id, told.relation) == (child, "family")
        assert people.contacts_of_account(connection, child)[0].min_severity == 3

        people.end_relation(connection, account_id=child, patient_id=mother, at=NOW)
        people.unbind_device(connection, "ble:9", slot=1)
        assert people.patients_of_account(connection, child) == []
        assert people.accounts_of_patient(connection, mother) == []
        assert people.devices_of_patient(connection, mother) == []


def test_a_moment_on_the_wire_is_the_moment_that_is_read(connection: Connection[Any]) -> None:
    (stored,) = measurements.series(
        connection,
        patient_id=1,
        since=NOW,
        until=NOW + timedelta(seconds=1),
        kinds=[Kind.GLUCOSE],
    )

    assert moment(stored.taken_at) == "2024-11-22T04:00:00Z"
    assert str(stored.taken_at.tzinfo) == "UTC"
