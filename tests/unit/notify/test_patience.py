"""A channel that hangs counts as failed and holds nobody else up."""

import threading

from notify.patience import Patience


def test_each_contact_gives_its_own_answer() -> None:
    said = Patience(5).ask({1: lambda: None, 2: lambda: "the channel answered 500"})
    assert said == {1: None, 2: "the channel answered 500"}


def test_a_contact_that_hangs_fails_alone() -> None:
    release = threading.Event()

    def hang() -> None:
        release.wait()

    said = Patience(0.05).ask({1: hang, 2: lambda: None})
    release.set()
    assert said == {1: "the channel did not answer within 0.05 s", 2: None}


def test_a_contact_that_still_hangs_is_not_given_another_thread() -> None:
    release = threading.Event()
    asked: list[int] = []

    def hang() -> None:
        asked.append(1)
        release.wait()

    patience = Patience(0.05)
    patience.ask({1: hang})
    second = patience.ask({1: hang})
    release.set()
    assert second == {1: "the channel still hangs from an earlier message"}
    assert asked == [1]


def test_a_contact_is_asked_again_once_it_came_back() -> None:
    release, back = threading.Event(), threading.Event()

    def hang() -> None:
        release.wait()
        back.set()

    patience = Patience(0.05)
    patience.ask({1: hang})
    (left,) = patience._left.values()
    release.set()
    left.join(5)
    assert back.is_set()
    assert patience.ask({1: lambda: None}) == {1: None}


def test_a_channel_with_a_bug_fails_and_names_the_kind_of_it() -> None:
    def broken() -> None:
        raise RuntimeError("with a secret in it")

    assert Patience(5).ask({1: broken}) == {1: "the channel failed with RuntimeError"}


def test_nobody_to_ask_is_no_failure() -> None:
    assert Patience(5).ask({}) == {}
