"""The doctor's list: the order of need, numbers of the week, nobody quiet on old data."""

from datetime import date
from typing import Any

from page_builders import NOW, ago, alert_row

from api.view.glance import Mood
from api.view.panel import PanelLine, Section, age_of, sections_of
from rules.need import Group
from store.pages import AlertRow, PanelRow, WeekNumbers
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit


def row(id: int = 1, **changes: Any) -> PanelRow:
    fields: dict[str, Any] = {
        "name": f"患者{id}",
        "sex": "female",
        "born_on": date(1950, 11, 23),
        "conditions": ["高血压"],
        "timezone": "Asia/Shanghai",
        "locale": "zh-CN",
        "targets": {},
        "last_at": ago(hours=5),
        "due_week": "2026-W46",
        "signed_at": ago(days=5),
        "reviewed_at": ago(days=5),
        "due_readings": True,
        "proposals": 0,
    }
    return PanelRow(id=id, **{**fields, **changes})


def week(kind: Kind, unit: Unit, **changes: Any) -> WeekNumbers:
    fields: dict[str, Any] = {
        "patient_id": 1,
        "n": 0,
        "sum": 0.0,
        "min": None,
        "max": None,
        "days": 0,
        "low_days": 0,
        "high_days": 0,
        "n_before": 0,
        "sum_before": 0.0,
    }
    return WeekNumbers(kind=VITALS[kind].code, unit=UNIT_CODE[unit], **{**fields, **changes})


def sections(
    *rows: PanelRow,
    numbers: tuple[WeekNumbers, ...] = (),
    alerts: tuple[AlertRow, ...] = (),
) -> list[Section]:
    return sections_of(rows, numbers=numbers, alerts=alerts, locale="en", now=NOW)


def only(*rows: PanelRow, **given: Any) -> PanelLine:
    (section,) = sections(*rows, **given)
    (line,) = section.lines
    return line


def test_a_grave_alert_lifts_a_patient_to_the_top_with_its_reason() -> None:
    found = sections(row(1), row(2), alerts=(alert_row(patient_id=2),))
    assert [each.group for each in found] == [Group.CALL_NOW, Group.QUIET]
    (line,) = found[0].lines
    assert (line.id, line.reason, line.open_alerts) == (2, "Very low glucose", 1)
    assert found[0].mood is Mood.CALL


def test_nobody_is_quiet_of_whom_nothing_was_measured_in_a_week() -> None:
    assert only(row(last_at=ago(days=7))).group is Group.QUIET
    assert only(row(last_at=ago(days=7, seconds=1))).group is Group.SILENT
    assert only(row(last_at=None)).group is Group.SILENT


def test_a_week_with_readings_and_no_signature_waits() -> None:
    assert only(row(signed_at=None)).is_unsigned
    assert only(row(signed_at=None)).group is Group.SIGN
    assert not only(row(signed_at=None, due_readings=False)).is_unsigned


def test_the_mean_is_over_readings_with_their_count_and_the_change() -> None:
    numbers = (
        week(Kind.SYSTOLIC, Unit.MMHG, n=4, sum=572.0, n_before=2, sum_before=270.0),
        week(Kind.DIASTOLIC, Unit.MMHG, n=4, sum=340.0),
    )
    line = only(row(), numbers=numbers)
    assert line.pressure is not None
    # 572 / 4 = 143, 340 / 4 = 85; 270 / 2 = 135
    assert (line.pressure.text, line.pressure.n, line.pressure.change) == ("143/85", 4, 8)


def test_kpa_and_mmhg_of_one_week_are_one_mean() -> None:
    numbers = (
        week(Kind.SYSTOLIC, Unit.MMHG, n=1, sum=120.0),
        # 18.6651 kPa = 140 mmHg
        week(Kind.SYSTOLIC, Unit.KPA, n=1, sum=18.6651),
    )
    line = only(row(), numbers=numbers)
    assert line.pressure is not None
    assert (line.pressure.text, line.pressure.n, line.pressure.change) == ("130/–", 2, None)


def test_glucose_shows_lowest_to_highest_with_unit_and_days_outside() -> None:
    numbers = (
        week(
            Kind.GLUCOSE, Unit.MMOL_PER_L, n=9, sum=60.0, min=2.8, max=14.1, low_days=1, high_days=3
        ),
    )
    line = only(row(), numbers=numbers)
    assert line.glucose is not None
    assert (line.glucose.text, line.glucose.unit) == ("2.8–14.1", "mmol/L")
    assert (line.glucose.low_days, line.glucose.high_days) == (1, 3)


def test_two_meters_in_two_units_share_one_range() -> None:
    numbers = (
        week(Kind.GLUCOSE, Unit.MMOL_PER_L, n=9, sum=60.0, min=4.0, max=9.0),
        # 54 mg/dL = 3.0 mmol/L
        week(Kind.GLUCOSE, Unit.MG_PER_DL, n=1, sum=54.0, min=54.0, max=54.0, low_days=1),
    )
    line = only(row(), numbers=numbers)
    assert line.glucose is not None
    assert (line.glucose.text, line.glucose.n, line.glucose.low_days) == ("3.0–9.0", 10, 1)


def test_a_week_with_nothing_but_last_weeks_values_shows_nothing() -> None:
    numbers = (week(Kind.GLUCOSE, Unit.MMOL_PER_L, n_before=3, sum_before=20.0),)
    line = only(row(), numbers=numbers)
    assert line.glucose is None
    assert line.pressure is None


def test_age_counts_whole_years() -> None:
    assert age_of(date(1950, 11, 22), date(2026, 11, 22)) == 76
    assert age_of(date(1950, 11, 23), date(2026, 11, 22)) == 75
    assert age_of(None, date(2026, 11, 22)) is None
