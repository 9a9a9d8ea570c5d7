"""The doctor's list, ordered by need: who must be looked at first, and why.

A row of the list says its reason in words; the groups are a table, in order of urgency. Within a
group: the higher severity, then the one that waits longest. What recovered before anybody looked is
not forgotten: it stays above the quiet ones until the doctor has reviewed. May hold: this order.
May not: I/O, rendering.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from rules.words import Said, joined


class Group(IntEnum):
    """Why a patient stands where they stand, most urgent first."""

    CALL_NOW = 0
    LOOK_TODAY = 1
    LOOK_THIS_WEEK = 2
    SILENT = 3
    DECIDE = 4
    SIGN = 5
    QUIET = 6


GROUP_TEXT: dict[Group, Said] = {
    Group.CALL_NOW: Said(zh="今天联系", en="Contact today"),
    Group.LOOK_TODAY: Said(zh="今天看一下", en="Look today"),
    Group.LOOK_THIS_WEEK: Said(zh="本周处理", en="This week"),
    Group.SILENT: Said(zh="没有数据", en="No data"),
    Group.DECIDE: Said(zh="有建议待定", en="Proposal waits"),
    Group.SIGN: Said(zh="周报待签", en="Report to sign"),
    Group.QUIET: Said(zh="平稳", en="Quiet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertBrief:
    """An alert as the list needs it."""

    rule: str
    severity: int
    state: str
    title: Said
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientNeed:
    """What is known of one patient for the list.

    `alerts`: the living ones, and those closed since the doctor last reviewed.
    """

    patient_id: int
    alerts: tuple[AlertBrief, ...] = ()
    proposals: int = 0
    report_unsigned: bool = False
    last_reviewed_at: datetime | None = None
    last_reading_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One row of the list: the group, what brought the patient there, since when."""

    patient_id: int
    group: Group
    severity: int
    since: datetime | None
    reason: Said


def order(patients: Iterable[PatientNeed]) -> tuple[Ranked, ...]:
    """The list, most urgent first; equal ones in order of patient."""
    return tuple(sorted(map(rank, patients), key=_key))


def rank(patient: PatientNeed) -> Ranked:
    """Where one patient stands, and why."""
    graded = sorted(
        ((_group(each, patient.last_reviewed_at), each) for each in patient.alerts),
        key=lambda pair: (pair[0], -pair[1].severity, pair[1].opened_at),
    )
    graded = [(group, each) for group, each in graded if group is not Group.QUIET]
    if graded:
        group, first = graded[0]
        return Ranked(
            patient_id=patient.patient_id,
            group=group,
            severity=first.severity,
            since=first.opened_at,
            reason=joined(_titles(each for _, each in graded), zh="；", en="; "),
        )
    group = _without_alert(patient)
    return Ranked(
        patient_id=patient.patient_id,
        group=group,
        severity=0,
        since=patient.last_reviewed_at,
        reason=GROUP_TEXT[group],
    )


def _group(alert: AlertBrief, reviewed_at: datetime | None) -> Group:
    if alert.closed_at is not None:
        seen = reviewed_at is not None and reviewed_at >= alert.closed_at
        return Group.LOOK_TODAY if alert.severity >= 3 and not seen else Group.QUIET
    if alert.severity >= 3:
        return Group.CALL_NOW if alert.state == "open" else Group.LOOK_TODAY
    if alert.rule.startswith("silence."):
        return Group.SILENT
    # what is for the patient alone (S1) does not lift a row of the doctor's list
    return Group.LOOK_THIS_WEEK if alert.severity == 2 else Group.QUIET


def _without_alert(patient: PatientNeed) -> Group:
    if patient.proposals:
        return Group.DECIDE
    return Group.SIGN if patient.report_unsigned else Group.QUIET


def _titles(alerts: Iterable[AlertBrief]) -> list[Said]:
    titles: dict[str, Said] = {}
    for each in alerts:
        over = Said(zh="（已恢复）", en=" (over)") if each.closed_at else Said(zh="", en="")
        titles.setdefault(each.rule, Said(zh=each.title.zh + over.zh, en=each.title.en + over.en))
    return list(titles.values())


def _key(row: Ranked) -> tuple[int, int, float, int]:
    since = row.since.timestamp() if row.since else 0.0
    return row.group, -row.severity, since, row.patient_id
