"""The daily work on the database: chunk length, compression, and the end of what is too old.

May hold: the steps and what they say. May not: SQL (`store/retention.py`), decisions (`decide.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from psycopg import Connection

from kangban.keeping import decide
from kangban.keeping.config import KeepingSettings
from store import retention
from store.pool import connect
from store.retention import Facts, Removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done. `cut`: raw readings are kept since then (None: no further cut).

    `older` rows go by it, of which `waiting` have no name yet; `waits` is the oldest of these,
    where it holds the cut back. `interval`: the length that new chunks get (None: as it is).
    """

    facts: Facts
    cut: datetime | None = None
    older: int = 0
    waiting: int = 0
    waits: datetime | None = None
    interval: timedelta | None = None
    compress_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done by a plan."""

    plan: Plan
    removed: Removed
    compressed: int


def plan(
    connection: Connection[Any],
    settings: KeepingSettings,
    *,
    now: datetime,
    also_waiting: bool = False,
) -> Plan:
    """What is to be done in this database today; does nothing."""
    facts = retention.facts(connection)
    since = partial(
        decide.complete_since,
        keep_days=settings.keep_raw_days,
        raw_since=facts.raw_since,
        now=now,
    )
    wanted, kept = since(oldest_waiting=None), since(oldest_waiting=facts.oldest_waiting)
    cut = wanted if also_waiting else kept
    older, waiting = retention.count_older(connection, cut) if cut else (0, 0)
    pause = timedelta(days=settings.compress_after_days)
    return Plan(
        facts=facts,
        cut=cut,
        older=older,
        waiting=waiting,
        waits=facts.oldest_waiting if cut != wanted else None,
        interval=_interval(connection, settings, facts),
        compress_before=now - pause if facts.may_compress else None,
    )


def carry_out(connection: Connection[Any], plan: Plan, *, now: datetime) -> Done:
    """Does what a plan says, and what an earlier cut left; `connection` commits each step."""
    if plan.interval is not None:
        retention.set_chunk_interval(connection, plan.interval)
    if plan.cut is not None:
        retention.cut(connection, complete_since=plan.cut, now=now)
    removed = retention.remove(connection, retention.facts(connection))
    compressed = 0
    if plan.compress_before is not None:
        compressed = retention.compress(connection, before=plan.compress_before)
    return Done(plan=plan, removed=removed, compressed=compressed)


def keep_once(
    settings: KeepingSettings, *, now: datetime, also_waiting: bool = False
) -> Done | None:
    """What was done today; None where somebody else does it now. Raises TryAgain, MendSettings."""
    with connect(settings.database_url, autocommit=True) as connection:
        if not retention.keep_alone(connection):
            return None
        todo = plan(connection, settings, now=now, also_waiting=also_waiting)
        return carry_out(connection, todo, now=now)


def in_words(plan: Plan) -> Iterator[str]:
    """What a plan says, a sentence a line."""
    since = plan.cut or plan.facts.raw_since
    yield f"Raw readings are kept since {since:%Y-%m-%d}." if since else "Raw readings stay."
    if plan.cut is not None:
        yield f"{plan.older} of them go, {plan.waiting} of which wait for a name; days stay."
    if plan.waits is not None:
        yield (
            f"A reading of {plan.waits:%Y-%m-%d} waits for a name, so nothing younger goes: give "
            "it a name on the family's page, or say --also-waiting."
        )
    if plan.interval is not None:
        yield f"New chunks span {plan.interval}."
    if plan.compress_before is not None:
        yield f"Chunks that ended before {plan.compress_before:%Y-%m-%d} are compressed."
    elif plan.facts.timescaledb:
        yield f"Nothing is compressed: TimescaleDB's {plan.facts.licence} edition does not."
    else:
        yield "Nothing is compressed: this is PostgreSQL without TimescaleDB."


def _interval(
    connection: Connection[Any], settings: KeepingSettings, facts: Facts
) -> timedelta | None:
    if facts.timescaledb is None or settings.expected_rows_a_day is None:
        return None
    wanted = decide.chunk_interval(
        rows_a_day=settings.expected_rows_a_day, memory_gb=settings.database_memory_gb
    )
    return None if wanted == retention.chunk_interval(connection) else wanted
