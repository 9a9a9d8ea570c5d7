"""Rows of the care plan: tasks, reminders, proposals and changes, as the database holds them.

What a row means is for `care_plans` to say: documents come and go as they are. May hold: the calls
over `sql/plans.sql`. May not: schedules, decisions, words.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row, scalar_row
from psycopg.types.json import Jsonb

from store.named import queries

_SQL = queries("plans")

Row = dict[str, Any]


def _rows(connection: Connection[Any], name: str, **values: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SQL[name], values).fetchall()


def _row(connection: Connection[Any], name: str, **values: Any) -> Row | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SQL[name], values).fetchone()


def _numbers(connection: Connection[Any], name: str, **values: Any) -> list[int]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_SQL[name], values).fetchall()


def _number(connection: Connection[Any], name: str, **values: Any) -> int | None:
    with connection.cursor(row_factory=scalar_row) as cursor:
        number: int | None = cursor.execute(_SQL[name], values).fetchone()
        return number


# -- the plan and its tasks


def add_plan(
    connection: Connection[Any], *, patient_id: int, template: str, bounds: Mapping[str, Any]
) -> int | None:
    """The number of the new plan; None where the patient has one."""
    return _number(
        connection, "add_plan", patient_id=patient_id, template=template, bounds=Jsonb(dict(bounds))
    )


def plan(connection: Connection[Any], patient_id: int) -> Row | None:
    """A patient's plan and time zone; None where there is none."""
    return _row(connection, "plan_of_patient", patient_id=patient_id)


def lock_plan(connection: Connection[Any], patient_id: int) -> Row | None:
    """The same, locked until the transaction ends."""
    return _row(connection, "lock_plan", patient_id=patient_id)


def set_bounds(connection: Connection[Any], *, plan_id: int, bounds: Mapping[str, Any]) -> None:
    """What the doctor lets the system do with this plan."""
    connection.execute(_SQL["set_bounds"], {"plan_id": plan_id, "bounds": Jsonb(dict(bounds))})


def tasks(connection: Connection[Any], plan_id: int) -> list[Row]:
    """The tasks that stand in a plan, oldest first."""
    return _rows(connection, "tasks", plan_id=plan_id)


def add_task(connection: Connection[Any], *, plan_id: int, row: Mapping[str, Any]) -> int:
    """The number of the new task."""
    values = {**row, "plan_id": plan_id, "schedule": Jsonb(row["schedule"])}
    number = _number(connection, "add_task", **values)
    assert number is not None
    return number


def set_task(
    connection: Connection[Any], *, plan_id: int, id: int, starts_on: date, ends_on: date | None
) -> None:
    """The task stands, between these days."""
    connection.execute(
        _SQL["set_task"],
        {"plan_id": plan_id, "id": id, "starts_on": starts_on, "ends_on": ends_on},
    )


def retire_tasks(connection: Connection[Any], *, plan_id: int, standing: Sequence[int]) -> None:
    """All tasks of the plan but these stand no longer."""
    connection.execute(_SQL["retire_tasks"], {"plan_id": plan_id, "standing": list(standing)})


# -- reminders


def plans_to_remind(connection: Connection[Any], *, until: datetime, limit: int) -> list[int]:
    """Patients whose reminders do not reach to `until`."""
    return _numbers(connection, "plans_to_remind", until=until, limit=limit)


def set_reminders(
    connection: Connection[Any],
    *,
    plan_id: int,
    patient_id: int,
    wanted: Sequence[tuple[int, datetime]],
    now: datetime,
    until: datetime,
) -> None:
    """The coming reminders are these (task, moment), up to `until`; told and done ones stay."""
    values = {
        "patient_id": patient_id,
        "task_ids": [task_id for task_id, _ in wanted],
        "due_ats": [due_at for _, due_at in wanted],
        "now": now,
    }
    connection.execute(_SQL["drop_reminders"], values)
    connection.execute(_SQL["add_reminders"], values)
    connection.execute(_SQL["set_reminders_until"], {"plan_id": plan_id, "until": until})


def reminders(
    connection: Connection[Any], *, patient_id: int, first: datetime, last: datetime
) -> list[Row]:
    """The reminders of a patient from `first` to before `last`, with their tasks."""
    return _rows(connection, "reminders", patient_id=patient_id, first=first, last=last)


def mark_done(connection: Connection[Any], *, id: int, done_at: datetime) -> None:
    """The session of the reminder was done then."""
    connection.execute(_SQL["mark_done"], {"id": id, "done_at": done_at})


def patients_to_tell(connection: Connection[Any], *, now: datetime, since: datetime) -> list[int]:
    """Patients with a reminder due since then that was neither told nor done."""
    return _numbers(connection, "patients_to_tell", now=now, since=since)


def take_reminders(
    connection: Connection[Any], *, patient_id: int, now: datetime, since: datetime
) -> list[Row]:
    """The reminders to be told now, locked until the transaction ends."""
    return _rows(connection, "take_reminders", patient_id=patient_id, now=now, since=since)


