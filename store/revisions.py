"""What devices corrected: the version of a record that stands, and every one before it.

The same record of the same device with other words is a correction: a meter whose owner marked the
meal afterwards, a slot that a ring went on filling. Each version is known by what it says. One that
was never seen before stands from then on, and what it replaces is kept; one that was seen before is
a repeat, however late it comes, and changes nothing. When the record was measured, by which offset,
who brought it first and when, is no part of a version and stays. May hold: this, over
`sql/revisions.sql`. May not: the staging of rows (`intake.py`), which records are the same
(`match_stored` in `sql/intake.sql`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from psycopg import Connection

from store.measurements import Stored, flags_of
from store.named import queries
from store.recount import Touched
from vitals.errors import TryAgain
from vitals.kinds import KIND_OF_CODE, VITALS, Kind
from vitals.measurement import MEAL_OF_CODE, Flag, Meal
from vitals.units import UNIT_OF_CODE, Unit

_SQL = queries("revisions")

# the class of our advisory locks: "rev" in ASCII. Taken after those of devices, before any day.
_LOCK_CLASS = 0x726576
# as many as devices have: see intake.py
_LOCK_BUCKETS = 512

# device, kind, sequence, taken_at: what makes a measurement unique, in the table and outside
Key = tuple[Any, ...]
Name = tuple[str, Kind, int, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a device says of one record; codes of the tables. Two that say the same are the same,
    whoever brought them and in whatever bytes."""

    value: float
    unit: int
    slot: int
    meal: int | None
    flags: int
    raw: bytes | None = field(compare=False)
    gateway_id: int = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A version that nobody has seen yet, beside the one that stands and whose that is.

    `wearer`: whose it would be by the number that it says now; `is_placed`: a person said whose it
    is, and that holds.
    """

    key: Key
    said: Version
    stands: Version
    patient_id: int | None
    wearer: int | None
    is_placed: bool

    @property
    def heir(self) -> int | None:
        """Whose the measurement is once it says this."""
        if self.said.slot == self.stands.slot or self.is_placed:
            return self.patient_id
        return self.wearer


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a measurement said until `replaced_at`, when its device's correction was committed."""

    value: float
    unit: Unit
    meal: Meal | None
    flags: tuple[Flag, ...]
    replaced_at: datetime


# -- writing ---------------------------------------------------------------------------------------


def any_unsettled(connection: Connection[Any]) -> bool:
    """Do staged rows, all of them inserted if they were new, correct what is stored?

    Raises TryAgain where one is not stored at all: then nothing may be receipted.
    """
    return bool(_unsettled(connection))


def revise(connection: Connection[Any]) -> list[Touched]:
    """The places where corrected measurements were and are; the newest version of each stands.

    Their days are the caller's to recount.
    """
    connection.execute(
        _SQL["lock_revisions"], {"class": _LOCK_CLASS, "buckets": _LOCK_BUCKETS}, prepare=False
    )
    touched: list[Touched] = []
    # again, under the lock: another load may have brought the same meanwhile
    for _, found in groupby(_unsettled(connection), key=lambda each: each.key):
        touched += _revise_one(connection, list(found))
    return touched


def succession(said: Iterable[Version], *, stands: Version) -> list[Version]:
    """The versions of a record from the one that stands to the newest, each once."""
    return list(dict.fromkeys((stands, *said)))


def _revise_one(connection: Connection[Any], found: Sequence[Unsettled]) -> list[Touched]:
    """Where one measurement was and is, in the eyes of its patients."""
    newest = found[-1]
    versions = succession((each.said for each in found), stands=newest.stands)
    names = ("device_id", "kind", "sequence", "taken_at")
    key = dict(zip(names, newest.key, strict=True))
    for before, after in pairwise(versions):
        connection.execute(
            _SQL["keep_revision"], {**key, **_words(before), "replaced_by": after.gateway_id}
        )
    heir = next(each.heir for each in found if each.said == versions[-1])
    # planned each time: only with its values does a compressed chunk know where to look
    connection.execute(
        _SQL["revise"],
        {**key, **_words(versions[-1]), "patient_id": heir, "was_patient": newest.patient_id},
        prepare=False,
    )
    _, kind, _, taken_at = newest.key
    places = {(newest.patient_id, newest.stands.unit), (heir, versions[-1].unit)}
    return [
        Touched(patient_id=patient_id, kind=kind, unit=unit, taken_at=taken_at)
        for patient_id, unit in places
        if patient_id is not None
    ]


def _unsettled(connection: Connection[Any]) -> list[Unsettled]:
    weeks = connection.execute(_SQL["staged_weeks"], prepare=False).fetchall()
    rows = [
        row
        for (week,) in weeks
        for row in connection.execute(_SQL["unsettled"], {"week": week}, prepare=False).fetchall()
    ]
    if not all(is_stored for *_, is_stored, _, _, _ in rows):
        raise TryAgain(
            "The database took rows and did not store them: nothing of this load is committed. "
            "Look for a newer release of TimescaleDB."
        )
    return [
        Unsettled(
            key=row[:4],
            said=_version(row[4:11]),
            stands=_version(row[11:18]),
            patient_id=row[19],
            wearer=row[20],
            is_placed=row[21],
        )
        for row in rows
    ]


def _version(row: Sequence[Any]) -> Version:
    value, unit, slot, meal, flags, raw, gateway_id = row
    return Version(
        value=value,
        unit=unit,
        slot=slot,
        meal=meal,
        flags=flags,
        raw=raw,
        gateway_id=gateway_id,
    )


def _words(version: Version) -> dict[str, Any]:
    return {
        "value": version.value,
        "unit": version.unit,
        "slot": version.slot,
        "meal": version.meal,
        "flags": version.flags,
        "raw": version.raw,
    }


# -- reading ---------------------------------------------------------------------------------------


def name_of(stored: Stored) -> Name:
    """By what `revisions` knows a measurement."""
    return stored.device, stored.kind, stored.sequence, stored.taken_at


def revisions(connection: Connection[Any], found: Collection[Stored]) -> dict[Name, list[Revision]]:
    """What these measurements said before their devices corrected them, the oldest version first;
    those that were never corrected are absent."""
    rows = connection.execute(
        _SQL["revisions"],
        {
            "devices": [each.device for each in found],
            "kinds": [VITALS[each.kind].code for each in found],
            "sequences": [each.sequence for each in found],
            "moments": [each.taken_at for each in found],
        },
    ).fetchall()
    said: dict[Name, list[Revision]] = {}
    for device, kind, sequence, taken_at, value, unit, meal, flags, replaced_at in rows:
        said.setdefault((device, KIND_OF_CODE[kind], sequence, taken_at), []).append(
            Revision(
                value=value,
                unit=UNIT_OF_CODE[unit],
                meal=None if meal is None else MEAL_OF_CODE[meal],
                flags=flags_of(flags),
                replaced_at=replaced_at,
            )
        )
    return said
