"""How adding a device goes on and ends; every visit is told by the test, nothing is on the air."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from gateway_agent.adding import FIRST_VISITS, Adding, Wish
from gateway_agent.bonding import Asker, Asks, LostBond, PairingFailed, Question
from gateway_agent.conversation import Call
from gateway_agent.conversation import lost as link_lost
from gateway_agent.drivers.registry import DRIVERS
from gateway_agent.linking import BondRefused, NoLink
from gateway_agent.quirk import STANDARD, Bond, Confidence, Quirk, Words
from gateway_agent.recognise import Recognised
from gateway_agent.sighting import Sighting
from vitals.command import Failure
from vitals.errors import KangbanError, MendDevice, TryAgain

METER = "ble:F0:00:00:00:00:01"
KNOWN = Recognised(driver=DRIVERS["glucose_meter"], quirk=STANDARD)
GONE = LostBond("it has thrown away the key")


class Told:
    """An air on which each visit ends as the test says: None is a visit that went well."""

    def __init__(
        self,
        visits: Iterable[KangbanError | Asks | None] = (),
        *,
        has_key: bool = False,
        recognised: Recognised = KNOWN,
        deafness: str | None = None,
        disk: KangbanError | None = None,
        heard: bool = True,
    ) -> None:
        self.bonds = self
        self._visits, self._recognised = list(visits), recognised
        self.has_key, self._deafness, self._disk, self._heard = has_key, deafness, disk, heard
        self.made: list[Bond] = []
        self.forgotten = 0
        self._asker: Asker | None = None

    @asynccontextmanager
    async def answering(self, device: str, asker: Asker) -> AsyncIterator[None]:
        self._asker = asker
        yield

    async def is_bonded(self, device: str) -> bool:
        return self.has_key

    async def forget(self, device: str) -> None:
        self.has_key, self.forgotten = False, self.forgotten + 1

    async def next_sighting(self, device: str, wait_s: float) -> Sighting:
        if not self._heard:
            raise TimeoutError
        at = datetime(2026, 11, 22, tzinfo=UTC)
        return Sighting(
            device=device, name="Meter", rssi_dbm=-60, at=at, recognised=self._recognised
        )

    def deafness(self) -> str | None:
        return self._deafness

    def is_asking(self) -> None:
        """Nobody else is on this air."""

    async def begin(self, sighting: Sighting) -> Call:
        if self._disk is not None:
            raise self._disk
        return None  # type: ignore[return-value]

    async def visit(
        self, sighting: Sighting, call: Call, *, bond: Bond, on_bonded: Callable[[], None]
    ) -> None:
        self.made.append(bond)
        outcome = self._visits.pop(0)
        if isinstance(outcome, Asks):
            assert self._asker is not None
            await self._asker(Question(device=METER, asks=outcome))
            raise BondRefused("it shares no key")
        if outcome is not None:
            raise outcome
        if bond is not Bond.NEVER:
            on_bonded()


async def add(air: Told, *, answer: int | bool | None = None) -> list[str]:
    steps: list[str] = []

    async def ask(_: Question) -> int | bool | None:
        return answer

    wish = Wish(
        device=METER,
        ask=ask,
        on_connecting=lambda: steps.append("connecting"),
        on_bonded=lambda: steps.append("bonded"),
    )
    await Adding(air, wish).run()
    return steps


UNUSABLE = Recognised(
    driver=None,
    quirk=Quirk(
        id="keyed",
        zh="k",
        en="k",
        names=("K",),
        confidence=Confidence.UNSUPPORTED,
        reason=Words(zh="密钥", en="Its maker keeps the key."),
    ),
)


# what happens, in order; what a person is told
@pytest.mark.parametrize(
    ("air", "answer", "failure"),
    [
        (Told(heard=False), None, Failure.OUT_OF_REACH),
        (Told(heard=False, deafness="The adapter is gone."), None, Failure.ADAPTER),
        (Told(recognised=UNUSABLE), None, Failure.NOT_SUPPORTED),
        (Told(disk=TryAgain("The disk is full.")), None, Failure.DISK),
        (Told([Asks.PASSKEY]), 43, Failure.WRONG_PASSKEY),
        (Told([Asks.PASSKEY]), None, Failure.NO_PASSKEY),
        (Told([Asks.CONFIRM]), False, Failure.REFUSED),
        (Told([Asks.CONFIRM]), True, Failure.REFUSED),
        (Told([BondRefused("no")]), None, Failure.REFUSED),
        (Told([NoLink("far")] * FIRST_VISITS), None, Failure.OUT_OF_REACH),
        (Told([link_lost()] * FIRST_VISITS), None, Failure.OUT_OF_REACH),
        (Told([GONE]), None, Failure.LOST_BOND),
        # it loses the new key at once as well
        (Told([GONE, GONE], has_key=True), None, Failure.LOST_BOND),
        (Told([MendDevice("ATT error 0x80")]), None, Failure.REFUSED),
    ],
)
async def test_each_end_has_its_word(
    air: Told, answer: int | bool | None, failure: Failure
) -> None:
    with pytest.raises(PairingFailed) as caught:
        await add(air, answer=answer)
    assert caught.value.failure is failure
    assert str(caught.value)


async def test_an_unusable_device_is_named_with_its_reason() -> None:
    with pytest.raises(PairingFailed, match="Its maker keeps the key"):
        await add(Told(recognised=UNUSABLE))


# when the old key fails: at once, or after the link broke off as often as it may
@pytest.mark.parametrize("breaks", [0, 1, FIRST_VISITS - 1])
async def test_a_key_that_is_lost_is_thrown_away_and_made_anew(breaks: int) -> None:
    air = Told([*[link_lost()] * breaks, GONE, None], has_key=True)
    assert await add(air) == ["connecting", "bonded"]
    assert air.forgotten == 1
    assert air.made == [Bond.NEVER] * (breaks + 1) + [STANDARD.bond]


async def test_a_link_that_breaks_off_throws_no_key_away() -> None:
    air = Told([link_lost(), None], has_key=True)
    assert await add(air) == ["connecting", "bonded"]
    assert air.forgotten == 0
