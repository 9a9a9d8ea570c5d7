"""Findings, the alerts that live on them, and when a patient is to be judged again.

Every call works in the caller's transaction: findings, alerts and what people are told are
committed together. May hold: the calls over `sql/findings.sql` and their rows. May not: judgement,
the life of an alert (`rules/`), words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from store.named import queries

_SQL = queries("findings")

# the first wait after a failed judgement, and the longest
_RETRY, _RETRY_AT_MOST = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding as it is kept; `body` holds numbers, evidence and sentences."""

    rule: str
    pack: str
    pack_version: str
    severity: int
    at: datetime
    episode: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """An alert with the moment and the size of the evidence it stands on."""

    id: int
    rule: str
    episode: str
    state: str
    severity: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: int | None
    closed_at: datetime | None
    closed_because: str | None
    evidence_at: datetime
    beyond: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOfWeek:
    """An alert that lived in a span of time, with its finding; `acknowledged_by` is a name."""

    id: int
    rule: str
    state: str
    severity: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_because: str | None
    pack: str
    pack_version: str
    at: datetime
    episode: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A patient who could not be judged, how often, why, and when it is tried again."""

    patient_id: int
    judged_at: datetime | None
    due_at: datetime
    failures: int
    failure: str


# -- findings --------------------------------------------------------------------------------------


def keep_findings(
    connection: Connection[Any],
    *,
    patient_id: int,
    findings: Sequence[FindingRow],
    since: datetime,
    now: datetime,
) -> int:
    """How many findings changed: what is given is kept, what is not found again is taken back.

    `findings` are all that stand since `since`; older ones are left as they are.
    """
    columns = {
        "rules": [each.rule for each in findings],
        "packs": [each.pack for each in findings],
        "pack_versions": [each.pack_version for each in findings],
        "severities": [each.severity for each in findings],
        "ats": [each.at for each in findings],
        "episodes": [each.episode for each in findings],
        "bodies": [Jsonb(each.body) for each in findings],
    }
    given = {"patient_id": patient_id, "since": since, "now": now, **columns}
    changed = connection.execute(_SQL["keep_findings"], given).rowcount if findings else 0
    return changed + connection.execute(_SQL["withdraw_findings"], given).rowcount


def findings(
    connection: Connection[Any], *, patient_id: int, since: datetime
) -> tuple[FindingRow, ...]:
    """A patient's findings that stand, whose evidence is not older than `since`."""
    with connection.cursor(row_factory=class_row(FindingRow)) as cursor:
        return tuple(cursor.execute(_SQL["findings"], {"patient_id": patient_id, "since": since}))


# -- alerts ----------------------------------------------------------------------------------------


def alerts_to_follow(connection: Connection[Any], patient_id: int) -> tuple[AlertState, ...]:
    """A patient's living alerts, held until the transaction ends, and the last closed of each rule.

    Locked first and read after: who was taking one on meanwhile is seen.
    """
    connection.execute(_SQL["lock_alerts"], {"patient_id": patient_id})
    with connection.cursor(row_factory=class_row(AlertState)) as cursor:
        return tuple(cursor.execute(_SQL["living_and_last"], {"patient_id": patient_id}))


def alert_to_move(
    connection: Connection[Any], *, alert_id: int, patient_id: int
) -> AlertState | None:
    """One alert of this patient, held until the transaction ends; None where it is another's."""
    with connection.cursor(row_factory=class_row(AlertState)) as cursor:
        return cursor.execute(
            _SQL["alert_to_move"], {"id": alert_id, "patient_id": patient_id}
        ).fetchone()


