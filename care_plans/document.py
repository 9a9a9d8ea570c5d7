"""The nouns of a care plan as JSON and back: what stands in the database and in templates.

May hold: these pairs of functions. May not: decisions, I/O.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from care_plans.plan import (
    Addition,
    Adjustment,
    Bounds,
    Schedule,
    Session,
    Task,
    Words,
)
from vitals.errors import MendData


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """A schedule as JSON."""
    return {
        "times": [each.strftime("%H:%M") for each in schedule.times],
        "weekdays": list(schedule.weekdays),
        "readings": schedule.readings,
        "words": schedule.words.document(),
        "hint": schedule.hint.document(),
    }


def schedule_of(document: Mapping[str, Any]) -> Schedule:
    """The schedule in a JSON object or a template's table. Raises MendData, naming the fault."""
    try:
        return Schedule(
            times=tuple(time.fromisoformat(each) for each in document["times"]),
            weekdays=tuple(int(each) for each in document["weekdays"]),
            readings=int(document["readings"]),
            words=words_of(document["words"]),
            hint=words_of(document["hint"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MendData(f"a task's schedule cannot be read: {error!r}") from error


def words_of(document: Mapping[str, Any]) -> Words:
    """The pair of texts in JSON or TOML."""
    return Words(zh=str(document["zh"]), en=str(document["en"]))


def task_document(task: Task) -> dict[str, Any]:
    """A task as JSON, for the record of a change."""
    return {
        "id": task.id,
        "task": task.session.value,
        "schedule": schedule_document(task.schedule),
        "starts_on": task.starts_on.isoformat(),
        "ends_on": task.ends_on.isoformat() if task.ends_on else None,
        "is_block": task.is_block,
        "proposal_id": task.proposal_id,
    }


def task_of(document: Mapping[str, Any]) -> Task:
    """The task in a JSON object."""
    return Task(
        id=document["id"],
        session=Session(document["task"]),
        schedule=schedule_of(document["schedule"]),
        starts_on=date.fromisoformat(document["starts_on"]),
        ends_on=date.fromisoformat(document["ends_on"]) if document["ends_on"] else None,
        is_block=document["is_block"],
        proposal_id=document["proposal_id"],
    )


def adjustment_document(adjustment: Adjustment) -> dict[str, Any]:
    """An adjustment as JSON."""
    return {
        "ends": list(adjustment.ends),
        "adds": [
            {
                "task": each.session.value,
                "schedule": schedule_document(each.schedule),
                "days": each.days,
                "is_block": each.is_block,
            }
            for each in adjustment.adds
        ],
    }


def adjustment_of(document: Mapping[str, Any]) -> Adjustment:
    """The adjustment in a JSON object."""
    return Adjustment(
        ends=tuple(document["ends"]),
        adds=tuple(
            Addition(
                session=Session(each["task"]),
                schedule=schedule_of(each["schedule"]),
                days=each["days"],
                is_block=each["is_block"],
            )
            for each in document["adds"]
        ),
    )


def bounds_document(bounds: Bounds) -> dict[str, Any]:
    """Bounds as JSON."""
    return {
        "may_propose_block": bounds.may_propose_block,
        "block_days_at_most": bounds.block_days_at_most,
        "may_relax_alone": bounds.may_relax_alone,
    }


def bounds_of(document: Mapping[str, Any]) -> Bounds:
    """The bounds in a JSON object or a template's table; what it leaves out is as usual.

    Raises MendData for a bound that does not exist or cannot be.
    """
    try:
        return Bounds(**document)
    except TypeError as error:
        raise MendData(f"the plan's bounds cannot be read: {error}") from error
