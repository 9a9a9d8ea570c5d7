"""One connection as bleak gives it: what is asked while the link goes down."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from bleak import BleakClient
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str

from gateway_agent.bonding import LostBond
from gateway_agent.conversation import Link
from gateway_agent.drivers import DRIVERS
from gateway_agent.drivers.user_data import USER_CONTROL_POINT
from gateway_agent.reached import Reached, _refusal, wants_key
from gateway_agent.talk import LinkLost, Refusal
from vitals.errors import KangbanError, TryAgain

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CUFF = DRIVERS["blood_pressure_cuff"]


class _Characteristic:
    service_uuid = normalize_uuid_str("1810")

    def __init__(self, name: str) -> None:
        self.uuid = normalize_uuid_str(name)


class _Service:
    def __init__(self, name: str = "2A35") -> None:
        self.characteristics = (_Characteristic(name),)


class _Client:
    """A device that sends at once, and never answers the subscription."""

    is_connected = True
    address = "F0:00:00:00:00:01"
    services = (_Service(),)

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def start_notify(self, _: Any, hear: Any) -> None:
        hear(None, bytearray(b"\x01"))
        self.asked.set()
        await asyncio.Event().wait()


async def test_a_subscription_that_a_lost_link_leaves_unanswered_ends_at_once() -> None:
    client, link = _Client(), Link(lambda: NOW)
    device = Reached(cast(BleakClient, client), link, CUFF)
    subscribing = asyncio.create_task(device.subscribe("2A35", link.ear("2A35"), optional=False))
    await client.asked.wait()
    link.went_down()
    with pytest.raises(LinkLost):
        async with asyncio.timeout(5):
            await subscribing
    # what came before is there for the talk
    heard = await link.next(0)
    assert heard is not None
    assert heard.data == b"\x01"


class _Refuses(_Client):
    """A device that refuses a subscription with an error of its profile."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    async def start_notify(self, _: Any, hear: Any) -> None:
        raise BleakGATTProtocolError(self.code)


@pytest.mark.parametrize("code", [0x80, 0x81, 0xFD, 0xFE])
async def test_what_a_device_refuses_reaches_the_talk_with_its_code(code: int) -> None:
    link = Link(lambda: NOW)
    device = Reached(cast(BleakClient, _Refuses(code)), link, CUFF)
    with pytest.raises(Refusal, match=f"0x{code:02x}") as caught:
        await device.subscribe("2A35", link.ear("2A35"), optional=False)
    assert caught.value.att_error == code


class _RefusesWrites(_Client):
    """A device that refuses whatever is written."""

    async def write_gatt_char(self, *_: Any, **__: Any) -> None:
        raise BleakGATTProtocolError(0x80)


@pytest.mark.parametrize(
    ("characteristic", "told"), [("2A35", "(2A35 0201d204)"), (USER_CONTROL_POINT, "(2A9F)")]
)
async def test_a_consent_code_that_is_refused_is_not_told(characteristic: str, told: str) -> None:
    link = Link(lambda: NOW)
    client = _RefusesWrites()
    client.services = (_Service(characteristic),)
    device = Reached(cast(BleakClient, client), link, CUFF)
    with pytest.raises(Refusal) as caught:
        await device.write(characteristic, bytes.fromhex("0201d204"))
    assert f"a command {told} " in str(caught.value)


# from the device (ATT), from BlueZ in its place, and what a person is told
@pytest.mark.parametrize(
    ("error", "key", "kind", "remedy"),
    [
        (BleakGATTProtocolError(0x05), True, LostBond, "pairing mode"),
        (BleakGATTProtocolError(0x0F), True, LostBond, "pairing mode"),
        (BleakGATTProtocolError(0x80), False, Refusal, "0x80"),
        (
            BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]),
            True,
            LostBond,
            "pairing mode",
        ),
        (
            BleakDBusError("org.bluez.Error.NotPermitted", ["Write not permitted"]),
            False,
            Refusal,
            "Write not permitted",
        ),
        (TimeoutError(), False, TryAgain, "within 30 s"),
        (BleakError("Not connected"), False, TryAgain, "tried again"),
    ],
)
def test_a_refusal_says_what_to_do(
    error: Exception, key: bool, kind: type[KangbanError], remedy: str
) -> None:
    assert wants_key(error) is key
    said = _refusal(error, "a command (2A52 0101)")
    assert type(said) is kind
    assert remedy in str(said)
