"""A small chart of a week: one column a day, geometry only; a template draws it as inline SVG.

Blood pressure: the day's mean systolic and diastolic. Glucose: the day's lowest to highest with the
mean. A day without a reading stays empty and is marked, never bridged. Two series differ by shape
as well as colour. May hold: the places of lines and dots. May not: SVG, words, judgement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rules.metrics.blood_pressure import HOME_DIASTOLIC, HOME_SYSTOLIC
from rules.metrics.glucose_band import HIGH, LOW
from store.pages import Day
from vitals.kinds import KIND_OF_CODE, VITALS, Kind
from vitals.units import UNIT_OF_CODE, UNIT_TEXT, Unit, convert

# the drawing's own units
WIDTH, HEIGHT = 360, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 10, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A mean of a day at a place; `low_y` and `high_y` where the day's range is drawn."""

    x: float
    y: float
    text: str
    low_y: float | None = None
    high_y: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A number on the scale."""

    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One day: where it stands, and what was measured, for the table behind the chart."""

    x: float
    day: date
    text: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All of a chart. `series` are broken where a day is missing: each is a list of runs."""

    name: str
    unit: str
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    bands: tuple[tuple[float, float], ...]
    series: tuple[tuple[tuple[Dot, ...], ...], ...]

    @property
    def n(self) -> int:
        """How many readings it shows."""
        return sum(column.n for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    low: float
    high: float

    def y(self, value: float) -> float:
        inner = HEIGHT - _TOP - _BOTTOM
        return round(_TOP + inner * (self.high - value) / (self.high - self.low), 1)


def pressure_chart(rows: Sequence[Day], *, last_day: date, days: int = 7) -> Chart | None:
    """Mean systolic and diastolic of each day in mmHg; None where nothing was measured."""
    systolic = _means(rows, Kind.SYSTOLIC, Unit.MMHG)
    diastolic = _means(rows, Kind.DIASTOLIC, Unit.MMHG)
    if not systolic:
        return None
    every = [*systolic.values(), *diastolic.values()]
    axis = _axis([each.mean for each in every], low=60, high=150, step=30)
    span = _span(last_day, days)
    return Chart(
        name="kind_blood_pressure",
        unit=UNIT_TEXT[Unit.MMHG],
        columns=tuple(
            Column(
                x=x,
                day=day,
                text=_pair_text(systolic.get(day), diastolic.get(day)),
                n=systolic[day].n if day in systolic else 0,
            )
            for day, x in span
        ),
        ticks=_ticks(axis, step=30, decimals=0),
        # the home reference, one line for each of the two
        bands=tuple((axis.y(each), axis.y(each)) for each in (HOME_SYSTOLIC, HOME_DIASTOLIC)),
        series=tuple(
            _runs(means, span=span, axis=axis, decimals=0) for means in (systolic, diastolic)
        ),
    )


def glucose_chart(rows: Sequence[Day], *, last_day: date, days: int = 7) -> Chart | None:
    """Lowest, mean and highest glucose of each day, in the unit used most; None without any."""
    unit = _usual_unit(rows, Kind.GLUCOSE)
    if unit is None:
        return None
    means = _means(rows, Kind.GLUCOSE, unit)
    step, floor, ceiling = (4.0, 2.0, 14.0) if unit is Unit.MMOL_PER_L else (72.0, 36.0, 252.0)
    decimals = VITALS[Kind.GLUCOSE].scale(unit).decimals
    reach = [edge for each in means.values() for edge in (each.low, each.high)]
    axis = _axis(reach, low=floor, high=ceiling, step=step)
    span = _span(last_day, days)
    return Chart(
        name="kind_glucose",
        unit=UNIT_TEXT[unit],
        columns=tuple(
            Column(
                x=x,
                day=day,
                text=_range_text(means.get(day), decimals),
                n=means[day].n if day in means else 0,
            )
            for day, x in span
        ),
        ticks=_ticks(axis, step=step, decimals=0),
        bands=((axis.y(HIGH.in_unit(unit)), axis.y(LOW.in_unit(unit))),),
        series=(_runs(means, span=span, axis=axis, decimals=decimals, with_range=True),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mean:
    n: int
    mean: float
    low: float
    high: float


def _means(rows: Sequence[Day], kind: Kind, unit: Unit) -> dict[date, _Mean]:
    """Each day's mean, lowest and highest in one unit; a day in two units is put together."""
    parts: dict[date, list[Day]] = {}
    for row in rows:
        if KIND_OF_CODE[row.kind] is kind:
            parts.setdefault(row.local_day, []).append(row)
    return {day: _mean(found, unit) for day, found in parts.items()}


def _mean(found: Sequence[Day], unit: Unit) -> _Mean:
    def to(value: float, row: Day) -> float:
        return convert(value, UNIT_OF_CODE[row.unit], unit)

    n = sum(row.n for row in found)
    return _Mean(
        n=n,
        mean=sum(to(row.sum, row) for row in found) / n,
        low=min(to(row.min, row) for row in found),
        high=max(to(row.max, row) for row in found),
    )


def _usual_unit(rows: Sequence[Day], kind: Kind) -> Unit | None:
    counts: dict[Unit, int] = {}
    for row in rows:
        if KIND_OF_CODE[row.kind] is kind:
            unit = UNIT_OF_CODE[row.unit]
            counts[unit] = counts.get(unit, 0) + row.n
    return max(counts, key=lambda unit: counts[unit], default=None)


def _span(last_day: date, days: int) -> list[tuple[date, float]]:
    width = (WIDTH - _LEFT - _RIGHT) / days
    return [
        (last_day - timedelta(days=days - 1 - place), round(_LEFT + width * (place + 0.5), 1))
        for place in range(days)
    ]


def _axis(values: Sequence[float], *, low: float, high: float, step: float) -> _Axis:
    """A scale that holds the values, never narrower than low to high, in whole steps."""
    while values and min(values) < low:
        low -= step
    while values and max(values) > high:
        high += step
    return _Axis(low=low, high=high)


def _ticks(axis: _Axis, *, step: float, decimals: int) -> tuple[Tick, ...]:
    count = round((axis.high - axis.low) / step)
    return tuple(
        Tick(y=axis.y(axis.low + step * place), text=f"{axis.low + step * place:.{decimals}f}")
        for place in range(count + 1)
    )


def _runs(
    means: Mapping[date, _Mean],
    *,
    span: Sequence[tuple[date, float]],
    axis: _Axis,
    decimals: int,
    with_range: bool = False,
) -> tuple[tuple[Dot, ...], ...]:
    """Dots of days in a row; a missing day begins a new run."""
    runs: list[list[Dot]] = [[]]
    for day, x in span:
        found = means.get(day)
        if found is None:
            runs.append([])
            continue
        runs[-1].append(
            Dot(
                x=x,
                y=axis.y(found.mean),
                text=f"{found.mean:.{decimals}f}",
                low_y=axis.y(found.low) if with_range else None,
                high_y=axis.y(found.high) if with_range else None,
            )
        )
    return tuple(tuple(run) for run in runs if run)


def _pair_text(systolic: _Mean | None, diastolic: _Mean | None) -> str:
    if systolic is None:
        return ""
    return f"{systolic.mean:.0f}/{diastolic.mean:.0f}" if diastolic else f"{systolic.mean:.0f}/–"


def _range_text(found: _Mean | None, decimals: int) -> str:
    if found is None:
        return ""
    if found.n == 1:
        return f"{found.mean:.{decimals}f}"
    return f"{found.low:.{decimals}f}–{found.high:.{decimals}f}"
