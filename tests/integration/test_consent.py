"""A scale of several people hands over a person's weights once the gateway was told their code."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rigs import NOW, Bumble, bumble, gateway_on, home, spooled, until

from gateway_agent.gateway import Gateway
from simulator.peripheral import Identity
from simulator.record import WeightRecord
from simulator.scale import BodyScale
from vitals.command import LIFE, Command, Do, Event, Failure, Step
from vitals.wire import encode_health

USER, CODE, WRONG = 1, 4711, 4712


@pytest.fixture
async def rig() -> AsyncIterator[Bumble]:
    async with bumble() as made:
        yield made


def a_scale(rig: Bumble) -> BodyScale:
    who = Identity(address="F0:00:00:00:00:03", name="Scale", model="KS-300")
    return BodyScale(home(rig.air), who, codes={USER: CODE})


def step_on(scale: BodyScale, hours_ago: int) -> None:
    at = NOW - timedelta(hours=hours_ago)
    scale.take(WeightRecord(at=at, weight=Decimal(70), body_fat=Decimal(22), user=USER))


async def tell(gateway: Gateway, device: str, code: int) -> Event:
    """Tells the gateway a code, as the shell does; its answer."""
    answers: list[Event] = []
    command = Command(
        id=f"{code:032x}",
        gateway="g1",
        at=NOW,
        expires_at=NOW + LIFE,
        do=Do.CONSENT,
        device=device,
        user=USER,
        number=code,
    )
    gateway.desk.take(command, answers.append)
    await until(lambda: bool(answers))
    return answers[-1]


def failure(gateway: Gateway, device: str) -> str:
    health = gateway.health().devices.get(device)
    return "" if health is None else health.failure or ""


async def test_a_persons_weight_comes_with_the_right_code_and_no_code_is_told_on(
    rig: Bumble, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="gateway_agent")
    scale = a_scale(rig)
    async with gateway_on(rig, tmp_path) as gateway:
        assert (await tell(gateway, scale.key, CODE)).failure is Failure.UNKNOWN_DEVICE
        await gateway.agent.add(scale.key)
        answer = await tell(gateway, scale.key, WRONG)
        assert (answer.step, answer.said) == (Step.DONE, "")
        step_on(scale, 2)
        await scale.switch_on()
        await scale.go_on_air()
        await until(lambda: "user 1: user not authorized" in failure(gateway, scale.key))
        assert spooled(gateway) == []

        # it stayed in the scale, and comes with the next weighing
        await tell(gateway, scale.key, CODE)
        step_on(scale, 1)
        await scale.go_on_air()
        await until(lambda: len(spooled(gateway)) == 4)
        await gateway.radio.quiet()
        told = encode_health(gateway.health()).decode()
        await scale.switch_off()
    assert {(each["kind"], each["user"]) for each in spooled_of(tmp_path)} == {
        ("weight", USER),
        ("body_fat", USER),
    }
    for code in (CODE, WRONG):
        written = code.to_bytes(2, "little").hex()
        for text in (told, caplog.text):
            assert str(code) not in text
            assert f"0201{written}" not in text


def spooled_of(folder: Path) -> list[dict[str, object]]:
    """What a gateway that has stopped left in its spool."""
    from gateway_agent.spool import Spool

    spool = Spool(folder / "g1.sqlite")
    try:
        return [each.document for each in spool.oldest(50)]
    finally:
        spool.close()
