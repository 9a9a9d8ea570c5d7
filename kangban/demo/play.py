"""The playing: eight weeks of every household through the real chain, then life as it goes on.

Every reading travels device -> bleak -> spool -> MQTT -> ingest; nothing is inserted. A week is one
step: the devices measure it, the gateway calls on them, the receipts come back. May hold: the order
of the play. May not: what is printed, what is counted.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from kangban.demo.memory import Memory, remember
from simulator.household import Household
from simulator.panel import HouseholdPlan
from vitals.broker import broker

log = logging.getLogger(__name__)

# eight weeks of history: a report compares with the four weeks before it, a trend needs as many
HISTORY = timedelta(weeks=8)
_STEP = timedelta(weeks=1)

# mmol/L; level 2 hypoglycaemia is below 3.0 (ADA Standards of Care 2026, section 6), and the
# value after fifteen grams of sugar
LOW_GLUCOSE, RECOVERED_GLUCOSE = Decimal("2.7"), Decimal("5.4")

# seconds between two notes of how far a living story has come
_NOTE_EVERY_S = 10.0


class Play:
    """All households of the demo in one process; `folder` keeps spools and the demo's memory."""

    def __init__(
        self, plans: Sequence[HouseholdPlan], *, memory: Memory, mqtt_url: str, folder: Path
    ) -> None:
        self._memory, self._folder = memory, folder
        self._until = datetime.now(UTC)
        spools = folder / "gateways"
        spools.mkdir(exist_ok=True)
        self.households = [
            Household(
                plan,
                begins=memory.told_until,
                ends=self._until,
                mqtt=broker(mqtt_url),
                data=spools,
            )
            for plan in plans
        ]

    @property
    def family(self) -> Household:
        """The household of father and mother."""
        return self.households[0]

    @property
    def mothers_meter(self) -> str:
        """The name under which the mother's meter is known."""
        return self.family.plan.people[1].devices[0].key

    @property
    def handed_over(self) -> int:
        """How many measurements all devices have given away by radio."""
        return sum(each.handed_over for each in self.households)

    async def start(self) -> None:
        """Switches everything on."""
        for household in self.households:
            await household.start()

    async def stop(self) -> None:
        """Switches everything off."""
        await asyncio.gather(
            *(household.stop() for household in self.households), return_exceptions=True
        )

    async def tell(self, on_step: Callable[[int, int], None]) -> None:
        """Tells the story up to now; `on_step(done, of)` hears of each household's step."""
        steps = []
        moment = self._memory.told_until
        while moment < self._until:
            moment = min(moment + _STEP, self._until)
            steps.append(moment)
        done, of = 0, len(steps) * len(self.households)
        on_step(done, of)

        async def one(household: Household) -> None:
            nonlocal done
            for moment in steps:
                await household.advance(moment)
                await household.drain()
                done += 1
                on_step(done, of)

        async with asyncio.TaskGroup() as group:
            for household in self.households:
                group.create_task(one(household))
        self._note(self._until)

    def go_live(self) -> None:
        """Lets every household live on the real clock."""
        for household in self.households:
            household.go_live()

    async def measure_low(self) -> datetime:
        """The mother measures a low glucose now; the moment it left her meter."""
        return await self.family.measure_glucose(LOW_GLUCOSE, device=self.mothers_meter)

    async def measure_recovery(self) -> datetime:
        """The mother measures again, after sugar; the moment it left her meter."""
        return await self.family.measure_glucose(RECOVERED_GLUCOSE, device=self.mothers_meter)

    async def note_while_living(self) -> None:
        """Notes how far the story has come, for the next run, until cancelled."""
        with suppress(asyncio.CancelledError):
            while True:
                self._note(datetime.now(UTC))
                await asyncio.sleep(_NOTE_EVERY_S)
        self._note(datetime.now(UTC))

    def _note(self, told_until: datetime) -> None:
        remember(self._folder, Memory(begins=self._memory.begins, told_until=told_until))
