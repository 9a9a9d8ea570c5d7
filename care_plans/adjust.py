"""What the plan should become, as proposals with their reason; nothing here writes a plan.

Home blood pressure at or above the target (an open alert of the rule) asks for a protocol block:
more measuring, so that the doctor judges on valid evidence. When the block is complete, valid and
below the target, and the alert has closed, the ordinary schedule comes back. An episode is proposed
once, whatever was decided. Only measuring changes: never a drug, a dose, a target, a diagnosis
(clinical reference §6). May hold: these decisions, pure. May not: I/O, clocks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from care_plans.adherence import Adherence
from care_plans.block import BlockSoFar
from care_plans.plan import (
    Addition,
    Adjustment,
    Plan,
    Proposal,
    ProposalKind,
    Protocol,
    Session,
    Words,
)
from care_plans.words import limit_text, pressure_text, schedule_text, then
from rules.finding import Finding

# the rule whose open alert asks for a block: clinical reference §1.4, home mean at or above target
RAISED_BY = "bp.high.7d"
# severity from which on a doctor sees a finding: clinical reference §1, S2
SEEN_BY_DOCTOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """A finding about blood pressure with the state of its alert: is it still alive?"""

    finding: Finding
    is_living: bool


def proposals(
    *,
    plan: Plan,
    protocol: Protocol | None,
    concerns: Sequence[Concern],
    block: BlockSoFar | None,
    adherence: Adherence,
    known: Collection[tuple[ProposalKind, str]],
    today: date,
    now: datetime,
) -> tuple[Proposal, ...]:
    """What should be proposed now. `known`: what was proposed before, by kind and episode."""
    if protocol is None:
        return ()
    found = [
        _block(plan, protocol, concerns, adherence, today, now),
        _relaxation(plan, protocol, concerns, block, today, now),
    ]
    return tuple(
        each for each in found if each is not None and (each.kind, each.episode) not in known
    )


def is_outdated(
    *, kind: ProposalKind, episode: str, plan: Plan, concerns: Sequence[Concern], today: date
) -> bool:
    """Has the reason of an undecided proposal gone?"""
    if kind is ProposalKind.BP_BLOCK:
        return episode not in {each.episode for each in _raising(concerns)}
    return _is_troubled(concerns) or plan.block_on(Session.BP, today + timedelta(days=1)) is None


def _block(
    plan: Plan,
    protocol: Protocol,
    concerns: Sequence[Concern],
    adherence: Adherence,
    today: date,
    now: datetime,
) -> Proposal | None:
    above = [each for each in _raising(concerns) if _is_above(each)]
    usual = [each for each in plan.tasks if each.covers(today) and each.session is protocol.session]
    asked = sum(each.schedule.readings_a_week for each in usual)
    if (
        not above
        or not plan.bounds.may_propose_block
        or plan.block_on(protocol.session, today) is not None
        # who measures that much already has nothing to add
        or asked >= protocol.schedule.readings_a_week
    ):
        return None
    finding = above[0]
    return Proposal(
        kind=ProposalKind.BP_BLOCK,
        episode=finding.episode,
        reason=then(_above_text(finding), *_measured_text(adherence), _block_text(protocol)),
        numbers=dict(finding.numbers),
        adjustment=Adjustment(
            adds=(
                Addition(
                    session=protocol.session,
                    schedule=protocol.schedule,
                    days=plan.bounds.block_days_at_most,
                ),
            )
        ),
        proposed_at=now,
    )


def _relaxation(
    plan: Plan,
    protocol: Protocol,
    concerns: Sequence[Concern],
    block: BlockSoFar | None,
    today: date,
    now: datetime,
) -> Proposal | None:
    task = plan.block_on(protocol.session, today)
    if block is None or task is None or task.id is None or task.ends_on == today:
        return None
    ended = [
        each.finding
        for each in concerns
        if each.finding.rule == RAISED_BY and each.finding.episode == block.episode
    ]
    if (
        today < task.starts_on + timedelta(days=protocol.days)
        or _is_troubled(concerns)
        or not ended
        or ended[0].ended_at is None
        or not _has_recovered(block, protocol, ended[0])
    ):
        return None
    return Proposal(
        kind=ProposalKind.BP_RELAX,
        episode=block.episode,
        reason=_recovered_text(block, ended[0]),
        numbers={
            "systolic": round(block.systolic_mmhg, 1),
            "diastolic": round(block.diastolic_mmhg, 1),
            "n": block.readings,
            "days": block.days,
            **dict(zip(("limit_systolic", "limit_diastolic"), _limits(ended[0]), strict=True)),
        },
        adjustment=Adjustment(ends=(task.id,)),
        proposed_at=now,
        acts_alone=plan.bounds.may_relax_alone,
    )


def _raising(concerns: Sequence[Concern]) -> list[Finding]:
    return [each.finding for each in concerns if each.is_living and each.finding.rule == RAISED_BY]


def _is_troubled(concerns: Sequence[Concern]) -> bool:
    """Does any alert about pressure live that a doctor should see?"""
    return any(each.is_living and each.finding.severity >= SEEN_BY_DOCTOR for each in concerns)


def _has_recovered(block: BlockSoFar, protocol: Protocol, finding: Finding) -> bool:
    """Is the block valid, and its mean below both limits that the finding was judged by?"""
    systolic, diastolic = _limits(finding)
    return (
        block.days >= protocol.min_days
        and block.readings >= protocol.min_readings
        and block.systolic_mmhg < systolic
        and block.diastolic_mmhg < diastolic
    )


def _is_above(finding: Finding) -> bool:
    systolic, diastolic = _limits(finding)
    mean = _mean(finding)
    return mean[0] >= systolic or mean[1] >= diastolic


def _mean(finding: Finding) -> tuple[float, float]:
    return float(finding.numbers["systolic"]), float(finding.numbers["diastolic"])


def _limits(finding: Finding) -> tuple[float, float]:
    return float(finding.numbers["limit_systolic"]), float(finding.numbers["limit_diastolic"])


def _above_text(finding: Finding) -> Words:
    mean, limit = pressure_text(*_mean(finding)), limit_text(*_limits(finding))
    n, days = finding.numbers["n"], finding.numbers["days"]
    return Words(
        zh=f"家庭血压均值 {mean} mmHg（{days}天{n}次），达到或高于参考线 {limit}。",
        en=f"Home blood pressure averaged {mean} mmHg ({n} readings on {days} days), "
        f"at or above {limit}.",
    )


def _measured_text(adherence: Adherence) -> list[Words]:
    """What was measured of what was planned; nothing where nothing was planned."""
    if not adherence.planned:
        return []
    return [
        Words(
            zh=f"近7天按计划完成 {adherence.done}/{adherence.planned} 次测量。",
            en=f"{adherence.done} of {adherence.planned} planned sessions were done in 7 days.",
        )
    ]


def _block_text(protocol: Protocol) -> Words:
    when = schedule_text(protocol.schedule)
    return Words(
        zh=f"建议规范测量{protocol.days}天（{when.zh}），供医生判断；只增加测量。",
        en=f"Suggested: a {protocol.days}-day block ({when.en}) for the doctor to judge by; "
        "only measuring changes.",
    )


def _recovered_text(block: BlockSoFar, finding: Finding) -> Words:
    mean = pressure_text(block.systolic_mmhg, block.diastolic_mmhg)
    limit = limit_text(*_limits(finding))
    return Words(
        zh=f"规范测量均值 {mean} mmHg（{block.days}天{block.readings}次），低于参考线 {limit}，"
        "偏高的提示已结束，恢复原来的测量安排。",
        en=f"The block averaged {mean} mmHg ({block.readings} readings on {block.days} days), "
        f"below {limit}; the alert has ended and the ordinary schedule returns.",
    )
