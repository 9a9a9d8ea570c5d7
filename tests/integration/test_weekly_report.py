"""A week read from the store, signed, and read again byte for byte."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from rules.pack import standard_packs
from rules.records import judge
from rules.report.build import build, page_html, to_json
from rules.report.records import report, sign, weekly_report
from rules.report.shape import Action
from rules.report.week import Measuring
from store import people, reports
from vitals.errors import AskPerson, MendData
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit

# a Monday morning in Shanghai: 2026-W46 is over, W47 has begun
NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
WEEK = "2026-W46"


def patient_with_weeks(connection: Connection[Any], now: datetime = NOW) -> tuple[int, int]:
    """A patient and their doctor, with five weeks of twice two cuff readings behind them."""
    patient = people.create_patient(connection, name="王建国", conditions=["高血压"])
    doctor = people.create_account(connection, name="李医生", role="doctor")
    people.relate(connection, account_id=doctor, patient_id=patient, relation="doctor")
    gateway = people.register_gateway(connection, name=f"g{patient}")
    cuff = people.bind_device(connection, f"ble:cuff{patient}", patient_id=patient)
    sequence = 0
    for ago in range(35, 0, -1):
        for hour in (0, 12):
            for minute in (0, 1):
                sequence += 1
                at = (
                    now.replace(minute=0)
                    - timedelta(days=ago)
                    + timedelta(hours=hour - 1, minutes=minute)
                )
                for kind, value, unit in (
                    (Kind.SYSTOLIC, 150 - ago // 2, Unit.MMHG),
                    (Kind.DIASTOLIC, 84, Unit.MMHG),
                    (Kind.PULSE, 70, Unit.PER_MINUTE),
                ):
                    connection.execute(
                        "INSERT INTO measurement (taken_at, device_id, kind, sequence, patient_id,"
                        " value, unit, clock, gateway_id)"
                        " VALUES (%s, %s, %s, %s, %s, %s, %s, 1, %s)",
                        (
                            at, cuff, VITALS[kind].code, sequence, patient, value,
                            UNIT_CODE[unit], gateway,
                        ),
                    )  # fmt: skip
    return patient, doctor


def test_the_week_is_read_with_what_led_to_it(database: str) -> None:
    with psycopg.connect(database) as connection:
        patient, _ = patient_with_weeks(connection)
        week = weekly_report(connection, patient_id=patient, week=WEEK, now=NOW)
    assert week.pressure is not None
    assert (week.pressure.block.n, week.pressure.block.days) == (28, 7)
    assert week.pressure.pulse.mean == 70
    assert [each.n for each in week.pressure.before] == [28, 28, 28, 28]
    assert {each.finding.rule for each in week.concerns} >= {"bp.high.7d"}
    # the history came late: it raised no alert, and the report says so
    assert {each.state for each in week.concerns} == {None}
    shown = [
        block
        for section in build(week).sections
        for block in section.blocks
        if isinstance(block, Action)
    ]
    assert shown
    assert shown[0].state.zh == "未发出提醒"


def test_an_old_week_tells_of_itself_and_not_of_today(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        patient, _ = patient_with_weeks(connection)
        then = weekly_report(connection, patient_id=patient, week="2026-W43", now=NOW)
        soon_after = weekly_report(
            connection, patient_id=patient, week="2026-W43", now=NOW - timedelta(days=20)
        )
    assert to_json(build(then)) == to_json(build(soon_after))


def test_an_alert_stands_beside_its_finding(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        patient, _ = patient_with_weeks(connection)
        judge(connection, patient_id=patient, packs=standard_packs(), now=NOW)
        week = weekly_report(connection, patient_id=patient, week=WEEK, now=NOW)
    states = {each.finding.rule: each.state for each in week.concerns}
    assert states["bp.high.7d"] == "open"


def test_a_signed_week_stays_as_it_was_signed(database: str) -> None:
    measuring = [Measuring(session="bp", planned=14, done=14)]
    with psycopg.connect(database) as connection:
        patient, doctor = patient_with_weeks(connection)
        archived = sign(
            connection,
            patient_id=patient,
            week=WEEK,
            account_id=doctor,
            now=NOW,
            measuring=measuring,
            comment="复诊",
        )
        before, _ = report(connection, patient_id=patient, week=WEEK, now=NOW)
        # late data change nothing of it
        connection.execute("UPDATE measurement SET value = value + 20 WHERE kind = 3")
        after, signed = report(connection, patient_id=patient, week=WEEK, now=NOW)
    assert archived.digest == sha256(archived.content).digest()
    assert archived.is_intact
    assert to_json(after) == to_json(before) == archived.content
    assert page_html(after, "zh-CN") == page_html(before, "zh-CN")
    assert signed is not None
    assert (signed.signed_by, signed.comment, signed.signed_at) == ("李医生", "复诊", NOW)


def test_a_week_is_signed_once(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        patient, doctor = patient_with_weeks(connection)
        sign(connection, patient_id=patient, week=WEEK, account_id=doctor, now=NOW)
        with pytest.raises(AskPerson, match="2026-W46 was signed by 李医生 already"):
            sign(connection, patient_id=patient, week=WEEK, account_id=doctor, now=NOW)
        assert reports.signed_weeks(connection, patient) == (WEEK,)


def test_a_week_that_runs_is_shown_and_not_signed(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        patient, doctor = patient_with_weeks(connection)
        running, signed = report(connection, patient_id=patient, week="2026-W47", now=NOW)
        assert signed is None
        assert running.week == "2026-W47"
        with pytest.raises(AskPerson, match="not over yet"):
            sign(connection, patient_id=patient, week="2026-W47", account_id=doctor, now=NOW)


@pytest.mark.parametrize(
    ("week", "error"), [("2026-W60", MendData), ("soon", MendData), ("2026-W48", AskPerson)]
)
def test_a_week_that_cannot_be_is_refused_in_words(
    embedded_url: str, week: str, error: type[Exception]
) -> None:
    with psycopg.connect(embedded_url) as connection:
        patient, _ = patient_with_weeks(connection)
        with pytest.raises(error, match=week):
            weekly_report(connection, patient_id=patient, week=week, now=NOW)


def test_an_unknown_patient_is_refused_in_words(embedded_url: str) -> None:
    with (
        psycopg.connect(embedded_url) as connection,
        pytest.raises(MendData, match="no patient 999"),
    ):
        weekly_report(connection, patient_id=999, week=WEEK, now=NOW)
