"""Who is on the other side of the simulated BlueZ's bus, and who has gone.

BlueZ ends what a client had begun (its scan, its subscriptions) when the client leaves the bus, be
it that it was killed; links it leaves as they are. May hold: noticing that. May not: what to end.
"""

from collections.abc import Callable

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

_DBUS = "org.freedesktop.DBus"


class BusClients:
    """Notes who called which method of which object last, and tells when a caller has gone."""

    def __init__(self, bus: MessageBus, gone: Callable[[str], None]) -> None:
        self._bus, self._gone = bus, gone
        self._callers: dict[tuple[str, str], str] = {}

    async def watch(self) -> None:
        """Begins to listen."""
        self._bus.add_message_handler(self._hear)
        await self._bus.call(
            Message(
                destination=_DBUS,
                path="/org/freedesktop/DBus",
                interface=_DBUS,
                member="AddMatch",
                signature="s",
                body=[f"type='signal',sender='{_DBUS}',member='NameOwnerChanged'"],
            )
        )

    def caller(self, path: str, member: str) -> str | None:
        """The client that called this method of this object last, by its unique name."""
        return self._callers.get((path, member))

    def calls_of(self, client: str) -> list[tuple[str, str]]:
        """Objects and methods that this client was the last to call."""
        return [call for call, caller in self._callers.items() if caller == client]

    def _hear(self, message: Message) -> None:
        if message.message_type is MessageType.METHOD_CALL and message.path and message.member:
            if message.member in ("StartDiscovery", "StartNotify") and message.sender:
                self._callers[message.path, message.member] = message.sender
            return
        if message.member == "NameOwnerChanged" and message.sender == _DBUS:
            name, _, new_owner = message.body
            if not new_owner and name.startswith(":"):
                self._gone(name)
                for call in self.calls_of(name):
                    del self._callers[call]
