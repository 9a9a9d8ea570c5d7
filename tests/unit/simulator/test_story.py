"""Stories: the same for everybody who asks, in whatever steps, and shaped as they say."""

from datetime import UTC, date, datetime, timedelta
from statistics import mean

import pytest

from simulator.chance import normal, uniform
from simulator.panel import Device, panel
from simulator.record import CuffRecord, GlucoseRecord, HeartRateRecord, Record
from simulator.story import BloodPressureStory, GlucoseStory, HeartRateStory, Story
from vitals.kinds import Kind, is_plausible
from vitals.measurement import Meal
from vitals.units import Unit

BEGINS = date(2026, 9, 27)
# midnight in Shanghai
START = datetime(2026, 9, 26, 16, tzinfo=UTC)
WEEKS_8 = START + timedelta(weeks=8)

FATHER = BloodPressureStory(
    seed="f", begins=BEGINS, systolic=126, diastolic=78, drift_mmhg_per_day=0.4
)
MOTHER = GlucoseStory(seed="m", begins=BEGINS, fasting=6.7, after_meal=12.9)
BAND = HeartRateStory(seed="b", begins=BEGINS)


def test_chance_depends_on_seed_and_purpose_alone() -> None:
    assert uniform("a", 1) == uniform("a", 1) != uniform("b", 1)
    numbers = [normal("a", place) for place in range(2_000)]
    assert abs(mean(numbers)) < 0.1
    assert all(-3 <= number <= 3 for number in numbers)


@pytest.mark.parametrize("story", [FATHER, MOTHER, BAND])
def test_a_story_told_in_steps_is_the_story_told_at_once(story: Story) -> None:
    whole = story.records(START, WEEKS_8)
    steps: list[Record] = []
    moment = START
    while moment < WEEKS_8:
        later = min(moment + timedelta(hours=7, minutes=13), WEEKS_8)
        steps += story.records(moment, later)
        moment = later
    assert steps == whole
    assert [each.at for each in whole] == sorted(each.at for each in whole)
    assert all(START <= each.at < WEEKS_8 for each in whole)


def pressures(story: BloodPressureStory, start: datetime, end: datetime) -> list[CuffRecord]:
    return [each for each in story.records(start, end) if isinstance(each, CuffRecord)]


def test_a_drifting_blood_pressure_ends_above_the_home_threshold() -> None:
    first = pressures(FATHER, START, START + timedelta(days=7))
    last = pressures(FATHER, WEEKS_8 - timedelta(days=7), WEEKS_8)
    assert mean(float(each.systolic or 0) for each in first) < 131
    # home blood pressure, 135/85 mmHg: above it by more than noise
    assert mean(float(each.systolic or 0) for each in last) > 138
    # and never an emergency: 180 mmHg
    assert max(float(each.systolic or 0) for each in last) < 170


def test_cuff_readings_come_in_pairs_in_the_morning_and_in_the_evening() -> None:
    day = pressures(FATHER, START, START + timedelta(days=1))
    # 8 hours ahead of UTC; 45 minutes are three times the spread of the time
    hours = [((each.at + timedelta(hours=8)).hour) for each in day]
    assert all(6 <= hour <= 7 or 19 <= hour <= 20 for hour in hours)
    assert len(day) in (2, 4)
    assert day[1].at - day[0].at == timedelta(seconds=75)


def test_glucose_is_tested_two_to_four_times_a_day_with_its_meal() -> None:
    for days in range(56):
        start = START + timedelta(days=days)
        day = MOTHER.records(start, start + timedelta(days=1))
        assert len(day) in (0, 2, 3, 4)
        assert all(isinstance(each, GlucoseRecord) and each.meal for each in day)


