"""Rows of the database as the nouns of a plan.

May hold: this translation. May not: SQL, decisions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from care_plans.block import Pressure
from care_plans.document import (
    adjustment_document,
    adjustment_of,
    bounds_of,
    schedule_document,
    schedule_of,
    words_of,
)
from care_plans.plan import Plan, Proposal, ProposalKind, Session, Task
from store import plans
from vitals.kinds import KIND_OF_CODE
from vitals.units import UNIT_OF_CODE

Row = Mapping[str, Any]


def plan_of_row(connection: Connection[Any], row: Row) -> Plan:
    """The plan with its tasks."""
    return Plan(
        id=row["id"],
        patient_id=row["patient_id"],
        template=row["template"],
        bounds=bounds_of(row["bounds"]),
        tasks=tuple(task_of_row(each) for each in plans.tasks(connection, row["id"])),
    )


def task_of_row(row: Row, *, id: str = "id") -> Task:
    """The task in a row; `id` names the column of its number."""
    return Task(
        id=row[id],
        session=Session(row["task"]),
        schedule=schedule_of(row["schedule"]),
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        is_block=row["is_block"],
        proposal_id=row["proposal_id"],
    )


def row_of_task(task: Task) -> dict[str, Any]:
    """The columns of a task, but for its number and its plan."""
    return {
        "task": task.session.value,
        "schedule": schedule_document(task.schedule),
        "starts_on": task.starts_on,
        "ends_on": task.ends_on,
        "is_block": task.is_block,
        "proposal_id": task.proposal_id,
    }


def proposal_of_row(row: Row) -> Proposal:
    """The proposal in a row."""
    body = row["body"]
    return Proposal(
        kind=ProposalKind(row["kind"]),
        episode=row["episode"],
        reason=words_of(body["reason"]),
        numbers=body["numbers"],
        adjustment=adjustment_of(body["change"]),
        proposed_at=row["proposed_at"],
    )


def body_of_proposal(proposal: Proposal) -> dict[str, Any]:
    """What stands in a proposal's row beside the columns of its own."""
    return {
        "reason": proposal.reason.document(),
        "numbers": dict(proposal.numbers),
        "change": adjustment_document(proposal.adjustment),
    }


def pressures_of_rows(rows: Sequence[Row]) -> list[Pressure]:
    """Measured pressures."""
    return [
        Pressure(
            kind=KIND_OF_CODE[each["kind"]],
            value=each["value"],
            unit=UNIT_OF_CODE[each["unit"]],
            at=each["taken_at"],
        )
        for each in rows
    ]
