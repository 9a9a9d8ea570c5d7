"""A reading of nobody known waits, is given, handed over, set aside, taken back; days stay true."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arriving import ABSENT, METER, NOW, delivery, glucose
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.load import Loader
from store import assignment, inbox, measurements, people, sharing
from store.assignment import UNDO_FOR, Done, Outcome
from store.inbox import Visit
from store.named import queries
from store.pool import Pool, open_pool, transaction
from vitals.kinds import Kind

CUFF = "ble:AA:BB:CC:00:00:02"
MINUTE = timedelta(minutes=1)
BRIEF = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def cuff(
    sequence: int,
    *,
    at: datetime = NOW - timedelta(hours=1),
    user: int | None = None,
    systolic: float = 128,
) -> list[dict[str, Any]]:
    """One cuff reading: three measurements of one record."""
    values = (
        ("systolic", systolic, "mm[Hg]"),
        ("diastolic", round(systolic * 0.62), "mm[Hg]"),
        ("pulse", 70, "/min"),
    )
    return [
        glucose(sequence, at=at, device=CUFF, kind=kind, value=value, unit=unit, meal=ABSENT)
        | {"id": f"{sequence:015x}{place}"}
        | ({} if user is None else {"user": user})
        for place, (kind, value, unit) in enumerate(values)
    ]


class Home:
    """Mother and father with a cuff that nobody has mapped; neighbours with a gateway of theirs."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        with transaction(pool) as connection:
            household = people.create_household(connection, "Zhang")
            people.register_gateway(connection, name="g1", household_id=household)
            self.mother = people.create_patient(connection, name="母亲", household_id=household)
            self.father = people.create_patient(connection, name="父亲", household_id=household)
            next_door = people.create_household(connection, "Li")
            people.register_gateway(connection, name="g2", household_id=next_door)
            self.neighbour = people.create_patient(connection, name="邻居", household_id=next_door)
            self.son = people.create_account(connection, name="儿子", role="family")
            self.daughter = people.create_account(connection, name="女儿", role="family")
            self.device = people.ensure_devices(connection, [CUFF])[CUFF]
        self.loader = Loader(pool)

    def bring(self, *documents: dict[str, Any], gateway: str = "g1", now: datetime = NOW) -> None:
        self.loader.load([delivery(*documents, gateway=gateway, now=now)], now=now)

    def visit(self, sequence: int, at: datetime = NOW - timedelta(hours=1)) -> Visit:
        return Visit(device_id=self.device, sequence=sequence, taken_at=at)

    def do(self, deed: Any, *place: Any, by: int | None = None, **named: Any) -> Done:
        named = {"account_id": by or self.son, "now": NOW, **named}
        with transaction(self.pool) as connection:
            done = deed(connection, *place, **named)
        assert isinstance(done, Done)
        return done

    def give(self, sequence: int, to: int, **named: Any) -> Done:
        return self.do(assignment.give, self.visit(sequence), patient_id=to, **named)

    def ask(self, query: str, *values: Any) -> list[Any]:
        with transaction(self.pool) as connection:
            return connection.execute(query, values).fetchall()

    def waiting(self, *patients: int) -> list[int]:
        with transaction(self.pool) as connection:
            found = inbox.waiting(connection, patients or [self.mother], limit=50)
            count = inbox.count_waiting(connection, patients or [self.mother], limit=50)
        assert len(found) == count
        return [each.visit.sequence for each in found]

    def whose(self) -> dict[int, set[int | None]]:
        """The patients of each record's rows."""
        found: dict[int, set[int | None]] = {}
        for sequence, patient in self.ask("SELECT sequence, patient_id FROM measurement"):
            found.setdefault(sequence, set()).add(patient)
        return found

    @property
    def wrong_days(self) -> list[measurements.Difference]:
        with transaction(self.pool) as connection:
            return measurements.differences(connection)

    @property
    def news(self) -> set[int]:
        """Who is to be judged; they are taken."""
        with transaction(self.pool) as connection:
            taken = measurements.take_news(connection, consumer="rules", limit=9)
        return {each.patient_id for each in taken}


