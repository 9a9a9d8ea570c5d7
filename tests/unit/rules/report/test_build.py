"""Renderings: canonical JSON that reads back, HTML that stands alone or inside a strict page."""

import json
import xml.dom.minidom
from html.parser import HTMLParser

import pytest
from report_builders import four_weeks, week

from rules.history import Patient
from rules.report.build import build, from_json, page_html, sections_html, stylesheet, to_json
from rules.report.chart import apart, svg
from rules.report.shape import Figure
from vitals.errors import MendData


class Tags(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_report_reads_back_from_its_json_byte_for_byte() -> None:
    report = build(week(*four_weeks()))
    content = to_json(report)
    assert to_json(from_json(content)) == content
    assert page_html(from_json(content), "zh-CN") == page_html(report, "zh-CN")


def test_the_same_week_is_the_same_bytes() -> None:
    assert to_json(build(week(*four_weeks()))) == to_json(build(week(*four_weeks())))


def test_what_is_not_a_number_is_null() -> None:
    numbers = json.loads(to_json(build(week("07:00 bp 130/80"))))["numbers"]
    assert numbers["pressure"]["whole"]["systolic"]["sd"] is None
    assert numbers["glucose"] is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"v": 99}', b'{"v": 1, "week": "2026-W47"}']
)
def test_what_is_no_report_is_refused(content: bytes) -> None:
    with pytest.raises(MendData):
        from_json(content)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_page_needs_nothing_but_itself(locale: str) -> None:
    page = Tags(page_html(build(week(*four_weeks())), locale))
    assert page.open == []
    for tag, attributes in page.found:
        assert tag not in {"script", "link", "img", "iframe"}
        assert not {"src", "href", "style", "onclick"} & attributes.keys(), (tag, attributes)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_fragment_brings_no_style_and_no_ids(locale: str) -> None:
    fragment = Tags(sections_html(build(week(*four_weeks())), locale))
    assert fragment.open == []
    assert "style" not in {tag for tag, _ in fragment.found}
    assert not any({"style", "id"} & attributes.keys() for _, attributes in fragment.found)


def test_every_class_has_its_look() -> None:
    used = {
        name
        for tag, attributes in Tags(page_html(build(week(*four_weeks())), "en")).found
        for name in (attributes.get("class") or "").split()
    }
    styled = {name for name in used if f".{name}" in stylesheet()}
    # sections and tones that look like the rest
    plain = {name for name in used - styled if name.startswith("report-")}
    assert plain <= {
        "report-head", "report-actions", "report-pressure", "report-glucose", "report-missing",
        "report-measuring", "report-alerts", "report-plain", "report-severity-1",
        "report-severity-2",
    }, plain  # fmt: skip


def test_a_name_cannot_smuggle_markup_in() -> None:
    patient = Patient(id=1, name="<script>alert(1)</script>", conditions=("<b>",))
    text = page_html(build(week(*four_weeks(), patient=patient)), "zh-CN")
    assert "<script" not in text
    assert "<b>" not in text


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_chart_is_sound_xml_with_a_title_and_no_colour_of_its_own(locale: str) -> None:
    for section in build(week(*four_weeks())).sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                drawn = xml.dom.minidom.parseString(svg(block.chart, locale))
                assert drawn.documentElement.getAttribute("aria-label").startswith(
                    block.chart.title.to(locale)
                )
                colours = {
                    value
                    for node in drawn.getElementsByTagName("*")
                    for name in ("fill", "stroke")
                    if (value := node.getAttribute(name)) not in ("", "none")
                }
                assert all(len({*colour[1:3]}) == 1 or colour[1] == colour[3] for colour in colours)


def test_a_chart_of_equal_values_can_be_drawn() -> None:
    for section in build(week("07:00 bp 135/85")).sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                assert "nan" not in svg(block.chart, "en").lower()


def test_labels_do_not_lie_on_each_other() -> None:
    assert apart([100, 101, 102]) == [100, 114, 128]
    assert apart([10, 100]) == [10, 100]
