"""The keys of the simulated adapter, and who answers while one is made: as BlueZ does it.

Its pairing offers a keyboard and a display, so that a device which can show a passkey or compare
numbers will. Questions go to a person for the one device that is being added; a device that asks
for a key by itself is refused. May hold: bumble's side of bonding for a central. May not: the
devices' own side (`peripheral.py`), GATT.
"""

import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bumble import core
from bumble.device import Connection, Device
from bumble.pairing import PairingConfig, PairingDelegate

from gateway_agent.bonding import Asker, Asks, Question

log = logging.getLogger(__name__)

# with an identity key as well, bumble scans by itself before each connect to the device
KEY_ALONE = PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY


class SimulatedBonds:
    """`bonding.Bonds` over a bumble device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._answers: tuple[str, Asker] | None = None
        device.pairing_config_factory = self._config
        device.on(Device.EVENT_CONNECTION, self._connected)

    def answering(self, device: str, asker: Asker) -> AbstractAsyncContextManager[None]:
        """While it is entered, questions about this device go to the asker."""
        return self._answering(device, asker)

    @asynccontextmanager
    async def _answering(self, device: str, asker: Asker) -> AsyncIterator[None]:
        self._answers = (device, asker)
        try:
            yield
        finally:
            self._answers = None

    async def is_bonded(self, device: str) -> bool:
        """Do we hold a key of this device?"""
        return await self._name_of(device) is not None

    async def forget(self, device: str) -> None:
        """Throws our key away; an open link goes down, as with BlueZ."""
        for connection in list(self._device.connections.values()):
            if device_of(connection) == device:
                await connection.disconnect()
        name = await self._name_of(device)
        if name is not None and self._device.keystore is not None:
            await self._device.keystore.delete(name)

    async def _name_of(self, device: str) -> str | None:
        """How the store of keys calls this device, None where it has none of it."""
        if self._device.keystore is None:
            return None
        names = [name for name, _ in await self._device.keystore.get_all()]
        return next((each for each in names if f"ble:{each.split('/')[0]}" == device), None)

    def admits(self, device: str) -> bool:
        """Is this the device that a person is adding?"""
        return self._answers is not None and self._answers[0] == device

    async def ask(self, device: str, asks: Asks, number: int | None = None) -> int | bool | None:
        """A person's answer, None for a device that nobody is adding."""
        if self._answers is None or self._answers[0] != device:
            return None
        return await self._answers[1](Question(device=device, asks=asks, number=number))

    def _config(self, connection: Connection) -> PairingConfig:
        return PairingConfig(sc=True, mitm=True, bonding=True, delegate=_Delegate(self, connection))

    def _connected(self, connection: Connection) -> None:
        def wanted(_: int) -> None:
            connection.cancel_on_disconnection(_quietly(self._security_request(connection)))

        connection.on(connection.EVENT_SECURITY_REQUEST, wanted)

    async def _security_request(self, connection: Connection) -> None:
        if await self.is_bonded(device_of(connection)):
            await connection.encrypt()
        else:
            await connection.pair()


class _Delegate(PairingDelegate):
    def __init__(self, bonds: SimulatedBonds, connection: Connection) -> None:
        super().__init__(
            PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
            local_responder_key_distribution=KEY_ALONE,
        )
        self._bonds, self._of = bonds, device_of(connection)

    async def accept(self) -> bool:
        return self._bonds.admits(self._of)

    async def confirm(self, auto: bool = False) -> bool:
        return self._bonds.admits(self._of)

    async def compare_numbers(self, number: int, digits: int) -> bool:
        return await self._bonds.ask(self._of, Asks.CONFIRM, number) is True

    async def get_number(self) -> int | None:
        answer = await self._bonds.ask(self._of, Asks.PASSKEY)
        return None if isinstance(answer, bool) else answer


def device_of(connection: Connection) -> str:
    """The far end of a link, as the gateway calls it."""
    return f"ble:{connection.peer_address.to_string(with_type_qualifier=False)}"


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except core.BaseBumbleError as error:
        log.info("A device that asked for a key did not get one: %r", error)
