"""The sensor's panel of a report: bands, GMI, CV, episodes, and the weeks before.

In the order in which a doctor reads two weeks of a sensor: time in range, spread, lows. May hold:
how these numbers are told. May not: computing them (`sensor_week.py`).
"""

import math
from collections.abc import Sequence

from rules.metrics.cgm import Glycemia
from rules.metrics.glucose_band import HIGH, LOW, VERY_HIGH, VERY_LOW, Pair
from rules.metrics.glucose_episodes import GlucoseEpisode
from rules.metrics.sufficiency import FULL_DAYS, FULL_PERCENT, Standing
from rules.report.sensor_week import DAYS, SensorOneWeek, SensorWeek
from rules.report.shape import (
    NOTHING,
    Bar,
    Figure,
    Line,
    Section,
    Share,
    Table,
    Tone,
)
from rules.report.week import PatientWeek, week_of
from rules.words import Said, moment_text, number_text, same, unit_text, value_text
from vitals.kinds import Kind
from vitals.units import Unit, convert

STANDING_TEXT: dict[Standing, Said] = {
    Standing.FULL: Said(zh="数据充足", en="sufficient"),
    Standing.PRELIMINARY: Said(zh="初步", en="preliminary"),
    Standing.EVENTS_ONLY: Said(zh="数据不足，仅列事件", en="too little: events only"),
}
# per cent of readings; targets of most adults, international consensus 2019, ADA 2026 6.5
_IN_RANGE_OVER, _LOW_UNDER, _VERY_LOW_UNDER, _HIGH_UNDER, _VERY_HIGH_UNDER = 70, 4, 1, 25, 5
# per cent; at most so much is stable, same source
_CV_AT_MOST = 36
# episodes of a kind that are listed, the newest
_LISTED = 8


def sensor(week: PatientWeek) -> Section | None:
    """The sensor's panel; None without its readings in this week."""
    found = week.sensor
    if found is None:
        return None
    zone = week.patient.timezone
    told = found.standing is not Standing.EVENTS_ONLY
    numbers = (Figure(chart=_bar(found), table=_bands(found)), _box(found)) if told else ()
    compared = (_weeks(found),) if told else ()
    return Section(
        key="sensor",
        title=Said(
            zh=f"血糖（动态，{unit_text(found.shown)}）",
            en=f"Glucose (sensor, {unit_text(found.shown)})",
        ),
        blocks=(
            Line(text=sensor_sentence(found), tone=sensor_tone(found)),
            *numbers,
            *_events(found, zone),
            *compared,
        ),
    )


def sensor_sentence(found: SensorWeek) -> Said:
    """Time in range, GMI, CV and lows with what they rest on, in one sentence."""
    g, counted = found.metrics.glycemia, found.metrics.sufficiency
    standing = STANDING_TEXT[found.standing]
    days, worn = f"{counted.days:.1f}", f"{found.worn_percent:.0f}\u00a0%"
    rests = Said(
        zh=f"传感器数据 {days} 天，占最近 {DAYS} 天的 {worn}（{standing.zh}）",
        en=f"{days} days of sensor data, {worn} of the last {DAYS} days ({standing.en})",
    )
    if found.standing is Standing.EVENTS_ONLY:
        return Said(
            zh=f"{rests.zh}：不计算 TIR 和 GMI。本周{_lows(found).zh}。",
            en=f"{rests.en}: no TIR, no GMI. This week: {_lows(found).en}.",
        )
    low = f"{g.bands.low + g.bands.very_low:.1f}\u00a0%"
    share, spread = f"{g.bands.in_range:.0f}\u00a0%", f"{g.cv:.0f}\u00a0%"
    cut, gmi, lows = _cut(found, LOW), _gmi(found), _lows(found)
    zh_gmi, en_gmi = (f"，GMI {gmi}", f", GMI {gmi}") if gmi else ("", "")
    return Said(
        zh=f"TIR {share}，CV {spread}，低于 {cut} 的时间 {low}{zh_gmi}；本周{lows.zh}。"
        f"{rests.zh}。",
        en=f"TIR {share}, CV {spread}, {low} of the time below {cut}{en_gmi}; this week "
        f"{lows.en}. {rests.en}.",
    )


