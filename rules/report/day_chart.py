"""The charts of a sensor as inline SVG: the bar of the five bands, the profile of a day.

Readable in black and white: each band has its own pattern of lines and its number beside it. Only
presentation attributes, no ids, as in `chart.py`. The profile's curves are smoothed for the eye
(a circular weighted mean over five quarters of an hour, clinical reference §2.1); numbers are not.
May hold: drawing. May not: numbers of its own.
"""

from collections.abc import Iterator, Sequence

from rules.report.chart import (
    BOTTOM,
    HEIGHT,
    INK,
    LEFT,
    PAPER,
    RIGHT,
    SOFT,
    TOP,
    WIDTH,
    apart,
    framed,
    line,
    rectangle,
    svg,
    text,
    ticks,
)
from rules.report.shape import AnyChart, Bar, Chart, DayProfile, Place

_DAY_MIN = 1440
_WIDE, _NARROW = "#dedede", "#a6a6a6"
# the height of a bar with its names, and of the bar itself
BAR_HEIGHT, _BAR_TOP, _BAR = 74, 6, 26
# grounds of the five bands from very low to very high, and the step of their lines (0: none)
_GROUNDS = (INK, "#8a8a8a", PAPER, "#c4c4c4", "#5a5a5a")
_LINES = (0, 4, 0, 8, 5)
# a name under the bar takes at least so much
_NAME_WIDTH = 118
# weights of a place and its two neighbours on each side, for the eye only
_SMOOTH = (1, 2, 3, 2, 1)


def draw(chart: AnyChart, locale: str) -> str:
    """Any chart of a report as one <svg> element."""
    if isinstance(chart, Chart):
        return svg(chart, locale)
    title = f"{chart.title.to(locale)} ({chart.unit})"
    if isinstance(chart, Bar):
        return framed(title, _bar(chart, locale), height=BAR_HEIGHT)
    return framed(title, _profile(chart, locale))


def height_of(chart: AnyChart) -> int:
    """How high the drawing is, in its own units of which `WIDTH` make its width."""
    return BAR_HEIGHT if isinstance(chart, Bar) else HEIGHT


def _bar(chart: Bar, locale: str) -> Iterator[str]:
    x, whole = 1.0, WIDTH - 2
    places = []
    for number, share in enumerate(chart.shares):
        width = whole * share.percent / 100
        if width > 0:
            yield rectangle(x, _BAR_TOP, width, _BAR, _GROUNDS[number % len(_GROUNDS)])
            yield from _hatch(x, width, _LINES[number % len(_LINES)])
        places.append(x + width / 2)
        x += width
    yield (
        f'<rect x="1" y="{_BAR_TOP}" width="{whole}" height="{_BAR}" fill="none" '
        f'stroke="{INK}" stroke-width="1.2"/>'
    )
    half = _NAME_WIDTH / 2
    spread = _spread(places, half, WIDTH - half)
    for share, place, at in zip(chart.shares, places, spread, strict=True):
        yield line(place, _BAR_TOP + _BAR, at, _BAR_TOP + _BAR + 10, stroke=SOFT, width=0.8)
        yield text(at, _BAR_TOP + _BAR + 23, f"{share.percent:.1f} %", anchor="middle", size=13)
        yield text(at, _BAR_TOP + _BAR + 37, share.name.to(locale), anchor="middle", size=11)


def _hatch(x: float, width: float, step: int) -> Iterator[str]:
    if not step:
        return
    place = x + step / 2
    while place < x + width:
        yield line(place, _BAR_TOP, place, _BAR_TOP + _BAR, stroke=PAPER, width=1.0)
        place += step


def _spread(places: Sequence[float], low: float, high: float) -> list[float]:
    """The places at least a name apart, in order, none beyond the ends."""
    found = [max(low, min(high, each)) for each in places]
    for number in range(1, len(found)):
        found[number] = max(found[number], found[number - 1] + _NAME_WIDTH)
    for number in range(len(found) - 1, -1, -1):
        most = high if number == len(found) - 1 else found[number + 1] - _NAME_WIDTH
        found[number] = min(found[number], most)
    return found


