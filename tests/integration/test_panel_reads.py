"""What the doctor's list reads of the daily rollup: whose days count into which week."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from api.view.panel import CUTS, KINDS
from store import pages, people
from store.pages import PanelRow, WeekNumbers
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit

# a Wednesday noon in Shanghai; in Honolulu it is still Tuesday
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)


class Practice:
    """A doctor and the days of patients."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection
        self.doctor = people.create_account(connection, name="刘医生", role="doctor")

    def patient(self, timezone: str = "Asia/Shanghai") -> int:
        number = people.create_patient(self.connection, name="王建国", timezone=timezone)
        people.relate(self.connection, account_id=self.doctor, patient_id=number, relation="doctor")
        return number

    def day(
        self,
        patient: int,
        on: date,
        *values: float,
        kind: Kind = Kind.SYSTOLIC,
        unit: Unit = Unit.MMHG,
    ) -> None:
        at = datetime(on.year, on.month, on.day, 2, tzinfo=UTC)
        self.connection.execute(
            "INSERT INTO measurement_day VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                patient, VITALS[kind].code, UNIT_CODE[unit], on, len(values), sum(values),
                min(values), max(values), at, at,
            ),
        )  # fmt: skip

    def row(self) -> PanelRow:
        (found,) = pages.panel(self.connection, account_id=self.doctor, now=NOW)
        return found

    def numbers(self) -> list[WeekNumbers]:
        return pages.panel_numbers(
            self.connection, account_id=self.doctor, kinds=KINDS, cuts=CUTS, now=NOW
        )


@pytest.fixture
def practice(database: str) -> Iterator[Practice]:
    with psycopg.connect(database) as connection:
        yield Practice(connection)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_seven_days_are_this_week_and_the_seven_before_are_the_week_before(
    practice: Practice,
) -> None:
    patient = practice.patient()
    # tomorrow and a fortnight ago belong to neither
    for days_ago, value in [(-1, 1), (0, 120), (6, 130), (7, 140), (13, 150), (14, 2)]:
        practice.day(patient, ago(days_ago), value)
    (found,) = practice.numbers()
    assert (found.n, found.sum, found.min, found.max, found.days) == (2, 250, 120, 130, 2)
    assert (found.n_before, found.sum_before) == (2, 290)


def test_a_week_without_readings_keeps_what_was_before(practice: Practice) -> None:
    practice.day(practice.patient(), ago(9), 140, 150)
    (found,) = practice.numbers()
    assert (found.n, found.sum, found.min, found.max) == (0, 0, None, None)
    assert (found.n_before, found.sum_before) == (2, 290)


def test_days_are_the_patients_own(practice: Practice) -> None:
    # in Honolulu today is the 24th: the 25th has not come, and the 11th is thirteen days ago
    patient = practice.patient("Pacific/Honolulu")
    for on in (TODAY, ago(14)):
        practice.day(patient, on, 120)
    (found,) = practice.numbers()
    assert (found.n, found.n_before) == (0, 1)


@pytest.mark.parametrize(
    ("unit", "values", "low_days", "high_days"),
    [
        # 3.9 and 10.0 mmol/L, 70 and 180 mg/dL are within
        (Unit.MMOL_PER_L, [(3.8,), (3.9, 10.0), (10.1,)], 1, 1),
        (Unit.MG_PER_DL, [(69,), (70, 180), (181,)], 1, 1),
        # one day may be both
        (Unit.MMOL_PER_L, [(3.0, 15.0)], 1, 1),
    ],
)
def test_a_day_beyond_the_cut_points_of_its_unit_is_counted(
    practice: Practice,
    unit: Unit,
    values: list[tuple[float, ...]],
    low_days: int,
    high_days: int,
) -> None:
    patient = practice.patient()
    for days_ago, said in enumerate(values):
        practice.day(patient, ago(days_ago), *said, kind=Kind.GLUCOSE, unit=unit)
    (found,) = practice.numbers()
    assert (found.low_days, found.high_days) == (low_days, high_days)


def test_each_kind_and_unit_of_each_patient_is_counted_for_itself(practice: Practice) -> None:
    first, second = practice.patient(), practice.patient()
    practice.day(first, TODAY, 6.0, kind=Kind.GLUCOSE, unit=Unit.MMOL_PER_L)
    practice.day(first, TODAY, 110.0, kind=Kind.GLUCOSE, unit=Unit.MG_PER_DL)
    practice.day(second, TODAY, 130)
    # not a number of the list
    practice.day(second, TODAY, 71, kind=Kind.PULSE, unit=Unit.PER_MINUTE)
    found = {(each.patient_id, each.kind, each.unit): each.sum for each in practice.numbers()}
    glucose, systolic = VITALS[Kind.GLUCOSE].code, VITALS[Kind.SYSTOLIC].code
    assert found == {
        (first, glucose, UNIT_CODE[Unit.MMOL_PER_L]): 6.0,
        (first, glucose, UNIT_CODE[Unit.MG_PER_DL]): 110.0,
        (second, systolic, UNIT_CODE[Unit.MMHG]): 130.0,
    }


def test_the_newest_reading_may_be_of_any_kind_and_years_old(practice: Practice) -> None:
    patient = practice.patient()
    practice.day(patient, date(2019, 1, 1), 120)
    practice.day(patient, date(2020, 5, 5), 70, kind=Kind.WEIGHT, unit=Unit.KG)
    assert practice.row().last_at == datetime(2020, 5, 5, 2, tzinfo=UTC)


def test_somebody_without_readings_stands_in_the_list(practice: Practice) -> None:
    patient = practice.patient()
    found = practice.row()
    assert (found.id, found.last_at, found.due_readings) == (patient, None, False)
    assert practice.numbers() == []


@pytest.mark.parametrize(
    ("on", "is_due"),
    [
        # the last whole week: Monday the 16th to Sunday the 22nd
        (date(2026, 11, 15), False),
        (date(2026, 11, 16), True),
        (date(2026, 11, 22), True),
        (date(2026, 11, 23), False),
    ],
)
def test_a_report_is_due_for_the_last_whole_week_if_it_has_readings(
    practice: Practice, on: date, is_due: bool
) -> None:
    practice.day(practice.patient(), on, 36.6, kind=Kind.BODY_TEMPERATURE, unit=Unit.CELSIUS)
    assert (practice.row().due_week, practice.row().due_readings) == ("2026-W47", is_due)
