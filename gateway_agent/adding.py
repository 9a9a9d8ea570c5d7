"""Adding one device: hearing it, sharing a key with it, holding its first visit.

Each way in which this fails ends with a `PairingFailed` that says why and what to do; nothing is
tried for ever. A key that the device has thrown away is thrown away here as well, and made anew.
May hold: this order of things for one device. May not: bleak, D-Bus, who
asks for it (`pairing.py`).
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway_agent.bonding import (
    ANSWER_S,
    Asker,
    Asks,
    Bonds,
    LostBond,
    PairingFailed,
    Question,
)
from gateway_agent.conversation import Call
from gateway_agent.linking import BondRefused, NoLink
from gateway_agent.quirk import Bond
from gateway_agent.sighting import Sighting
from vitals.command import Failure
from vitals.errors import KangbanError, TryAgain

log = logging.getLogger(__name__)

# seconds in which a device must be heard: a person is holding its button
ON_AIR_S = 30.0
# seconds to wait for a device that ends its pairing at the hang-up: it may have nothing more to say
BACK_S = 10.0
# first visits that may break off; each begins when the device is heard again
FIRST_VISITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants: which device, who answers its questions, who follows the steps."""

    device: str
    ask: Asker
    on_connecting: Callable[[], None]
    on_bonded: Callable[[], None]


class Air(Protocol):
    """What adding a device needs of the radio."""

    @property
    def bonds(self) -> Bonds:
        """The keys of the adapter."""

    async def next_sighting(self, device: str, wait_s: float) -> Sighting:
        """The device when it is next heard. Raises TimeoutError."""

    def deafness(self) -> str | None:
        """What keeps the adapter from hearing anything; None where it works."""

    def is_asking(self) -> None:
        """The link is up and its device waits for a person: others may be called on."""

    async def begin(self, sighting: Sighting) -> Call:
        """A call on this device. Raises TryAgain where nothing could be kept."""

    async def visit(
        self, sighting: Sighting, call: Call, *, bond: Bond, on_bonded: Callable[[], None]
    ) -> None:
        """One visit, in which a key is made as `bond` says. Raises KangbanError."""


class Adding:
    """One device on its way into the house."""

    def __init__(self, air: Air, wish: Wish) -> None:
        self._air, self._wish = air, wish
        self._question: Question | None = None
        self._answer: int | bool | None = None
        self._has_key = False
        self._told_bonded = False

    async def run(self) -> None:
        """Returns when the device was added and visited. Raises PairingFailed."""
        device, bonds = self._wish.device, self._air.bonds
        sighting = await self._on_air()
        _check_usable(sighting)
        self._wish.on_connecting()
        self._has_key = await bonds.is_bonded(device)
        async with bonds.answering(device, self._ask):
            rest = FIRST_VISITS
            # ends: a key is thrown away once, a pairing is ended once, and breaks are counted
            while True:
                rest -= 1
                call = await self._begin(sighting)
                try:
                    if await self._visit(sighting, call):
                        return
                except KangbanError as error:
                    await self._mend(error, rest=rest)
                sighting = await self._on_air()

    async def _visit(self, sighting: Sighting, call: Call) -> bool:
        """Has the device been visited to the end?"""
        quirk, had_key = sighting.recognised.quirk, self._has_key
        bond = Bond.NEVER if had_key else quirk.bond
        try:
            await self._air.visit(sighting, call, bond=bond, on_bonded=self._bonded)
        except KangbanError:
            if not (quirk.hangs_up_after_bond and self._has_key and not had_key):
                raise
        if had_key:
            self._bonded()
        if not quirk.hangs_up_after_bond or had_key or not self._has_key:
            return True
        return not await self._comes_back()

    async def _comes_back(self) -> bool:
        """Is the device heard again after the hang-up that ended its pairing?"""
        try:
            await self._air.next_sighting(self._wish.device, BACK_S)
        except TimeoutError:
            log.info("%s is added; it is read when it has measured.", self._wish.device)
            return False
        return True

    async def _mend(self, error: KangbanError, *, rest: int) -> None:
        """Clears the way for the next visit, or raises what ends all of them."""
        if self._question is not None and not self._told_bonded:
            raise self._unanswered(error) from error
        if self._has_key and not self._told_bonded and isinstance(error, LostBond | NoLink):
            log.info("%s: the key that was here is thrown away (%s).", self._wish.device, error)
            await self._air.bonds.forget(self._wish.device)
            self._has_key = False
        elif rest <= 0 or not isinstance(error, TryAgain) or isinstance(error, BondRefused):
            raise _failed(error) from error
        else:
            log.info("%s: %s", self._wish.device, error)

    async def _on_air(self) -> Sighting:
        try:
            return await self._air.next_sighting(self._wish.device, ON_AIR_S)
        except TimeoutError:
            if (deafness := self._air.deafness()) is not None:
                raise PairingFailed(Failure.ADAPTER, deafness) from None
            raise PairingFailed(
                Failure.OUT_OF_REACH,
                f"{self._wish.device} was not heard for {ON_AIR_S:.0f} s: put it into pairing "
                "mode, within three metres of the gateway, and begin again.",
            ) from None

    async def _begin(self, sighting: Sighting) -> Call:
        try:
            return await self._air.begin(sighting)
        except KangbanError as error:
            raise PairingFailed(Failure.DISK, str(error)) from error

    async def _ask(self, question: Question) -> int | bool | None:
        """A person's answer, None where there is none in time."""
        self._question, self._answer = question, None
        self._air.is_asking()
        try:
            async with asyncio.timeout(ANSWER_S):
                self._answer = await self._wish.ask(question)
        except TimeoutError:
            log.info("%s: nobody answered.", question.device)
        return self._answer

    def _bonded(self) -> None:
        self._has_key = True
        if not self._told_bonded:
            self._told_bonded = True
            self._wish.on_bonded()

    def _unanswered(self, error: KangbanError) -> PairingFailed:
        """What a bond that failed at a question means."""
        assert self._question is not None
        if self._answer is None:
            return PairingFailed(
                Failure.NO_PASSKEY,
                f"nobody answered the device within {ANSWER_S:.0f} s: begin again, with the device "
                "in pairing mode and in sight.",
            )
        if self._question.asks is Asks.PASSKEY:
            return PairingFailed(
                Failure.WRONG_PASSKEY,
                "the six digits are not those that the device showed: begin again; it shows new "
                "ones.",
            )
        if self._answer is False:
            return PairingFailed(
                Failure.REFUSED,
                "the two numbers were not the same: begin again, and see that no other device is "
                "in pairing mode nearby.",
            )
        return PairingFailed(Failure.REFUSED, str(error))


def _check_usable(sighting: Sighting) -> None:
    if sighting.recognised.driver is not None:
        return
    reason = sighting.recognised.quirk.reason
    why = reason.en if reason is not None else "no driver of this gateway reads it."
    raise PairingFailed(Failure.NOT_SUPPORTED, f"{sighting.name or sighting.device}: {why}")


def _failed(error: KangbanError) -> PairingFailed:
    """What a visit that broke off means to the person who waits for it."""
    match error:
        case PairingFailed():
            return error
        case LostBond():
            return PairingFailed(Failure.LOST_BOND, str(error))
        case BondRefused():
            return PairingFailed(
                Failure.REFUSED,
                f"{error} Put it into pairing mode (some must forget the phone they were paired "
                "with first), and begin again.",
            )
        case TryAgain():
            return PairingFailed(Failure.OUT_OF_REACH, str(error))
    return PairingFailed(Failure.REFUSED, str(error))
