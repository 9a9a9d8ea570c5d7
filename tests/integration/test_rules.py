"""Judging against a real database: news in; findings, alerts and messages out, together."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

import rules.__main__ as process
from rules import records
from rules.config import RulesSettings
from rules.finding import encode
from rules.pack import standard_packs
from store import findings as kept
from store import people
from store.measurements import put_news, take_news
from store.pages import alerts as alerts_of
from store.pool import heartbeats, open_pool, transaction
from vitals.kinds import VITALS, Kind
from vitals.units import UNIT_CODE, Unit

PACKS = standard_packs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A patient with a cuff and a meter, and three people who may be told."""

    patient: int
    cuff: int
    meter: int
    gateway: int
    self_: int
    family: int
    doctor: int


def home(connection: Connection[Any], name: str = "王建国") -> Home:
    household = people.create_household(connection, name)
    patient = people.create_patient(connection, name=name, household_id=household)
    gateway = people.register_gateway(connection, name=f"g{patient}", household_id=household)
    accounts = []
    for role, relation in (("patient", "self"), ("family", "family"), ("doctor", "doctor")):
        account = people.create_account(connection, name=f"{name} {role}", role=role)
        people.relate(connection, account_id=account, patient_id=patient, relation=relation)
        accounts.append(account)
    return Home(
        patient=patient,
        cuff=people.bind_device(connection, f"ble:cuff{patient}", patient_id=patient),
        meter=people.bind_device(connection, f"ble:meter{patient}", patient_id=patient),
        gateway=gateway,
        self_=accounts[0],
        family=accounts[1],
        doctor=accounts[2],
    )


_numbers = iter(range(1, 1_000_000))


def measure(
    connection: Connection[Any], there: Home, kind: Kind, value: float, at: datetime, **others: Any
) -> None:
    """A measurement as ingest leaves it: the row, its day, the news."""
    unit = others.get("unit", Unit.MMOL_PER_L if kind is Kind.GLUCOSE else Unit.MMHG)
    # the unit of a kind that is neither: its first
    if kind not in (Kind.GLUCOSE, Kind.SYSTOLIC, Kind.DIASTOLIC):
        unit = VITALS[kind].scales[0].unit
    device = there.meter if kind is Kind.GLUCOSE else there.cuff
    sequence = others.get("sequence", next(_numbers))
    connection.execute(
        "INSERT INTO measurement (taken_at, device_id, kind, sequence, patient_id, value, unit,"
        " clock, gateway_id) VALUES (%s, %s, %s, %s, %s, %s, %s, 1, %s)",
        (
            at, device, VITALS[kind].code, sequence, there.patient, value, UNIT_CODE[unit],
            there.gateway,
        ),
    )  # fmt: skip
    connection.execute(
        "INSERT INTO measurement_day AS day VALUES (%s, %s, %s,"
        " (%s AT TIME ZONE 'Asia/Shanghai')::date, 1, %s, %s, %s, %s, %s)"
        " ON CONFLICT (patient_id, kind, unit, local_day) DO UPDATE"
        " SET n = day.n + 1, last_at = GREATEST(day.last_at, excluded.last_at)",
        (
            there.patient, VITALS[kind].code, UNIT_CODE[unit], at, value, value, value, at, at,
        ),
    )  # fmt: skip
    news(connection, there, at)


def news(connection: Connection[Any], there: Home, at: datetime) -> None:
    put_news(connection, consumer="rules", patient_ids=[there.patient], earliest=at, latest=at)
    connection.execute("NOTIFY kangban_news")


def pressure(
    connection: Connection[Any], there: Home, systolic: float, diastolic: float, at: datetime
) -> None:
    sequence = next(_numbers)
    measure(connection, there, Kind.SYSTOLIC, systolic, at, sequence=sequence)
    measure(connection, there, Kind.DIASTOLIC, diastolic, at, sequence=sequence)


def judge(url: str, there: Home, now: datetime) -> None:
    with psycopg.connect(url) as connection:
        take_news(connection, consumer="rules", limit=1)
        records.judge(connection, patient_id=there.patient, packs=PACKS, now=now)


def rows(url: str, query: str, *values: Any) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()


def outbox_of(url: str, account: int) -> list[dict[str, Any]]:
    found = rows(url, "SELECT body FROM outbox WHERE account_id = %s ORDER BY id", account)
    return [body for (body,) in found]


