"""One message from the outbox to its people: the thin layer between decisions, channels and rows.

The row stays locked while its contacts are asked, in one transaction: two drainers never tell the
same message. A crash between the asking and the commit unlocks it untold, so that a message may be
repeated but is never lost. May hold: this order. May not: SQL, words, schedules.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import Connection

from notify.channels import page
from notify.deliver import Words, answer, next_try_at, refusal, wanted, words
from notify.patience import Patience
from store import outbox
from store.outbox import Waiting
from store.pool import Pool, transaction
from vitals.errors import MendData

# tells one contact by URL: None when taken, otherwise why not
Channel = Callable[[str, Words, int], str | None]


def deliver_one(
    pool: Pool,
    *,
    channel: Channel,
    patience: Patience,
    public_url: str,
    clock: Callable[[], datetime],
) -> bool:
    """Whether there was a message that was due; if so it was told, postponed or given up."""
    with transaction(pool) as connection:
        message = outbox.take(connection, clock())
        if message is None:
            return False
        reason = refusal(
            may_be_told=message.may_be_told, expires_at=message.expires_at, now=clock()
        )
        if reason is None:
            try:
                told = words(message.body, locale=message.locale, public_url=public_url)
            except MendData as error:
                reason = str(error)
        if reason is None:
            answers = _ask(connection, message, partial(_tell, channel, told, message), patience)
            _mark(connection, message, answers, clock())
        else:
            refused = [answer(contact=None, said=reason, now=clock())]
            outbox.give_up(connection, id=message.id, answers=refused, now=clock())
        page.tell(connection, message.account_id)
    return True


def _tell(channel: Channel, told: Words, message: Waiting, url: str) -> str | None:
    return channel(url, told, message.severity)


def _ask(
    connection: Connection[Any],
    message: Waiting,
    tell: Callable[[str], str | None],
    patience: Patience,
) -> dict[int, str | None]:
    contacts = wanted(
        outbox.contacts(connection, message.account_id),
        severity=message.severity,
        log=message.log,
    )
    return patience.ask({each.id: partial(tell, each.url) for each in contacts})


def _mark(
    connection: Connection[Any], message: Waiting, said: dict[int, str | None], now: datetime
) -> None:
    answers = [answer(contact=contact, said=each, now=now) for contact, each in said.items()]
    if all(each is None for each in said.values()):
        outbox.mark_sent(connection, id=message.id, answers=answers, now=now)
        return
    try_at = next_try_at(attempts=message.attempts + 1, now=now)
    if try_at is None:
        outbox.give_up(connection, id=message.id, answers=answers, now=now)
    else:
        outbox.mark_failed(connection, id=message.id, answers=answers, try_at=try_at)
