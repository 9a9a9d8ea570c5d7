"""Whatever is delivered again, in whatever pieces and order, by one worker or two: nothing changes.

A model of a few lines says what must be stored after any first history. Then all of it comes again,
and every table stays as it is, byte for byte, with every id and every moment of arrival.
"""

import threading
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from arriving import delivery, glucose
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from stored_home import StoredHome

from ingest.arrival import Delivery
from ingest.load import Loader
from store.pool import open_pool

# a database is behind each example, and a busy machine is slow, not wrong
BRIEF = settings(
    max_examples=12,
    deadline=None,
    # each example moves two workers: to make a failing one smaller takes longer than to read it
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# what a meter may say of one record; the first is what it mostly says
VERSIONS: tuple[dict[str, Any], ...] = (
    {"value": 5.6},
    {"value": 6.1},
    {"value": 101, "unit": "mg/dL"},
    {"value": 5.6, "meal": "bedtime"},
)
OFFSETS = {"g1": -8 * 3600, "g2": -8 * 3600 + 1800}

# a gateway; the records of one message, each with the version that it says; read anew?
MESSAGES = st.tuples(
    st.sampled_from(["g1", "g1", "g2"]),
    st.lists(
        st.tuples(st.integers(1, 8), st.sampled_from([0, 0, 1, 2, 3])), min_size=1, max_size=6
    ),
    st.booleans(),
)
HISTORIES = st.lists(st.lists(MESSAGES, min_size=1, max_size=3), min_size=1, max_size=5)
Message = tuple[str, Sequence[tuple[int, int]], bool]


@pytest.fixture
def home(database: str) -> Iterator[StoredHome]:
    with open_pool(database, process="test") as pool:
        yield StoredHome(pool)


def made(message: Message) -> Delivery:
    gateway, records, resync = message
    documents = [glucose(n, offset_s=OFFSETS[gateway], **VERSIONS[which]) for n, which in records]
    return delivery(*documents, gateway=gateway, resync=resync)


def expected(history: Sequence[Sequence[Message]]) -> dict[int, tuple[str, list[int]]]:
    """By record: who brought it first, and its versions in the order in which they came."""
    records: dict[int, tuple[str, list[int]]] = {}
    for load in history:
        for gateway, said, _ in load:
            for number, which in said:
                _, versions = records.setdefault(number, (gateway, []))
                if which not in versions:
                    versions.append(which)
    return records


def found(home: StoredHome) -> dict[int, tuple[str, list[int]]]:
    """The same, as it is stored."""
    rows = home.ask(
        "SELECT sequence, gateway.name, value, meal FROM revision"
        " JOIN measurement USING (device_id, kind, sequence, taken_at)"
        " JOIN gateway ON gateway.id = measurement.gateway_id"
        " ORDER BY revision.id".replace("value, meal", "revision.value, revision.meal")
    ) + home.ask(
        "SELECT sequence, gateway.name, value, meal FROM measurement"
        " JOIN gateway ON gateway.id = gateway_id"
    )
    records: dict[int, tuple[str, list[int]]] = {}
    for number, gateway, value, meal in rows:
        bedtime = 5  # vitals.measurement.MEAL_CODE
        which = 3 if meal == bedtime else [each["value"] for each in VERSIONS].index(value)
        records.setdefault(number, (gateway, []))[1].append(which)
    return records


def cut_anew(history: Sequence[Sequence[Message]], chance: Random) -> list[Delivery]:
    """Every record of the history in other messages and in any order, some of them twice."""
    pieces: list[Message] = []
    for load in history:
        for gateway, said, resync in load:
            shuffled = chance.sample(said, len(said))
            cut = chance.randint(0, len(said))
            pieces += [(gateway, part, resync) for part in (shuffled[:cut], shuffled[cut:]) if part]
    pieces += chance.sample(pieces, len(pieces) // 2)
    return [made(each) for each in chance.sample(pieces, len(pieces))]


def at_once(home: StoredHome, *works: Sequence[Delivery], chance: Random) -> None:
    """Each worker brings its messages, some of them together; none of them may fail."""
    failures: list[BaseException] = []
    sizes = [chance.randint(1, 4) for _ in works]

    def work(deliveries: Sequence[Delivery], size: int) -> None:
        loader = Loader(home.pool)
        try:
            for first in range(0, len(deliveries), size):
                home.bring(*deliveries[first : first + size], loader=loader)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=each) for each in zip(works, sizes, strict=True)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(120)
    assert failures == []


@BRIEF
@given(history=HISTORIES, chance=st.randoms(use_true_random=False))
def test_what_comes_again_changes_nothing(
    home: StoredHome, history: list[list[Message]], chance: Random
) -> None:
    home.forget_all()
    for load in history:
        home.bring(*[made(each) for each in load])
    assert found(home) == expected(history)
    assert home.wrong_days == []

    before = home.tables
    again = [cut_anew(history, chance) for _ in range(2)]
    at_once(home, *again, chance=chance)
    assert home.tables == before


@BRIEF
@given(history=HISTORIES, chance=st.randoms(use_true_random=False))
def test_two_workers_that_bring_it_for_the_first_time_keep_each_version_once(
    home: StoredHome, history: list[list[Message]], chance: Random
) -> None:
    home.forget_all()
    at_once(home, *[cut_anew(history, chance) for _ in range(2)], chance=chance)

    wanted = {number: sorted(versions) for number, (_, versions) in expected(history).items()}
    assert {number: sorted(versions) for number, (_, versions) in found(home).items()} == wanted
    assert home.wrong_days == []


@BRIEF
@given(
    records=st.lists(st.integers(1, 40), min_size=1, max_size=30, unique=True),
    chance=st.randoms(use_true_random=False),
)
def test_one_gateway_s_records_end_in_the_same_tables_however_they_came(
    home: StoredHome, records: list[int], chance: Random
) -> None:
    """Two workers, records split, merged, shuffled and repeated: all but ids and arrival agrees."""
    history = [[("g1", [(number, number % 3) for number in records], False)]]
    ended = []
    for _ in range(2):
        home.forget_all()
        pieces = [cut_anew(history, chance) + cut_anew(history, chance) for _ in range(2)]
        at_once(home, *pieces, chance=chance)
        ended.append(
            home.ask(
                "SELECT to_jsonb(m) - 'received_at', to_jsonb(d) - 'received_at'"
                " FROM measurement AS m FULL JOIN measurement_day AS d"
                " ON d.first_at = m.taken_at AND d.unit = m.unit ORDER BY m.sequence"
            )
        )

    assert ended[0] == ended[1]
    assert len(ended[0]) == len(records)
    assert home.before == []
