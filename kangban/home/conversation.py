"""What is said between a person at a shell and the gateway: scan, pair, and the short questions.

May hold: the order of questions and answers, and their printing. May not: the words themselves
(`words.py`), how the gateway is reached (`line.py`), what it does.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

from gateway_agent.control import Line
from gateway_agent.pairing import is_stranger
from kangban.home.keyboard import Keyboard
from kangban.home.words import Words
from vitals.command import ENDS, Candidate, Do, Event, Step, encode_event
from vitals.errors import TryAgain

# decimal digits of a passkey (Core specification, Vol 3 Part H §2.3.5.6.2)
_DIGITS = 6


@dataclass(slots=True, kw_only=True)
class Conversation:
    """One command of a person; its functions give back whether it went well."""

    line: Line
    # does a gateway run on this machine by itself?
    runs: bool
    words: Words
    as_json: bool = False
    keyboard: Keyboard = field(default_factory=Keyboard)

    async def scan(self, *, seconds: float, everything: bool) -> bool:
        """Shows what is on air for so long."""
        found, ended = await self._find(seconds=seconds, everything=everything)
        if ended.step is Step.FAILED:
            return self._failed(ended)
        if not found:
            self._print(self.words.say("nothing_found"))
        return True

    async def pair(self, device: str | None, *, seconds: float) -> bool:
        """Adds a device; asks which one where none is named."""
        if device is None:
            found, ended = await self._find(seconds=seconds, everything=False)
            if ended.step is Step.FAILED:
                return self._failed(ended)
            chosen = await self._choose(found)
            if chosen is None:
                return False
            device = chosen.device
        return await self._follow(self.line.send(Do.PAIR, device=device), device)

    async def forget(self, device: str) -> bool:
        """Removes a device."""
        ended = await self._ask(Do.FORGET, device=device)
        if ended.step is Step.FAILED:
            return self._failed(ended)
        self._print(self.words.say("forgotten", device=device))
        return True

    async def consent(self, device: str, *, user: int, code: int) -> bool:
        """Tells the code by which a shared device hands over a user's readings."""
        ended = await self._ask(Do.CONSENT, device=device, user=user, number=code)
        if ended.step is Step.FAILED:
            return self._failed(ended)
        self._print(self.words.say("consented", device=device, user=user))
        return True

    async def devices(self) -> bool:
        """Shows the devices that were added."""
        ended = await self._ask(Do.STATUS)
        if ended.step is Step.FAILED:
            return self._failed(ended)
        self._data([dict(row) for row in ended.values])
        for row in ended.values:
            self._print(self.words.device(row))
        if not ended.values:
            self._print(self.words.say("no_devices"))
        return True

    async def status(self) -> bool:
        """Shows how the gateway is; one that does not run is not well."""
        ended = await self._ask(Do.STATUS)
        if ended.step is Step.FAILED:
            return self._failed(ended)
        numbers = ended.numbers
        self._data({"runs": self.runs, **numbers, "said": ended.said})
        said = "status" if self.runs else "status_alone"
        self._print(self.words.say(said, devices=numbers["devices"], spooled=numbers["spooled"]))
        if "disk_free_mb" in numbers:
            self._print(self.words.say("disk", disk_free_mb=numbers["disk_free_mb"]))
        self._print(f"  ({ended.said})")
        return self.runs

    async def _find(self, *, seconds: float, everything: bool) -> tuple[list[Candidate], Event]:
        """Whom a scan finds, each with the number under which it is shown, and its last word."""
        scan = self.line.send(Do.SCAN)
        self._print(self.words.say("scanning", seconds=f"{seconds:.0f}"))
        found: dict[str, Candidate] = {}
        call_off = asyncio.get_running_loop().call_later(
            seconds, lambda: self.line.send(Do.CANCEL, about=scan)
        )
        try:
            async for event in self._of(scan):
                candidate = event.candidate
                if event.step is Step.FAILED:
                    self._json(event)
                if event.step in ENDS:
                    return list(found.values()), event
                if candidate is None or (is_stranger(candidate) and not everything):
                    continue
                self._json(event)
                if candidate.device not in found:
                    self._print(f"{len(found) + 1:3}. {self.words.candidate(candidate)}")
                    if hint := candidate.hint.get(self.words.language):
                        self._print(f"     {hint}")
                found.setdefault(candidate.device, candidate)
        finally:
            call_off.cancel()
        raise self._gone()

    async def _choose(self, found: list[Candidate]) -> Candidate | None:
        if not found:
            self._print(self.words.say("nothing_found"))
            return None
        while answer := await self.keyboard.line(self.words.say("which")):
            if not answer.isdecimal() or not 1 <= int(answer) <= len(found):
                self._print(self.words.say("no_such_number"))
                continue
            chosen = found[int(answer) - 1]
            if chosen.supported:
                return chosen
            self._print(self.words.candidate(chosen))
        self._print(self.words.say("nothing_chosen"))
        return None

    async def _follow(self, pair: str, device: str) -> bool:
        """Follows a pairing to its end; what it wants to know, the person is asked meanwhile."""
        asking: asyncio.Task[None] | None = None
        try:
            async for event in self._of(pair):
                self._json(event)
                if event.step is Step.FAILED:
                    return self._failed(event)
                if (said := self.words.progress(event)) is not None:
                    self._print(said)
                if event.step is Step.DONE:
                    return True
                if event.step is Step.PASSKEY_WANTED:
                    asking = _instead(asking, self._passkey(pair))
                elif event.step is Step.CONFIRM_WANTED:
                    asking = _instead(asking, self._confirm(pair, event.numbers["number"]))
        finally:
            if asking is not None:
                asking.cancel()
        raise self._gone()

    async def _passkey(self, about: str) -> None:
        question = self.words.say("passkey")
        while (typed := await self.keyboard.line(question)) is not None:
            digits = typed.replace(" ", "")
            if digits.isdecimal() and len(digits) == _DIGITS:
                self.line.send(Do.PASSKEY, about=about, number=int(digits))
                return
            question = self.words.say("six_digits")
        self.line.send(Do.CANCEL, about=about)

    async def _confirm(self, about: str, number: int) -> None:
        typed = await self.keyboard.line(self.words.say("confirm", number=f"{number:06}"))
        yes = (typed or "").lower() in ("y", "yes", "是", "对")
        self.line.send(Do.CONFIRM, about=about, yes=yes)

    async def _ask(self, do: Do, **more: str | int) -> Event:
        async for event in self._of(self.line.send(do, **more)):
            if event.step is Step.FAILED or (event.step is Step.DONE and do is not Do.STATUS):
                self._json(event)
            if event.step in ENDS:
                return event
        raise self._gone()

    async def _of(self, command: str) -> AsyncIterator[Event]:
        async for event in self.line.events():
            if event.command == command:
                yield event

    def _failed(self, event: Event) -> bool:
        self._print(self.words.failed(event))
        return False

    def _gone(self) -> TryAgain:
        return TryAgain(self.words.say("gateway_gone"))

    def _print(self, text: str) -> None:
        if not self.as_json:
            print(text, flush=True)

    def _data(self, data: object) -> None:
        if self.as_json:
            print(json.dumps(data, ensure_ascii=False))

    def _json(self, event: Event) -> None:
        if self.as_json:
            print(encode_event(event).decode(), flush=True)


def _instead(before: asyncio.Task[None] | None, work: Awaitable[None]) -> asyncio.Task[None]:
    if before is not None:
        before.cancel()
    return asyncio.ensure_future(work)
