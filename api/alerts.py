"""Alerts over JSON: list them, take one on.

May hold: shapes, reads, and the one way in which an alert is taken on. May not: the life of an
alert (`rules/alert.py`), SQL.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.access import Deed
from api.errors import Unknown
from api.visitor import Db, Now, SignedIn, allowed, signed_json
from rules import records
from store import pages
from store.pages import AlertRow
from store.pool import Pool, transaction

router = APIRouter(prefix="/api/patients/{patient_id}/alerts", tags=["alerts"])


class AlertOut(BaseModel):
    """An alert and the finding it lives on. Sentences are by reader, each in zh and en."""

    id: int
    rule: str
    state: str
    severity: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_because: str | None
    at: datetime
    title: dict[str, str]
    sentences: dict[str, dict[str, str]]
    numbers: dict[str, Any]
    evidence: list[dict[str, Any]]


@router.get("")
def alerts(
    patient_id: Annotated[int, Depends(allowed(Deed.VIEW))],
    db: Db,
    now: Now,
    days: Annotated[int, Query(ge=0, le=400, description="closed ones of so many days too")] = 7,
) -> list[AlertOut]:
    """The living alerts, gravest first, then those closed within the last days."""
    with transaction(db) as connection:
        rows = pages.alerts(connection, [patient_id], since=now - timedelta(days=days))
    return [_out(row) for row in rows]


@router.post("/{alert_id}/acknowledge", dependencies=[Depends(signed_json)])
def acknowledge(
    patient_id: Annotated[int, Depends(allowed(Deed.ACKNOWLEDGE))],
    alert_id: int,
    visitor: SignedIn,
    db: Db,
    now: Now,
) -> AlertOut:
    """Takes an alert on; a second time changes nothing."""
    take_on(db, patient_id=patient_id, alert_id=alert_id, account_id=visitor.account.id, now=now)
    with transaction(db) as connection:
        rows = pages.alerts(connection, [patient_id], since=now - timedelta(days=1))
    return next(_out(row) for row in rows if row.id == alert_id)


def take_on(db: Pool, *, patient_id: int, alert_id: int, account_id: int, now: datetime) -> None:
    """Somebody takes an alert of this patient on. Raises Unknown for one of somebody else."""
    with transaction(db) as connection:
        if not records.acknowledge(
            connection, patient_id=patient_id, alert_id=alert_id, account_id=account_id, now=now
        ):
            raise Unknown("There is no such alert.")


def _out(row: AlertRow) -> AlertOut:
    return AlertOut(
        id=row.id,
        rule=row.rule,
        state=row.state,
        severity=row.severity,
        opened_at=row.opened_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
        at=row.at,
        title=row.body.get("title", {}),
        sentences=row.body.get("sentences", {}),
        numbers=row.body.get("numbers", {}),
        evidence=row.body.get("evidence", []),
    )
