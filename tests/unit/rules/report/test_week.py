"""The numbers of a week: what is in it, what is compared, what is missing and why."""

from datetime import UTC, date, datetime, timedelta

import pytest
from report_builders import AS_OF, TWICE, WEEK, four_weeks, week
from rule_builders import every_day, local_moment

from rules.history import GatewaySeen, Line, Patient
from rules.metrics.home_protocol import Standing
from rules.metrics.slot import Slot
from rules.report.build import plain
from rules.report.week import Missing, first_day_of, week_of
from vitals.kinds import Kind
from vitals.units import Unit


@pytest.mark.parametrize(
    ("text", "monday"),
    [
        ("2026-W47", date(2026, 11, 16)),
        ("2026-W01", date(2025, 12, 29)),
        ("2026-W53", date(2026, 12, 28)),
    ],
)
def test_an_iso_week_begins_on_its_monday(text: str, monday: date) -> None:
    assert first_day_of(text) == monday
    assert week_of(monday) == text
    assert week_of(monday + timedelta(days=6)) == text


@pytest.mark.parametrize("text", ["2025-W53", "2026-47", "week 47", ""])
def test_what_is_no_iso_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - fromisocalendar and int say it in their words
        first_day_of(text)


def test_the_block_of_the_week_averages_its_readings_alone() -> None:
    found = week("-7d 07:00 bp 200/120", *every_day(TWICE, first=6)).pressure
    assert found is not None
    assert (found.block.n, found.block.days, found.block.standing) == (28, 7, Standing.VALID)
    # (142 + 140 + 146 + 144) / 4, (88 + 86 + 84 + 82) / 4
    assert (found.block.systolic, found.block.diastolic) == (143, 85)
    assert (found.morning.systolic.mean, found.evening.systolic.mean) == (141, 145)
    assert found.whole.systolic.mean == found.block.systolic


def test_the_change_is_against_the_last_valid_week() -> None:
    calm = ["07:00 bp 130/80", "20:00 bp 130/80"]
    found = week(
        *every_day(calm, first=20, last=14), "-9d 07:00 bp 170/90", *every_day(TWICE, first=6)
    ).pressure
    assert found is not None
    # the week between has one reading: it is no evidence
    assert [each.n for each in found.before] == [0, 0, 14, 1]
    assert found.change == (13, 5)


def test_without_a_valid_week_there_is_no_change() -> None:
    found = week(*every_day(TWICE, first=6)).pressure
    assert found is not None
    assert found.change is None


def test_the_doctors_target_is_what_the_week_is_compared_with() -> None:
    patient = Patient(id=1, targets={"systolic_mmhg": 150, "diastolic_mmhg": 90})
    found = week(*every_day(TWICE, first=6), patient=patient).pressure
    assert found is not None
    assert (found.limit, found.limit_is_personal) == ((150, 90), True)
    assert found.control.controlled == found.control.sessions == 14


def test_finger_sticks_stand_in_their_slots() -> None:
    found = week(*four_weeks()).glucose
    assert found is not None
    rows = {each.slot: each for each in found.slots}
    assert list(rows) == [Slot.NIGHT, Slot.FASTING, Slot.AFTER_BREAKFAST]
    assert (rows[Slot.FASTING].n, rows[Slot.FASTING].in_target.k) == (7, 0)
    assert rows[Slot.NIGHT].lows == 1
    assert found.very_lows == 1
    assert [each.value for each in found.lows] == [2.8]
    assert [each.lows for each in found.weeks] == [0, 0, 0, 0, 1]


def test_values_are_told_in_the_unit_of_most_and_judged_in_their_own() -> None:
    found = week(
        "-3d 06:30 glucose 70 mg/dL fasting",
        "-2d 06:30 glucose 7.0 mmol/L fasting",
        "-1d 06:30 glucose 3.8 mmol/L fasting",
    ).glucose
    assert found is not None
    assert found.unit is Unit.MMOL_PER_L
    # 70 mg/dL is no low, though 70 / 18 = 3.89
    assert [each.value for each in found.lows] == [3.8]


def test_a_week_without_readings_has_no_panels() -> None:
    found = week()
    assert (found.pressure, found.glucose) == (None, None)
    assert found.quality.days_with_data == 0


def test_a_running_week_says_how_far_it_came() -> None:
    found = week(*every_day(TWICE, first=6, last=3), as_of=local_moment("12:00", 3))
    assert found.is_running
    assert (found.quality.days_with_data, found.quality.days_so_far) == (4, 4)
    assert found.gaps == ()


def test_what_came_after_the_week_is_not_in_it() -> None:
    late = datetime(2026, 12, 1, tzinfo=UTC)
    a = week(*every_day(TWICE, first=6))
    b = week(*every_day(TWICE, first=6), "-0d 23:59 bp 143/85", as_of=late)
    assert a.quality.readings["pressure"] == 28
    assert b.quality.readings["pressure"] == 29


def test_a_missing_day_was_not_measured_not_received_or_refused() -> None:
    measured = every_day(TWICE, first=27, last=4)
    quiet = week(*measured)
    (gap,) = quiet.gaps
    assert (gap.kind, gap.reason) == (Kind.SYSTOLIC, Missing.NOT_MEASURED)
    assert gap.days == tuple(date(2026, 11, day) for day in (19, 20, 21, 22))

    dark = Line(gateways=(GatewaySeen(name="g", last_seen_at=local_moment("20:00", 2)),))
    refused = local_moment("08:00", 3)
    gaps = week(*measured, line=dark, rejected_at=(refused,)).gaps
    assert [(each.reason, [day.day for day in each.days]) for each in gaps] == [
        (Missing.NOT_MEASURED, [20]),
        (Missing.NOT_RECEIVED, [21, 22]),
        (Missing.REJECTED, [19]),
    ]


def test_doubted_readings_are_counted_and_left_out() -> None:
    found = week(
        *every_day(TWICE, first=6),
        "-1d 12:00 bp 220/120 #cuff_loose",
        "-1d 12:05 bp 220/120 ~unsure",
    )
    assert (found.quality.suspect, found.quality.unsure) == (1, 1)
    assert found.pressure is not None
    assert found.pressure.highest.systolic == 146


def test_the_same_inputs_give_the_same_week() -> None:
    # as JSON, in which what is not a number (no pulse) equals itself
    assert plain(week(*four_weeks())) == plain(week(*four_weeks()))
    assert week(*four_weeks()).week == WEEK
    assert week(*four_weeks()).as_of == AS_OF
