"""Links to devices: made one at a time, to a device that was heard just now, and bonded.

BlueZ fails where two connects overlap, and a connect by address starts a scan of its own: both are
avoided here. A link that a bonded device does not let come about, since it has thrown its key away,
is told from one that is merely out of reach. May hold: making, bonding and ending links with bleak.
May not: what is said over them (`reached.py`), whom to call on.
"""

import asyncio
import logging

from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak_retry_connector import BleakClientWithServiceCache, establish_connection

from gateway_agent.bonding import ANSWER_S, Bonds, LostBond
from gateway_agent.conversation import Link
from gateway_agent.reached import ATT_TIMEOUT_S, TROUBLE
from vitals.errors import KangbanError, TryAgain

log = logging.getLogger(__name__)

# connects tried in one call: a cuff is on air for half a minute only
CONNECT_ATTEMPTS = 2
# seconds for all attempts together; bleak-retry-connector takes at most 20 s for each and pauses
CONNECT_S = 60.0
# seconds for a bond: a person's answer, and the Security Manager's own 30 s (Vol 3 Part H §3.4)
BOND_S = ANSWER_S + 30.0
# what the controller (bumble, HCI error 0x06) and BlueZ (error.h) say where the far end has thrown
# its key away, or holds another one
_KEY_GONE = ("PIN_OR_KEY_MISSING", "MIC_FAILURE", "key-missing", "Authentication")
# what BlueZ (org.bluez.Error.Authentication…) and the Security Manager say where a bond fails
_REFUSED = ("org.bluez.Error.Authentication", "smp")


class NoLink(TryAgain):
    """The device does not answer a connect, or hangs up at once."""


class BondRefused(TryAgain):
    """No key came about: one side did not want it."""


class Linker:
    """Makes links over one adapter."""

    def __init__(
        self, *, adapter: str, backend: type[BaseBleakClient] | None, bonds: Bonds
    ) -> None:
        self._adapter, self._backend = adapter, backend
        self.bonds = bonds
        self._connecting = asyncio.Lock()
        self._holds_turn = False

    async def connect(self, device: BLEDevice, link: Link) -> BleakClient:
        """A link to a device that was heard just now. Raises LostBond, NoLink."""
        ear = _Ear(link)
        bonded = await self.bonds.is_bonded(f"ble:{device.address}")
        try:
            async with self._connecting, asyncio.timeout(CONNECT_S):
                client = await establish_connection(
                    BleakClientWithServiceCache,
                    device,
                    device.name or device.address,
                    disconnected_callback=ear,
                    max_attempts=CONNECT_ATTEMPTS,
                    backend=self._backend,
                    bluez={"adapter": self._adapter},
                )
        except TROUBLE as error:
            raise _no_link(error, bonded=bonded) from error
        return ear.listen(client)

    async def connect_bonding(self, device: BLEDevice, link: Link) -> BleakClient:
        """A link that is bonded before anything is asked: such a device hangs up otherwise.

        Raises BondRefused, NoLink.
        """
        ear = _Ear(link)
        client = BleakClientWithServiceCache(
            device,
            disconnected_callback=ear,
            pair=True,
            timeout=BOND_S,
            backend=self._backend,
            bluez={"adapter": self._adapter},
        )
        await self._connecting.acquire()
        self._holds_turn = True
        try:
            async with asyncio.timeout(BOND_S):
                await client.connect(timeout=BOND_S)
        except TROUBLE as error:
            raise _no_bond(error) from error
        finally:
            self.give_turn()
        return ear.listen(client)

    def give_turn(self) -> None:
        """Lets others connect: the link that is being bonded is up, and a person is thinking."""
        if self._holds_turn:
            self._holds_turn = False
            self._connecting.release()

    async def bond(self, client: BleakClient) -> None:
        """Makes a key over an open link. Raises BondRefused, NoLink."""
        try:
            async with asyncio.timeout(BOND_S):
                await client.pair()
        except TROUBLE as error:
            raise _no_bond(error) from error


class _Ear:
    """Tells a link that it went down, but not for an attempt that broke off before."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._is_up = False

    def __call__(self, _: BleakClient) -> None:
        if self._is_up:
            self._link.went_down()

    def listen(self, client: BleakClient) -> BleakClient:
        """The client, whose end is heard from now on."""
        self._is_up = client.is_connected
        if not self._is_up:
            self._link.went_down()
        return client


async def hang_up(client: BleakClient) -> None:
    """Ends the link, or gives up on that."""
    try:
        async with asyncio.timeout(ATT_TIMEOUT_S):
            await client.disconnect()
    except TROUBLE as error:
        log.debug("Hanging up: %s", error)


def _no_link(error: Exception, *, bonded: bool) -> KangbanError:
    if bonded and any(each in str(error) for each in _KEY_GONE):
        return LostBond(
            f"it has thrown away the key that it shared with this gateway ({error}), as after a "
            "change of battery or a reset: add the device again."
        )
    said = str(error) or "no answer"
    hint = " If this goes on, it has lost its key: add the device again." if bonded else ""
    return NoLink(
        f"no link could be made ({said}): keep the device within three metres, "
        f"switched on, and not connected to a phone. It is tried again when it advertises.{hint}"
    )


def _no_bond(error: Exception) -> KangbanError:
    if any(each in str(error) for each in _REFUSED):
        return BondRefused(f"it shares no key with this gateway ({error}).")
    return _no_link(error, bonded=False)