def mark_told(connection: Connection[Any], *, ids: Sequence[int], now: datetime) -> None:
    """These reminders were told."""
    connection.execute(_SQL["mark_told"], {"ids": list(ids), "now": now})


def patients_to_settle(
    connection: Connection[Any], *, since: datetime, until: datetime
) -> list[int]:
    """Patients with reminders in between that are not known to be done."""
    return _numbers(connection, "patients_to_settle", since=since, until=until)


# -- who and what


def own_accounts(connection: Connection[Any], patient_id: int) -> list[int]:
    """The accounts of the patient itself."""
    return _numbers(connection, "own_accounts", patient_id=patient_id)


def relation(connection: Connection[Any], *, account_id: int, patient_id: int) -> str | None:
    """self, family or doctor; None for a stranger."""
    row = _row(connection, "relation", account_id=account_id, patient_id=patient_id)
    return None if row is None else str(row["relation"])


def taken(
    connection: Connection[Any],
    *,
    patient_id: int,
    kinds: Sequence[int],
    first: datetime,
    last: datetime,
) -> list[Row]:
    """Kind and moment of each measurement from `first` to before `last`."""
    return _rows(
        connection, "taken", patient_id=patient_id, kinds=list(kinds), first=first, last=last
    )


def values(
    connection: Connection[Any],
    *,
    patient_id: int,
    kinds: Sequence[int],
    first: datetime,
    last: datetime,
    doubts: int,
    unsure: int,
) -> list[Row]:
    """Kind, unit, value and moment of each measurement that bears none of these doubts."""
    return _rows(
        connection,
        "values",
        patient_id=patient_id,
        kinds=list(kinds),
        first=first,
        last=last,
        doubts=doubts,
        unsure=unsure,
    )


def concerns(
    connection: Connection[Any], *, patient_id: int, rules: str, since: datetime
) -> list[Row]:
    """Findings whose alert lives, or since then, of rules LIKE `rules`; newest first."""
    return _rows(connection, "concerns", patient_id=patient_id, rules=rules, since=since)


# -- proposals and changes


def proposals(connection: Connection[Any], patient_id: int) -> list[Row]:
    """What was proposed for a patient, newest first."""
    return _rows(connection, "proposals", patient_id=patient_id)


def proposal(connection: Connection[Any], id: int) -> Row | None:
    """One proposal; None where there is none."""
    return _row(connection, "proposal", id=id)


def proposals_waiting(connection: Connection[Any], account_id: int) -> list[Row]:
    """Undecided proposals for the patients of a doctor, oldest first."""
    return _rows(connection, "proposals_waiting", account_id=account_id)


def add_proposal(
    connection: Connection[Any],
    *,
    patient_id: int,
    kind: str,
    episode: str,
    body: Mapping[str, Any],
    proposed_at: datetime,
) -> int | None:
    """The number of the new proposal; None where this episode was proposed before."""
    return _number(
        connection,
        "add_proposal",
        patient_id=patient_id,
        kind=kind,
        episode=episode,
        body=Jsonb(dict(body)),
        proposed_at=proposed_at,
    )


def decide(
    connection: Connection[Any], *, id: int, state: str, account_id: int | None, now: datetime
) -> bool:
    """Whether the proposal was still undecided and is now in this state."""
    values = {"id": id, "state": state, "account_id": account_id, "now": now}
    return _row(connection, "decide", **values) is not None


def add_change(
    connection: Connection[Any],
    *,
    plan_id: int,
    proposal_id: int | None,
    at: datetime,
    explained: Mapping[str, Any],
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> int:
    """The number of the change."""
    number = _number(
        connection,
        "add_change",
        plan_id=plan_id,
        proposal_id=proposal_id,
        at=at,
        explained=Jsonb(dict(explained)),
        before=Jsonb(list(before)),
        after=Jsonb(list(after)),
    )
    assert number is not None
    return number


def changes(connection: Connection[Any], patient_id: int) -> list[Row]:
    """The changes of a patient's plan, newest first."""
    return _rows(connection, "changes", patient_id=patient_id)


def patient_of_change(connection: Connection[Any], id: int) -> int | None:
    """Whose plan a change belongs to; None for an unknown one."""
    return _number(connection, "patient_of_change", id=id)


def mark_undone(connection: Connection[Any], *, id: int, account_id: int, now: datetime) -> None:
    """The change was undone by this account."""
    connection.execute(_SQL["mark_undone"], {"id": id, "account_id": account_id, "now": now})


def patients_to_review(connection: Connection[Any], *, rule: str, yesterday: date) -> list[int]:
    """Patients whose plan may have to change: the rule's alert lives, a block, a proposal."""
    return _numbers(connection, "patients_to_review", rule=rule, yesterday=yesterday)


def refresh_pages(connection: Connection[Any], patient_id: int) -> None:
    """Lets open pages about the patient know, once the transaction commits."""
    connection.execute(_SQL["refresh"], {"patient_id": patient_id})