@pytest.fixture
def home(database: str) -> Iterator[Home]:
    with open_pool(database, process="test", max_size=6) as pool:
        yield Home(pool)


# -- waiting ---------------------------------------------------------------------------------------


def test_a_record_of_nobody_known_waits_whole_for_its_own_household(home: Home) -> None:
    home.bring(*cuff(1, user=2))

    with transaction(home.pool) as connection:
        (found,) = inbox.waiting(connection, [home.father], limit=9)
    assert found.visit == home.visit(1)
    assert (found.user, found.candidates) == (2, (home.mother, home.father))
    assert {kind: each.value for kind, each in found.values.items()} == {
        Kind.SYSTOLIC: 128,
        Kind.DIASTOLIC: 79,
        Kind.PULSE: 70,
    }
    assert home.waiting(home.neighbour) == []
    assert home.waiting(home.mother, home.neighbour) == [1]


def test_the_newest_wait_on_top_and_the_list_is_as_long_as_asked(home: Home) -> None:
    for number in range(1, 5):
        home.bring(*cuff(number, at=NOW - number * timedelta(days=9)))

    assert home.waiting() == [1, 2, 3, 4]
    with transaction(home.pool) as connection:
        assert len(inbox.waiting(connection, [home.mother], limit=2)) == 2
        assert inbox.count_waiting(connection, [home.mother], limit=3) == 3


def test_a_gateway_without_a_household_offers_to_those_who_use_the_device(home: Home) -> None:
    with transaction(home.pool) as connection:
        people.register_gateway(connection, name="g3")
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=1)
    home.bring(*cuff(1, user=2), gateway="g3")

    assert home.waiting(home.mother) == [1]
    assert home.waiting(home.father) == []
    assert home.give(1, home.father).outcome is Outcome.ABSENT
    assert home.give(1, home.mother).outcome is Outcome.DONE


# -- giving ----------------------------------------------------------------------------------------


def test_a_record_that_is_given_counts_is_news_and_waits_no_more(home: Home) -> None:
    home.bring(*cuff(1), *cuff(2, at=NOW))
    assert home.news == set()

    done = home.give(1, home.mother)

    assert (done.outcome, done.moved) == (Outcome.DONE, 3)
    assert home.whose() == {1: {home.mother}, 2: {None}}
    assert home.waiting() == [2]
    assert home.ask("SELECT DISTINCT patient_id, n FROM measurement_day") == [(home.mother, 1)]
    assert home.wrong_days == []
    assert home.news == {home.mother}
    assert home.ask("SELECT account_id, deed, patient_id FROM assignment") == [
        (home.son, "give", home.mother)
    ]


def test_pages_and_rules_are_told(home: Home) -> None:
    home.bring(*cuff(1))
    with home.pool.connection() as listener:
        listener.autocommit = True
        listener.execute("LISTEN kangban_patient")
        listener.execute("LISTEN kangban_news")
        home.give(1, home.mother)
        heard = {
            (each.channel, each.payload) for each in listener.notifies(timeout=5, stop_after=2)
        }
        listener.execute("UNLISTEN *")
    assert heard == {("kangban_patient", str(home.mother)), ("kangban_news", "")}


def test_a_second_press_changes_nothing(home: Home) -> None:
    home.bring(*cuff(1))
    home.give(1, home.mother)

    assert home.give(1, home.mother).outcome is Outcome.ALREADY
    assert home.ask("SELECT count(*) FROM assignment") == [(1,)]
    assert home.wrong_days == []


