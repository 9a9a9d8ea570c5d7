"""What a proposal makes of a plan once it is accepted, explained; and how it is put back.

May hold: this arithmetic of tasks and days, pure. May not: when to propose (`adjust.py`), I/O.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from care_plans.plan import Adjustment, Change, Plan, Proposal, Task, Words
from care_plans.schedule import in_force
from care_plans.words import day_text, schedule_text, then
from vitals.errors import MendData


def accepted(
    plan: Plan, proposal: Proposal, *, proposal_id: int, today: date, now: datetime
) -> Change:
    """The change that the proposal makes of the plan, from tomorrow on.

    From tomorrow, so that a block has whole days. Raises MendData where the plan is no longer the
    one that the proposal speaks of.
    """
    from_day = today + timedelta(days=1)
    after = adjusted(plan, proposal.adjustment, from_day=from_day, proposal_id=proposal_id)
    becomes = _becomes(after, from_day)
    return Change(
        before=plan.tasks,
        after=after.tasks,
        explained=then(proposal.reason, becomes),
        becomes=becomes,
        at=now,
    )


def undone(plan: Plan, change: Change) -> Plan:
    """The plan with the tasks that stood before the change."""
    return replace(plan, tasks=change.before)


def adjusted(
    plan: Plan, adjustment: Adjustment, *, from_day: date, proposal_id: int | None
) -> Plan:
    """The plan with the adjustment in force from `from_day` on; earlier days stay as they were."""
    if set(adjustment.ends) - {each.id for each in plan.tasks}:
        raise MendData("The plan has changed since this was proposed; look at it again.")
    kept = [_ended(each, from_day) if each.id in adjustment.ends else each for each in plan.tasks]
    added = [
        Task(
            session=each.session,
            schedule=each.schedule,
            starts_on=from_day,
            ends_on=from_day + timedelta(days=each.days - 1),
            is_block=each.is_block,
            proposal_id=proposal_id,
        )
        for each in adjustment.adds
    ]
    # a task that would end before it begins is gone
    standing = [each for each in kept if each.ends_on is None or each.starts_on <= each.ends_on]
    return replace(plan, tasks=tuple(standing + added))


def _ended(task: Task, from_day: date) -> Task:
    last = from_day - timedelta(days=1)
    if task.ends_on is not None and task.ends_on <= last:
        return task
    return replace(task, ends_on=last)


def _becomes(plan: Plan, from_day: date) -> Words:
    """What is asked for from a day on."""
    texts = [
        (each.schedule.words, schedule_text(each.schedule))
        for each in in_force(plan.tasks, from_day)
    ]
    day = day_text(from_day)
    return Words(
        zh=f"从{day.zh}起：" + "；".join(f"{name.zh}，{when.zh}" for name, when in texts) + "。",
        en=f"From {day.en}: " + "; ".join(f"{name.en}, {when.en}" for name, when in texts) + ".",
    )
