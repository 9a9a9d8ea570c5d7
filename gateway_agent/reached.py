"""A device that is connected: what a talk asks of it, done with bleak.

An answer that a device denies for want of a key is a question of its own: while a person adds the
device the key is made and the device is asked again; at any other time the visit ends with what to
do. May hold: one connection's reads, writes, subscriptions, and what their errors mean. May not:
the making of links (`linking.py`), bytes of a profile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str

from gateway_agent.bonding import LostBond
from gateway_agent.conversation import Link, lost
from gateway_agent.drivers.user_data import USER_CONTROL_POINT
from gateway_agent.talk import Driver, Refusal
from vitals.errors import KangbanError, MendDevice, TryAgain

log = logging.getLogger(__name__)

T = TypeVar("T")

# seconds for one read, write or subscription; ATT's own limit (Core Vol 3, Part F, 3.3.3)
ATT_TIMEOUT_S = 30.0
# insufficient authentication, insufficient encryption (Core Vol 3, Part F, 3.4.1.1)
_WANTS_KEY = (0x05, 0x0F)
# what BlueZ says in their place (gatt-client.c), and where the pairing that it then begins by
# itself is refused
_WANTS_KEY_TEXTS = ("Not paired", "AuthenticationRejected", "AuthenticationFailed")

# what is written there may be a person's consent code: it must stand in no log and in no health
_SECRET = frozenset({USER_CONTROL_POINT})

# what bleak raises when the radio or D-Bus does not do what it should
TROUBLE = (BleakError, TimeoutError, EOFError, OSError)


class Reached:
    """`conversation.Device` by bleak. `bond` makes a key where the device wants one; without it,
    nobody is adding this device."""

    def __init__(
        self,
        client: BleakClient,
        link: Link,
        driver: Driver,
        *,
        bond: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._client, self._link, self._driver, self._bond = client, link, driver, bond
        # what it has sent, of whatever kind
        self.arrived = 0

    async def subscribe(
        self, characteristic: str, hear: Callable[[bytes], None], *, optional: bool
    ) -> None:
        found = self._seek(characteristic)
        if found is None:
            if not optional:
                raise self._missing(characteristic)
            return

        def heard(_: BleakGATTCharacteristic, data: bytearray) -> None:
            self.arrived += 1
            hear(bytes(data))

        await self._do(
            lambda: self._client.start_notify(found, heard), f"a subscription ({characteristic})"
        )

    async def read(self, characteristic: str) -> bytes | None:
        found = self._seek(characteristic)
        if found is None:
            return None
        try:
            return bytes(await self._ask(lambda: self._client.read_gatt_char(found)))
        except TROUBLE as error:
            self._check_link(error)
            log.info("%s does not let %s be read: %s", self._client.address, characteristic, error)
            return None

    async def write(self, characteristic: str, data: bytes) -> None:
        found = self._seek(characteristic)
        if found is None:
            raise self._missing(characteristic)
        what = characteristic if characteristic in _SECRET else f"{characteristic} {data.hex()}"
        await self._do(
            lambda: self._client.write_gatt_char(found, data, response=True), f"a command ({what})"
        )

    async def _do(self, action: Callable[[], Awaitable[None]], what: str) -> None:
        try:
            await self._ask(action)
        except TROUBLE as error:
            self._check_link(error)
            raise _refusal(error, what) from error

    async def _ask(self, action: Callable[[], Awaitable[T]]) -> T:
        """The answer; where the device wants a key first and may have one, the second answer."""
        try:
            return await self._within(action())
        except TROUBLE as error:
            bond, self._bond = self._bond, None
            if bond is None or not wants_key(error):
                raise
            await bond()
            return await self._within(action())

    async def _within(self, action: Awaitable[T]) -> T:
        """The answer, while one can come: a link that goes down is not waited for.

        What the device had sent before may be all that is left of it, and must be kept now. Raises
        LinkLost, TimeoutError, and what the action raises.
        """
        answer, down = asyncio.ensure_future(action), asyncio.ensure_future(self._link.down())
        try:
            await asyncio.wait(
                {answer, down}, timeout=ATT_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if answer.done():
                return answer.result()
            raise lost() if down.done() else TimeoutError()
        finally:
            for each in (answer, down):
                each.cancel()

    def _check_link(self, error: Exception) -> None:
        if self._link.is_down or not self._client.is_connected:
            raise lost() from error

    def _seek(self, characteristic: str) -> BleakGATTCharacteristic | None:
        """The characteristic, from the driver's own service where several have it."""
        if self._link.is_down:
            raise lost()
        uuid, home = normalize_uuid_str(characteristic), normalize_uuid_str(self._driver.service)
        found = [
            each
            for service in self._client.services
            for each in service.characteristics
            if each.uuid == uuid
        ]
        own = [each for each in found if each.service_uuid == home]
        return next(iter(own + found), None)

    def _missing(self, characteristic: str) -> MendDevice:
        return MendDevice(
            f"it advertises as {self._driver.en} but has no characteristic {characteristic}: "
            "switch it off and on; if that does not help, this model needs a driver of its own."
        )


def wants_key(error: Exception) -> bool:
    """Does the device, or BlueZ, ask for a key that we do not share?"""
    if isinstance(error, BleakGATTProtocolError):
        return int(error.code) in _WANTS_KEY
    return isinstance(error, BleakDBusError) and any(
        each in str(error) for each in _WANTS_KEY_TEXTS
    )


def _refusal(error: Exception, what: str) -> KangbanError:
    if wants_key(error):
        return LostBond(
            f"it answers {what} only to whom it shares a key with, and this gateway has none: "
            "add the device (again), with the device in pairing mode."
        )
    if isinstance(error, TimeoutError):
        return TryAgain(
            f"it did not answer {what} within {ATT_TIMEOUT_S:.0f} s; it is tried again."
        )
    if isinstance(error, BleakGATTProtocolError):
        return Refusal(
            f"it refuses {what} with ATT error 0x{int(error.code):02x}: pair it anew, or switch it "
            "off and on.",
            att_error=int(error.code),
        )
    if isinstance(error, BleakDBusError):
        return Refusal(f"Bluetooth refuses {what} ({error}): pair the device with this gateway.")
    return TryAgain(f"{what} failed ({error}); it is tried again.")