def open_alert(
    connection: Connection[Any],
    *,
    patient_id: int,
    rule: str,
    episode: str,
    state: str,
    severity: int,
    opened_at: datetime,
    closed_at: datetime | None,
    closed_because: str | None,
) -> int | None:
    """The id of a new alert on a kept finding; None where the episode had its alert already."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        opened: int | None = cursor.execute(
            _SQL["open_alert"],
            {
                "patient_id": patient_id,
                "rule": rule,
                "episode": episode,
                "finding_id": _finding_id(connection, patient_id, rule, episode),
                "state": state,
                "severity": severity,
                "opened_at": opened_at,
                "closed_at": closed_at,
                "closed_because": closed_because,
            },
        ).fetchone()
        return opened


def move_alert(
    connection: Connection[Any], *, patient_id: int, alert: AlertState, has_finding: bool
) -> bool:
    """Whether the row changed: an alert as it stands now, on the finding of its episode."""
    found = _finding_id(connection, patient_id, alert.rule, alert.episode) if has_finding else None
    done = connection.execute(
        _SQL["move_alert"],
        {
            "id": alert.id,
            "state": alert.state,
            "severity": alert.severity,
            "finding_id": found,
            "acknowledged_at": alert.acknowledged_at,
            "acknowledged_by": alert.acknowledged_by,
            "closed_at": alert.closed_at,
            "closed_because": alert.closed_because,
        },
    )
    return done.rowcount > 0


def alerts_between(
    connection: Connection[Any], *, patient_id: int, since: datetime, until: datetime
) -> tuple[AlertOfWeek, ...]:
    """A patient's alerts that lived between two moments, oldest first."""
    with connection.cursor(row_factory=class_row(AlertOfWeek)) as cursor:
        return tuple(
            cursor.execute(
                _SQL["alerts_between"], {"patient_id": patient_id, "since": since, "until": until}
            )
        )


def notify_alerted(connection: Connection[Any], patient_id: int) -> None:
    """Lets plans and open pages know, once the transaction commits."""
    connection.execute(_SQL["alerted"], {"patient_id": patient_id})


# -- when to judge ---------------------------------------------------------------------------------


def note_due(connection: Connection[Any], due: Mapping[int, datetime]) -> dict[int, datetime]:
    """By when each patient is to be judged now: what is given, or an earlier moment noted before.

    Should the worker die, they are still due.
    """
    rows = connection.execute(
        _SQL["note_due"], {"patient_ids": list(due), "due_ats": list(due.values())}
    )
    return dict(rows.fetchall())


def hold(connection: Connection[Any], patient_id: int) -> None:
    """Keeps other workers from judging this patient until the transaction ends."""
    connection.execute(_SQL["hold"], {"patient_id": patient_id})


def judged(
    connection: Connection[Any], *, patient_id: int, now: datetime, due_at: datetime
) -> None:
    """A patient was judged, and is due again at `due_at` even without news."""
    connection.execute(_SQL["judged"], {"patient_id": patient_id, "now": now, "due_at": due_at})


def not_judged(connection: Connection[Any], *, patient_id: int, failure: str, now: datetime) -> int:
    """How many times in a row it has failed; it is tried again later, each time later still."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        failures: int | None = cursor.execute(
            _SQL["not_judged"],
            {
                "patient_id": patient_id,
                "failure": failure,
                "now": now,
                "wait": _RETRY,
                "at_most": _RETRY_AT_MOST,
            },
        ).fetchone()
        return failures or 1


def put_due(
    connection: Connection[Any],
    *,
    consumer: str,
    now: datetime,
    again: timedelta,
    limit: int = 1000,
) -> int:
    """How many patients were due: news of each is left for the consumer.

    Should the consumer not get to them, they are due again after `again`.
    """
    return connection.execute(
        _SQL["put_due"], {"consumer": consumer, "now": now, "again": again, "limit": limit}
    ).rowcount


def failures(connection: Connection[Any]) -> tuple[Failure, ...]:
    """The patients who could not be judged."""
    with connection.cursor(row_factory=class_row(Failure)) as cursor:
        return tuple(cursor.execute(_SQL["failures"]))


def _finding_id(
    connection: Connection[Any], patient_id: int, rule: str, episode: str
) -> int | None:
    with connection.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(
            _SQL["finding_id"], {"patient_id": patient_id, "rule": rule, "episode": episode}
        ).fetchone()
        return found


def rejected_at(
    connection: Connection[Any], *, patient_id: int, since: datetime, until: datetime
) -> tuple[datetime, ...]:
    """When values of the patient's devices were refused, between two moments."""
    rows = connection.execute(
        _SQL["rejected"], {"patient_id": patient_id, "since": since, "until": until}
    )
    return tuple(received_at for (received_at,) in rows)
