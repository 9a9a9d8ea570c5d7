"""Deliveries become rows; devices that need care are found."""

from dataclasses import fields
from datetime import timedelta
from types import SimpleNamespace

from arriving import ABSENT, METER, NOW, delivery, glucose

from ingest.batch import bringing, columns_of, matched_rows_of, rows_of
from ingest.validate import judge_all
from store.columns import EPOCH, NO_MEAL, NO_TIME
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


def test_records_that_two_gateways_bring_stay_in_the_order_of_arrival() -> None:
    rows, matches = matched_rows_of(
        [
            delivery(glucose(2), glucose(1)),
            delivery(glucose(2, offset_s=HALF_AN_HOUR_LATER), glucose(3), gateway="g2"),
        ],
        **IDS,
        matched={10},
    )

    assert [(row[2], row[12]) for row in rows] == [(2, 1), (1, 1), (2, 2), (3, 2)]
    assert matches == [True] * 4


def test_a_band_without_a_clock_is_matched_only_on_its_gateway_s_word() -> None:
    now = delivery(glucose(1)).items[0].taken_at
    streamed = [
        glucose(1, at=now + timedelta(minutes=n), device_time=ABSENT, clock="received")
        for n in (0, 1)
    ]

    _, matches = matched_rows_of([delivery(*streamed)], **IDS, matched={10})
    assert matches == [False, False]

    _, matches = matched_rows_of([delivery(*streamed, resync=True)], **IDS, matched={10})
    assert matches == [True, True]


def as_rows(columns):  # type: ignore[no-untyped-def]
    """The rows of columns as the staging table takes them."""
    raw = columns.raw.tobytes()
    names = [each.name for each in fields(columns) if each.name != "raw"]
    lists = {name: getattr(columns, name).tolist() for name in names}
    found = []
    for place in range(len(columns)):
        one = SimpleNamespace(**{name: each[place] for name, each in lists.items()})
        shown = None if one.device_time == NO_TIME else moment_of(one.device_time)
        found.append(
            (
                *(one.device, one.kind, one.sequence, moment_of(one.taken_at), one.value, one.unit),
                *(one.clock, shown and shown.replace(tzinfo=None), one.clock_offset_s, one.slot),
                *(None if one.meal == NO_MEAL else one.meal, one.flags, one.gateway),
                raw[one.raw_begin : one.raw_begin + one.raw_size] or None,
            )
        )
    return found


def moment_of(microseconds):  # type: ignore[no-untyped-def]
    return EPOCH + timedelta(microseconds=microseconds)


def sheetless(one):  # type: ignore[no-untyped-def]
    """The same delivery, as it is after it was taken apart."""
    return one.only(*one.items)


def test_columns_hold_the_same_rows_in_the_same_order() -> None:
    full = glucose(9, user=0, flags=["sample_too_small"], value=101, unit="mg/dL")
    bare = glucose(4, device_time=ABSENT, clock_offset_s=ABSENT, meal=ABSENT, raw=ABSENT)
    deliveries = [
        delivery(glucose(3), bare),
        delivery(),
        delivery(full, glucose(2, device=OTHER), gateway="g2"),
        delivery(glucose(3, raw="AAAA")),
    ]

    expected = rows_of(deliveries, **IDS)

    assert len(expected) == 5
    assert as_rows(columns_of(deliveries, **IDS)) == expected
    # whether they come from one sheet, from several or from none
    together = judge_all([each.message for each in deliveries], now=NOW)
    assert as_rows(columns_of(together, **IDS)) == expected
    assert as_rows(columns_of([*map(sheetless, deliveries)], **IDS)) == expected
    mixed = [together[0], sheetless(deliveries[1]), together[2], deliveries[3]]
    assert as_rows(columns_of(mixed, **IDS)) == expected
    assert as_rows(columns_of([], **IDS)) == []


def test_a_part_of_a_sheet_is_the_rows_of_its_envelopes_alone() -> None:
    one, two, three = judge_all(
        [delivery(glucose(number), glucose(number + 10)).message for number in (1, 2, 3)], now=NOW
    )

    rows = as_rows(columns_of([one, three], **IDS))

    assert [row[2] for row in rows] == [1, 3, 11, 13]
    assert [row[2] for row in as_rows(columns_of([two], **IDS))] == [2, 12]
