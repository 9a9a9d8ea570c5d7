"""The virtual air between simulated devices: one link is one household, out of reach of others.

bumble's own link hands every advertisement to every controller; here it reaches only those that
scan or wait to connect, which keeps many households in one process cheap. Nothing is lost on this
air and nothing is slow: faults are injected by the devices (`peripheral.py`). May hold: the link
and the making of a bumble device on it. May not: GATT, stories.
"""

import asyncio
from collections.abc import Callable

from bumble import ll
from bumble.controller import Controller
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

# milliseconds between advertisements: the shortest of the specification (Core Vol 6, Part B,
# 4.4.2.2), so that a connect costs little
ADVERTISING_INTERVAL_MS = 20.0


# seconds for a hang-up on an air on which nothing is slow
HANG_UP_S = 2.0


class Air(LocalLink):
    """A link on which advertisements reach those who listen."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def send_advertising_pdu(
        self, sender_controller: Controller, packet: ll.AdvertisingPdu
    ) -> None:
        """Delivers a packet; a connect request goes to everybody, as it names its advertiser."""
        loop = asyncio.get_running_loop()
        for each in self.controllers:
            if each is sender_controller:
                continue
            wanted = each.le_scan_enable or each.pending_le_connection is not None
            if wanted or not isinstance(packet, ll.AdvInd | ll.AdvExtInd):
                loop.call_soon(each.on_ll_advertising_pdu, packet)


def device_on(air: Air, *, name: str, address: str) -> Device:
    """A bumble device with a random static address on this air, not yet powered on."""
    controller = Controller(name, link=air, public_address="00:00:00:00:00:00")
    return Device(
        config=DeviceConfiguration(
            name=name,
            address=Address(address),
            advertising_interval_min=ADVERTISING_INTERVAL_MS,
            advertising_interval_max=ADVERTISING_INTERVAL_MS,
        ),
        host=Host(controller, AsyncPipeSink(controller)),
    )


async def hang_up(connection: Connection, gone: Callable[[], None]) -> None:
    """Ends a link. Where both sides hang up in the same moment bumble waits for ever for its end,
    and tells nobody: then `gone` is called."""
    try:
        async with asyncio.timeout(HANG_UP_S):
            await connection.disconnect()
    except TimeoutError:
        gone()