def test_of_two_relatives_the_first_is_obeyed_and_the_other_is_told(home: Home) -> None:
    home.bring(*cuff(1))
    outcomes: dict[int, Outcome] = {}
    start = threading.Barrier(2)

    def press(account: int, patient: int) -> None:
        start.wait(10)
        outcomes[patient] = home.give(1, patient, by=account).outcome

    both = [
        threading.Thread(target=press, args=(home.son, home.mother)),
        threading.Thread(target=press, args=(home.daughter, home.father)),
    ]
    for each in both:
        each.start()
    for each in both:
        each.join(20)

    assert sorted(outcomes.values()) == [Outcome.DONE, Outcome.TOO_LATE]
    (winner,) = [patient for patient, done in outcomes.items() if done is Outcome.DONE]
    assert home.whose() == {1: {winner}}
    assert home.wrong_days == []


def test_nobody_gives_what_is_not_of_the_household_or_not_there(home: Home) -> None:
    home.bring(*cuff(1))

    assert home.give(1, home.neighbour).outcome is Outcome.ABSENT
    assert home.give(7, home.mother).outcome is Outcome.ABSENT
    assert home.whose() == {1: {None}}


def test_a_guest_s_record_is_kept_and_offered_to_nobody(home: Home) -> None:
    home.bring(*cuff(1))
    done = home.do(assignment.set_aside, home.visit(1), patient_id=home.mother)

    assert done.outcome is Outcome.DONE
    assert home.waiting() == []
    assert home.whose() == {1: {None}}
    assert home.give(1, home.mother).outcome is Outcome.TOO_LATE
    again = home.do(assignment.set_aside, home.visit(1), patient_id=home.mother)
    assert again.outcome is Outcome.ALREADY
    # a repeat of the guest's record is the same record
    home.bring(*cuff(1))
    assert home.waiting() == []
    assert home.news == set()


def test_a_number_is_somebody_s_from_now_on_with_all_that_waits_of_it(home: Home) -> None:
    home.bring(*cuff(1, user=2), *cuff(2, at=NOW - timedelta(days=30), user=2), *cuff(3, user=1))
    named = {"device_id": home.device, "slot": 2, "patient_id": home.mother}

    assert home.do(assignment.give_number, **named).moved == 6
    home.bring(*cuff(4, at=NOW, user=2))

    assert home.whose() == {1: {home.mother}, 2: {home.mother}, 3: {None}, 4: {home.mother}}
    assert home.do(assignment.give_number, **named).outcome is Outcome.ALREADY
    assert home.wrong_days == []


# -- handing over, taking back ---------------------------------------------------------------------


def test_a_record_given_to_the_wrong_person_is_handed_over(home: Home) -> None:
    home.bring(*cuff(1), *cuff(2, at=NOW))
    home.give(1, home.mother)
    assert home.news == {home.mother}

    wrong = {"patient_id": home.mother, "to": home.father}
    assert home.do(assignment.hand_over, home.visit(1), **wrong).outcome is Outcome.DONE

    assert home.whose()[1] == {home.father}
    assert home.news == {home.mother, home.father}, "who lost it is judged again too"
    assert home.ask("SELECT DISTINCT patient_id FROM measurement_day") == [(home.father,)]
    assert home.do(assignment.hand_over, home.visit(1), **wrong).outcome is Outcome.ALREADY
    not_hers = {"patient_id": home.mother, "to": home.neighbour}
    assert home.do(assignment.hand_over, home.visit(1), **not_hers).outcome is Outcome.ABSENT
    assert home.wrong_days == []


def test_this_was_not_me_waits_for_a_name_again(home: Home) -> None:
    with transaction(home.pool) as connection:
        people.bind_device(connection, CUFF, patient_id=home.mother)
    home.bring(*cuff(1))
    assert home.whose() == {1: {home.mother}}

    released = home.do(assignment.release, home.visit(1), patient_id=home.mother)

    assert released.outcome is Outcome.DONE
    assert home.waiting() == [1]
    again = home.do(assignment.release, home.visit(1), patient_id=home.mother)
    assert again.outcome is Outcome.ALREADY
    assert home.give(1, home.father).outcome is Outcome.DONE
    not_hers = home.do(assignment.release, home.visit(1), patient_id=home.mother)
    assert not_hers.outcome is Outcome.ABSENT
    assert home.wrong_days == []


