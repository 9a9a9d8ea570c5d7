"""Which records of a device are known, and what each has said: what reads new, and what corrected.

A record is known by its number and its device's own time; it comes again whenever a device sends
its whole memory, and is no news then. One that comes with other words (value, unit, user, meal,
flags) was corrected by its device: its owner marked the meal afterwards, a context was lost on the
air the first time. Each wording of it is passed on once, whatever the device goes back to, under an
id of its own, at the moment at which the record was placed first. A record without the device's own
time is never corrected: nothing but its words tells that it is the same.

The memory is bounded, and the bound can double nothing (see `RECORDS`). May hold: these rows and
this judgement. May not: measurements on their way (`spool.py`), how far a device was read
(`sync.py`).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from vitals.measurement import Clock, Measurement, Reading, identity, words

# Record numbers have 16 bits (Glucose Service 1.0.1 §3.1). A larger number without a time is made
# of the moment of receipt: it cannot come again.
LAST_RECORD_NUMBER = 0xFFFF

# Records remembered of one device, the newest, and as many corrections. A device cannot send again
# what lies further back: it has no more than 65,536 numbers, and those without numbers (cuffs,
# scales) hold a few hundred. A correction that was forgotten is sent once more, and the server
# knows it.
RECORDS = 0x10000

Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a reading brings that was not known: a record, or what its device now says otherwise.

    `measurements` are to be sent; `follows`: which of them wait until an earlier wording, by its
    id, is named in a receipt, so that the later one is the one that stands.
    """

    is_record: bool
    measurements: Sequence[Measurement] = ()
    follows: Mapping[str, str] = field(default_factory=dict)
    is_withheld: bool = False

    @property
    def is_correction(self) -> bool:
        """Does the device say something else of a record that was known?"""
        return not self.is_record and bool(self.measurements)


_NONE = News(is_record=False)


def remember(
    base: sqlite3.Connection,
    reading: Reading,
    measurements: Sequence[Measurement],
    *,
    device: str,
) -> News:
    """What of this reading was not known; it is from now on."""
    whole = News(
        is_record=True, measurements=measurements, is_withheld=reading.withheld is not None
    )
    own_time = _own_time(reading)
    if own_time is None:
        return whole
    key = (device, reading.sequence, own_time)
    placement = _placement(measurements)
    put = base.execute(
        "INSERT INTO record (device, sequence, own_time, words, taken_at, clock, clock_offset_s) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*key, "\n".join(_said(reading, measurements)), *placement),
    )
    if put.rowcount > 0:
        return whole
    if reading.device_time is None:
        return _NONE
    return _corrected(base, key, reading, measurements)


def forget_oldest(base: sqlite3.Connection, device: str) -> None:
    """Drops what a device cannot send again."""
    for table in ("record", "correction"):
        base.execute(
            f"DELETE FROM {table} WHERE device = ? AND place <= (SELECT place FROM {table} "
            "WHERE device = ? ORDER BY place DESC LIMIT 1 OFFSET ?)",
            (device, device, RECORDS),
        )


def _corrected(
    base: sqlite3.Connection, key: Key, reading: Reading, measurements: Sequence[Measurement]
) -> News:
    this = "device = ? AND sequence = ? AND own_time = ?"
    first, *placement = base.execute(
        f"SELECT words, taken_at, clock, clock_offset_s FROM record WHERE {this}", key
    ).fetchone()
    said = _said(reading, measurements)
    if first is None:
        # an earlier release did not write the words down: they are taken to have been these
        base.execute(f"UPDATE record SET words = ? WHERE {this}", ("\n".join(said), *key))
        return _NONE
    later = base.execute(f"SELECT words FROM correction WHERE {this} ORDER BY place", key)
    known = [*first.split("\n"), *(wording for (wording,) in later.fetchall())]
    fresh = {wording: each for wording, each in said.items() if wording not in known}
    if not fresh:
        return _NONE
    base.executemany(
        "INSERT INTO correction (device, sequence, own_time, words) VALUES (?, ?, ?, ?)",
        [(*key, wording) for wording in fresh],
    )
    if placement[0] is None:
        placement = list(_placement(measurements))
        base.execute(
            f"UPDATE record SET taken_at = ?, clock = ?, clock_offset_s = ? WHERE {this}",
            (*placement, *key),
        )
    return _news(fresh, known, placement)


def _news(
    fresh: Mapping[str, Measurement | None], known: Sequence[str], placement: Sequence[Any]
) -> News:
    """The corrections, placed where the record was placed first."""
    corrections: list[Measurement] = []
    follows: dict[str, str] = {}
    for wording, each in fresh.items():
        if each is None:
            continue
        at, clock, offset_s = placement
        moved = replace(
            each, taken_at=datetime.fromisoformat(at), clock=Clock(clock), clock_offset_s=offset_s
        )
        before = [one for one in known if one.partition(" ")[0] == each.kind]
        # a value that the record did not have before is the first of its kind
        corrections.append(replace(moved, id=_id(moved, wording if before else "")))
        if before:
            follows[corrections[-1].id] = _id(moved, before[-1] if len(before) > 1 else "")
    return News(
        is_record=False,
        measurements=corrections,
        follows=follows,
        is_withheld=None in fresh.values(),
    )


def _id(measurement: Measurement, correction: str) -> str:
    return identity(
        device=measurement.device,
        kind=measurement.kind,
        sequence=measurement.sequence,
        taken_at=measurement.taken_at,
        correction=correction,
    )


def _said(reading: Reading, measurements: Sequence[Measurement]) -> dict[str, Measurement | None]:
    """What a reading says, each with the measurement that says it; None where it is withheld."""
    if reading.withheld is not None:
        return {f"withheld {reading.withheld}": None}
    return {words(each): each for each in measurements}


def _placement(measurements: Sequence[Measurement]) -> tuple[Any, ...]:
    """Where the measurements of one reading are in time: moment, clock, offset; None for none."""
    if not measurements:
        return None, None, None
    first = measurements[0]
    return first.taken_at.astimezone(UTC).isoformat(), first.clock.value, first.clock_offset_s


def _own_time(reading: Reading) -> str | None:
    """By what, beside its number, a record is known again; None for one that cannot come again."""
    if reading.device_time is not None:
        return reading.device_time.isoformat()
    if reading.sequence > LAST_RECORD_NUMBER:
        return None
    # a meter whose clock was never set still hands over its whole memory again
    said = [f"{each.kind} {each.value} {each.unit}" for each in reading.values]
    return ", ".join(["unknown", *said])
