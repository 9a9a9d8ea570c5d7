"""The line between a shell and the gateway on the same machine."""

import asyncio
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway_agent.control import NAME, Control, Line, reach
from vitals.command import Command, Do, Event, Step
from vitals.errors import MendSettings

METER = "ble:F0:00:00:00:00:01"


class Desk:
    """Answers each command once, and notes what is cancelled."""

    def __init__(self) -> None:
        self.taken: list[Command] = []
        self.cancelled: list[str | None] = []
        self.quiet = asyncio.Event()

    def take(
        self, command: Command, tell: Callable[[Event], None], *, strangers: bool = False
    ) -> None:
        assert strangers
        self.taken.append(command)
        now = datetime.now(UTC)
        tell(Event(gateway="g1", at=now, command=command.id, number=0, step=Step.DONE))

    def cancel(self, about: str | None) -> None:
        self.cancelled.append(about)
        self.quiet.set()


async def reached(folder: Path) -> Line:
    line = await reach(folder)
    assert line is not None
    return line


async def test_a_shell_asks_and_the_gateway_answers(tmp_path: Path) -> None:
    desk = Desk()
    async with Control(tmp_path, desk):
        line = await reached(tmp_path)
        asked = line.send(Do.PAIR, device=METER)
        event = await anext(line.events())
    assert (event.command, event.step) == (asked, Step.DONE)
    assert desk.taken[0].device == METER


async def test_nobody_else_may_open_the_line(tmp_path: Path) -> None:
    async with Control(tmp_path, Desk()):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert not (tmp_path / NAME).exists()


async def test_what_a_shell_has_begun_ends_with_its_line(tmp_path: Path) -> None:
    desk = Desk()
    async with Control(tmp_path, desk):
        line = await reached(tmp_path)
        asked = line.send(Do.SCAN)
        await anext(line.events())
        await line.aclose()
        async with asyncio.timeout(5):
            await desk.quiet.wait()
    assert desk.cancelled == [asked]


@pytest.mark.parametrize("said", [b"hello\n", b'{"v":1}\n', b"x" * 100_000 + b"\n"])
async def test_nonsense_ends_its_own_line_and_no_other(tmp_path: Path, said: bytes) -> None:
    async with Control(tmp_path, Desk()):
        reader, writer = await asyncio.open_unix_connection(tmp_path / NAME)
        writer.write(said)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        line = await reached(tmp_path)
        line.send(Do.STATUS)
        assert (await anext(line.events())).step is Step.DONE


async def test_the_socket_of_a_gateway_that_was_killed_is_cleared_away(tmp_path: Path) -> None:
    killed = await asyncio.create_subprocess_exec(
        "python3",
        "-c",
        "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
        str(tmp_path / NAME),
    )
    await killed.wait()
    assert (tmp_path / NAME).exists()
    assert await reach(tmp_path) is None
    async with Control(tmp_path, Desk()):
        assert await reach(tmp_path) is not None


async def test_a_second_gateway_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with Control(tmp_path, Desk()):
        with pytest.raises(MendSettings, match="Another gateway runs"):
            async with Control(tmp_path, Desk()):
                pass
        # and the first one is still there
        assert await reach(tmp_path) is not None


async def test_a_folder_with_too_long_a_name_leaves_the_gateway_without_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Control(tmp_path / ("deep" * 30), Desk()):
        pass
    assert "No shell can reach this gateway" in caplog.text


async def test_a_gateway_that_ends_ends_the_line(tmp_path: Path) -> None:
    async with Control(tmp_path, Desk()):
        line = await reached(tmp_path)
        line.send(Do.STATUS)
        events = line.events()
        await anext(events)
    async with asyncio.timeout(5):
        assert [each async for each in events] == []


async def test_where_no_gateway_runs_there_is_no_line(tmp_path: Path) -> None:
    assert await reach(tmp_path) is None


async def test_the_line_carries_the_shapes_of_the_wire(tmp_path: Path) -> None:
    async with Control(tmp_path, Desk()):
        line = await reached(tmp_path)
        line.send(Do.STATUS)
        sent = json.loads(await line._reader.readline())
    assert (sent["v"], sent["step"], sent["number"]) == (1, "done", 0)
