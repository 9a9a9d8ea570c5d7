"""A patient's week from the store, and the doctor's signature under it.

What needs a decision is judged from the history as it stood at the end of the week, so that an old
week tells of itself and not of today; how an alert was dealt with is told as it is known now. May
hold: the thin layer over `store`. May not: SQL, numbers, wording.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from rules.evaluate import evaluate
from rules.finding import Finding, finding_of, moment
from rules.history import History
from rules.pack import standard_packs
from rules.records import history_of, patient_of
from rules.report.build import build, from_json, to_json
from rules.report.shape import Report
from rules.report.week import AlertSeen, Inputs, Measuring, PatientWeek, first_day_of, patient_week
from store import findings as kept
from store import reports
from store.findings import AlertOfWeek
from store.reports import Signed
from vitals.errors import AskPerson, MendData


def weekly_report(
    connection: Connection[Any],
    *,
    patient_id: int,
    week: str,
    now: datetime,
    measuring: Sequence[Measuring] = (),
) -> PatientWeek:
    """The numbers of a patient's ISO week ("2026-W47"), as known at `now`.

    `measuring`: planned and done, which the care plan knows. Raises MendData for an unknown patient
    or week, AskPerson for a week that has not begun.
    """
    try:
        monday = first_day_of(week)
    except ValueError as error:
        raise MendData(f"{week!r} is no ISO week; write it like 2026-W47.") from error
    zone = ZoneInfo(patient_of(connection, patient_id).timezone)
    begin = datetime.combine(monday, time.min, tzinfo=zone)
    end = datetime.combine(monday + timedelta(days=7), time.min, tzinfo=zone)
    if now < begin:
        raise AskPerson(f"{week} has not begun; choose an earlier week.")
    # the last moment of the week itself, not the first of the next
    as_of = min(now, end - timedelta(microseconds=1))
    history = history_of(connection, patient_id, as_of)
    # the alert on a week's finding may have been raised after the week
    alerts = kept.alerts_between(
        connection, patient_id=patient_id, since=begin, until=max(end, now + timedelta(seconds=1))
    )
    return patient_week(
        Inputs(
            history=history,
            concerns=_concerns(history, alerts, since=begin, as_of=as_of),
            alerts=tuple(_seen(_finding(each), each) for each in alerts if each.opened_at < end),
            rejected_at=kept.rejected_at(connection, patient_id=patient_id, since=begin, until=end),
            measuring=tuple(measuring),
        ),
        week=week,
        as_of=as_of,
    )


def report(
    connection: Connection[Any],
    *,
    patient_id: int,
    week: str,
    now: datetime,
    measuring: Sequence[Measuring] = (),
) -> tuple[Report, Signed | None]:
    """The report of a week: as signed where it is, else as the data stand now."""
    archived = reports.signed(connection, patient_id=patient_id, week=week)
    if archived is not None:
        return from_json(archived.content), archived
    numbers = weekly_report(
        connection, patient_id=patient_id, week=week, now=now, measuring=measuring
    )
    return build(numbers), None


def sign(
    connection: Connection[Any],
    *,
    patient_id: int,
    week: str,
    account_id: int,
    now: datetime,
    measuring: Sequence[Measuring] = (),
    comment: str = "",
) -> Signed:
    """The report, archived as it stands now under this account's name.

    Raises AskPerson for a week that is not over, or that somebody has signed. Who may sign is
    asked before (`api/access.py`).
    """
    numbers = weekly_report(
        connection, patient_id=patient_id, week=week, now=now, measuring=measuring
    )
    if numbers.is_running:
        raise AskPerson(f"{week} is not over yet; it can be signed from the next Monday on.")
    content = to_json(build(numbers))
    new = reports.sign(
        connection,
        patient_id=patient_id,
        week=week,
        content=content,
        signed_by=account_id,
        signed_at=now,
        comment=comment,
    )
    archived = reports.signed(connection, patient_id=patient_id, week=week)
    assert archived is not None
    if not new:
        raise AskPerson(f"{week} was signed by {archived.signed_by} already.")
    return archived


def _concerns(
    history: History, alerts: Sequence[AlertOfWeek], *, since: datetime, as_of: datetime
) -> tuple[AlertSeen, ...]:
    found = evaluate(history, standard_packs(), as_of)
    return tuple(_seen(each, _alert_of(each, alerts)) for each in found if each.at >= since)


def _alert_of(finding: Finding, alerts: Sequence[AlertOfWeek]) -> AlertOfWeek | None:
    """The alert of the same trouble: same rule, spans that meet."""
    for each in reversed(alerts):
        started_at = moment(each.body["started_at"])
        if each.rule == finding.rule and started_at <= finding.at and each.at >= finding.started_at:
            return each
    return None


def _seen(finding: Finding, alert: AlertOfWeek | None) -> AlertSeen:
    if alert is None:
        return AlertSeen(
            finding=finding, state=None, severity=finding.severity, opened_at=finding.at
        )
    return AlertSeen(
        finding=finding,
        state=alert.state,
        severity=max(finding.severity, alert.severity),
        opened_at=alert.opened_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        closed_at=alert.closed_at,
        closed_because=alert.closed_because,
    )


def _finding(row: AlertOfWeek) -> Finding:
    return finding_of(
        {
            "rule": row.rule,
            "pack": row.pack,
            "pack_version": row.pack_version,
            "severity": row.severity,
            "at": row.at,
            "episode": row.episode,
            "body": row.body,
        }
    )