def _profile(chart: DayProfile, locale: str) -> Iterator[str]:
    values = [each for place in chart.places for each in place.percentiles]
    steps = ticks([*values, *(each.value for each in chart.limits)])
    low, high = max(0.0, steps[0]), steps[-1]

    def at(minute: float, value: float) -> tuple[float, float]:
        x = LEFT + minute / _DAY_MIN * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return x, y

    smooth = _smoothed(chart)
    for run in _runs(smooth, chart.step_min):
        for lower, upper, fill in ((0, 4, _WIDE), (1, 3, _NARROW)) if run[0].is_enough else ():
            yield _area(
                [at(each.minute, each.percentiles[upper]) for each in run],
                [at(each.minute, each.percentiles[lower]) for each in run],
                fill,
            )
    right = WIDTH - RIGHT
    for tick in (each for each in steps if each >= low):
        y = at(0, tick)[1]
        yield line(LEFT, y, right, y, stroke="#ccc", width=0.6)
        yield text(LEFT - 6, y + 4, f"{tick:g}", anchor="end", fill=SOFT)
    yield text(LEFT - 6, HEIGHT - 6, chart.unit, anchor="end", fill=SOFT, size=11)
    for hour in range(0, 25, 3):
        x = at(hour * 60, low)[0]
        yield line(x, TOP, x, HEIGHT - BOTTOM + 4, stroke="#999", width=0.6)
        # the first stands beside its line: the unit is under it
        anchor, aside = ("middle", 0) if hour else ("start", 3)
        yield text(x + aside, HEIGHT - BOTTOM + 16, f"{hour:02d}:00", anchor=anchor, fill=SOFT)
    for run in _runs(smooth, chart.step_min):
        path = " ".join(
            f"{x:.1f},{y:.1f}" for x, y in (at(each.minute, each.percentiles[2]) for each in run)
        )
        look = (
            'stroke-width="2.6"' if run[0].is_enough else 'stroke-width="1" stroke-dasharray="2 3"'
        )
        yield f'<polyline points="{path}" fill="none" stroke="{INK}" {look}/>'
    order = sorted(chart.limits, key=lambda each: -each.value)
    heights = [at(0, each.value)[1] for each in order]
    for each, y, label in zip(order, heights, apart(heights), strict=True):
        yield line(LEFT, y, right, y, stroke=INK, width=1.2, dash="7 4")
        yield text(right + 6, label + 4, each.name.to(locale), size=11)
    yield from _legend(locale)


def _smoothed(chart: DayProfile) -> list[Place]:
    there = {each.minute: each for each in chart.places}
    found = []
    for place in chart.places:
        weighed: list[tuple[int, Place]] = []
        for weight, ago in zip(_SMOOTH, range(-2, 3), strict=True):
            beside = there.get((place.minute + ago * chart.step_min) % _DAY_MIN)
            if beside is not None and beside.is_enough == place.is_enough:
                weighed.append((weight, beside))
        total = sum(weight for weight, _ in weighed)
        p5, p25, p50, p75, p95 = (
            sum(weight * each.percentiles[level] for weight, each in weighed) / total
            for level in range(5)
        )
        found.append(
            Place(
                # the middle of what it stands for
                minute=place.minute + chart.step_min // 2,
                percentiles=(p5, p25, p50, p75, p95),
                is_enough=place.is_enough,
            )
        )
    return found


def _runs(places: Sequence[Place], step_min: int) -> Iterator[list[Place]]:
    """Places that follow each other and are drawn alike."""
    run: list[Place] = []
    for each in places:
        if run and (
            each.minute - run[-1].minute != step_min or each.is_enough != run[-1].is_enough
        ):
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _area(
    upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], fill: str
) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (*upper, *reversed(lower)))
    return f'<polygon points="{path}" fill="{fill}"/>'


def _legend(locale: str) -> Iterator[str]:
    english = locale.lower().startswith("en")
    names = ("5–95 %", "25–75 %", "median" if english else "中位数")
    yield rectangle(LEFT, 4, 18, 10, _WIDE)
    yield text(LEFT + 23, 13, names[0])
    yield rectangle(LEFT + 84, 4, 18, 10, _NARROW)
    yield text(LEFT + 107, 13, names[1])
    yield line(LEFT + 174, 9, LEFT + 192, 9, stroke=INK, width=2.6)
    yield text(LEFT + 197, 13, names[2])
