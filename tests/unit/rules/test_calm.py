"""Calm on noise, awake to trouble: simulated months through the rules and the alert's life."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_builders import NOW, day_counts, history

from rules.alert import Alert, Event, adopt, advance
from rules.evaluate import EVALUATORS, evaluate
from rules.finding import encode
from rules.history import History, Line, Patient, Point
from rules.pack import standard_packs
from vitals.kinds import VITALS, Kind
from vitals.measurement import Meal
from vitals.units import Unit

PACKS = standard_packs()
RULES = {rule.id: rule for pack in PACKS for rule in pack.rules}
HYPERTENSION = next(pack for pack in PACKS if pack.id == "hypertension")
START = datetime(2025, 1, 1, tzinfo=UTC)


def cuff_year(
    seed: int, *, mean: float, days: int = 365, rise_per_day: float = 0.0, alike: float = 0.5
) -> History:
    """Two readings each morning and evening; days resemble each other (`alike`, lag 1)."""
    rng = np.random.default_rng(seed)
    found: list[Point] = []
    drift = 0.0
    for day in range(days):
        drift = alike * drift + rng.normal(0, 5 * (1 - alike**2) ** 0.5)
        level = mean + drift + rise_per_day * max(0, day - 60)
        for hour, offset in ((23, 2.0), (11, -2.0)):
            for minute in (0, 1):
                at = START + timedelta(days=day, hours=hour, minutes=minute)
                sequence = len(found)
                for kind, value in (
                    (Kind.SYSTOLIC, level + offset + rng.normal(0, 6)),
                    (Kind.DIASTOLIC, 76 + drift / 2 + rng.normal(0, 4)),
                ):
                    found.append(
                        Point(
                            at=at,
                            kind=kind,
                            value=float(round(value)),
                            unit=Unit.MMHG,
                            device="cuff",
                            sequence=sequence,
                        )
                    )
    ordered = tuple(sorted(found, key=lambda each: each.at))
    return History(patient=Patient(id=1), points=ordered, days=day_counts(ordered))


def episodes(rule: str, there: History) -> int:
    end = there.points[-1].at
    return len(list(EVALUATORS[RULES[rule].evaluator](RULES[rule], there, end)))


@pytest.mark.parametrize("mean", [118.0, 132.0, 145.0])
def test_a_stationary_patient_is_rarely_said_to_rise(mean: float) -> None:
    false = sum(episodes("bp.rising", cuff_year(seed, mean=mean)) for seed in range(8))
    # at most 0.75 a patient-year in any of these groups; the mean over all is below 0.5
    assert false / 8 <= 0.75


def test_a_patient_well_below_the_line_is_never_flagged() -> None:
    for seed in range(5):
        there = cuff_year(seed, mean=115)
        for rule in ("bp.severe", "bp.high.sustained", "bp.high.7d", "bp.low"):
            assert episodes(rule, there) == 0, rule


def test_a_patient_well_above_the_line_is_flagged_once_and_not_every_week() -> None:
    for seed in range(5):
        assert episodes("bp.high.7d", cuff_year(seed, mean=150)) == 1


def test_a_real_rise_is_seen_within_six_weeks() -> None:
    for seed in range(5):
        there = cuff_year(seed, mean=128, days=102, rise_per_day=0.5, alike=0.0)
        assert episodes("bp.rising", there) == 1


def live(there: History, *, step_h: float = 12.0) -> list[tuple[datetime, str, Event]]:
    """The history lived through: judged again and again, as its readings come."""
    living: dict[str, Alert] = {}
    last: dict[str, Alert] = {}
    moves: list[tuple[datetime, str, Event]] = []
    now = there.points[0].at
    while now <= there.points[-1].at + timedelta(days=1):
        known = tuple(each for each in there.points if each.at <= now)
        seen = History(patient=there.patient, points=known, line=Line())
        found = adopt(evaluate(seen, PACKS, now), living.values())
        for rule in HYPERTENSION.rules:
            for step in advance(
                rule,
                living=living.get(rule.id),
                last=last.get(rule.id),
                findings=[each for each in found if each.rule == rule.id],
                now=now,
            ):
                if step.event is not Event.REPEATED:
                    moves.append((now, rule.id, step.event))
                if step.alert.is_living:
                    living[rule.id] = step.alert
                else:
                    living.pop(rule.id, None)
                    last[rule.id] = step.alert
        now += timedelta(hours=step_h)
    return moves


def test_two_months_above_the_line_are_one_alert() -> None:
    moves = live(cuff_year(1, mean=150, days=60, alike=0.0))
    raised = [rule for _, rule, event in moves if event is Event.RAISED]
    assert raised.count("bp.high.7d") == 1
    # while there were too few readings the patient was asked for more, once
    assert raised.count("bp.high.preliminary") <= 1


def test_two_quiet_months_raise_nothing() -> None:
    assert live(cuff_year(2, mean=116, days=60)) == []


# what a steady body shows: kind, usual value, scatter between days and within one, values a day
STEADY = {
    Kind.PULSE: (72, 3, 4, 2),
    Kind.SPO2: (97, 0.3, 0.6, 2),
    Kind.WEIGHT: (70, 0.3, 0.2, 1),
    Kind.BODY_TEMPERATURE: (36.5, 0.1, 0.15, 1),
    Kind.STEPS: (6000, 1200, 0, 1),
    Kind.SLEEP_DURATION: (420, 40, 0, 1),
    Kind.HEART_RATE: (74, 3, 6, 24),
}


def steady_months(seed: int, kind: Kind, *, days: int = 120, alike: float = 0.3) -> History:
    """Months of one kind about a level that stays; days resemble each other (`alike`, lag 1)."""
    rng = np.random.default_rng(seed)
    usual, between, within, a_day = STEADY[kind]
    scale, found, drift = VITALS[kind].scales[0], [], 0.0
    for day in range(days):
        drift = alike * drift + rng.normal(0, between * (1 - alike**2) ** 0.5)
        for number in range(a_day):
            value = usual + drift + rng.normal(0, within)
            found.append(
                Point(
                    at=START + timedelta(days=day, minutes=number * 30),
                    kind=kind,
                    value=min(scale.high, round(value, scale.decimals)),
                    unit=scale.unit,
                    device="device",
                    sequence=len(found),
                )
            )
    patient = Patient(id=1, conditions=("心力衰竭",), born_on=date(1950, 1, 1))
    points = () if kind in ROLLED else tuple(found)
    return History(patient=patient, points=points, days=day_counts(found))


# kinds that rules know by the day only
ROLLED = (Kind.STEPS, Kind.SLEEP_DURATION, Kind.HEART_RATE)


@pytest.mark.parametrize("kind", STEADY)
def test_a_steady_body_is_let_alone(kind: Kind) -> None:
    false: Counter[str] = Counter()
    years = 0.0
    for seed in range(20):
        there = steady_months(seed, kind)
        # a look every four weeks sees the four weeks behind it
        for weeks in (8, 12, 16):
            now = START + timedelta(weeks=weeks)
            days = tuple(each for each in there.days if each.last_at <= now)
            found = evaluate(replace(there, days=days), PACKS, now)
            false.update(each.rule for each in found if each.started_at > now - timedelta(28))
            years += 28 / 365
    false.pop("silence.no_data", None)
    # false alarms a patient-year and rule, the house's aim
    assert all(n / years <= 0.5 for n in false.values()), (false, years)


READING = st.builds(
    lambda ago_h, value, mg, meal: Point(
        at=NOW - timedelta(minutes=round(ago_h * 60)),
        kind=Kind.GLUCOSE,
        value=round(value * 18) if mg else round(value, 1),
        unit=Unit.MG_PER_DL if mg else Unit.MMOL_PER_L,
        meal=meal,
        device="meter",
        sequence=round(ago_h * 60),
    ),
    st.floats(0, 24 * 20),
    st.floats(1.5, 25),
    st.booleans(),
    st.sampled_from([None, *Meal]),
)


def of(points: list[Point]) -> History:
    ordered = tuple(sorted(points, key=lambda each: (each.at, each.sequence, each.value)))
    return History(patient=Patient(id=1), points=ordered, days=day_counts(ordered))


@given(st.lists(READING, max_size=30, unique_by=lambda each: each.at))
@settings(max_examples=60, deadline=None)
def test_any_history_gives_the_same_findings_twice(points: list[Point]) -> None:
    a = [encode(each) for each in evaluate(of(points), PACKS, NOW)]
    b = [encode(each) for each in evaluate(of(list(reversed(points))), PACKS, NOW)]
    assert a == b


@given(st.lists(READING, max_size=30, unique_by=lambda each: each.at))
@settings(max_examples=60, deadline=None)
def test_no_alert_rests_on_evidence_older_than_its_rule_allows(points: list[Point]) -> None:
    found = evaluate(of(points), PACKS, NOW)
    for rule in RULES.values():
        mine = [each for each in found if each.rule == rule.id]
        for step in advance(rule, living=None, last=None, findings=mine, now=NOW):
            if step.event is Event.RAISED:
                assert NOW - step.alert.evidence_at <= timedelta(hours=rule.fresh_h)


@given(st.lists(READING, max_size=30, unique_by=lambda each: each.at), st.floats(3, 60))
@settings(max_examples=40, deadline=None)
def test_history_that_arrives_days_late_wakes_nobody(points: list[Point], days: float) -> None:
    later = NOW + timedelta(days=days)
    found = evaluate(of(points), PACKS, later)
    for rule in RULES.values():
        # silence is about what did not come, and is told late
        if rule.evaluator == "silence" or rule.fresh_h >= 72:
            continue
        mine = [each for each in found if each.rule == rule.id]
        assert advance(rule, living=None, last=None, findings=mine, now=later) == []


@given(st.floats(1.5, 25), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_single_reading_stands_in_at_most_one_band(value: float, mg: bool) -> None:
    number = round(value * 18) if mg else round(value, 1)
    unit = "mg/dL" if mg else "mmol/L"
    found = evaluate(history([f"08:50 glucose {number} {unit}"]), PACKS, NOW)
    assert len(found) <= 1
    for finding in found:
        assert ("hypo" in finding.rule) == (number < (70 if mg else 3.9))
