"""Readings out of a sheet by its layout; every row that is none is told, with the reason.

What cannot be read (a time, a number) stops with its line: a file is mended, not guessed. What was
read and is no reading (a setting, an empty cell, a number that no device says) is counted. May
hold: this. May not: metrics.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from rules.exports.layout import Layout
from rules.exports.moment import Order, order_of, placed, read_moment, zone_of
from rules.exports.sheet import Cells, Sheet
from rules.metrics.series import Beyond
from vitals.errors import MendData
from vitals.kinds import Kind, is_plausible
from vitals.units import UNIT_TEXT, Unit

# the group of a file without a group column
ALL = "all"

# cells that stand for nothing
_EMPTY = frozenset({"", "-", "--", "—", "na", "n/a", "nan", "null", "none"})
_WORDS = {
    "lo": Beyond.BELOW,
    "low": Beyond.BELOW,
    "hi": Beyond.ABOVE,
    "high": Beyond.ABOVE,
}
# medians that no living person has: below 2 mmol/L read as mg/dL, above 40 mg/dL read as mmol/L.
# Engineering choice: such a file was given the wrong unit.
_LEAST_MG_PER_DL, _MOST_MMOL_PER_L = 36.0, 40.0

# years in which a home device may have measured: nanoseconds of 64 bits end in 2262
_FIRST_YEAR, _LAST_YEAR = 1970, 2200

NO_VALUE, NO_TIME = "no value", "no time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One reading. `values` in the layout's order, None where a cell is empty or a code."""

    line: int
    group: str
    at: datetime
    values: tuple[float | None, ...]
    beyond: Beyond = Beyond.WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUsed:
    """One row that is no reading, and why."""

    line: int
    group: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows of a file. `skipped` stand in an hour that the clock skipped in spring."""

    layout: Layout
    rows: tuple[Row, ...]
    not_used: tuple[NotUsed, ...]
    skipped: Mapping[str, int]


def rows_of(
    sheet: Sheet,
    layout: Layout,
    *,
    kinds: Sequence[Kind],
    timezone: str,
    group: str | None = None,
    order: Order | None = None,
) -> Rows:
    """The readings of a sheet, in its order, and the rows that are none.

    `kinds` are those of the layout's values. Raises MendData, with the line, for a time or a number
    that cannot be read, and for values that cannot be in the unit given.
    """
    there = _Columns.of(sheet, layout, group)
    texts = [there.time(cells) for _, cells in sheet.rows]
    order = order_of([each for each in texts if each], order)
    read: list[_Read] = []
    not_used: list[NotUsed] = []
    for line, cells in sheet.rows:
        found = _found(sheet, there, layout, (line, cells))
        if isinstance(found, str):
            not_used.append(NotUsed(line=line, group=there.group(cells), why=found))
            continue
        values, beyond = found
        read.append(
            _Read(
                line=line,
                group=there.group(cells),
                at=_time(sheet, there.time(cells), line, order),
                zone=there.zone(cells) or timezone,
                values=values,
                beyond=beyond,
            )
        )
    _check_unit(sheet.name, layout.unit, [each.values[0] for each in read])
    rows, skipped = _placed(read)
    kept = [_judged(each, kinds, layout.unit) for each in rows]
    not_used += [NotUsed(line=each.line, group=each.group, why=why) for each, _, why in kept if why]
    return Rows(
        layout=layout,
        rows=tuple(found for _, found, _ in kept if found is not None),
        not_used=tuple(sorted(not_used, key=lambda each: each.line)),
        skipped=skipped,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A row as it was read: `at` by its own clock, which stands in `zone`."""

    line: int
    group: str
    at: datetime
    zone: str
    values: tuple[float | None, ...]
    beyond: Beyond


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The places of a layout's columns in a sheet."""

    times: tuple[int, ...]
    values: tuple[int, ...]
    kind: int | None
    zone_place: int | None
    group_place: int | None

    @classmethod
    def of(cls, sheet: Sheet, layout: Layout, group: str | None) -> "_Columns":
        return cls(
            times=tuple(map(sheet.column, layout.time)),
            values=tuple(map(sheet.column, layout.values)),
            kind=sheet.column(layout.kinds) if layout.kinds else None,
            zone_place=sheet.column(layout.zone) if layout.zone else None,
            group_place=sheet.column(group) if group else None,
        )

    def time(self, cells: Cells) -> str:
        return " ".join(_cell(cells, each) for each in self.times).strip()

    def zone(self, cells: Cells) -> str:
        return "" if self.zone_place is None else _cell(cells, self.zone_place)

    def group(self, cells: Cells) -> str:
        return ALL if self.group_place is None else _cell(cells, self.group_place)


def _cell(cells: Cells, place: int) -> str:
    # rows of settings may be shorter than the header
    return cells[place] if place < len(cells) else ""


def _found(
    sheet: Sheet, there: _Columns, layout: Layout, row: tuple[int, Cells]
) -> tuple[tuple[float | None, ...], Beyond] | str:
    """The numbers and the code of a row; a text that says why where it is no reading."""
    _, cells = row
    kind = None if there.kind is None else _cell(cells, there.kind)
    if kind is not None and kind not in layout.used:
        return f"{kind or 'no kind'}: {layout.why_not.get(kind, 'not a glucose reading')}"
    found = _values(sheet, there, layout, row)
    if isinstance(found, str):
        return found
    values, beyond = found
    # a cuff that gave one pressure of two gave no reading
    is_missing = None in values[:2] and beyond is Beyond.WITHIN
    if is_missing:
        return NO_VALUE
    return found if there.time(cells) else NO_TIME