def test_what_was_said_is_taken_back_within_a_day_and_only_once(home: Home) -> None:
    home.bring(*cuff(1), *cuff(2, at=NOW))
    given = home.give(1, home.mother)
    named = {"assignment_id": given.assignment_id, "patient_id": home.mother}

    late = home.do(assignment.undo, **named, now=NOW + UNDO_FOR + MINUTE)
    assert late.outcome is Outcome.TOO_LATE
    stranger = home.do(assignment.undo, assignment_id=given.assignment_id, patient_id=home.father)
    assert stranger.outcome is Outcome.ABSENT
    assert home.do(assignment.undo, **named, now=NOW + UNDO_FOR).moved == 3

    assert home.waiting() == [2, 1]
    assert home.do(assignment.undo, **named).outcome is Outcome.ALREADY
    assert home.ask("SELECT count(*) FROM measurement_day") == [(0,)]
    assert home.ask("SELECT undone_by FROM assignment") == [(home.son,)]


def test_an_older_word_is_not_taken_back_over_a_newer_one(home: Home) -> None:
    home.bring(*cuff(1))
    first = home.give(1, home.mother)
    home.do(assignment.hand_over, home.visit(1), patient_id=home.mother, to=home.father)
    last = home.do(assignment.hand_over, home.visit(1), patient_id=home.father, to=home.mother)

    undone = home.do(assignment.undo, assignment_id=first.assignment_id, patient_id=home.mother)
    assert undone.outcome is Outcome.TOO_LATE
    assert home.whose() == {1: {home.mother}}
    home.do(assignment.undo, assignment_id=last.assignment_id, patient_id=home.mother)
    assert home.whose() == {1: {home.father}}
    assert home.wrong_days == []


@pytest.mark.parametrize("before", [None, "father"])
def test_a_number_that_is_taken_back_takes_back_what_came_by_it_since(
    home: Home, before: str | None
) -> None:
    was = home.father if before else None
    if was:
        with transaction(home.pool) as connection:
            people.bind_device(connection, CUFF, patient_id=was, slot=2)
    home.bring(*cuff(1, user=2))
    mapped = home.do(assignment.give_number, device_id=home.device, slot=2, patient_id=home.mother)
    home.bring(*cuff(2, at=NOW, user=2))
    assert home.whose() == {1: {was or home.mother}, 2: {home.mother}}

    home.do(assignment.undo, assignment_id=mapped.assignment_id, patient_id=home.mother)

    assert home.whose() == {1: {was}, 2: {was}}
    home.bring(*cuff(3, at=NOW + MINUTE, user=2), now=NOW + MINUTE)
    assert home.whose()[3] == {was}
    assert home.wrong_days == []


def test_a_guest_s_record_comes_back_when_that_is_undone(home: Home) -> None:
    home.bring(*cuff(1))
    aside = home.do(assignment.set_aside, home.visit(1), patient_id=home.mother)

    home.do(assignment.undo, assignment_id=aside.assignment_id, patient_id=home.mother)

    assert home.waiting() == [1]


# -- any order -------------------------------------------------------------------------------------

# midnights, a change of the clock in Paris, and a week apart: other days, other chunks
_MOMENTS = [
    datetime(2024, 11, 1, 15, 59, 59, tzinfo=UTC),
    datetime(2024, 11, 1, 16, 0, tzinfo=UTC),
    datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
    datetime(2024, 10, 27, 22, 59, tzinfo=UTC),
    datetime(2024, 11, 9, 12, 0, tzinfo=UTC),
]
_WISH = st.tuples(
    st.sampled_from(["give", "aside", "release", "over", "number", "undo", "bring"]),
    st.integers(1, 10),
    st.booleans(),
)


