"""Builders that start valid; a test spoils one field."""

from datetime import UTC, datetime, timedelta
from typing import Any

from store.measurements import Stored
from store.pages import AlertRow
from vitals.kinds import Kind
from vitals.measurement import Clock
from vitals.units import Unit

# 12:30 in Shanghai on Sunday 22 November 2026
NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def stored(kind: Kind, value: float, unit: Unit, **changes: Any) -> Stored:
    """A value of this morning that nobody doubts."""
    fields: dict[str, Any] = {
        "taken_at": ago(hours=5),
        "device": "ble:cuff",
        "sequence": 7,
        "clock": Clock.MEASURED,
        "device_time": None,
        "clock_offset_s": 0,
        "user": None,
        "meal": None,
        "flags": (),
        "received_at": ago(hours=4),
    }
    return Stored(kind=kind, value=value, unit=unit, **{**fields, **changes})


def cuff(systolic: float, diastolic: float, **changes: Any) -> dict[Kind, Stored]:
    """The three values of one cuff reading in mmHg."""
    return {
        Kind.SYSTOLIC: stored(Kind.SYSTOLIC, systolic, Unit.MMHG, **changes),
        Kind.DIASTOLIC: stored(Kind.DIASTOLIC, diastolic, Unit.MMHG, **changes),
        Kind.PULSE: stored(Kind.PULSE, 72, Unit.PER_MINUTE, **changes),
    }


def alert_row(**changes: Any) -> AlertRow:
    """An open alert of this morning, as grave as a low glucose."""
    fields: dict[str, Any] = {
        "id": 1,
        "patient_id": 1,
        "rule": "glu.hypo.l2",
        "state": "open",
        "severity": 3,
        "opened_at": ago(hours=1),
        "acknowledged_at": None,
        "acknowledged_by": None,
        "closed_at": None,
        "closed_because": None,
        "at": ago(hours=1),
        "body": {
            "title": {"zh": "血糖很低", "en": "Very low glucose"},
            "sentences": {
                "patient": {"zh": "请马上吃糖。", "en": "Eat sugar now."},
                "family": {"zh": "请马上打电话。", "en": "Please call now."},
                "doctor": {"zh": "血糖 2.8 mmol/L。", "en": "Glucose 2.8 mmol/L."},
            },
            "numbers": {"value": 2.8},
            "evidence": [],
        },
    }
    return AlertRow(**{**fields, **changes})
