"""BlueZ by D-Bus, where bleak does not go: its agent, its keys, its adapter.

bleak registers no agent, and without one every pairing fails in silence. bluetoothd and the bus may
come and go; what is registered there is registered again. May hold: what is asked of bluetoothd.
May not: the objects that it calls (`bluez_objects.py`), the order of a pairing (`adding.py`), GATT
of devices (bleak).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Any

from dbus_fast import BusType, DBusError, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from gateway_agent import time_server
from gateway_agent.bluez_objects import (
    AGENT,
    TIME,
    TIME_SERVICE,
    Answers,
    PairingAgent,
    TimeCharacteristic,
    TimeService,
)
from gateway_agent.bonding import Asker
from gateway_agent.troubles import Troubles
from vitals.errors import TryAgain

log = logging.getLogger(__name__)

# seconds for one answer of bluetoothd that needs no radio; engineering choice
CALL_S = 10.0
# seconds between two looks at whether bluetoothd still knows our agent: an adapter may be plugged
# in at any time
LOOK_EVERY_S = 60.0
# seconds until the bus is tried again
BUS_PAUSE_S = 5.0
# seconds that the adapter stays off
OFF_S = 1.0

BLUEZ, ADAPTER, DEVICE = "org.bluez", "org.bluez.Adapter1", "org.bluez.Device1"
_AGENTS, _GATT = "org.bluez.AgentManager1", "org.bluez.GattManager1"
_PROPERTIES = "org.freedesktop.DBus.Properties"
# a keyboard and a display: BlueZ then offers passkey and numeric comparison to devices that can
_CAPABILITY = "KeyboardDisplay"


class BlueZ:
    """One adapter of this computer: `bonding.Bonds`, and what must be registered with bluetoothd.

    `wall_clock`: the moment in the zone of the household, for devices that ask for the time.
    """

    def __init__(self, adapter: str, *, wall_clock: Callable[[], datetime]) -> None:
        self._path = f"/org/bluez/{adapter}"
        self._wall_clock = wall_clock
        self._answers = Answers()
        self._bus: MessageBus | None = None
        self._has_bus = asyncio.Event()
        self._owner_changed = asyncio.Event()
        # what comes after this is a return
        self._has_served = False
        self.troubles = Troubles()

    async def run(self, *, on_change: Callable[[], None] = lambda: None) -> None:
        """Keeps agent and time registered until cancelled; calls `on_change` whenever the bus is
        gone and whenever bluetoothd has come back: who scans must start anew."""
        while True:
            try:
                await self._serve(on_change)
            except (OSError, EOFError) as error:
                trouble = f"D-Bus cannot be reached ({error}): is dbus running?"
                self.troubles.arose("bus", trouble)
                log.error("%s", trouble)
            except Exception:
                log.exception("A fault in this program ended the link to D-Bus; it starts anew.")
            await asyncio.sleep(BUS_PAUSE_S)

    def answering(self, device: str, asker: Asker) -> AbstractAsyncContextManager[None]:
        """While it is entered, questions about this device go to the asker."""
        return self._answers.answering(device, asker)

    async def is_bonded(self, device: str) -> bool:
        """Do we hold a key of this device? Raises TryAgain where bluetoothd does not answer."""
        try:
            reply = await self._call(self._path_of(device), _PROPERTIES, "GetAll", "s", [DEVICE])
        except DBusError as error:
            log.debug("%s: %s", device, error)
            return False
        known: dict[str, Variant] = reply[0]
        # Bonded came with BlueZ 5.66; a device may be paired without keeping its key
        bonded = known.get("Bonded", known.get("Paired"))
        return bonded is not None and bool(bonded.value)

    async def forget(self, device: str) -> None:
        """Throws our key away. Raises TryAgain where bluetoothd does not do so."""
        try:
            await self._call(self._path, ADAPTER, "RemoveDevice", "o", [self._path_of(device)])
        except DBusError as error:
            if not error.type.endswith(("DoesNotExist", "UnknownObject")):
                raise TryAgain(f"BlueZ does not forget {device} ({error}).") from error

    async def hang_up(self, is_ours: Callable[[str], bool]) -> None:
        """Ends links that an earlier run of this program has left: a device that is on the line
        does not advertise, and would never be called on again."""
        try:
            (objects,) = await self._call(
                "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", []
            )
            for path, interfaces in objects.items():
                device = interfaces.get(DEVICE)
                if device is None or not path.startswith(f"{self._path}/"):
                    continue
                if device["Connected"].value and is_ours(f"ble:{device['Address'].value}"):
                    log.info("A link to %s was left behind; it is ended.", device["Address"].value)
                    await self._call(path, DEVICE, "Disconnect", "", [])
        except (DBusError, TryAgain) as error:
            log.warning("Links that were left behind could not be ended: %s", error)

    async def switch_anew(self) -> None:
        """Switches the adapter off and on. Raises TryAgain where BlueZ does not."""
        try:
            for powered in (False, True):
                value = [ADAPTER, "Powered", Variant("b", powered)]
                await self._call(self._path, _PROPERTIES, "Set", "ssv", value)
                await asyncio.sleep(OFF_S)
        except DBusError as error:
            raise TryAgain(f"The adapter cannot be switched off and on ({error}).") from error

    async def _serve(self, on_change: Callable[[], None]) -> None:
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        gone = asyncio.ensure_future(_end_of(bus))
        try:
            self._export(bus)
            bus.add_message_handler(self._heard)
            await bus.call(_watch_owner())
            self._bus = bus
            self._has_bus.set()
            self.troubles.passed("bus")
            was_there = not self._has_served
            while not gone.done():
                self._owner_changed.clear()
                is_there = await self._register()
                if is_there and not was_there:
                    log.info("bluetoothd is back.")
                    on_change()
                was_there = is_there
                self._has_served = self._has_served or is_there
                changed = asyncio.ensure_future(self._owner_changed.wait())
                await asyncio.wait(
                    {gone, changed}, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                changed.cancel()
                if self._owner_changed.is_set():
                    was_there = False
            # at once: what bleak says to a dead bus may meet the file number of the next one
            on_change()
            raise EOFError("it has hung up")
        finally:
            self._bus = None
            self._has_bus.clear()
            gone.cancel()
            bus.disconnect()

    def _export(self, bus: MessageBus) -> None:
        bus.export(AGENT, PairingAgent(self._answers))
        bus.export(TIME_SERVICE, TimeService())
        for number, uuid in enumerate(time_server.VALUES):
            shown = TimeCharacteristic(uuid, self._wall_clock)
            bus.export(f"{TIME_SERVICE}/char{number}", shown)

    async def _register(self) -> bool:
        """Is bluetoothd there? What it does not know of ours is registered."""
        try:
            await self._once("/org/bluez", _AGENTS, "RegisterAgent", "os", [AGENT, _CAPABILITY])
            await self._once("/org/bluez", _AGENTS, "RequestDefaultAgent", "o", [AGENT])
        except (DBusError, TryAgain) as error:
            if "bluetooth" not in self.troubles:
                log.error("bluetoothd does not take our agent: %s", error)
            self.troubles.arose(
                "bluetooth",
                f"bluetoothd does not take our pairing agent ({error}): start it with "
                "`systemctl start bluetooth`.",
            )
            return False
        self.troubles.passed("bluetooth")
        try:
            await self._once(self._path, _GATT, "RegisterApplication", "oa{sv}", [TIME, {}])
        except (DBusError, TryAgain) as error:
            log.warning("Devices cannot read the time from this gateway: %s", error)
        return True

    async def _once(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        try:
            await self._call(path, interface, member, signature, body)
        except DBusError as error:
            if not error.type.endswith("AlreadyExists"):
                raise

    async def _call(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> list[Any]:
        """What bluetoothd answers. Raises DBusError, and TryAgain where it does not answer."""
        try:
            async with asyncio.timeout(CALL_S):
                await self._has_bus.wait()
                assert self._bus is not None
                return await _ask(self._bus, path, interface, member, signature, body)
        except (TimeoutError, OSError, EOFError) as error:
            raise TryAgain(f"bluetoothd does not answer {member} ({error!r}).") from error

    def _heard(self, message: Message) -> None:
        if message.member == "NameOwnerChanged" and message.body and message.body[0] == BLUEZ:
            self._owner_changed.set()

    def _path_of(self, device: str) -> str:
        return f"{self._path}/dev_{device.removeprefix('ble:').replace(':', '_')}"


async def _ask(
    bus: MessageBus, path: str, interface: str, member: str, signature: str, body: list[Any]
) -> list[Any]:
    reply = await bus.call(
        Message(
            destination=BLUEZ,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=body,
        )
    )
    assert reply is not None
    if reply.message_type is MessageType.ERROR:
        raise DBusError(str(reply.error_name), str(reply.body[0]) if reply.body else "")
    return reply.body


async def _end_of(bus: MessageBus) -> None:
    with suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


def _watch_owner() -> Message:
    """Asks the bus to tell when bluetoothd comes or goes."""
    rule = (
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
        f"member='NameOwnerChanged',arg0='{BLUEZ}'"
    )
    return Message(
        destination="org.freedesktop.DBus",
        path="/org/freedesktop/DBus",
        interface="org.freedesktop.DBus",
        member="AddMatch",
        signature="s",
        body=[rule],
    )
