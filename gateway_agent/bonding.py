"""Bonds: keys that the gateway shares with devices, and the questions that making one may raise.

What the system does (BlueZ, or the simulated adapter) stands behind `Bonds`; who answers a question
(a person before a page or a shell) stands behind an `Asker`. A question nobody answers in time is
answered with None, and the bond fails: never with a guess. May hold: these seams. May not: D-Bus
(`bluez.py`), bleak (`radio.py`), the order of a pairing (`pairing.py`).
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vitals.command import Failure
from vitals.errors import MendDevice

# seconds that a person has to answer: the Security Manager gives up after 30 s without a word
# (Core specification, Vol 3 Part H §3.4), and what was typed must still travel
ANSWER_S = 28.0


class Asks(StrEnum):
    """What a device's pairing wants to know."""

    # the six digits that the device shows
    PASSKEY = "passkey"
    # do both show `number`?
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question about one device ("ble:…")."""

    device: str
    asks: Asks
    number: int | None = None


# the answer to PASSKEY is a number, to CONFIRM a yes or no; None where nobody answered
Asker = Callable[[Question], Awaitable[int | bool | None]]


class PairingFailed(MendDevice):
    """A device could not be added; `failure` is for pages, the message for people who read logs."""

    def __init__(self, failure: Failure, said: str) -> None:
        super().__init__(said)
        self.failure = failure


class LostBond(MendDevice):
    """The device and this gateway share no key any more: one of them has thrown it away."""


class Bonds(Protocol):
    """The keys of one adapter. Devices are named "ble:" and their address."""

    def answering(self, device: str, asker: Asker) -> AbstractAsyncContextManager[None]:
        """While it is entered, questions about this device go to the asker; about any other device
        they are refused."""

    async def is_bonded(self, device: str) -> bool:
        """Do we hold a key of this device?"""

    async def forget(self, device: str) -> None:
        """Throws our key away, if there is one; the device may keep its own."""
