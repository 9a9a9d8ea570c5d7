"""What arrives is stored once, whoever brings it, however often, in whatever pieces and order."""

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from arriving import ABSENT, METER, NOW, delivery, envelope, glucose, up
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.arrival import DeadLetter, Delivery, HealthSeen, Message
from ingest.load import Loaded, Loader
from ingest.validate import judge
from store import measurements, people, sharing
from store.pool import Pool, open_pool, transaction
from vitals.errors import MendSettings, TryAgain
from vitals.kinds import Kind
from vitals.wire import DeviceHealth, Health, encode_health, topic

# a database is behind each example, and a busy machine is slow, not wrong
BRIEF = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CUFF = "ble:AA:BB:CC:00:00:02"
HALF_AN_HOUR_LATER = -8 * 3600 + 1800


class Home:
    """A household on the server: gateways g1 and g2, a mother with a meter, a father; a loader."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        with transaction(pool) as connection:
            household = people.create_household(connection, "Zhang")
            for name in ("g1", "g2"):
                people.register_gateway(connection, name=name, household_id=household)
            self.mother = people.create_patient(connection, name="母亲", household_id=household)
            self.father = people.create_patient(connection, name="父亲", household_id=household)
            people.bind_device(connection, METER, patient_id=self.mother)
        self.loader = Loader(pool)

    def bring(self, *verdicts: Any, loader: Loader | None = None) -> Loaded:
        return (loader or self.loader).load(verdicts, now=NOW)

    def ask(self, query: str) -> list[Any]:
        with transaction(self.pool) as connection:
            return connection.execute(query).fetchall()

    @property
    def counts(self) -> measurements.Counts:
        with transaction(self.pool) as connection:
            return measurements.counts(connection)

    @property
    def stored(self) -> int:
        return self.counts.measurements

    @property
    def wrong_days(self) -> list[measurements.Difference]:
        with transaction(self.pool) as connection:
            return measurements.differences(connection)


@pytest.fixture
def home(database: str) -> Iterator[Home]:
    with open_pool(database, process="test") as pool:
        yield Home(pool)


# -- once ------------------------------------------------------------------------------------------


def test_a_delivery_is_stored_with_its_day_its_news_and_its_owner(home: Home) -> None:
    loaded = home.bring(delivery(glucose(1), glucose(2, value=7.2)))

    assert loaded.inserted == 2
    ((gateway, receipt),) = loaded.receipts
    assert gateway == "g1"
    assert receipt.committed == (glucose(1)["id"], glucose(2)["id"])
    with transaction(home.pool) as connection:
        newest = measurements.newest(connection, home.mother)[Kind.GLUCOSE]
        (day,) = measurements.days(
            connection, patient_id=home.mother, first=date(2024, 11, 1), last=date(2024, 11, 1)
        )
        (news,) = measurements.take_news(connection, consumer="rules")
        device = people.device_named(connection, METER)
        gateway_1 = people.gateway_named(connection, "g1")
    assert (newest.value, newest.device, newest.sequence) == (7.2, METER, 2)
    assert newest.device_time == datetime.fromisoformat("2024-11-01T07:02:00")
    assert (day.n, day.sum, day.mean) == (2, Decimal("12.8"), 6.4)
    assert news.patient_id == home.mother
    assert news.latest == newest.taken_at
    assert device is not None
    assert gateway_1 is not None
    assert device.gateway_id == gateway_1.id


def test_a_repeat_adds_nothing_and_is_receipted_again(home: Home) -> None:
    first = home.bring(delivery(glucose(1), glucose(2)))
    again = home.bring(delivery(glucose(1), glucose(2)))

    assert again.inserted == 0
    assert again.receipts == first.receipts
    assert home.stored == 2
    assert home.wrong_days == []


def test_a_repeat_among_new_ones_adds_the_new_ones_alone(home: Home) -> None:
    home.bring(delivery(glucose(1), glucose(2)))

    assert home.bring(delivery(glucose(2), glucose(3)), delivery(glucose(3))).inserted == 1
    assert home.stored == 3
    assert home.wrong_days == []


def test_repeats_in_any_order_split_or_merged_add_nothing(home: Home) -> None:
    chance = random.Random(20261122)
    documents = [glucose(n, value=4 + n / 10) for n in range(60)]
    for _ in range(12):
        chance.shuffle(documents)
        cuts = sorted(chance.sample(range(1, 60), 4))
        pieces = [documents[a:b] for a, b in zip([0, *cuts], [*cuts, 60], strict=True)]
        deliveries = [delivery(*piece) for piece in pieces if len(piece) <= 50]
        loader = Loader(home.pool) if chance.random() < 0.5 else None
        at_once = chance.randint(1, len(deliveries))
        for begin in range(0, len(deliveries), at_once):
            home.bring(*deliveries[begin : begin + at_once], loader=loader)

    home.bring(delivery(*documents[:50]), delivery(*documents[50:]))
    assert home.stored == 60
    assert home.wrong_days == []


def test_two_workers_at_once_double_nothing_and_do_not_lock_each_other_out(home: Home) -> None:
    deliveries = [delivery(*[glucose(n) for n in range(b, b + 10)]) for b in range(0, 200, 5)]
    inserted: list[int] = []

    def work(seed: int) -> None:
        loader, mine = Loader(home.pool), list(deliveries)
        random.Random(seed).shuffle(mine)
        for begin in range(0, len(mine), 3):
            inserted.append(home.bring(*mine[begin : begin + 3], loader=loader).inserted)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert sum(inserted) == home.stored == 205
    assert home.wrong_days == []


# -- another gateway, another offset ---------------------------------------------------------------


def test_a_meter_read_again_by_a_second_gateway_with_another_offset_adds_no_row(home: Home) -> None:
    home.bring(delivery(*[glucose(n) for n in range(1, 31)]))

    again = [glucose(n, offset_s=HALF_AN_HOUR_LATER) for n in range(1, 31)]
    loaded = home.bring(delivery(*again, gateway="g2"))

    assert loaded.inserted == 0
    assert len(loaded.receipts[0][1].committed) == 30, "the second gateway may forget them too"
    assert home.stored == 30
    assert home.wrong_days == []


def test_the_first_gateway_read_anew_with_another_offset_adds_no_row(home: Home) -> None:
    home.bring(delivery(*[glucose(n) for n in range(1, 31)]))

    again = [glucose(n, offset_s=HALF_AN_HOUR_LATER) for n in range(1, 35)]
    loaded = home.bring(delivery(*again, resync=True))

    assert loaded.inserted == 4, "only what the meter has measured since"
    assert home.wrong_days == []


def test_what_only_the_second_gateway_has_heard_is_stored(home: Home) -> None:
    home.bring(delivery(glucose(1), glucose(2)))

    home.bring(delivery(glucose(2, offset_s=-7 * 3600), glucose(3), gateway="g2"))
    home.bring(delivery(glucose(3, offset_s=-7 * 3600), glucose(4), gateway="g1"))

    assert home.stored == 4
    assert home.wrong_days == []


def test_both_gateways_in_one_load_add_each_record_once(home: Home) -> None:
    loaded = home.bring(
        delivery(glucose(1), glucose(2)),
        delivery(glucose(1, offset_s=-7 * 3600), glucose(2, offset_s=-7 * 3600), gateway="g2"),
    )

    assert loaded.inserted == 2
    assert len(loaded.receipts) == 2


def test_two_workers_with_a_gateway_each_add_each_record_once(home: Home) -> None:
    numbers = range(1, 121)
    inserted: list[int] = []

    def work(gateway: str, offset_s: int) -> None:
        loader = Loader(home.pool)
        for begin in range(0, 120, 10):
            records = [glucose(n, offset_s=offset_s) for n in numbers[begin : begin + 10]]
            inserted.append(home.bring(delivery(*records, gateway=gateway), loader=loader).inserted)

    workers = [
        threading.Thread(target=work, args=("g1", -8 * 3600)),
        threading.Thread(target=work, args=("g2", HALF_AN_HOUR_LATER)),
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert sum(inserted) == home.stored == 120
    assert home.wrong_days == []


def test_a_meter_that_lost_its_battery_and_counts_from_one_again_loses_nothing(home: Home) -> None:
    home.bring(delivery(glucose(1, value=5.6)))

    reset = glucose(1, value=9.9, at=NOW)
    home.bring(delivery(reset, gateway="g2"))

    assert home.stored == 2


def test_a_band_without_a_clock_that_comes_home_to_another_gateway_loses_nothing(
    home: Home,
) -> None:
    streamed = {"device_time": ABSENT, "clock_offset_s": ABSENT, "clock": "received"}
    home.bring(delivery(glucose(1, at=NOW - timedelta(hours=2), **streamed)))
    home.bring(delivery(glucose(1, at=NOW - timedelta(hours=1), **streamed), gateway="g2"))

    assert home.stored == 2


@BRIEF
@given(st.data())
def test_gateways_that_take_turns_add_each_record_once(home: Home, data: Any) -> None:
    home.ask("DELETE FROM measurement RETURNING 1")
    home.ask("DELETE FROM measurement_day RETURNING 1")
    loaders = [home.loader, Loader(home.pool)]
    brought: set[int] = set()
    for _ in range(data.draw(st.integers(1, 8))):
        # each gateway has one offset, and any record any number of times
        load = data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from([("g1", -8 * 3600), ("g2", HALF_AN_HOUR_LATER)]),
                    st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True),
                    st.booleans(),
                ),
                max_size=4,
            )
        )
        deliveries = [
            delivery(
                *[glucose(n, offset_s=offset_s) for n in numbers], gateway=gateway, resync=resync
            )
            for (gateway, offset_s), numbers, resync in load
        ]
        home.bring(*deliveries, loader=data.draw(st.sampled_from(loaders)))
        brought |= {number for _, numbers, _ in load for number in numbers}

    assert home.stored == len(brought)
    assert home.wrong_days == []


# -- whose -----------------------------------------------------------------------------------------


def test_a_reading_of_nobody_known_is_kept_counts_for_nobody_and_tells_nobody(home: Home) -> None:
    home.bring(delivery(glucose(1, device=CUFF)))

    assert home.counts.unassigned == 1
    assert home.ask("SELECT patient_id FROM measurement") == [(None,)]
    assert home.ask("SELECT * FROM measurement_day") == []
    assert home.ask("SELECT * FROM news") == []


def test_a_shared_cuff_s_user_is_known_by_the_slot(home: Home) -> None:
    with transaction(home.pool) as connection:
        people.bind_device(connection, CUFF, patient_id=home.father, slot=1)
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=2)
    documents = [
        glucose(1, device=CUFF, user=1),
        glucose(2, device=CUFF, user=2),
        glucose(3, device=CUFF, user=3),
        glucose(4, device=CUFF),
        glucose(5),
    ]
    home.bring(delivery(*documents[:3]))
    # with a repeat among them, rows pass through the staging table: it finds the same people
    home.bring(delivery(*documents[2:], *[{**each} for each in documents[:2]]))

    found = home.ask("SELECT sequence, patient_id FROM measurement ORDER BY 1")
    mother, father = home.mother, home.father
    assert found == [(1, father), (2, mother), (3, None), (4, None), (5, mother)]


# caption: whose are readings with the numbers 1, 2 and without one? (f: father, m: mother)
@pytest.mark.parametrize(
    ("slots", "shared", "expected"),
    [
        # one person uses it, whatever number the cuff says
        ({-1: "m"}, False, {1: "m", 2: "m", None: "m"}),
        # a number is somebody's: an unknown one falls to nobody, one without is whose they said
        ({-1: "m", 1: "f"}, False, {1: "f", 2: None, None: "m"}),
        ({1: "f"}, False, {1: "f", 2: None, None: None}),
        # several people use it: only a number of one's own tells
        ({-1: "m", 1: "f"}, True, {1: "f", 2: None, None: None}),
        ({-1: "m"}, True, {1: None, 2: None, None: None}),
    ],
)
def test_an_unknown_user_s_reading_falls_to_nobody(
    home: Home, slots: dict[int, str], shared: bool, expected: dict[int | None, str | None]
) -> None:
    who = {"f": home.father, "m": home.mother}
    with transaction(home.pool) as connection:
        for slot, name in slots.items():
            device_id = people.bind_device(connection, CUFF, patient_id=who[name], slot=slot)
        sharing.share(connection, device_id=device_id, shared=shared)
    documents = [
        glucose(n, device=CUFF, user=ABSENT if user is None else user)
        for n, user in enumerate(expected, start=1)
    ]
    home.bring(delivery(*documents))
    # with a repeat among them, rows pass through the staging table: it finds the same people
    again = [
        glucose(n, device=CUFF, user=ABSENT if user is None else user)
        for n, user in enumerate(expected, start=11)
    ]
    home.bring(delivery(*again, documents[0]))

    wanted = [None if name is None else who[name] for name in expected.values()]
    found = home.ask("SELECT patient_id FROM measurement ORDER BY sequence")
    assert [patient for (patient,) in found] == wanted * 2
    assert home.wrong_days == []


# -- days ------------------------------------------------------------------------------------------


def test_two_units_on_one_day_are_counted_apart(home: Home) -> None:
    home.bring(
        delivery(
            glucose(1), glucose(2, value=101, unit="mg/dL"), glucose(3, value=99, unit="mg/dL")
        )
    )

    counted = home.ask("SELECT n, sum FROM measurement_day ORDER BY unit")
    assert counted == [(1, Decimal("5.6")), (2, Decimal(200))]
    assert home.wrong_days == []


# every kind of midnight: whole and half hours, one that does not exist, one that comes twice, a
# day that was left out
ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "America/Havana",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
DANGEROUS = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2018, 11, 4, 3, tzinfo=UTC),
    datetime(2018, 2, 18, 2, tzinfo=UTC),
    datetime(2025, 11, 2, 5, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
]


@pytest.mark.parametrize("zone", ZONES)
def test_days_equal_a_recount_under_random_late_and_repeated_readings(
    home: Home, zone: str
) -> None:
    with transaction(home.pool) as connection:
        patient = people.create_patient(connection, name=zone, timezone=zone)
        people.bind_device(connection, CUFF, patient_id=patient)
    chance = random.Random(zone)
    known: list[dict[str, Any]] = []
    for _ in range(12):
        fresh = []
        for _ in range(25):
            around = chance.choice([*DANGEROUS, NOW - timedelta(days=chance.randint(0, 400))])
            at = around + timedelta(minutes=chance.randint(0 if around.year == 2000 else -180, 180))
            unit = chance.choice(["mmol/L", "mg/dL"])
            value = chance.randint(6, 333) / (10 if unit == "mmol/L" else 0.6)
            fresh.append(
                glucose(
                    len(known) + len(fresh),
                    at=min(at, NOW),
                    value=value,
                    unit=unit,
                    device=CUFF,
                )
            )
        known += fresh
        repeated = chance.sample(known, min(len(known) - 25, chance.choice([0, 0, 20])))
        home.bring(delivery(*fresh, *repeated))

    assert home.stored == len(known) == 300
    assert home.wrong_days == []
    with transaction(home.pool) as connection:
        days = measurements.days(
            connection, patient_id=patient, first=date(1999, 1, 1), last=date(2030, 1, 1)
        )
    # and the days are those of the patient's wall clock, as Python's zones know it
    local = ZoneInfo(zone)
    assert {day.local_day for day in days} == {
        datetime.fromisoformat(each["taken_at"]).astimezone(local).date() for each in known
    }


@BRIEF
@given(
    loads=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 40),  # sequence
                st.integers(0, 2000),  # hours ago
                st.sampled_from(["g1", "g2"]),
                st.booleans(),  # resync
                st.sampled_from([-8, -7]),  # hours of offset
            ),
            max_size=6,
        ),
        max_size=5,
    )
)
def test_days_equal_a_recount_whatever_gateways_bring(home: Home, loads: list[Any]) -> None:
    for load in loads:
        home.bring(
            *[
                delivery(
                    glucose(sequence, offset_s=offset * 3600 - hours * 3600),
                    gateway=gateway,
                    resync=resync,
                )
                for sequence, hours, gateway, resync, offset in load
            ]
        )

    assert home.wrong_days == []


# -- refused ---------------------------------------------------------------------------------------


def judged(document: Any, *, gateway: str = "g1") -> Any:
    return judge(up(document, gateway=gateway), now=NOW)


def test_a_refused_measurement_is_kept_once_with_its_reasons_and_receipted(home: Home) -> None:
    for _ in range(2):
        loaded = home.bring(judged(envelope(glucose(1), glucose(2, value=99, note="\0\ud800"))))

    assert loaded.refused == 1
    ((_, receipt),) = loaded.receipts
    assert receipt.committed == (glucose(1)["id"],)
    assert list(receipt.rejected) == [glucose(2)["id"]]
    with transaction(home.pool) as connection:
        (kept,) = measurements.rejections(connection, gateway="g1")
    assert kept.measurement_id == glucose(2)["id"]
    assert kept.document["value"] == 99
    assert len(kept.reasons) == 2
    assert home.stored == 1


def test_a_message_that_cannot_be_taken_apart_is_kept_once(home: Home) -> None:
    million = b"x" * 1_000_000
    for _ in range(2):
        loaded = home.bring(judged(million), judged(b"\0\xff"), judged(envelope(v=2)))

    assert loaded.receipts == ()
    with transaction(home.pool) as connection:
        letters = measurements.dead_letters(connection)
    assert {each.payload for each in letters} >= {million, b"\0\xff"}
    assert len(letters) == 3
    assert all(each.reasons for each in letters)


def test_an_unknown_gateway_gets_no_receipt_and_may_be_registered_afterwards(home: Home) -> None:
    for number in (1, 2):
        loaded = home.bring(delivery(glucose(number), gateway="stranger"), delivery(glucose(9)))
        assert [gateway for gateway, _ in loaded.receipts] == ["g1"]

    with transaction(home.pool) as connection:
        (letter,) = measurements.dead_letters(connection)
        people.register_gateway(connection, name="stranger")
    assert "kangban people gateway stranger" in letter.reasons[0]
    loaded = home.bring(delivery(glucose(1), gateway="stranger"))
    assert [gateway for gateway, _ in loaded.receipts] == ["stranger"]
    assert home.stored == 2


def test_a_value_that_only_the_database_refuses_is_found_and_refused_alone(home: Home) -> None:
    with transaction(home.pool) as connection:
        connection.execute("ALTER TABLE measurement ADD CHECK (value <> 13)")

    loaded = home.bring(
        delivery(glucose(1), glucose(2)),
        delivery(glucose(3), glucose(4, value=13), glucose(5)),
        judged(b"{"),
        delivery(glucose(6)),
    )

    assert home.stored == 5
    assert loaded.inserted == 5
    receipts = [receipt for _, receipt in loaded.receipts]
    assert [len(each.committed) for each in receipts] == [2, 2, 1]
    assert list(receipts[1].rejected) == [glucose(4)["id"]]
    assert home.counts.rejections == home.counts.dead_letters == 1
    assert home.wrong_days == []


def test_a_measurement_that_only_a_mistake_of_ours_lets_through_stops_nothing(home: Home) -> None:
    sound = delivery(glucose(1), glucose(2))
    odd = replace(sound, items=(sound.items[0], msgspec.structs.replace(sound.items[1], kind="?")))

    loaded = home.bring(odd, delivery(glucose(3)))

    assert home.stored == 2
    assert [len(receipt.committed) for _, receipt in loaded.receipts] == [1, 1]
    assert home.counts.rejections == 1


# -- health ----------------------------------------------------------------------------------------


def health(**changes: Any) -> HealthSeen:
    given = {"v": 1, "gateway": "g1", "sent_at": NOW, "spooled": 5, "devices": {}, **changes}
    verdict = judge(
        Message(topic=topic("g1", "health"), payload=encode_health(Health(**given))), now=NOW
    )
    assert isinstance(verdict, HealthSeen)
    return verdict


def test_a_gateway_s_word_is_kept_and_an_older_one_does_not_replace_it(home: Home) -> None:
    seen = DeviceHealth(
        last_seen_at=NOW, kind="glucose", model="Guide", battery_percent=80, failure="no bond"
    )
    before = DeviceHealth(last_seen_at=NOW - timedelta(hours=1), kind="", battery_percent=90)
    home.bring(health(devices={METER: seen}))
    home.bring(
        health(sent_at=NOW - timedelta(hours=1), spooled=9, devices={METER: before, CUFF: before})
    )

    with transaction(home.pool) as connection:
        gateway = people.gateway_named(connection, "g1")
        meter = people.device_named(connection, METER)
        cuff = people.device_named(connection, CUFF)
    assert gateway is not None
    assert (gateway.last_seen_at, gateway.spooled) == (NOW, 5)
    assert gateway.health["devices"][METER]["battery_percent"] == 80
    assert meter is not None
    assert (meter.kind, meter.model, meter.battery_percent) == ("glucose", "Guide", 80)
    assert meter.failure == "no bond"
    assert cuff is not None
    assert cuff.last_seen_at == NOW - timedelta(hours=1)


def test_a_device_that_works_again_has_no_failure(home: Home) -> None:
    ill = DeviceHealth(last_seen_at=NOW - timedelta(minutes=5), kind="glucose", failure="no bond")
    well = DeviceHealth(last_seen_at=NOW)
    home.bring(health(sent_at=NOW - timedelta(minutes=5), devices={METER: ill}))
    home.bring(health(devices={METER: well}), delivery(glucose(1)))

    with transaction(home.pool) as connection:
        meter = people.device_named(connection, METER)
    assert meter is not None
    assert (meter.kind, meter.failure) == ("glucose", None)
    assert meter.gateway_id is not None


# -- the database is away --------------------------------------------------------------------------


def test_nothing_is_receipted_while_the_database_is_away() -> None:
    with open_pool("postgresql://nobody@127.0.0.1:1/nowhere", process="test") as pool:
        pool.timeout = 0.2
        with pytest.raises(TryAgain):
            Loader(pool).load([delivery(glucose(1))], now=NOW)


def test_a_database_without_the_schema_blames_no_measurement(blank_database: str) -> None:
    with open_pool(blank_database, process="test") as pool, pytest.raises(MendSettings):
        Loader(pool).load([delivery(glucose(1)), delivery(glucose(2))], now=NOW)


def test_verdicts_that_brought_nothing_leave_nothing(home: Home) -> None:
    empty = delivery()
    assert isinstance(empty, Delivery | DeadLetter)

    loaded = home.bring(empty)

    assert loaded.inserted == loaded.refused == 0
    assert len(loaded.receipts) == 1
    assert home.stored == 0