def test_after_meals_the_mother_is_high_and_fasting_nearly_well() -> None:
    told = [each for each in MOTHER.records(START, WEEKS_8) if isinstance(each, GlucoseRecord)]
    fasting = [float(each.value or 0) for each in told if each.meal is Meal.FASTING]
    after = [float(each.value or 0) for each in told if each.meal is Meal.POSTPRANDIAL]
    assert 6.0 < mean(fasting) < 7.5
    assert 11.0 < mean(after) < 14.0


def test_lows_come_on_their_days_and_on_no_other() -> None:
    story = GlucoseStory(
        seed="l", begins=BEGINS, fasting=5.8, after_meal=8.6, lows=frozenset({3, 40})
    )
    low_days = {
        (each.at + timedelta(hours=8)).date()
        for each in story.records(START, WEEKS_8)
        if isinstance(each, GlucoseRecord) and each.value is not None and each.value < 4
    }
    assert low_days == {BEGINS + timedelta(days=3), BEGINS + timedelta(days=40)}


def test_a_story_speaks_the_unit_of_its_device() -> None:
    kpa = BloodPressureStory(
        seed="k", begins=BEGINS, systolic=128, diastolic=80, unit=Unit.KPA, measures=1
    )
    (first, *_) = pressures(kpa, START, START + timedelta(days=1))
    assert 15 < float(first.systolic or 0) < 20
    mg = GlucoseStory(seed="k", begins=BEGINS, fasting=6, after_meal=9, unit=Unit.MG_PER_DL)
    (test, *_) = mg.records(START, START + timedelta(days=2))
    assert isinstance(test, GlucoseRecord)
    assert test.value is not None
    assert test.value == round(test.value) > 70


def test_each_record_knows_how_many_measurements_it_is() -> None:
    at = START
    cases: list[tuple[Record, int]] = [
        (GlucoseRecord(at=at, value=None), 0),
        (HeartRateRecord(at=at, rates=(60,), contact=False), 0),
        (HeartRateRecord(at=at, rates=(60, 61)), 1),
        (CuffRecord(at=at, systolic=None, diastolic=None), 0),
    ]
    for record, measurements in cases:
        assert record.measurements == measurements
    (cuff, *_) = FATHER.records(START, START + timedelta(days=2))
    (test, *_) = MOTHER.records(START, START + timedelta(days=2))
    assert (cuff.measurements, test.measurements) == (4, 1)


def test_the_panel_is_a_family_a_dark_gateway_and_a_dozen_more() -> None:
    households = panel(BEGINS)
    people = [person for household in households for person in household.people]
    assert [person.key for person in households[0].people] == ["father", "mother"]
    assert [household.gateway for household in households if household.dark_for] == ["home-dark"]
    assert len(people) == 15
    devices = [device for household in households for device in household.devices()]
    assert len({device.key for device in devices}) == len(devices)
    wanted = {Device.CUFF, Device.GLUCOSE_METER, Device.WRISTBAND}
    assert {device.kind for device in devices} == wanted


def test_nobody_on_the_panel_measures_what_cannot_be() -> None:
    for household in panel(BEGINS):
        for device in household.devices():
            for record in device.story.records(START, WEEKS_8):
                if isinstance(record, GlucoseRecord):
                    assert record.value is not None
                    assert is_plausible(Kind.GLUCOSE, float(record.value), record.unit)
                if isinstance(record, CuffRecord):
                    assert record.systolic is not None
                    assert record.diastolic is not None
                    assert is_plausible(Kind.SYSTOLIC, float(record.systolic), record.unit)
                    assert is_plausible(Kind.DIASTOLIC, float(record.diastolic), record.unit)
                    assert record.systolic > record.diastolic


def test_nobody_on_the_panel_is_low_in_the_last_days() -> None:
    for household in panel(BEGINS):
        for device in household.devices():
            for record in device.story.records(WEEKS_8 - timedelta(days=7), WEEKS_8):
                if isinstance(record, GlucoseRecord) and record.value is not None:
                    low = 3.9 if record.unit is Unit.MMOL_PER_L else 70
                    assert record.value > low
