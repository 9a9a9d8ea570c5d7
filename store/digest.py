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
    """Rows of a table and a sum over their hashes; sums of parts add up to that of the whole."""

    rows: int
    sum: int

    def __add__(self, other: "Digest") -> "Digest":
        return Digest(rows=self.rows + other.rows, sum=self.sum + other.sum)

    def __sub__(self, other: "Digest") -> "Digest":
        return Digest(rows=self.rows - other.rows, sum=self.sum - other.sum)

    @property
    def text(self) -> str:
        """The sum as 16 hexadecimal digits."""
        return f"{self.sum % 2**64:016x}"


NONE = Digest(rows=0, sum=0)


def tables(connection: Connection[Any]) -> dict[str, bool]:
    """Every table of ours in order, and whether its rows name a person."""
    return dict(connection.execute(_SQL["tables"]).fetchall())


def digest(connection: Connection[Any], table: str) -> Digest:
    """All rows of a table; reads each of them."""
    return digest_of(connection, of_table(table, _SQL["digest"]), {})


def digest_and_others(
    connection: Connection[Any], table: str, *, patient_id: int
) -> tuple[Digest, Digest]:
    """All rows of a table, and those that name another person than this."""
    query = of_table(table, _SQL["digest_by_person"])
    whole, others = NONE, NONE
    for is_other, rows, total in connection.execute(query, {"patient": patient_id}):
        part = Digest(rows=rows, sum=int(total))
        whole += part
        if is_other:
            others = part
    return whole, others


def digest_of(connection: Connection[Any], query: sql.Composed, values: dict[str, Any]) -> Digest:
    """What a query gives as a number of rows and a sum."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return Digest(rows=int(row[0]), sum=int(row[1]))


def of_table(table: str, query: LiteralString) -> sql.Composed:
    """A query about this table."""
    return sql.SQL(query).format(table=sql.Identifier(table))
