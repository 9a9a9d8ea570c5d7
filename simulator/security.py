"""How a simulated device wants to be bonded, and the device's own side of that.

A device that wants a key answers its records only over an encrypted link. Some show six digits,
some compare a number, some hang up on everybody else, some end their pairing only when the gateway
has hung up; a change of the battery makes them forget. bumble drops a subscription with its link;
a real device keeps those of whom it is bonded with, and so do these. May hold: this side of
bonding. May not: services, stories.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bumble.att import Attribute
from bumble.device import Connection, Device
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    Service,
)
from bumble.gatt_server import Server
from bumble.pairing import PairingConfig, PairingDelegate

log = logging.getLogger(__name__)

# seconds that such a device waits for a pairing before it hangs up
PATIENCE_S = 0.2


class Method(StrEnum):
    """How a key is made."""

    # it serves anybody
    NONE = "none"
    # nothing is shown
    JUST_WORKS = "just_works"
    # it shows six digits that are typed at the other side
    PASSKEY = "passkey"
    # both sides show a number, and somebody looks at both
    COMPARISON = "comparison"


_SHOWS = {
    Method.NONE: PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
    Method.JUST_WORKS: PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
    Method.PASSKEY: PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
    Method.COMPARISON: PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How a device wants to be bonded. `passkey`: the six digits that it shows.

    `hangs_up_until_bonded` (Accu-Chek Instant), `ends_pairing_at_hang_up`: it sends nothing until
    the link over which it was bonded went down (A&D). `resumes_after_s`: seconds from the encrypted
    link until a bonded device sends what it has, without being subscribed to again.
    """

    method: Method = Method.NONE
    passkey: int = 123_456
    hangs_up_until_bonded: bool = False
    ends_pairing_at_hang_up: bool = False
    resumes_after_s: float = 0.1


OPEN = Security()


class Guard:
    """The keys of one device, and what it lets be done without one."""

    def __init__(self, device: Device, security: Security) -> None:
        self._device, self.security = device, security
        # what the device shows while it is paired
        self.shown: int | None = None
        # until the link goes down over which it was bonded
        self._is_pairing = False
        self._subscribed: dict[str, dict[int, bytes]] = {}
        device.pairing_config_factory = self._config
        device.on(Device.EVENT_CONNECTION, self._connected)
        device.gatt_server.on(Server.EVENT_CHARACTERISTIC_SUBSCRIPTION, self._configured)

    @property
    def may_send(self) -> bool:
        """May the device hand over what it has?"""
        return not (self._is_pairing and self.security.ends_pairing_at_hang_up)

    def show(self, number: int) -> None:
        """Has the device show these six digits; they stand in the log for whoever holds it."""
        self.shown = number
        log.info("%s shows %06d.", self._device.name, number)

    def close(self, services: Sequence[Service]) -> None:
        """Lets these services, which the device has already, be used over an encrypted link alone:
        ATT error 0x0F, or 0x05 where a person must have been asked, is the answer else."""
        if self.security.method is Method.NONE:
            return
        asked = self.security.method in (Method.PASSKEY, Method.COMPARISON)
        read, write = _AUTHENTICATED if asked else _ENCRYPTED
        begins = {each.handle: each.end_group_handle for each in services}
        for attribute in self._device.gatt_server.attributes:
            inside = any(low <= attribute.handle <= high for low, high in begins.items())
            if inside and _is_value(attribute):
                if attribute.permissions & Attribute.Permissions.READABLE:
                    attribute.permissions |= read
                if attribute.permissions & Attribute.Permissions.WRITEABLE:
                    attribute.permissions |= write

    async def forget(self) -> None:
        """Has lost its keys and subscriptions, as after a change of the battery."""
        self._subscribed.clear()
        if self._device.keystore is not None:
            await self._device.keystore.delete_all()

    async def knows(self, connection: Connection) -> bool:
        """Does the device hold a key of who has connected?"""
        keystore = self._device.keystore
        return keystore is not None and await keystore.get(str(connection.peer_address)) is not None

    def _config(self, _: Connection) -> PairingConfig:
        asked = self.security.method in (Method.PASSKEY, Method.COMPARISON)
        return PairingConfig(sc=True, mitm=asked, bonding=True, delegate=_Display(self))

    def _connected(self, connection: Connection) -> None:
        def bonded(_: object) -> None:
            self._is_pairing = True

        def went_down(_: int) -> None:
            self._is_pairing = False

        def encrypted() -> None:
            if connection.is_encrypted and str(connection.peer_address) in self._subscribed:
                connection.cancel_on_disconnection(self._resume(connection))

        connection.on(Connection.EVENT_PAIRING, bonded)
        connection.on(Connection.EVENT_DISCONNECTION, went_down)
        connection.on(Connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, encrypted)
        if self.security.hangs_up_until_bonded:
            connection.cancel_on_disconnection(self._tolerate(connection))

    def _configured(self, connection: Connection, *_: object) -> None:
        if connection.is_encrypted:
            configured = self._device.gatt_server.subscribers[connection]
            self._subscribed[str(connection.peer_address)] = dict(configured)

    async def _resume(self, connection: Connection) -> None:
        """Goes on as if the other side had subscribed again."""
        kept = dict(self._subscribed[str(connection.peer_address)])
        server = self._device.gatt_server
        server.subscribers.setdefault(connection, {}).update(kept)
        await asyncio.sleep(self.security.resumes_after_s)
        for handle, value in kept.items():
            characteristic = server.get_attribute(handle)
            if isinstance(characteristic, Characteristic):
                characteristic.emit(
                    Characteristic.EVENT_SUBSCRIPTION,
                    connection,
                    value[0] & 1 != 0,
                    value[0] & 2 != 0,
                )

    async def _tolerate(self, connection: Connection) -> None:
        began = asyncio.Event()
        connection.on(Connection.EVENT_PAIRING_START, began.set)
        if await self.knows(connection):
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await began.wait()
        except TimeoutError:
            log.debug("%s hangs up on a stranger.", self._device.name)
            await connection.disconnect()


_ENCRYPTED = (
    Attribute.Permissions.READ_REQUIRES_ENCRYPTION,
    Attribute.Permissions.WRITE_REQUIRES_ENCRYPTION,
)
_AUTHENTICATED = (
    Attribute.Permissions.READ_REQUIRES_AUTHENTICATION,
    Attribute.Permissions.WRITE_REQUIRES_AUTHENTICATION,
)


def _is_value(attribute: Attribute) -> bool:  # type: ignore[type-arg]
    """A characteristic's value or its configuration, not what merely declares them."""
    return isinstance(attribute, Characteristic) or (
        attribute.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
    )


class _Display(PairingDelegate):
    """What the device shows; whoever holds it presses "yes"."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(_SHOWS[guard.security.method])
        self._guard = guard

    async def generate_passkey(self) -> int:
        return self._guard.security.passkey

    async def display_number(self, number: int, digits: int) -> None:
        self._guard.show(number)

    async def compare_numbers(self, number: int, digits: int) -> bool:
        self._guard.show(number)
        return True
