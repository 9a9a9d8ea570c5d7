"""The watchdog is fed while a gateway lives, and starves when the thread that sends does not."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_agent.upkeep import feed_watchdog


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield line


async def heard(line: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(line, 100), 10)


async def test_a_living_gateway_is_ready_once_and_feeds_its_watchdog(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    task = asyncio.create_task(feed_watchdog(lambda: True))
    assert [await heard(systemd) for _ in range(4)] == [b"READY=1", *[b"WATCHDOG=1"] * 3]
    task.cancel()


async def test_the_watchdog_starves_while_the_sender_stands_still(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    asked = asyncio.Semaphore(0)
    states = iter([False, False, True])

    def is_alive() -> bool:
        asked.release()
        return next(states, True)

    task = asyncio.create_task(feed_watchdog(is_alive))
    assert await heard(systemd) == b"READY=1"
    for _ in range(2):
        await asyncio.wait_for(asked.acquire(), 10)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)
    assert await heard(systemd) == b"WATCHDOG=1"
    task.cancel()


async def test_without_a_watchdog_it_only_says_that_it_is_ready(systemd: socket.socket) -> None:
    await feed_watchdog(lambda: True)
    assert await heard(systemd) == b"READY=1"
