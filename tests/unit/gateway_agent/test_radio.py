"""The radio goes on: faults of the scanner and of a first attempt to connect, without devices."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakGATTProtocolError

from gateway_agent import radio as module
from gateway_agent.conversation import Link
from gateway_agent.radio import Backends, Radio
from gateway_agent.talk import Refusal

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def a_radio(backends: Backends | None = None) -> Radio:
    return Radio(drivers={}, household=None, now=lambda: NOW, backends=backends)  # type: ignore[arg-type]


# dbus_fast raises classes of its own, which are neither bleak's nor the system's
@pytest.mark.parametrize("fault", [RuntimeError("no such interface"), ValueError("a bad path")])
async def test_a_scanner_that_fails_in_an_unknown_way_is_started_anew(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ADAPTER_PAUSE_S", 0.0)
    scanning = asyncio.Event()
    starts: list[None] = []

    class Scanner(BaseBleakScanner):
        def __init__(self, detection_callback: Any, service_uuids: Any, *_: Any, **__: Any) -> None:
            super().__init__(detection_callback, service_uuids)

        async def start(self) -> None:
            starts.append(None)
            if len(starts) == 1:
                raise fault
            scanning.set()

        async def stop(self) -> None:
            pass

    running = asyncio.create_task(a_radio(Backends(scanner=Scanner, client=None)).run())  # type: ignore[arg-type]
    await asyncio.wait(
        {running, asyncio.create_task(scanning.wait())}, timeout=5, return_when="FIRST_COMPLETED"
    )
    assert scanning.is_set()
    assert not running.done()
    running.cancel()


class Client:
    is_connected = True


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
    device = BLEDevice("F0:00:00:00:00:01", "cuff", details=None)
    await a_radio()._connect(device, link)
    assert link.is_down is not up
    hang_up[0](client)
    assert link.is_down


@pytest.mark.parametrize("code", [0x80, 0x81, 0xFD, 0xFE, 0x05])
def test_what_a_device_refuses_reaches_the_talk_with_its_code(code: int) -> None:
    refusal = module._refusal(BleakGATTProtocolError(code), "a command")
    assert isinstance(refusal, Refusal)
    assert refusal.att_error == code
    assert f"0x{code:02x}" in str(refusal)
