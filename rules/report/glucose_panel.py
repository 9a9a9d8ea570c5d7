"""The finger-stick panel of a report: one sentence, the slots of the day, four weeks as a chart.

May hold: how the week's glucose is told. May not: computing it (`glucose_week.py`).
"""

import math
from datetime import date, timedelta

from rules.history import Point
from rules.metrics.glucose_band import HIGH, LOW
from rules.metrics.share import Share
from rules.metrics.slot import BEFORE_MEALS, FASTING_TO, Slot, is_coded, slot_at
from rules.metrics.smbg import SlotRow, rank
from rules.report.glucose_week import GlucoseWeek, OneWeek
from rules.report.shape import (
    NOTHING,
    Chart,
    Figure,
    Limit,
    Line,
    Mark,
    Section,
    Series,
    Table,
    Tone,
)
from rules.report.week import CHART_DAYS, PatientWeek, week_of
from rules.words import Said, local, moment_text, same, unit_text, value_text
from vitals.kinds import Kind
from vitals.measurement import Flag
from vitals.units import Unit, convert

SLOT_TEXT: dict[Slot, Said] = {
    Slot.NIGHT: Said(zh="凌晨", en="Night"),
    Slot.FASTING: Said(zh="空腹/早餐前", en="Fasting"),
    Slot.AFTER_BREAKFAST: Said(zh="早餐后", en="After breakfast"),
    Slot.BEFORE_LUNCH: Said(zh="午餐前", en="Before lunch"),
    Slot.AFTER_LUNCH: Said(zh="午餐后", en="After lunch"),
    Slot.BEFORE_DINNER: Said(zh="晚餐前", en="Before dinner"),
    Slot.AFTER_DINNER: Said(zh="晚餐后", en="After dinner"),
    Slot.BEDTIME: Said(zh="睡前", en="Bedtime"),
    Slot.UNMARKED: Said(zh="未标记", en="Unmarked"),
}


def glucose(week: PatientWeek) -> Section | None:
    """The finger-stick panel; None without trusted readings."""
    found = week.glucose
    if found is None:
        return None
    unit, zone = unit_text(found.unit), week.patient.timezone
    notable = (_readings(found, zone),) if found.lows or found.very_highs else ()
    return Section(
        key="glucose",
        title=Said(zh=f"血糖（指尖，{unit}）", en=f"Glucose (finger-stick, {unit})"),
        blocks=(
            Line(text=glucose_sentence(found, zone), tone=glucose_tone(found)),
            _slots(found),
            Figure(chart=_glucose_chart(week, found), table=_points(found, zone)),
            *notable,
            _glucose_weeks(found),
        ),
    )


def glucose_sentence(found: GlucoseWeek, zone: str) -> Said:
    """Medians before and after meals, share in target, lows, in one sentence."""
    unit = unit_text(found.unit)
    parts: list[Said] = []
    for name, value in (
        (Said(zh="餐前中位数", en="median before meals"), found.before_meals),
        (Said(zh="餐后中位数", en="after meals"), found.after_meals),
    ):
        if value is not None:
            text = value_text(Kind.GLUCOSE, value, found.unit)
            parts.append(Said(zh=f"{name.zh} {text}", en=f"{name.en} {text}"))
    share = found.in_target
    parts.append(
        Said(zh=f"达标 {share.k}/{share.n} 次", en=f"{share.k} of {share.n} readings in target")
    )
    parts.append(_lows(found, zone))
    return Said(
        zh=f"血糖{'，'.join(each.zh for each in parts)}（{unit}）。",
        en=f"Glucose: {', '.join(each.en for each in parts)} ({unit}).",
    )


def glucose_brief(found: GlucoseWeek, zone: str) -> Said:
    """Share in target and lows, as part of a sentence."""
    share, lows = found.in_target, _lows(found, zone)
    return Said(
        zh=f"血糖达标 {share.k}/{share.n}，{lows.zh}",
        en=f"glucose in target {share.k}/{share.n}, {lows.en}",
    )


def glucose_tone(found: GlucoseWeek) -> Tone:
    """To act on with a level 2 low; to watch with a low or a median beyond its target."""
    if found.very_lows:
        return Tone.ACT
    above = (
        found.before_meals is not None and found.before_meals > FASTING_TO.in_unit(found.unit)
    ) or (found.after_meals is not None and found.after_meals >= HIGH.in_unit(found.unit))
    return Tone.WATCH if found.lows or above or found.very_highs else Tone.GOOD


def _lows(found: GlucoseWeek, zone: str) -> Said:
    if not found.lows:
        return Said(zh="无低血糖", en="no lows")
    worst = min(found.lows, key=rank)
    when = moment_text(worst.at, zone)
    value = _number(worst)
    if worst.unit is not found.unit:
        value = f"{value} {unit_text(worst.unit)}"
    return Said(
        zh=f"低血糖 {len(found.lows)} 次（最低 {value}，{when.zh}）",
        en=f"{len(found.lows)} low(s) (lowest {value}, {when.en})",
    )


def _slots(found: GlucoseWeek) -> Table:
    return Table(
        caption=Said(
            zh="各时段（餐前目标 4.4–7.0，其余 3.9–<10.0 mmol/L）",
            en="By slot (target 4.4-7.0 before meals, else 3.9 to below 10.0 mmol/L)",
        ),
        columns=(
            Said(zh="时段", en="Slot"),
            Said(zh="次数", en="n"),
            Said(zh="中位数", en="Median"),
            Said(zh="均值", en="Mean"),
            Said(zh="最低–最高", en="Min-max"),
            Said(zh="达标（95%区间）", en="In target (95% CI)"),
            Said(zh="低/很高", en="Low / very high"),
        ),
        rows=tuple(_slot(each, found.unit) for each in found.slots),
    )


