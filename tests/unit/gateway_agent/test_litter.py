"""What ended calls leave behind: a search after so many of them finds it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from gateway_agent.litter import CALLS, Litter


class _Client:
    """Holds a bus that holds it."""

    def __init__(self) -> None:
        self.bus = self


@pytest.fixture(autouse=True)
def no_search_by_itself() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def test_what_calls_have_left_is_gone_after_a_handful_of_them() -> None:
    litter, left = Litter(), []
    for _ in range(CALLS * 3):
        client = _Client()
        left.append(weakref.ref(client))
        del client
        litter.call_ended()
        assert sum(each() is not None for each in left) < CALLS
    assert not any(each() for each in left)
