"""What is proposed, when, and when not."""

from datetime import date, timedelta
from typing import Any

import pytest
from care_plan_builders import (
    EPISODE,
    MEASURED,
    NOW,
    TODAY,
    block_task,
    concern,
    ended_concern,
    plan,
    protocol,
    schedule,
    so_far,
    task,
)

from care_plans.adherence import Adherence
from care_plans.adjust import is_outdated, proposals
from care_plans.plan import Proposal, ProposalKind, Session


def proposed(**changes: Any) -> list[Proposal]:
    """What is proposed for a patient above the target with the usual plan, but for `changes`."""
    given: dict[str, Any] = {
        "plan": plan(),
        "protocol": protocol(),
        "concerns": [concern()],
        "block": None,
        "adherence": MEASURED,
        "known": (),
        "today": TODAY,
        "now": NOW,
    }
    return list(proposals(**(given | changes)))


def relaxed(**changes: Any) -> list[Proposal]:
    """What is proposed on the day after a complete block below the target, but for `changes`."""
    given: dict[str, Any] = {
        "plan": plan(task(), block_task()),
        "concerns": [ended_concern()],
        "block": so_far(),
        "known": {(ProposalKind.BP_BLOCK, EPISODE)},
    }
    return proposed(**(given | changes))


@pytest.mark.parametrize(
    ("systolic", "diastolic", "asks"),
    [
        (134.9, 84.9, False),  # below both
        (135.0, 84.9, True),  # on the systolic limit
        (134.9, 85.0, True),  # on the diastolic limit
        (141.8, 86.3, True),  # above both
    ],
)
def test_a_mean_on_or_above_the_target_asks_for_a_block(
    systolic: float, diastolic: float, asks: bool
) -> None:
    found = proposed(concerns=[concern(numbers={"systolic": systolic, "diastolic": diastolic})])
    assert [each.kind for each in found] == ([ProposalKind.BP_BLOCK] if asks else [])


@pytest.mark.parametrize(("limit", "asks"), [(142.0, True), (142.1, False)])
def test_the_doctors_own_target_is_the_one_that_counts(limit: float, asks: bool) -> None:
    numbers = {"systolic": 142.0, "diastolic": 70.0, "limit_systolic": limit}
    assert bool(proposed(concerns=[concern(numbers=numbers)])) is asks


def test_a_block_asks_for_the_protocols_readings_every_day() -> None:
    (found,) = proposed()
    (addition,) = found.adjustment.adds
    assert addition.session is Session.BP
    assert addition.is_block
    assert addition.schedule.readings_a_week == 28  # 7 days, morning and evening, 2 readings
    assert found.adjustment.ends == ()
    assert found.episode == EPISODE
    assert not found.acts_alone


def test_a_block_explains_itself_with_the_numbers_in_both_languages() -> None:
    (found,) = proposed(
        concerns=[concern(numbers={"systolic": 141.84, "diastolic": 86.31, "n": 24, "days": 6})]
    )
    for text in (found.reason.zh, found.reason.en):
        assert "141.8/86.3" in text
        assert "135/85" in text
        assert "24" in text
        assert "5/6" in text or "5 of 6" in text
        assert "07:00" in text


def test_a_plan_that_began_today_is_not_blamed_for_the_week_before() -> None:
    (found,) = proposed(adherence=Adherence(planned=0, done=0, percent=None, by_time=()))
    assert "0/0" not in found.reason.zh
    assert "0 of 0" not in found.reason.en


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"concerns": []}, id="no alert"),
        pytest.param({"concerns": [concern(is_living=False)]}, id="the alert has closed"),
        pytest.param({"concerns": [concern(rule="bp.low")]}, id="another rule"),
        pytest.param({"known": {(ProposalKind.BP_BLOCK, EPISODE)}}, id="proposed before"),
        pytest.param({"plan": plan(may_propose_block=False)}, id="the doctor does not want it"),
        pytest.param({"plan": plan(task(), block_task(days_ago=0))}, id="a block runs"),
        pytest.param({"plan": plan(task(), block_task(days_ago=-1))}, id="a block is to come"),
        pytest.param(
            {"plan": plan(task(schedule=schedule(weekdays=(1, 2, 3, 4, 5, 6, 7))))},
            id="measures that much already",
        ),
        pytest.param({"protocol": None}, id="a plan without pressure"),
    ],
)
def test_no_block_is_proposed_when(changes: dict[str, Any]) -> None:
    assert proposed(**changes) == []


def test_another_episode_is_proposed_anew() -> None:
    known = {(ProposalKind.BP_BLOCK, "2026-08-01"), (ProposalKind.BP_RELAX, "2026-08-01")}
    assert len(proposed(known=known)) == 1


