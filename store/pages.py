"""What pages read: whole panels and families at once, never a query for each patient.

Each call takes all patients of a page and costs a few index probes for each, however many years are
kept. May hold: page-shaped reads over `sql/pages.sql`. May not: writes, judgement, who may see whom
(the caller has asked).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from store.named import queries
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit

_SQL = queries("pages")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    """A patient in a doctor's list. `due_week`: the last whole week, `signed_at`: its signature.

    `due_readings`: was anything measured in that week? `reviewed_at`: the newest signature of all.
    """

    id: int
    name: str
    sex: str | None
    born_on: date | None
    conditions: list[str]
    timezone: str
    locale: str
    targets: dict[str, Any]
    last_at: datetime | None
    due_week: str
    signed_at: datetime | None
    reviewed_at: datetime | None
    due_readings: bool
    proposals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekNumbers:
    """One kind in one unit over a patient's last seven days, and the seven before.

    `low_days` and `high_days` count days with a value beyond the given cut-points of the unit.
    """

    patient_id: int
    kind: int
    unit: int
    n: int
    sum: float
    min: float | None
    max: float | None
    days: int
    low_days: int
    high_days: int
    n_before: int
    sum_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Cut-points in one unit: below `low` and above `high` a day counts."""

    kind: Kind
    unit: Unit
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One kind, one unit, one local day of one patient; codes as in `vitals`."""

    patient_id: int
    kind: int
    unit: int
    local_day: date
    n: int
    sum: float
    min: float
    max: float
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert with the finding it lives on; `at` is the moment the finding speaks of."""

    id: int
    patient_id: int
    rule: str
    state: str
    severity: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    closed_at: datetime | None
    closed_because: str | None
    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRow:
    """A gateway that serves a patient."""

    patient_id: int
    id: int
    name: str
    last_seen_at: datetime | None
    spooled: int | None
    registered_at: datetime
    health: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device whose readings are a patient's."""

    patient_id: int
    id: int
    name: str
    kind: str
    model: str
    battery_percent: int | None
    last_seen_at: datetime | None
    failure: str | None
    first_seen_at: datetime


def panel(connection: Connection[Any], *, account_id: int, now: datetime) -> list[PanelRow]:
    """The patients of a doctor, in no order of need."""
    with connection.cursor(row_factory=class_row(PanelRow)) as cursor:
        return cursor.execute(_SQL["panel"], {"account_id": account_id, "now": now}).fetchall()


def panel_numbers(
    connection: Connection[Any],
    *,
    account_id: int,
    kinds: Sequence[Kind],
    cuts: Sequence[Cut],
    now: datetime,
) -> list[WeekNumbers]:
    """The last seven days of some kinds for every patient of a doctor, and the seven before."""
    with connection.cursor(row_factory=class_row(WeekNumbers)) as cursor:
        return cursor.execute(
            _SQL["panel_numbers"],
            {
                "account_id": account_id,
                "kinds": [VITALS[kind].code for kind in kinds],
                "cut_kinds": [VITALS[cut.kind].code for cut in cuts],
                "cut_units": [UNIT_CODE[cut.unit] for cut in cuts],
                "lows": [float(cut.low) for cut in cuts],
                "highs": [float(cut.high) for cut in cuts],
                "now": now,
            },
        ).fetchall()


def days(
    connection: Connection[Any],
    *,
    patients: Sequence[int],
    kinds: Sequence[Kind],
    now: datetime,
    last: int,
) -> list[Day]:
    """The rollup of the `last` local days, today included."""
    with connection.cursor(row_factory=class_row(Day)) as cursor:
        return cursor.execute(
            _SQL["days"],
            {
                "patients": list(patients),
                **_pairs(kinds),
                "now": now,
                "days": last,
            },
        ).fetchall()


def alerts(
    connection: Connection[Any], patients: Sequence[int], *, since: datetime
) -> list[AlertRow]:
    """The living alerts and those closed since then, gravest and newest first."""
    with connection.cursor(row_factory=class_row(AlertRow)) as cursor:
        return cursor.execute(
            _SQL["alerts"], {"patients": list(patients), "since": since}
        ).fetchall()


def gateways(connection: Connection[Any], patients: Sequence[int]) -> list[GatewayRow]:
    """The gateways that serve these patients."""
    with connection.cursor(row_factory=class_row(GatewayRow)) as cursor:
        return cursor.execute(_SQL["gateways"], {"patients": list(patients)}).fetchall()


def devices(connection: Connection[Any], patients: Sequence[int]) -> list[DeviceRow]:
    """The devices of these patients."""
    with connection.cursor(row_factory=class_row(DeviceRow)) as cursor:
        return cursor.execute(_SQL["devices"], {"patients": list(patients)}).fetchall()


def _pairs(kinds: Sequence[Kind]) -> dict[str, list[int]]:
    """Each of these kinds in each unit that it may have, as two columns."""
    pairs = [
        (VITALS[kind].code, UNIT_CODE[scale.unit])
        for kind in kinds
        for scale in VITALS[kind].scales
    ]
    return {"kinds": [kind for kind, _ in pairs], "units": [unit for _, unit in pairs]}