@BRIEF
@given(st.lists(_WISH, min_size=1, max_size=14))
def test_days_equal_a_recount_after_any_moves_in_any_order(
    home: Home, wishes: list[tuple[str, int, bool]]
) -> None:
    home.ask(
        "WITH a AS (DELETE FROM assigned), b AS (DELETE FROM measurement),"
        " c AS (DELETE FROM measurement_day), d AS (DELETE FROM device_user) SELECT 1"
    )
    home.ask("DELETE FROM assignment RETURNING 1")
    home.ask("UPDATE patient SET timezone = 'Europe/Paris' WHERE id = %s RETURNING 1", home.father)
    home.loader = Loader(home.pool)
    for number in range(1, 11):
        home.bring(*cuff(number, at=_at(number), user=number % 3, systolic=100 + number))
    said: list[tuple[int, int]] = []
    for what, number, is_mother in wishes:
        who, other = (home.mother, home.father) if is_mother else (home.father, home.mother)
        done = _wish(home, what, number, who, other, said)
        if done.assignment_id and what != "undo":
            said.append((done.assignment_id, who if what != "over" else other))
        assert home.wrong_days == []
    assert home.ask("SELECT count(*) FROM measurement WHERE sequence <= 10") == [(30,)]
    assert all(len(patients) == 1 for patients in home.whose().values())


def _at(number: int) -> datetime:
    return _MOMENTS[number % 5] + number * timedelta(microseconds=1)


def _wish(
    home: Home, what: str, number: int, who: int, other: int, said: list[tuple[int, int]]
) -> Done:
    visit = home.visit(number, _at(number))
    match what:
        case "give":
            return home.do(assignment.give, visit, patient_id=who)
        case "aside":
            return home.do(assignment.set_aside, visit, patient_id=who)
        case "release":
            return home.do(assignment.release, visit, patient_id=who)
        case "over":
            return home.do(assignment.hand_over, visit, patient_id=who, to=other)
        case "number":
            named = {"device_id": home.device, "slot": number % 3, "patient_id": who}
            return home.do(assignment.give_number, **named)
        case "undo" if said:
            assignment_id, patient = said[number % len(said)]
            return home.do(assignment.undo, assignment_id=assignment_id, patient_id=patient)
    late = number + 10 * (1 + len(home.whose()))
    home.bring(*cuff(late, at=_at(late), user=number % 3))
    return Done(outcome=Outcome.DONE)


def test_loads_and_moves_at_once_leave_true_days_and_block_nobody(home: Home) -> None:
    with transaction(home.pool) as connection:
        people.bind_device(connection, METER, patient_id=home.mother)
        people.bind_device(connection, CUFF, patient_id=home.father, slot=1)
    for number in range(1, 41):
        home.bring(*cuff(number, at=_at(number)))
    failures: list[BaseException] = []

    def load(first: int) -> None:
        loader = Loader(home.pool)
        for number in range(first, first + 30):
            # the father's cuff readings go to the very days that moves recount
            documents = cuff(1000 + number, at=_at(number), user=1)
            loader.load([delivery(*documents, glucose(number))], now=NOW)

    def move(who: int, other: int, numbers: range) -> None:
        for number in numbers:
            visit = home.visit(number, _at(number))
            home.do(assignment.give, visit, patient_id=who)
            home.do(assignment.hand_over, visit, patient_id=who, to=other)

    def watched(work: Any, *parts: Any) -> None:
        try:
            work(*parts)
        except BaseException as error:
            failures.append(error)

    workers = [
        threading.Thread(target=watched, args=parts)
        for parts in (
            (load, 100),
            (load, 200),
            (move, home.mother, home.father, range(1, 21)),
            (move, home.father, home.mother, range(21, 41)),
        )
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)

    assert failures == []
    assert home.wrong_days == []
    whose = home.whose()
    assert {number: whose[number] for number in (1, 40)} == {1: {home.father}, 40: {home.mother}}


