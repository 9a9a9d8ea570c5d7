"""Stores what arrived, once however often it came, and gives the receipts to send afterwards.

This is the one write path. Everything of one call is one transaction: measurements, their days,
news for the rules, what was refused. A value that the database refuses is looked for, message by
message and then measurement by measurement, and refused; its neighbours are stored. May hold: the
steps and their order. May not: SQL (`store/intake.py`), judgement of values (`validate.py`), MQTT.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import to_builtins
from psycopg import Connection

from ingest.arrival import DeadLetter, Delivery, EventSeen, HealthSeen, Rejection, Verdict
from ingest.batch import Bringing, Row, bringing, columns_of, matched_rows_of, rows_of
from ingest.dismantle import storable
from ingest.event import stray
from ingest.forgotten import remembered
from ingest.health import gateway_word
from ingest.reason import Reason
from ingest.refuse import keep_refused, without_held
from ingest.rollup import Calendar, count
from store import commands, forgotten, intake, people
from store.columns import Columns
from store.pool import Pool, transaction
from vitals.errors import MendSettings, TryAgain
from vitals.wire import Receipt

log = logging.getLogger(__name__)

# days known before and after a load's own: no time zone is more than a day away from UTC, and the
# days to come are needed soon
_AROUND, _AHEAD = timedelta(days=2), timedelta(days=30)

# what no message can be blamed for: the same is tried again
_NOT_THE_MESSAGES = (TryAgain, MendSettings, OSError, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one load did: receipts by gateway, in the order of the deliveries, and counts.

    `reasons`: one word for each measurement or message that was refused.
    """

    receipts: tuple[tuple[str, Receipt], ...] = ()
    inserted: int = 0
    refused: int = 0
    reasons: tuple[Reason, ...] = ()

    def __add__(self, other: "Loaded") -> "Loaded":
        return Loaded(
            receipts=self.receipts + other.receipts,
            inserted=self.inserted + other.inserted,
            refused=self.refused + other.refused,
            reasons=self.reasons + other.reasons,
        )


