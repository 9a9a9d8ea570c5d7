"""The report as PDF: the sections and charts of the page, set on A4 by typst in Noto Sans SC.

Everything comes from wheels, nothing from the system, so the same report is the same bytes
everywhere. The tables behind the charts, which a page folds away, stand at the end. May hold: what
the template (`templates/report.typ`) is given. May not: wording, numbers, looks.
"""

import json
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib import resources
from threading import Lock
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from rules.report.build import groups, numeric_columns
from rules.report.chart import WIDTH
from rules.report.day_chart import draw, height_of
from rules.report.shape import Bar, Block, Figure, Line, Report, Section, Table
from rules.report.week import first_day_of
from rules.words import Said

_APPENDIX = Said(zh="图表背后的数字", en="The numbers behind the charts")
_PAGE_FONT = 'font-family="Noto Sans SC"'

# millimetres: how high a chart is on paper, and how wide a bar: what the margins leave of A4
_FIGURE_MM, _PAPER_MM = 42.0, 184.0

# one typesetter for all threads: it holds the fonts
_lock = Lock()


def page_pdf(report: Report, locale: str, *, signature: str = "") -> bytes:
    """The report as a tagged PDF; the same report is the same bytes.

    `signature` says who signed it, in the reader's language; empty where nobody has.
    """
    # the day after the week, whenever it is made: a clock would make every copy another
    made = datetime.combine(first_day_of(report.week) + timedelta(days=7), time(), UTC)
    with _lock:
        found = _typesetter().compile(
            _template(),
            format="pdf",
            sys_inputs=_inputs(report, locale, signature),
            timestamp=made,
            pdf_tags=True,
        )
    assert isinstance(found, bytes)
    return found


def page_pngs(
    report: Report, locale: str, *, signature: str = "", dots_per_inch: float = 110
) -> list[bytes]:
    """The pages of the PDF as pictures, one each; the same report is the same bytes."""
    with _lock:
        found = _typesetter().compile(
            _template(),
            format="png",
            ppi=dots_per_inch,
            sys_inputs=_inputs(report, locale, signature),
        )
    pages = found if isinstance(found, list) else [found]
    return [each for each in pages if each is not None]


def _inputs(report: Report, locale: str, signature: str) -> dict[str, str]:
    shown = {**_shown(report, locale), "signature": signature}
    return {"report": json.dumps(shown, ensure_ascii=False)}


@cache
def _typesetter() -> typst.Compiler:
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(pylopdf_fonts_zh_cn.sans_path().parent)],
    )
    return typst.Compiler(font_paths=fonts)


@cache
def _template() -> bytes:
    return resources.files("rules.report").joinpath("templates", "report.typ").read_bytes()


def _shown(report: Report, locale: str) -> dict[str, Any]:
    is_english = locale.lower().startswith("en")
    figures = [
        block
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Figure)
    ]
    title = report.sections[0].title.to(locale)
    return {
        "title": title,
        "footer": title,
        "lang": "en" if is_english else "zh",
        "region": "us" if is_english else "cn",
        "sections": [_section(each, locale) for each in report.sections],
        "appendix-title": _APPENDIX.to(locale),
        "appendix": [_table(each.table, locale) for each in figures],
    }


def _section(section: Section, locale: str) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title.to(locale),
        "groups": [[_block(each, locale) for each in group] for group in groups(section)],
    }


def _block(block: Block, locale: str) -> dict[str, Any]:
    if isinstance(block, Line):
        return {"is": "line", "tone": block.tone.value, "text": block.text.to(locale)}
    if isinstance(block, Table):
        return {"is": "table", **_table(block, locale)}
    if isinstance(block, Figure):
        drawing = draw(block.chart, locale).replace('font-family="sans-serif"', _PAGE_FONT)
        return {
            "is": "figure",
            "title": block.chart.title.to(locale),
            "svg": drawing,
            "height-mm": _height_mm(block),
        }
    return {
        "is": "action",
        "badge": f"S{block.severity}",
        "severity": block.severity,
        "title": block.title.to(locale),
        "state": block.state.to(locale),
        "sentence": block.sentence.to(locale),
        "question": block.question.to(locale),
        "evidence": _table(block.evidence, locale),
    }


def _height_mm(figure: Figure) -> float:
    if isinstance(figure.chart, Bar):
        return _PAPER_MM * height_of(figure.chart) / WIDTH
    return _FIGURE_MM


def _table(table: Table, locale: str) -> dict[str, Any]:
    return {
        "caption": table.caption.to(locale),
        "columns": [each.to(locale) for each in table.columns],
        "numeric": numeric_columns(table),
        "rows": [[cell.to(locale) for cell in row] for row in table.rows],
    }
