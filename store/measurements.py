"""What is stored of measurements, for everybody who reads: series, newest values, days, news.

Writing is `intake.py`'s. May hold: reads over `sql/measurements.sql` and their nouns, and the news
by which a process learns whom to look at. May not: judgement, who may see whom.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from store.named import queries
from vitals.kinds import KIND_OF_CODE, VITALS, Kind
from vitals.measurement import CLOCK_OF_CODE, FLAG_BIT, MEAL_OF_CODE, Clock, Flag, Meal
from vitals.units import UNIT_CODE, UNIT_OF_CODE, Unit

_SQL = queries("measurements")

# every kind in every unit that it may have, as two columns
_SCALES = [(row.code, UNIT_CODE[scale.unit]) for row in VITALS.values() for scale in row.scales]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One measurement as it is kept; `value` in `unit` as measured, moments in UTC.

    `device` is the device's lasting name, `user` its own user number, `device_time` what its own
    clock showed and `clock_offset_s` the seconds that were added to it.
    """

    kind: Kind
    value: float
    unit: Unit
    taken_at: datetime
    device: str
    sequence: int
    clock: Clock
    device_time: datetime | None
    clock_offset_s: int
    user: int | None
    meal: Meal | None
    flags: tuple[Flag, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One local day of one patient, one kind, one unit. `sum` is exact.

    `received_at`: when the newest of its measurements was committed.
    """

    kind: Kind
    unit: Unit
    local_day: date
    n: int
    sum: Decimal
    min: float
    max: float
    first_at: datetime
    last_at: datetime
    received_at: datetime

    @property
    def mean(self) -> float:
        """The mean of the day's values."""
        return float(self.sum / self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A day whose rollup does not say what a recount says; None where one of them is missing."""

    patient_id: int
    kind: int
    unit: int
    local_day: date
    kept: dict[str, Any] | None
    counted: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of everything that arrived; `unassigned` are among `measurements`.

    `quarantined` wait for a person.
    """

    measurements: int
    unassigned: int
    quarantined: int
    rejections: int
    dead_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionKept:
    """A measurement that was refused, as it came, with every reason."""

    id: int
    gateway: str
    measurement_id: str | None
    document: Any
    reasons: list[str]
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterKept:
    """A message that could not be taken apart, as it came, with every reason."""

    id: int
    topic: str
    payload: bytes
    reasons: list[str]
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something new about a patient, between two moments of `taken_at`; it waits since `since`."""

    patient_id: int
    earliest: datetime
    latest: datetime
    since: datetime


# -- values ----------------------------------------------------------------------------------------


def newest(connection: Connection[Any], patient_id: int) -> dict[Kind, Stored]:
    """The newest measurement of each kind that a patient ever had."""
    kinds, units = zip(*_SCALES, strict=True)
    rows = connection.execute(
        _SQL["newest_of_patient"],
        {"patient_id": patient_id, "kinds": list(kinds), "units": list(units)},
    ).fetchall()
    return {each.kind: each for each in map(stored_of, rows)}


def series(
    connection: Connection[Any],
    *,
    patient_id: int,
    since: datetime,
    until: datetime,
    kinds: Collection[Kind] = tuple(Kind),
) -> list[Stored]:
    """A patient's measurements with since <= taken_at < until, in order of time."""
    # a sensor brings 26,000 values in ninety days: in binary they are a quarter quicker to read
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(
            _SQL["series"],
            {"patient_id": patient_id, "kinds": _codes(kinds), "since": since, "until": until},
        ).fetchall()
    return [stored_of(row) for row in rows]


def days(
    connection: Connection[Any],
    *,
    patient_id: int,
    first: date,
    last: date,
    kinds: Collection[Kind] = tuple(Kind),
) -> list[Day]:
    """A patient's local days from first to last, both included; a day without readings is absent.

    A kind measured in two units on one day has two rows.
    """
    rows = connection.execute(
        _SQL["days"],
        {"patient_id": patient_id, "kinds": _codes(kinds), "first": first, "last": last},
    ).fetchall()
    return [
        Day(
            kind=KIND_OF_CODE[kind],
            unit=UNIT_OF_CODE[unit],
            local_day=local_day,
            n=n,
            sum=total,
            min=least,
            max=most,
            first_at=first_at,
            last_at=last_at,
            received_at=received_at,
        )
        for kind, unit, local_day, n, total, least, most, first_at, last_at, received_at in rows
    ]


# -- checks ----------------------------------------------------------------------------------------


def differences(connection: Connection[Any], patient_id: int | None = None) -> list[Difference]:
    """The days on which the rollup and a recount of the measurements disagree; none: all is well.

    Reads every measurement, of one patient or of all.
    """
    with connection.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(_SQL["differences"], {"patient_id": patient_id}).fetchall()


def counts(connection: Connection[Any]) -> Counts:
    """How much there is of everything that arrived; reads every measurement."""
    with connection.cursor(row_factory=class_row(Counts)) as cursor:
        found = cursor.execute(_SQL["counts"]).fetchone()
    assert found is not None
    return found


def rejections(
    connection: Connection[Any], *, gateway: str | None = None, limit: int = 100
) -> list[RejectionKept]:
    """The measurements refused last, of one gateway or of all."""
    with connection.cursor(row_factory=class_row(RejectionKept)) as cursor:
        return cursor.execute(_SQL["rejections"], {"gateway": gateway, "limit": limit}).fetchall()


def dead_letters(connection: Connection[Any], *, limit: int = 100) -> list[DeadLetterKept]:
    """The messages last kept because they could not be taken apart."""
    with connection.cursor(row_factory=class_row(DeadLetterKept)) as cursor:
        return cursor.execute(_SQL["dead_letters"], {"limit": limit}).fetchall()


# -- news ------------------------------------------------------------------------------------------


def put_news(
    connection: Connection[Any],
    *,
    consumer: str,
    patient_ids: Collection[int],
    earliest: datetime,
    latest: datetime,
) -> None:
    """Leaves news of patients for one consumer, e.g. to have them judged again."""
    connection.execute(
        _SQL["put_news"],
        {
            "consumer": consumer,
            "patient_ids": list(patient_ids),
            "earliest": earliest,
            "latest": latest,
        },
    )


def take_news(connection: Connection[Any], *, consumer: str, limit: int = 1) -> list[News]:
    """The news that wait longest; they are gone once this transaction commits, and back if not.

    Until then, ingest waits before it adds news of the same patients: take few, commit soon.
    """
    with connection.cursor(row_factory=class_row(News)) as cursor:
        return cursor.execute(_SQL["take_news"], {"consumer": consumer, "limit": limit}).fetchall()


def _codes(kinds: Collection[Kind]) -> list[int]:
    return [VITALS[kind].code for kind in kinds]


@cache
def flags_of(bits: int) -> tuple[Flag, ...]:
    """The flags that a row's bits stand for."""
    return tuple(flag for flag, bit in FLAG_BIT.items() if bits & bit)


def stored_of(row: Any) -> Stored:
    """A measurement from a row of these columns, in the order in which `series` gives them."""
    (
        kind, value, unit, taken_at, sequence, clock, device_time, clock_offset_s, slot, meal,
        flags, device, received_at,
    ) = row  # fmt: skip
    return Stored(
        kind=KIND_OF_CODE[kind],
        value=value,
        unit=UNIT_OF_CODE[unit],
        taken_at=taken_at,
        device=device,
        sequence=sequence,
        clock=CLOCK_OF_CODE[clock],
        device_time=device_time,
        clock_offset_s=clock_offset_s,
        user=None if slot < 0 else slot,
        meal=None if meal is None else MEAL_OF_CODE[meal],
        flags=flags_of(flags),
        received_at=received_at,
    )
