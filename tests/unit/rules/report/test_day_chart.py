"""The bar and the profile as SVG: well formed, without style, readable without colour."""

import json
import re
import xml.dom.minidom
from itertools import pairwise

import pytest
from report_builders import four_weeks, sensor_points, sensor_week_of, week

from rules.report.build import build, from_json, page_html, sections_html, to_json
from rules.report.day_chart import draw
from rules.report.shape import Bar, DayProfile, Figure, Limit, Place, Share
from rules.words import same
from vitals.errors import MendData


def bar(*percents: float) -> Bar:
    shares = tuple(Share(name=same(f"band{n}"), percent=each) for n, each in enumerate(percents))
    return Bar(title=same("bar"), unit="%", shares=shares)


def profile(*minutes: int, is_enough: bool = True) -> DayProfile:
    places = tuple(
        Place(minute=each, percentiles=(4, 5, 6, 8, 11), is_enough=is_enough) for each in minutes
    )
    return DayProfile(
        title=same("AGP"),
        unit="mmol/L",
        step_min=15,
        places=places,
        limits=(Limit(value=3.9, name=same("3.9")), Limit(value=10, name=same("10.0"))),
    )


def texts(drawing: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", drawing)


CHARTS = [
    bar(0.5, 0.5, 76, 20, 3),
    bar(0, 0, 100, 0, 0),
    bar(100, 0, 0, 0, 0),
    bar(0, 0, 0, 0, 100),
    profile(*range(0, 1440, 15)),
    profile(0),
    profile(*range(0, 300, 15), *range(600, 900, 15)),
]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_drawing_is_well_formed_and_carries_no_style_ids_or_script(
    chart: Bar | DayProfile,
) -> None:
    drawing = draw(chart, "zh-CN")
    xml.dom.minidom.parseString(drawing)
    for forbidden in ("style=", " id=", "class=", "<script", "nan", "inf"):
        assert forbidden not in drawing.replace("infinite", "")
    assert "<title>" in drawing


@pytest.mark.parametrize("chart", CHARTS[:4])
def test_every_band_is_named_with_its_number_even_where_it_is_empty(chart: Bar) -> None:
    said = texts(draw(chart, "en"))
    assert [each for each in said if each.startswith("band")] == [f"band{n}" for n in range(5)]
    assert [each for each in said if each.endswith(" %")] == [
        f"{each.percent:.1f} %" for each in chart.shares
    ]


@pytest.mark.parametrize("chart", CHARTS[:4])
def test_names_never_lie_over_each_other(chart: Bar) -> None:
    places = [
        float(x)
        for x, said in re.findall(r'<text x="([\d.]+)"[^>]*>([^<]*)</text>', draw(chart, "en"))
        if said.startswith("band")
    ]
    assert len(places) == 5
    assert all(after - before >= 100 for before, after in pairwise(places))
    assert min(places) >= 50
    assert max(places) <= 670


def test_a_stretch_without_data_is_not_drawn_across() -> None:
    drawing = draw(profile(*range(0, 300, 15), *range(600, 900, 15)), "en")
    assert drawing.count("<polyline") == 2
    assert drawing.count("<polygon") == 4


def test_a_profile_of_few_days_has_no_areas_and_a_dotted_line() -> None:
    drawing = draw(profile(*range(0, 1440, 15), is_enough=False), "en")
    assert "<polygon" not in drawing
    assert 'stroke-dasharray="2 3"' in drawing


def test_a_report_with_a_sensor_reads_back_from_its_json_byte_for_byte() -> None:
    report = build(sensor_week_of(sensor_points()))
    content = to_json(report)
    assert to_json(from_json(content)) == content
    assert page_html(from_json(content), "zh-CN") == page_html(report, "zh-CN")
    page = sections_html(report, "en")
    assert page.count("<svg") == 2
    # a phone shows half of a bar: its numbers stand open, those of the profile are folded
    assert page.count('<details class="report-data" open>') == 1
    assert page.count("<details") == 2
    kinds = {
        type(block.chart)
        for section in from_json(content).sections
        for block in section.blocks
        if isinstance(block, Figure)
    }
    assert kinds == {Bar, DayProfile}


def test_a_chart_of_a_later_server_is_refused_with_what_to_do() -> None:
    content = to_json(build(sensor_week_of(sensor_points())))
    with pytest.raises(MendData, match="update this server"):
        from_json(content.replace(b'"is":"bar"', b'"is":"pie"'))


def test_a_chart_over_days_stands_in_json_as_it_did_in_reports_that_are_signed() -> None:
    content = json.loads(to_json(build(week(*four_weeks()))))
    charts = [
        block["chart"]
        for section in content["sections"]
        for block in section["blocks"]
        if block["is"] == "figure"
    ]
    assert content["v"] == 1
    assert len(charts) == 2
    for chart in charts:
        assert set(chart) == {
            "title", "unit", "first_day", "days", "week_from", "series", "limits", "band",
        }  # fmt: skip
