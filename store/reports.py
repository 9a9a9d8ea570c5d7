"""Reports as they were signed: bytes that never change, with who signed them and when.

May hold: the calls over `sql/reports.sql`. May not: making a report (`rules/report`), who may sign.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from store.named import queries

_SQL = queries("reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed report. `content` is its JSON byte for byte, `digest` the SHA-256 of it."""

    week: str
    content: bytes
    digest: bytes
    signed_by: str
    signed_at: datetime
    comment: str

    @property
    def is_intact(self) -> bool:
        """Are the bytes still those that were signed?"""
        return sha256(self.content).digest() == self.digest


def sign(
    connection: Connection[Any],
    *,
    patient_id: int,
    week: str,
    content: bytes,
    signed_by: int,
    signed_at: datetime,
    comment: str = "",
) -> bool:
    """Whether the report is signed by this call; False where the week was signed before."""
    row = connection.execute(
        _SQL["sign"],
        {
            "patient_id": patient_id,
            "week": week,
            "content": content,
            "digest": sha256(content).digest(),
            "signed_by": signed_by,
            "signed_at": signed_at,
            "comment": comment,
        },
    ).fetchone()
    return row is not None


def signed(connection: Connection[Any], *, patient_id: int, week: str) -> Signed | None:
    """The signed report of a week; None where nobody has signed it."""
    with connection.cursor(row_factory=class_row(Signed)) as cursor:
        return cursor.execute(_SQL["signed"], {"patient_id": patient_id, "week": week}).fetchone()


def signed_weeks(connection: Connection[Any], patient_id: int) -> tuple[str, ...]:
    """The signed weeks of a patient, newest first."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return tuple(cursor.execute(_SQL["signed_weeks"], {"patient_id": patient_id}))
