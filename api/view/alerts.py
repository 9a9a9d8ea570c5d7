"""Alerts as one reader sees them: the rule's own words for that reader, gravest first.

The severity from which on a reader is bothered is clinical reference §1's ladder: S1 speaks to the
patient, S2 to the doctor's list and the family's summary. May hold: this choice of words and
severity. May not: moving alerts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from api.moment import is_chinese
from api.view.glance import Mood
from store.pages import AlertRow


class Reader(StrEnum):
    """Who reads; also the key of the finding's sentences."""

    PATIENT = "patient"
    FAMILY = "family"
    DOCTOR = "doctor"


# S0-S4; clinical reference §1
LEAST_SEVERITY = {Reader.PATIENT: 1, Reader.FAMILY: 2, Reader.DOCTOR: 1}
# from here on family and doctor are told at once
GRAVE = 3
# red flag: call 120
RED_FLAG = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertShown:
    """One alert in the reader's language."""

    id: int
    patient_id: int
    rule: str
    severity: int
    mood: Mood
    title: str
    sentence: str
    at: datetime
    opened_at: datetime
    is_open: bool
    is_closed: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    evidence: tuple[Mapping[str, Any], ...]
    # the silent hop, where the alert is about silence
    hop: str | None = None


def shown(rows: Sequence[AlertRow], *, reader: Reader, locale: str) -> list[AlertShown]:
    """The alerts that this reader is to see, in the order of the rows."""
    return [
        _shown(row, reader=reader, locale=locale)
        for row in rows
        if row.severity >= LEAST_SEVERITY[reader]
    ]


def mood_of(severity: int) -> Mood:
    """How grave an alert of this severity looks."""
    if severity >= GRAVE:
        return Mood.CALL
    return Mood.LOOK if severity > 0 else Mood.NONE


def in_locale(texts: Mapping[str, str] | None, locale: str) -> str:
    """The text in the reader's language; empty where a finding says nothing to this reader."""
    if not texts:
        return ""
    return texts.get("zh" if is_chinese(locale) else "en", "")


def _shown(row: AlertRow, *, reader: Reader, locale: str) -> AlertShown:
    is_closed = row.state == "closed"
    return AlertShown(
        id=row.id,
        patient_id=row.patient_id,
        rule=row.rule,
        severity=row.severity,
        mood=Mood.NONE if is_closed else mood_of(row.severity),
        title=in_locale(row.body.get("title"), locale),
        sentence=in_locale(row.body.get("sentences", {}).get(reader.value), locale),
        at=row.at,
        opened_at=row.opened_at,
        is_open=row.state == "open",
        is_closed=is_closed,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        closed_at=row.closed_at,
        evidence=tuple(row.body.get("evidence", ())),
        hop=row.body.get("numbers", {}).get("hop"),
    )
