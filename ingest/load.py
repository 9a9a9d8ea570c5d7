"""Stores what arrived, once however often it came, and gives the receipts to send afterwards.

This is the one write path. Everything of one call is one transaction: measurements, their days,
news for the rules, what was refused. A value that the database refuses is looked for, message by
message and then measurement by measurement, and refused; its neighbours are stored. May hold: the
steps and their order. May not: SQL (`store/intake.py`), judgement of values (`validate.py`), MQTT.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec import to_builtins
from psycopg import Connection

from ingest.arrival import DeadLetter, Delivery, HealthSeen, Rejection, Verdict
from ingest.batch import Batch, assemble, device_names
from ingest.dismantle import storable
from ingest.health import gateway_word
from store import intake, people
from store.pool import Pool, transaction
from vitals.errors import MendData
from vitals.wire import Receipt

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one load did: receipts by gateway, in the order of the deliveries, and counts."""

    receipts: tuple[tuple[str, Receipt], ...] = ()
    inserted: int = 0
    refused: int = 0

    def __add__(self, other: "Loaded") -> "Loaded":
        return Loaded(
            receipts=self.receipts + other.receipts,
            inserted=self.inserted + other.inserted,
            refused=self.refused + other.refused,
        )


class Loader:
    """Loads verdicts through a pool. One thread at a time; several processes may run at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        # ids never change; what is unknown is asked again
        self._gateways: dict[str, int] = {}
        self._devices: dict[str, int] = {}
        # a belief, checked under the lock of each load: which gateway delivered a device last
        self._owners: dict[int, int | None] = {}

    def load(self, verdicts: Sequence[Verdict], *, now: datetime) -> Loaded:
        """What was done, committed.

        Raises TryAgain or MendSettings when nothing of it could be committed for now: call again
        with the same. A value that the database refuses is never raised.
        """
        try:
            return self._load_all(verdicts, now=now)
        except (MendData, ValueError, TypeError, ArithmeticError) as error:
            if len(verdicts) == 1:
                return self._isolate(verdicts[0], error=error, now=now)
        half = len(verdicts) // 2
        return self.load(verdicts[:half], now=now) + self.load(verdicts[half:], now=now)

    def _load_all(self, verdicts: Sequence[Verdict], *, now: datetime) -> Loaded:
        welcome = [self._welcome(each) for each in self._meet(verdicts)]
        deliveries = [each for each in welcome if isinstance(each, Delivery)]
        letters = [each for each in welcome if isinstance(each, DeadLetter)]
        healths = [each for each in welcome if isinstance(each, HealthSeen)]
        inserted = self._commit(deliveries, letters) if deliveries or letters else 0
        if healths:
            with transaction(self._pool) as connection:
                intake.keep_words(connection, [gateway_word(each, now=now) for each in healths])
        return Loaded(
            receipts=tuple((each.gateway, each.receipt()) for each in deliveries),
            inserted=inserted,
            refused=sum(len(each.rejections) for each in deliveries) + len(letters),
        )

    def _meet(self, verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
        """Learns the ids of gateways and devices that were not met before."""
        named = {each.gateway for each in verdicts if not isinstance(each, DeadLetter)}
        deliveries = [each for each in verdicts if isinstance(each, Delivery)]
        strangers = named - self._gateways.keys()
        if strangers:
            with transaction(self._pool) as connection:
                self._gateways |= intake.gateway_ids(connection, strangers)
        known = [each for each in deliveries if each.gateway in self._gateways]
        unknown = [name for name in device_names(known) if name not in self._devices]
        if unknown:
            # a transaction of its own: an id is remembered only once it is committed
            with transaction(self._pool) as connection:
                found = people.ensure_devices(connection, unknown)
            self._devices |= found
        return verdicts

    def _welcome(self, verdict: Verdict) -> Verdict:
        """The verdict, or a dead letter where nobody has registered the gateway.

        No receipt is sent for it, so the gateway keeps everything until somebody does.
        """
        if isinstance(verdict, DeadLetter) or verdict.gateway in self._gateways:
            return verdict
        name = verdict.gateway
        reason = f"unknown gateway {name!r}: register it with `kangban people gateway {name}`"
        return DeadLetter(
            message=verdict.message, reasons=(reason,), about=f"unknown gateway|{name}"
        )

    def _commit(self, deliveries: Sequence[Delivery], letters: Sequence[DeadLetter]) -> int:
        """The number of new rows, all committed."""
        while True:
            batch = assemble(
                deliveries, gateways=self._gateways, devices=self._devices, owners=self._owners
            )
            with transaction(self._pool) as connection:
                owners = intake.lock_devices(connection, batch.devices, alone=batch.careful)
                changed = {
                    device: owner
                    for device, owner in owners.items()
                    if device not in batch.careful and owner != self._owners.get(device)
                }
                inserted = 0
                if not changed:
                    inserted = _store(connection, batch)
                    _keep_refused(connection, deliveries, letters)
            if not changed:
                self._owners |= batch.devices
                return inserted
            # another gateway has delivered a device since: decide again with what is true
            self._owners |= changed

    def _isolate(self, verdict: Verdict, *, error: Exception, now: datetime) -> Loaded:
        """Stores what can be of a message that the database refused as a whole."""
        log.warning("A message is taken apart because it could not be stored whole: %s", error)
        if isinstance(verdict, Delivery) and verdict.items:
            return self._one_by_one(verdict, now=now)
        letter = DeadLetter(message=verdict.message, reasons=(storable(str(error)),))
        if isinstance(verdict, DeadLetter):
            # its own words cannot be stored: they are kept as bytes
            payload = f"{verdict.message.topic}\n".encode() + verdict.message.payload
            message = replace(letter.message, topic="?", payload=payload)
            letter = replace(letter, message=message)
        self._commit([], [letter])
        return Loaded(refused=1)

    def _one_by_one(self, delivery: Delivery, *, now: datetime) -> Loaded:
        done = Loaded()
        stored, refused = [], list(delivery.rejections)
        for item in delivery.items:
            try:
                done += self._load_all([delivery.only((item,))], now=now)
                stored.append(item)
            except (MendData, ValueError, TypeError, ArithmeticError) as error:
                refused.append(
                    Rejection(
                        gateway=delivery.gateway,
                        id=item.id,
                        document=storable(to_builtins(item)),
                        reasons=(storable(str(error)),),
                    )
                )
        rest = self.load([replace(delivery, items=(), rejections=tuple(refused))], now=now)
        whole = replace(delivery, items=tuple(stored), rejections=tuple(refused))
        return Loaded(
            receipts=((delivery.gateway, whole.receipt()),),
            inserted=done.inserted,
            refused=rest.refused,
        )


def _store(connection: Connection[Any], batch: Batch) -> int:
    """The number of new rows."""
    if not batch.rows:
        return 0
    intake.stage(connection, batch.rows)
    if batch.matches:
        intake.drop_known(connection)
    inserted = intake.load_staged(connection)
    if batch.careful:
        intake.set_owners(connection, {each: batch.devices[each] for each in batch.careful})
    return inserted


def _keep_refused(
    connection: Connection[Any],
    deliveries: Sequence[Delivery],
    letters: Sequence[DeadLetter],
) -> None:
    refused = [
        intake.Refused(
            digest=each.digest,
            gateway=each.gateway,
            id=each.id,
            document=each.document,
            reasons=each.reasons,
        )
        for delivery in deliveries
        for each in delivery.rejections
    ]
    if refused:
        intake.reject(connection, refused)
    if letters:
        intake.bury(
            connection,
            [
                intake.Buried(
                    digest=each.digest,
                    topic=each.message.topic,
                    payload=each.message.payload,
                    reasons=each.reasons,
                )
                for each in letters
            ],
        )
