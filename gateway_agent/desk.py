"""The desk of a gateway: takes what a person asks, from the page or the shell, and has it done.

One scan or pairing at a time: a pairing ends a scan (somebody has tapped what it found), a new scan
ends the last one (the page was loaded anew), and nothing disturbs a pairing. What is told, and in
which order, `pairing.py` decides; whether a command is obeyed at all, `orders.py`. Lives on the
event loop. May hold: this carrying out. May not: bleak, D-Bus, MQTT, SQL.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from gateway_agent.agent import Agent
from gateway_agent.bonding import ANSWER_S, Asker, Question
from gateway_agent.pairing import SCAN_S, Pairing, Scan, Told, candidate_of, failed
from gateway_agent.replies import Replies, Tell, failure_of, to_the_end
from gateway_agent.sighting import Sighting
from gateway_agent.spool import Spool
from gateway_agent.status import status_of
from gateway_agent.talk import ClockSeen
from vitals.command import Command, Do, Failure, Step
from vitals.errors import KangbanError, TryAgain
from vitals.measurement import Measurement
from vitals.wire import Health

log = logging.getLogger(__name__)

# a device that was heard longer ago is perhaps in a drawer again; engineering choice
FRESH = timedelta(seconds=30)
# seconds between two looks at who is on the air
LOOK_EVERY_S = 1.0
# seconds without any sign of life after which a pairing is given up: longer than any step of it
# may take (an answer 28 s, ATT 30 s, two tries to connect); engineering choice
QUIET_S = 120.0


class Finder(Protocol):
    """The radio, as far as a person has to do with it."""

    def sightings(self) -> Iterable[Sighting]:
        """Whom it has heard lately."""

    def watch(self, callback: Callable[[Sighting], None]) -> Callable[[], None]:
        """Has the callback told of each device that is new or turns out to be another; gives the
        way to stop that."""

    @property
    def troubles(self) -> Mapping[str, str]:
        """What is wrong with the adapter, each a short word with a sentence."""

    async def pair(
        self,
        device: str,
        ask: Asker,
        *,
        on_connecting: Callable[[], None],
        on_bonded: Callable[[], None],
    ) -> None:
        """Returns after the first visit. Raises PairingFailed."""

    async def forget(self, device: str) -> None:
        """Throws away the key of this device."""


class _Busy:
    """The scan or pairing under way: its command's id, and the task that does it."""

    def __init__(self, command: Command) -> None:
        self.id, self.device = command.id, command.device
        self.task: asyncio.Task[None] | None = None
        self.is_pairing = command.do is Do.PAIR
        # the question that a person has before them
        self.answer: asyncio.Future[int | bool] | None = None
        self.pairing: Pairing | None = None
        # writes down that the device is this home's, from its first record on
        self.added: asyncio.Task[None] | None = None
        self._was_cancelled = False

    def cancel(self) -> None:
        """Ends it; what it then still has to put right is not disturbed by a second word."""
        if self.task is not None and not self._was_cancelled:
            self._was_cancelled = True
            self.task.cancel()


