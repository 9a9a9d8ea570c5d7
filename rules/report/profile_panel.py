"""The ambulatory glucose profile of a report: five percentiles by time of day, for page two.

May hold: how the profile is told. May not: computing it (`rules/metrics/agp.py`), drawing it.
"""

import math

from rules.metrics.agp import PART_MIN
from rules.metrics.glucose_band import HIGH, LOW, VERY_HIGH, VERY_LOW
from rules.metrics.sufficiency import Standing
from rules.report.sensor_panel import value_shown
from rules.report.sensor_week import DAYS, SensorWeek
from rules.report.shape import DayProfile, Figure, Limit, Place, Section, Table
from rules.report.week import PatientWeek
from rules.words import Said, day_text, same, unit_text, value_text
from vitals.kinds import Kind
from vitals.units import convert


def day_profile(week: PatientWeek) -> Section | None:
    """The ambulatory glucose profile; None without enough to draw one."""
    found = week.sensor
    if found is None or found.standing is Standing.EVENTS_ONLY:
        return None
    first, last = day_text(found.first_day), day_text(found.last_day)
    return Section(
        key="profile",
        title=Said(
            zh=f"动态血糖图谱（AGP，{first.zh}～{last.zh}）",
            en=f"Ambulatory glucose profile (AGP, {first.en} to {last.en})",
        ),
        blocks=(Figure(chart=_profile_chart(found), table=_hours(found)),),
    )


def _profile_chart(found: SensorWeek) -> DayProfile:
    unit, measured = found.shown, found.metrics.glycemia.unit
    finite = [
        convert(value, measured, unit)
        for part in found.profile.parts
        for value in part.percentiles or ()
        if math.isfinite(value)
    ]
    # LO and HI are no numbers: they are drawn at the edge of what there is
    low = min([*finite, VERY_LOW.in_unit(unit)])
    high = max([*finite, VERY_HIGH.in_unit(unit)])

    def drawn(value: float) -> float:
        return round(max(low, min(high, convert(value, measured, unit))), 3)

    places = []
    for part in found.profile.parts:
        if part.percentiles is None:
            continue
        p5, p25, p50, p75, p95 = map(drawn, part.percentiles)
        places.append(
            Place(
                minute=part.minute, percentiles=(p5, p25, p50, p75, p95), is_enough=part.is_enough
            )
        )
    return DayProfile(
        title=Said(
            zh=f"{DAYS} 天按时刻的百分位（曲线为显示而平滑；虚线：不足 5 天数据）",
            en=f"Percentiles by time of day over {DAYS} days (curves smoothed for the eye; "
            "dotted: fewer than 5 days)",
        ),
        unit=unit_text(unit),
        step_min=PART_MIN,
        places=tuple(places),
        limits=tuple(
            Limit(
                value=pair.in_unit(unit),
                name=same(value_text(Kind.GLUCOSE, pair.in_unit(unit), unit)),
            )
            for pair in (LOW, HIGH)
        ),
    )


def _hours(found: SensorWeek) -> Table:
    """The profile at each full hour: 96 rows would hide it."""
    levels = ("5 %", "25 %", "50 %", "75 %", "95 %")
    return Table(
        caption=Said(
            zh="图谱：每个整点后 15 分钟（全部 96 段见 JSON）",
            en="Profile: the quarter after each full hour (all 96 are in the JSON)",
        ),
        columns=(Said(zh="时刻", en="Time"), *map(same, levels), Said(zh="天数", en="Days")),
        rows=tuple(
            (
                same(f"{part.minute // 60:02d}:00"),
                *(same(value_shown(each, found)) for each in part.percentiles or (math.nan,) * 5),
                same(str(part.days)),
            )
            for part in found.profile.parts
            if part.minute % 60 == 0
        ),
    )
