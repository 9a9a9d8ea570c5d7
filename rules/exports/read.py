"""From the bytes of a file to its readings: a known export by its header, else by named columns.

May hold: which of the two it is, and the usual names of columns. May not: metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rules.exports.layout import NIGHTSCOUT_ENTRIES, Layout, glucose_layout, pressure_layout
from rules.exports.moment import Order, zone_of
from rules.exports.rows import Rows, rows_of
from rules.exports.sheet import Cells, Sheet, lines_of, sheet_of
from vitals.errors import MendData
from vitals.kinds import Kind
from vitals.units import Unit

# headers that are understood without being named, the first that is there
_TIMES = ("time", "timestamp", "datetime", "date", "measured at")
_GLUCOSE = ("glucose", "gl", "glucose value", "value", "bg", "cgm_mgdl")
_SYSTOLIC = ("sbp", "systolic", "sys", "systolic (mmhg)", "sys(mmhg)")
_DIASTOLIC = ("dbp", "diastolic", "dia", "diastolic (mmhg)", "dia(mmhg)")
_PULSE = ("pulse", "hr", "heart_rate", "pulse (bpm)", "pulse(bpm)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a person wants a file read; None: as its header says, or by the usual names."""

    timezone: str
    time: str | None = None
    values: tuple[str | None, ...] = ()
    group: str | None = None
    unit: Unit | None = None
    order: Order | None = None

    @property
    def names_columns(self) -> bool:
        """Did the person name a column of times or values?"""
        return self.time is not None or any(each is not None for each in self.values)

    def is_met_by(self, layout: Layout) -> bool:
        """Are the columns that the person named, if any, those of the layout?"""
        named = [each for each in (self.time, *self.values) if each is not None]
        return set(named) <= {*layout.time, *layout.values}


def read_glucose(content: bytes, name: str, asked: Asked, *, strips: bool = False) -> Rows:
    """The glucose readings of a file; `strips`: finger-sticks of a file that has both.

    Raises MendData for a file, column, time, number or unit that cannot be.
    """

    def known(header: Cells) -> Layout | None:
        found = glucose_layout(header, strips=strips)
        return found if found is not None and asked.is_met_by(found) else None

    sheet = _sheet(content, name, asked, known)
    layout = known(sheet.header)
    if layout is None:
        unit = asked.unit or Unit.MG_PER_DL
        layout = _plain(sheet, asked, (_GLUCOSE,), unit)
    elif asked.unit not in (None, layout.unit):
        raise MendData(
            f"{name} is an export of {layout.name} in {layout.unit}; leave --unit out, or name "
            "the columns yourself."
        )
    return _rows(sheet, layout, asked, (Kind.GLUCOSE,))


def read_pressure(content: bytes, name: str, asked: Asked) -> Rows:
    """The cuff readings of a file: systolic, diastolic and pulse. Raises as `read_glucose`."""

    def known(header: Cells) -> Layout | None:
        found = pressure_layout(header)
        return found if found is not None and asked.is_met_by(found) else None

    sheet = _sheet(content, name, asked, known)
    layout = known(sheet.header)
    if layout is None:
        unit = asked.unit or Unit.MMHG
        layout = _plain(sheet, asked, (_SYSTOLIC, _DIASTOLIC, _PULSE), unit)
    return _rows(sheet, layout, asked, (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.PULSE))


def _rows(sheet: Sheet, layout: Layout, asked: Asked, kinds: Sequence[Kind]) -> Rows:
    zone_of(asked.timezone)
    found = rows_of(
        sheet,
        layout,
        kinds=kinds,
        timezone=asked.timezone,
        group=asked.group,
        order=asked.order,
    )
    if not found.rows:
        why = "; ".join(dict.fromkeys(each.why for each in found.not_used)) or "no row"
        raise MendData(f"{sheet.name} holds no value in {', '.join(layout.values)} ({why}).")
    return found


def _sheet(
    content: bytes, name: str, asked: Asked, known: Callable[[Cells], Layout | None]
) -> Sheet:
    if not asked.names_columns and (headerless := _nightscout_entries(content, name)) is not None:
        return headerless

    def is_header(cells: Cells) -> bool:
        return known(cells) is not None or (asked.time is not None and asked.time in cells)

    return sheet_of(content, name, is_header)


def _nightscout_entries(content: bytes, name: str) -> Sheet | None:
    """Nightscout's /api/v1/entries.csv has no header: a time as text, one in ms, the value."""
    lines, delimiter = lines_of(content, name)
    first = lines[0][1] if lines else ()
    is_entry = len(first) == len(NIGHTSCOUT_ENTRIES) and first[0][:2] == "20" and "T" in first[0]
    if not is_entry or not first[1].isdigit() or not first[2].isdigit():
        return None
    return Sheet(
        name=name,
        header=NIGHTSCOUT_ENTRIES,
        header_line=0,
        rows=tuple(lines),
        delimiter=delimiter,
    )


def _plain(sheet: Sheet, asked: Asked, usual: Sequence[Sequence[str]], unit: Unit) -> Layout:
    """The layout of a file of our own or anybody's: columns named, or of a usual name.

    Of several values the last (the pulse) may be missing.
    """
    named = (*asked.values, *[None] * len(usual))[: len(usual)]
    values = []
    for place, (name, others) in enumerate(zip(named, usual, strict=True)):
        found = name or _usual(sheet, others)
        if found is None and place == len(usual) - 1 > 0:
            continue
        values.append(found or others[0])
    layout = Layout(
        name="columns",
        time=(asked.time or _usual(sheet, _TIMES) or _TIMES[0],),
        values=tuple(values),
        unit=unit,
    )
    wanted = [*layout.time, *layout.values, *([asked.group] if asked.group else [])]
    missing = [each for each in wanted if each not in sheet.header]
    if missing:
        raise MendData(
            f"{sheet.name} has no column {', '.join(map(repr, missing))}; it has: "
            f"{', '.join(sheet.header)}."
        )
    return layout


def _usual(sheet: Sheet, names: Sequence[str]) -> str | None:
    spelled = {each.lower(): each for each in reversed(sheet.header)}
    return next((spelled[each] for each in names if each in spelled), None)
