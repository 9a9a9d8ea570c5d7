"""What a report says of a sensor: numbers with what they rest on, and nothing where too little."""

import math
from dataclasses import replace
from datetime import datetime

import pytest
from report_builders import sensor_points, sensor_week_of

from rules.report.sections import sections_of
from rules.report.shape import Bar, DayProfile, Figure, Line, Section, Table, Tone
from rules.report.week import PatientWeek
from vitals.measurement import Flag
from vitals.units import Unit


def by_key(found: PatientWeek) -> dict[str, Section]:
    return {each.key: each for each in sections_of(found)}


def sentence(section: Section, locale: str = "zh") -> str:
    return " ".join(
        each.text.to(locale).replace("\u00a0", " ")
        for each in section.blocks
        if isinstance(each, Line)
    )


def figure(section: Section) -> Figure:
    (found,) = [each for each in section.blocks if isinstance(each, Figure)]
    return found


def curve(at: datetime) -> float:
    """High for a quarter of the day, in range else; very low for twenty minutes each night."""
    if at.hour == 19 and at.minute < 20:
        return 2.8
    return 12.0 if at.hour < 6 else 7.0


def test_the_panel_has_its_numbers_in_the_sentence() -> None:
    sections = by_key(sensor_week_of(sensor_points(value=curve)))
    text = sentence(sections["sensor"])
    for said in ("TIR 74 %", "CV 28 %", "低于 3.9 的时间 1.4 %", "GMI 6.8 %", "7 次（最低 2.8）"):
        assert said in text
    assert "占最近 14 天的 100 %（数据充足）" in text
    assert "TIR 74 %（≥ 70 %）" in sentence(sections["conclusion"])
    assert "动态血糖 14 天的 100 %" in sentence(sections["header"])
    assert "TIR 74 %" in sentence(sections["sensor"], "en")


def test_the_bar_has_five_bands_that_make_a_hundred() -> None:
    shown = figure(by_key(sensor_week_of(sensor_points(value=curve)))["sensor"])
    assert isinstance(shown.chart, Bar)
    shares = [each.percent for each in shown.chart.shares]
    assert len(shares) == 5
    assert math.fsum(shares) == pytest.approx(100, abs=0.01)
    assert [row[1].zh for row in shown.table.rows] == [
        "1.4 %",
        "0.0 %",
        "73.6 %",
        "25.0 %",
        "0.0 %",
    ]


def test_the_profile_stands_on_page_two_with_its_table() -> None:
    sections = by_key(sensor_week_of(sensor_points(value=curve)))
    keys = list(sections)
    assert keys.index("profile") > keys.index("sensor")
    shown = figure(sections["profile"])
    assert isinstance(shown.chart, DayProfile)
    assert len(shown.chart.places) == 96
    # 03:00 in Shanghai is 19:00 UTC: the second of three readings was low each night
    place = shown.chart.places[12]
    assert (place.minute, place.percentiles[2], place.is_enough) == (180, 2.8, True)
    assert len(shown.table.rows) == 24
    assert [cell.zh for cell in shown.table.rows[3]] == ["03:00", *["2.8"] * 5, "14"]


def test_too_little_lists_events_and_no_time_in_range() -> None:
    sections = by_key(sensor_week_of(sensor_points(first=3, value=curve)))
    assert "profile" not in sections
    text = sentence(sections["sensor"])
    assert "不计算 TIR 和 GMI" in text
    assert "低血糖事件 4 次" in text
    tables = [each for each in sections["sensor"].blocks if isinstance(each, Table)]
    assert [len(each.rows) for each in tables] == [4]
    assert "动态血糖数据不足" in sentence(sections["conclusion"])


def test_gmi_waits_for_seventy_per_cent_of_two_weeks() -> None:
    section = by_key(sensor_week_of(sensor_points(first=9)))["sensor"]
    assert "GMI" not in sentence(section)
    rows = [row for each in section.blocks if isinstance(each, Table) for row in each.rows]
    (gmi,) = [row for row in rows if row[0].zh == "GMI"]
    assert gmi[1].zh == "未达 14 天 70 %"


@pytest.mark.parametrize(
    ("value", "tone"),
    [(7.0, Tone.GOOD), (12.0, Tone.WATCH), (3.5, Tone.WATCH), (2.9, Tone.ACT)],
)
def test_the_tone_follows_the_targets(value: float, tone: Tone) -> None:
    section = by_key(sensor_week_of(sensor_points(value=lambda at: value)))["sensor"]
    lead = section.blocks[0]
    assert isinstance(lead, Line)
    assert lead.tone is tone


def test_lo_is_a_word_and_never_a_number() -> None:
    points = tuple(
        replace(each, flags=(Flag.RESULT_TOO_LOW,)) if each.value < 3 else each
        for each in sensor_points(value=curve)
    )
    sections = by_key(sensor_week_of(points))
    assert "最低 LO" in sentence(sections["sensor"])
    shown = figure(sections["profile"])
    assert shown.table.rows[3][1].zh == "LO"
    assert isinstance(shown.chart, DayProfile)
    assert all(math.isfinite(each) for each in shown.chart.places[12].percentiles)


def test_a_sensor_in_milligrams_is_shown_to_a_chinese_reader_in_millimoles() -> None:
    points = sensor_points(value=lambda at: 126, unit=Unit.MG_PER_DL)
    chinese = by_key(sensor_week_of(points))["sensor"]
    english = by_key(sensor_week_of(points, locale="en"))["sensor"]
    assert chinese.title.zh == "血糖（动态，mmol/L）"
    assert english.title.en == "Glucose (sensor, mg/dL)"
    means = [
        row[1].zh
        for section in (chinese, english)
        for each in section.blocks
        if isinstance(each, Table)
        for row in each.rows
        if row[0].zh == "平均血糖"
    ]
    assert means == ["7.0", "126"]
