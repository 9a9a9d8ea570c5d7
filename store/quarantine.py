"""Measurements that are not believable: kept apart until a person releases or discards them.

The first decision is obeyed and kept with who made it. A release is final: what it let in is a
reading like any other, and goes away like any other (`assignment.py`). What was discarded may still
be released. Loading is ingest's work: a release asks for it, `take` hands it over. May hold: these
steps over `sql/quarantine.sql`. May not: reads for pages (`doubt.py`), who may decide
(`api/access.py`), what is believable (`ingest`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from store.assignment import Outcome
from store.named import queries

_SQL = queries("quarantine")

# what wakes ingest
CHANNEL = "kangban_release"


class State(StrEnum):
    """Where a measurement stands."""

    WAITING = "waiting"
    RELEASED = "released"
    DISCARDED = "discarded"
    CAME_SOUND = "came_sound"


class Decision(StrEnum):
    """What somebody says of a measurement."""

    RELEASE = "release"
    DISCARD = "discard"


# what a decision leads to, and from which states it does
_LEADS_TO = {Decision.RELEASE: State.RELEASED, Decision.DISCARD: State.DISCARDED}
_OPEN: Mapping[Decision, frozenset[State]] = {
    Decision.RELEASE: frozenset({State.WAITING, State.DISCARDED}),
    Decision.DISCARD: frozenset({State.WAITING}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One measurement to be kept apart; the digest makes a repeat a no-op. Codes as stored."""

    digest: bytes
    gateway: str
    device: str
    kind: int
    sequence: int
    taken_at: datetime
    value: float
    unit: int
    slot: int
    resync: bool
    document: Any
    codes: Sequence[str]
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What became of a measurement that came before."""

    state: State
    codes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A measurement that somebody released and that is to be loaded."""

    id: int
    gateway: str
    resync: bool
    document: Any
    codes: list[str]
    received_at: datetime


# -- what a load asks ------------------------------------------------------------------------------


def keep(connection: Connection[Any], held: Collection[Held]) -> None:
    """Keeps measurements apart and tells the pages where somebody may decide."""
    with connection.cursor() as cursor:
        cursor.executemany(
            _SQL["keep"],
            [
                {
                    "digest": each.digest,
                    "gateway": each.gateway,
                    "device": each.device,
                    "kind": each.kind,
                    "sequence": each.sequence,
                    "taken_at": each.taken_at,
                    "value": each.value,
                    "unit": each.unit,
                    "slot": each.slot,
                    "resync": each.resync,
                    "document": Jsonb(each.document),
                    "codes": list(each.codes),
                    "reasons": list(each.reasons),
                }
                for each in sorted(held, key=lambda one: one.digest)
            ],
        )
    connection.execute(_SQL["tell"], {"digests": [each.digest for each in held]})


def known(connection: Connection[Any], devices: Collection[str]) -> dict[bytes, Known]:
    """What came of these devices before and was kept apart, by its digest."""
    rows = connection.execute(_SQL["known"], {"devices": list(devices)}).fetchall()
    return {
        bytes(digest): Known(state=State(state), codes=frozenset(codes))
        for digest, state, codes in rows
    }


def come_sound(connection: Connection[Any], digests: Collection[bytes]) -> set[bytes]:
    """Lets these out, as far as nobody has decided otherwise: they are being loaded now."""
    rows = connection.execute(_SQL["came_sound"], {"digests": list(digests)}).fetchall()
    return {bytes(digest) for (digest,) in rows}


# -- deciding --------------------------------------------------------------------------------------


def decide(
    connection: Connection[Any],
    key: int,
    decision: Decision,
    *,
    now: datetime,
    patient_id: int | None = None,
    at_home: bool = False,
    account_id: int | None = None,
    note: str = "",
) -> Outcome:
    """What became of a decision about the whole record of one measurement.

    `patient_id`: through whom it is made; None: on the server's shell, of anybody's. `at_home`: may
    what is nobody's yet in that patient's home be decided too?
    """
    rows = connection.execute(
        _SQL["lock_record"], {"key": key, "patient_id": patient_id, "at_home": at_home}
    ).fetchall()
    states = {number: State(state) for number, state in rows}
    open_ones = [number for number, state in states.items() if state in _OPEN[decision]]
    if not open_ones:
        if not states:
            return Outcome.ABSENT
        wanted = _LEADS_TO[decision]
        return Outcome.ALREADY if wanted in states.values() else Outcome.TOO_LATE
    connection.execute(_SQL["decide"], {"ids": open_ones, "state": _LEADS_TO[decision]})
    connection.execute(
        _SQL["add_deeds"],
        {
            "ids": open_ones,
            "at": now,
            "deed": decision,
            "account_id": account_id,
            "note": note,
        },
    )
    if decision is Decision.RELEASE:
        connection.execute(_SQL["ask"])
    return Outcome.DONE


# -- loading ---------------------------------------------------------------------------------------


def take(
    connection: Connection[Any], *, now: datetime, again_after: timedelta, limit: int
) -> list[Released]:
    """What was released and is not loaded yet, the oldest first; this worker's for a while."""
    with connection.cursor(row_factory=class_row(Released)) as cursor:
        found = cursor.execute(
            _SQL["take"], {"now": now, "before": now - again_after, "limit": limit}
        ).fetchall()
    return sorted(found, key=lambda each: each.id)


def mark_loaded(connection: Connection[Any], ids: Collection[int], *, now: datetime) -> None:
    """Remembers that these are stored."""
    connection.execute(_SQL["mark_loaded"], {"ids": list(ids), "now": now})
