"""The way from a shell on the same machine to the gateway that runs there: a socket in its folder.

The running gateway owns the adapter, so the shell asks it. Lines of JSON go over `control.sock`: a
command in, as it would come over MQTT, events back (`vitals/command.py`). Who may open the file may
ask anything, so it is the gateway's user's alone; which gateway a command names, and how old it is,
is of no interest here. What a shell has begun ends with its line. May hold: both ends of this line.
May not: what a command does (`desk.py`), how a person is spoken to.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from vitals.command import (
    LONGEST_LIFE,
    MAX_BYTES,
    Command,
    Do,
    Event,
    decode_command,
    decode_event,
    encode_command,
    encode_event,
)
from vitals.errors import MendData, MendSettings

log = logging.getLogger(__name__)

NAME = "control.sock"
# whom a command over this line is for: whoever listens
HERE = "here"


class Taker(Protocol):
    """The desk, as a shell has to do with it."""

    def take(
        self, command: Command, tell: Callable[[Event], None], *, strangers: bool = False
    ) -> None:
        """Begins what a command asks."""

    def cancel(self, about: str | None) -> None:
        """Ends a scan or pairing."""


class Control:
    """The gateway's end, while it is entered as a context.

    Raises MendSettings where another gateway listens in the same folder. A folder in which no
    socket can be made leaves the gateway without this line, and says so.
    """

    def __init__(self, folder: Path, desk: Taker) -> None:
        self._path, self._desk = folder / NAME, desk
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def __aenter__(self) -> "Control":
        try:
            await self._clear_away()
            # one line may be a whole candidate with its hints
            self._server = await asyncio.start_unix_server(
                self._serve, sock=_bound(self._path), limit=MAX_BYTES
            )
        except OSError as error:
            log.error(
                "No shell can reach this gateway: %s cannot be made (%s). Set KANGBAN_GATEWAY_DATA "
                "to a folder with a short name that this program may write. Reading goes on.",
                self._path,
                error,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is None:
            return
        self._server.close()
        served = [each for each in self._lines.values() if each is not None]
        for writer in tuple(self._lines):
            writer.close()
        await asyncio.gather(*served, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _clear_away(self) -> None:
        """Removes the socket of a gateway that was killed."""
        if not self._path.exists():
            return
        try:
            _, writer = await asyncio.open_unix_connection(self._path)
        except ConnectionRefusedError:
            self._path.unlink()
            return
        writer.close()
        raise MendSettings(
            f"Another gateway runs with the folder {self._path.parent}: stop it first, or set "
            "KANGBAN_GATEWAY_DATA to a folder of its own."
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun: list[str] = []

        def tell(event: Event) -> None:
            if not writer.is_closing():
                writer.write(encode_event(event) + b"\n")

        self._lines[writer] = asyncio.current_task()
        try:
            while line := await reader.readline():
                command = decode_command(line)
                begun.append(command.id)
                self._desk.take(command, tell, strangers=True)
        except (MendData, ValueError, OSError) as error:
            log.warning("A shell said what cannot be understood: %s", error)
        finally:
            for each in begun:
                self._desk.cancel(each)
            self._lines.pop(writer, None)
            writer.close()


class Line:
    """The shell's end: commands go, events come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, do: Do, **more: Any) -> str:
        """Asks for something; the id of the command."""
        now = datetime.now(UTC)
        command = Command(
            id=uuid4().hex, gateway=HERE, at=now, expires_at=now + LONGEST_LIFE, do=do, **more
        )
        self._writer.write(encode_command(command) + b"\n")
        return command.id

    async def events(self) -> AsyncIterator[Event]:
        """What the gateway answers, to whichever command; ends when the gateway does."""
        try:
            while line := await self._reader.readline():
                yield decode_event(line)
        except ConnectionResetError:
            return

    async def aclose(self) -> None:
        """Hangs up; what was begun over this line ends."""
        self._writer.close()


async def reach(folder: Path) -> Line | None:
    """A line to the gateway that runs with this folder; None where none runs.

    Raises MendSettings where it is another user's.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(folder / NAME, limit=MAX_BYTES)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError:
        raise MendSettings(
            f"The gateway with the folder {folder} is another user's: use sudo, or that user."
        ) from None
    return Line(reader, writer)


def _bound(path: Path) -> socket.socket:
    """A socket that nobody else may open, from its first moment on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    return made
