"""Saying whose a reading is: the one way in which a reading changes hands.

A move is one transaction: the device is held as a load that stands alone holds it, rows get their
new place, the days that lost or won rows are counted anew, everybody concerned is judged again, and
who said it is kept with where the rows were. A move that was made before changes nothing; of two
people at once the first is obeyed and the other is told. Undoing is a move like any other. Locks
are taken in the order of every load (`intake.py`): device, rows, days, news. May hold: these moves
over `sql/inbox.sql`. May not: who may do it (`api/access.py`), reads for pages (`inbox.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from store import intake, recount, sharing
from store.inbox import Visit
from store.named import queries

_SQL = queries("inbox")

# how long what was said can be taken back: the next day somebody still remembers who measured; an
# engineering choice. Afterwards a reading is handed over (`hand_over`), which has no end.
UNDO_FOR = timedelta(hours=24)


class Outcome(StrEnum):
    """What became of a wish."""

    DONE = "done"
    # it was so already: a second press, or a second person with the same answer
    ALREADY = "already"
    # somebody said otherwise before, or it stands too long to be taken back
    TOO_LATE = "too_late"
    # there is no such thing for this patient
    ABSENT = "absent"


class Said(StrEnum):
    """What somebody said of readings."""

    GIVE = "give"
    SET_ASIDE = "set_aside"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a wish, and the number by which it is undone (None: nothing was done)."""

    outcome: Outcome
    assignment_id: int | None = None
    moved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a row is: a patient's, nobody's yet (None), or aside."""

    patient_id: int | None
    set_aside: bool = False


_NOBODY = _Place(patient_id=None)
_ASIDE = _Place(patient_id=None, set_aside=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What was said, as it is kept; `mapped_before`: whose the mapped number was."""

    device_id: int
    patient_id: int
    at: datetime
    mapped_slot: int | None
    mapped_before: int | None
    committed_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of one device, and its place."""

    kind: int
    unit: int
    sequence: int
    taken_at: datetime
    place: _Place


# -- saying whose it is ----------------------------------------------------------------------------


def give(
    connection: Connection[Any], visit: Visit, *, patient_id: int, account_id: int, now: datetime
) -> Done:
    """A waiting record becomes this patient's."""
    rows = _hold(connection, visit, patient_id)
    if all(row.place == _Place(patient_id=patient_id) for row in rows):
        return Done(outcome=Outcome.ALREADY if rows else Outcome.ABSENT)
    return _say(
        connection, [row for row in rows if row.place == _NOBODY], Said.GIVE,
        visit.device_id, patient_id=patient_id, account_id=account_id, now=now,
    )  # fmt: skip


def set_aside(
    connection: Connection[Any], visit: Visit, *, patient_id: int, account_id: int, now: datetime
) -> Done:
    """A waiting record is nobody's of the household of this patient: it is kept, never offered."""
    rows = _hold(connection, visit, patient_id)
    if all(row.place == _ASIDE for row in rows):
        return Done(outcome=Outcome.ALREADY if rows else Outcome.ABSENT)
    return _say(
        connection, [row for row in rows if row.place == _NOBODY], Said.SET_ASIDE,
        visit.device_id, patient_id=patient_id, account_id=account_id, now=now,
    )  # fmt: skip


def release(
    connection: Connection[Any], visit: Visit, *, patient_id: int, account_id: int, now: datetime
) -> Done:
    """A record that is this patient's is not: it waits for a name again."""
    rows = _hold(connection, visit, patient_id)
    if rows and all(row.place == _NOBODY for row in rows):
        return Done(outcome=Outcome.ALREADY)
    mine = [row for row in rows if row.place == _Place(patient_id=patient_id)]
    if not mine:
        return Done(outcome=Outcome.ABSENT)
    return _say(
        connection, mine, Said.RELEASE,
        visit.device_id, patient_id=patient_id, account_id=account_id, now=now,
    )  # fmt: skip


