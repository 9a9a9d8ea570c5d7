"""The spool: what a gateway has on disk until a receipt names it.

Everything read from a device is committed here, with an fsync, before anything else happens to it;
a measurement leaves only when a receipt names it, committed or rejected. Beside the measurements
stand the gateway's memory of its devices (which records it has, how far each was read), written in
the same transaction as the reading it belongs to, and what is never sent: withheld readings and
rejected measurements, kept for support. Killing the process at any instruction, or filling the
disk, loses nothing that was kept. May hold: SQLite, alone in this program. May not: decisions about
sending (`delivery.py`), devices' bytes, the network.
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

from gateway_agent.spool_schema import SCHEMA
from vitals.errors import MendSettings, TryAgain
from vitals.measurement import Measurement, Reading
from vitals.wire import measurement_document

# delivered measurements are kept this long for support, and at most this many: an engineering
# choice, about 5 MB
KEEP_DELIVERED = timedelta(days=7)
KEEP_DELIVERED_ROWS = 10_000

# Record numbers have 16 bits (Glucose Service 1.0.1 §3.1). A larger number without a time is made
# of the moment of receipt: it cannot come again.
_LAST_RECORD_NUMBER = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A measurement that no receipt has named yet; `place` is its order in the spool, `octets` what
    it takes in an envelope."""

    place: int
    id: str
    resync: bool
    octets: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the gateway remembers of a device.

    `last_sequence`: every record up to it is on disk. `whole`: its memory was read to the end at
    least once; before that its measurements are marked resync.
    """

    device: str
    last_sequence: int | None = None
    whole: bool = False
    clock_offset_s: int | None = None
    last_seen_at: datetime | None = None
    added_at: datetime | None = None
    about: Mapping[str, Any]


class Spool:
    """The open spool of one gateway; every method may be called from any thread.

    Raises MendSettings when the file cannot be opened, TryAgain when the disk is full or fails:
    then nothing of that call was kept, and all that was kept before still is.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._watchers: list[Callable[[], object]] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute("PRAGMA busy_timeout = 5000")
            self._base.executescript(SCHEMA)
            self._upgrade()
        except (OSError, sqlite3.Error) as error:
            raise MendSettings(
                f"The spool {path} cannot be opened ({error}): set KANGBAN_GATEWAY_DATA to a "
                "folder that this program may write, on a disk with free space."
            ) from error
        self.identity = self._identify()

    def close(self) -> None:
        """Closes the file; what was kept is there at the next start."""
        with self._lock:
            self._base.close()

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Calls `watcher` after each change, from whatever thread made it; gives the way to stop
        that."""
        with self._lock:
            self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

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
        """Whether this reading was new; returns when it is on disk, with the device's new mark."""
        with self._transaction() as base:
            new = self._remember(base, reading, device)
            if new and reading.withheld is not None:
                base.execute(
                    "INSERT INTO withheld (device, sequence, device_time, reason, raw, at) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        device,
                        reading.sequence,
                        _text(reading.device_time),
                        reading.withheld,
                        reading.raw,
                        _text(now),
                    ),
                )
            if new:
                base.executemany(
                    "INSERT INTO measurement (id, document, resync, spooled_at) "
                    "VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                    [
                        (each.id, _dump(measurement_document(each)), int(resync), _text(now))
                        for each in measurements
                    ],
                )
            base.execute(
                "INSERT INTO device (device, last_sequence) VALUES (?, ?) "
                "ON CONFLICT (device) DO UPDATE SET last_sequence = excluded.last_sequence",
                (device, last_sequence),
            )
        self._tell()
        return new

    def oldest(self, limit: int, *, after: int = 0) -> list[Waiting]:
        """The oldest waiting measurements behind place `after`, all of them resync or none."""
        with self._lock:
            rows = self._base.execute(
                "SELECT place, id, resync, document FROM measurement "
                "WHERE delivered_at IS NULL AND place > ? ORDER BY place LIMIT ?",
                (after, limit),
            ).fetchall()
        return list(takewhile(lambda each: each.resync == rows[0][2], map(_waiting, rows)))

    def those(self, ids: Sequence[str]) -> list[Waiting]:
        """Of these ids, the measurements that still wait."""
        marks = ",".join("?" * len(ids))
        with self._lock:
            rows = self._base.execute(
                "SELECT place, id, resync, document FROM measurement "
                f"WHERE delivered_at IS NULL AND id IN ({marks}) ORDER BY place",
                tuple(ids),
            ).fetchall()
        return [_waiting(row) for row in rows]

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
                    (_dump(list(reasons)), _text(now), each),
                )
            done = base.executemany(
                "UPDATE measurement SET delivered_at = ? WHERE id = ? AND delivered_at IS NULL",
                [(_text(now), each) for each in (*committed, *rejected)],
            ).rowcount
            self._prune(base, now)
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
        with self._lock:
            rows = self._base.execute("SELECT document, reasons FROM rejected ORDER BY at, id")
            return [(json.loads(document), json.loads(reasons)) for document, reasons in rows]

    def known(self, device: str) -> Known:
        """What is remembered of this device; of a stranger, that nothing is."""
        return self.devices().get(device) or Known(device=device, about={})

    def devices(self) -> dict[str, Known]:
        """Every device that this gateway has ever called on."""
        with self._lock:
            rows = self._base.execute(
                "SELECT device, last_sequence, whole, clock_offset_s, last_seen_at, about, "
                "added_at FROM device"
            ).fetchall()
        return {row[0]: _known(row) for row in rows}

    def note(
        self,
        device: str,
        *,
        last_seen_at: datetime,
        about: Mapping[str, Any],
        clock_offset_s: int | None,
    ) -> None:
        """Writes down what a device said of itself; also the proof, before a call, that this disk
        still takes what the device will hand over."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO device (device, last_seen_at, about, clock_offset_s) "
                "VALUES (?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET "
                "last_seen_at = excluded.last_seen_at, about = excluded.about, "
                "clock_offset_s = excluded.clock_offset_s",
                (device, _text(last_seen_at), _dump(dict(about)), clock_offset_s),
            )
        self._tell()

    def read_to_the_end(self, device: str, last_sequence: int | None) -> None:
        """Notes that this device has nothing more to say: the next reading of it is no resync."""
        with self._transaction() as base:
            base.execute(
                "UPDATE device SET whole = 1, last_sequence = ? WHERE device = ?",
                (last_sequence, device),
            )

    def make_room(self) -> None:
        """Drops what was delivered, all of it: the disk is full and this is all that may go."""
        with self._transaction() as base:
            base.execute("DELETE FROM measurement WHERE delivered_at IS NOT NULL")

    def add_device(self, device: str, *, now: datetime) -> None:
        """Notes that a person wants this device to be read; one that is added stays as it is."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO device (device, added_at) VALUES (?, ?) ON CONFLICT (device) "
                "DO UPDATE SET added_at = COALESCE(device.added_at, excluded.added_at)",
                (device, _text(now)),
            )
        self._tell()

    def remove_device(self, device: str) -> None:
        """Notes that this device is to be left alone. What was read from it stays, and what is
        known of its records too: when it is added again nothing is doubled."""
        with self._transaction() as base:
            base.execute("UPDATE device SET added_at = NULL WHERE device = ?", (device,))
        self._tell()

    def take_command(self, id: str, *, expires_at: datetime, now: datetime) -> bool:
        """Whether this command is new, for ever on disk when this returns; those that have expired
        are forgotten."""
        with self._transaction() as base:
            base.execute("DELETE FROM command WHERE expires_at < ?", (_text(now),))
            new = base.execute(
                "INSERT INTO command (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (id, _text(expires_at)),
            ).rowcount
        return new > 0

    def _upgrade(self) -> None:
        """Brings a spool of an earlier release to this one's shape."""
        columns = {row[1] for row in self._base.execute("PRAGMA table_info(device)")}
        if "added_at" not in columns:
            with self._transaction() as base:
                base.execute("ALTER TABLE device ADD COLUMN added_at TEXT")
                # that release read whatever it heard: what it has read goes on being read
                base.execute("UPDATE device SET added_at = last_seen_at WHERE whole = 1")

    def _identify(self) -> str:
        with self._transaction() as base:
            base.execute(
                "INSERT INTO setting (name, value) VALUES ('identity', ?) "
                "ON CONFLICT (name) DO NOTHING",
                (uuid.uuid4().hex[:12],),
            )
            (value,) = base.execute("SELECT value FROM setting WHERE name = 'identity'").fetchone()
        return str(value)

    @staticmethod
    def _remember(base: sqlite3.Connection, reading: Reading, device: str) -> bool:
        if reading.device_time is not None:
            own_time = reading.device_time.isoformat()
        elif reading.sequence > _LAST_RECORD_NUMBER:
            return True
        else:
            # a meter whose clock was never set still hands over its whole memory again
            said = [f"{each.kind} {each.value} {each.unit}" for each in reading.values]
            own_time = ", ".join(["unknown", *said])
        return (
            base.execute(
                "INSERT INTO record (device, sequence, own_time) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (device, reading.sequence, own_time),
            ).rowcount
            > 0
        )

    @staticmethod
    def _prune(base: sqlite3.Connection, now: datetime) -> None:
        base.execute(
            "DELETE FROM measurement WHERE delivered_at < ?", (_text(now - KEEP_DELIVERED),)
        )
        base.execute(
            "DELETE FROM measurement WHERE delivered_at IS NOT NULL AND place <= "
            "(SELECT max(place) FROM measurement) - ?",
            (KEEP_DELIVERED_ROWS,),
        )

    def _number(self, query: str) -> int:
        with self._lock:
            (number,) = self._base.execute(query).fetchone()
        return int(number)

    def _tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._base.execute("BEGIN IMMEDIATE")
                yield self._base
                self._base.execute("COMMIT")
            except BaseException as error:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise TryAgain(
                        f"The gateway's disk does not take more ({error}): free some space. "
                        "What was read before is safe; reading goes on when there is room."
                    ) from error
                raise


def _waiting(row: tuple[Any, ...]) -> Waiting:
    place, key, resync, document = row
    return Waiting(
        place=place,
        id=key,
        resync=bool(resync),
        octets=len(document.encode()) + 1,
        document=json.loads(document),
    )


def _known(row: tuple[Any, ...]) -> Known:
    device, last_sequence, whole, clock_offset_s, last_seen_at, about, added_at = row
    return Known(
        device=device,
        last_sequence=last_sequence,
        whole=bool(whole),
        clock_offset_s=clock_offset_s,
        last_seen_at=_moment(last_seen_at),
        added_at=_moment(added_at),
        about=json.loads(about),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()


def _dump(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