class Desk:
    """Has done what a person asks of one gateway; see `take`."""

    def __init__(
        self,
        household: Agent,
        spool: Spool,
        *,
        radio: Finder,
        health: Callable[[], Health],
        now: Callable[[], datetime],
    ) -> None:
        self._household, self._spool, self._radio, self._now = household, spool, radio, now
        self._health = health
        self._busy: _Busy | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: Callable[..., None] = lambda *_: None
        household.on_kept, household.on_clock = self._kept, self._clock

    def take(self, command: Command, tell: Tell, *, strangers: bool = False) -> None:
        """Begins what a command asks; its answers go to `tell`. Never raises, never waits.

        `strangers`: a scan shows what nothing recognises too.
        """
        replies = Replies(command, tell, now=self._now, gateway=self._household.name)
        match command.do:
            case Do.SCAN:
                self._begin(command, replies, lambda mine: self._scan(mine, replies, strangers))
            case Do.PAIR:
                self._begin(command, replies, lambda mine: self._pair(mine, command, replies))
            case Do.PASSKEY | Do.CONFIRM:
                self._answer(command, replies)
            case Do.CANCEL:
                self.cancel(command.about)
                replies.say(Told(step=Step.DONE))
            case Do.FORGET:
                self._run(lambda: self._forget(command, replies), replies)
            case Do.CONSENT:
                self._run(lambda: self._consent(command, replies), replies)
            case Do.STATUS:
                self._run(lambda: self._status(replies), replies)

    def cancel(self, about: str | None) -> None:
        """Ends the scan or pairing of this id; one that has ended is none."""
        if self._busy is not None and self._busy.id == about:
            self._busy.cancel()

    async def close(self) -> None:
        """Ends whatever is under way; returns when it has said so."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(
        self, command: Command, replies: Replies, work: Callable[[_Busy], Awaitable[None]]
    ) -> None:
        before = self._busy
        if before is not None and before.is_pairing:
            replies.fail(Failure.BUSY)
            return
        if before is not None:
            before.cancel()
        mine = self._busy = _Busy(command)

        async def begin() -> None:
            if before is not None and before.task is not None:
                await asyncio.wait({before.task})
            await work(mine)

        mine.task = self._run(begin, replies)
        mine.task.add_done_callback(lambda _: self._over(mine))

    def _over(self, mine: _Busy) -> None:
        """Lets the next one begin; before its end is told, for who hears that may ask at once."""
        if self._busy is mine:
            self._busy = None

    def _run(self, work: Callable[[], Awaitable[None]], replies: Replies) -> asyncio.Task[None]:
        task = asyncio.create_task(to_the_end(work, replies))
        self._tasks.add(task)

        def end(_: object) -> None:
            self._tasks.discard(task)
            if not replies.have_ended:
                replies.fail(Failure.CANCELLED)

        task.add_done_callback(end)
        return task

    async def _scan(self, mine: _Busy, replies: Replies, strangers: bool) -> None:
        known = await self._household.on_disk(self._spool.devices)
        added = frozenset(key for key, each in known.items() if each.added_at is not None)
        scan = Scan(added=added, strangers=strangers)
        loop = asyncio.get_running_loop()

        def hear(sighting: Sighting) -> None:
            candidate = candidate_of(
                sighting.device, sighting.name, sighting.rssi_dbm, sighting.recognised
            )
            told = scan.heard(candidate, now_s=loop.time())
            if told is not None:
                replies.say(told)

        replies.say(Told(step=Step.SCANNING))
        stop = self._radio.watch(hear)
        try:
            await self._look_about(hear, until_s=loop.time() + SCAN_S)
        except asyncio.CancelledError:
            log.debug("The scan was ended before its time.")
        finally:
            stop()
        self._over(mine)
        deaf = self._deafness()
        replies.say(failed(Failure.ADAPTER, deaf) if deaf and not scan.found else scan.ended())

    async def _look_about(self, hear: Callable[[Sighting], None], *, until_s: float) -> None:
        """Has told who is on the air, again and again: signals change, devices fall silent."""
        loop = asyncio.get_running_loop()
        while loop.time() < until_s and not self._deafness():
            for each in self._radio.sightings():
                if abs(self._now() - each.at) <= FRESH:
                    hear(each)
            await asyncio.sleep(min(LOOK_EVERY_S, max(0.0, until_s - loop.time())))

    def _deafness(self) -> str:
        """What keeps the radio from hearing anything; a silent house is no such trouble."""
        troubles = self._radio.troubles.items()
        return " ".join(said for what, said in troubles if what != "silence")

    async def _pair(self, mine: _Busy, command: Command, replies: Replies) -> None:
        device = command.device
        assert device is not None
        pairing = mine.pairing = Pairing(device=device)
        replies.say(Told(step=Step.TAKEN, device=device))
        loop = asyncio.get_running_loop()
        try:
            await self._add(mine, pairing, replies)
            ending = pairing.visited(now_s=loop.time())
        except asyncio.CancelledError:
            ending = pairing.broke_off(Failure.CANCELLED, "", now_s=loop.time())
        except (KangbanError, TimeoutError) as error:
            failure, said = failure_of(error)
            ending = pairing.broke_off(failure, said, now_s=loop.time())
        except Exception:
            log.exception("A fault in this program broke off the pairing of %s.", device)
            ending = pairing.broke_off(Failure.FAULT, "", now_s=loop.time())
        if mine.added is not None:
            # nobody hears of an end before it is on disk
            await asyncio.wait({mine.added})
        self._over(mine)
        replies.say(*ending)

    async def _add(self, mine: _Busy, pairing: Pairing, replies: Replies) -> None:
        """Returns when the device was visited and is this home's on disk, not before: a gateway
        that dies meanwhile has added nothing. Raises TimeoutError when nothing happens for long."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(QUIET_S) as patience:

                def told(*news: Told) -> None:
                    if not patience.expired():
                        patience.reschedule(loop.time() + QUIET_S)
                    replies.say(*news)

                self._told = told
                await self._radio.pair(
                    pairing.device,
                    lambda question: self._ask(mine, pairing, question),
                    on_connecting=lambda: told(*pairing.connecting()),
                    on_bonded=lambda: told(*pairing.bonded()),
                )
                await self._household.add(pairing.device)
        finally:
            self._told = lambda *_: None

    async def _ask(self, mine: _Busy, pairing: Pairing, question: Question) -> int | bool | None:
        mine.answer = asyncio.get_running_loop().create_future()
        self._told(*pairing.asked(question))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await mine.answer
        except TimeoutError:
            pairing.unanswered = True
            return None
        finally:
            mine.answer = None

    def _answer(self, command: Command, replies: Replies) -> None:
        busy = self._busy
        if busy is None or busy.id != command.about or busy.answer is None or busy.answer.done():
            replies.fail(
                Failure.EXPIRED,
                "Nothing waits for this answer any more: put the device into pairing mode and "
                "begin again.",
            )
            return
        answer = command.number if command.do is Do.PASSKEY else command.yes
        assert answer is not None
        busy.answer.set_result(answer)
        replies.say(Told(step=Step.DONE))

    async def _forget(self, command: Command, replies: Replies) -> None:
        device = command.device
        assert device is not None
        if self._busy is not None and self._busy.device == device:
            replies.fail(Failure.BUSY)
            return
        is_added = await self._is_added(device)
        await self._radio.forget(device)
        if not is_added:
            replies.fail(Failure.UNKNOWN_DEVICE, _not_ours(device))
            return
        await self._household.remove(device)
        replies.say(Told(step=Step.DONE, device=device, said=f"{device} is no longer read."))

    async def _consent(self, command: Command, replies: Replies) -> None:
        device, user, code = command.device, command.user, command.number
        assert device is not None
        assert user is not None
        assert code is not None
        if not await self._is_added(device):
            replies.fail(Failure.UNKNOWN_DEVICE, _not_ours(device))
            return
        await self._household.consent(device, user, code)
        replies.say(Told(step=Step.DONE, device=device))

    async def _is_added(self, device: str) -> bool:
        known = await self._household.on_disk(lambda: self._spool.known(device))
        return known.added_at is not None

    async def _status(self, replies: Replies) -> None:
        health = await self._household.on_disk(self._health)
        known = await self._household.on_disk(self._spool.devices)
        added = [key for key, each in known.items() if each.added_at is not None]
        replies.say(status_of(health, added, zone=self._household.zone))

    def _kept(self, device: str, measurements: tuple[Measurement, ...]) -> None:
        pairing = self._now_pairing(device)
        if pairing is None:
            return
        first = pairing.read == 0
        news = pairing.kept(measurements, now_s=asyncio.get_running_loop().time())
        if first and pairing.read and self._busy is not None:
            # its records are here: whatever happens now, it is this home's
            self._busy.added = self._beside(self._household.add(device))
        self._told(*news)

    def _beside(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        async def quietly() -> None:
            try:
                await work
            except TryAgain as error:
                log.error("%s", error)

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _clock(self, device: str, seen: ClockSeen) -> None:
        pairing = self._now_pairing(device)
        if pairing is not None:
            self._told(*pairing.clock(seen, self._household.zone))

    def _now_pairing(self, device: str) -> Pairing | None:
        busy = self._busy
        return None if busy is None or busy.device != device else busy.pairing


def _not_ours(device: str) -> str:
    return f"{device} is not among this gateway's devices: `kangban gateway devices` names them."
