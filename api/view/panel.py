"""The doctor's list: one line a patient, in the order of need, with this week's numbers.

The order and its reasons are `rules/need.py`'s; the numbers are the last seven local days from the
daily rollup. May hold: rows into lines. May not: an order of its own, SQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.moment import local_day
from api.view.glance import Mood
from rules.metrics.glucose_band import HIGH, LOW
from rules.need import GROUP_TEXT, AlertBrief, Group, PatientNeed, Ranked, order
from rules.words import said_of, value_text
from store.pages import AlertRow, Cut, PanelRow, WeekNumbers
from vitals.kinds import KIND_OF_CODE, Kind
from vitals.units import UNIT_OF_CODE, UNIT_TEXT, Unit, convert

KINDS = (Kind.SYSTOLIC, Kind.DIASTOLIC, Kind.GLUCOSE)
# days with a value outside 3.9-10.0 mmol/L, 70-180 mg/dL are counted
CUTS = tuple(
    Cut(kind=Kind.GLUCOSE, unit=unit, low=LOW.in_unit(unit), high=HIGH.in_unit(unit))
    for unit in (Unit.MMOL_PER_L, Unit.MG_PER_DL)
)

# nothing measured in all the days that the list shows: nobody can call that quiet
KNOWN_WITHIN = timedelta(days=7)

_MOOD = {
    Group.CALL_NOW: Mood.CALL,
    Group.LOOK_TODAY: Mood.LOOK,
    Group.LOOK_THIS_WEEK: Mood.LOOK,
    Group.SILENT: Mood.NONE,
    Group.DECIDE: Mood.NONE,
    Group.SIGN: Mood.NONE,
    Group.QUIET: Mood.WELL,
}
_ICON = {
    Group.CALL_NOW: "call",
    Group.LOOK_TODAY: "look",
    Group.LOOK_THIS_WEEK: "look",
    Group.SILENT: "none",
    Group.DECIDE: "bell",
    Group.SIGN: "signed",
    Group.QUIET: "well",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Mean of the week in mmHg, of how many readings; `change` against the seven days before."""

    text: str
    n: int
    change: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glucose:
    """Lowest to highest of the week in one unit; days with a low and with a high."""

    text: str
    unit: str
    n: int
    low_days: int
    high_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelLine:
    """One patient in the list. `is_unsigned`: the report of the last whole week waits."""

    id: int
    name: str
    sex: str | None
    age: int | None
    conditions: tuple[str, ...]
    zone: ZoneInfo
    group: Group
    mood: Mood
    reason: str
    pressure: Pressure | None
    glucose: Glucose | None
    last_at: datetime | None
    open_alerts: int
    proposals: int
    due_week: str
    is_unsigned: bool
    signed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A group of the list with its title."""

    group: Group
    title: str
    mood: Mood
    icon: str
    lines: tuple[PanelLine, ...]


def sections_of(
    rows: Sequence[PanelRow],
    *,
    numbers: Sequence[WeekNumbers],
    alerts: Sequence[AlertRow],
    locale: str,
    now: datetime,
) -> list[Section]:
    """The list in the order of need; groups that nobody is in are left out."""
    by_id = {row.id: row for row in rows}
    weeks = _by_patient(numbers)
    warned = _alerts_by_patient(alerts)
    ranked = order(_need(row, warned.get(row.id, [])) for row in rows)
    found: dict[Group, list[PanelLine]] = {}
    for place in ranked:
        row = by_id[place.patient_id]
        each = _never_quiet_on_old_data(place, row, now)
        line = _line(
            row,
            each,
            week=weeks.get(row.id, []),
            alerts=warned.get(row.id, []),
            locale=locale,
            now=now,
        )
        found.setdefault(each.group, []).append(line)
    return [
        Section(
            group=group,
            title=GROUP_TEXT[group].to(locale),
            mood=_MOOD[group],
            icon=_ICON[group],
            lines=tuple(lines),
        )
        for group, lines in sorted(found.items())
    ]


def age_of(born_on: date | None, today: date) -> int | None:
    """Whole years, None where the birthday is not known."""
    if born_on is None:
        return None
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (0 if had_birthday else 1)


def _never_quiet_on_old_data(ranked: Ranked, row: PanelRow, now: datetime) -> Ranked:
    """Nobody is quiet of whom nothing was measured in a week."""
    is_known = row.last_at is not None and now - row.last_at <= KNOWN_WITHIN
    if ranked.group is not Group.QUIET or is_known:
        return ranked
    return replace(ranked, group=Group.SILENT, reason=GROUP_TEXT[Group.SILENT])


def _need(row: PanelRow, alerts: Sequence[AlertRow]) -> PatientNeed:
    return PatientNeed(
        patient_id=row.id,
        alerts=tuple(_brief(each) for each in alerts),
        proposals=row.proposals,
        report_unsigned=_is_unsigned(row),
        last_reviewed_at=row.reviewed_at,
        last_reading_at=row.last_at,
    )


def _is_unsigned(row: PanelRow) -> bool:
    return row.signed_at is None and row.due_readings


def _brief(row: AlertRow) -> AlertBrief:
    return AlertBrief(
        rule=row.rule,
        severity=row.severity,
        state=row.state,
        title=said_of(row.body["title"]),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _line(
    row: PanelRow,
    ranked: Ranked,
    *,
    week: Sequence[WeekNumbers],
    alerts: Sequence[AlertRow],
    locale: str,
    now: datetime,
) -> PanelLine:
    zone = ZoneInfo(row.timezone)
    return PanelLine(
        id=row.id,
        name=row.name,
        sex=row.sex,
        age=age_of(row.born_on, local_day(now, zone)),
        conditions=tuple(row.conditions),
        zone=zone,
        group=ranked.group,
        mood=_MOOD[ranked.group],
        reason=ranked.reason.to(locale),
        pressure=_pressure(week),
        glucose=_glucose(week),
        last_at=row.last_at,
        open_alerts=sum(each.state == "open" and each.severity > 0 for each in alerts),
        proposals=row.proposals,
        due_week=row.due_week,
        is_unsigned=_is_unsigned(row),
        signed_at=row.signed_at,
    )


def _pressure(week: Sequence[WeekNumbers]) -> Pressure | None:
    systolic, n = _mean_mmhg(week, Kind.SYSTOLIC)
    diastolic, _ = _mean_mmhg(week, Kind.DIASTOLIC)
    if systolic is None:
        return None
    before, _ = _mean_mmhg(week, Kind.SYSTOLIC, before=True)
    return Pressure(
        text=f"{systolic:.0f}/{diastolic:.0f}" if diastolic is not None else f"{systolic:.0f}/–",
        n=n,
        change=round(systolic - before) if before is not None else None,
    )


def _mean_mmhg(
    week: Sequence[WeekNumbers], kind: Kind, *, before: bool = False
) -> tuple[float | None, int]:
    """Mean over the readings of a week in mmHg, and how many there were."""
    total, n = 0.0, 0
    for each in week:
        if KIND_OF_CODE[each.kind] is kind:
            here, count = (each.sum_before, each.n_before) if before else (each.sum, each.n)
            total += convert(here, UNIT_OF_CODE[each.unit], Unit.MMHG)
            n += count
    return (total / n if n else None), n


def _glucose(week: Sequence[WeekNumbers]) -> Glucose | None:
    rows = [each for each in week if KIND_OF_CODE[each.kind] is Kind.GLUCOSE and each.n]
    if not rows:
        return None
    # two meters in two units: the text is in the unit used most, the counts are of both
    usual = UNIT_OF_CODE[max(rows, key=lambda each: each.n).unit]
    lowest = min(_to(usual, each, each.min) for each in rows)
    highest = max(_to(usual, each, each.max) for each in rows)
    ends = [value_text(Kind.GLUCOSE, value, usual) for value in (lowest, highest)]
    return Glucose(
        text="–".join(ends) if ends[0] != ends[1] else ends[0],
        unit=UNIT_TEXT[usual],
        n=sum(each.n for each in rows),
        low_days=sum(each.low_days for each in rows),
        high_days=sum(each.high_days for each in rows),
    )


def _to(unit: Unit, row: WeekNumbers, value: float | None) -> float:
    assert value is not None  # a week with readings has a lowest and a highest
    return convert(value, UNIT_OF_CODE[row.unit], unit)


def _by_patient(numbers: Iterable[WeekNumbers]) -> Mapping[int, list[WeekNumbers]]:
    found: dict[int, list[WeekNumbers]] = {}
    for each in numbers:
        found.setdefault(each.patient_id, []).append(each)
    return found


def _alerts_by_patient(alerts: Iterable[AlertRow]) -> Mapping[int, list[AlertRow]]:
    found: dict[int, list[AlertRow]] = {}
    for each in alerts:
        found.setdefault(each.patient_id, []).append(each)
    return found
