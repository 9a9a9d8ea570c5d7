"""Rows that are copied as one piece are the rows that go in one by one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arriving import METER, NOW, delivery, glucose
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.arrival import Delivery
from ingest.batch import columns_of, rows_of
from ingest.load import Loader
from store import intake, measurements, people
from store.columns import NOBODY, Columns
from store.pool import Pool, open_pool, transaction
from vitals.measurement import Flag, Meal

# a database is behind each example, and a busy machine is slow, not wrong
BRIEF = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CUFF = "ble:AA:BB:CC:00:00:02"
IDS: dict[str, Any] = {"gateways": {"g1": 1}, "devices": {METER: 10, CUFF: 11}}

# whatever may be absent, and `raw` of any length: each row may have a layout of its own
RECORDS = st.fixed_dictionaries(
    {
        "device": st.sampled_from([METER, CUFF]),
        "value": st.floats(0.6, 33.3),
        "at": st.integers(0, 24 * 365 * 24 * 60).map(
            lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        ),
    },
    optional={
        "sequence": st.integers(0, 2**63 - 1),
        "clock": st.sampled_from(["measured", "assumed", "unsure", "received"]),
        "device_time": st.one_of(st.none(), st.datetimes().map(datetime.isoformat)),
        "clock_offset_s": st.integers(-(2**31), 2**31 - 1),
        "user": st.one_of(st.none(), st.integers(0, 254)),
        "meal": st.one_of(st.none(), st.sampled_from([str(each) for each in Meal])),
        "flags": st.lists(st.sampled_from([str(each) for each in Flag]), max_size=3),
        "raw": st.sampled_from(["", "AA==", "AQID", "AQIDBA==", "A" * 2000]),
    },
)


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    with open_pool(database, process="test") as pool:
        yield pool


def brought(records: list[dict[str, Any]]) -> list[Delivery]:
    numbered = [{"sequence": place, **record} for place, record in enumerate(records, start=1)]
    # a key comes once
    unique = {(each["device"], each["sequence"], each["at"]): each for each in numbered}
    documents = [glucose(**each) for each in unique.values()]
    return [delivery(*documents[begin : begin + 5]) for begin in range(0, len(documents), 5)]


def stored(pool: Pool, columns: Columns, patients: Any) -> list[Any]:
    with transaction(pool) as connection:
        connection.execute("DELETE FROM measurement")
        assert intake.copy_new(connection, columns, patients)
        return connection.execute(
            "SELECT device_id, kind, sequence, taken_at, value, unit, clock, device_time,"
            " clock_offset_s, slot, meal, flags, gateway_id, raw, patient_id FROM measurement"
        ).fetchall()


@BRIEF
@given(st.lists(RECORDS, max_size=12), st.randoms(use_true_random=False))
def test_what_is_copied_is_what_the_rows_say(
    pool: Pool, records: list[dict[str, Any]], chance: Any
) -> None:
    deliveries = brought(records)
    columns, rows = columns_of(deliveries, **IDS), rows_of(deliveries, **IDS)
    worn = [chance.choice([7, 8, None]) for _ in rows]
    patients = columns.device.copy()
    patients[:] = [NOBODY if each is None else each for each in worn]

    found = stored(pool, columns, patients)

    expected = [(*row, patient) for row, patient in zip(rows, worn, strict=True)]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_a_copy_that_meets_one_row_again_leaves_nothing(pool: Pool) -> None:
    columns = columns_of([delivery(glucose(1), glucose(2), glucose(3))], **IDS)
    nobody = columns.device * 0 + NOBODY
    with transaction(pool) as connection:
        assert intake.copy_new(connection, columns.part(1, 2), nobody[:1])
        assert not intake.copy_new(connection, columns, nobody)

        assert measurements.counts(connection).measurements == 1


def test_a_load_of_many_layouts_is_counted_as_the_database_would(pool: Pool) -> None:
    # sums that are no thousandths, and two people behind one device
    with transaction(pool) as connection:
        household = people.create_household(connection, "Zhang")
        people.register_gateway(connection, name="g1", household_id=household)
        for slot, zone in ((1, "Europe/Berlin"), (2, "America/Sao_Paulo")):
            patient = people.create_patient(connection, name=zone, timezone=zone)
            people.bind_device(connection, METER, patient_id=patient, slot=slot)
    loader = Loader(pool)
    documents = [
        glucose(number, user=number % 3, value=5 + number / 9, raw="AQID"[: 4 * (number % 2)])
        for number in range(200)
    ]

    loaded = loader.load(
        [delivery(*documents[begin : begin + 50]) for begin in range(0, 200, 50)], now=NOW
    )

    assert loaded.inserted == 200
    with transaction(pool) as connection:
        assert measurements.differences(connection) == []
        assert measurements.counts(connection).unassigned == 67  # 0, 3, … 198
