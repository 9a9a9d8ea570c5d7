"""News reach the pages they concern, and no other."""

import asyncio

import pytest

from api.hub import ALERT, LOOK, PATIENT, TOLD, Event, Hub, Stream


@pytest.fixture
def hub() -> Hub:
    # never opened: nothing listens, notifications are handed in
    return Hub("postgresql://nowhere")


async def stream(hub: Hub, *patients: int, account: int = 1) -> Stream:
    made = Stream(account_id=account, patients=frozenset(patients))
    hub.join(made)
    return made


async def heard(made: Stream) -> list[Event | None]:
    """All that waits for a page, once the loop has taken it over."""
    found = []
    while True:
        try:
            found.append(await made.next(0.05))
        except TimeoutError:
            return found


async def test_a_reading_is_heard_by_those_related_to_the_patient_alone(hub: Hub) -> None:
    family, stranger = await stream(hub, 3, 4), await stream(hub, 5)
    hub.hand_out(PATIENT, "3")
    hub.hand_out(ALERT, "4")
    assert await heard(family) == [
        Event(name="reading", patient_id=3),
        Event(name="alert", patient_id=4),
    ]
    assert await heard(stranger) == []


async def test_a_message_is_heard_by_its_account_not_by_a_patient_of_the_same_number(
    hub: Hub,
) -> None:
    mine, other = await stream(hub, 8, account=7), await stream(hub, 7, account=8)
    hub.hand_out(TOLD, "7")
    assert await heard(mine) == [Event(name="told")]
    assert await heard(other) == []


@pytest.mark.parametrize(
    ("channel", "payload"), [(PATIENT, ""), (PATIENT, "x"), (PATIENT, "-3"), ("other", "3")]
)
async def test_an_odd_notification_disturbs_nobody(hub: Hub, channel: str, payload: str) -> None:
    made = await stream(hub, 3)
    hub.hand_out(channel, payload)
    assert await heard(made) == []


async def test_a_page_that_is_gone_hears_nothing_more(hub: Hub) -> None:
    made = await stream(hub, 3)
    hub.leave(made)
    hub.hand_out(PATIENT, "3")
    assert await heard(made) == []


async def test_a_slow_browser_is_told_to_look_again_instead_of_piling_up(hub: Hub) -> None:
    made = await stream(hub, 3)
    for _ in range(500):
        hub.hand_out(PATIENT, "3")
    await asyncio.sleep(0)
    waiting = await heard(made)
    assert len(waiting) <= 64
    assert Event(name=LOOK) in waiting


async def test_closing_ends_every_stream_also_one_that_joins_later(hub: Hub) -> None:
    before = await stream(hub, 3)
    hub.close()
    after = await stream(hub, 3)
    assert await heard(before) == [None]
    assert await heard(after) == [None]
