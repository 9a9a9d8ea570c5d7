"""A household whose cuff says things that nobody believes, for tests of quarantine."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from arriving import METER, changed, envelope, glucose, up

from ingest.load import Loaded, Loader
from ingest.release import load_released
from ingest.validate import judge
from rules import records
from rules.pack import standard_packs
from store import doubt, measurements, people, quarantine
from store.assignment import Outcome
from store.measurements import Stored
from store.pages import alerts as alerts_of
from store.pool import Pool, transaction
from store.quarantine import Decision
from vitals.kinds import Kind
from vitals.measurement import identity

CUFF = "ble:AA:BB:CC:00:00:02"
PACKS = standard_packs()


def now() -> datetime:
    """This moment: the database places what it receives by its own clock."""
    return datetime.now(UTC)


def cuff(
    sequence: int,
    systolic: float,
    diastolic: float,
    *,
    ago: timedelta = timedelta(minutes=2),
    device: str = CUFF,
    **changes: Any,
) -> list[dict[str, Any]]:
    """One cuff reading of some time ago, with its pulse; without a device time unless given."""
    at = (now() - ago).replace(microsecond=0)
    values = (
        (Kind.SYSTOLIC, systolic, "mm[Hg]"),
        (Kind.DIASTOLIC, diastolic, "mm[Hg]"),
        (Kind.PULSE, 72, "/min"),
    )
    return [
        changed(
            glucose(sequence, at=at, device=device),
            {
                "id": identity(device=device, kind=kind, sequence=sequence, taken_at=at),
                "kind": kind.value,
                "value": float(value),
                "unit": unit,
                "meal": None,
                "device_time": None,
                "clock_offset_s": 0,
                **changes,
            },
        )
        for kind, value, unit in values
    ]


class House:
    """Gateways g1 and g2, a mother with cuff and meter, a father, the mother's son; a loader."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        with transaction(pool) as connection:
            self.household = people.create_household(connection, "Zhang")
            for name in ("g1", "g2"):
                people.register_gateway(connection, name=name, household_id=self.household)
            self.mother = people.create_patient(
                connection, name="母亲", household_id=self.household, conditions=["高血压"]
            )
            self.father = people.create_patient(
                connection, name="父亲", household_id=self.household
            )
            for device in (METER, CUFF):
                people.bind_device(connection, device, patient_id=self.mother)
            self.son = people.create_account(connection, name="儿子", role="family")
            people.relate(
                connection, account_id=self.son, patient_id=self.mother, relation="family"
            )
        self.loader = Loader(pool)

    def bring(
        self, *documents: Any, gateway: str = "g1", at: datetime | None = None, **changes: Any
    ) -> Loaded:
        """One envelope, judged as of now or of another moment, and loaded."""
        message = up(envelope(*documents, gateway=gateway, **changes), gateway=gateway)
        moment = at or now()
        return self.loader.load([judge(message, now=moment)], now=moment)

    @property
    def waiting(self) -> list[doubt.Doubt]:
        with transaction(self.pool) as connection:
            return doubt.waiting(connection, [self.mother], at_home=True, limit=50)

    def decide(self, key: int, decision: Decision, **more: Any) -> Outcome:
        given = {"patient_id": self.mother, "account_id": self.son, "now": now(), **more}
        with transaction(self.pool) as connection:
            return quarantine.decide(connection, key, decision, **given)

    def release(self, key: int) -> int:
        """How many values a release of this record loaded."""
        assert self.decide(key, Decision.RELEASE) is Outcome.DONE
        return load_released(self.pool, Loader(self.pool), now=now())

    def values(self, patient: int | None = None) -> list[Stored]:
        with transaction(self.pool) as connection:
            return measurements.series(
                connection,
                patient_id=patient or self.mother,
                since=datetime(1990, 1, 1, tzinfo=UTC),
                until=datetime(2200, 1, 1, tzinfo=UTC),
            )

    def alarms(self) -> list[int]:
        """The severities of the mother's open alerts, once the rules have looked."""
        with transaction(self.pool) as connection:
            measurements.take_news(connection, consumer="rules", limit=10)
            records.judge(connection, patient_id=self.mother, packs=PACKS, now=now())
        with transaction(self.pool) as connection:
            found = alerts_of(connection, [self.mother], since=datetime(2000, 1, 1, tzinfo=UTC))
        return [each.severity for each in found]

    def news(self) -> list[int]:
        with transaction(self.pool) as connection:
            taken = measurements.take_news(connection, consumer="rules", limit=10)
        return [each.patient_id for each in taken]

    @property
    def counts(self) -> measurements.Counts:
        with transaction(self.pool) as connection:
            return measurements.counts(connection)

    @property
    def wrong_days(self) -> list[measurements.Difference]:
        with transaction(self.pool) as connection:
            return measurements.differences(connection)

    def ask(self, query: str, *values: Any) -> list[Any]:
        with transaction(self.pool) as connection:
            return connection.execute(query, values).fetchall()


@contextmanager
def house_over(pool: Pool) -> Iterator[House]:
    """The household, and a check at the end that every day still says what a recount says."""
    made = House(pool)
    yield made
    assert made.wrong_days == []
