"""What programs register with the BlueZ stand-in: their pairing agent and their own GATT services.

The agent is asked over D-Bus as bluetoothd asks it, and what it registers is served to devices by
the bumble adapter. May hold: AgentManager1, GattManager1. May not: devices.

The annotations of D-Bus methods are read at run time: no `from __future__ import annotations` here.
"""

# ruff: noqa: N802  (BlueZ names the methods)

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bumble.core import UUID
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.pairing import PairingDelegate
from dbus_fast import DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusObjectPath, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method

from simulator.bluez_gatt import error
from simulator.bonds import KEY_ALONE

_CAPABILITIES = {
    "KeyboardDisplay": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
    "DisplayYesNo": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    "DisplayOnly": PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
    "KeyboardOnly": PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY,
}
_BASE = "-0000-1000-8000-00805f9b34fb"
_PROPERTIES = {
    "read": Characteristic.Properties.READ,
    "write": Characteristic.Properties.WRITE,
    "notify": Characteristic.Properties.NOTIFY,
    "indicate": Characteristic.Properties.INDICATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agent:
    owner: str
    path: str
    capability: str


class AgentManagerObject(ServiceInterface):
    """`sender` says who has sent the call that is being answered."""

    def __init__(self, bus: Callable[[], MessageBus], sender: Callable[[str, str], str]) -> None:
        super().__init__("org.bluez.AgentManager1")
        self._bus, self._sender = bus, sender
        self.agents: list[_Agent] = []
        self.default: _Agent | None = None

    @dbus_method()
    def RegisterAgent(self, agent: DBusObjectPath, capability: DBusStr) -> None:
        owner = self._sender("RegisterAgent", agent)
        if any(each.owner == owner for each in self.agents):
            raise error("AlreadyExists", "Already Exists")
        self.agents.append(_Agent(owner=owner, path=agent, capability=capability))

    @dbus_method()
    def UnregisterAgent(self, agent: DBusObjectPath) -> None:
        owner = self._sender("UnregisterAgent", agent)
        self.left(owner)

    @dbus_method()
    def RequestDefaultAgent(self, agent: DBusObjectPath) -> None:
        owner = self._sender("RequestDefaultAgent", agent)
        found = [each for each in self.agents if (each.owner, each.path) == (owner, agent)]
        if not found:
            raise error("DoesNotExist", "Does Not Exist")
        self.default = found[0]

    def left(self, owner: str) -> None:
        """Forgets the agent of a program that has left the bus."""
        self.agents = [each for each in self.agents if each.owner != owner]
        if self.default is not None and self.default.owner == owner:
            self.default = None

    async def ask(self, member: str, signature: str, body: list[Any]) -> list[Any]:
        """What the default agent answers. Raises DBusError."""
        agent = self.default
        if agent is None:
            raise error("AuthenticationRejected", "No agent")
        return await call(
            self._bus(), agent.owner, agent.path, f"org.bluez.Agent1.{member}", signature, body
        )


class AgentDelegate(PairingDelegate):
    """The kernel's side of a pairing: asks the agent, if there is one."""

    def __init__(self, agents: AgentManagerObject, path: str, *, initiated: bool) -> None:
        capability = agents.default.capability if agents.default is not None else ""
        none = PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT
        super().__init__(
            _CAPABILITIES.get(capability, none), local_responder_key_distribution=KEY_ALONE
        )
        self._agents, self._path, self._initiated = agents, path, initiated
        self.has_agent = agents.default is not None
        # what BlueZ would say of a pairing that does not come about now
        self.failure = "AuthenticationFailed"

    async def confirm(self, auto: bool = False) -> bool:
        # a pairing that this side began needs no leave (net/bluetooth/smp.c, SMP_FLAG_INITIATOR)
        if self._initiated:
            return True
        return await self._ask("RequestAuthorization", "o", [self._path]) is not None

    async def compare_numbers(self, number: int, digits: int) -> bool:
        return await self._ask("RequestConfirmation", "ou", [self._path, number]) is not None

    async def get_number(self) -> int | None:
        answer = await self._ask("RequestPasskey", "o", [self._path])
        return None if answer is None else int(answer[0])

    async def _ask(self, member: str, signature: str, body: list[Any]) -> list[Any] | None:
        try:
            return await self._agents.ask(member, signature, body)
        except DBusError as refusal:
            canceled = refusal.type.endswith("Canceled")
            self.failure = "AuthenticationCanceled" if canceled else "AuthenticationRejected"
            return None


class GattManagerObject(ServiceInterface):
    """Takes the services of programs and serves them to devices."""

    def __init__(
        self, device: Device, bus: Callable[[], MessageBus], sender: Callable[[str, str], str]
    ) -> None:
        super().__init__("org.bluez.GattManager1")
        self._device, self._bus, self._sender = device, bus, sender
        # whose, and at which path, by the UUID of the characteristic
        self._values: dict[str, tuple[str, str]] = {}
        self._served: set[str] = set()
        self.applications: dict[str, str] = {}

    @dbus_method()
    async def RegisterApplication(self, application: DBusObjectPath, options: DBusDict) -> None:
        owner = self._sender("RegisterApplication", application)
        if application in self.applications and self.applications[application] == owner:
            raise error("AlreadyExists", "Already Exists")
        (objects,) = await call(
            self._bus(),
            owner,
            application,
            "org.freedesktop.DBus.ObjectManager.GetManagedObjects",
            "",
            [],
        )
        services = {
            path: each["org.bluez.GattService1"]["UUID"].value
            for path, each in objects.items()
            if "org.bluez.GattService1" in each
        }
        if not services:
            raise error("Failed", "No object received")
        for path, uuid in services.items():
            self._serve(owner, path, uuid, objects)
        self.applications[application] = owner

    def left(self, owner: str) -> None:
        """Forgets what a program had registered that has left the bus."""
        self.applications = {
            path: each for path, each in self.applications.items() if each != owner
        }

    def _serve(self, owner: str, home: str, uuid: str, objects: dict[str, Any]) -> None:
        characteristics: list[Characteristic[bytes]] = []
        for path, each in objects.items():
            found = each.get("org.bluez.GattCharacteristic1")
            if found is None or found["Service"].value != home:
                continue
            self._values[found["UUID"].value] = (owner, path)
            characteristics.append(self._characteristic(found))
        # bumble cannot take a service back: one that comes again is asked at its new owner
        if uuid not in self._served:
            self._served.add(uuid)
            self._device.add_service(Service(_short(uuid), characteristics))

    def _characteristic(self, found: dict[str, Any]) -> "Characteristic[bytes]":
        uuid = found["UUID"].value

        async def read(_: Connection) -> bytes:
            owner, path = self._values[uuid]
            member = "org.bluez.GattCharacteristic1.ReadValue"
            return bytes((await call(self._bus(), owner, path, member, "a{sv}", [{}]))[0])

        properties = Characteristic.Properties(0)
        for flag in found["Flags"].value:
            properties |= _PROPERTIES.get(flag, Characteristic.Properties(0))
        return Characteristic(
            _short(uuid), properties, Characteristic.READABLE, CharacteristicValue(read=read)
        )


def _short(uuid: str) -> UUID:
    """A UUID as devices look for it: of the Bluetooth base, its 16 bits (Core Vol 3 Part B)."""
    return UUID(uuid[4:8]) if uuid.startswith("0000") and uuid.endswith(_BASE) else UUID(uuid)


async def call(
    bus: MessageBus, owner: str, path: str, member: str, signature: str, body: list[Any]
) -> list[Any]:
    """What a program on the bus answers; `member` with its interface. Raises DBusError."""
    interface, _, method = member.rpartition(".")
    reply = await bus.call(
        Message(
            destination=owner,
            path=path,
            interface=interface,
            member=method,
            signature=signature,
            body=body,
        )
    )
    assert reply is not None
    if reply.message_type is MessageType.ERROR:
        raise DBusError(str(reply.error_name), str(reply.body[0]) if reply.body else "")
    return reply.body
