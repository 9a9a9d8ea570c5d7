"""Shards are shared out fairly, and move only where somebody has too many or is gone."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lease import BLOCKS, Lease, Step, Worker, division, step
from vitals.wire import SHARDS

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LASTS = timedelta(seconds=15)
ALL = frozenset(range(len(BLOCKS)))


def worker(name: str, *, silent_s: float = 1.0, reaches_broker: bool = True) -> Worker:
    return Worker(
        name=name, seen_at=NOW - timedelta(seconds=silent_s), reaches_broker=reaches_broker
    )


def leases(holders: str, *, left_s: float = 10.0) -> list[Lease]:
    """One letter for the holder of each block, "." for nobody."""
    return [
        Lease(
            block=block,
            holder=None if name == "." else name,
            until=NOW + timedelta(seconds=left_s),
        )
        for block, name in enumerate(holders)
    ]


def stepped(me: str, workers: list[Worker], rows: list[Lease]) -> tuple[str, str]:
    """What `me` holds and gives up, as text."""
    done: Step = step(me, now=NOW, lasts=LASTS, workers=workers, leases=rows)
    return "".join(map(str, sorted(done.hold))), "".join(map(str, sorted(done.give_up)))


def test_the_blocks_are_all_shards_once() -> None:
    owned = [shard for each in BLOCKS for shard in range(each.first, each.last + 1)]
    assert owned == list(range(SHARDS))


@pytest.mark.parametrize(
    ("holders", "workers", "expected"),
    [
        # nobody had anything: 8 = 3 + 3 + 2
        ("........", "abc", "aaabbbcc"),
        # alone
        ("........", "a", "aaaaaaaa"),
        # a second worker: four of eight move, all to it
        ("aaaaaaaa", "ab", "aaaabbbb"),
        # a third: c gets two, and the odd ones stay where they are
        ("aaaabbbb", "abc", "aaacbbbc"),
        # b is gone: only its blocks move
        ("aaabbbcc", "ac", "aaaacccc"),
        # it comes back under another name
        ("aaaacccc", "acd", "aaadcccd"),
        # nine workers: one of them waits
        ("........", "abcdefghi", "abcdefgh"),
        ("abcdefgh", "abcdefghi", "abcdefgh"),
        # already fair: nothing moves, however odd the places
        ("abcabcab", "abc", "abcabcab"),
        ("bacbacba", "abc", "bacbacba"),
    ],
)
def test_blocks_are_divided_fairly_and_few_of_them_move(
    holders: str, workers: str, expected: str
) -> None:
    found = division(dict(enumerate(holders)), set(workers))
    assert "".join(found[block] for block in sorted(found)) == expected


def test_nobody_has_anything_where_nobody_lives() -> None:
    assert division(dict.fromkeys(range(8), "a"), set()) == {}


@given(
    holders=st.lists(st.sampled_from("abcdefghijk."), min_size=8, max_size=8),
    workers=st.sets(st.sampled_from("abcdefghijk"), min_size=1),
)
def test_any_division_is_even_and_moves_as_few_as_any_could(
    holders: list[str], workers: set[str]
) -> None:
    found = division(dict(enumerate(holders)), workers)
    counts = sorted(Counter(dict.fromkeys(workers, 0) | Counter(found.values())).values())
    assert found.keys() == set(range(8))
    assert counts[-1] - counts[0] <= 1
    # whoever divides evenly lets each worker keep at most the larger share, and only as many of
    # them the larger one as there are odd blocks
    least, odd = divmod(8, len(workers))
    held = sorted((holders.count(name) for name in workers), reverse=True)
    most_kept = sum(min(has, least + (place < odd)) for place, has in enumerate(held))
    assert sum(found[block] == name for block, name in enumerate(holders)) == most_kept


@pytest.mark.parametrize(
    ("silent_s", "left_s", "expected"),
    [
        # b was heard of and holds its blocks
        (14.9, 0.1, ("0123", "")),
        # b's lease is over by the same clock, and so is b
        (15.0, 0.0, ("01234567", "")),
    ],
)
def test_a_silent_worker_s_blocks_are_taken_when_its_lease_is_over_and_not_before(
    silent_s: float, left_s: float, expected: tuple[str, str]
) -> None:
    workers = [worker("a"), worker("b", silent_s=silent_s)]
    assert stepped("a", workers, leases("aaaabbbb", left_s=left_s)) == expected


def test_a_worker_that_stood_still_keeps_what_nobody_took_and_fights_for_nothing() -> None:
    workers = [worker("a", silent_s=600), worker("b")]
    # it is counted as living, since it takes this step; b has all of its blocks
    assert stepped("a", workers, leases("bbbbbbbb")) == ("", "")
    assert stepped("a", workers, leases("aaaabbbb", left_s=-600)) == ("0123", "")


def test_a_new_worker_waits_until_others_have_given_up_its_share() -> None:
    workers = [worker("a"), worker("b")]
    assert stepped("b", workers, leases("aaaaaaaa")) == ("", "")
    # what is given up is held until the line is closed
    assert stepped("a", workers, leases("aaaaaaaa")) == ("01234567", "4567")
    assert stepped("b", workers, leases("aaaa....")) == ("4567", "")


def test_a_worker_that_the_broker_does_not_let_in_gives_everything_to_one_that_is() -> None:
    workers = [worker("a", reaches_broker=False), worker("b")]
    assert stepped("a", workers, leases("aaaabbbb")) == ("0123", "0123")
    assert stepped("b", workers, leases("....bbbb")) == ("01234567", "")


def test_nothing_moves_while_the_broker_lets_nobody_in() -> None:
    workers = [worker("a", reaches_broker=False), worker("b", reaches_broker=False)]
    assert stepped("a", workers, leases("aaaabbbb")) == ("0123", "")


def test_all_workers_divide_alike_from_the_same_rows() -> None:
    workers = [worker("a"), worker("b"), worker("c")]
    taken: dict[str, str] = {name: stepped(name, workers, leases("........"))[0] for name in "abc"}
    assert taken == {"a": "012", "b": "345", "c": "67"}
