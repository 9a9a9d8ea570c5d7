"""A dangerous reading of an unknown user wakes nobody, until somebody says whose it is."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arriving import ABSENT, delivery, glucose

import rules.__main__ as process
from ingest.load import Loader
from rules.config import RulesSettings
from store import assignment, inbox, measurements, people
from store.pages import AlertRow
from store.pages import alerts as alerts_of
from store.pool import Pool, open_pool, transaction

CUFF = "ble:AA:BB:CC:00:00:09"
HALF_A_YEAR = timedelta(days=180)


@dataclass(kw_only=True)
class Home:
    """Mother, father, a son who may be told; a cuff whose user 2 nobody knows."""

    url: str
    pool: Pool
    mother: int
    father: int
    son: int
    now: datetime

    def bring(self, sequence: int, *, ago: timedelta) -> None:
        """220/130 of user 2, through the one write path."""
        at = self.now - ago
        documents = [
            glucose(
                sequence, at=at, device=CUFF, kind=kind, value=value, unit="mm[Hg]", meal=ABSENT,
                user=2,
            )
            | {"id": f"{sequence:015x}{place}"}
            for place, (kind, value) in enumerate((("systolic", 220), ("diastolic", 130)))
        ]  # fmt: skip
        Loader(self.pool).load([delivery(*documents, now=self.now)], now=self.now)

    def name(self) -> list[int]:
        """Everything that waits is the mother's, the son says; the assignments."""
        with transaction(self.pool) as connection:
            done = [
                assignment.give(
                    connection,
                    each.visit,
                    patient_id=self.mother,
                    account_id=self.son,
                    now=self.now,
                )
                for each in inbox.waiting(connection, [self.mother], limit=9)
            ]
        return [each.assignment_id for each in done if each.assignment_id is not None]

    def undo(self, number: int) -> None:
        with transaction(self.pool) as connection:
            assignment.undo(
                connection,
                assignment_id=number,
                patient_id=self.mother,
                account_id=self.son,
                now=self.now,
            )

    def alerts(self) -> list[AlertRow]:
        """Living alerts about a reading (not about silence) of anybody here."""
        with transaction(self.pool) as connection:
            found = alerts_of(connection, [self.mother, self.father], since=self.now)
        return [each for each in found if each.rule.startswith("bp.")]

    def told(self) -> set[int]:
        """About whose readings somebody was told."""
        rows = self.ask("SELECT DISTINCT patient_id FROM outbox WHERE key LIKE '%bp.%'")
        return {patient_id for (patient_id,) in rows}

    def ask(self, query: str) -> list[Any]:
        with transaction(self.pool) as connection:
            return connection.execute(query).fetchall()

    def judge_again(self) -> None:
        """Has everybody judged by the rules process, and waits until they are."""
        since = datetime.now(UTC)
        with transaction(self.pool) as connection:
            measurements.put_news(
                connection,
                consumer="rules",
                patient_ids=[self.mother, self.father],
                earliest=self.now,
                latest=self.now,
            )
            connection.execute("NOTIFY kangban_news")
        self.wait_for_judgement(since)

    def wait_for_judgement(self, since: datetime) -> None:
        """Waits until the rules process has judged both since then and knows of nothing new."""
        until(
            lambda: (
                self.ask("SELECT count(*) FROM news") == [(0,)]
                and all(
                    judged_at is not None and judged_at > since
                    for (judged_at,) in self.ask("SELECT judged_at FROM judgement")
                )
            )
        )


@contextmanager
def rules_running(url: str) -> Iterator[None]:
    """The rules process itself, in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=process.run, args=(RulesSettings(database_url=url), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, "it did not become so"
        time.sleep(0.01)


@pytest.fixture
def home(database: str) -> Iterator[Home]:
    now = datetime.now(UTC).replace(microsecond=0)
    with open_pool(database, process="test") as pool:
        with transaction(pool) as connection:
            household = people.create_household(connection, "Zhang")
            people.register_gateway(connection, name="g1", household_id=household)
            mother = people.create_patient(connection, name="母亲", household_id=household)
            father = people.create_patient(connection, name="父亲", household_id=household)
            son = people.create_account(connection, name="儿子", role="family")
            for each in (mother, father):
                people.relate(connection, account_id=son, patient_id=each, relation="family")
                own = people.create_account(connection, name="本人", role="patient")
                people.relate(connection, account_id=own, patient_id=each, relation="self")
            people.bind_device(connection, CUFF, patient_id=father, slot=1)
        yield Home(url=database, pool=pool, mother=mother, father=father, son=son, now=now)


def test_a_crisis_of_an_unknown_user_alarms_only_once_it_is_somebody_s(home: Home) -> None:
    with rules_running(home.url):
        home.bring(1, ago=timedelta(minutes=9))
        home.bring(2, ago=timedelta(minutes=3))
        home.judge_again()
        assert home.alerts() == []
        assert home.told() == set()

        numbers = home.name()

        until(lambda: len(home.alerts()) > 0)
        assert {each.patient_id for each in home.alerts()} == {home.mother}
        assert home.told() == {home.mother}

        # it was not hers: what it raised is taken back
        for number in numbers:
            home.undo(number)
        until(lambda: all(each.state == "closed" for each in home.alerts()))
    with transaction(home.pool) as connection:
        assert measurements.differences(connection) == []
        assert inbox.count_waiting(connection, [home.mother], limit=9) == 2


def test_an_old_crisis_that_gets_a_name_wakes_nobody(home: Home) -> None:
    home.bring(1, ago=HALF_A_YEAR)
    with rules_running(home.url):
        home.judge_again()
        home.name()
        home.judge_again()
        assert home.alerts() == []
        assert home.told() == set()
    assert home.ask("SELECT count(*) FROM measurement_day") == [(2,)], "but it is kept as hers"