def hand_over(
    connection: Connection[Any],
    visit: Visit,
    *,
    patient_id: int,
    to: int,
    account_id: int,
    now: datetime,
) -> Done:
    """A record that is this patient's becomes another's of the household."""
    rows = _hold(connection, visit, to)
    if rows and all(row.place == _Place(patient_id=to) for row in rows):
        return Done(outcome=Outcome.ALREADY)
    mine = [row for row in rows if row.place == _Place(patient_id=patient_id)]
    if not mine:
        return Done(outcome=Outcome.ABSENT)
    return _say(
        connection, mine, Said.GIVE,
        visit.device_id, patient_id=to, account_id=account_id, now=now,
    )  # fmt: skip


def give_number(
    connection: Connection[Any],
    *,
    device_id: int,
    slot: int,
    patient_id: int,
    account_id: int,
    now: datetime,
) -> Done:
    """A user number (0-254) of a device is this patient's from now on, and what waits of it."""
    _hold_device(connection, device_id)
    asked = {"device_id": device_id, "slot": slot, "patient_id": patient_id}
    before = sharing.owner(connection, device_id, slot)
    rows = _rows(connection.execute(_SQL["lock_number"], asked).fetchall())
    if before == patient_id and not rows:
        return Done(outcome=Outcome.ALREADY)
    connection.execute(_SQL["set_slot"], asked)
    return _say(
        connection, rows, Said.GIVE,
        device_id, patient_id=patient_id, account_id=account_id, now=now, mapped=(slot, before),
    )  # fmt: skip


def undo(
    connection: Connection[Any],
    *,
    assignment_id: int,
    patient_id: int,
    account_id: int,
    now: datetime,
) -> Done:
    """Takes back what was said, with the number that was mapped and what came by it since.

    Rows that somebody has moved since stay where they are.
    """
    kept = _kept(connection, assignment_id, patient_id)
    if kept is None:
        return Done(outcome=Outcome.ABSENT)
    _hold_device(connection, kept.device_id)
    # again, under the lock: somebody else may have undone it meanwhile
    kept = _kept(connection, assignment_id, patient_id)
    assert kept is not None
    if kept.undone_at is not None:
        return Done(outcome=Outcome.ALREADY)
    found = connection.execute(_SQL["lock_assigned"], {"id": assignment_id}).fetchall()
    rows = _rows(each[:6] for each in found)
    places = [_Place(patient_id=was, set_aside=aside) for *_, was, aside in found]
    slot = kept.mapped_slot
    is_mapped = slot is not None and sharing.owner(connection, kept.device_id, slot) == patient_id
    if now - kept.at > UNDO_FOR or not (rows or is_mapped):
        return Done(outcome=Outcome.TOO_LATE)
    if is_mapped:
        since = _unmap(connection, kept)
        _keep_rows(connection, assignment_id, kept.device_id, since)
        rows += since
        places += [_Place(patient_id=kept.mapped_before)] * len(since)
    _move(connection, kept.device_id, rows, places)
    connection.execute(
        _SQL["mark_undone"], {"id": assignment_id, "at": now, "account_id": account_id}
    )
    return Done(outcome=Outcome.DONE, assignment_id=assignment_id, moved=len(rows))


# -- the steps of a move ---------------------------------------------------------------------------


def _hold_device(connection: Connection[Any], device_id: int) -> None:
    intake.lock_devices(connection, [device_id], alone=[device_id])


def _hold(connection: Connection[Any], visit: Visit, patient_id: int) -> list[_Row]:
    """The rows of a record that may be this patient's, held."""
    _hold_device(connection, visit.device_id)
    return _rows(
        connection.execute(
            _SQL["lock_visit"],
            {
                "device_id": visit.device_id,
                "sequence": visit.sequence,
                "taken_at": visit.taken_at,
                "patient_id": patient_id,
            },
        ).fetchall()
    )


