"""What an erasure does to each table, and the proof that it did nothing else.

A table's digest is a sum over its rows, so that what is left can be reckoned: what was there, less
what the statements say they took away. And, whatever they say, the rows that name somebody else are
the same before and after, and none names the person. May hold: this reckoning over
`sql/erasure.sql`. May not: what is done to which table (`erasure.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from store.digest import NONE, Digest, digest, digest_and_others, digest_of, of_table, tables
from store.named import queries
from vitals.errors import MendData

_SQL = queries("erasure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What happened to one table; `rest` is what was left, the same before and after."""

    removed: int
    changed: int
    rest: Digest


class Ledger:
    """What is done to each table, and whether it adds up."""

    def __init__(
        self,
        connection: Connection[Any],
        patient_id: int,
        *,
        known: set[str],
        written: Collection[str],
    ) -> None:
        self._connection = connection
        self._patient = patient_id
        self._written = written
        self._names = tables(connection)
        unknown = self._names.keys() - known
        if unknown:
            raise MendData(
                f"Nobody has said what of a person is in {', '.join(sorted(unknown))}: nothing was "
                "erased. This release is older than the database, or needs mending."
            )
        self._before, self._others = self._digests()
        self._removed: dict[str, Digest] = {}
        self._changed: dict[str, Digest] = {}

    def remove(self, table: str, asked: dict[str, Any]) -> None:
        """Takes the person's rows out of a table."""
        statement = sql.SQL(_SQL[f"delete_{table}"])
        query = sql.SQL(_SQL["removed"]).format(statement=statement)
        self._removed[table] = self._removed.get(table, NONE) + digest_of(
            self._connection, query, asked
        )

    def change(self, table: str, name: str, asked: dict[str, Any], *, column: str = "") -> None:
        """Takes the person out of rows that stay."""
        before = f"before_{name.removeprefix('change_')}"
        names = {"table": sql.Identifier(table), "column": sql.Identifier(column or "id")}
        query = sql.SQL(_SQL["changed"]).format(
            before=sql.SQL(_SQL[before]).format(**names),
            statement=sql.SQL(_SQL[name]).format(**names),
        )
        self._changed[table] = self._changed.get(table, NONE) + digest_of(
            self._connection, query, asked
        )

    def balance(self) -> dict[str, Done]:
        """What was done, where all that is left is what was there and is somebody else's.

        Raises MendData, by which the transaction ends, where it is not.
        """
        after, others = self._digests()
        wrong: set[str] = set()
        found: dict[str, Done] = {}
        for table, before in self._before.items():
            removed = self._removed.get(table, NONE)
            changed = self._changed.get(table, NONE)
            # changing a row takes none away
            delta = Digest(rows=0, sum=changed.sum)
            if after[table] != before - removed + delta:
                wrong.add(table)
            if table in others and others[table] != self._others[table] + delta:
                wrong.add(table)
            found[table] = Done(removed=removed.rows, changed=changed.rows, rest=after[table])
        wrong |= {table for table in others if self._names_person(table)}
        if wrong:
            raise MendData(
                f"Erasing would not leave the rest of {', '.join(sorted(wrong))} as it is, or "
                "would leave something of the person: nothing was erased. This release needs "
                "mending."
            )
        return found

    def _digests(self) -> tuple[dict[str, Digest], dict[str, Digest]]:
        """Of every table all rows; and of those whose rows name a person, the rows of others."""
        found: dict[str, Digest] = {}
        others: dict[str, Digest] = {}
        for table, has_patient in self._names.items():
            if table in self._written:
                continue
            if has_patient:
                found[table], others[table] = digest_and_others(
                    self._connection, table, patient_id=self._patient
                )
            else:
                found[table] = digest(self._connection, table)
        return found, others

    def _names_person(self, table: str) -> bool:
        query = of_table(table, _SQL["still_named"])
        row = self._connection.execute(query, {"patient": self._patient}).fetchone()
        return row != (0,)
