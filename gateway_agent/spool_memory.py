"""What the spool remembers of devices and commands: how far each was read, its clock, its codes.

May hold: these rows. May not: measurements (`spool.py`), records (`spool_records.py`), decisions
(`sync.py`, `clock.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway_agent import spool_records
from gateway_agent.spool_file import SpoolFile
from vitals.command import LONGEST_LIFE

# rows about one device's clock, the newest: one a day and one for each change are a year's; an
# engineering choice
CLOCK_ROWS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the gateway remembers of a device.

    `last_sequence`: every record up to it is on disk. `whole`: its memory was read to the end at
    least once since it was last to be read anew; before that its measurements are marked resync.
    `read_at`: when it was last read to the end. `serial` and `firmware` as it said then.
    """

    device: str
    last_sequence: int | None = None
    whole: bool = False
    clock_offset_s: int | None = None
    last_seen_at: datetime | None = None
    added_at: datetime | None = None
    read_at: datetime | None = None
    serial: str | None = None
    firmware: str | None = None
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """What had to be added to a device's clock to get UTC (seconds), before and after `at`."""

    at: datetime
    before_s: int | None
    after_s: int
    why: str


class Memory(SpoolFile):
    """Devices and commands, as the file has them."""

    def known(self, device: str) -> Known:
        """What is remembered of this device; of a stranger, that nothing is."""
        return self.devices().get(device) or Known(device=device, about={})

    def devices(self) -> dict[str, Known]:
        """Every device that this gateway has ever called on."""
        rows = self._rows(
            "SELECT device, last_sequence, whole, clock_offset_s, last_seen_at, about, added_at, "
            "read_at, serial, firmware FROM device"
        )
        return {row[0]: _known(row) for row in rows}

    def note(
        self,
        device: str,
        *,
        last_seen_at: datetime,
        about: Mapping[str, Any],
        clock_offset_s: int | None,
        serial: str | None = None,
        firmware: str | None = None,
    ) -> None:
        """Writes down what a device said of itself; also the proof, before a call, that this disk
        still takes what the device will hand over."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO device (device, last_seen_at, about, clock_offset_s, serial, firmware)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET "
                "last_seen_at = excluded.last_seen_at, about = excluded.about, "
                "clock_offset_s = excluded.clock_offset_s, "
                "serial = COALESCE(excluded.serial, device.serial), "
                "firmware = COALESCE(excluded.firmware, device.firmware)",
                (device, text(last_seen_at), dump(dict(about)), clock_offset_s, serial, firmware),
            )
        self._tell()

    def read_to_the_end(
        self, device: str, last_sequence: int | None, *, now: datetime | None = None
    ) -> None:
        """Notes that this device has nothing more to say: the next reading of it is no resync."""
        with self._transaction() as base:
            base.execute(
                "UPDATE device SET whole = 1, last_sequence = ?, read_at = COALESCE(?, read_at) "
                "WHERE device = ?",
                (last_sequence, text(now), device),
            )
            spool_records.forget_oldest(base, device)

    def read_anew(self, device: str, last_sequence: int | None) -> None:
        """Notes that this device's memory is being read from its beginning, and how far it has
        come: a visit that breaks off is gone on with, and stays a resync."""
        with self._transaction() as base:
            base.execute(
                "UPDATE device SET whole = 0, last_sequence = ? WHERE device = ?",
                (last_sequence, device),
            )

    def add_device(self, device: str, *, now: datetime) -> None:
        """Notes that a person wants this device to be read; one that is added stays as it is."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO device (device, added_at) VALUES (?, ?) ON CONFLICT (device) "
                "DO UPDATE SET added_at = COALESCE(device.added_at, excluded.added_at)",
                (device, text(now)),
            )
        self._tell()

    def remove_device(self, device: str) -> None:
        """Notes that this device is to be left alone, and forgets its users' codes. What was read
        from it stays, and what is known of its records too: when it is added again nothing is
        doubled."""
        with self._transaction() as base:
            base.execute("UPDATE device SET added_at = NULL WHERE device = ?", (device,))
            base.execute("DELETE FROM consent WHERE device = ?", (device,))
        self._tell()

    def note_consent(self, device: str, user: int, code: int) -> None:
        """Keeps the code by which this device hands over a user's readings; the last one counts."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO consent (device, user, code) VALUES (?, ?, ?) "
                "ON CONFLICT (device, user) DO UPDATE SET code = excluded.code",
                (device, user, code),
            )

    def consents(self, device: str) -> dict[int, int]:
        """The codes of a device's users, by user."""
        return dict(
            self._rows("SELECT user, code FROM consent WHERE device = ? ORDER BY user", (device,))
        )

    def note_clock(self, device: str, row: ClockRow) -> None:
        """Writes down what happened to a device's clock; the oldest rows go."""
        with self._transaction() as base:
            base.execute(
                "INSERT INTO clock (device, at, before_s, after_s, why) VALUES (?, ?, ?, ?, ?)",
                (device, text(row.at), row.before_s, row.after_s, row.why),
            )
            base.execute(
                "DELETE FROM clock WHERE device = ? AND place <= (SELECT place FROM clock "
                "WHERE device = ? ORDER BY place DESC LIMIT 1 OFFSET ?)",
                (device, device, CLOCK_ROWS),
            )

    def clock_history(self, device: str) -> tuple[ClockRow, ...]:
        """What happened to a device's clock, oldest first."""
        rows = self._rows(
            "SELECT at, before_s, after_s, why FROM clock WHERE device = ? ORDER BY place",
            (device,),
        )
        return tuple(
            ClockRow(
                at=datetime.fromisoformat(at), before_s=before_s, after_s=after_s, why=str(why)
            )
            for at, before_s, after_s, why in rows
        )

    def take_command(self, command: str, *, expires_at: datetime, now: datetime) -> bool:
        """Whether this command is to be obeyed: the first time, and never again.

        It is remembered for longer than any command may live after it expired.
        """
        with self._transaction() as base:
            base.execute("DELETE FROM command WHERE expires_at < ?", (text(now - LONGEST_LIFE),))
            return (
                base.execute(
                    "INSERT INTO command (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (command, text(expires_at)),
                ).rowcount
                > 0
            )


def _known(row: tuple[Any, ...]) -> Known:
    device, last_sequence, whole, clock_offset_s, last_seen_at, about, *rest = row
    added_at, read_at, serial, firmware = rest
    return Known(
        device=device,
        last_sequence=last_sequence,
        whole=bool(whole),
        clock_offset_s=clock_offset_s,
        last_seen_at=moment(last_seen_at),
        added_at=moment(added_at),
        read_at=moment(read_at),
        serial=serial,
        firmware=firmware,
        about=json.loads(about),
    )


def moment(said: str | None) -> datetime | None:
    """A moment, as a row has it."""
    return None if said is None else datetime.fromisoformat(said)


def text(at: datetime | None) -> str | None:
    """A moment as a row has it: UTC where it is aware, so that text compares as time does."""
    if at is None:
        return None
    return (at if at.tzinfo is None else at.astimezone(UTC)).isoformat()


def dump(document: Any) -> str:
    """JSON without a space to spare."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
