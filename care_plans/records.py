"""Plans for those who show them and decide on them: pages, the command line, the process.

Each call works in the caller's transaction. Who may see a patient is asked before
(`api/access.py`); who may decide is asked here too: a doctor of the patient accepts and refuses,
the patient may undo as well. May hold: the thin layer over `store/plans.py`. May not: SQL, words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from care_plans.adherence import Adherence, Slot, adherence
from care_plans.change import accepted
from care_plans.document import bounds_document, task_document, task_of, words_of
from care_plans.plan import Bounds, Change, Plan, ProposalKind, Task, Words
from care_plans.remind import LINK, SEVERITY, slots_of_days, write_ahead
from care_plans.rows import plan_of_row, proposal_of_row, row_of_task
from care_plans.schedule import local_day, outside_the_night, zone_of
from care_plans.template import template as template_of
from care_plans.words import TITLES, change_body
from store import outbox, plans
from vitals.errors import AskPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalShown:
    """A proposal with what was decided: proposed, accepted, refused or withdrawn.

    `decided_by` is None where the system acted within the doctor's bounds.
    """

    id: int
    patient_id: int
    kind: ProposalKind
    title: Words
    reason: Words
    numbers: Mapping[str, float | int | str]
    state: str
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeShown:
    """A change of the plan. `may_undo`: it is the newest that stands."""

    id: int
    title: Words
    explained: Words
    at: datetime
    decided_by: int | None
    undone_at: datetime | None
    undone_by: int | None
    may_undo: bool


def create_plan(
    connection: Connection[Any],
    *,
    patient_id: int,
    template: str,
    now: datetime,
    bounds: Bounds | None = None,
    starts_on: date | None = None,
) -> Plan:
    """The patient's new plan, with its first reminders.

    It begins today, or on `starts_on` where measuring began before. Raises AskPerson where the
    patient has a plan, MendData for an unknown template.
    """
    chosen = template_of(template)
    number = plans.add_plan(
        connection,
        patient_id=patient_id,
        template=template,
        bounds=bounds_document(bounds or chosen.bounds),
    )
    if number is None:
        raise AskPerson("This patient has a care plan already; change that one.")
    _, zone = _plan_and_zone(connection, patient_id)
    first = starts_on or local_day(now, zone_of(zone))
    for session, schedule in chosen.tasks:
        task = Task(session=session, schedule=schedule, starts_on=first)
        plans.add_task(connection, plan_id=number, row=row_of_task(task))
    write_ahead(connection, patient_id=patient_id, now=now)
    plans.refresh_pages(connection, patient_id)
    return _plan_and_zone(connection, patient_id)[0]


def plan_of(connection: Connection[Any], patient_id: int) -> Plan | None:
    """The patient's plan as it stands; None where there is none."""
    row = plans.plan(connection, patient_id)
    return None if row is None else plan_of_row(connection, row)


def tasks_of_day(
    connection: Connection[Any], *, patient_id: int, now: datetime
) -> tuple[Slot, ...]:
    """Today's sessions on the patient's clock, each with what was measured: `slot.state(now)`."""
    row = plans.plan(connection, patient_id)
    if row is None:
        return ()
    today = local_day(now, zone_of(row["timezone"]))
    plan = plan_of_row(connection, row)
    return slots_of_days(connection, plan, first=today, last=today, zone=row["timezone"])


def adherence_of(
    connection: Connection[Any], *, patient_id: int, first: date, last: date, now: datetime
) -> Adherence | None:
    """What was planned and done from the local day `first` to `last`; None without a plan."""
    row = plans.plan(connection, patient_id)
    if row is None:
        return None
    plan = plan_of_row(connection, row)
    slots = slots_of_days(connection, plan, first=first, last=last, zone=row["timezone"])
    return adherence(slots, now=now)


def proposals_of(connection: Connection[Any], patient_id: int) -> tuple[ProposalShown, ...]:
    """What was proposed for a patient, newest first."""
    return tuple(_shown(each) for each in plans.proposals(connection, patient_id))


def proposals_waiting(connection: Connection[Any], account_id: int) -> tuple[ProposalShown, ...]:
    """What waits for this doctor to decide, oldest first, over all patients."""
    return tuple(_shown(each) for each in plans.proposals_waiting(connection, account_id))


def changes_of(connection: Connection[Any], patient_id: int) -> tuple[ChangeShown, ...]:
    """The changes of a patient's plan, newest first."""
    rows = plans.changes(connection, patient_id)
    newest = _newest_standing(rows)
    return tuple(
        ChangeShown(
            id=each["id"],
            title=TITLES[ProposalKind(each["kind"])],
            explained=words_of(each["explained"]),
            at=each["at"],
            decided_by=each["decided_by"],
            undone_at=each["undone_at"],
            undone_by=each["undone_by"],
            may_undo=newest is not None and each["id"] == newest["id"],
        )
        for each in rows
    )


def accept(connection: Connection[Any], *, proposal_id: int, account_id: int, now: datetime) -> int:
    """The number of the change that the accepted proposal made; reminders follow at once.

    Raises AskPerson where it was decided before or the account is no doctor of the patient,
    MendData where the plan has changed since.
    """
    row, plan, zone = _undecided(connection, proposal_id, account_id)
    plans.decide(connection, id=proposal_id, state="accepted", account_id=account_id, now=now)
    today = local_day(now, zone_of(zone))
    change = accepted(plan, proposal_of_row(row), proposal_id=proposal_id, today=today, now=now)
    return apply_change(connection, plan, change, proposal_id=proposal_id, zone=zone)


