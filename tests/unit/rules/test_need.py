"""The doctor's list: who comes first, and why."""

from datetime import UTC, datetime, timedelta

from rules.need import AlertBrief, Group, PatientNeed, order, rank
from rules.words import Said, same

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def alert(rule: str, severity: int, *, ago_h: float = 1, state: str = "open") -> AlertBrief:
    closed = NOW - timedelta(hours=ago_h / 2) if state == "closed" else None
    return AlertBrief(
        rule=rule,
        severity=severity,
        state=state,
        title=same(rule),
        opened_at=NOW - timedelta(hours=ago_h),
        closed_at=closed,
    )


def need(patient_id: int, *alerts: AlertBrief, **others: object) -> PatientNeed:
    return PatientNeed(patient_id=patient_id, alerts=alerts, **others)  # type: ignore[arg-type]


def test_the_list_is_ordered_by_need() -> None:
    panel = [
        need(1),
        need(2, report_unsigned=True),
        need(3, proposals=1),
        need(4, alert("silence.no_data", 2)),
        need(5, alert("bp.high.7d", 2)),
        need(6, alert("glu.hypo.l2", 3, state="acknowledged")),
        need(7, alert("glu.hypo.l2", 3)),
    ]
    assert [each.patient_id for each in order(panel)] == [7, 6, 5, 4, 3, 2, 1]
    assert [each.group for each in order(panel)] == sorted(Group)


def test_of_two_open_alarms_the_older_waits_at_the_top() -> None:
    panel = [need(1, alert("bp.severe", 3, ago_h=1)), need(2, alert("bp.severe", 3, ago_h=5))]
    assert [each.patient_id for each in order(panel)] == [2, 1]


def test_what_recovered_before_anybody_looked_is_not_forgotten() -> None:
    row = rank(need(1, alert("glu.hypo.l2", 3, ago_h=4, state="closed")))
    assert row.group is Group.LOOK_TODAY
    assert row.reason == Said(zh="glu.hypo.l2（已恢复）", en="glu.hypo.l2 (over)")


def test_what_recovered_and_was_reviewed_rests() -> None:
    seen = need(1, alert("glu.hypo.l2", 3, ago_h=4, state="closed"), last_reviewed_at=NOW)
    assert rank(seen).group is Group.QUIET


def test_what_is_for_the_patient_alone_does_not_lift_a_row() -> None:
    assert rank(need(1, alert("glu.hypo.l1", 1))).group is Group.QUIET


def test_the_reason_names_every_trouble_gravest_first() -> None:
    row = rank(need(1, alert("bp.high.7d", 2), alert("bp.severe", 3)))
    assert row.reason.zh == "bp.severe；bp.high.7d"


def test_the_order_is_the_same_whatever_order_it_is_given() -> None:
    panel = [need(number, alert("bp.high.7d", 2)) for number in (3, 1, 2)]
    assert order(panel) == order(reversed(panel))
