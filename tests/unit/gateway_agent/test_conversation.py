"""The pump of a talk: order, disk before answer, and what a lost link still allows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from gateway_agent.conversation import Conversation, Link, lost
from gateway_agent.talk import (
    About,
    Ask,
    ClockSeen,
    Driver,
    Heard,
    Keep,
    LinkLost,
    Listen,
    Read,
    Refusal,
    Refused,
    SetClock,
    Subscribe,
    Talk,
    Visit,
    Write,
)
from vitals.errors import KangbanError, MendDevice
from vitals.measurement import Reading

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def a_reading(sequence: int) -> Reading:
    return Reading(sequence=sequence, device_time=None, values=(), raw=b"")


class _Device:
    """A far end that sends two values at the subscription, and perhaps hangs up then."""

    def __init__(self, link: Link, *, hangs_up: bool = False) -> None:
        self.link, self.hangs_up = link, hangs_up
        self.written: list[bytes] = []

    async def subscribe(
        self, characteristic: str, hear: Callable[[bytes], None], *, optional: bool
    ) -> None:
        for data in (b"\x01", b"\x02"):
            hear(data)
        if self.hangs_up:
            self.link.went_down()

    async def read(self, characteristic: str) -> bytes | None:
        if self.link.is_down:
            raise lost()
        return {"2A24": b"KG-200"}.get(characteristic)

    async def write(self, characteristic: str, data: bytes) -> None:
        if data == b"\xff":
            raise MendDevice("it refuses")
        if data == b"\xfe":
            raise lost()
        if data in (b"\x80", b"\x81"):
            raise Refusal("it refuses", att_error=data[0])
        self.written.append(data)


class _Call:
    def __init__(self) -> None:
        self.visit = Visit(device="ble:X")
        self.kept: list[int] = []
        self.remarks: list[object] = []
        # what the device's clock should show; None: it stays as it is
        self.shows: datetime | None = None
        self.readable = True
        self.disk = asyncio.Event()
        self.disk.set()

    async def keep(self, reading: Reading) -> None:
        await self.disk.wait()
        self.kept.append(reading.sequence)

    def clock_seen(self, seen: ClockSeen) -> None:
        self.remarks.append(seen)

    def clock_to_set(self, at: datetime, *, readable: bool = True) -> datetime | None:
        self.readable = readable
        return self.shows

    def clock_was_refused(self, *, at: datetime) -> None:
        self.remarks.append(("refused", at))

    def clock_was_set(self, *, shows: datetime, at: datetime) -> None:
        self.remarks.append((shows, at))

    def about(self, about: About) -> None:
        self.remarks.append(about)

    def bonded(self, held: bool) -> None:
        self.remarks.append(held)

    def refused(self, refused: Refused) -> None:
        self.remarks.append(refused)

    async def finished(self) -> None: ...

    async def failed(self, error: KangbanError) -> None: ...


def driver_of(talk: Callable[[Visit], Talk]) -> Driver:
    return Driver(
        kind="test", service="1808", zh="", en="Test", talk=talk, decoders={}, revisit_s=60
    )


async def hold(
    talk: Callable[[Visit], Talk], *, hangs_up: bool = False, shows: datetime | None = None
) -> tuple[_Call, _Device]:
    link, call = Link(lambda: NOW), _Call()
    call.shows = shows
    device = _Device(link, hangs_up=hangs_up)
    await Conversation(device, link, driver_of(talk), call).hold()
    return call, device


async def test_what_arrives_is_heard_in_order_with_its_moment() -> None:
    heard: list[Heard | None] = []

    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A18")
        for _ in range(3):
            heard.append((yield Listen(wait_s=0)))

    await hold(talk)
    assert [each and (each.characteristic, each.data, each.at) for each in heard] == [
        ("2A18", b"\x01", NOW),
        ("2A18", b"\x02", NOW),
        None,
    ]


async def test_a_silent_device_is_listened_to_no_longer_than_asked() -> None:
    answers: list[Heard | None] = []

    def talk(visit: Visit) -> Talk:
        answers.append((yield Listen(wait_s=0.01)))

    await hold(talk)
    assert answers == [None]


async def test_a_keep_is_answered_when_the_reading_is_on_disk_and_not_before() -> None:
    order: list[str] = []

    def talk(visit: Visit) -> Talk:
        yield Keep(reading=a_reading(1))
        order.append("answered")

    link, call = Link(lambda: NOW), _Call()
    call.disk.clear()
    holding = asyncio.create_task(Conversation(_Device(link), link, driver_of(talk), call).hold())
    for _ in range(5):
        await asyncio.sleep(0)
    assert (call.kept, order) == ([], [])
    call.disk.set()
    await holding
    assert (call.kept, order) == ([1], ["answered"])


async def test_a_device_that_hung_up_is_still_heard_to_the_end_of_what_it_sent() -> None:
    kept: list[bytes] = []
    refused: list[type[Ask]] = []

    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A35")
        try:
            yield Read(characteristic="2A2B")
        except LinkLost:
            refused.append(Read)
        try:
            while heard := (yield Listen(wait_s=5)):
                kept.append(heard.data)
                yield Keep(reading=a_reading(len(kept)))
        except LinkLost:
            refused.append(Listen)

    call, _ = await hold(talk, hangs_up=True)
    assert kept == [b"\x01", b"\x02"]
    assert call.kept == [1, 2]
    assert refused == [Read, Listen]


async def test_a_talk_that_lets_the_lost_link_out_ends_the_call_with_it() -> None:
    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A35")
        while True:
            yield Listen(wait_s=5)

    with pytest.raises(LinkLost, match="three metres"):
        await hold(talk, hangs_up=True)


async def test_what_a_device_lacks_is_none_and_what_it_refuses_is_said() -> None:
    answers: list[object] = []

    def talk(visit: Visit) -> Talk:
        answers.append((yield Read(characteristic="2A25")))
        model = yield Read(characteristic="2A24")
        answers.append(model and model.data)
        yield Write(characteristic="2A52", data=b"\x01\x01")
        try:
            yield Write(characteristic="2A52", data=b"\xff")
        except MendDevice as error:
            answers.append(str(error))

    _, device = await hold(talk)
    assert answers == [None, b"KG-200", "it refuses"]
    assert device.written == [b"\x01\x01"]


async def test_remarks_reach_whoever_keeps_the_call() -> None:
    seen = ClockSeen(device_time=datetime(2026, 11, 22, 16, 0), at=NOW)  # noqa: DTZ001
    remarks = [seen, About(model="KG-200"), Refused(characteristic="2A18", data=b"", reason="?")]

    def talk(visit: Visit) -> Talk:
        yield from remarks

    call, _ = await hold(talk)
    assert call.remarks == remarks


@pytest.mark.parametrize("shows", [None, NOW.replace(hour=16, tzinfo=None)])
async def test_a_clock_is_set_where_the_call_says_so_and_to_what_it_says(
    shows: datetime | None,
) -> None:
    answers: list[Heard | None] = []

    def talk(visit: Visit) -> Talk:
        answers.append(
            (yield SetClock(characteristic="2A2B", encode=lambda local: bytes((local.hour,))))
        )

    call, device = await hold(talk, shows=shows)
    written = None if shows is None else Heard(characteristic="2A2B", data=b"\x10", at=NOW)
    assert answers == [written]
    assert device.written == ([] if shows is None else [b"\x10"])
    assert call.remarks == ([] if shows is None else [(shows, NOW)])


async def test_a_clock_that_the_device_denies_is_taken_down_and_the_talk_hears_of_it() -> None:
    heard: list[KangbanError] = []

    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A18")
        try:
            yield SetClock(characteristic="2A2B", encode=lambda local: b"\xff")
        except MendDevice as error:
            heard.append(error)

    call, _ = await hold(talk, shows=NOW.replace(tzinfo=None))
    assert call.remarks == [("refused", NOW)]
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("answers", "accepted", "is_set"),
    [(0x80, 0x80, True), (0x81, 0x80, False), (0x80, None, False)],
)
async def test_a_clock_that_ignores_a_field_beside_the_time_counts_as_set(
    answers: int, accepted: int | None, is_set: bool
) -> None:
    def talk(visit: Visit) -> Talk:
        with suppress(Refusal):
            yield SetClock(
                characteristic="2A2B",
                encode=lambda local: bytes((answers,)),
                accepted_error=accepted,
            )

    shows = NOW.replace(tzinfo=None)
    call, _ = await hold(talk, shows=shows)
    assert call.remarks == [(shows if is_set else "refused", NOW)]


async def test_a_call_is_told_that_a_clock_can_never_be_read() -> None:
    def talk(visit: Visit) -> Talk:
        yield SetClock(characteristic="X", encode=lambda local: b"", readable=False)

    call, _ = await hold(talk)
    assert not call.readable


async def test_a_link_that_goes_down_at_the_clock_has_denied_nothing() -> None:
    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A18")
        try:
            yield SetClock(characteristic="2A2B", encode=lambda local: b"\xfe")
        except LinkLost:
            return

    call, _ = await hold(talk, shows=NOW.replace(tzinfo=None))
    assert call.remarks == []


class _HangsUp(_Device):
    """Sends both values, and is gone before it has answered the subscription."""

    async def subscribe(
        self, characteristic: str, hear: Callable[[bytes], None], *, optional: bool
    ) -> None:
        if not self.link.is_down:
            await super().subscribe(characteristic, hear, optional=optional)
            self.link.went_down()
        raise lost()


async def test_what_came_before_a_lost_answer_to_the_subscription_is_heard() -> None:
    heard: list[bytes] = []

    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A35")
        yield Subscribe(characteristic="2A52", optional=True)
        with pytest.raises(LinkLost):
            yield Read(characteristic="2A24")
        with suppress(LinkLost):
            while (answer := (yield Listen(wait_s=5))) is not None:
                heard.append(answer.data)

    link, call = Link(lambda: NOW), _Call()
    await Conversation(_HangsUp(link), link, driver_of(talk), call).hold()
    assert heard == [b"\x01", b"\x02"]


async def test_a_subscription_that_was_lost_with_nothing_heard_is_lost() -> None:
    link, call = Link(lambda: NOW), _Call()
    link.went_down()

    def talk(visit: Visit) -> Talk:
        yield Subscribe(characteristic="2A35")

    with pytest.raises(LinkLost):
        await Conversation(_HangsUp(link), link, driver_of(talk), call).hold()
