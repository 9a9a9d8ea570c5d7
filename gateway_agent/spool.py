"""The spool: what a gateway has on disk until a receipt names it.

Everything read from a device is committed here, with an fsync, before anything else happens to it;
a measurement leaves only when a receipt names it, committed or rejected. Beside the measurements
stand the gateway's memory of its devices (`spool_memory.py`) and of their records
(`spool_records.py`), written in the same transaction as the reading it belongs to, and what is
never sent: withheld readings and rejected measurements, kept for support. Killing the process at
any instruction, or filling the disk, loses nothing that was kept. May hold: SQLite. May not:
decisions about sending (`delivery.py`), devices' bytes, the network.
"""

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from gateway_agent import spool_records
from gateway_agent.spool_memory import ClockRow, Known, Memory, dump, moment, text
from vitals.errors import TryAgain
from vitals.measurement import Clock, Measurement, Reading
from vitals.wire import measurement_document

__all__ = ["KEEP_DELIVERED", "MOST_BYTES", "ClockRow", "Known", "Spool", "Waiting"]

# delivered measurements are kept this long for support, and as long as the file stays smaller than
# this: engineering choices; a year of a family's readings takes about 10 MB
KEEP_DELIVERED = timedelta(days=7)
MOST_BYTES = 200 * 1024 * 1024

