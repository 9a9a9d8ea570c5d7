"""Devices that hang up by themselves, and those that forget what they have sent.

A lingering device waits a moment for more questions and hangs up. A forgetful one besides has no
record access: when indications are switched on it sends what it has stored, oldest first, and
forgets each record that was confirmed. May hold: these two ways. May not: any service.
"""

import asyncio
from dataclasses import dataclass

from bumble.device import Connection
from bumble.gatt import Characteristic

from simulator.peripheral import INDICATE, NOT_READABLE, Faults, Home, Identity, Peripheral


class Lingering(Peripheral):
    """A device that hangs up when nothing was asked for `linger_s` seconds."""

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
    ) -> None:
        self._linger_s = linger_s
        super().__init__(home, identity, faults=faults)

    def is_busy(self) -> bool:
        """Is it still doing what it was asked for?"""
        return False

    def asked(self) -> None:
        """Notes that somebody wants something of it just now."""
        self.asked_at_s = asyncio.get_running_loop().time()

    async def be_quiet(self) -> None:
        """Returns when nothing was asked for so long and nothing is being done."""
        loop = asyncio.get_running_loop()
        while self.is_busy() or self.asked_at_s + self._linger_s > loop.time():
            rest_s = self.asked_at_s + self._linger_s - loop.time()
            await asyncio.sleep(rest_s if rest_s > 0 else self._linger_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One payload that waits to be sent; `counts`: measurements; `user` as on the device."""

    characteristic: "Characteristic[bytes]"
    payload: bytes
    counts: int
    user: int | None = None


class Forgetful(Lingering):
    """A device that sends what it has stored to whoever subscribes, and forgets it."""

    def __init__(
        self,
        home: Home,
        identity: Identity,
        *,
        faults: Faults | None = None,
        linger_s: float = 0.1,
    ) -> None:
        self.stored: list[Stored] = []
        self._is_sending = False
        super().__init__(home, identity, faults=faults, linger_s=linger_s)

    def has_news(self) -> bool:
        return bool(self.stored)

    def is_busy(self) -> bool:
        return self._is_sending

    def indicated(self, uuid: str) -> "Characteristic[bytes]":
        """A characteristic on which stored payloads leave."""
        characteristic = Characteristic[bytes](uuid, INDICATE, NOT_READABLE)
        characteristic.on(Characteristic.EVENT_SUBSCRIPTION, self._subscribed)
        return characteristic

    def may_send(self, connection: Connection, stored: Stored) -> bool:
        """Does the other side want this payload, and may it have it?"""
        return self.guard.may_send and self.wants(connection, stored.characteristic)

    def _subscribed(self, connection: Connection, _: bool, indicate: bool) -> None:
        self.asked()
        if indicate and self.guard.may_send:
            self.run(self.send_stored(connection))

    async def send_stored(self, connection: Connection) -> None:
        """Sends what the other side wants and may have, waits for more questions, and hangs up."""
        if not self._is_sending:
            self._is_sending = True
            try:
                while (stored := self._next(connection)) is not None:
                    await self._send_one(connection, stored)
            finally:
                self._is_sending = False
        await self.be_quiet()
        await connection.disconnect()

    def _next(self, connection: Connection) -> Stored | None:
        return next((each for each in self.stored if self.may_send(connection, each)), None)

    async def _send_one(self, connection: Connection, stored: Stored) -> None:
        async def put(payload: bytes) -> None:
            await self.device.indicate_subscriber(connection, stored.characteristic, payload)

        whole = await self.send(stored.payload, put)
        self.stored.remove(stored)
        if whole:
            self.hand_over(stored.counts)
