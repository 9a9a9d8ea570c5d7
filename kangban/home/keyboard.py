"""What a person types, waited for beside everything else.

A thread that waits for input cannot be called off when the device has lost patience meanwhile; the
event loop can be told when there is something to read. May hold: this waiting. May not: questions.
"""

import asyncio
import os
import sys


class Keyboard:
    """Lines from standard input, one at a time."""

    def __init__(self) -> None:
        self._read = b""

    async def line(self, question: str) -> str | None:
        """What was typed after the question, without its end; None where nobody can type."""
        # what a script reads stays free of questions
        print(question, end="", file=sys.stderr, flush=True)
        while b"\n" not in self._read:
            if not await self._more():
                return self._take(len(self._read)) or None
        text = self._take(self._read.index(b"\n") + 1)
        return text

    def _take(self, octets: int) -> str:
        taken, self._read = self._read[:octets], self._read[octets:]
        return taken.decode(errors="replace").strip()

    async def _more(self) -> bool:
        """Has anything come?"""
        loop, there = asyncio.get_running_loop(), asyncio.Event()
        source = sys.stdin.fileno()
        try:
            loop.add_reader(source, there.set)
        except PermissionError:
            # a file: it never lets anybody wait
            there.set()
        try:
            await there.wait()
            data = os.read(source, 4096)
        finally:
            loop.remove_reader(source)
        self._read += data
        return bool(data)
