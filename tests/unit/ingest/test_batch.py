"""Deliveries become rows; devices that need care are found."""

from datetime import timedelta

from arriving import ABSENT, METER, delivery, glucose

from ingest.batch import bringing, matched_rows_of, rows_of
from vitals.kinds import VITALS, Kind
from vitals.measurement import CLOCK_CODE, FLAG_BIT, MEAL_CODE, Clock, Flag, Meal
from vitals.units import UNIT_CODE, Unit

GATEWAYS = {"g1": 1, "g2": 2}
OTHER = "ble:AA:BB:CC:00:00:02"
DEVICES = {METER: 10, OTHER: 11}
IDS = {"gateways": GATEWAYS, "devices": DEVICES}


def test_a_row_holds_what_the_measurement_says() -> None:
    item = delivery(glucose(7, user=2, flags=["sample_too_small", "battery_low"])).items[0]

    (row,) = rows_of(
        [delivery(glucose(7, user=2, flags=["sample_too_small", "battery_low"]))], **IDS
    )

    assert row == (
        10,
        VITALS[Kind.GLUCOSE].code,
        7,
        item.taken_at,
        5.6,
        UNIT_CODE[Unit.MMOL_PER_L],
        CLOCK_CODE[Clock.MEASURED],
        item.device_time,
        -28800,
        2,
        MEAL_CODE[Meal.FASTING],
        FLAG_BIT[Flag.SAMPLE_TOO_SMALL] | FLAG_BIT[Flag.BATTERY_LOW],
        1,
        b"\x01\x02\x03",
    )


def test_what_is_absent_is_null_and_nobody_s_slot_is_minus_one() -> None:
    (row,) = rows_of(
        [delivery(glucose(1, device_time=ABSENT, clock_offset_s=ABSENT, meal=ABSENT, raw=ABSENT))],
        **IDS,
    )

    assert row[7:] == (None, 0, -1, None, 0, 1, None)


def test_rows_stand_in_the_order_of_the_key_whoever_came_first() -> None:
    rows = rows_of(
        [delivery(glucose(3), glucose(1)), delivery(glucose(9, device=OTHER), glucose(2))], **IDS
    )

    assert [(row[0], row[2]) for row in rows] == [(10, 1), (10, 2), (10, 3), (11, 9)]


def brought(*deliveries, owners):  # type: ignore[no-untyped-def]
    found = bringing(deliveries, **IDS)
    return found.careful(owners), found.matched(owners)


def test_a_device_that_its_own_gateway_brings_needs_no_care() -> None:
    assert brought(delivery(glucose(1)), owners={10: 1}) == (set(), set())


def test_a_device_that_nobody_has_brought_runs_alone_but_there_is_nothing_to_find() -> None:
    assert brought(delivery(glucose(1)), owners={10: None}) == ({10}, set())
    assert brought(delivery(glucose(1)), owners={}) == ({10}, set())


def test_a_device_that_another_gateway_brought_before_is_matched() -> None:
    assert brought(delivery(glucose(1)), owners={10: 2}) == ({10}, {10})


def test_a_device_whose_memory_was_read_again_is_matched() -> None:
    assert brought(delivery(glucose(1), resync=True), owners={10: 1}) == ({10}, {10})


def test_a_device_that_two_gateways_bring_at_once_is_matched() -> None:
    both = [delivery(glucose(1)), delivery(glucose(1), gateway="g2")]

    assert brought(*both, owners={10: None}) == ({10}, {10})
    assert bringing(both, **IDS).last() == {10: 2}


def test_a_device_that_several_gateways_have_ever_brought_is_always_matched() -> None:
    assert brought(delivery(glucose(1)), owners={10: 0}) == ({10}, {10})


def test_care_for_one_device_is_none_for_its_neighbour() -> None:
    both = delivery(glucose(1), glucose(1, device=OTHER))

    assert brought(both, owners={10: 2, 11: 1}) == ({10}, {10})


HALF_AN_HOUR_LATER = -8 * 3600 + 1800


def test_a_record_that_two_gateways_bring_with_other_offsets_is_kept_once() -> None:
    rows, matches = matched_rows_of(
        [
            delivery(glucose(1), glucose(2)),
            delivery(glucose(2, offset_s=HALF_AN_HOUR_LATER), glucose(3), gateway="g2"),
        ],
        **IDS,
        matched={10},
    )

    assert [(row[2], row[12]) for row in rows] == [(1, 1), (2, 1), (3, 2)]
    assert matches == [True] * 3


def test_a_record_with_another_value_under_the_same_number_is_another_record() -> None:
    # a meter that lost its battery begins again at number 1 and at the year 2000
    rows, _ = matched_rows_of(
        [delivery(glucose(1)), delivery(glucose(1, value=9.9, offset_s=HALF_AN_HOUR_LATER))],
        **IDS,
        matched={10},
    )

    assert [row[4] for row in rows] == [5.6, 9.9]


def test_a_band_without_a_clock_is_matched_only_on_its_gateway_s_word() -> None:
    now = delivery(glucose(1)).items[0].taken_at
    streamed = [
        glucose(1, at=now + timedelta(minutes=n), device_time=ABSENT, clock="received")
        for n in (0, 1)
    ]

    rows, matches = matched_rows_of([delivery(*streamed)], **IDS, matched={10})
    assert (len(rows), matches) == (2, [False, False])

    rows, matches = matched_rows_of([delivery(*streamed, resync=True)], **IDS, matched={10})
    assert (len(rows), matches) == (1, [True])
