"""The blood-pressure panel of a report: one sentence, means, four weeks as a chart, details.

May hold: how the week's pressures are told. May not: computing them (`pressure_week.py`).
"""

import math
from collections.abc import Sequence
from datetime import timedelta

from rules.metrics.blood_pressure import DayMean
from rules.metrics.home_protocol import Block, Standing
from rules.metrics.spread import Spread
from rules.report.pressure_week import Extreme, PartOfDay, PressureWeek
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
from rules.words import Said, day_text, moment_text, number_text, same

STANDING_TEXT: dict[Standing, Said] = {
    Standing.VALID: Said(zh="有效", en="valid"),
    Standing.PRELIMINARY: Said(zh="初步", en="preliminary"),
    Standing.INSUFFICIENT: Said(zh="数据不足", en="insufficient"),
}


def pressure(week: PatientWeek) -> Section | None:
    """The blood-pressure panel; None without trusted readings."""
    found = week.pressure
    if found is None:
        return None
    return Section(
        key="pressure",
        title=Said(zh="血压（家庭，mmHg）", en="Blood pressure (home, mmHg)"),
        blocks=(
            Line(text=pressure_sentence(found), tone=pressure_tone(found)),
            _parts(found),
            Figure(chart=_pressure_chart(week, found), table=_days(found.days)),
            _details(week, found),
            _weeks(week, found),
        ),
    )


def pressure_sentence(found: PressureWeek) -> Said:
    """Mean, evidence, limit and change in one sentence."""
    block = found.block
    mean = f"{number_text(block.systolic)}/{number_text(block.diastolic)}"
    limit = f"{found.limit[0]:.0f}/{found.limit[1]:.0f}"
    if block.standing is Standing.INSUFFICIENT:
        return Said(
            zh=f"血压只有 {block.n} 次（{block.days} 天），数据不足，均值 {mean} 仅供参考。",
            en=f"Only {block.n} readings on {block.days} day(s): too few; the mean of {mean} is "
            "for orientation.",
        )
    standing = STANDING_TEXT[block.standing]
    is_above = _is_above(found)
    zh_limit = f"达到或高于 {limit}" if is_above else f"低于 {limit}"
    en_limit = f"at or above {limit}" if is_above else f"below {limit}"
    kind = (
        Said(zh="医生目标", en="the doctor's target")
        if found.limit_is_personal
        else Said(zh="家庭参考线", en="the home reference line")
    )
    change = _change(found.change)
    return Said(
        zh=f"血压均值 {mean}（{block.days} 天 {block.n} 次，{standing.zh}），{kind.zh}"
        f"：{zh_limit}{change.zh}。",
        en=f"Mean blood pressure {mean} ({block.n} readings on {block.days} days, "
        f"{standing.en}), {en_limit}, {kind.en}{change.en}.",
    )


def pressure_brief(found: PressureWeek) -> Said:
    """Mean, evidence and change, as part of a sentence."""
    block = found.block
    mean = f"{number_text(block.systolic)}/{number_text(block.diastolic)}"
    limit = f"{found.limit[0]:.0f}/{found.limit[1]:.0f}"
    if block.standing is not Standing.VALID:
        standing = STANDING_TEXT[block.standing]
        return Said(
            zh=f"血压 {mean}（{block.n} 次，{standing.zh}）",
            en=f"blood pressure {mean} ({block.n} readings, {standing.en})",
        )
    above = Said(zh="≥", en="at or above") if _is_above(found) else Said(zh="<", en="below")
    change = _change(found.change)
    return Said(
        zh=f"血压 {mean}（{block.n} 次）{above.zh} {limit}{change.zh.replace('；', '，')}",
        en=f"blood pressure {mean} ({block.n} readings), {above.en} {limit}"
        f"{change.en.replace(';', ',')}",
    )


def pressure_tone(found: PressureWeek) -> Tone:
    """Good below the limit, to watch above; a note where the evidence is too thin."""
    if found.block.standing is not Standing.VALID:
        return Tone.NOTE
    return Tone.WATCH if _is_above(found) else Tone.GOOD


def _is_above(found: PressureWeek) -> bool:
    return found.block.systolic >= found.limit[0] or found.block.diastolic >= found.limit[1]


def _change(change: tuple[float, float] | None) -> Said:
    if change is None:
        return Said(zh="", en="")
    signed = "/".join(f"{round(each, 1) + 0.0:+.1f}" for each in change)
    return Said(zh=f"；较前一有效周 {signed}", en=f"; {signed} against the last valid week")


def _parts(found: PressureWeek) -> Table:
    rows = [
        (Said(zh="全部", en="All"), found.whole),
        (Said(zh="早晨 4–12 时", en="Morning 4-12 h"), found.morning),
        (Said(zh="晚间 17–24 时", en="Evening 17-24 h"), found.evening),
    ]
    return Table(
        caption=Said(zh="均值 ± 标准差（全部读数平均）", en="Mean ± SD (of all readings)"),
        columns=(
            Said(zh="时段", en="Part of day"),
            Said(zh="次数", en="n"),
            Said(zh="收缩压", en="Systolic"),
            Said(zh="舒张压", en="Diastolic"),
        ),
        rows=tuple(_part(name, part) for name, part in rows),
    )


