"""The gateway of one home: its parts, held together and run.

Spool, agent, uplink, radio and desk are made here and know each other only through this. May hold:
the making, starting and stopping of the parts. May not: work of its own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gateway_agent.agent import Agent, software, utc_now
from gateway_agent.calling import Patience
from gateway_agent.config import GatewaySettings
from gateway_agent.desk import Desk
from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.own_clock import is_kept_right
from gateway_agent.radio import Backends, Radio
from gateway_agent.reserve import RESERVE_BYTES
from gateway_agent.spool import Spool
from gateway_agent.uplink import Uplink
from vitals.command import Command
from vitals.wire import Health


class Gateway:
    """The parts of one gateway, running: spool, uplink, radio, desk.

    `now` stamps readings and envelopes (a simulated home may be fast-forwarded); `backends` stands
    in for BlueZ. `time_is_sure`: is `now` right (None: it cannot be told)? By default what the
    kernel says, and of a clock that a simulation makes: yes.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        backends: Backends | None = None,
        now: Callable[[], datetime] = utc_now,
        patience: Patience | None = None,
        time_is_sure: Callable[[], bool | None] | None = None,
    ) -> None:
        self.spool = Spool(
            settings.data.expanduser() / f"{settings.name}.sqlite",
            keep_delivered=timedelta(days=settings.spool_days),
            most_bytes=settings.spool_mb * 2**20,
            # many simulated homes share one disk
            reserve_bytes=RESERVE_BYTES if backends is None else 0,
        )
        self.agent = Agent(
            settings.name,
            self.spool,
            zone=settings.timezone,
            now=now,
            admit_all=settings.admit == "all",
            time_is_sure=time_is_sure or (is_kept_right if now is utc_now else lambda: True),
        )
        self.uplink = Uplink(settings, self.spool, health=self.health, now=now, software=software())
        self.agent.on_change = self.uplink.tell_health
        self.radio = Radio(
            drivers=DRIVERS,
            household=self.agent,
            now=now,
            adapter=settings.adapter,
            backends=backends,
            patience=patience,
            zone=settings.timezone,
            on_trouble=self.uplink.tell_health,
        )
        self.desk = Desk(self.agent, self.spool, radio=self.radio, health=self.health, now=now)
        self._radio_task: asyncio.Task[None] | None = None
        self._sends = False

    def health(self) -> Health:
        """The gateway's word about itself: its spool's and its radio's."""
        said = self.agent.health()
        return replace(
            said,
            troubles={**said.troubles, **self.radio.troubles},
            last_advert_at=self.radio.last_advert_at,
        )

    def start(self) -> None:
        """Begins to call on devices, to send what is in the spool, and to obey commands."""
        self.start_reading()
        loop = asyncio.get_running_loop()
        self.uplink.obey(lambda command: loop.call_soon_threadsafe(self._obey, command))
        self.uplink.start()
        self._sends = True

    def start_reading(self) -> None:
        """Begins to call on devices, and nothing else: what is read stays in the spool."""
        self._radio_task = asyncio.create_task(self.radio.run())

    async def stop(self) -> None:
        """Hangs up, stops sending and closes the spool; nothing that was read is lost."""
        if self._radio_task is not None:
            await self.desk.close()
            await self.radio.close()
            self._radio_task.cancel()
            await asyncio.gather(self._radio_task, return_exceptions=True)
        if self._sends:
            await asyncio.to_thread(self.uplink.stop)
        self.agent.close()
        self.spool.close()

    def _obey(self, command: Command) -> None:
        self.desk.take(command, lambda event: self.uplink.answer(event, command))
