"""The findings of the real rule pack carry the numbers that a proposal explains itself with."""

from datetime import UTC, datetime, timedelta

from care_plan_builders import MEASURED, block_task, plan, protocol, task

from care_plans.adjust import RAISED_BY, Concern, proposals
from care_plans.block import Pressure, so_far, window
from care_plans.plan import Proposal, ProposalKind
from care_plans.schedule import local_day, zone_of
from rules.evaluate import evaluate
from rules.finding import Finding
from rules.history import History, Patient, Point
from rules.pack import standard_packs
from vitals.kinds import Kind
from vitals.units import Unit

SHANGHAI = zone_of("Asia/Shanghai")
# the 23rd of November 2026, 07:00 in Shanghai, the block's first morning
BEGIN = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)


def week(begin: datetime, systolic: float, diastolic: float) -> list[Point]:
    """Seven days, morning and evening, two readings."""
    return [
        Point(at=at, kind=kind, value=value, unit=Unit.MMHG, device="ble:1", sequence=minute)
        for half_day in range(14)
        for minute in (0, 1)
        for at in [begin + half_day * timedelta(hours=12) + minute * timedelta(minutes=1)]
        for kind, value in ((Kind.SYSTOLIC, systolic), (Kind.DIASTOLIC, diastolic))
    ]


def found(points: list[Point], now: datetime) -> Finding:
    history = History(patient=Patient(id=1), points=tuple(sorted(points, key=lambda each: each.at)))
    (finding,) = [
        each for each in evaluate(history, standard_packs(), now) if each.rule == RAISED_BY
    ]
    return finding


def proposed(finding: Finding, points: list[Point], now: datetime) -> Proposal:
    today = local_day(now, SHANGHAI)
    block = block_task(days_ago=0)
    first, last = window(starts_on=local_day(BEGIN, SHANGHAI), today=today, days=7)
    values = [
        Pressure(kind=each.kind, value=each.value, unit=each.unit, at=each.at)
        for each in points
        if first <= local_day(each.at, SHANGHAI) <= last
    ]
    running = task(
        id=2,
        schedule=block.schedule,
        starts_on=local_day(BEGIN, SHANGHAI),
        ends_on=local_day(BEGIN, SHANGHAI) + timedelta(days=13),
        is_block=True,
    )
    (proposal,) = proposals(
        plan=plan(task(), running) if finding.ended_at else plan(),
        protocol=protocol(),
        concerns=[Concern(finding=finding, is_living=finding.ended_at is None)],
        block=so_far(values, episode=finding.episode, zone=SHANGHAI),
        adherence=MEASURED,
        known=(),
        today=today,
        now=now,
    )
    return proposal


def test_a_high_week_asks_for_a_block_and_a_low_one_gives_the_plan_back() -> None:
    high = week(BEGIN - timedelta(days=7), 142, 86)
    finding = found(high, BEGIN)
    proposal = proposed(finding, high, BEGIN)
    assert proposal.kind is ProposalKind.BP_BLOCK
    assert "142.0/86.0" in proposal.reason.zh
    assert "135/85" in proposal.reason.zh

    points = high + week(BEGIN, 126, 78)
    later = BEGIN + timedelta(days=7, hours=2)
    ended = found(points, later)
    assert ended.episode == finding.episode
    assert ended.ended_at is not None
    relaxation = proposed(ended, points, later)
    assert relaxation.kind is ProposalKind.BP_RELAX
    assert "126.0/78.0" in relaxation.reason.en
