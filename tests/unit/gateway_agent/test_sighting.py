"""What was heard lately: the newest first, and never more than a few."""

from datetime import UTC, datetime, timedelta

from gateway_agent.quirk import STANDARD
from gateway_agent.recognise import Recognised
from gateway_agent.sighting import Sighting, Sightings

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
STRANGER = Recognised(driver=None, quirk=STANDARD)


def heard(device: str, *, name: str = "", at_s: float = 0) -> Sighting:
    return Sighting(
        device=device,
        name=name,
        rssi_dbm=-60,
        at=START + timedelta(seconds=at_s),
        recognised=STRANGER,
    )


def test_the_device_heard_last_stands_first() -> None:
    book = Sightings()
    for place, device in enumerate(("ble:1", "ble:2", "ble:1")):
        book.note(heard(device, at_s=place))
    assert [each.device for each in book.newest_first()] == ["ble:1", "ble:2"]
    assert book.newest_first()[0].at == START + timedelta(seconds=2)


def test_a_device_is_news_when_it_is_new_or_says_another_name() -> None:
    book = Sightings()
    assert book.note(heard("ble:1"))
    assert not book.note(heard("ble:1", at_s=1))
    # its name comes with the answer to the scan, a moment later
    assert book.note(heard("ble:1", name="Meter", at_s=2))
    assert not book.note(heard("ble:1", name="Meter", at_s=3))


def test_ten_thousand_strangers_leave_room_for_two_hundred() -> None:
    book = Sightings()
    for number in range(10_000):
        book.note(heard(f"ble:{number}", at_s=number))
    found = book.newest_first()
    assert len(found) == 200
    assert (found[0].device, found[-1].device) == ("ble:9999", "ble:9800")
    assert book.is_known("ble:9800")
    assert not book.is_known("ble:9799")
