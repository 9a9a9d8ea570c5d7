"""How many rows a table has and what they say, as a number that can be compared.

A digest is a sum over the rows as text, so that neither their order nor where they stand matters,
and that parts add up to the whole. It tells mistakes, not forgers. May hold: digests over
`sql/digest.sql`. May not: what follows from them (`ledger.py`, `kangban/backup`).
"""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection, sql

from store.named import queries

_SQL = queries("digest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Rows of a table and a sum over them; sums of parts add up to the sum of the whole."""

    rows: int
    one: int
    two: int

    def __add__(self, other: "Digest") -> "Digest":
        return Digest(
            rows=self.rows + other.rows, one=self.one + other.one, two=self.two + other.two
        )

    def __sub__(self, other: "Digest") -> "Digest":
        return Digest(
            rows=self.rows - other.rows, one=self.one - other.one, two=self.two - other.two
        )

    @property
    def text(self) -> str:
        """The sums as 32 hexadecimal digits."""
        return f"{self.one % 2**64:016x}{self.two % 2**64:016x}"


NONE = Digest(rows=0, one=0, two=0)


def tables(connection: Connection[Any]) -> dict[str, bool]:
    """Every table of ours in order, and whether its rows name a person."""
    return dict(connection.execute(_SQL["tables"]).fetchall())


def digest(connection: Connection[Any], table: str) -> Digest:
    """All rows of a table; reads each of them."""
    return digest_of(connection, of_table(table, _SQL["digest"]), {})


def digest_others(connection: Connection[Any], table: str, *, patient_id: int) -> Digest:
    """The rows of a table that name another person than this."""
    query = of_table(table, _SQL["digest_others"])
    return digest_of(connection, query, {"patient": patient_id})


def digest_of(connection: Connection[Any], query: sql.Composed, values: dict[str, Any]) -> Digest:
    """What a query gives as rows and two sums."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    rows, one, two = row
    return Digest(rows=int(rows), one=int(one), two=int(two))


def of_table(table: str, query: LiteralString) -> sql.Composed:
    """A query about this table."""
    return sql.SQL(query).format(table=sql.Identifier(table))
