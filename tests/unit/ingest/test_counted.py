"""What is counted of ingest: bounded whatever gateways say, and true after shards have moved."""

from datetime import timedelta

from arriving import NOW, delivery, glucose
from prometheus_client import REGISTRY

from ingest import counted
from ingest.arrival import DeadLetter, Message
from ingest.config import Shards
from ingest.counted import HEARD_WITHIN_S, MOST_GATEWAYS, Spools
from ingest.load import Loaded
from ingest.reason import Reason
from vitals.wire import shard

ALL = Shards(first=0, last=63)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def figures(spools: Spools) -> dict[str, dict[str, float]]:
    """Each figure with its values by gateway ("" for none)."""
    return {
        family.name: {sample.labels.get("gateway", ""): sample.value for sample in family.samples}
        for family in spools.collect()
    }


def spools(clock: Clock, *, owned: Shards = ALL) -> Spools:
    made = Spools(clock)
    made.of(lambda: [owned])
    return made


def test_the_last_word_of_each_gateway_counts() -> None:
    clock = Clock()
    found = spools(clock)
    found.note("home-wang", spooled=7, now_s=clock.now_s)
    found.note("home-wang", spooled=3, now_s=clock.now_s)
    found.note("home-chen", spooled=-1, now_s=clock.now_s)
    assert figures(found) == {
        "kangban_gateway_spooled": {"home-wang": 3, "home-chen": 0},
        "kangban_gateways_heard": {"": 2},
        "kangban_gateways_spooled": {"": 3},
    }


def test_of_many_gateways_the_deepest_are_named_and_all_are_summed() -> None:
    clock = Clock()
    found = spools(clock)
    for number in range(MOST_GATEWAYS + 50):
        found.note(f"home-{number}", spooled=number, now_s=clock.now_s)
    shown = figures(found)["kangban_gateway_spooled"]
    assert len(shown) == MOST_GATEWAYS
    assert min(shown.values()) == 50
    assert figures(found)["kangban_gateways_heard"] == {"": MOST_GATEWAYS + 50}
    assert figures(found)["kangban_gateways_spooled"] == {"": sum(range(MOST_GATEWAYS + 50))}


def test_a_silent_gateway_is_counted_no_more() -> None:
    clock = Clock()
    found = spools(clock)
    found.note("home-wang", spooled=7, now_s=clock.now_s)
    clock.now_s += HEARD_WITHIN_S - 0.1
    assert figures(found)["kangban_gateways_heard"] == {"": 1}
    clock.now_s += 0.2
    assert figures(found)["kangban_gateways_heard"] == {"": 0}


def test_gateways_of_shards_that_moved_are_another_worker_s() -> None:
    clock = Clock()
    others = Shards(first=0, last=shard("home-wang") - 1)
    found = spools(clock, owned=others)
    found.note("home-wang", spooled=7, now_s=clock.now_s)
    assert figures(found)["kangban_gateway_spooled"] == {}


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_rows_repeats_refusals_and_lag_are_counted_by_envelope() -> None:
    sent = delivery(glucose(1), glucose(2), glucose(3))
    newest = max(each.taken_at for each in sent.items)
    names = ("rows_total", "repeats_total", "lag_seconds_count", "lag_seconds_sum")
    before = [value(f"kangban_ingest_{each}") for each in names]
    refused = value("kangban_ingest_refused_total", reason="implausible")
    done = Loaded(
        receipts=((sent.gateway, sent.receipt()),),
        inserted=2,
        refused=1,
        reasons=(Reason.IMPLAUSIBLE,),
    )
    counted.loaded([sent], done, now=newest + timedelta(seconds=90), took_s=0.02)
    after = [value(f"kangban_ingest_{each}") for each in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1, 90]
    assert value("kangban_ingest_refused_total", reason="implausible") == refused + 1


def test_a_clock_ahead_makes_no_negative_lag() -> None:
    sent = delivery(glucose(1, at=NOW))
    before = value("kangban_ingest_lag_seconds_sum")
    done = Loaded(receipts=((sent.gateway, sent.receipt()),), inserted=1)
    counted.loaded([sent], done, now=NOW - timedelta(seconds=30), took_s=0.02)
    assert value("kangban_ingest_lag_seconds_sum") == before


def test_messages_are_counted_by_what_they_were() -> None:
    letter = DeadLetter(message=Message(topic="x", payload=b""), reasons=("x",))
    before = value("kangban_ingest_messages_total", kind="dead_letter")
    outstanding = value("kangban_ingest_receipts_outstanding")
    counted.judged([letter, delivery(glucose(1)), letter])
    assert value("kangban_ingest_messages_total", kind="dead_letter") == before + 2
    assert value("kangban_ingest_receipts_outstanding") == outstanding + 1
