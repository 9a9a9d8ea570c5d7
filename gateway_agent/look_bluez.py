"""One look at bluetoothd over D-Bus, for the doctor: nothing is switched, scanned or paired.

May hold: this look. May not: judgement (`doctor.py`).
"""

from dataclasses import dataclass, replace
from typing import Any

from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus

_BLUEZ = "org.bluez"
_BUS = "org.freedesktop.DBus"
_AGENT = "/org/kangban/doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class BluetoothFacts:
    """What bluetoothd says of itself; None where it could not be asked."""

    adapter: str
    bus_error: str | None = None
    is_running: bool | None = None
    is_refused: bool = False
    adapters: tuple[str, ...] | None = None
    is_powered: bool | None = None
    agent_error: str | None = None
    bonded: frozenset[str] | None = None


async def look_at_bluez(adapter: str) -> BluetoothFacts:
    """What this system's BlueZ is like."""
    nothing = BluetoothFacts(adapter=adapter)
    try:
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    except (OSError, EOFError, DBusError) as error:
        return replace(nothing, bus_error=str(error) or type(error).__name__)
    try:
        return await _asked(bus, nothing)
    finally:
        bus.disconnect()


async def _asked(bus: MessageBus, found: BluetoothFacts) -> BluetoothFacts:
    owned = await _call(bus, _BUS, "/org/freedesktop/DBus", _BUS, "NameHasOwner", "s", [_BLUEZ])
    if owned.message_type is MessageType.ERROR or not owned.body[0]:
        return replace(found, is_running=False)
    told = await _call(
        bus, _BLUEZ, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", []
    )
    if told.message_type is MessageType.ERROR:
        return replace(found, is_running=True, is_refused=_is_refusal(told))
    objects: dict[str, Any] = told.body[0]
    adapters = {
        path.rpartition("/")[2]: each["org.bluez.Adapter1"]
        for path, each in objects.items()
        if "org.bluez.Adapter1" in each
    }
    own = adapters.get(found.adapter)
    devices = [
        each["org.bluez.Device1"] for each in objects.values() if "org.bluez.Device1" in each
    ]
    agent = await _try_agent(bus)
    return replace(
        found,
        is_running=True,
        is_refused=agent is not None and _is_refusal(agent),
        adapters=tuple(sorted(adapters)),
        is_powered=None if own is None else bool(_value(own, "Powered")),
        agent_error=None
        if agent is None
        else str(agent.body[0] if agent.body else agent.error_name),
        bonded=frozenset(
            f"ble:{_value(each, 'Address')}"
            for each in devices
            # Bonded came with BlueZ 5.66
            if _value(each, "Bonded" if "Bonded" in each else "Paired")
        ),
    )


async def _try_agent(bus: MessageBus) -> Message | None:
    """Registers a pairing agent and takes it back at once; the refusal, None where it went well.

    It is not made the default: the running gateway keeps its own.
    """
    manager = "org.bluez.AgentManager1"
    path = "/org/bluez"
    answer = await _call(bus, _BLUEZ, path, manager, "RegisterAgent", "os", [_AGENT, "DisplayOnly"])
    if answer.message_type is MessageType.ERROR:
        return answer
    await _call(bus, _BLUEZ, path, manager, "UnregisterAgent", "o", [_AGENT])
    return None


async def _call(
    bus: MessageBus,
    destination: str,
    path: str,
    interface: str,
    member: str,
    signature: str,
    body: list[Any],
) -> Message:
    answer = await bus.call(
        Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=body,
        )
    )
    assert answer is not None
    return answer


def _is_refusal(answer: Message) -> bool:
    return (answer.error_name or "").endswith((".AccessDenied", ".NotAuthorized"))


def _value(properties: Any, name: str) -> Any:
    found = properties.get(name)
    return None if found is None else found.value