# -- engines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["move", "lock_visit"])
def test_a_move_looks_into_the_chunk_of_its_record_alone(timescale_url: str, query: str) -> None:
    with open_pool(timescale_url, process="test") as pool:
        home = Home(pool)
        for week in range(6):
            home.bring(*cuff(week + 1, at=NOW - week * timedelta(days=8)))
        at = NOW - 2 * timedelta(days=8)
        row = {
            "device_id": home.device, "sequence": 3, "taken_at": at, "patient_id": home.mother,
            "first": at, "last": at, "kinds": [3], "sequences": [3], "moments": [at],
            "patients": [home.mother], "asides": [False],
        }  # fmt: skip
        assert home.ask("SELECT count(DISTINCT tableoid) FROM measurement") == [(6,)]
        with transaction(pool) as connection:
            plan = connection.execute(f"EXPLAIN {queries('inbox')[query]}", row).fetchall()
    chunks = set(re.findall(r"_hyper_\d+_\d+_chunk(?= )", "\n".join(line for (line,) in plan)))
    assert len(chunks) == 1


# -- numbers of a device ---------------------------------------------------------------------------


def test_the_numbers_of_a_cuff_are_told_with_what_came_of_each(home: Home) -> None:
    with transaction(home.pool) as connection:
        people.bind_device(connection, CUFF, patient_id=home.father, slot=1)
        people.bind_device(connection, CUFF, patient_id=home.mother, slot=4)
    home.bring(*cuff(1, user=1, systolic=141), *cuff(2, at=NOW, user=2, systolic=122), *cuff(3))

    with transaction(home.pool) as connection:
        found = sharing.numbers(connection, home.device, since=NOW - timedelta(days=365))
        possible = sharing.possible_users(connection, home.device)

    assert [(each.slot, each.patient_id, each.n, each.waiting) for each in found] == [
        (-1, None, 1, 1),
        (1, home.father, 1, 0),
        (2, None, 1, 1),
        (4, home.mother, 0, 0),
    ]
    assert (found[1].values[Kind.SYSTOLIC].value, found[1].values_of) == (141, home.father)
    assert (found[2].values[Kind.SYSTOLIC].value, found[2].values_of) == (122, None)
    assert found[3].values == {}
    assert possible == {home.mother, home.father}


def test_a_cuff_that_several_use_gives_readings_without_number_to_nobody(home: Home) -> None:
    with transaction(home.pool) as connection:
        sharing.share(connection, device_id=home.device, shared=False, patient_id=home.mother)
    home.bring(*cuff(1))
    with transaction(home.pool) as connection:
        sharing.share(connection, device_id=home.device, shared=True)
        assert [each.name for each in people.devices_of_patient(connection, home.mother)] == [CUFF]
        device = sharing.device(connection, home.device)
    home.bring(*cuff(2, at=NOW))

    assert device is not None
    assert device.shared
    assert home.whose() == {1: {home.mother}, 2: {None}}
    assert home.waiting() == [2]


def test_what_is_usual_and_who_used_it_are_read(home: Home) -> None:
    home.bring(*cuff(1), *cuff(2, at=NOW, user=1))
    home.give(1, home.mother)
    with transaction(home.pool) as connection:
        assignment.give(
            connection, home.visit(2, NOW), patient_id=home.father, account_id=home.son, now=NOW
        )
        uses = inbox.uses(connection, [home.device], since=NOW - timedelta(days=90))
        days = inbox.usual_days(
            connection,
            [home.mother, home.father],
            kinds=[Kind.SYSTOLIC],
            since=(NOW - timedelta(days=90)).date(),
        )
        (newest, _) = inbox.recent(connection, [home.mother, home.father], since=NOW - MINUTE)

    assert [(each.slot, each.patient_id, each.n) for each in uses] == [
        (-1, home.mother, 1),
        (1, home.father, 1),
    ]
    assert [(each.patient_id, each.kind, each.n, each.sum) for each in days] == [
        (home.mother, Kind.SYSTOLIC, 1, 128),
        (home.father, Kind.SYSTOLIC, 1, 128),
    ]
    assert (newest.by, newest.deed, newest.n, newest.newest_at) == ("儿子", "give", 1, NOW)