@contextmanager
def running(url: str, **settings: Any) -> Iterator[None]:
    """The process itself, in a thread."""
    stop = threading.Event()
    given = RulesSettings(database_url=url, **settings)
    thread = threading.Thread(target=process.run, args=(given, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def until(condition: Callable[[], bool], within_s: float = 10.0) -> float:
    """Seconds until something is so."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, "it did not become so"
        time.sleep(0.005)
    return time.monotonic() - began


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_a_low_becomes_a_finding_an_alert_and_three_messages(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        measure(connection, there, Kind.GLUCOSE, 2.8, now - timedelta(minutes=2))
    judge(database, there, now)
    with psycopg.connect(database) as connection:
        (alert,) = alerts_of(connection, [there.patient], since=now)
    assert (alert.rule, alert.state, alert.severity) == ("glu.hypo.l2", "open", 3)
    assert alert.body["numbers"]["value"] == 2.8
    (family,) = outbox_of(database, there.family)
    assert family["title"]["zh"] == "王建国：血糖非常低（2级）"
    assert family["link"] == "/family"
    assert outbox_of(database, there.self_)[0]["text"]["en"].startswith("Glucose 2.8 mmol/L")
    assert outbox_of(database, there.doctor)[0]["link"] == f"/doctor/patients/{there.patient}"


def test_judging_again_changes_nothing(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        measure(connection, there, Kind.GLUCOSE, 2.8, now - timedelta(minutes=2))
    for minute in range(3):
        judge(database, there, now + timedelta(minutes=minute))
    assert rows(database, "SELECT count(*) FROM finding") == [(1,)]
    assert rows(database, "SELECT count(*) FROM alert") == [(1,)]
    assert rows(database, "SELECT count(*) FROM outbox") == [(3,)]


def test_the_same_readings_give_the_same_bytes(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        for ago in range(30, 0, -1):
            at = now - timedelta(days=ago)
            pressure(connection, there, 138 + ago % 7, 84 + ago % 3, at)
            pressure(connection, there, 140 + ago % 5, 86, at + timedelta(minutes=1))
        first = records.history_of(connection, there.patient, now)
        second = records.history_of(connection, there.patient, now)
    from rules.evaluate import evaluate

    a = [encode(each) for each in evaluate(first, PACKS, now)]
    assert a == [encode(each) for each in evaluate(second, PACKS, now)]
    assert a


def test_eight_weeks_of_history_that_arrive_late_wake_nobody(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        for ago in range(56, 4, -1):
            at = now - timedelta(days=ago)
            measure(connection, there, Kind.GLUCOSE, 2.6 if ago % 9 == 0 else 6.0, at)
            pressure(connection, there, 190 if ago % 11 == 0 else 128, 80, at)
    judge(database, there, now)
    # what is still arriving is no silence
    assert rows(database, "SELECT DISTINCT rule FROM alert") == []
    judge(database, there, now + timedelta(minutes=1))
    told = rows(database, "SELECT DISTINCT rule FROM alert")
    # that nothing came for four days is news; what was measured before is not
    assert told == [("silence.no_data",)]
    assert rows(database, "SELECT count(*) FROM finding WHERE rule = 'glu.hypo.l2'") != [(0,)]


def test_a_person_takes_an_alert_on_once(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        measure(connection, there, Kind.GLUCOSE, 2.8, now - timedelta(minutes=2))
    judge(database, there, now)
    with psycopg.connect(database) as connection:
        (alert,) = alerts_of(connection, [there.patient], since=now)
        for account in (there.family, there.doctor):
            assert records.acknowledge(
                connection,
                patient_id=there.patient,
                alert_id=alert.id,
                account_id=account,
                now=now + timedelta(minutes=1),
            )
        assert not records.acknowledge(
            connection, patient_id=there.patient + 99, alert_id=alert.id, account_id=1, now=now
        )
        (alert,) = alerts_of(connection, [there.patient], since=now)
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", "王建国 family")
    judge(database, there, now + timedelta(minutes=2))
    assert rows(database, "SELECT state FROM alert") == [("acknowledged",)]


def test_recovery_closes_the_alert_and_is_told(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        measure(connection, there, Kind.GLUCOSE, 2.8, now - timedelta(minutes=20))
    judge(database, there, now - timedelta(minutes=19))
    with psycopg.connect(database) as connection:
        measure(connection, there, Kind.GLUCOSE, 5.4, now)
    judge(database, there, now)
    assert rows(database, "SELECT state, closed_because FROM alert") == [("closed", "recovered")]
    assert outbox_of(database, there.family)[-1]["title"]["zh"].startswith("已恢复：")
    judge(database, there, now + timedelta(minutes=1))
    assert rows(database, "SELECT count(*) FROM alert") == [(1,)]


def test_a_low_that_was_over_before_it_arrived_is_told_once_and_closed(
    database: str, now: datetime
) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        measure(connection, there, Kind.GLUCOSE, 2.8, now - timedelta(minutes=20))
        measure(connection, there, Kind.GLUCOSE, 6.0, now - timedelta(minutes=3))
    judge(database, there, now)
    assert rows(database, "SELECT state, closed_because FROM alert") == [("closed", "recovered")]
    (only,) = outbox_of(database, there.family)
    assert "测得 6.0 mmol/L" in only["text"]["zh"]


def test_a_repeat_takes_back_what_a_single_reading_said(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        pressure(connection, there, 184, 100, now - timedelta(minutes=6))
    judge(database, there, now - timedelta(minutes=5))
    with psycopg.connect(database) as connection:
        pressure(connection, there, 160, 92, now)
    judge(database, there, now)
    assert rows(database, "SELECT state, severity, closed_because FROM alert") == [
        ("closed", 1, "withdrawn")
    ]
    assert rows(database, "SELECT rule FROM finding WHERE withdrawn_at IS NULL") == []


def test_an_alert_that_was_taken_back_lives_again_when_its_finding_does(
    database: str, now: datetime
) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
    sitting = ((185, 100), (160, 95), (210, 112))
    for minutes, (systolic, diastolic) in enumerate(sitting, start=-3):
        at = now + timedelta(minutes=minutes)
        with psycopg.connect(database) as connection:
            pressure(connection, there, systolic, diastolic, at)
        judge(database, there, at)
    assert rows(database, "SELECT state, severity, closed_at, closed_because FROM alert") == [
        ("open", 3, None, None)
    ]
    assert len(outbox_of(database, there.family)) == 1
    # the first reading, then what the sitting says
    assert len(outbox_of(database, there.self_)) == 2


def test_the_patient_is_due_again_when_a_hold_ends(database: str, now: datetime) -> None:
    with psycopg.connect(database) as connection:
        there = home(connection)
        pressure(connection, there, 190, 112, now)
    judge(database, there, now)
    ((due,),) = rows(database, "SELECT due_at FROM judgement")
    assert due == now + timedelta(minutes=15)
    later = now + timedelta(minutes=15)
    with psycopg.connect(database) as connection:
        assert kept.put_due(connection, consumer="rules", now=later, again=timedelta(minutes=5))
        assert not kept.put_due(connection, consumer="rules", now=later, again=timedelta(minutes=5))
    judge(database, there, later)
    assert rows(database, "SELECT state, severity FROM alert") == [("open", 3)]
    assert len(outbox_of(database, there.self_)) == 2
    assert len(outbox_of(database, there.family)) == 1


def test_the_process_opens_an_alert_within_a_second_of_the_commit(timescale_url: str) -> None:
    with psycopg.connect(timescale_url) as connection:
        homes = [home(connection, f"患者{number}") for number in range(5)]
    with running(timescale_url), psycopg.connect(timescale_url, autocommit=True) as watch:
        until(lambda: bool(watch.execute(_LISTENS).fetchone()))
        took = []
        for there in homes:
            with psycopg.connect(timescale_url) as connection:
                measure(connection, there, Kind.GLUCOSE, 2.8, datetime.now(UTC))
            took.append(until(lambda there=there: _has_alert(watch, there)))  # type: ignore[misc]
        assert max(took) < 1.0, took


def test_a_patient_who_cannot_be_judged_does_not_hold_up_the_others(
    embedded_url: str,
) -> None:
    with psycopg.connect(embedded_url) as connection:
        broken, well = home(connection, "甲"), home(connection, "乙")
        # a target that no number can be made of: what must not happen, happened
        people.set_targets(connection, patient_id=broken.patient, targets={"systolic_mmhg": "much"})
        for there in (broken, well):
            measure(connection, there, Kind.GLUCOSE, 2.8, datetime.now(UTC))
    with running(embedded_url):
        until(lambda: rows(embedded_url, "SELECT count(*) FROM alert") == [(1,)])
        until(lambda: rows(embedded_url, "SELECT count(*) FROM judgement") == [(2,)])
    with psycopg.connect(embedded_url) as connection:
        (failure,) = kept.failures(connection)
        assert failure.patient_id == broken.patient
        assert "much" in failure.failure
        assert failure.due_at > datetime.now(UTC)
        # mended, it is judged when it is due again
        people.set_targets(connection, patient_id=broken.patient, targets={})
        connection.execute("UPDATE judgement SET due_at = now()")
    with running(embedded_url):
        until(lambda: rows(embedded_url, "SELECT count(*) FROM alert") == [(2,)])
    with psycopg.connect(embedded_url) as connection:
        assert kept.failures(connection) == ()


def test_the_process_outlives_a_database_that_goes_away(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        there = home(connection)
    with running(embedded_url, poll_s=0.5):
        until(lambda: "rules" in _beats(embedded_url))
        with psycopg.connect(embedded_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with psycopg.connect(embedded_url) as connection:
            measure(connection, there, Kind.GLUCOSE, 2.8, datetime.now(UTC))
        until(lambda: rows(embedded_url, "SELECT count(*) FROM alert") == [(1,)])


def test_two_workers_judge_each_patient_once(embedded_url: str) -> None:
    with psycopg.connect(embedded_url) as connection:
        homes = [home(connection, f"患者{number}") for number in range(20)]
        for there in homes:
            measure(connection, there, Kind.GLUCOSE, 2.8, datetime.now(UTC))
    with running(embedded_url), running(embedded_url):
        until(lambda: rows(embedded_url, "SELECT count(*) FROM news") == [(0,)], within_s=30)
    assert rows(embedded_url, "SELECT count(*) FROM alert") == [(20,)]
    assert rows(embedded_url, "SELECT count(*) FROM outbox") == [(60,)]


_LISTENS = "SELECT 1 FROM pg_stat_activity WHERE query ~ '^LISTEN'"


def _has_alert(connection: Connection[Any], there: Home) -> bool:
    query = "SELECT 1 FROM alert WHERE patient_id = %s"
    return connection.execute(query, (there.patient,)).fetchone() is not None


def _beats(url: str) -> dict[str, datetime]:
    with open_pool(url, process="test") as pool, transaction(pool) as connection:
        return heartbeats(connection)


def test_old_news_are_gathered_and_new_ones_judged_at_once(
    embedded_url: str, now: datetime
) -> None:
    with psycopg.connect(embedded_url) as connection:
        late, live = home(connection, "甲"), home(connection, "乙")
        for ago in range(30, 20, -1):
            pressure(connection, late, 150, 92, now - timedelta(days=ago))
        measure(connection, live, Kind.GLUCOSE, 2.8, now)
    with open_pool(embedded_url, process="test") as pool:
        assert process.take(pool, PACKS) == [live.patient]
        assert process.take(pool, PACKS) is None
    due = dict(rows(embedded_url, "SELECT patient_id, due_at FROM judgement"))
    assert due[late.patient] > due[live.patient]
    # a worker that dies here has lost nobody
    with psycopg.connect(embedded_url) as connection:
        later = now + timedelta(seconds=30)
        assert (
            kept.put_due(connection, consumer="rules", now=later, again=timedelta(minutes=5)) == 2
        )


def test_ingest_does_not_wait_for_a_judgement(embedded_url: str, now: datetime) -> None:
    with psycopg.connect(embedded_url) as connection:
        there = home(connection)
        measure(connection, there, Kind.GLUCOSE, 2.8, now)
    with open_pool(embedded_url, process="test") as pool:
        assert process.take(pool, PACKS) == [there.patient]
        with transaction(pool) as judging:
            kept.hold(judging, there.patient)
            records.judge(judging, patient_id=there.patient, packs=PACKS, now=now)
            with psycopg.connect(embedded_url) as connection:
                connection.execute("SET lock_timeout = '1s'")
                measure(connection, there, Kind.GLUCOSE, 5.0, now)
    assert rows(embedded_url, "SELECT count(*) FROM news") == [(1,)]


def test_a_weight_of_half_a_year_ago_and_the_days_of_a_band_are_known(
    embedded_url: str, now: datetime
) -> None:
    with psycopg.connect(embedded_url) as connection:
        there = home(connection)
        measure(connection, there, Kind.WEIGHT, 80.0, now - timedelta(days=182))
        measure(connection, there, Kind.WEIGHT, 75.0, now - timedelta(hours=1))
        measure(connection, there, Kind.SPO2, 90, now - timedelta(minutes=20))
        for ago in range(1, 36):
            measure(
                connection, there, Kind.STEPS, 2000 if ago <= 7 else 6000, now - timedelta(days=ago)
            )
    judge(embedded_url, there, now)
    raised = rows(embedded_url, "SELECT rule, severity FROM alert ORDER BY rule")
    assert raised == [("activity.steps.drop", 1), ("spo2.severe", 3), ("weight.loss.6m", 2)]


def test_a_band_brings_its_days_and_not_its_values(embedded_url: str, now: datetime) -> None:
    with psycopg.connect(embedded_url) as connection:
        there = home(connection)
        measure(connection, there, Kind.HEART_RATE, 150, now - timedelta(minutes=5))
        history = records.history_of(connection, there.patient, now)
    assert history.points == ()
    (day,) = history.days
    assert (day.n, day.mean, day.most) == (1, 150, 150)
