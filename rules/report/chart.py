"""A chart as inline SVG, readable in black and white: marks, dashes and labels, no colour needed.

Only presentation attributes are used (a page's policy may forbid inline styles), no ids (many
charts may stand on one page) and no script. May hold: drawing. May not: numbers of its own.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import pairwise

from rules.report.shape import Chart, Mark, Series

# size of the drawing in its own units; a page scales it
WIDTH, HEIGHT = 720, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 104, 24, 30
INK, SOFT, PAPER = "#111", "#555", "#fff"
_SHADE, _BAND = "#ececec", "#f4f4f4"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where a day and a value lie."""

    days: int
    low: float
    high: float

    def x(self, day: float) -> float:
        return LEFT + day / self.days * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def svg(chart: Chart, locale: str) -> str:
    """The chart as one <svg> element, with its title for those who listen to it."""
    steps = ticks(_values(chart))
    frame = _Frame(days=chart.days, low=steps[0], high=steps[-1])
    parts = [
        *_grounds(chart, frame),
        *_axes(chart, frame, steps),
        *_limits(chart, frame, locale),
        *(part for each in chart.series for part in _series(each, frame)),
        *_legend(chart, locale),
    ]
    return framed(f"{chart.title.to(locale)} ({chart.unit})", parts)


def framed(title: str, parts: Iterable[str], *, height: int = HEIGHT) -> str:
    """The parts of a drawing as one <svg> element, with its title for those who listen to it."""
    title = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="100%" role="img" aria-label="{title}" font-size="12" '
        f'font-family="sans-serif" fill="{INK}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _values(chart: Chart) -> list[float]:
    points = [y for each in chart.series for _, y in each.points]
    return points + [each.value for each in chart.limits]


def ticks(values: Sequence[float]) -> list[float]:
    """Round numbers that take in all values, five to nine of them."""
    low, high = min(values), max(values)
    span = max(high - low, 1e-9)
    step = _step(span)
    first = math.floor(low / step - 0.25) * step
    count = math.ceil((high + step * 0.25 - first) / step)
    return [round(first + number * step, 6) for number in range(count + 1)]


def _step(span: float) -> float:
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough)


def _grounds(chart: Chart, frame: _Frame) -> Iterator[str]:
    top, bottom = TOP, HEIGHT - BOTTOM
    begin, end = frame.x(chart.week_from), frame.x(chart.days)
    yield rectangle(begin, top, end - begin, bottom - top, _SHADE)
    if chart.band:
        low, high = frame.y(chart.band[0]), frame.y(chart.band[1])
        yield rectangle(LEFT, high, begin - LEFT, low - high, _BAND)


def _axes(chart: Chart, frame: _Frame, steps: Sequence[float]) -> Iterator[str]:
    left, right = LEFT, WIDTH - RIGHT
    for tick in steps:
        y = frame.y(tick)
        yield line(left, y, right, y, stroke="#ccc", width=0.6)
        yield text(left - 6, y + 4, f"{tick:g}", anchor="end", fill=SOFT)
    yield text(left - 6, HEIGHT - 6, chart.unit, anchor="end", fill=SOFT, size=11)
    for day in range(0, chart.days + 1, 7):
        x = frame.x(day)
        yield line(x, TOP, x, HEIGHT - BOTTOM + 4, stroke="#999", width=0.6)
        if day < chart.days:
            on = chart.first_day + timedelta(days=day)
            yield text(x + 3, HEIGHT - BOTTOM + 16, f"{on.month}/{on.day}", fill=SOFT)


def _limits(chart: Chart, frame: _Frame, locale: str) -> Iterator[str]:
    right = WIDTH - RIGHT
    for each in chart.limits:
        y = frame.y(each.value)
        yield line(LEFT, y, right, y, stroke=INK, width=1.2, dash="7 4")
    order = sorted(chart.limits, key=lambda each: -each.value)
    for each, y in zip(order, apart([frame.y(limit.value) for limit in order]), strict=True):
        yield text(right + 6, y + 4, each.name.to(locale), size=11)


def _series(series: Series, frame: _Frame) -> Iterator[str]:
    places = [(frame.x(x), frame.y(y)) for x, y in series.points]
    if series.line and len(places) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dash = ' stroke-dasharray="4 3"' if series.dashed else ""
        yield (f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.4"{dash}/>')
    for x, y in places:
        yield mark(series.mark, x, y)


def mark(which: Mark, x: float, y: float) -> str:
    """One point's mark: filled dot, ring, triangle or square."""
    if which is Mark.DOT:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{INK}"/>'
    if which is Mark.RING:
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{PAPER}" stroke="{INK}" '
            'stroke-width="1.3"/>'
        )
    if which is Mark.TRIANGLE:
        corners = f"{x:.1f},{y - 4.4:.1f} {x - 4:.1f},{y + 3:.1f} {x + 4:.1f},{y + 3:.1f}"
        return f'<polygon points="{corners}" fill="{PAPER}" stroke="{INK}" stroke-width="1.3"/>'
    return (
        f'<rect x="{x - 2.8:.1f}" y="{y - 2.8:.1f}" width="5.6" height="5.6" fill="#888" '
        f'stroke="{INK}" stroke-width="0.8"/>'
    )


def _legend(chart: Chart, locale: str) -> Iterator[str]:
    x = float(LEFT)
    for each in chart.series:
        name = each.name.to(locale)
        yield mark(each.mark, x + 5, 9)
        yield text(x + 13, 13, name)
        x += 32 + sum(12 if ord(letter) > 0x2E7F else 6.6 for letter in name)


def apart(places: Sequence[float], by: float = 14.0) -> list[float]:
    """Heights at least `by` from each other, in the same order, none below the axis."""
    found = list(places)
    order = sorted(range(len(places)), key=lambda number: places[number])
    for before, after in pairwise(order):
        found[after] = max(found[after], found[before] + by)
    over = max([0.0, *(each - (HEIGHT - BOTTOM) for each in found)])
    return [each - over for each in found]


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A filled rectangle without an edge."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, stroke: str, width: float, dash: str = ""
) -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width}"{dashed}/>'
    )


def text(
    x: float, y: float, said: str, *, anchor: str = "start", fill: str = INK, size: int = 12
) -> str:
    """A short text; `x` is where it begins, ends or has its middle, by `anchor`."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" '
        f'font-size="{size}">{escape(said)}</text>'
    )
