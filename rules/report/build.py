"""A report's renderings: canonical JSON (what is signed), a fragment of HTML, a page of its own.

The same sections and the same charts in each. The fragment carries no style and no ids, so that a
page may hold it under a strict policy; `stylesheet()` is its look. May hold: rendering. May not:
numbers or wording.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from rules.finding import Finding, canonical, utc_text
from rules.report.day_chart import draw as drawing
from rules.report.sections import sections_of
from rules.report.shape import (
    Action,
    Bar,
    Block,
    Figure,
    Line,
    Report,
    Section,
    Table,
    report_document,
    report_of,
)
from rules.report.week import PatientWeek
from rules.words import Said
from vitals.errors import MendData

# digits behind the point in a report's JSON: beyond any medicine, within any platform's rounding
_DIGITS = 6


def build(week: PatientWeek) -> Report:
    """The report of a week: its numbers and its sections."""
    return Report(
        patient_id=week.patient.id,
        week=week.week,
        numbers=plain(week),
        sections=sections_of(week),
    )


def to_json(report: Report) -> bytes:
    """Canonical JSON: the same report is the same bytes. This is what a doctor signs."""
    return canonical(report_document(report))


def from_json(content: bytes) -> Report:
    """The report in its JSON, as it was signed. Raises MendData for what is none."""
    try:
        return report_of(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MendData(f"not a report: {error!r}") from error


def sections_html(report: Report, locale: str) -> Markup:
    """The sections as a fragment to stand inside a page, without style and without ids."""
    return Markup(_environment().get_template("sections.html").render(_shown(report, locale)))


def page_html(report: Report, locale: str) -> str:
    """A page of its own that needs nothing else: to read, to print on A4, to keep."""
    return (
        _environment()
        .get_template("page.html")
        .render(**_shown(report, locale), style=Markup(stylesheet()), title=_title(report, locale))
    )


@cache
def stylesheet() -> str:
    """The look of the sections, for screen and paper."""
    return (resources.files("rules.report") / "templates" / "report.css").read_text("utf-8")


def plain(value: Any) -> Any:
    """A number, noun or moment as JSON knows it; what is not a number (NaN, infinite) is null."""
    if isinstance(value, Finding):
        return {"rule": value.rule, "severity": value.severity, "episode": value.episode}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value


def _shown(report: Report, locale: str) -> dict[str, Any]:
    def say(said: Said) -> str:
        return said.to(locale)

    head, *rest = report.sections
    draw: Callable[[Any], Markup] = lambda chart: Markup(drawing(chart, locale))  # noqa: E731
    return {
        "head": head,
        "sections": rest,
        "say": say,
        "draw": draw,
        "groups": groups,
        "numeric_columns": numeric_columns,
        "is_line": lambda block: isinstance(block, Line),
        "is_table": lambda block: isinstance(block, Table),
        "is_figure": lambda block: isinstance(block, Figure),
        # a bar is too wide for a phone: its numbers stand open under it
        "is_bar": lambda block: isinstance(block.chart, Bar),
        "is_action": lambda block: isinstance(block, Action),
        "lang": "en" if locale.lower().startswith("en") else "zh-CN",
    }


def numeric_columns(table: Table) -> list[bool]:
    """Which columns (never the first) hold numbers, to be set right-aligned?

    Asked once for a table: a cell that asks looks through all rows.
    """
    return [
        number > 0 and all(re.match(r"[\d—<+-]", row[number].zh) for row in table.rows)
        for number in range(len(table.columns))
    ]


def groups(section: Section) -> list[list[Block]]:
    """The blocks in order; tables that follow each other stand together."""
    found: list[list[Block]] = []
    for block in section.blocks:
        if isinstance(block, Table) and found and isinstance(found[-1][-1], Table):
            found[-1].append(block)
        else:
            found.append([block])
    return found


def _title(report: Report, locale: str) -> str:
    return report.sections[0].title.to(locale)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("rules.report", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
