"""A visit to a wristband is one reading: the median of what was felt on the skin."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payloads import heart_rates
from pump import START, Arrival, Device, pump

from gateway_agent.drivers.device_information import MODEL
from gateway_agent.drivers.heart_rate import (
    DRIVER,
    MEASUREMENT,
    VALUES,
    HeartRate,
    reading_of,
    talk,
)
from gateway_agent.talk import About, Heard, LinkLost, Listen, Subscribe, Visit
from vitals.errors import MendDevice
from vitals.kinds import Kind
from vitals.measurement import Flag, Value
from vitals.units import Unit

VISIT = Visit(device="ble:C0:00:00:00:00:03")


def beat(rate: int, contact: bool | None = True) -> Arrival:
    return MEASUREMENT, HeartRate(rate_per_minute=rate, contact=contact).encode()


def heart(rate: float) -> tuple[Value, ...]:
    return (Value(kind=Kind.HEART_RATE, value=rate, unit=Unit.PER_MINUTE),)


def test_ten_values_are_one_reading_and_no_more_are_waited_for() -> None:
    sends = [beat(rate) for rate in range(60, 80)]
    visited = pump(talk(VISIT), Device(reads={MODEL: b"Band 1"}, sends=sends))
    (reading,) = visited.kept
    # 60 … 69: the lower of the two in the middle, which is one that the band has said
    assert reading.values == heart(64)
    assert len(visited.of(Listen)) == VALUES
    assert About(model="Band 1") in visited.asks
    assert isinstance(visited.asks[0], Subscribe)


def test_the_number_of_a_visit_is_the_moment_of_its_first_value() -> None:
    heard = [
        (Heard(characteristic=MEASUREMENT, data=b"\x00\x48", at=at), HeartRate(rate_per_minute=72))
        for at in (START, START + timedelta(seconds=1))
    ]
    # 2026-11-22T00:15:00Z is 1795306500 s after 1970
    assert reading_of(heard).sequence == 1_795_306_500_000
    assert reading_of(heard).device_time is None


def test_every_payload_stays_beside_the_reading_after_its_length() -> None:
    sends = [beat(60), (MEASUREMENT, bytes.fromhex("164855035c03"))]
    (reading,) = pump(talk(VISIT), Device(sends=sends, hangs_up=True)).kept
    assert reading.raw.hex() == "0200" + beat(60)[1].hex() + "0600" + "164855035c03"


@pytest.mark.parametrize(
    ("beats", "rate", "flags"),
    [
        # one swallowed and one doubled beat do not move the median
        ([beat(70), beat(140), beat(71), beat(35), beat(72)], 71, ()),
        # values without contact and zeros are left out
        ([beat(0, None), beat(70, None), beat(0, None)], 70, ()),
        ([beat(200, False), beat(70), beat(71), beat(72)], 71, (Flag.NO_SKIN_CONTACT,)),
        # a single value is a reading
        ([beat(70)], 70, ()),
        # two octets
        ([beat(256)], 256, ()),
    ],
)
def test_the_reading_is_the_median_of_what_was_felt(
    beats: list[Arrival], rate: int, flags: tuple[Flag, ...]
) -> None:
    (reading,) = pump(talk(VISIT), Device(sends=beats)).kept
    assert reading.values == heart(rate)
    assert reading.flags == flags
    assert reading.withheld is None


def test_a_band_that_leaves_the_skin_ends_the_visit() -> None:
    visited = pump(talk(VISIT), Device(sends=[beat(70), beat(70, False), beat(250), beat(250)]))
    assert visited.kept[0].values == heart(70)
    assert len(visited.of(Listen)) == 2


def test_a_band_on_the_table_is_kept_and_never_shown() -> None:
    (reading,) = pump(talk(VISIT), Device(sends=[beat(80, False)] * 12)).kept
    assert (reading.values, reading.withheld) == ((), "no_skin_contact")
    assert reading.flags == (Flag.NO_SKIN_CONTACT,)


def test_a_band_that_counts_nothing_is_kept_and_never_shown() -> None:
    (reading,) = pump(talk(VISIT), Device(sends=[beat(0, None)])).kept
    assert (reading.values, reading.withheld) == ((), "no_heart_rate")


@pytest.mark.parametrize("radio_asks", range(9))
def test_a_band_that_walks_away_leaves_what_it_had_said(radio_asks: int) -> None:
    visited = pump(talk(VISIT), Device(sends=[beat(70), beat(72), beat(74)], radio_asks=radio_asks))
    if radio_asks == 0:
        assert isinstance(visited.error, LinkLost)
        return
    assert visited.kept[0].values == heart(72)
    assert visited.error is None


def test_a_band_that_walks_away_before_its_first_value_is_tried_again() -> None:
    visited = pump(talk(VISIT), Device(radio_asks=3))
    assert isinstance(visited.error, LinkLost)
    assert visited.kept == []


def test_a_band_that_says_nothing_needs_a_hand() -> None:
    visited = pump(talk(VISIT), Device())
    assert isinstance(visited.error, MendDevice)
    assert "put it on" in str(visited.error)


def test_a_truncated_value_is_refused_and_the_next_one_counted() -> None:
    visited = pump(talk(VISIT), Device(sends=[(MEASUREMENT, b"\x01\x48"), beat(70)]))
    assert visited.kept[0].values == heart(70)
    assert len(visited.refused) == 1


def test_a_band_that_sends_noise_for_ever_does_not_hold_the_radio() -> None:
    visited = pump(talk(VISIT), Device(sends=[(MEASUREMENT, b"")] * 100))
    assert len(visited.refused) == VALUES


def test_a_band_is_called_on_every_five_minutes() -> None:
    assert DRIVER.revisit_s == 300


@settings(max_examples=200, deadline=None)
@given(st.lists(heart_rates, min_size=1, max_size=12))
def test_a_visit_with_a_value_is_always_exactly_one_reading(sent: list[HeartRate]) -> None:
    visited = pump(talk(VISIT), Device(sends=[(MEASUREMENT, each.encode()) for each in sent]))
    (reading,) = visited.kept
    assert bool(reading.values) is (reading.withheld is None)
    if reading.values:
        assert reading.values[0].value in {each.rate_per_minute for each in sent}
