"""What people are to be told: rows written by whoever causes them, drained by `notify`.

`put` belongs in the transaction that causes the message (an alert moves, a reminder is due): either
both are committed or neither. A key names the message, so that doing the same work twice tells
nobody twice. Bodies hold the words in both languages and are written by the caller:

    {"title": {"zh": …, "en": …}, "text": {"zh": …, "en": …}, "link": "/…"}

May hold: the calls over `sql/outbox.sql`. May not: whom to tell and when to try again
(`notify/deliver.py`), words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg.types.json import Jsonb

from store.named import queries

_SQL = queries("outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that is due, locked for the drainer that took it.

    `may_be_told`: the account is still related to the patient of whom the message speaks.
    """

    id: int
    account_id: int
    severity: int
    body: dict[str, Any]
    expires_at: datetime | None
    attempts: int
    log: list[dict[str, Any]]
    locale: str
    may_be_told: bool


class Contact(NamedTuple):
    """An Apprise URL of an account, and the severity (0-4) from which on it is used."""

    id: int
    url: str
    min_severity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message as its account sees it; `given_up_at` says that some channel never took it."""

    id: int
    patient_id: int | None
    severity: int
    body: dict[str, Any]
    due_at: datetime
    sent_at: datetime | None
    given_up_at: datetime | None
    attempts: int


def put(
    connection: Connection[Any],
    *,
    key: str,
    account_id: int,
    patient_id: int | None,
    severity: int,
    body: Mapping[str, Any],
    due_at: datetime,
    expires_at: datetime | None = None,
) -> bool:
    """Whether the message is new: with a key that is there already, nothing happens.

    `due_at` may lie ahead; after `expires_at` the message is given up instead of told late.
    """
    with connection.cursor(row_factory=scalar_row) as cursor:
        new = cursor.execute(
            _SQL["put"],
            {
                "key": key,
                "account_id": account_id,
                "patient_id": patient_id,
                "severity": severity,
                "body": Jsonb(dict(body)),
                "due_at": due_at,
                "expires_at": expires_at,
            },
        ).fetchone()
        if new is not None:
            cursor.execute(_SQL["wake"])
    return new is not None


def take(connection: Connection[Any], now: datetime) -> Waiting | None:
    """The gravest message that is due, locked until the transaction ends; None where none is."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(_SQL["take"], {"now": now}).fetchone()


def contacts(connection: Connection[Any], account_id: int) -> tuple[Contact, ...]:
    """Where an account wants to be told."""
    with connection.cursor(row_factory=class_row(Contact)) as cursor:
        return tuple(cursor.execute(_SQL["contacts"], {"account_id": account_id}))


def mark_sent(
    connection: Connection[Any], *, id: int, answers: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """The message has reached every contact that wanted it."""
    connection.execute(_SQL["mark_sent"], {"id": id, "answers": Jsonb(list(answers)), "now": now})


def mark_failed(
    connection: Connection[Any], *, id: int, answers: Sequence[Mapping[str, Any]], try_at: datetime
) -> None:
    """The message waits until `try_at`."""
    connection.execute(
        _SQL["mark_failed"], {"id": id, "answers": Jsonb(list(answers)), "try_at": try_at}
    )


def give_up(
    connection: Connection[Any], *, id: int, answers: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """The message is not tried any more; it stays, with what each channel answered."""
    connection.execute(_SQL["give_up"], {"id": id, "answers": Jsonb(list(answers)), "now": now})


def notify_told(connection: Connection[Any], account_id: int) -> None:
    """Lets open pages of the account know, once the transaction commits."""
    connection.execute(_SQL["told"], {"account_id": account_id})


def next_try_at(connection: Connection[Any]) -> datetime | None:
    """When the next message is due; None where nothing waits."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        moment: datetime | None = cursor.execute(_SQL["next_try_at"]).fetchone()
        return moment


def recent_for_account(
    connection: Connection[Any], *, account_id: int, now: datetime, limit: int = 20
) -> tuple[Told, ...]:
    """The newest messages of an account, about patients to whom it is still related."""
    with connection.cursor(row_factory=class_row(Told)) as cursor:
        return tuple(
            cursor.execute(
                _SQL["recent_for_account"], {"account_id": account_id, "now": now, "limit": limit}
            )
        )


def undelivered(
    connection: Connection[Any], *, patient_id: int, since: datetime
) -> tuple[dict[str, Any], ...]:
    """Messages about a patient that were given up since then: who was not told, and why."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return tuple(
            cursor.execute(_SQL["undelivered"], {"patient_id": patient_id, "since": since})
        )
