"""One look at a patient's plan: what lost its reason is withdrawn, what is due is proposed.

Within the doctor's bounds a relaxation is carried out at once, like an accepted proposal:
explained, told to the patient, and to be undone. May hold: this order over the pure decisions of
`adjust.py`. May not: SQL, decisions.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Connection

from care_plans.adherence import Adherence, adherence
from care_plans.adjust import Concern, is_outdated, proposals
from care_plans.block import DOUBT_BITS, BlockSoFar, so_far, window
from care_plans.change import accepted
from care_plans.plan import Plan, Proposal, ProposalKind, Protocol
from care_plans.records import apply_change
from care_plans.remind import slots_of_days
from care_plans.rows import body_of_proposal, plan_of_row, pressures_of_rows
from care_plans.schedule import local_day, moment, zone_of
from care_plans.template import template
from rules.finding import finding_of
from store import plans
from vitals.kinds import VITALS, Kind
from vitals.measurement import CLOCK_CODE, Clock

# rules about blood pressure, as in the packs
_ABOUT_PRESSURE = "bp.%"
# how long an ended episode may still speak for a recovery: longer than any block
_REMEMBERED = timedelta(days=60)
_PRESSURES = (VITALS[Kind.SYSTOLIC].code, VITALS[Kind.DIASTOLIC].code)
# days of adherence that a proposal is explained with
_WEEK = 7


def review(connection: Connection[Any], *, patient_id: int, now: datetime) -> bool:
    """Whether anything was proposed, withdrawn or changed for this patient."""
    row = plans.lock_plan(connection, patient_id)
    if row is None:
        return False
    plan, zone = plan_of_row(connection, row), row["timezone"]
    protocol = template(plan.template).protocol
    if protocol is None:
        return False
    today = local_day(now, zone_of(zone))
    concerns = _concerns(connection, patient_id, now)
    known = plans.proposals(connection, patient_id)
    changed = _withdraw(connection, plan, concerns, known, today, now)
    for proposal in proposals(
        plan=plan,
        protocol=protocol,
        concerns=concerns,
        block=_block(connection, plan, protocol, known, zone, today),
        adherence=_adherence(connection, plan, zone, today, now),
        known={(ProposalKind(each["kind"]), each["episode"]) for each in known},
        today=today,
        now=now,
    ):
        changed = _propose(connection, plan, proposal, zone, now) or changed
    if changed:
        plans.refresh_pages(connection, patient_id)
    return changed


def _concerns(connection: Connection[Any], patient_id: int, now: datetime) -> list[Concern]:
    rows = plans.concerns(
        connection, patient_id=patient_id, rules=_ABOUT_PRESSURE, since=now - _REMEMBERED
    )
    return [Concern(finding=finding_of(each), is_living=each["is_living"]) for each in rows]


def _withdraw(
    connection: Connection[Any],
    plan: Plan,
    concerns: list[Concern],
    known: list[plans.Row],
    today: date,
    now: datetime,
) -> bool:
    outdated = [
        each["id"]
        for each in known
        if each["state"] == "proposed"
        and is_outdated(
            kind=ProposalKind(each["kind"]),
            episode=each["episode"],
            plan=plan,
            concerns=concerns,
            today=today,
        )
    ]
    for id in outdated:
        plans.decide(connection, id=id, state="withdrawn", account_id=None, now=now)
    return bool(outdated)


def _block(
    connection: Connection[Any],
    plan: Plan,
    protocol: Protocol,
    known: list[plans.Row],
    zone: str,
    today: date,
) -> BlockSoFar | None:
    task = plan.block_on(protocol.session, today)
    episodes = [each["episode"] for each in known if task and each["id"] == task.proposal_id]
    if task is None or not episodes:
        return None
    there = zone_of(zone)
    first, last = window(starts_on=task.starts_on, today=today, days=protocol.days)
    rows = plans.values(
        connection,
        patient_id=plan.patient_id,
        kinds=_PRESSURES,
        first=moment(first, time(0), there),
        last=moment(last + timedelta(days=1), time(0), there),
        doubts=DOUBT_BITS,
        unsure=CLOCK_CODE[Clock.UNSURE],
    )
    return so_far(pressures_of_rows(rows), episode=episodes[0], zone=there)


def _adherence(
    connection: Connection[Any], plan: Plan, zone: str, today: date, now: datetime
) -> Adherence:
    slots = slots_of_days(
        connection,
        plan,
        first=today - timedelta(days=_WEEK),
        last=today - timedelta(days=1),
        zone=zone,
    )
    return adherence(slots, now=now)


def _propose(
    connection: Connection[Any], plan: Plan, proposal: Proposal, zone: str, now: datetime
) -> bool:
    id = plans.add_proposal(
        connection,
        patient_id=plan.patient_id,
        kind=proposal.kind.value,
        episode=proposal.episode,
        body=body_of_proposal(proposal),
        proposed_at=now,
    )
    if id is None:
        return False
    if proposal.acts_alone:
        plans.decide(connection, id=id, state="accepted", account_id=None, now=now)
        today = local_day(now, zone_of(zone))
        change = accepted(plan, proposal, proposal_id=id, today=today, now=now)
        apply_change(connection, plan, change, proposal_id=id, zone=zone)
    return True
