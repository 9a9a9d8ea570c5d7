"""Links that come about, or do not, and what is said then; without devices."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError

from gateway_agent import linking as module
from gateway_agent.bonding import LostBond
from gateway_agent.conversation import Link
from gateway_agent.linking import Linker, NoLink
from vitals.errors import KangbanError

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CUFF = BLEDevice("F0:00:00:00:00:01", "cuff", details=None)


class Client:
    is_connected = True


class Keys:
    """The keys of an adapter that has one, or none."""

    def __init__(self, bonded: bool = False) -> None:
        self.bonded = bonded

    async def is_bonded(self, device: str) -> bool:
        return self.bonded


def a_linker(*, bonded: bool = False) -> Linker:
    return Linker(adapter="hci0", backend=None, bonds=Keys(bonded))  # type: ignore[arg-type]


# how often the link broke off before it was made, and whether it is up in the end
@pytest.mark.parametrize(("breaks", "up"), [(0, True), (1, True), (1, False)])
async def test_a_link_that_a_second_attempt_made_is_up(
    breaks: int, up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.is_connected = up
    hang_up: list[Callable[[Client], None]] = []

    async def connect(
        *_: Any, disconnected_callback: Callable[[Client], None], **__: Any
    ) -> Client:
        for _each in range(breaks):
            disconnected_callback(client)
        hang_up.append(disconnected_callback)
        return client

    monkeypatch.setattr(module, "establish_connection", connect)
    link = Link(lambda: NOW)
    await a_linker().connect(CUFF, link)
    assert link.is_down is not up
    hang_up[0](client)
    assert link.is_down


# what the controller, BlueZ and bleak say; whether we hold a key; what it means; what to do
@pytest.mark.parametrize(
    ("fault", "bonded", "kind", "remedy"),
    [
        (BleakError("HCI_Error(PIN_OR_KEY_MISSING)"), True, LostBond, "add the device again"),
        (
            BleakDBusError("org.bluez.Error.Failed", ["le-connection-key-missing"]),
            True,
            LostBond,
            "change of battery",
        ),
        (
            BleakDBusError("org.bluez.Error.AuthenticationFailed", []),
            True,
            LostBond,
            "add the device again",
        ),
        (
            BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]),
            True,
            NoLink,
            "If this goes on, it has lost its key",
        ),
        (
            BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]),
            False,
            NoLink,
            "within three metres",
        ),
        (TimeoutError(), False, NoLink, "no answer"),
    ],
)
async def test_a_link_that_does_not_come_about_says_what_to_do(
    fault: Exception,
    bonded: bool,
    kind: type[KangbanError],
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connect(*_: Any, **__: Any) -> Client:
        raise fault

    monkeypatch.setattr(module, "establish_connection", connect)
    with pytest.raises(kind, match=remedy):
        await a_linker(bonded=bonded).connect(CUFF, Link(lambda: NOW))
