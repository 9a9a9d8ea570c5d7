"""Plans, findings and days that start valid; a test spoils what it is about."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from care_plans.adherence import Adherence
from care_plans.adjust import Concern
from care_plans.block import BlockSoFar
from care_plans.plan import Bounds, Plan, Protocol, Schedule, Session, Task, Words
from care_plans.template import template
from rules.finding import Finding
from rules.words import Said

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EPISODE = "2026-11-16"
MEASURED = Adherence(planned=6, done=5, percent=91.7, by_time=())
WORDS = Words(zh="量血压", en="Blood pressure")
HINT = Words(zh="坐着休息5分钟。", en="Sit and rest.")


def schedule(**changes: Any) -> Schedule:
    """Monday, Wednesday and Friday, 07:00 and 20:00, two readings."""
    usual = Schedule(
        times=(time(7), time(20)), weekdays=(1, 3, 5), readings=2, words=WORDS, hint=HINT
    )
    return replace(usual, **changes)


def task(**changes: Any) -> Task:
    """A blood-pressure task from long ago, without an end."""
    usual = Task(session=Session.BP, schedule=schedule(), starts_on=date(2026, 9, 1), id=1)
    return replace(usual, **changes)


def plan(*tasks: Task, **bounds: Any) -> Plan:
    """One patient's plan; the usual task where none is given."""
    return Plan(
        id=1,
        patient_id=1,
        template="hypertension",
        bounds=Bounds(**bounds),
        tasks=tasks or (task(),),
    )


def protocol() -> Protocol:
    """The block of the template."""
    found = template("hypertension").protocol
    assert found is not None
    return found


def block_task(*, days_ago: int = 7, days: int = 14) -> Task:
    """An accepted block that began so many days ago."""
    starts_on = TODAY - timedelta(days=days_ago)
    return Task(
        session=Session.BP,
        schedule=protocol().schedule,
        starts_on=starts_on,
        ends_on=starts_on + timedelta(days=days - 1),
        is_block=True,
        proposal_id=1,
        id=2,
    )


def finding(**changes: Any) -> Finding:
    """Home mean 142/86 against 135/85, still lasting."""
    numbers = {
        "systolic": 142.0,
        "diastolic": 86.0,
        "n": 12,
        "days": 3,
        "limit_systolic": 135.0,
        "limit_diastolic": 85.0,
    }
    usual = Finding(
        rule="bp.high.7d",
        pack="hypertension",
        pack_version="1",
        severity=2,
        started_at=NOW - timedelta(days=6),
        at=NOW - timedelta(hours=1),
        ended_at=None,
        episode=EPISODE,
        title=Said(zh="血压偏高", en="High"),
        numbers=numbers | changes.pop("numbers", {}),
        evidence=(),
        sentences={},
    )
    return replace(usual, **changes)


def concern(*, is_living: bool = True, **changes: Any) -> Concern:
    """A finding whose alert lives."""
    return Concern(finding=finding(**changes), is_living=is_living)


def ended_concern() -> Concern:
    """The same finding after the mean went below the target and the alert closed."""
    return concern(is_living=False, ended_at=NOW)


def so_far(**changes: Any) -> BlockSoFar:
    """A block with all its readings, below the target."""
    usual = BlockSoFar(
        episode=EPISODE, days=7, readings=28, systolic_mmhg=127.5, diastolic_mmhg=79.2
    )
    return replace(usual, **changes)
