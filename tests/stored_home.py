"""A household on the server, and all that is stored of it, for tests of what loads leave behind."""

from collections.abc import Sequence
from typing import Any

from arriving import METER, NOW

from ingest.load import Loaded, Loader
from store import measurements, people
from store.pool import Pool, transaction

CUFF = "ble:AA:BB:CC:00:00:02"

# What is stored, with every id and moment of ours, in an order of its own.
_TABLES = {
    "measurement": "device_id, kind, sequence, taken_at",
    "measurement_day": "patient_id, kind, unit, local_day",
    "revision": "id",
}


class StoredHome:
    """Gateways g1 and g2, a mother whose meter it is, a father, a son who looks after both."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        with transaction(pool) as connection:
            household = people.create_household(connection, "Zhang")
            for name in ("g1", "g2"):
                people.register_gateway(connection, name=name, household_id=household)
            self.mother = people.create_patient(connection, name="母亲", household_id=household)
            self.father = people.create_patient(connection, name="父亲", household_id=household)
            self.son = people.create_account(connection, name="儿子", role="family")
            self.meter = people.bind_device(connection, METER, patient_id=self.mother)
            self.cuff = people.ensure_devices(connection, [CUFF])[CUFF]
        self.loader = Loader(pool)

    def bring(self, *verdicts: Any, loader: Loader | None = None) -> Loaded:
        return (loader or self.loader).load(verdicts, now=NOW)

    def ask(self, query: str, *parts: Any) -> list[Any]:
        with transaction(self.pool) as connection:
            return connection.execute(query, parts).fetchall()

    def do(self, query: str, *parts: Any) -> None:
        with transaction(self.pool) as connection:
            connection.execute(query, parts)

    def forget_all(self) -> None:
        """Nothing was ever measured, by nobody's device."""
        for table in (*_TABLES, "news", "assigned", "assignment"):
            self.do(f"DELETE FROM {table}")
        self.do("UPDATE device SET gateway_id = NULL, several_gateways = false")
        self.loader = Loader(self.pool)

    @property
    def tables(self) -> dict[str, list[Any]]:
        return {
            table: self.ask(f"SELECT * FROM {table} ORDER BY {order}")
            for table, order in _TABLES.items()
        }

    @property
    def values(self) -> list[float]:
        """What stands, in the order of the records."""
        return [value for (value,) in self.ask("SELECT value FROM measurement ORDER BY sequence")]

    @property
    def before(self) -> list[float]:
        """What was corrected, in the order in which it came."""
        return [value for (value,) in self.ask("SELECT value FROM revision ORDER BY id")]

    @property
    def wrong_days(self) -> Sequence[measurements.Difference]:
        with transaction(self.pool) as connection:
            return measurements.differences(connection)
