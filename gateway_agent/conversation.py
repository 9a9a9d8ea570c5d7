"""A driver's talk, pumped against one open connection.

The talk asks, this answers: what arrived (in order, with its time of arrival), that a reading is on
disk, or that the link is down. While the link is down everything is answered that needs no radio;
see `talk.py` for the rules. What lies behind a connection is a `Device`: bleak in `radio.py`, bytes
of bytes in a test. May hold: this pump and its queue. May not: bleak, bytes of a profile, SQL.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from gateway_agent.talk import (
    About,
    Ask,
    ClockSeen,
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Read,
    Refusal,
    Refused,
    SetClock,
    Subscribe,
    Talk,
    Visit,
    Write,
)
from vitals.errors import KangbanError, MendDevice
from vitals.measurement import Reading


class Call(Protocol):
    """One call on one device, as the agent keeps it."""

    visit: Visit

    async def keep(self, reading: Reading) -> None:
        """Returns when the reading is on disk."""

    def clock_seen(self, seen: ClockSeen) -> None:
        """Takes the device's own clock, for the readings that follow."""

    def clock_to_set(self, at: datetime, *, readable: bool = True) -> datetime | None:
        """What the device's clock should show at the moment `at`; None: it stays as it is.
        `readable`: can it be read at all?"""

    def clock_was_refused(self, *, at: datetime) -> None:
        """Takes down that the device denied the clock that it was to show."""

    def clock_was_set(self, *, shows: datetime, at: datetime) -> None:
        """Takes down that the clock was made to show this naive time at the moment `at`."""

    def about(self, about: About) -> None:
        """Takes what the device says of itself."""

    def bonded(self, held: bool) -> None:
        """Takes down whether a key is shared with the device."""

    def refused(self, refused: Refused) -> None:
        """Takes bytes that no decoder takes."""

    async def finished(self) -> None:
        """The device has said all it had to say."""

    async def failed(self, error: KangbanError) -> None:
        """The call broke off."""


class Device(Protocol):
    """The far end of one connection. Its methods raise LinkLost when the link is down, MendDevice
    or TryAgain when the device does not do what it is asked."""

    async def subscribe(
        self, characteristic: str, hear: Callable[[bytes], None], *, optional: bool
    ) -> None:
        """Has `hear` called with whatever the characteristic sends."""

    async def read(self, characteristic: str) -> bytes | None:
        """The value, None where the device has none or denies it."""

    async def write(self, characteristic: str, data: bytes) -> None:
        """Returns when the device has taken the data."""


class Link:
    """What arrives over one connection, in order; None at its end is the link going down."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._arrived: asyncio.Queue[Heard | None] = asyncio.Queue()
        self._down = asyncio.Event()

    @property
    def is_down(self) -> bool:
        """Will nothing more arrive?"""
        return self._down.is_set()

    async def down(self) -> None:
        """Returns when the link is down."""
        await self._down.wait()

    @property
    def has_arrivals(self) -> bool:
        """Is there anything that nobody has heard yet?"""
        # the end of the link stands in the queue too
        return self._arrived.qsize() > self.is_down

    def went_down(self) -> None:
        """Nothing more will arrive; said once or twice."""
        if not self.is_down:
            self._down.set()
            self._arrived.put_nowait(None)

    def moment(self) -> datetime:
        """This moment, aware UTC."""
        return self._now()

    def heard(self, characteristic: str, data: bytes) -> Heard:
        """These bytes, stamped with this moment."""
        return Heard(characteristic=characteristic, data=data, at=self._now())

    def ear(self, characteristic: str) -> Callable[[bytes], None]:
        """What takes in the bytes that a characteristic sends."""

        def hear(data: bytes) -> None:
            self._arrived.put_nowait(self.heard(characteristic, data))

        return hear

    async def next(self, wait_s: float) -> Heard | None:
        """What arrived next, None when nothing did. Raises LinkLost when nothing can any more."""
        try:
            heard = self._arrived.get_nowait()
        except asyncio.QueueEmpty:
            if self.is_down:
                raise lost() from None
            if wait_s <= 0:
                return None
            try:
                async with asyncio.timeout(wait_s):
                    heard = await self._arrived.get()
            except TimeoutError:
                return None
        if heard is None:
            raise lost()
        return heard


class Conversation:
    """One talk over one connection."""

    def __init__(self, device: Device, link: Link, driver: Driver, call: Call) -> None:
        self._device, self._link, self._driver, self._call = device, link, driver, call

    async def hold(self) -> None:
        """Returns when the talk has ended well; raises the KangbanError that ended it."""
        talk = self._driver.talk(self._call.visit)
        try:
            await self._pump(talk)
        finally:
            talk.close()

    async def _pump(self, talk: Talk) -> None:
        try:
            ask = next(talk)
            while True:
                try:
                    answer = await self._answer(ask)
                except KangbanError as error:
                    ask = talk.throw(error)
                else:
                    ask = talk.send(answer)
        except StopIteration:
            return

    async def _answer(self, ask: Ask) -> Heard | None:
        match ask:
            case Keep(reading=reading):
                await self._call.keep(reading)
            case Listen(wait_s=wait_s):
                return await self._link.next(wait_s)
            case ClockSeen():
                self._call.clock_seen(ask)
            case About():
                self._call.about(ask)
            case Refused():
                self._call.refused(ask)
            case Read(characteristic=characteristic):
                data = await self._device.read(characteristic)
                return None if data is None else self._link.heard(characteristic, data)
            case Write(characteristic=characteristic, data=data):
                await self._device.write(characteristic, data)
            case SetClock():
                return await self._set_clock(ask)
            case Subscribe(characteristic=characteristic, optional=optional):
                await self._subscribe(characteristic, optional=optional)
        return None

    async def _subscribe(self, characteristic: str, *, optional: bool) -> None:
        try:
            await self._device.subscribe(
                characteristic, self._link.ear(characteristic), optional=optional
            )
        except LinkLost:
            # what was wanted has come, and only the answer was lost with the link: a cuff has
            # forgotten what it sent, so that the talk must hear it now
            if not self._link.has_arrivals:
                raise

    async def _set_clock(self, ask: SetClock) -> Heard | None:
        shows = self._call.clock_to_set(self._link.moment(), readable=ask.readable)
        if shows is None:
            return None
        data = ask.encode(shows)
        try:
            await self._device.write(ask.characteristic, data)
        except MendDevice as error:
            # a link that went down denied nothing; a time that was taken is seen by the next visit
            if not _is_accepted(error, ask):
                self._call.clock_was_refused(at=self._link.moment())
                raise
        written = self._link.heard(ask.characteristic, data)
        self._call.clock_was_set(shows=shows, at=written.at)
        return written


def _is_accepted(error: MendDevice, ask: SetClock) -> bool:
    code = error.att_error if isinstance(error, Refusal) else None
    return code is not None and code == ask.accepted_error


def lost() -> LinkLost:
    return LinkLost(
        "the link went down in mid-call: keep the device within three metres until it is done. "
        "What was read is kept; the rest is read when it advertises again."
    )
