"""What a report is made of: sections of text, tables and figures, in both languages.

Sections are the same for every rendering (HTML, JSON, later PDF): a renderer picks the language and
the look, never the content. May hold: these nouns and their JSON. May not: numbers of a week
(`week.py`), wording (`sections.py`), looks (`build.py`, `chart.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from rules.words import Said, said_of
from vitals.errors import MendData

# what stands in a cell without a value
NOTHING = Said(zh="—", en="—")
# a new number where old reports could no longer be read
VERSION = 1


class Tone(StrEnum):
    """How a text is meant; a renderer shows it by icon and weight, never by colour alone."""

    PLAIN = "plain"
    LEAD = "lead"
    GOOD = "good"
    WATCH = "watch"
    ACT = "act"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence."""

    text: Said
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under columns; the first cell of a row names it."""

    caption: Said
    columns: tuple[Said, ...]
    rows: tuple[tuple[Said, ...], ...]


class Mark(StrEnum):
    """How the points of a series are drawn: they differ without colour."""

    DOT = "dot"
    RING = "ring"
    TRIANGLE = "triangle"
    SQUARE = "square"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of a chart: (days since the first day, value). `line`: are they joined?"""

    name: Said
    mark: Mark
    line: bool
    dashed: bool
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A horizontal line that a value is compared with."""

    value: float
    name: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart over days. `week_from` is the day (since the first) on which the week begins."""

    title: Said
    unit: str
    first_day: date
    days: int
    week_from: int
    series: tuple[Series, ...]
    limits: tuple[Limit, ...]
    # a band between two values that is shaded, or None
    band: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One part of a bar, in per cent of the whole."""

    name: Said
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Shares of a whole, the first at the left: very low, low, in range, high, very high."""

    title: Said
    unit: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of a day's profile: local minute, five percentiles; `is_enough`: drawn in full."""

    minute: int
    percentiles: tuple[float, float, float, float, float]
    is_enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayProfile:
    """Percentiles (5, 25, 50, 75, 95) by time of day; where there is no place, nothing is known."""

    title: Said
    unit: str
    step_min: int
    places: tuple[Place, ...]
    limits: tuple[Limit, ...]


AnyChart = Chart | Bar | DayProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with the table behind it."""

    chart: AnyChart
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that asks for a decision: what, on which evidence, and the question to answer."""

    title: Said
    severity: int
    sentence: Said
    state: Said
    question: Said
    evidence: Table


Block = Line | Table | Figure | Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled part of the report. `key` names it for links and tests."""

    key: str
    title: Said
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One patient's week: the numbers as JSON, and the sections that show them."""

    patient_id: int
    week: str
    numbers: Mapping[str, Any]
    sections: tuple[Section, ...]


# -- to and from JSON ------------------------------------------------------------------------------


def report_document(report: Report) -> dict[str, Any]:
    """The report as it stands in JSON."""
    return {
        "v": VERSION,
        "patient_id": report.patient_id,
        "week": report.week,
        "numbers": dict(report.numbers),
        "sections": [
            {
                "key": each.key,
                "title": each.title.document(),
                "blocks": [_block_document(block) for block in each.blocks],
            }
            for each in report.sections
        ],
    }


def report_of(document: Mapping[str, Any]) -> Report:
    """The report in a JSON document. Raises MendData for a version that is not known."""
    if document.get("v") != VERSION:
        raise MendData(f"report version {document.get('v')!r} is not known: update this server.")
    return Report(
        patient_id=document["patient_id"],
        week=document["week"],
        numbers=document["numbers"],
        sections=tuple(
            Section(
                key=each["key"],
                title=said_of(each["title"]),
                blocks=tuple(_block_of(block) for block in each["blocks"]),
            )
            for each in document["sections"]
        ),
    )


def _block_document(block: Block) -> dict[str, Any]:
    if isinstance(block, Line):
        return {"is": "line", "text": block.text.document(), "tone": block.tone.value}
    if isinstance(block, Table):
        return {"is": "table", **_table_document(block)}
    if isinstance(block, Figure):
        return {
            "is": "figure",
            "chart": _chart_document(block.chart),
            "table": _table_document(block.table),
        }
    return {
        "is": "action",
        "title": block.title.document(),
        "severity": block.severity,
        "sentence": block.sentence.document(),
        "state": block.state.document(),
        "question": block.question.document(),
        "evidence": _table_document(block.evidence),
    }