class Loader:
    """Loads verdicts through a pool. One thread at a time; several processes may run at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        # ids never change; what is unknown is asked again, and now and then who is welcome
        self._gateways: dict[str, int] = {}
        self._devices: dict[str, int] = {}
        # a belief, checked under the lock of each load: which gateway alone delivers a device
        self._owners: dict[int, int | None] = {}
        self._calendars: dict[str, Calendar] = {}

    def load(self, verdicts: Sequence[Verdict], *, now: datetime) -> Loaded:
        """What was done, committed.

        Raises TryAgain or MendSettings when nothing of it could be committed for now: call again
        with the same. A value that the database refuses is never raised.
        """
        try:
            return self._load_all(verdicts, now=now)
        except _NOT_THE_MESSAGES:
            raise
        except Exception as error:
            # a value that the database refuses, or a mistake of ours that one message brings out
            if len(verdicts) == 1:
                return self._isolate(verdicts[0], error=error, now=now)
        half = len(verdicts) // 2
        return self.load(verdicts[:half], now=now) + self.load(verdicts[half:], now=now)

    def ask_again_who_is_welcome(self) -> None:
        """Forgets which gateways are registered: one may have been shut out since."""
        self._gateways.clear()

    def _load_all(self, verdicts: Sequence[Verdict], *, now: datetime) -> Loaded:
        welcome = [self._welcome(each) for each in self._meet(verdicts)]
        deliveries = [each for each in welcome if isinstance(each, Delivery)]
        letters = [each for each in welcome if isinstance(each, DeadLetter)]
        healths = [each for each in welcome if isinstance(each, HealthSeen)]
        letters += self._hear([each for each in welcome if isinstance(each, EventSeen)], now=now)
        inserted = self._commit_in_parts(deliveries, letters)
        if healths:
            with transaction(self._pool) as connection:
                intake.keep_words(connection, [gateway_word(each, now=now) for each in healths])
        return Loaded(
            receipts=tuple((each.gateway, each.receipt()) for each in deliveries),
            inserted=inserted,
            refused=sum(len(each.rejections) for each in deliveries) + len(letters),
            reasons=_reasons(deliveries, letters),
        )

    def _hear(self, events: Sequence[EventSeen], *, now: datetime) -> list[DeadLetter]:
        """Keeps what gateways answered; gives back what answers nothing that was asked of them."""
        if not events:
            return []
        with transaction(self._pool) as connection:
            return [
                stray(each)
                for each in events
                if not commands.hear(connection, each.event, body=each.document, now=now)
            ]

    def _meet(self, verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
        """Learns the ids of gateways and devices that were not met before."""
        named = {each.gateway for each in verdicts if not isinstance(each, DeadLetter)}
        deliveries = [each for each in verdicts if isinstance(each, Delivery)]
        strangers = named - self._gateways.keys()
        if strangers:
            with transaction(self._pool) as connection:
                self._gateways |= intake.gateway_ids(connection, strangers)
        known = [each for each in deliveries if each.gateway in self._gateways]
        unknown = sorted({name for each in known for name in each.devices} - self._devices.keys())
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
            message=verdict.message,
            reasons=(reason,),
            about=f"unknown gateway|{name}",
            code=Reason.UNKNOWN_GATEWAY,
        )

    def _commit_in_parts(
        self, deliveries: Sequence[Delivery], letters: Sequence[DeadLetter]
    ) -> int:
        """The number of new rows, all committed.

        Deliveries that need care go by themselves: the way of the others is quicker.
        """
        brought = self._brought(deliveries)
        careful = brought.careful(self._owners)
        parts: tuple[list[Delivery], list[Delivery]] = ([], [])
        for each in deliveries:
            needs_care = any(self._devices[name] in careful for name in each.devices)
            parts[needs_care].append(each)
        inserted = self._commit(parts[0], letters) if parts[0] or letters else 0
        return inserted + (self._commit(parts[1], ()) if parts[1] else 0)

    def _brought(self, deliveries: Sequence[Delivery]) -> Bringing:
        return bringing(deliveries, gateways=self._gateways, devices=self._devices)

    def _commit(self, deliveries: Sequence[Delivery], letters: Sequence[DeadLetter]) -> int:
        """The number of new rows, all committed."""
        brought = self._brought(deliveries)
        while True:
            careful = brought.careful(self._owners)
            with transaction(self._pool) as connection:
                ground = intake.lock_devices(connection, brought.gateways, alone=careful)
                # is the belief true, by which the locks were chosen?
                settled = brought.careful(ground.owners) <= careful
                inserted = 0
                if settled:
                    wanted = self._remembered(deliveries, ground) if ground.bars else deliveries
                    if ground.doubted:
                        wanted = without_held(connection, wanted)
                    inserted = self._store(connection, wanted, brought, ground)
                    keep_refused(connection, deliveries, letters)
                    _forget_refused(connection, deliveries)
            self._owners |= ground.owners
            if settled:
                several = brought.several(ground.owners)
                self._owners |= brought.last() | dict.fromkeys(several, intake.SEVERAL)
                return inserted
            # another gateway has delivered a device since: choose again with what is true

    def _remembered(
        self, deliveries: Sequence[Delivery], ground: intake.Ground
    ) -> Sequence[Delivery]:
        found = remembered(deliveries, ground.bars, devices=self._devices)
        turned_away = _items(deliveries) - _items(found)
        if turned_away:
            log.info("%d readings of erased people, or older than is kept, stay out", turned_away)
        return found

    def _store(
        self,
        connection: Connection[Any],
        deliveries: Sequence[Delivery],
        brought: Bringing,
        ground: intake.Ground,
    ) -> int:
        """The number of new rows."""
        ids = {"gateways": self._gateways, "devices": self._devices}
        matched = brought.matched(ground.owners)
        if matched:
            rows, matches = matched_rows_of(deliveries, **ids, matched=matched)
            inserted = _store_unknown(connection, rows, matches)
        else:
            columns = columns_of(deliveries, **ids)
            if self._store_new(connection, columns, ground):
                inserted = len(columns)
            else:
                rows = rows_of(deliveries, **ids)
                inserted = _store_unknown(connection, rows, [False] * len(rows))
        several = brought.several(ground.owners)
        moved = {
            device: gateway
            for device, gateway in brought.last().items()
            # also where another came between two messages of the only one so far
            if ground.owners.get(device) != gateway or device in several
        }
        if moved:
            intake.set_owners(connection, moved, several=several)
        return inserted

    def _store_new(
        self, connection: Connection[Any], columns: Columns, ground: intake.Ground
    ) -> bool:
        """Whether all rows were new, as they mostly are, and are stored now."""
        if not len(columns):
            return True
        first, last = columns.span()
        for zone in {zone for _, zone in ground.wearers.values()}:
            self._learn_days(connection, zone, first=first, last=last)
        patients, days = count(columns, wearers=ground.wearers, calendars=self._calendars)
        if not intake.copy_new(connection, columns, patients):
            return False
        if days:
            intake.add_days(connection, days)
        return True

    def _learn_days(
        self, connection: Connection[Any], zone: str, *, first: datetime, last: datetime
    ) -> None:
        known = self._calendars.get(zone)
        if known and known.covers(first) and known.covers(last):
            return
        begin, end = first.date() - _AROUND, last.date() + _AHEAD
        if known:
            begin = min(begin, known.first)
        starts = intake.day_starts(connection, zone=zone, first=begin, last=end)
        self._calendars[zone] = Calendar(first=begin, starts=starts)

    def _isolate(self, verdict: Verdict, *, error: Exception, now: datetime) -> Loaded:
        """Stores what can be of a message that the database refused as a whole."""
        log.warning(
            # only the name: the error's own text may quote a value
            "A message is taken apart because it could not be stored whole: %s",
            type(error).__name__,
        )
        if isinstance(verdict, Delivery) and verdict.items:
            return self._one_by_one(verdict, now=now)
        letter = DeadLetter(
            message=verdict.message, reasons=(storable(str(error)),), code=Reason.DATABASE
        )
        if isinstance(verdict, DeadLetter):
            # its own words cannot be stored: they are kept as bytes
            payload = f"{verdict.message.topic}\n".encode() + verdict.message.payload
            message = replace(letter.message, topic="?", payload=payload)
            letter = replace(letter, message=message)
        self._commit([], [letter])
        return Loaded(refused=1, reasons=(letter.code,))

    def _one_by_one(self, delivery: Delivery, *, now: datetime) -> Loaded:
        done = Loaded()
        stored, refused = [], list(delivery.rejections)
        for item in delivery.items:
            try:
                done += self._load_all([delivery.only(item)], now=now)
                stored.append(item)
            except _NOT_THE_MESSAGES:
                raise
            except Exception as error:
                refused.append(
                    Rejection(
                        gateway=delivery.gateway,
                        id=item.id,
                        document=storable(to_builtins(item)),
                        reasons=(storable(str(error)),),
                        codes=(Reason.DATABASE,),
                    )
                )
        rest = self.load([delivery.only(rejections=tuple(refused))], now=now)
        whole = delivery.only(*stored, rejections=tuple(refused))
        return Loaded(
            receipts=((delivery.gateway, whole.receipt()),),
            inserted=done.inserted,
            refused=rest.refused,
            reasons=rest.reasons,
        )


def _items(deliveries: Sequence[Delivery]) -> int:
    return sum(len(each.items) for each in deliveries)


def _reasons(deliveries: Sequence[Delivery], letters: Sequence[DeadLetter]) -> tuple[Reason, ...]:
    of_items = [each.codes[0] for delivery in deliveries for each in delivery.rejections]
    return (*of_items, *(each.code for each in letters))


def _store_unknown(
    connection: Connection[Any], rows: Sequence[Row], matches: Sequence[bool]
) -> int:
    """The number of new rows among rows of which some are stored already."""
    intake.stage(connection, rows, matches)
    if any(matches):
        intake.match_staged(connection)
    return intake.load_staged(connection, most=len(rows))


def _forget_refused(connection: Connection[Any], deliveries: Sequence[Delivery]) -> None:
    """Takes back what was kept just now of somebody who is erased."""
    digests = [each.digest for delivery in deliveries for each in delivery.rejections]
    if digests:
        forgotten.drop_refused(connection, digests)
