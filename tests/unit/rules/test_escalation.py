"""Who is told, in which words, when: by severity, by relation, outside of the night."""

from datetime import UTC, datetime, timedelta

import pytest
from rule_builders import NOW, SHANGHAI, history, local_moment

from rules.alert import Event, Step, advance
from rules.escalation import Person, messages, when_to_tell
from rules.evaluate import evaluate
from rules.history import Patient
from rules.pack import standard_packs

PATIENT = Patient(id=5, name="王建国")
PEOPLE = (
    Person(account_id=3, relation="doctor"),
    Person(account_id=1, relation="self"),
    Person(account_id=2, relation="family"),
)
RULES = {rule.id: rule for pack in standard_packs() for rule in pack.rules}


def steps(rule: str, *lines: str, now: datetime = NOW) -> list[Step]:
    found = evaluate(history(lines), standard_packs(), now)
    return advance(
        RULES[rule],
        living=None,
        last=None,
        findings=[each for each in found if each.rule == rule],
        now=now,
    )


def told(step: Step, now: datetime = NOW) -> dict[int, str]:
    found = messages(step, patient=PATIENT, people=PEOPLE, fresh_h=6, now=now)
    return {each.account_id: each.text.zh for each in found}


def test_a_very_low_glucose_tells_all_three_in_their_own_words() -> None:
    (raised,) = steps("glu.hypo.l2", "08:55 glucose 2.8")
    words = told(raised)
    assert list(words) == [1, 2, 3]
    assert "请马上吃15～20克糖" in words[1]
    assert "请马上打电话" in words[2]
    assert words[3].startswith("2级低血糖：最低 2.8 mmol/L")


def test_a_mild_low_tells_the_patient_alone() -> None:
    (raised,) = steps("glu.hypo.l1", "08:55 glucose 3.6")
    assert list(told(raised)) == [1]


def test_what_is_for_the_doctors_list_does_not_call_the_doctor() -> None:
    lines = [f"-{ago}d 06:30 glucose 8.0 fasting" for ago in (4, 2)]
    (raised,) = steps("glu.fpg.target", *lines, "06:30 glucose 8.0 fasting")
    assert list(told(raised)) == [1, 2]


def test_the_family_reads_whose_it_is_and_the_patient_does_not() -> None:
    (raised,) = steps("glu.hypo.l2", "08:55 glucose 2.8")
    titles = {
        each.account_id: each.title.zh
        for each in messages(raised, patient=PATIENT, people=PEOPLE, fresh_h=6, now=NOW)
    }
    assert titles == {
        1: "血糖非常低（2级）",
        2: "王建国：血糖非常低（2级）",
        3: "王建国：血糖非常低（2级）",
    }


def test_the_same_move_has_the_same_keys_and_each_account_its_own() -> None:
    (raised,) = steps("glu.hypo.l2", "08:55 glucose 2.8")
    keys = [
        each.key for each in messages(raised, patient=PATIENT, people=PEOPLE, fresh_h=6, now=NOW)
    ]
    later = NOW + timedelta(hours=1)
    again = [
        each.key for each in messages(raised, patient=PATIENT, people=PEOPLE, fresh_h=6, now=later)
    ]
    assert keys == again
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("clock", "due", "days"),
    [
        ("21:59", "21:59", 0),
        ("22:00", "07:00", 1),
        ("23:30", "07:00", 1),
        ("00:30", "07:00", 0),
        ("06:59", "07:00", 0),
        ("07:00", "07:00", 0),
    ],
)
def test_what_can_wait_waits_for_the_morning(clock: str, due: str, days: int) -> None:
    wanted = local_moment(due) + timedelta(days=days)
    assert when_to_tell(local_moment(clock), severity=2, zone=SHANGHAI) == wanted
    assert when_to_tell(local_moment(clock), severity=3, zone=SHANGHAI) == local_moment(clock)


def test_what_would_be_too_old_in_the_morning_is_told_to_who_has_just_measured() -> None:
    night = local_moment("02:00")
    (low,) = steps("glu.hypo.l1", "01:58 glucose 3.5", now=night)
    (only,) = messages(low, patient=PATIENT, people=PEOPLE, fresh_h=2, now=night)
    assert (only.account_id, only.due_at) == (1, night)
    # what is still of use at seven waits for it
    early = local_moment("05:10")
    (low,) = steps("glu.hypo.l1", "05:05 glucose 3.5", now=early)
    (only,) = messages(low, patient=PATIENT, people=PEOPLE, fresh_h=2, now=early)
    assert only.due_at == local_moment("07:00")


def test_the_night_the_clock_changes_ends_at_seven_on_the_wall() -> None:
    # Berlin, 2026-03-29: 07:00 is 05:00 UTC, where it was 06:00 UTC the day before
    night = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
    due = when_to_tell(night, severity=1, zone="Europe/Berlin")
    assert due == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


def test_those_who_were_told_of_a_grave_one_are_told_that_it_is_over() -> None:
    (raised,) = steps("glu.hypo.l2", "08:40 glucose 2.8")
    found = evaluate(history(["08:40 glucose 2.8", "08:58 glucose 5.1"]), standard_packs(), NOW)
    (over,) = advance(
        RULES["glu.hypo.l2"],
        living=raised.alert,
        last=None,
        findings=[each for each in found if each.rule == "glu.hypo.l2"],
        now=NOW + timedelta(minutes=5),
    )
    assert over.event is Event.RECOVERED
    words = told(over)
    assert "其后 11月22日08:58 测得 5.1 mmol/L" in words[2]


def test_what_was_over_before_it_arrived_is_told_once() -> None:
    raised, over = steps("glu.hypo.l2", "08:40 glucose 2.8", "08:55 glucose 5.2")
    assert told(raised)
    assert told(over) == {}


def test_what_was_withdrawn_tells_nobody() -> None:
    (raised,) = steps("bp.severe", "08:50 bp 184/100")
    (gone,) = advance(RULES["bp.severe"], living=raised.alert, last=None, findings=[], now=NOW)
    assert messages(gone, patient=PATIENT, people=PEOPLE, fresh_h=6, now=NOW) == ()
