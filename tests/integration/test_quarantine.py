"""What nobody believes alarms nobody and is never lost: a person says what becomes of it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arriving import glucose
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from quarantining import CUFF, House, cuff, house_over, now
from test_ingest import settings, until, worker

from ingest.load import Loader
from ingest.release import AGAIN_AFTER, load_released
from store import doubt, findings, people, sharing
from store.assignment import Outcome
from store.pool import open_pool, transaction
from store.quarantine import Decision, State
from vitals.kinds import Kind
from vitals.measurement import Clock, Flag

DAY = timedelta(days=1)


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with open_pool(database, process="test") as pool, house_over(pool) as made:
        yield made


# -- kept ------------------------------------------------------------------------------------------


def test_an_unbelievable_reading_waits_with_its_reasons_and_alarms_nobody(house: House) -> None:
    loaded = house.bring(*cuff(1, 310, 190))

    ((_, receipt),) = loaded.receipts
    assert len(receipt.committed) == 1, "the pulse of the same record is taken in"
    assert len(receipt.rejected) == 2, "the gateway may forget the others: they are kept here"
    (found,) = house.waiting
    assert [(each.kind, each.value) for each in found.values] == [
        (Kind.SYSTOLIC, 310),
        (Kind.DIASTOLIC, 190),
    ]
    assert all(each.codes == {"implausible"} for each in found.values)
    assert (found.patient_id, found.device, found.gateway) == (house.mother, CUFF, "g1")
    assert [each.kind for each in house.values()] == [Kind.PULSE]
    assert house.alarms() == []
    assert (house.counts.quarantined, house.counts.rejections) == (2, 0)


def test_a_repeat_by_any_gateway_with_any_offset_waits_once(house: House) -> None:
    record = glucose(3, value=99.0)
    house.bring(record)
    house.bring(record)
    house.bring(glucose(3, value=99.0, offset_s=-7 * 3600), gateway="g2", resync=True)

    assert house.counts.quarantined == 1
    assert len(house.waiting) == 1


def test_what_is_malformed_besides_is_refused_and_waits_for_nobody(house: House) -> None:
    house.bring(glucose(3, value=99.0, clock="sundial"))

    assert house.waiting == []
    assert (house.counts.quarantined, house.counts.rejections) == (0, 1)


def test_a_value_of_nobody_known_waits_in_its_home_and_nowhere_else(house: House) -> None:
    house.bring(*cuff(1, 310, 190, device="ble:AA:BB:CC:00:00:09"))

    (found,) = house.waiting
    assert (found.patient_id, found.candidates) == (None, (house.mother, house.father))
    with transaction(house.pool) as connection:
        # a doctor sees nothing of what may be anybody's
        assert doubt.waiting(connection, [house.mother], at_home=False, limit=5) == []
        neighbour = people.create_patient(connection, name="邻居")
        assert doubt.waiting(connection, [neighbour], at_home=True, limit=5) == []
        assert doubt.count_waiting(connection, [house.mother], at_home=True, limit=5) == 1


# -- released --------------------------------------------------------------------------------------


def test_a_fresh_crisis_that_is_released_is_stored_counted_and_raises_the_alarm(
    house: House,
) -> None:
    # meters show LO below 0.6 mmol/L
    house.bring(glucose(1, value=0.5, at=now() - timedelta(minutes=2)))
    (found,) = house.waiting
    assert house.alarms() == []

    assert house.release(found.key) == 1

    (kept,) = house.values()
    assert (kept.value, kept.flags, kept.clock) == (0.5, (Flag.RELEASED,), Clock.MEASURED)
    assert house.waiting == []
    # level 2 hypoglycaemia, below 3.0 mmol/L: doctor and family now
    assert house.alarms() == [3]
    assert house.news() == []


def test_an_old_reading_that_is_released_raises_no_alarm(house: House) -> None:
    house.bring(glucose(1, value=0.5, at=now() - 30 * DAY))

    assert house.release(house.waiting[0].key) == 1

    assert len(house.values()) == 1
    assert house.news() == [house.mother], "the rules look at it like at any other"
    assert house.alarms() == []


def test_a_reading_of_the_future_is_released_to_the_moment_of_its_receipt(house: House) -> None:
    before = now()
    low = glucose(1, value=2.5, at=now() + 3 * DAY)
    house.bring(*cuff(1, 150, 90, ago=-3 * DAY), low)
    pressures, sugar = sorted(house.waiting, key=lambda each: -len(each.values))
    assert len(pressures.values) == 3, "not one value of it has a time that can be"
    assert sugar.values[0].codes == {"future"}
    assert house.alarms() == []

    assert house.release(pressures.key) + house.release(sugar.key) == 4

    for each in house.values():
        assert before <= each.taken_at <= now()
        assert (each.clock, each.flags) == (Clock.UNSURE, (Flag.RELEASED,))
    assert len({each.taken_at for each in house.values()}) == 1, "a record stays one"
    # of which nobody knows when it was, it is never more than S2: `rules/evaluators/single.py`
    assert house.alarms() == [2]


def test_a_released_reading_of_nobody_known_waits_for_a_name(house: House) -> None:
    house.bring(*cuff(1, 310, 190, device="ble:AA:BB:CC:00:00:09"))

    assert house.decide(house.waiting[0].key, Decision.RELEASE) is Outcome.ABSENT
    assert house.decide(house.waiting[0].key, Decision.RELEASE, at_home=True) is Outcome.DONE
    load_released(house.pool, house.loader, now=now())

    assert house.values() == []
    assert house.counts.unassigned == 3
    assert house.alarms() == []


def test_whose_it_is_is_asked_at_the_release_not_at_the_arrival(house: House) -> None:
    house.bring(*cuff(1, 310, 190))
    with transaction(house.pool) as connection:
        device = people.ensure_devices(connection, [CUFF])[CUFF]
        sharing.share(connection, device_id=device, shared=False, patient_id=house.father)
    key = house.ask("SELECT min(id) FROM quarantine")[0][0]

    assert house.decide(key, Decision.RELEASE) is Outcome.ABSENT
    assert house.decide(key, Decision.RELEASE, patient_id=house.father) is Outcome.DONE
    load_released(house.pool, house.loader, now=now())

    assert {each.kind for each in house.values(house.father)} == {Kind.SYSTOLIC, Kind.DIASTOLIC}


def test_the_running_ingest_loads_what_a_person_releases(house: House, broker: str) -> None:
    house.bring(*cuff(1, 310, 190))
    with worker(settings(house.pool.conninfo, broker)):
        assert house.decide(house.waiting[0].key, Decision.RELEASE) is Outcome.DONE
        until(lambda: len(house.values()) == 3)
        until(lambda: house.ask("SELECT count(loaded_at) FROM quarantine") == [(2,)])


def test_what_was_released_while_no_worker_ran_is_loaded_by_the_next(
    house: House, broker: str
) -> None:
    house.bring(*cuff(1, 310, 190))
    house.decide(house.waiting[0].key, Decision.RELEASE)
    with worker(settings(house.pool.conninfo, broker)):
        until(lambda: len(house.values()) == 3)


# -- no resurrection -------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", list(Decision))
def test_what_was_decided_stays_so_however_often_and_however_placed_it_comes_again(
    house: House, decision: Decision
) -> None:
    record = glucose(3, value=99.0)
    house.bring(record)
    house.decide(house.waiting[0].key, decision)
    load_released(house.pool, house.loader, now=now())
    stored = house.counts.measurements

    house.bring(record)
    house.bring(glucose(3, value=99.0, offset_s=-7 * 3600), gateway="g2", resync=True)
    load_released(house.pool, house.loader, now=now())

    assert stored == (decision is Decision.RELEASE)
    assert house.counts.measurements == stored
    assert house.waiting == []


@pytest.mark.parametrize("decision", list(Decision))
def test_a_decided_reading_of_the_future_does_not_come_in_once_its_time_has_come(
    house: House, decision: Decision
) -> None:
    then = now() - 2 * DAY
    record = cuff(1, 150, 90, ago=DAY)
    house.bring(*record, at=then)
    assert len(house.waiting[0].values) == 3
    house.decide(house.waiting[0].key, decision)
    load_released(house.pool, house.loader, now=now())
    stored = house.counts.measurements

    loaded = house.bring(*record)

    ((_, receipt),) = loaded.receipts
    assert len(receipt.committed) == 3, "the gateway may forget them"
    assert house.counts.measurements == stored == (3 if decision is Decision.RELEASE else 0)


def test_a_memory_read_again_with_the_right_clock_takes_the_place_of_what_waited(
    house: House,
) -> None:
    year_ahead = 366 * 86400 - 8 * 3600
    wrong = [glucose(n, offset_s=year_ahead) for n in (1, 2)]
    then = now() - 2 * 366 * DAY
    house.bring(*wrong, at=then)
    assert house.counts.quarantined == 2

    for _ in range(2):
        house.bring(glucose(1), glucose(2), resync=True)

    assert [each.value for each in house.values()] == [5.6, 5.6]
    assert house.counts.quarantined == 0
    assert house.ask("SELECT DISTINCT state FROM quarantine") == [(State.CAME_SOUND,)]
    # nobody can release it a second time
    key = house.ask("SELECT min(id) FROM quarantine")[0][0]
    assert house.decide(key, Decision.RELEASE) is Outcome.TOO_LATE


def test_two_pressures_that_wait_do_not_slip_in_one_by_one(house: House) -> None:
    upper, lower, pulse = cuff(1, 95, 90)
    house.bring(upper, lower, pulse)
    house.bring(upper)
    house.bring(lower)

    assert [each.kind for each in house.values()] == [Kind.PULSE]
    assert house.counts.quarantined == 2


# -- deciding --------------------------------------------------------------------------------------


def test_a_release_is_final_and_a_discard_may_be_taken_back(house: House) -> None:
    house.bring(*cuff(1, 310, 190))
    key = house.waiting[0].key

    assert house.decide(key, Decision.DISCARD) is Outcome.DONE
    assert house.decide(key, Decision.DISCARD) is Outcome.ALREADY
    assert load_released(house.pool, house.loader, now=now()) == 0
    assert house.decide(key, Decision.RELEASE) is Outcome.DONE
    assert house.decide(key, Decision.RELEASE) is Outcome.ALREADY
    assert house.decide(key, Decision.DISCARD) is Outcome.TOO_LATE
    assert house.decide(999_999, Decision.RELEASE) is Outcome.ABSENT

    with transaction(house.pool) as connection:
        found = doubt.one(connection, key)
    assert found is not None
    assert [(each.deed, each.by) for each in found[1]] == [("discard", "儿子"), ("release", "儿子")]


def test_of_two_people_at_once_one_is_obeyed_and_both_are_told_the_truth(house: House) -> None:
    for number in range(6):
        house.bring(*cuff(number, 310, 190, ago=timedelta(minutes=number + 1)))
    keys = [each.key for each in house.waiting]
    outcomes: dict[int, list[Outcome]] = {key: [] for key in keys}
    start = threading.Barrier(2)

    def press(decision: Decision) -> None:
        start.wait()
        for key in keys:
            outcomes[key].append(house.decide(key, decision))

    hands = [threading.Thread(target=press, args=(each,)) for each in Decision]
    for each in hands:
        each.start()
    for each in hands:
        each.join()

    for key, told in outcomes.items():
        states = house.ask("SELECT DISTINCT state FROM quarantine WHERE device = %s AND"
                           " sequence = (SELECT sequence FROM quarantine WHERE id = %s)",
                           CUFF, key)  # fmt: skip
        # a release after a discard is obeyed, a discard after a release is too late
        assert states == [(State.RELEASED,)]
        assert sorted(told) in (
            [Outcome.DONE, Outcome.DONE],
            [Outcome.DONE, Outcome.TOO_LATE],
        )


def test_two_workers_at_once_store_a_release_once(house: House) -> None:
    for number in range(10):
        house.bring(*cuff(number, 310, 190, ago=timedelta(minutes=number + 1)))
    for each in house.waiting:
        house.decide(each.key, Decision.RELEASE)
    loaded: list[int] = []

    def work() -> None:
        loaded.append(load_released(house.pool, Loader(house.pool), now=now()))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert sum(loaded) == 20
    assert house.counts.measurements == 30


def test_a_worker_that_fell_between_loading_and_marking_leaves_it_to_another(house: House) -> None:
    house.bring(*cuff(1, 310, 190))
    house.decide(house.waiting[0].key, Decision.RELEASE)
    load_released(house.pool, house.loader, now=now())
    with transaction(house.pool) as connection:
        connection.execute("UPDATE quarantine SET loaded_at = NULL")

    assert load_released(house.pool, house.loader, now=now()) == 0, "it is another's for a while"
    assert load_released(house.pool, house.loader, now=now() + 2 * AGAIN_AFTER) == 2
    assert house.counts.measurements == 3


def test_what_a_gateway_brought_that_was_shut_out_since_waits_until_it_is_let_in(
    house: House,
) -> None:
    house.bring(*cuff(1, 310, 190))
    house.decide(house.waiting[0].key, Decision.RELEASE)
    with transaction(house.pool) as connection:
        connection.execute("UPDATE gateway SET revoked_at = now() WHERE name = 'g1'")

    assert load_released(house.pool, Loader(house.pool), now=now()) == 0

    with transaction(house.pool) as connection:
        connection.execute("UPDATE gateway SET revoked_at = NULL")
    later = now() + 2 * AGAIN_AFTER
    assert load_released(house.pool, Loader(house.pool), now=later) == 2


def test_no_calendar_loses_a_reading(house: House) -> None:
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        house.bring(glucose(3, taken_at=at, id=f"{3:016x}"))
    for at in ("0002-01-02T00:00:00Z", "9998-12-31T00:00:00Z"):
        house.bring(glucose(4, taken_at=at, device_time=None))

    assert (house.counts.rejections, house.counts.quarantined) == (2, 2)
    for each in house.waiting:
        house.release(each.key)
    assert house.counts.quarantined == 0


def test_the_silence_of_a_device_whose_every_word_waits_is_the_servers(house: House) -> None:
    house.bring(*cuff(1, 310, 190))
    span = {"patient_id": house.mother, "since": now() - DAY, "until": now() + DAY}
    with transaction(house.pool) as connection:
        assert len(findings.rejected_at(connection, **span)) == 2
    house.decide(house.waiting[0].key, Decision.DISCARD)
    with transaction(house.pool) as connection:
        assert findings.rejected_at(connection, **span) == ()


# -- all of it in any order ------------------------------------------------------------------------

VALUES = (5.6, 99.0, 0.1, 7.2)
# number of a record, hours that were added to its device's time, and was the memory read anew?
RECORDS = st.tuples(st.integers(0, 7), st.sampled_from([-8, 24 * 366]))
MOVES = st.one_of(
    st.tuples(st.just("bring"), st.lists(RECORDS, min_size=1, max_size=4)),
    st.tuples(st.just("bring again"), st.lists(RECORDS, min_size=1, max_size=4)),
    st.tuples(st.sampled_from(list(Decision)), st.integers(0, 20)),
    st.tuples(st.just("load"), st.none()),
)


@settings_of(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(MOVES, min_size=3, max_size=14))
def test_in_any_order_a_value_is_stored_at_most_once_and_days_are_a_recount(
    house: House, moves: list[Any]
) -> None:
    for table in ("measurement", "measurement_day", "quarantine_deed", "quarantine"):
        house.ask(f"DELETE FROM {table} RETURNING 1")
    # what is a year ahead of its device is in the future then
    then = datetime(2024, 11, 22, 4, 0, tzinfo=UTC)
    brought: set[tuple[int, float]] = set()
    for move, what in moves:
        if move in ("bring", "bring again"):
            house.bring(
                *[glucose(n, value=VALUES[n % 4], offset_s=hours * 3600) for n, hours in what],
                at=then, resync=move == "bring again",
            )  # fmt: skip
            brought |= {(n, VALUES[n % 4]) for n, _ in what}
        elif move == "load":
            load_released(house.pool, house.loader, now=now() + len(brought) * AGAIN_AFTER)
        else:
            waiting = house.waiting
            if waiting:
                house.decide(waiting[what % len(waiting)].key, move)

    assert house.wrong_days == []
    stored = house.ask("SELECT sequence, value FROM measurement ORDER BY 1, 2")
    kept = house.ask("SELECT sequence, value FROM quarantine WHERE loaded_at IS NULL")
    # nothing is lost and nothing is stored twice: it is stored, or waits, or was discarded
    assert sorted(stored) == sorted(set(stored))
    assert set(stored) | set(kept) == brought
    load_released(house.pool, house.loader, now=now() + timedelta(days=1))
    assert house.wrong_days == []