def _block_of(document: Mapping[str, Any]) -> Block:
    kind = document["is"]
    if kind == "line":
        return Line(text=said_of(document["text"]), tone=Tone(document["tone"]))
    if kind == "table":
        return _table_of(document)
    if kind == "figure":
        return Figure(chart=_chart_of(document["chart"]), table=_table_of(document["table"]))
    return Action(
        title=said_of(document["title"]),
        severity=document["severity"],
        sentence=said_of(document["sentence"]),
        state=said_of(document["state"]),
        question=said_of(document["question"]),
        evidence=_table_of(document["evidence"]),
    )


def _table_document(table: Table) -> dict[str, Any]:
    return {
        "caption": table.caption.document(),
        "columns": [each.document() for each in table.columns],
        "rows": [[cell.document() for cell in row] for row in table.rows],
    }


def _table_of(document: Mapping[str, Any]) -> Table:
    return Table(
        caption=said_of(document["caption"]),
        columns=tuple(map(said_of, document["columns"])),
        rows=tuple(tuple(map(said_of, row)) for row in document["rows"]),
    )


def _chart_document(chart: AnyChart) -> dict[str, Any]:
    if isinstance(chart, Bar):
        return {
            "is": "bar",
            "title": chart.title.document(),
            "unit": chart.unit,
            "shares": [
                {"name": each.name.document(), "percent": each.percent} for each in chart.shares
            ],
        }
    if isinstance(chart, DayProfile):
        return {
            "is": "day_profile",
            "title": chart.title.document(),
            "unit": chart.unit,
            "step_min": chart.step_min,
            "places": [
                {
                    "minute": each.minute,
                    "percentiles": list(each.percentiles),
                    "is_enough": each.is_enough,
                }
                for each in chart.places
            ],
            "limits": _limits_document(chart.limits),
        }
    # without "is", as it stood in reports before there were others: those are signed
    return {
        "title": chart.title.document(),
        "unit": chart.unit,
        "first_day": chart.first_day.isoformat(),
        "days": chart.days,
        "week_from": chart.week_from,
        "series": [
            {
                "name": each.name.document(),
                "mark": each.mark.value,
                "line": each.line,
                "dashed": each.dashed,
                "points": [list(point) for point in each.points],
            }
            for each in chart.series
        ],
        "limits": _limits_document(chart.limits),
        "band": list(chart.band) if chart.band else None,
    }


def _limits_document(limits: tuple[Limit, ...]) -> list[dict[str, Any]]:
    return [{"value": each.value, "name": each.name.document()} for each in limits]


def _limits_of(documents: Sequence[Mapping[str, Any]]) -> tuple[Limit, ...]:
    return tuple(Limit(value=each["value"], name=said_of(each["name"])) for each in documents)


def _chart_of(document: Mapping[str, Any]) -> AnyChart:
    kind = document.get("is")
    if kind == "bar":
        return Bar(
            title=said_of(document["title"]),
            unit=document["unit"],
            shares=tuple(
                Share(name=said_of(each["name"]), percent=each["percent"])
                for each in document["shares"]
            ),
        )
    if kind == "day_profile":
        return _profile_of(document)
    if kind is not None:
        raise MendData(f"chart {kind!r} is not known: update this server.")
    return _days_of(document)


def _profile_of(document: Mapping[str, Any]) -> DayProfile:
    places = []
    for each in document["places"]:
        p5, p25, p50, p75, p95 = each["percentiles"]
        places.append(
            Place(
                minute=each["minute"],
                percentiles=(p5, p25, p50, p75, p95),
                is_enough=each["is_enough"],
            )
        )
    return DayProfile(
        title=said_of(document["title"]),
        unit=document["unit"],
        step_min=document["step_min"],
        places=tuple(places),
        limits=_limits_of(document["limits"]),
    )


def _days_of(document: Mapping[str, Any]) -> Chart:
    band = document["band"]
    return Chart(
        title=said_of(document["title"]),
        unit=document["unit"],
        first_day=date.fromisoformat(document["first_day"]),
        days=document["days"],
        week_from=document["week_from"],
        series=tuple(
            Series(
                name=said_of(each["name"]),
                mark=Mark(each["mark"]),
                line=each["line"],
                dashed=each["dashed"],
                points=tuple((x, y) for x, y in each["points"]),
            )
            for each in document["series"]
        ),
        limits=_limits_of(document["limits"]),
        band=(band[0], band[1]) if band else None,
    )