def _values(
    sheet: Sheet, there: _Columns, layout: Layout, row: tuple[int, Cells]
) -> tuple[tuple[float | None, ...], Beyond] | str:
    line, cells = row
    values: list[float | None] = []
    beyond = Beyond.WITHIN
    for header, place in zip(layout.values, there.values, strict=True):
        text = _cell(cells, place)
        code = _code(text) if len(layout.values) == 1 else None
        number = None if code is not None else _number(sheet, text, line, header)
        if number is not None and number in layout.codes:
            code = layout.codes[number]
            if code is None:
                return f"error code {number:.0f} of the sensor"
            number = None
        values.append(number)
        beyond = beyond if code is None else code
    return tuple(values), beyond


def _code(text: str) -> Beyond | None:
    if re.fullmatch(r"[<>]\s*\d+([.,]\d+)?", text):
        return Beyond.BELOW if text[0] == "<" else Beyond.ABOVE
    return _WORDS.get(text.lower())


def _number(sheet: Sheet, text: str, line: int, header: str) -> float | None:
    if text.lower() in _EMPTY:
        return None
    # 5,6 is a decimal comma where commas do not part the cells, or where the cell was quoted
    plain = text.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", text) else text
    try:
        number = float(plain)
    except ValueError:
        raise MendData(
            f"{sheet.name}:{line}: {text!r} in {header} is not a number; mend or remove the row."
        ) from None
    if number != number or number in (float("inf"), float("-inf")):
        return None
    return number


def _time(sheet: Sheet, text: str, line: int, order: Order | None) -> datetime:
    try:
        at = read_moment(text, order)
    except (ValueError, OverflowError):
        at = None
    if at is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise MendData(f"{sheet.name}:{line}: {text!r} is no time; write it like 2026-11-22 07:30.")
    return at


def _check_unit(name: str, unit: Unit, values: Sequence[float | None]) -> None:
    numbers = [each for each in values if each is not None]
    if not numbers or unit not in (Unit.MG_PER_DL, Unit.MMOL_PER_L):
        return
    middle = median(numbers)
    wrong = middle < _LEAST_MG_PER_DL if unit is Unit.MG_PER_DL else middle > _MOST_MMOL_PER_L
    if wrong:
        other = Unit.MMOL_PER_L if unit is Unit.MG_PER_DL else Unit.MG_PER_DL
        raise MendData(
            f"{name}: half of the values lie about {middle:g}; that cannot be {unit}. "
            f"Say --unit {other} if that is what they are."
        )


def _placed(read: Sequence[_Read]) -> tuple[list[Row], dict[str, int]]:
    """Rows with their moments in UTC, group by group: each group has a clock of its own."""
    groups: dict[str, list[_Read]] = {}
    for each in read:
        groups.setdefault(each.group, []).append(each)
    moments: dict[int, datetime] = {}
    skipped: dict[str, int] = {}
    for group, own in groups.items():
        utc, lost = placed([each.at for each in own], [zone_of(each.zone) for each in own])
        moments.update((each.line, at) for each, at in zip(own, utc, strict=True))
        if lost:
            skipped[group] = lost
    rows = [
        Row(
            line=each.line,
            group=each.group,
            at=moments[each.line],
            values=each.values,
            beyond=each.beyond,
        )
        for each in read
    ]
    return rows, skipped


def _judged(row: Row, kinds: Sequence[Kind], unit: Unit) -> tuple[Row, Row | None, str]:
    """The row, what of it is used, and why not all of it is (empty where all is).

    A pulse that cannot be costs no pressure: it alone is left out.
    """
    for place, (kind, value) in enumerate(zip(kinds, row.values, strict=False)):
        scale = Unit.PER_MINUTE if kind is Kind.PULSE else unit
        if value is None or is_plausible(kind, value, scale):
            continue
        why = f"no {kind} that a device could show ({value:g} {UNIT_TEXT[scale]})"
        if kind is not Kind.PULSE:
            return row, None, why
        values = (*row.values[:place], None)
        return row, replace(row, values=values), f"{why}; the pressures are used"
    systolic, diastolic = (*row.values, None)[:2]
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        return row, None, "systolic not above diastolic"
    return row, row, ""


def grouped(rows: Rows) -> Iterator[tuple[str, list[Row], list[NotUsed]]]:
    """Each group with its readings and with what was not used of it, in the file's order."""
    lines = [(each.line, each.group) for each in rows.rows]
    lines += [(each.line, each.group) for each in rows.not_used]
    readings: dict[str, list[Row]] = {group: [] for _, group in sorted(lines)}
    others: dict[str, list[NotUsed]] = {group: [] for group in readings}
    for row in rows.rows:
        readings[row.group].append(row)
    for other in rows.not_used:
        others[other.group].append(other)
    for group, found in readings.items():
        yield group, found, others[group]