def sensor_brief(found: SensorWeek) -> Said:
    """Time in range and lows, as part of a sentence."""
    lows = _lows(found)
    if found.standing is Standing.EVENTS_ONLY:
        return Said(
            zh=f"动态血糖数据不足（{found.worn_percent:.0f} %），{lows.zh}",
            en=f"too little sensor data ({found.worn_percent:.0f} %), {lows.en}",
        )
    share = found.metrics.glycemia.bands.in_range
    goal = f"≥ {_IN_RANGE_OVER} %" if share >= _IN_RANGE_OVER else f"< {_IN_RANGE_OVER} %"
    return Said(
        zh=f"动态血糖 TIR {share:.0f} %（{goal}），{lows.zh}",
        en=f"sensor TIR {share:.0f} % ({goal}), {lows.en}",
    )


def sensor_tone(found: SensorWeek) -> Tone:
    """To act on where a low went below 3.0; to watch when a target is missed or data are thin."""
    bands = found.metrics.glycemia.bands
    if any(each.worst < VERY_LOW.in_unit(_unit(found)) for each in found.lows):
        return Tone.ACT
    missed = (
        bands.in_range <= _IN_RANGE_OVER
        or bands.low + bands.very_low >= _LOW_UNDER
        or bands.high + bands.very_high >= _HIGH_UNDER
    )
    if missed or found.lows or found.standing is Standing.EVENTS_ONLY:
        return Tone.WATCH
    return Tone.GOOD


def _unit(found: SensorWeek) -> Unit:
    return found.metrics.glycemia.unit


def _gmi(found: SensorWeek) -> str:
    """GMI in per cent; empty below 70 % of 14 days, of which it speaks."""
    return f"{found.metrics.glycemia.gmi:.1f}\u00a0%" if found.standing is Standing.FULL else ""


def _cut(found: SensorWeek, pair: Pair) -> str:
    return value_text(Kind.GLUCOSE, pair.in_unit(found.shown), found.shown)


def _lows(found: SensorWeek) -> Said:
    """The episodes of lows this week, with the lowest value of all."""
    if not found.lows:
        return Said(zh="无低血糖事件", en="no low episodes")
    worst = min(each.worst for each in found.lows)
    value = value_shown(worst, found)
    return Said(
        zh=f"低血糖事件 {len(found.lows)} 次（最低 {value}）",
        en=f"{len(found.lows)} low episode(s) (lowest {value})",
    )


def value_shown(value: float, found: SensorWeek) -> str:
    """A value as the sensor shows it: beyond its range are no numbers."""
    if math.isinf(value):
        return "LO" if value < 0 else "HI"
    if math.isnan(value):
        return "—"
    return value_text(Kind.GLUCOSE, convert(value, _unit(found), found.shown), found.shown)


def _named_bands(found: SensorWeek) -> list[tuple[Said, float, str]]:
    """Name, per cent and target of each band, from the lowest."""
    bands = found.metrics.glycemia.bands
    least, low, high, most = (_cut(found, pair) for pair in (VERY_LOW, LOW, HIGH, VERY_HIGH))
    return [
        (
            Said(zh=f"很低 <{least}", en=f"very low <{least}"),
            bands.very_low,
            f"< {_VERY_LOW_UNDER} %",
        ),
        (
            Said(zh=f"低 {least}–<{low}", en=f"low {least}–<{low}"),
            bands.low,
            f"< {_LOW_UNDER} %*",
        ),
        (
            Said(zh=f"范围内 {low}–{high}", en=f"in range {low}–{high}"),
            bands.in_range,
            f"> {_IN_RANGE_OVER} %",
        ),
        (
            Said(zh=f"高 >{high}–{most}", en=f"high >{high}–{most}"),
            bands.high,
            f"< {_HIGH_UNDER} %*",
        ),
        (
            Said(zh=f"很高 >{most}", en=f"very high >{most}"),
            bands.very_high,
            f"< {_VERY_HIGH_UNDER} %",
        ),
    ]


def _bar(found: SensorWeek) -> Bar:
    return Bar(
        title=Said(zh=f"{DAYS} 天内各范围时间", en=f"Time in ranges over {DAYS} days"),
        unit="%",
        shares=tuple(
            Share(name=name, percent=round(percent, 3)) for name, percent, _ in _named_bands(found)
        ),
    )


def _bands(found: SensorWeek) -> Table:
    return Table(
        caption=Said(
            zh="各范围时间（目标适用于多数成人；* 与外侧一段合计）",
            en="Time in ranges (targets of most adults; * with the band beyond it)",
        ),
        columns=(
            Said(zh="范围", en="Range"),
            Said(zh="时间", en="Time"),
            Said(zh="目标", en="Target"),
        ),
        rows=tuple(
            (name, same(f"{percent:.1f} %"), same(target))
            for name, percent, target in _named_bands(found)
        ),
    )


