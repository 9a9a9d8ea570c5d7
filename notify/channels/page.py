"""The web page: open pages of an account refresh themselves when something was told.

The page reads the outbox itself (`store.outbox.recent_for_account`), so it can miss nothing; this
only rings the bell, within the transaction that marks the message. May hold: that bell.
"""

from typing import Any

from psycopg import Connection

from store import outbox


def tell(connection: Connection[Any], account_id: int) -> None:
    """Open pages of this account hear of it when the transaction commits."""
    outbox.notify_told(connection, account_id)
