"""The small chart: gaps stay gaps, units are not mixed, the scale holds every value."""

from datetime import date, timedelta

from page_builders import NOW

from api.view.chart import HEIGHT, WIDTH, Chart, glucose_chart, pressure_chart
from store.pages import Day
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit

TODAY = date(2026, 11, 22)


def day(kind: Kind, unit: Unit, days_ago: int, *values: float) -> Day:
    return Day(
        patient_id=1,
        kind=VITALS[kind].code,
        unit=UNIT_CODE[unit],
        local_day=TODAY - timedelta(days=days_ago),
        n=len(values),
        sum=sum(values),
        min=min(values),
        max=max(values),
        last_at=NOW,
    )


def pressures(*days_ago: int) -> list[Day]:
    return [
        day(kind, Unit.MMHG, each, value, value + 4)
        for each in days_ago
        for kind, value in ((Kind.SYSTOLIC, 136), (Kind.DIASTOLIC, 82))
    ]


def pressure(*days_ago: int) -> Chart:
    chart = pressure_chart(pressures(*days_ago), last_day=TODAY)
    assert chart is not None
    return chart


def test_nothing_measured_gives_no_chart() -> None:
    assert pressure_chart([], last_day=TODAY) is None
    assert glucose_chart(pressures(1), last_day=TODAY) is None


def test_the_last_column_is_today_and_there_are_seven() -> None:
    columns = pressure(0, 1).columns
    assert [each.day for each in columns] == [TODAY - timedelta(days=n) for n in range(6, -1, -1)]
    assert columns[-1].text == "138/84"
    assert columns[0].text == ""


def test_a_missing_day_breaks_the_line_and_is_never_bridged() -> None:
    systolic, diastolic = pressure(0, 1, 3, 4, 5).series
    assert [len(run) for run in systolic] == [3, 2]
    assert [len(run) for run in diastolic] == [3, 2]


def test_it_counts_readings() -> None:
    # each pressure day holds two readings
    assert pressure(0, 1, 3).n == 6


def test_every_dot_lies_inside_even_far_outside_the_usual_scale() -> None:
    rows = [
        day(Kind.SYSTOLIC, Unit.MMHG, 0, 232),
        day(Kind.DIASTOLIC, Unit.MMHG, 0, 38),
        day(Kind.GLUCOSE, Unit.MMOL_PER_L, 0, 1.1, 29.4),
    ]
    for chart in (pressure_chart(rows, last_day=TODAY), glucose_chart(rows, last_day=TODAY)):
        assert chart is not None
        dots = [dot for runs in chart.series for run in runs for dot in run]
        assert dots
        for dot in dots:
            assert 0 < dot.x < WIDTH
            for y in (dot.y, dot.low_y, dot.high_y):
                assert y is None or 0 < y < HEIGHT


def test_higher_values_stand_higher() -> None:
    rows = [day(Kind.GLUCOSE, Unit.MMOL_PER_L, 1, 5.0), day(Kind.GLUCOSE, Unit.MMOL_PER_L, 0, 9.0)]
    chart = glucose_chart(rows, last_day=TODAY)
    assert chart is not None
    ((first, second),) = chart.series[0]
    assert second.y < first.y


def test_two_meters_in_two_units_are_drawn_in_the_one_used_most() -> None:
    rows = [
        day(Kind.GLUCOSE, Unit.MMOL_PER_L, 1, 5.0, 6.0, 7.0),
        day(Kind.GLUCOSE, Unit.MMOL_PER_L, 0, 6.0),
        # 108 mg/dL = 6.0 mmol/L
        day(Kind.GLUCOSE, Unit.MG_PER_DL, 0, 108),
    ]
    chart = glucose_chart(rows, last_day=TODAY)
    assert chart is not None
    assert chart.unit == "mmol/L"
    assert chart.columns[-1].text == "6.0–6.0"
    assert chart.columns[-2].text == "5.0–7.0"


def test_kpa_days_are_drawn_in_mmhg() -> None:
    rows = [day(Kind.SYSTOLIC, Unit.KPA, 0, 18.0), day(Kind.DIASTOLIC, Unit.KPA, 0, 11.0)]
    chart = pressure_chart(rows, last_day=TODAY)
    assert chart is not None
    # 18.0 kPa = 135.0 mmHg, 11.0 kPa = 82.5 mmHg
    assert chart.columns[-1].text in ("135/82", "135/83")
