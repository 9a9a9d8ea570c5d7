"""Commands that come over MQTT: each obeyed once, whatever the broker or a stranger does."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway_agent.post import Post
from gateway_agent.spool import Spool
from vitals.command import LIFE, Command, Do, Failure
from vitals.errors import TryAgain

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ORDER = Command(id="a" * 32, gateway="g1", at=NOW, expires_at=NOW + LIFE, do=Do.SCAN)

Obeyed = list[str]
Open = Callable[..., tuple[Post, Obeyed]]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Open]:
    """Opens the post of one gateway, each time as after a restart."""
    spools: list[Spool] = []

    def start(now: datetime = NOW) -> tuple[Post, Obeyed]:
        spools.append(Spool(tmp_path / "spool.sqlite"))
        opened, obeyed = Post("g1", spools[-1], now=lambda: now), []
        opened.on_command = lambda command: obeyed.append(command.id)
        return opened, obeyed

    yield start
    for each in spools:
        each.close()


def test_a_command_is_obeyed_once_however_often_it_comes(post: Open) -> None:
    opened, obeyed = post()
    opened.came(ORDER)
    opened.came(ORDER)
    opened.came(replace(ORDER, id="b" * 32))
    assert obeyed == ["a" * 32, "b" * 32]
    assert opened.due() == []


def test_a_command_that_is_played_again_after_a_restart_is_refused(post: Open) -> None:
    post()[0].came(ORDER)
    opened, obeyed = post(NOW + LIFE)
    opened.came(ORDER)
    assert obeyed == []


def test_a_clock_that_was_set_back_lets_nothing_in_again(post: Open) -> None:
    post()[0].came(ORDER)
    # an hour later another command comes, and clears away what nobody can play again
    post(NOW + timedelta(minutes=50))[0].came(
        replace(
            ORDER,
            id="b" * 32,
            at=NOW + timedelta(minutes=50),
            expires_at=NOW + timedelta(minutes=52),
        )
    )
    opened, obeyed = post(NOW)
    opened.came(ORDER)
    assert obeyed == []


def test_who_waits_for_an_expired_command_is_told_so(post: Open) -> None:
    opened, obeyed = post(NOW + timedelta(minutes=30))
    opened.came(ORDER)
    (event,) = opened.due()
    assert obeyed == []
    assert (event.number, event.failure) == (0, Failure.EXPIRED)
    assert "Ask again" in event.said


def test_another_gateway_s_command_is_logged_and_nothing_else(
    post: Open, caplog: pytest.LogCaptureFixture
) -> None:
    opened, obeyed = post()
    opened.came(replace(ORDER, gateway="g2"))
    assert (obeyed, opened.due()) == ([], [])
    assert "it is for g2" in caplog.text


def test_a_disk_that_cannot_remember_a_command_obeys_none(post: Open) -> None:
    opened, obeyed = post()

    def full(*_: object, **__: object) -> bool:
        raise TryAgain("The gateway's disk does not take more: free some space.")

    opened._spool.take_command = full  # type: ignore[method-assign]
    opened.came(ORDER)
    (event,) = opened.due()
    assert obeyed == []
    assert event.failure is Failure.DISK
    assert "free some space" in event.said
