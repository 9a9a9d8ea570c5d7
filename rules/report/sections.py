"""The sections of a weekly report, in the order in which a doctor reads them.

A section is one function `PatientWeek -> Section | None`, named in SECTIONS: numbers before
adjectives, missing data shown as missing, at most three things to decide. May hold: what is said of
the week. May not: computing numbers (`week.py`), looks (`build.py`).
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from rules.alert import State
from rules.finding import Evidence
from rules.report.glucose_panel import glucose, glucose_brief
from rules.report.phrases import (
    CLOSED,
    DOUBTED,
    METHOD_ALWAYS,
    METHOD_PRESSURE,
    METHOD_SENSOR,
    METHOD_STICKS,
    NO_ALERT,
    NO_MEDICATION,
    QUESTION,
    REASON,
    SESSION,
    SEX,
    STATE,
)
from rules.report.pressure_panel import STANDING_TEXT, pressure, pressure_brief
from rules.report.profile_panel import day_profile
from rules.report.sensor_panel import STANDING_TEXT as WORN_TEXT
from rules.report.sensor_panel import sensor, sensor_brief
from rules.report.shape import Action, Line, Section, Table, Tone
from rules.report.week import AlertSeen, Gap, Missing, PatientWeek
from rules.words import (
    Said,
    day_text,
    joined,
    kind_text,
    local,
    moment_text,
    same,
    unit_text,
    value_text,
)
from vitals.kinds import Kind

# a doctor has one minute: more than three things are not decided in it
MAX_ACTIONS = 3
# S2 is for the doctor's list; what is below is between the patient and the reminder
_FOR_DOCTOR = 2
# what is this grave is told even if it is over
_GRAVE = 3
# pieces of evidence that stand under an action
_MAX_EVIDENCE = 7


def header(week: PatientWeek) -> Section:
    """Who, which days, and how good the data are."""
    patient = week.patient
    about = [SEX[patient.sex]] if patient.sex in SEX else []
    if patient.born_on:
        years = _age(patient.born_on, week.last_day)
        about.append(Said(zh=f"{years} 岁", en=f"{years} years"))
    about += [same(each) for each in patient.conditions]
    first, last = day_text(week.first_day), day_text(week.last_day)
    until = moment_text(week.as_of, patient.timezone)
    running = Said(
        zh=f"本周尚未结束，数据截至 {until.zh}。",
        en=f"The week is still running; data up to {until.en}.",
    )
    lines = [
        Line(text=joined(about, zh=" · ", en=" · ")) if about else None,
        Line(text=running, tone=Tone.NOTE) if week.is_running else None,
        Line(text=_quality(week), tone=Tone.NOTE),
    ]
    return Section(
        key="header",
        title=Said(
            zh=f"{patient.name} · {week.week}（{first.zh}～{last.zh}）",
            en=f"{patient.name} · {week.week} ({first.en} to {last.en})",
        ),
        blocks=tuple(each for each in lines if each is not None),
    )


def conclusion(week: PatientWeek) -> Section:
    """One sentence, with the numbers that caused it."""
    said = []
    if week.pressure:
        said.append(pressure_brief(week.pressure))
    if week.sensor:
        said.append(sensor_brief(week.sensor))
    if week.glucose:
        said.append(glucose_brief(week.glucose, week.patient.timezone))
    numbers = (
        joined(said, zh="；", en="; ") if said else Said(zh="没有血压和血糖数据", en="no data")
    )
    troubles = _for_doctor(week.concerns)
    text = (
        Said(
            zh=f"{len(troubles)} 项需要您处理。{numbers.zh}。",
            en=f"{len(troubles)} item(s) for your decision: {numbers.en}.",
        )
        if troubles
        else Said(
            zh=f"没有需要您处理的事项。{numbers.zh}。",
            en=f"Nothing needs your decision: {numbers.en}.",
        )
    )
    worst = max((each.severity for each in troubles), default=0)
    tone = Tone.ACT if worst >= 3 else Tone.WATCH if worst else Tone.LEAD
    return Section(
        key="conclusion",
        title=Said(zh="一句话结论", en="In one sentence"),
        blocks=(Line(text=text, tone=tone),),
    )


def actions(week: PatientWeek) -> Section | None:
    """At most three things to decide, each with its evidence; None where there is nothing."""
    troubles = _for_doctor(week.concerns)
    if not troubles:
        return None
    shown = [_action(each, week.patient.timezone) for each in troubles[:MAX_ACTIONS]]
    more = len(troubles) - len(shown)
    note = Said(zh=f"另有 {more} 项，见提醒记录。", en=f"{more} more in the list of alerts.")
    return Section(
        key="actions",
        title=Said(zh="需要您处理", en="For your decision"),
        blocks=(*shown, *((Line(text=note, tone=Tone.NOTE),) if more else ())),
    )


def measuring(week: PatientWeek) -> Section | None:
    """How much of what was planned was measured; None without a plan."""
    planned = [each for each in week.measuring if each.planned]
    if not planned:
        return None
    rows = tuple(
        (
            SESSION.get(each.session, same(each.session)),
            same(f"{each.done:g}/{each.planned}"),
            same(f"{100 * min(1.0, each.done / each.planned):.0f} %"),
        )
        for each in planned
    )
    return Section(
        key="measuring",
        title=Said(zh="测量完成情况", en="Measuring"),
        blocks=(
            Table(
                caption=Said(zh="按计划完成的测量", en="Planned sessions that were done"),
                columns=(
                    Said(zh="项目", en="Session"),
                    Said(zh="完成/计划", en="Done / planned"),
                    Said(zh="完成率", en="Share"),
                ),
                rows=rows,
            ),
            Line(text=NO_MEDICATION, tone=Tone.NOTE),
        ),
    )


def missing(week: PatientWeek) -> Section | None:
    """What is missing, since when and why; None where nothing is."""
    silences = [each for each in week.concerns if each.finding.rule.startswith("silence.")]
    lines = [_gap(each) for each in week.gaps]
    lines += [Line(text=each.finding.sentences["doctor"], tone=Tone.WATCH) for each in silences]
    for field, said in DOUBTED.items():
        count = getattr(week.quality, field)
        if count:
            text = Said(zh=f"{count} {said.zh}。", en=f"{count} {said.en}.")
            lines.append(Line(text=text, tone=Tone.NOTE))
    if not lines:
        return None
    return Section(
        key="missing",
        title=Said(zh="缺失的数据", en="Missing data"),
        blocks=tuple(lines),
    )


def alerts(week: PatientWeek) -> Section | None:
    """Every alert of the week: when, what, who took it on, how it ended; None without any."""
    if not week.alerts:
        return None
    zone = week.patient.timezone
    rows = tuple(
        (
            moment_text(each.opened_at, zone),
            Said(
                zh=f"S{each.severity} {each.finding.title.zh}",
                en=f"S{each.severity} {each.finding.title.en}",
            ),
            _state(each, zone),
        )
        for each in week.alerts
    )
    return Section(
        key="alerts",
        title=Said(zh="提醒记录", en="Alerts"),
        blocks=(
            Table(
                caption=Said(zh="本周存在过的提醒", en="Alerts that lived in this week"),
                columns=(
                    Said(zh="提出", en="Raised"),
                    Said(zh="内容", en="What"),
                    Said(zh="状态", en="State"),
                ),
                rows=rows,
            ),
        ),
    )


def method(week: PatientWeek) -> Section:
    """What the numbers that are there mean, and what the report is not."""
    said = [
        *([METHOD_PRESSURE] if week.pressure else []),
        *([METHOD_SENSOR] if week.sensor else []),
        *([METHOD_STICKS] if week.glucose else []),
        METHOD_ALWAYS,
    ]
    return Section(
        key="method",
        title=Said(zh="说明", en="Method"),
        blocks=tuple(Line(text=each, tone=Tone.NOTE) for each in said),
    )


SECTIONS: tuple[Callable[[PatientWeek], Section | None], ...] = (
    header,
    conclusion,
    actions,
    pressure,
    sensor,
    glucose,
    measuring,
    day_profile,
    missing,
    alerts,
    method,
)


def sections_of(week: PatientWeek) -> tuple[Section, ...]:
    """The sections that this week has, in order."""
    made = (section(week) for section in SECTIONS)
    return tuple(each for each in made if each is not None)


def _for_doctor(found: Iterable[AlertSeen]) -> list[AlertSeen]:
    """One concern for each rule: from S2 on what lasts, from S3 on also what is over.

    The gravest first, and of equal ones those that last.
    """
    newest: dict[str, AlertSeen] = {}
    for each in sorted(found, key=lambda each: each.finding.at):
        if each.severity >= (_GRAVE if each.finding.ended_at else _FOR_DOCTOR):
            newest[each.finding.rule] = each
    return sorted(
        newest.values(),
        key=lambda each: (-each.severity, each.finding.ended_at is not None, each.finding.rule),
    )


def _action(alert: AlertSeen, zone: str) -> Action:
    finding = alert.finding
    question = next(said for prefix, said in QUESTION if finding.rule.startswith(prefix))
    return Action(
        title=finding.title,
        severity=alert.severity,
        sentence=finding.sentences["doctor"],
        state=_state(alert, zone),
        question=question,
        evidence=_evidence(finding.evidence, zone),
    )


def _evidence(evidence: tuple[Evidence, ...], zone: str) -> Table:
    """Times side by side, the newest last; under them the values, and how many make each mean."""
    together: dict[datetime, list[Evidence]] = {}
    for each in evidence:
        together.setdefault(each.at, []).append(each)
    shown = list(together.values())[-_MAX_EVIDENCE:]
    means = any(each[0].n > 1 for each in shown)
    unit = unit_text(shown[0][0].unit) if shown else ""
    rows = [(same(unit), *(same(_value(each, unit)) for each in shown))]
    if means:
        counts = (same(str(each[0].n)) for each in shown)
        rows.append((Said(zh="次数", en="readings"), *counts))
    return Table(
        caption=Said(zh="依据：每日平均", en="Evidence: daily means")
        if means
        else Said(zh="依据", en="Evidence"),
        columns=(same(""), *(_when(each[0], zone) for each in shown)),
        rows=tuple(rows) if shown else (),
    )


def _when(evidence: Evidence, zone: str) -> Said:
    if evidence.n > 1:
        return day_text(local(evidence.at, zone).date())
    return moment_text(evidence.at, zone)


def _value(together: list[Evidence], unit: str) -> str:
    values = "/".join(
        f"{each.value:.1f}" if each.n > 1 else value_text(each.kind, each.value, each.unit)
        for each in sorted(together, key=lambda each: list(Kind).index(each.kind))
    )
    own = unit_text(together[0].unit)
    return values if own == unit else f"{values} {own}"


def _state(alert: AlertSeen, zone: str) -> Said:
    if alert.state == State.CLOSED:
        why = CLOSED.get(alert.closed_because or "", STATE[State.CLOSED.value])
        return _with_moment(why, alert.closed_at, zone)
    if alert.state is None:
        ended_at = alert.finding.ended_at
        return _with_moment(CLOSED["recovered"] if ended_at else NO_ALERT, ended_at, zone)
    if alert.acknowledged_at and alert.acknowledged_by:
        who = alert.acknowledged_by
        taken = Said(zh=f"{who} 已接手", en=f"taken on by {who}")
        return _with_moment(taken, alert.acknowledged_at, zone)
    return _with_moment(STATE[alert.state], None, zone)


def _with_moment(said: Said, at: datetime | None, zone: str) -> Said:
    if at is None:
        return said
    when = moment_text(at, zone)
    return Said(zh=f"{said.zh}（{when.zh}）", en=f"{said.en} ({when.en})")


def _gap(gap: Gap) -> Line:
    days = joined([day_text(each) for each in gap.days])
    name, reason = kind_text(gap.kind), REASON[gap.reason]
    return Line(
        text=Said(
            zh=f"{name.zh}：{days.zh} 无数据，{reason.zh}。",
            en=f"No {name.en} on {days.en}: {reason.en}.",
        ),
        tone=Tone.WATCH if gap.reason is not Missing.NOT_MEASURED else Tone.NOTE,
    )


def _quality(week: PatientWeek) -> Said:
    quality = week.quality
    parts = [
        Said(
            zh=f"有数据 {quality.days_with_data}/{quality.days_so_far} 天",
            en=f"data on {quality.days_with_data} of {quality.days_so_far} days",
        )
    ]
    if week.pressure:
        block = week.pressure.block
        standing = STANDING_TEXT[block.standing]
        parts.append(
            Said(
                zh=f"血压 {block.n} 次（{block.protocol} {standing.zh}）",
                en=f"{block.n} cuff readings ({standing.en} by {block.protocol})",
            )
        )
    if week.sensor:
        worn = f"{week.sensor.worn_percent:.0f} %"
        standing_ = WORN_TEXT[week.sensor.standing]
        parts.append(
            Said(
                zh=f"动态血糖 14 天的 {worn}（{standing_.zh}）",
                en=f"sensor {worn} of 14 days ({standing_.en})",
            )
        )
    if week.glucose:
        parts.append(Said(zh=f"血糖 {week.glucose.n} 次", en=f"{week.glucose.n} glucose readings"))
    for each in week.measuring:
        if each.planned:
            name = SESSION.get(each.session, same(each.session))
            parts.append(
                Said(
                    zh=f"{name.zh}计划完成 {each.done:g}/{each.planned}",
                    en=f"{name.en} {each.done:g} of {each.planned} planned",
                )
            )
    all_ = joined(parts, zh=" · ", en=" · ")
    return Said(zh=f"数据质量：{all_.zh}", en=f"Data quality: {all_.en}")


def _age(born_on: date, on: date) -> int:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
