"""One-time links and the sessions they open. Only hashes of tokens come here.

May hold: the calls over `sql/sessions.sql`. May not: making tokens, cookies, who may see what
(`api/access.py`).
"""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from store.named import queries
from store.people import Account

_SQL = queries("sessions")


def add_link(
    connection: Connection[Any], *, token_hash: bytes, account_id: int, expires_at: datetime
) -> None:
    """A link that opens one session for this account until it expires."""
    connection.execute(
        _SQL["add_link"],
        {"token_hash": token_hash, "account_id": account_id, "expires_at": expires_at},
    )


def use_link(connection: Connection[Any], *, token_hash: bytes, now: datetime) -> Account | None:
    """The account behind a link, which is used up by this; None for a used or expired one."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_SQL["use_link"], {"token_hash": token_hash, "now": now}).fetchone()


def open_session(
    connection: Connection[Any], *, token_hash: bytes, account_id: int, expires_at: datetime
) -> None:
    """A session of this account until it expires; sessions that have expired are swept away."""
    connection.execute(
        _SQL["open_session"],
        {"token_hash": token_hash, "account_id": account_id, "expires_at": expires_at},
    )


def account_of_session(
    connection: Connection[Any], *, token_hash: bytes, now: datetime
) -> Account | None:
    """Who this session belongs to; None where there is no living one."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(
            _SQL["account_of_session"], {"token_hash": token_hash, "now": now}
        ).fetchone()


def close_session(connection: Connection[Any], token_hash: bytes) -> None:
    """Ends a session; nothing happens where there is none."""
    connection.execute(_SQL["close_session"], {"token_hash": token_hash})


def sweep(connection: Connection[Any], now: datetime) -> None:
    """Removes sessions and links that have expired."""
    connection.execute(_SQL["sweep_sessions"], {"now": now})
    connection.execute(_SQL["sweep_links"], {"now": now})


def relation_of(connection: Connection[Any], *, account_id: int, patient_id: int) -> str | None:
    """As what an account is related to a patient today; None where it is not."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        relation: str | None = cursor.execute(
            _SQL["relation_of"], {"account_id": account_id, "patient_id": patient_id}
        ).fetchone()
        return relation


def patients_of(connection: Connection[Any], account_id: int) -> dict[int, str]:
    """The patients that an account is related to today, each with the relation."""
    rows = connection.execute(_SQL["patients_of"], {"account_id": account_id}).fetchall()
    return dict(rows)


def answers(connection: Connection[Any]) -> None:
    """Returns where the database answers."""
    connection.execute(_SQL["answers"])
