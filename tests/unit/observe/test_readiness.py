"""A process is ready when each part that it needs has said so lately."""

import pytest

from observe.readiness import Readiness


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_process_is_not_ready_before_every_part_has_spoken() -> None:
    readiness = Readiness("ingest", "broker", "database", clock=Clock())
    assert readiness.troubles() == {
        "broker": "nothing heard of it yet",
        "database": "nothing heard of it yet",
    }
    readiness.well("broker")
    assert readiness.troubles().keys() == {"database"}
    readiness.well("database")
    assert readiness.troubles() == {}


def test_a_part_in_trouble_says_why_until_it_is_well() -> None:
    readiness = Readiness("rules", "database", clock=Clock())
    readiness.ill("database", "it does not answer")
    assert readiness.troubles() == {"database": "it does not answer"}
    readiness.say("database", well=True, trouble="it does not answer")
    assert readiness.troubles() == {}


@pytest.mark.parametrize(("silent_s", "is_ready"), [(60.0, True), (60.1, False)])
def test_a_loop_that_stands_still_is_not_ready_after_a_minute(
    silent_s: float, is_ready: bool
) -> None:
    clock = Clock()
    readiness = Readiness("rules", "database", clock=clock)
    readiness.well("database")
    clock.now_s += silent_s
    assert (readiness.troubles() == {}) is is_ready
