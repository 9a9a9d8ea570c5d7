"""A line between two processes that can be cut, or go dead, and that counts what it carried.

Stands between a gateway or a worker and the broker (TCP), or between a process and PostgreSQL (a
Unix socket). *Cut*: both ends are told. *Dead*: nothing flows and nobody is told, as when a router
loses its power. May hold: the passing on of octets. May not: who cuts and when.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

_AT_ONCE = 65_536
# MQTT 3.1.1, 2.2.1: the upper half of the first octet of a packet
PUBLISH, PUBACK = 3, 4

Place = tuple[str, int] | Path


class Wires:
    """The thread in which all lines of a campaign live."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._thread.start()
        self._made: list[Wire] = []

    def close(self) -> None:
        """Ends all lines."""
        self.do(self._end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def wire(self, far: Place, *, door: Path | None = None, counts: bool = False) -> "Wire":
        """A line to `far`, entered at the Unix socket `door` or at a free port of the loopback."""
        made = Wire(self, far, counts=counts)
        self._made.append(made)
        self.do(made.open(door))
        return made

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Does this in the thread of the lines, and waits for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _end_all(self) -> None:
        for each in self._made:
            await each.end()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)


class Wire:
    """One line, whole until told otherwise; `port` is where it is entered (0: a Unix socket)."""

    def __init__(self, wires: Wires, far: Place, *, counts: bool) -> None:
        self.port = 0
        # packets that went to the far end, by their type
        self.packets: Counter[int] = Counter()
        self._wires, self._far, self._counts = wires, far, counts
        self._is_cut = False
        self._flows = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()

    async def open(self, door: Path | None) -> None:
        """Begins to take connections."""
        self._flows.set()
        if door is not None:
            door.parent.mkdir(parents=True, exist_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, door)
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Ends every connection; new ones end at once."""
        self._wires.do(self._cut())

    def go_dead(self) -> None:
        """Lets nothing pass, and tells nobody."""
        self._wires.do(self._go_dead())

    def mend(self) -> None:
        """Makes it whole; what had stopped flows on."""
        self._wires.do(self._mend())

    async def end(self) -> None:
        """Ends every connection, and takes no more."""
        self._server.close()
        self._flows.set()
        await self._cut()

    async def _cut(self) -> None:
        self._is_cut = True
        for each in self._open:
            each.transport.abort()

    async def _go_dead(self) -> None:
        self._flows.clear()

    async def _mend(self) -> None:
        self._is_cut = False
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._open |= both
        if self._is_cut:
            writer.transport.abort()
        await asyncio.gather(
            self._pass_on(reader, far_writer, Packets(self.packets) if self._counts else None),
            self._pass_on(far_reader, writer, None),
        )
        self._open -= both

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._far, Path):
            return await asyncio.open_unix_connection(self._far)
        return await asyncio.open_connection(*self._far)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, packets: "Packets | None"
    ) -> None:
        with suppress(OSError):
            while octets := await reader.read(_AT_ONCE):
                await self._flows.wait()
                if packets is not None:
                    packets.feed(octets)
                writer.write(octets)
                await writer.drain()
        # one end has gone: so does the other
        writer.transport.abort()


class Packets:
    """Counts the MQTT packets of one direction of one connection."""

    def __init__(self, counted: Counter[int]) -> None:
        self._counted = counted
        self._heard = bytearray()
        self._skip = 0

    def feed(self, octets: bytes) -> None:
        """Takes what came next."""
        self._heard += octets
        while True:
            skipped = min(self._skip, len(self._heard))
            del self._heard[:skipped]
            self._skip -= skipped
            if self._skip or not self._begin():
                return

    def _begin(self) -> bool:
        """Whether a packet begins with what was heard: then its body is to be skipped."""
        # MQTT 3.1.1, 2.2.3: the length in seven bits an octet, the lowest first, at most four
        length = 0
        for place, octet in enumerate(self._heard[1:5]):
            length |= (octet & 0x7F) << (7 * place)
            if not octet & 0x80:
                self._counted[self._heard[0] >> 4] += 1
                del self._heard[: place + 2]
                self._skip = length
                return True
        return False
