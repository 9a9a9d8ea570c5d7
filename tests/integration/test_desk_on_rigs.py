"""The desk on both rigs: a meter that shows six digits is found, added and read."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from rigs import NOW, Rig, gateway_on, home

from gateway_agent.gateway import Gateway
from simulator.glucose_meter import GlucoseMeter
from simulator.peripheral import Identity
from simulator.record import GlucoseRecord
from simulator.security import Method, Security
from vitals.command import LIFE, Command, Do, Event, Failure, Step

METER = "F0:00:00:00:00:01"


class Shell:
    """Somebody who asks a gateway, and follows what it tells."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._told: dict[str, asyncio.Queue[Event]] = {}

    def ask(self, do: Do, **more: object) -> str:
        command = Command(
            id=uuid4().hex,
            gateway="g1",
            at=NOW,
            expires_at=NOW + LIFE,
            do=do,
            **more,  # type: ignore[arg-type]
        )
        queue = self._told[command.id] = asyncio.Queue()
        self._gateway.desk.take(command, queue.put_nowait)
        return command.id

    async def until(self, command: str, *steps: Step) -> list[Event]:
        told: list[Event] = []
        async with asyncio.timeout(30):
            while not told or told[-1].step not in steps:
                told.append(await self._told[command].get())
        return told


async def test_a_meter_that_shows_six_digits_is_found_added_read_and_forgotten(
    rig: Rig, tmp_path: Path
) -> None:
    who = Identity(
        address=METER,
        name="Meter",
        model="KG-200",
        security=Security(method=Method.PASSKEY, passkey=42),
    )
    meter = GlucoseMeter(home(rig.air), who)
    for hour in range(20):
        meter.take(GlucoseRecord(at=NOW - timedelta(hours=40 - hour), value=Decimal("5.6")))
    async with gateway_on(rig, tmp_path) as gateway:
        shell = Shell(gateway)
        await meter.switch_on()
        await meter.go_on_air()
        found = (await shell.until(shell.ask(Do.SCAN), Step.CANDIDATE))[-1]
        assert found.device == meter.key
        wrong = shell.ask(Do.PAIR, device=meter.key)
        await shell.until(wrong, Step.PASSKEY_WANTED)
        shell.ask(Do.PASSKEY, about=wrong, number=43)
        failed = (await shell.until(wrong, Step.FAILED))[-1]
        assert failed.failure is Failure.WRONG_PASSKEY
        right = shell.ask(Do.PAIR, device=meter.key)
        told = await shell.until(right, Step.PASSKEY_WANTED)
        shell.ask(Do.PASSKEY, about=right, number=42)
        told += await shell.until(right, Step.DONE, Step.FAILED)
        assert list(dict.fromkeys(each.step.value for each in told)) == [
            "taken",
            "connecting",
            "passkey_wanted",
            "bonded",
            "clock",
            "history",
            "reading",
            "done",
        ]
        assert told[-1].numbers == {"read": 20}
        assert await rig.knows(METER)
        await shell.until(shell.ask(Do.FORGET, device=meter.key), Step.DONE)
        assert not await rig.knows(METER)
        await meter.switch_off()