def refuse(
    connection: Connection[Any], *, proposal_id: int, account_id: int, now: datetime
) -> None:
    """The proposal is refused and does not come back for the same episode. Raises as `accept`."""
    row, _, _ = _undecided(connection, proposal_id, account_id)
    plans.decide(connection, id=proposal_id, state="refused", account_id=account_id, now=now)
    plans.refresh_pages(connection, row["patient_id"])


def undo(connection: Connection[Any], *, change_id: int, account_id: int, now: datetime) -> None:
    """The tasks before the change stand again, and reminders follow.

    Raises AskPerson where another change came after, it was undone before, or the account is
    neither the patient nor a doctor of the patient.
    """
    patient_id = plans.patient_of_change(connection, change_id)
    if patient_id is None:
        raise AskPerson("There is no such change of a care plan.")
    _must_be(connection, account_id, patient_id, {"doctor", "self"})
    plans.lock_plan(connection, patient_id)
    plan, zone = _plan_and_zone(connection, patient_id)
    newest = _newest_standing(plans.changes(connection, patient_id))
    if newest is None or newest["id"] != change_id:
        raise AskPerson("Only the newest change that stands can be undone; undo that one first.")
    _set_tasks(connection, plan, tuple(task_of(each) for each in newest["before"]))
    plans.mark_undone(connection, id=change_id, account_id=account_id, now=now)
    write_ahead(connection, patient_id=patient_id, now=now)
    explained = Words(
        zh="之前的改动已撤销，恢复原来的测量安排。",
        en="The last change was undone; the schedule is what it was before.",
    )
    _tell(connection, patient_id, f"undone/{change_id}", explained, zone, now)


def apply_change(
    connection: Connection[Any],
    plan: Plan,
    change: Change,
    *,
    proposal_id: int | None,
    zone: str,
) -> int:
    """The number of the change, after tasks and reminders are what it says."""
    after = _set_tasks(connection, plan, change.after)
    number = plans.add_change(
        connection,
        plan_id=plan.id,
        proposal_id=proposal_id,
        at=change.at,
        explained=change.explained.document(),
        before=[task_document(each) for each in change.before],
        after=[task_document(each) for each in after],
    )
    write_ahead(connection, patient_id=plan.patient_id, now=change.at)
    _tell(connection, plan.patient_id, f"plan/{number}", change.becomes, zone, change.at)
    return number


def _set_tasks(
    connection: Connection[Any], plan: Plan, tasks: tuple[Task, ...]
) -> tuple[Task, ...]:
    """The tasks, those that are new with their numbers; all others stand no longer."""
    known = [each for each in tasks if each.id is not None]
    plans.retire_tasks(connection, plan_id=plan.id, standing=[each.id or 0 for each in known])
    for each in known:
        plans.set_task(
            connection,
            plan_id=plan.id,
            id=each.id or 0,
            starts_on=each.starts_on,
            ends_on=each.ends_on,
        )
    for each in tasks:
        if each.id is None:
            plans.add_task(connection, plan_id=plan.id, row=row_of_task(each))
    return _plan_and_zone(connection, plan.patient_id)[0].tasks


def _tell(
    connection: Connection[Any],
    patient_id: int,
    key: str,
    explained: Words,
    zone: str,
    now: datetime,
) -> None:
    """The patient hears what is measured from now on; pages are refreshed."""
    due_at = outside_the_night(now, zone_of(zone))
    for account_id in plans.own_accounts(connection, patient_id):
        outbox.put(
            connection,
            key=f"{key}/{account_id}",
            account_id=account_id,
            patient_id=patient_id,
            severity=SEVERITY,
            body=change_body(explained, link=LINK),
            due_at=due_at,
            expires_at=due_at + timedelta(days=2),
        )
    plans.refresh_pages(connection, patient_id)


def _undecided(
    connection: Connection[Any], proposal_id: int, account_id: int
) -> tuple[plans.Row, Plan, str]:
    row = plans.proposal(connection, proposal_id)
    if row is None:
        raise AskPerson("There is no such proposal.")
    _must_be(connection, account_id, row["patient_id"], {"doctor"})
    # one decision at a time: look again once the plan is ours
    plans.lock_plan(connection, row["patient_id"])
    row = plans.proposal(connection, proposal_id)
    if row is None or row["state"] != "proposed":
        state = row["state"] if row else "gone"
        raise AskPerson(f"This proposal is {state} already; reload the page.")
    plan, zone = _plan_and_zone(connection, row["patient_id"])
    return row, plan, zone


def _must_be(
    connection: Connection[Any], account_id: int, patient_id: int, relations: set[str]
) -> None:
    if plans.relation(connection, account_id=account_id, patient_id=patient_id) not in relations:
        raise AskPerson("Only a doctor of this patient may decide this.")


def _plan_and_zone(connection: Connection[Any], patient_id: int) -> tuple[Plan, str]:
    row = plans.plan(connection, patient_id)
    if row is None:
        raise AskPerson("This patient has no care plan yet; begin one first.")
    return plan_of_row(connection, row), row["timezone"]


def _newest_standing(rows: list[plans.Row]) -> plans.Row | None:
    return next((each for each in rows if each["undone_at"] is None), None)


def _shown(row: plans.Row) -> ProposalShown:
    proposal = proposal_of_row(row)
    return ProposalShown(
        id=row["id"],
        patient_id=row["patient_id"],
        kind=proposal.kind,
        title=TITLES[proposal.kind],
        reason=proposal.reason,
        numbers=proposal.numbers,
        state=row["state"],
        proposed_at=row["proposed_at"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
    )
