"""What the gateway's own clock shows to devices: octets of the specifications."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from gateway_agent.time_server import current_time, local_time


def test_the_time_is_the_households_own() -> None:
    # 2026-11-22 is a Sunday (7); half a second is 128/256
    at = datetime(2026, 11, 22, 20, 0, 5, 500_000, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert current_time(at).hex() == "ea070b16140005078000"


# quarters of an hour from UTC without daylight saving, and what that adds
@pytest.mark.parametrize(
    ("zone", "month", "octets"),
    [
        ("Asia/Shanghai", 7, "2000"),
        ("Europe/Berlin", 1, "0400"),
        ("Europe/Berlin", 7, "0404"),
        ("America/New_York", 7, "ec04"),
        ("Asia/Kathmandu", 7, "1700"),
        ("Australia/Lord_Howe", 1, "2a02"),
    ],
)
def test_the_zone_and_its_daylight_saving_are_told_apart(
    zone: str, month: int, octets: str
) -> None:
    assert local_time(datetime(2026, month, 1, tzinfo=ZoneInfo(zone))).hex() == octets


def test_a_zone_that_does_not_say_when_it_saves_daylight_is_taken_as_it_is() -> None:
    fixed = timezone(timedelta(hours=-8))
    assert local_time(datetime(2026, 7, 1, tzinfo=fixed)).hex() == "e000"