def _slot(row: SlotRow, unit: Unit) -> tuple[Said, ...]:
    def text(value: float) -> str:
        # all of the slot's readings were LO or HI: there is no number to show
        return "—" if math.isnan(value) else value_text(Kind.GLUCOSE, value, unit)

    return (
        SLOT_TEXT[row.slot],
        same(str(row.n)),
        same(text(row.median)),
        same(text(row.mean)),
        same(f"{text(row.min)}–{text(row.max)}"),
        same(_share(row.in_target)),
        same(f"{row.lows} / {row.very_highs}"),
    )


def _share(share: Share) -> str:
    return f"{share.k}/{share.n} ({100 * share.low:.0f}–{100 * share.high:.0f} %)"


def _readings(found: GlucoseWeek, zone: str) -> Table:
    shown = sorted({*found.lows, *found.very_highs}, key=lambda each: each.at)
    return Table(
        caption=Said(
            zh="低于 3.9 与高于 13.9 mmol/L 的读数",
            en="Readings below 3.9 and above 13.9 mmol/L",
        ),
        columns=(
            Said(zh="时间", en="Time"),
            Said(zh="时段", en="Slot"),
            Said(zh="数值", en="Value"),
        ),
        rows=tuple(
            (moment_text(each.at, zone), SLOT_TEXT[slot_at(each, zone)], _value(each))
            for each in shown[-10:]
        ),
    )


def _value(point: Point) -> Said:
    return same(f"{_number(point)} {unit_text(point.unit)}")


def _number(point: Point) -> str:
    """The value as the meter showed it: LO and HI are no numbers."""
    if is_coded(point):
        return "LO" if Flag.RESULT_TOO_LOW in point.flags else "HI"
    return value_text(point.kind, point.value, point.unit)


def _glucose_weeks(found: GlucoseWeek) -> Table:
    return Table(
        caption=Said(zh="与前四周比较", en="Against the four weeks before"),
        columns=(
            Said(zh="周", en="Week"),
            Said(zh="次数", en="n"),
            Said(zh="餐前中位数", en="Before meals"),
            Said(zh="餐后中位数", en="After meals"),
            Said(zh="低血糖", en="Lows"),
        ),
        rows=tuple(_glucose_week(each, found.unit) for each in found.weeks),
    )


def _glucose_week(week: OneWeek, unit: Unit) -> tuple[Said, ...]:
    def text(value: float | None) -> Said:
        return NOTHING if value is None else same(value_text(Kind.GLUCOSE, value, unit))

    return (
        same(week_of(week.first_day)),
        same(str(week.n)),
        text(week.before_meals),
        text(week.after_meals),
        same(str(week.lows)) if week.n else NOTHING,
    )


def _glucose_chart(week: PatientWeek, found: GlucoseWeek) -> Chart:
    zone = week.patient.timezone
    first = week.last_day - timedelta(days=CHART_DAYS - 1)
    groups: dict[str, list[Point]] = {"before": [], "after": [], "other": []}
    for point in found.points:
        if not is_coded(point):
            groups[_group(slot_at(point, zone))].append(point)
    named = (
        ("before", Said(zh="餐前", en="before meals"), Mark.DOT),
        ("after", Said(zh="餐后", en="after meals"), Mark.TRIANGLE),
        ("other", Said(zh="其他", en="other"), Mark.SQUARE),
    )
    limits = (
        (LOW.in_unit(found.unit), Said(zh="低血糖线", en="low below")),
        (FASTING_TO.in_unit(found.unit), Said(zh="餐前上限", en="before meals")),
        (HIGH.in_unit(found.unit), Said(zh="餐后上限", en="after meals")),
    )
    return Chart(
        title=Said(zh="四周血糖读数", en="Glucose readings, four weeks"),
        unit=unit_text(found.unit),
        first_day=first,
        days=CHART_DAYS,
        week_from=CHART_DAYS - 7,
        series=tuple(
            Series(
                name=name,
                mark=mark,
                line=False,
                dashed=False,
                points=tuple(_place(each, first, zone, found.unit) for each in groups[key]),
            )
            for key, name, mark in named
            if groups[key]
        ),
        limits=tuple(
            Limit(
                value=value,
                name=Said(
                    zh=f"{value_text(Kind.GLUCOSE, value, found.unit)} {name.zh}",
                    en=f"{value_text(Kind.GLUCOSE, value, found.unit)} {name.en}",
                ),
            )
            for value, name in limits
        ),
    )


def _group(slot: Slot) -> str:
    if slot in BEFORE_MEALS:
        return "before"
    after = (Slot.AFTER_BREAKFAST, Slot.AFTER_LUNCH, Slot.AFTER_DINNER)
    return "after" if slot in after else "other"


def _place(point: Point, first: date, zone: str, unit: Unit) -> tuple[float, float]:
    there = local(point.at, zone)
    day = (there.date() - first).days + (there.hour + there.minute / 60) / 24
    return round(day, 3), round(convert(point.value, point.unit, unit), 2)


def _points(found: GlucoseWeek, zone: str) -> Table:
    return Table(
        caption=Said(zh="四周读数（图中数据）", en="Readings of four weeks (the chart's data)"),
        columns=(
            Said(zh="时间", en="Time"),
            Said(zh="时段", en="Slot"),
            Said(zh="数值", en="Value"),
        ),
        rows=tuple(
            (moment_text(each.at, zone), SLOT_TEXT[slot_at(each, zone)], _value(each))
            for each in found.points
        ),
    )
