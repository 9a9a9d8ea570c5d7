"""The list of newest values: pressures as one, doubts said, old values never coloured."""

from page_builders import NOW, ago, cuff, stored

from api.view.glance import Mood
from api.view.latest import newest, shown
from store.revisions import Revision, name_of
from vitals.kinds import Kind
from vitals.measurement import Clock, Flag, Meal
from vitals.units import Unit


def test_a_cuff_reading_is_one_line_with_its_pulse() -> None:
    (line,) = shown(cuff(138, 82), targets={}, now=NOW)
    assert (line.name, line.text, line.unit) == ("kind_blood_pressure", "138/82", "mmHg")
    assert line.pulse == "72"
    assert line.glance.mood is Mood.LOOK


def test_pressures_in_kpa_are_shown_as_measured_and_judged_as_mmhg() -> None:
    # 18.4 kPa = 138.0 mmHg
    values = {
        Kind.SYSTOLIC: stored(Kind.SYSTOLIC, 18.4, Unit.KPA),
        Kind.DIASTOLIC: stored(Kind.DIASTOLIC, 10.9, Unit.KPA),
    }
    (line,) = shown(values, targets={}, now=NOW)
    assert (line.text, line.unit) == ("18.4/10.9", "kPa")
    assert line.glance.word == "glance_high"


def test_a_diastolic_of_another_reading_is_not_put_beside_the_systolic() -> None:
    values = cuff(138, 82)
    values[Kind.DIASTOLIC] = stored(Kind.DIASTOLIC, 70, Unit.MMHG, sequence=6)
    (line,) = shown(values, targets={}, now=NOW)
    assert line.text == "138/–"
    assert line.glance.word == "glance_kept"


def test_glucose_keeps_its_unit_decimals_and_meal() -> None:
    values = {
        Kind.GLUCOSE: stored(Kind.GLUCOSE, 6.0, Unit.MMOL_PER_L, meal=Meal.FASTING),
    }
    (line,) = shown(values, targets={}, now=NOW)
    assert (line.text, line.unit, line.meal) == ("6.0", "mmol/L", Meal.FASTING)


def test_a_corrected_value_says_what_it_was() -> None:
    values = cuff(138, 82)
    systolic = values[Kind.SYSTOLIC]
    corrected = {
        name_of(systolic): [said(158, Unit.MMHG), said(148, Unit.MMHG)],
        name_of(stored(Kind.GLUCOSE, 5.6, Unit.MMOL_PER_L)): [said(101, Unit.MG_PER_DL)],
    }
    values[Kind.GLUCOSE] = stored(Kind.GLUCOSE, 5.6, Unit.MMOL_PER_L)
    pressure, sugar = shown(values, targets={}, now=NOW, corrected=corrected)
    assert (pressure.text, pressure.was) == ("138/82", ("148/82", "mmHg"))
    assert (sugar.text, sugar.was) == ("5.6", ("101", "mg/dL"))


def test_a_correction_of_the_meal_alone_leaves_the_value_as_it_was() -> None:
    sugar = stored(Kind.GLUCOSE, 5.6, Unit.MMOL_PER_L, meal=Meal.BEDTIME)
    corrected = {name_of(sugar): [said(5.6, Unit.MMOL_PER_L)]}
    (line,) = shown({Kind.GLUCOSE: sugar}, targets={}, now=NOW, corrected=corrected)
    assert line.was is None


def said(value: float, unit: Unit) -> Revision:
    return Revision(value=value, unit=unit, meal=None, flags=(), replaced_at=NOW)


def test_an_old_value_is_never_green() -> None:
    (line,) = shown(cuff(120, 75, taken_at=ago(days=3)), targets={}, now=NOW)
    assert line.glance.word == "glance_old"
    assert line.glance.mood is Mood.NONE


def test_a_value_that_the_device_doubts_says_so_and_has_no_colour() -> None:
    (line,) = shown(cuff(160, 95, flags=(Flag.CUFF_LOOSE,)), targets={}, now=NOW)
    assert line.glance.word == "glance_doubted"
    assert line.remarks == ("flag_cuff_loose",)


def test_an_irregular_pulse_is_remarked_without_spoiling_the_value() -> None:
    (line,) = shown(cuff(160, 95, flags=(Flag.IRREGULAR_PULSE,)), targets={}, now=NOW)
    assert line.glance.word == "glance_high"
    assert line.remarks == ("flag_irregular_pulse",)


def test_an_unsure_clock_is_said() -> None:
    (line,) = shown(cuff(120, 75, clock=Clock.UNSURE), targets={}, now=NOW)
    assert line.glance.word == "glance_doubted"
    assert line.remarks == ("clock_unsure",)


def test_oxygen_is_shown_with_the_pulse_of_the_same_reading_and_its_doubts() -> None:
    doubts = (Flag.EARLY_ESTIMATE, Flag.LOW_PERFUSION)
    values = {
        Kind.SPO2: stored(Kind.SPO2, 97, Unit.PERCENT, flags=doubts),
        Kind.PULSE: stored(Kind.PULSE, 68, Unit.PER_MINUTE),
    }
    (line,) = shown(values, targets={}, now=NOW)
    assert (line.name, line.text, line.unit, line.pulse) == ("kind_spo2", "97", "%", "68")
    assert line.glance.word == "glance_doubted"
    assert line.remarks == ("flag_early_estimate", "flag_low_perfusion")


def test_a_pulse_of_another_reading_is_not_put_beside_the_oxygen() -> None:
    values = {
        Kind.SPO2: stored(Kind.SPO2, 97, Unit.PERCENT),
        Kind.PULSE: stored(Kind.PULSE, 68, Unit.PER_MINUTE, sequence=6),
    }
    (line,) = shown(values, targets={}, now=NOW)
    assert line.pulse is None


def test_a_cold_finger_is_remarked_without_spoiling_the_value() -> None:
    values = {Kind.SPO2: stored(Kind.SPO2, 91, Unit.PERCENT, flags=(Flag.LOW_PERFUSION,))}
    (line,) = shown(values, targets={}, now=NOW)
    assert line.glance.word == "glance_kept"


def test_weight_body_fat_and_temperature_are_shown_as_measured() -> None:
    values = {
        Kind.BODY_TEMPERATURE: stored(Kind.BODY_TEMPERATURE, 98.6, Unit.FAHRENHEIT),
        Kind.BODY_FAT: stored(Kind.BODY_FAT, 22.1, Unit.PERCENT),
        Kind.WEIGHT: stored(Kind.WEIGHT, 70.3, Unit.KG),
    }
    assert [(line.name, line.text, line.unit) for line in shown(values, targets={}, now=NOW)] == [
        ("kind_weight", "70.3", "kg"),
        ("kind_body_fat", "22.1", "%"),
        ("kind_body_temperature", "98.6", "°F"),
    ]


def test_blood_pressure_and_glucose_come_first_and_the_newest_dates_the_page() -> None:
    values = {
        Kind.WEIGHT: stored(Kind.WEIGHT, 61.5, Unit.KG, taken_at=ago(hours=2)),
        Kind.GLUCOSE: stored(Kind.GLUCOSE, 6.0, Unit.MMOL_PER_L),
        **cuff(120, 75),
    }
    lines = shown(values, targets={}, now=NOW)
    assert [line.name for line in lines] == ["kind_blood_pressure", "kind_glucose", "kind_weight"]
    assert newest(lines) == ago(hours=2)
    assert newest([]) is None