def _box(found: SensorWeek) -> Table:
    g, counted = found.metrics.glycemia, found.metrics.sufficiency
    gmi = _gmi(found)
    no_gmi = Said(
        zh=f"未达 {FULL_DAYS} 天 {FULL_PERCENT:.0f} %",
        en=f"needs {FULL_PERCENT:.0f} % of {FULL_DAYS} days",
    )
    return Table(
        caption=Said(zh=f"最近 {DAYS} 天", en=f"Last {DAYS} days"),
        columns=(
            Said(zh="指标", en="Metric"),
            Said(zh="数值", en="Value"),
            Said(zh="参考", en="Target"),
        ),
        rows=(
            (
                Said(zh="平均血糖", en="Mean glucose"),
                same(value_shown(g.mean, found)),
                NOTHING,
            ),
            (same("GMI"), same(gmi) if gmi else no_gmi, NOTHING),
            (
                Said(zh="CV（波动）", en="CV (spread)"),
                same(f"{g.cv:.1f} %"),
                same(f"≤ {_CV_AT_MOST} %"),
            ),
            (
                Said(zh="佩戴期内有效数据", en="Readings while worn"),
                same(f"{counted.active_percent:.0f} %"),
                same(f"≥ {FULL_PERCENT:.0f} %"),
            ),
            (
                Said(zh=f"占 {DAYS} 天", en=f"Of {DAYS} days"),
                same(f"{found.worn_percent:.0f} %"),
                same(f"≥ {FULL_PERCENT:.0f} %"),
            ),
        ),
    )


def _events(found: SensorWeek, zone: str) -> list[Table]:
    low, high = _cut(found, LOW), _cut(found, VERY_HIGH)
    named = (
        (
            found.lows,
            Said(zh=f"本周低于 {low}（≥ 15 分钟）", en=f"Below {low} this week (15 min or more)"),
            Said(zh="最低", en="Lowest"),
        ),
        (
            found.very_highs,
            Said(zh=f"本周高于 {high}（≥ 15 分钟）", en=f"Above {high} this week (15 min or more)"),
            Said(zh="最高", en="Highest"),
        ),
    )
    return [_episodes(found, each, caption, worst, zone) for each, caption, worst in named if each]


def _episodes(
    found: SensorWeek,
    episodes: Sequence[GlucoseEpisode],
    caption: Said,
    worst: Said,
    zone: str,
) -> Table:
    n = len(episodes)
    more = Said(zh=f"，共 {n} 次，列最近 {_LISTED} 次", en=f": {n}, the last {_LISTED}")
    counted = more if n > _LISTED else Said(zh=f"：{n} 次", en=f": {n}")
    return Table(
        caption=Said(zh=f"{caption.zh}{counted.zh}", en=f"{caption.en}{counted.en}"),
        columns=(Said(zh="开始", en="From"), Said(zh="分钟", en="Minutes"), worst),
        rows=tuple(
            (
                moment_text(each.started_at, zone),
                same(str(each.minutes)),
                same(value_shown(each.worst, found)),
            )
            for each in episodes[-_LISTED:]
        ),
    )


def _weeks(found: SensorWeek) -> Table:
    return Table(
        caption=Said(zh="与前四周比较", en="Against the four weeks before"),
        columns=(
            Said(zh="周", en="Week"),
            Said(zh="有效数据", en="Data"),
            same("TIR"),
            Said(zh=f"<{_cut(found, LOW)}", en=f"<{_cut(found, LOW)}"),
            Said(zh="均值", en="Mean"),
            same("CV"),
        ),
        rows=tuple(_week(each, found) for each in found.weeks),
    )


def _week(week: SensorOneWeek, found: SensorWeek) -> tuple[Said, ...]:
    g, name = week.glycemia, same(week_of(week.first_day))
    if g is None or g.unit is not _unit(found):
        return (name, same(f"{week.active_percent:.0f} %"), NOTHING, NOTHING, NOTHING, NOTHING)
    return (
        name,
        same(f"{week.active_percent:.0f} %"),
        same(f"{g.bands.in_range:.0f} %"),
        same(f"{g.bands.low + g.bands.very_low:.1f} %"),
        same(value_shown(g.mean, found)),
        _percent(g),
    )


def _percent(g: Glycemia) -> Said:
    return NOTHING if math.isnan(g.cv) else same(f"{number_text(g.cv)} %")