def _part(name: Said, part: PartOfDay) -> tuple[Said, ...]:
    return (name, same(str(part.n)), _mean_sd(part.systolic), _mean_sd(part.diastolic))


def _mean_sd(found: Spread) -> Said:
    if not found.n:
        return NOTHING
    if math.isnan(found.sd):
        return same(number_text(found.mean))
    return same(f"{number_text(found.mean)} ± {number_text(found.sd)}")


def _details(week: PatientWeek, found: PressureWeek) -> Table:
    zone, control = week.patient.timezone, found.control
    limit = f"{found.limit[0]:.0f}/{found.limit[1]:.0f}"
    rows = [
        (
            Said(zh=f"控制率（低于 {limit} 的测量）", en=f"Control rate (sessions below {limit})"),
            same(f"{control.controlled}/{control.sessions} = {control.rate_percent:.0f} %"),
        ),
        (
            Said(zh="逐日变异（收缩压 SD · CV · ARV）", en="Day by day (systolic SD, CV, ARV)"),
            same(_variability(found.day_systolic)),
        ),
        (
            Said(zh="脉搏均值", en="Mean pulse"),
            same(f"{found.pulse.mean:.0f} /min") if found.pulse.n else NOTHING,
        ),
        (Said(zh="最高一次", en="Highest reading"), _extreme(found.highest, zone)),
        (Said(zh="最低一次", en="Lowest reading"), _extreme(found.lowest, zone)),
    ]
    return Table(
        caption=Said(zh="其他指标", en="Other figures"),
        columns=(Said(zh="项目", en="Figure"), Said(zh="本周", en="This week")),
        rows=tuple(rows),
    )


def _variability(found: Spread) -> str:
    if math.isnan(found.sd):
        return "—"
    return f"{number_text(found.sd)} · {number_text(found.cv)} % · {number_text(found.arv)}"


def _extreme(found: Extreme, zone: str) -> Said:
    when = moment_text(found.at, zone)
    value = f"{found.systolic:.0f}/{found.diastolic:.0f}"
    return Said(zh=f"{value}（{when.zh}）", en=f"{value} ({when.en})")


def _weeks(week: PatientWeek, found: PressureWeek) -> Table:
    blocks = [*found.before, found.block]
    return Table(
        caption=Said(zh="与前四周比较", en="Against the four weeks before"),
        columns=(
            Said(zh="周", en="Week"),
            Said(zh="均值", en="Mean"),
            Said(zh="次数（天）", en="n (days)"),
            Said(zh="证据", en="Evidence"),
        ),
        rows=tuple(_week(each) for each in blocks),
    )


def _week(block: Block) -> tuple[Said, ...]:
    mean = f"{number_text(block.systolic)}/{number_text(block.diastolic)}" if block.n else "—"
    return (
        same(week_of(block.last_day)),
        same(mean),
        Said(zh=f"{block.n}（{block.days}）", en=f"{block.n} ({block.days})"),
        STANDING_TEXT[block.standing],
    )


def _pressure_chart(week: PatientWeek, found: PressureWeek) -> Chart:
    first = week.last_day - timedelta(days=CHART_DAYS - 1)

    def series(name: Said, mark: Mark, dashed: bool, values: Sequence[float]) -> Series:
        places = [(each.day - first).days + 0.5 for each in found.days]
        return Series(
            name=name,
            mark=mark,
            line=True,
            dashed=dashed,
            points=tuple((x, round(y, 2)) for x, y in zip(places, values, strict=True)),
        )

    systolic, diastolic = found.limit
    return Chart(
        title=Said(zh="四周每日平均血压", en="Daily mean blood pressure, four weeks"),
        unit="mmHg",
        first_day=first,
        days=CHART_DAYS,
        week_from=CHART_DAYS - 7,
        series=(
            series(
                Said(zh="收缩压", en="Systolic"),
                Mark.DOT,
                False,
                [each.systolic for each in found.days],
            ),
            series(
                Said(zh="舒张压", en="Diastolic"),
                Mark.RING,
                True,
                [each.diastolic for each in found.days],
            ),
        ),
        limits=(
            Limit(
                value=systolic,
                name=Said(zh=f"收缩压 {systolic:.0f}", en=f"systolic {systolic:.0f}"),
            ),
            Limit(
                value=diastolic,
                name=Said(zh=f"舒张压 {diastolic:.0f}", en=f"diastolic {diastolic:.0f}"),
            ),
        ),
        band=(diastolic, systolic),
    )


def _days(days: Sequence[DayMean]) -> Table:
    return Table(
        caption=Said(zh="每日平均（图中数据）", en="Daily means (the chart's data)"),
        columns=(
            Said(zh="日期", en="Day"),
            Said(zh="收缩压", en="Systolic"),
            Said(zh="舒张压", en="Diastolic"),
            Said(zh="次数", en="n"),
        ),
        rows=tuple(
            (
                day_text(each.day),
                same(number_text(each.systolic)),
                same(number_text(each.diastolic)),
                same(str(each.n)),
            )
            for each in days
        ),
    )
