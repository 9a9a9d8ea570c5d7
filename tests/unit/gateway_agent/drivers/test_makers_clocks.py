"""The clocks of CareSens and Contour meters are made to show the local time that was meant."""

from datetime import UTC, datetime, timedelta

from gateway_agent.drivers import caresens_clock, contour_clock
from gateway_agent.drivers.contour_clock import ContourClock

MORNING = datetime(2026, 11, 22, 8, 15, tzinfo=UTC).replace(tzinfo=None)


def test_a_caresens_meter_shows_local_time() -> None:
    assert caresens_clock.encode(MORNING).hex() == "c0030100ea070b16080f00"


def test_a_contour_meter_is_told_utc_and_how_far_local_time_is_ahead() -> None:
    beijing = ContourClock.of(MORNING, ahead=timedelta(hours=8))
    assert beijing.encode().hex() == "01ea070b16000f00e001"
    # nothing said about the zone: it shows the same hour
    unzoned = ContourClock.decode(contour_clock.encode(MORNING))
    assert (unzoned.date_time.moment(), unzoned.offset_min) == (MORNING, 0)
    for said in (beijing, unzoned):
        shown = said.date_time.moment()
        assert shown is not None
        assert shown + timedelta(minutes=said.offset_min) == MORNING