def test_a_block_that_is_long_over_is_no_hindrance() -> None:
    assert len(proposed(plan=plan(task(), block_task(days_ago=40)))) == 1


def test_recovery_brings_the_ordinary_schedule_back() -> None:
    (found,) = relaxed()
    assert found.kind is ProposalKind.BP_RELAX
    assert found.adjustment.ends == (2,)
    assert found.adjustment.adds == ()
    for text in (found.reason.zh, found.reason.en):
        assert "127.5/79.2" in text
        assert "28" in text
        assert "135/85" in text


@pytest.mark.parametrize("alone", [True, False])
def test_the_system_relaxes_by_itself_only_where_the_doctor_lets_it(alone: bool) -> None:
    (found,) = relaxed(plan=plan(task(), block_task(), may_relax_alone=alone))
    assert found.acts_alone is alone


@pytest.mark.parametrize(
    ("systolic", "diastolic", "recovers"),
    [
        (134.9, 84.9, True),  # below both
        (135.0, 84.9, False),  # on the systolic limit
        (134.9, 85.0, False),  # on the diastolic limit
        (141.0, 80.0, False),  # above
    ],
)
def test_only_a_mean_below_both_limits_is_a_recovery(
    systolic: float, diastolic: float, recovers: bool
) -> None:
    block = so_far(systolic_mmhg=systolic, diastolic_mmhg=diastolic)
    assert bool(relaxed(block=block)) is recovers


@pytest.mark.parametrize(
    ("days", "readings", "valid"),
    [(3, 12, True), (2, 12, False), (3, 11, False), (7, 28, True), (0, 0, False)],
)
def test_only_a_valid_block_shows_a_recovery(days: int, readings: int, valid: bool) -> None:
    assert bool(relaxed(block=so_far(days=days, readings=readings))) is valid


@pytest.mark.parametrize(("days_ago", "complete"), [(6, False), (7, True), (12, True), (13, False)])
def test_a_block_is_relaxed_after_its_seven_days_and_before_its_last(
    days_ago: int, complete: bool
) -> None:
    assert bool(relaxed(plan=plan(task(), block_task(days_ago=days_ago)))) is complete


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"concerns": [concern()]}, id="the alert lives"),
        pytest.param({"concerns": [ended_concern(), concern(rule="bp.severe")]}, id="another does"),
        pytest.param({"concerns": [concern(is_living=False)]}, id="closed as stale, not recovered"),
        pytest.param({"concerns": []}, id="nothing is known of the episode"),
        pytest.param({"block": None}, id="nothing was measured"),
        pytest.param({"known": {(ProposalKind.BP_RELAX, EPISODE)}}, id="relaxed before"),
        pytest.param({"plan": plan()}, id="no block runs"),
    ],
)
def test_nothing_is_relaxed_when(changes: dict[str, Any]) -> None:
    assert relaxed(**changes) == []


def test_a_mere_remark_does_not_hold_a_recovery_up() -> None:
    assert len(relaxed(concerns=[ended_concern(), concern(rule="bp.pair", severity=1)])) == 1


@pytest.mark.parametrize(("living", "outdated"), [(True, False), (False, True)])
def test_a_block_that_nobody_decided_on_is_withdrawn_with_its_alert(
    living: bool, outdated: bool
) -> None:
    assert outdated is is_outdated(
        kind=ProposalKind.BP_BLOCK,
        episode=EPISODE,
        plan=plan(),
        concerns=[concern(is_living=living)],
        today=TODAY,
    )


@pytest.mark.parametrize(
    ("today", "living", "outdated"),
    [
        (TODAY, False, False),
        (TODAY, True, True),
        (TODAY + timedelta(days=6), True, True),
        # the block ends tonight by itself
        (TODAY + timedelta(days=6), False, True),
        (TODAY + timedelta(days=5), False, False),
    ],
)
def test_a_relaxation_that_nobody_decided_on_is_withdrawn_when_it_lost_its_reason(
    today: date, living: bool, outdated: bool
) -> None:
    assert outdated is is_outdated(
        kind=ProposalKind.BP_RELAX,
        episode=EPISODE,
        plan=plan(task(), block_task()),
        concerns=[concern() if living else ended_concern()],
        today=today,
    )


def test_no_word_of_a_proposal_speaks_of_treatment() -> None:
    texts = [
        text for each in proposed() + relaxed() for text in (each.reason.zh, each.reason.en.lower())
    ]
    for word in ("药", "剂量", "诊断", "目标", "drug", "dose", "diagnos", "medic", "target"):
        assert not any(word in text for text in texts), word