# measurements that are worked on at a time: deleted, or doubted
_AT_A_TIME = 1_000
# readings and measurements that are kept for support and never sent, the newest; about 2 MB
_FOR_SUPPORT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A measurement that no receipt has named yet; `place` is its order in the spool, `octets` what
    it takes in an envelope."""

    place: int
    id: str
    resync: bool
    octets: int
    document: dict[str, Any]


class Spool(Memory):
    """The open spool of one gateway; every method may be called from any thread.

    `keep_delivered` and `most_bytes` bound what was delivered; what waits is never dropped.
    `reserve_bytes` of disk are held back for the moment at which it is full. Raises MendSettings
    when the file cannot be opened, TryAgain when the disk is full or fails: then nothing of that
    call was kept, and all that was kept before still is.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_delivered: timedelta = KEEP_DELIVERED,
        most_bytes: int = MOST_BYTES,
        reserve_bytes: int = 0,
    ) -> None:
        super().__init__(path, reserve_bytes=reserve_bytes)
        self._keep_delivered, self._most_bytes = keep_delivered, most_bytes
        self.identity = self._identify()

    def keep(
        self,
        reading: Reading,
        measurements: Sequence[Measurement],
        *,
        device: str,
        resync: bool,
        last_sequence: int | None,
        now: datetime,
    ) -> bool:
        """Whether this record was new; returns when it is on disk, with the device's new mark.

        What its device has corrected of a record that was known is kept, and no new record. It is
        marked resync: the server may have the record under the time that another gateway gave it.
        """
        with self._transaction() as base:
            news = spool_records.remember(base, reading, measurements, device=device)
            if news.is_withheld:
                _withhold(base, reading, device=device, now=now)
            base.executemany(
                "INSERT INTO measurement (id, document, resync, spooled_at, follows) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                [
                    (
                        each.id,
                        dump(measurement_document(each)),
                        int(resync or news.is_correction),
                        text(now),
                        news.follows.get(each.id),
                    )
                    for each in news.measurements
                ],
            )
            base.execute(
                "INSERT INTO device (device, last_sequence) VALUES (?, ?) "
                "ON CONFLICT (device) DO UPDATE SET last_sequence = excluded.last_sequence, "
                "whole = CASE WHEN ? THEN 0 ELSE device.whole END",
                (device, last_sequence, resync),
            )
        self._tell()
        return news.is_record

    def oldest(self, limit: int, *, after: int = 0) -> list[Waiting]:
        """The oldest waiting measurements behind place `after`, all of them resync or none.

        They end before a correction of what waits itself: the server lets stand what came last.
        """
        rows = self._rows(
            "SELECT place, id, resync, document, EXISTS (SELECT 1 FROM measurement AS earlier "
            "WHERE earlier.id = measurement.follows AND earlier.delivered_at IS NULL) "
            "FROM measurement WHERE delivered_at IS NULL AND place > ? ORDER BY place LIMIT ?",
            (after, limit),
        )
        alike = takewhile(lambda row: row[2] == rows[0][2] and not row[4], rows)
        return [_waiting(row[:4]) for row in alike]

    def those(self, ids: Sequence[str]) -> list[Waiting]:
        """Of these ids, the measurements that still wait."""
        marks = ",".join("?" * len(ids))
        rows = self._rows(
            "SELECT place, id, resync, document FROM measurement "
            f"WHERE delivered_at IS NULL AND id IN ({marks}) ORDER BY place",
            tuple(ids),
        )
        return [_waiting(row) for row in rows]

    def doubt(self, ids: Sequence[str]) -> int:
        """How many of these still wait and say from now on that the device's clock is unsure.

        What is doubted is no part of a measurement's identity: a copy that is on its way already
        stays the one that counts.
        """
        doubted = 0
        with self._transaction() as base:
            for first in range(0, len(ids), _AT_A_TIME):
                changed = [
                    (dump({**each.document, "clock": Clock.UNSURE.value}), each.id)
                    for each in self.those(ids[first : first + _AT_A_TIME])
                ]
                base.executemany("UPDATE measurement SET document = ? WHERE id = ?", changed)
                doubted += len(changed)
        return doubted

    def forget(
        self, committed: Sequence[str], rejected: Mapping[str, Sequence[str]], *, now: datetime
    ) -> int:
        """How many of these waited until now; an id that does not wait here is harmless."""
        with self._transaction() as base:
            for each, reasons in rejected.items():
                base.execute(
                    "INSERT INTO rejected (id, document, reasons, at) "
                    "SELECT id, document, ?, ? FROM measurement "
                    "WHERE id = ? AND delivered_at IS NULL ON CONFLICT (id) DO NOTHING",
                    (dump(list(reasons)), text(now), each),
                )
            done = base.executemany(
                "UPDATE measurement SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL",
                [(text(now), each) for each in (*committed, *rejected)],
            ).rowcount
            self._prune(base, now)
        with suppress(TryAgain):
            # what the receipt named is named, whether or not there is room to tidy up
            self.give_back()
        self._tell()
        return max(done, 0)

    def depth(self) -> int:
        """How many measurements no receipt has named yet."""
        return self._number("SELECT count(*) FROM measurement WHERE delivered_at IS NULL")

    def withheld(self) -> int:
        """How many readings are kept but never shown."""
        return self._number("SELECT count(*) FROM withheld")

    def rejected(self) -> list[tuple[dict[str, Any], list[str]]]:
        """What the server refused, each with its reasons, oldest first."""
        rows = self._rows("SELECT document, reasons FROM rejected ORDER BY at, id")
        return [(json.loads(document), json.loads(reasons)) for document, reasons in rows]

    def last_spooled_at(self) -> datetime | None:
        """When the last measurement that is still here was kept, by this gateway's clock then."""
        rows = self._rows("SELECT spooled_at FROM measurement ORDER BY place DESC LIMIT 1")
        return moment(rows[0][0]) if rows else None

    def make_room(self) -> None:
        """Drops what was delivered, all of it: the disk is full and this is all that may go."""
        with self._transaction() as base:
            base.execute("DELETE FROM measurement WHERE delivered_at IS NOT NULL")
        self.give_back(all_of_it=True)

    def troubles(self) -> Mapping[str, str]:
        """What is wrong with disk and file, each a short word with a sentence."""
        found = dict(super().troubles())
        if self.size_bytes() > self._most_bytes:
            found.setdefault(
                "spool",
                f"{self.depth()} measurements wait to be sent and take more than "
                f"{self._most_bytes // 2**20} MB: see that the server can be reached. "
                "Nothing that waits is dropped.",
            )
        return found

    def _identify(self) -> str:
        with self._transaction() as base:
            base.execute(
                "INSERT INTO setting (name, value) VALUES ('identity', ?) "
                "ON CONFLICT (name) DO NOTHING",
                (uuid.uuid4().hex[:12],),
            )
            (value,) = base.execute("SELECT value FROM setting WHERE name = 'identity'").fetchone()
        return str(value)

    def _prune(self, base: sqlite3.Connection, now: datetime) -> None:
        """The oldest that were delivered go: those that are too old, and then what is too much."""
        base.execute(
            "DELETE FROM measurement WHERE delivered_at < ?", (text(now - self._keep_delivered),)
        )
        while self.size_bytes() > self._most_bytes:
            gone = base.execute(
                "DELETE FROM measurement WHERE place IN (SELECT place FROM measurement "
                "WHERE delivered_at IS NOT NULL ORDER BY place LIMIT ?)",
                (_AT_A_TIME,),
            ).rowcount
            if gone <= 0:
                break
        base.execute(
            "DELETE FROM withheld WHERE place <= (SELECT max(place) FROM withheld) - ?",
            (_FOR_SUPPORT,),
        )
        base.execute(
            "DELETE FROM rejected WHERE id IN "
            "(SELECT id FROM rejected ORDER BY at DESC LIMIT -1 OFFSET ?)",
            (_FOR_SUPPORT,),
        )


def _withhold(base: sqlite3.Connection, reading: Reading, *, device: str, now: datetime) -> None:
    base.execute(
        "INSERT INTO withheld (device, sequence, device_time, reason, raw, at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            device,
            reading.sequence,
            text(reading.device_time),
            reading.withheld,
            reading.raw,
            text(now),
        ),
    )


def _waiting(row: tuple[Any, ...]) -> Waiting:
    place, key, resync, document = row
    return Waiting(
        place=place,
        id=key,
        resync=bool(resync),
        octets=len(document.encode()) + 1,
        document=json.loads(document),
    )
