"""What the exports of known programs look like, as a table: columns, units, kinds of rows.

Facts from public descriptions and public exports of 2016-2026; no vendor publishes a
specification, so a header is recognised by the columns that are needed and no others. May hold:
these rows and their recognition. May not: reading (`rows.py`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rules.exports.sheet import Cells
from rules.metrics.series import Beyond
from vitals.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where times and values stand. `time` cells are read as one text; `values` in fixed order.

    Values of blood pressure are systolic, diastolic and, where there is one, pulse. Of a `kinds`
    column only the kinds in `used` are readings; `why_not` says what others are. `codes` are
    numbers that a program writes in the place of LO, HI or (None) an error.
    """

    name: str
    time: tuple[str, ...]
    values: tuple[str, ...]
    unit: Unit
    kinds: str | None = None
    used: frozenset[str] = frozenset()
    why_not: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    codes: Mapping[float, Beyond | None] = field(default_factory=dict)


_GLUCOSE_UNIT = {"mg/dl": Unit.MG_PER_DL, "mmol/l": Unit.MMOL_PER_L}


def glucose_layout(header: Cells, *, strips: bool = False) -> Layout | None:
    """The layout of a known glucose export; `strips`: of its finger-sticks, where it has them."""
    found = (each(header, strips) for each in _GLUCOSE)
    return next((layout for layout in found if layout is not None), None)


def pressure_layout(header: Cells) -> Layout | None:
    """The layout of a known export of blood pressure."""
    return next((found for each in _PRESSURE if (found := each(header)) is not None), None)


# LibreView, record types: 0 automatic, 1 scan, 2 strip, 3 ketone, 4 insulin, 5 food, 6 note
_LIBRE_TYPES = {
    "0": "automatic sensor value",
    "1": "scan (between the automatic values)",
    "2": "finger-stick",
    "3": "ketone",
    "4": "insulin",
    "5": "food",
    "6": "note",
}


def _libreview(header: Cells, strips: bool) -> Layout | None:
    """LibreView: the unit is part of the column's name; local time; a title line above."""
    name = "Strip Glucose" if strips else "Historic Glucose"
    value, unit = _with_unit(header, name)
    if value is None or unit is None or not {"Device Timestamp", "Record Type"} <= set(header):
        return None
    used = "2" if strips else "0"
    return Layout(
        name="LibreView",
        time=("Device Timestamp",),
        values=(value,),
        unit=unit,
        kinds="Record Type",
        used=frozenset({used}),
        why_not={kind: word for kind, word in _LIBRE_TYPES.items() if kind != used},
    )


def _clarity(header: Cells, strips: bool) -> Layout | None:
    """Dexcom Clarity: settings stand above the readings as rows without a time; Low and High."""
    time = next((each for each in header if each.startswith("Timestamp")), None)
    value, unit = _with_unit(header, "Glucose Value")
    if time is None or value is None or unit is None or "Event Type" not in header:
        return None
    used = "Calibration" if strips else "EGV"
    settings = dict.fromkeys(
        ("FirstName", "LastName", "DateOfBirth", "Device", "Alert"), "setting, not a reading"
    )
    others = {"Calibration": "finger-stick", "EGV": "sensor value"}
    others.pop(used)
    return Layout(
        name="Dexcom Clarity",
        time=(time,),
        values=(value,),
        unit=unit,
        kinds="Event Type",
        used=frozenset({used}),
        why_not={**settings, **others},
    )


# Nightscout stores mg/dL whatever it shows. Numbers up to 12 are error codes of the sensor; 39 and
# 401 are what Dexcom's interface gives for below and above range.
_NIGHTSCOUT_CODES: dict[float, Beyond | None] = {
    **{float(code): None for code in range(13)},
    39.0: Beyond.BELOW,
    401.0: Beyond.ABOVE,
}
# the columns of /api/v1/entries.csv, which has no header
NIGHTSCOUT_ENTRIES = ("dateString", "date", "sgv", "direction", "device")


def _nightscout(header: Cells, strips: bool) -> Layout | None:
    """Nightscout's entries: `date` in milliseconds since 1970, `sgv` in mg/dL."""
    value = "mbg" if strips else "sgv"
    time = next((each for each in ("date", "dateString") if each in header), None)
    if time is None or value not in header:
        return None
    return Layout(
        name="Nightscout",
        time=(time,),
        values=(value,),
        unit=Unit.MG_PER_DL,
        kinds="type" if "type" in header else None,
        used=frozenset({value}),
        why_not={"mbg": "finger-stick", "cal": "calibration", "sgv": "sensor value"},
        codes=_NIGHTSCOUT_CODES,
    )


def _omron_report(header: Cells) -> Layout | None:
    """OMRON connect (Americas): date and time apart, "Jan 12 2025" and "08:12", "-" for nothing."""
    values = _columns(header, ("Systolic (mmHg)", "Diastolic (mmHg)", "Pulse (bpm)"))
    if values is None or not {"Date", "Time"} <= set(header):
        return None
    return Layout(name="OMRON connect", time=("Date", "Time"), values=values, unit=Unit.MMHG)


def _omron_history(header: Cells) -> Layout | None:
    """OMRON connect (elsewhere): one column of local time, the zone beside it."""
    values = _columns(header, ("SYS(mmHg)", "DIA(mmHg)", "Pulse(bpm)")) or _columns(
        header, ("SYS", "DIA", "Pulse")
    )
    if values is None or "Measurement Date" not in header:
        return None
    zone = next((each for each in ("Time Zone", "Timezone", "TimeZone") if each in header), None)
    return Layout(
        name="OMRON connect", time=("Measurement Date",), values=values, unit=Unit.MMHG, zone=zone
    )


def _with_unit(header: Cells, name: str) -> tuple[str | None, Unit | None]:
    pattern = re.compile(rf"{name}\s*\(?(mg/dL|mmol/L)\)?", re.IGNORECASE)
    for each in header:
        match = pattern.fullmatch(each)
        if match:
            return each, _GLUCOSE_UNIT[match.group(1).lower()]
    return None, None


def _columns(header: Cells, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """The header's own spelling of these names, case and spaces aside; None unless it has all."""
    spelled = {_plain(each): each for each in header}
    found = [spelled[_plain(each)] for each in names if _plain(each) in spelled]
    return tuple(found) if len(found) == len(names) else None


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text).lower()


_GLUCOSE: tuple[Callable[[Cells, bool], Layout | None], ...] = (_libreview, _clarity, _nightscout)
_PRESSURE: tuple[Callable[[Cells], Layout | None], ...] = (_omron_report, _omron_history)
