"""The PDF of a week: the words and tables of the page on A4, the same bytes each time."""

from io import BytesIO

import pytest
from pypdf import PdfReader
from report_builders import four_weeks, week

from rules.history import Patient
from rules.report.build import build
from rules.report.pdf import page_pdf
from rules.report.shape import Action, Line, Report, Table


def text_of(content: bytes) -> str:
    """All text, without the breaks of lines."""
    pages = PdfReader(BytesIO(content)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def words_of(report: Report, locale: str) -> list[str]:
    """The sentences and cells that a report shows in a language."""
    found = [section.title.to(locale) for section in report.sections]
    for block in (block for section in report.sections for block in section.blocks):
        if isinstance(block, Line):
            found.append(block.text.to(locale))
        elif isinstance(block, Action):
            found += [block.title.to(locale), block.sentence.to(locale)]
        elif isinstance(block, Table):
            found += [cell.to(locale) for row in block.rows for cell in row]
    return ["".join(each.split()) for each in found]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_sentence_and_number_of_the_page_is_on_paper(locale: str) -> None:
    report = build(week(*four_weeks()))
    text = text_of(page_pdf(report, locale))
    missing = [each for each in words_of(report, locale) if each not in text]
    assert missing == []


def test_the_same_report_is_the_same_bytes() -> None:
    first = page_pdf(build(week(*four_weeks())), "zh-CN")
    page_pdf(build(week("07:00 bp 130/80")), "en")
    assert page_pdf(build(week(*four_weeks())), "zh-CN") == first


def test_only_what_is_signed_says_so() -> None:
    report = build(week("07:00 bp 130/80"))
    assert "已签字:刘医生" in text_of(page_pdf(report, "zh-CN", signature="已签字: 刘医生"))
    assert "已签字" not in text_of(page_pdf(report, "zh-CN"))


def test_a_name_that_reads_like_typesetting_is_only_a_name() -> None:
    patient = Patient(id=1, name="#panic() *王* $x$ <a>", conditions=())
    report = build(week("07:00 bp 130/80", patient=patient))
    assert "#panic()*王*$x$<a>" in text_of(page_pdf(report, "zh-CN"))


def test_the_paper_is_a4_and_tells_its_language_and_title() -> None:
    report = build(week(*four_weeks()))
    paper = PdfReader(BytesIO(page_pdf(report, "en")))
    # points: 210 mm by 297 mm
    assert [round(float(each)) for each in paper.pages[0].mediabox] == [0, 0, 595, 842]
    assert paper.metadata is not None
    assert paper.metadata.title == report.sections[0].title.to("en")
    assert str(paper.trailer["/Root"]["/Lang"]).startswith("en")
    assert paper.trailer["/Root"]["/MarkInfo"]["/Marked"]
