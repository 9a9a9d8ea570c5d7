"""A gateway's word about itself is kept as far as it can be true."""

from datetime import timedelta

from arriving import NOW

from ingest.arrival import HealthSeen, Message
from ingest.health import gateway_word
from vitals.wire import DeviceHealth, Health


def word(**changes):  # type: ignore[no-untyped-def]
    given = {"v": 1, "gateway": "g1", "sent_at": NOW, "spooled": 0, "devices": {}}
    health = Health(**{**given, **changes})
    seen = HealthSeen(
        message=Message(topic="t", payload=b""), gateway="g1", health=health, document={}
    )
    return gateway_word(seen, now=NOW)


def test_a_gateway_was_seen_when_it_spoke_not_when_it_was_heard() -> None:
    assert word(sent_at=NOW - timedelta(hours=3)).at == NOW - timedelta(hours=3)


def test_nobody_was_seen_in_the_future() -> None:
    later = NOW + timedelta(days=1)

    told = word(sent_at=later, devices={"ble:1": DeviceHealth(last_seen_at=later)})

    assert told.at == NOW
    assert told.devices[0].at == NOW


def test_a_number_that_cannot_be_is_taken_as_not_said() -> None:
    seen = DeviceHealth(last_seen_at=NOW, battery_percent=255, clock_offset_s=10**12)

    (device,) = word(spooled=-1, devices={"ble:1": seen}).devices

    assert (device.battery_percent, device.clock_offset_s) == (None, None)
    assert word(spooled=-1).spooled == 0
    assert word(spooled=10**12).spooled == 2**31 - 1


def test_the_edges_of_a_battery_belong_to_it() -> None:
    for percent in (0, 100):
        seen = DeviceHealth(last_seen_at=NOW, battery_percent=percent)
        assert word(devices={"ble:1": seen}).devices[0].battery_percent == percent


def test_a_device_whose_name_cannot_be_stored_is_left_out() -> None:
    assert word(devices={"ble:\0": DeviceHealth(last_seen_at=NOW)}).devices == ()


def test_a_failure_in_odd_letters_is_kept() -> None:
    seen = DeviceHealth(last_seen_at=NOW, failure="NUL \0 and 中文")

    assert word(devices={"ble:1": seen}).devices[0].failure == "NUL \\u0000 and 中文"