def _say(
    connection: Connection[Any],
    rows: Sequence[_Row],
    said: Said,
    device_id: int,
    *,
    patient_id: int,
    account_id: int,
    now: datetime,
    mapped: tuple[int, int | None] | None = None,
) -> Done:
    """Moves held rows to where this deed puts them, and keeps who said so."""
    if not rows and mapped is None:
        return Done(outcome=Outcome.TOO_LATE)
    slot, before = mapped or (None, None)
    with connection.cursor(row_factory=scalar_row) as cursor:
        assignment_id = cursor.execute(
            _SQL["add_assignment"],
            {
                "at": now,
                "account_id": account_id,
                "device_id": device_id,
                "deed": said,
                "patient_id": patient_id,
                "mapped_slot": slot,
                "mapped_before": before,
            },
        ).fetchone()
    assert assignment_id is not None
    _keep_rows(connection, assignment_id, device_id, rows)
    place = _Place(
        patient_id=patient_id if said is Said.GIVE else None, set_aside=said is Said.SET_ASIDE
    )
    _move(connection, device_id, rows, [place] * len(rows))
    return Done(outcome=Outcome.DONE, assignment_id=assignment_id, moved=len(rows))


def _move(
    connection: Connection[Any], device_id: int, rows: Sequence[_Row], places: Sequence[_Place]
) -> None:
    """Gives held rows these places, recounts the days concerned, has everybody judged again."""
    if not rows:
        return
    moments = [row.taken_at for row in rows]
    span = {"device_id": device_id, "first": min(moments), "last": max(moments)}
    connection.execute(_SQL["move"], {**span, **_columns(rows, places)})
    recount.recount_rows(
        connection,
        [
            recount.Touched(
                patient_id=place.patient_id, kind=row.kind, unit=row.unit, taken_at=row.taken_at
            )
            for row, new in zip(rows, places, strict=True)
            for place in {row.place, new}
            if place.patient_id is not None
        ],
    )


def _kept(connection: Connection[Any], assignment_id: int, patient_id: int) -> _Kept | None:
    with connection.cursor(row_factory=class_row(_Kept)) as cursor:
        return cursor.execute(
            _SQL["assignment"], {"id": assignment_id, "patient_id": patient_id}
        ).fetchone()


def _unmap(connection: Connection[Any], kept: _Kept) -> list[_Row]:
    """Gives a number back to whose it was; the rows that came by it since."""
    asked = {
        "device_id": kept.device_id,
        "slot": kept.mapped_slot,
        "patient_id": kept.patient_id,
        "since": kept.committed_at,
    }
    rows = _rows(connection.execute(_SQL["lock_since_mapped"], asked).fetchall())
    if kept.mapped_before is None:
        connection.execute(_SQL["clear_slot"], asked)
    else:
        connection.execute(_SQL["set_slot"], {**asked, "patient_id": kept.mapped_before})
    return rows


def _keep_rows(
    connection: Connection[Any], assignment_id: int, device_id: int, rows: Sequence[_Row]
) -> None:
    connection.execute(
        _SQL["add_assigned"],
        {
            "assignment_id": assignment_id,
            "device_id": device_id,
            **_columns(rows, [row.place for row in rows]),
        },
    )


def _rows(found: Iterable[Sequence[Any]]) -> list[_Row]:
    return [
        _Row(
            kind=kind,
            unit=unit,
            sequence=sequence,
            taken_at=taken_at,
            place=_Place(patient_id=patient_id, set_aside=aside),
        )
        for kind, unit, sequence, taken_at, patient_id, aside in found
    ]


def _keys(rows: Sequence[_Row]) -> dict[str, list[Any]]:
    return {
        "kinds": [row.kind for row in rows],
        "sequences": [row.sequence for row in rows],
        "moments": [row.taken_at for row in rows],
    }


def _columns(rows: Sequence[_Row], places: Sequence[_Place]) -> dict[str, list[Any]]:
    return {
        **_keys(rows),
        "patients": [place.patient_id for place in places],
        "asides": [place.set_aside for place in places],
    }
