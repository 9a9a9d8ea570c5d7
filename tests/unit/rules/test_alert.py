"""The life of an alert: fresh findings open it, people take it on, recovery or age ends it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from rule_builders import NOW, every_day, history, local_moment

from rules.alert import NEXT, Alert, Event, State, Step, acknowledged, adopt, advance
from rules.evaluate import evaluate
from rules.finding import Finding
from rules.history import GatewaySeen, Line
from rules.pack import Rule, standard_packs

RULES: dict[str, Rule] = {rule.id: rule for pack in standard_packs() for rule in pack.rules}


def findings(rule: str, *lines: str, now: datetime = NOW) -> list[Finding]:
    found = evaluate(history(lines), standard_packs(), now)
    return [each for each in found if each.rule == rule]


def step(
    rule: str,
    *lines: str,
    living: Alert | None = None,
    last: Alert | None = None,
    now: datetime = NOW,
) -> list[Step]:
    found = adopt(findings(rule, *lines, now=now), [living] if living else [])
    return advance(RULES[rule], living=living, last=last, findings=found, now=now)


def events(steps: list[Step]) -> list[Event]:
    return [each.event for each in steps]


LOW = "08:40 glucose 2.8"


def open_low() -> Alert:
    return step("glu.hypo.l2", LOW)[0].alert


def test_a_fresh_finding_opens_an_alert() -> None:
    (only,) = step("glu.hypo.l2", LOW)
    assert only.event is Event.RAISED
    assert (only.alert.state, only.alert.severity) == (State.OPEN, 3)
    assert only.alert.evidence_at == local_moment("08:40")


def test_the_same_evidence_seen_again_raises_nothing() -> None:
    steps = step("glu.hypo.l2", LOW, living=open_low())
    assert events(steps) == [Event.REPEATED]


def test_history_that_arrives_late_wakes_nobody() -> None:
    assert step("glu.hypo.l2", "-1d 08:40 glucose 2.8") == []
    # six hours are fresh, a minute more is not
    assert events(step("glu.hypo.l2", "03:00 glucose 2.8")) == [Event.RAISED]
    assert step("glu.hypo.l2", "02:59 glucose 2.8") == []


def test_a_person_takes_it_on_once() -> None:
    taken = acknowledged(open_low(), by=7, now=NOW)
    assert (taken.state, taken.acknowledged_by) == (State.ACKNOWLEDGED, 7)
    assert acknowledged(taken, by=8, now=NOW + timedelta(hours=1)) == taken


def test_a_closed_alert_cannot_be_taken_on() -> None:
    with pytest.raises(KeyError):
        acknowledged(replace(open_low(), state=State.CLOSED), by=7, now=NOW)


def test_an_acknowledged_alert_stays_so_while_the_trouble_lasts() -> None:
    taken = acknowledged(open_low(), by=7, now=NOW)
    steps = step("glu.hypo.l2", LOW, "08:55 glucose 2.9", living=taken)
    assert events(steps) == [Event.REPEATED]
    assert steps[0].alert.state is State.ACKNOWLEDGED


def test_it_closes_only_beyond_the_hysteresis() -> None:
    assert events(step("glu.hypo.l2", LOW, "08:55 glucose 3.8", living=open_low())) == [
        Event.REPEATED
    ]
    (closed,) = step("glu.hypo.l2", LOW, "08:55 glucose 3.9", living=open_low())
    assert (closed.event, closed.alert.closed_because) == (Event.RECOVERED, "recovered")


def test_a_reading_with_a_guessed_moment_gives_no_all_clear() -> None:
    steps = step("glu.hypo.l2", LOW, "08:55 glucose 5.4 ~unsure", living=open_low())
    assert events(steps) == [Event.REPEATED]
    steps = step("glu.hypo.l2", LOW, "08:55 glucose 5.4", living=open_low())
    assert events(steps) == [Event.RECOVERED]


def test_a_closed_alert_is_not_raised_again_on_the_same_data() -> None:
    (closed,) = step("glu.hypo.l2", LOW, "08:50 glucose 5.0", living=open_low())
    again = step("glu.hypo.l2", LOW, "08:50 glucose 5.0", last=closed.alert)
    assert again == []


def test_older_data_that_arrive_after_closing_raise_nothing() -> None:
    (closed,) = step("glu.hypo.l2", LOW, "08:50 glucose 5.0", living=open_low())
    # an earlier low of the same morning comes late and makes an episode of its own
    again = step(
        "glu.hypo.l2", "04:00 glucose 2.7", "05:00 glucose 6.0", LOW, "08:50 glucose 5.0",
        last=closed.alert,
    )  # fmt: skip
    assert again == []


def test_a_new_low_after_recovery_is_raised_at_once() -> None:
    (closed,) = step("glu.hypo.l2", LOW, "08:50 glucose 5.0", living=open_low())
    again = step("glu.hypo.l2", LOW, "08:50 glucose 5.0", "08:58 glucose 2.9", last=closed.alert)
    assert events(again) == [Event.RAISED]


def test_an_old_value_keeps_no_alarm_alive() -> None:
    living = open_low()
    later = NOW + timedelta(hours=72)
    steps = step("glu.hypo.l2", LOW, living=living, now=later)
    assert (steps[0].event, steps[0].alert.state) == (Event.STALE, State.CLOSED)


def test_a_low_that_was_over_before_it_arrived_is_told_and_closed() -> None:
    steps = step("glu.hypo.l2", LOW, "08:55 glucose 5.2")
    assert events(steps) == [Event.RAISED, Event.RECOVERED]


def test_a_mild_low_that_was_over_before_it_arrived_is_not_told() -> None:
    assert step("glu.hypo.l1", "08:20 glucose 3.5", "08:40 glucose 5.2") == []


def test_a_single_severe_reading_gets_worse_when_it_is_not_repeated() -> None:
    line, at = "08:50 bp 190/112", NOW
    (first,) = step("bp.severe", line, now=at)
    taken = acknowledged(first.alert, by=7, now=at)
    (second,) = step("bp.severe", line, living=taken, now=at + timedelta(minutes=10))
    assert (first.alert.severity, second.alert.severity) == (1, 3)
    assert (second.event, second.alert.state) == (Event.WORSE, State.OPEN)
    assert second.alert.acknowledged_by is None


def test_a_repeat_below_the_line_withdraws_it() -> None:
    (first,) = step("bp.severe", "08:50 bp 184/100")
    steps = step("bp.severe", "08:50 bp 184/100", "08:56 bp 168/96", living=first.alert)
    assert (steps[0].event, steps[0].alert.closed_because) == (Event.WITHDRAWN, "withdrawn")


def test_the_cooldown_keeps_quiet_unless_it_is_worse() -> None:
    (first,) = step("glu.hyper.cn_ref", "05:00 glucose 17.0", now=local_moment("05:01"))
    (closed,) = step(
        "glu.hyper.cn_ref", "05:00 glucose 17.0", "06:00 glucose 9.0",
        living=first.alert, now=local_moment("06:01"),
    )  # fmt: skip
    day = ("05:00 glucose 17.0", "06:00 glucose 9.0")
    assert step("glu.hyper.cn_ref", *day, "08:30 glucose 17.5", last=closed.alert) == []
    # 2 mmol/L worse than before
    worse = step("glu.hyper.cn_ref", *day, "08:30 glucose 19.0", last=closed.alert)
    assert events(worse) == [Event.RAISED]


def test_what_still_lasts_when_the_cooldown_is_over_is_told() -> None:
    closed = replace(
        step("bp.severe", "-1d 20:00 bp 190/112", "-1d 20:01 bp 190/112",
             now=local_moment("20:02", 1))[0].alert,
        state=State.CLOSED, closed_because="recovered",
    )  # fmt: skip
    night = ("-1d 20:00 bp 190/112", "-1d 20:01 bp 190/112", "-1d 22:00 bp 150/90")
    again = ("07:30 bp 188/112", "07:31 bp 188/112")
    # eleven and a half hours after the last evidence, and no worse
    early = local_moment("07:40")
    assert step("bp.severe", *night, *again, last=closed, now=early) == []
    steps = step("bp.severe", *night, *again, "08:50 bp 186/112", last=closed)
    assert (events(steps), steps[0].alert.severity) == ([Event.RAISED], 3)


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("bp.severe", ("08:40 bp 185/100", "08:43 bp 184/100", "08:46 bp 186/100")),
        ("bp.low", ("08:40 bp 85/60", "08:43 bp 84/60", "08:46 bp 86/60")),
        ("bp.ihb", ("08:40 bp 120/80 #irregular_pulse", "08:43 bp 120/80 #irregular_pulse",
                    "08:46 bp 120/80 #irregular_pulse")),
        ("bp.high.sustained", ("-1d 07:00 bp 165/90", "-1d 07:01 bp 165/90", "-1d 19:00 bp 165/90",
                               "07:00 bp 165/90", "07:01 bp 165/90", "08:50 bp 166/90")),
        ("glu.fpg.target", ("-2d 07:00 glucose 8.0 fasting", "-1d 07:00 glucose 8.0 fasting",
                            "07:00 glucose 8.0 fasting", "08:50 glucose 8.2 preprandial")),
    ],
)  # fmt: skip
def test_more_readings_of_the_same_sitting_or_day_keep_the_alert(
    rule: str, lines: tuple[str, ...]
) -> None:
    living = None
    told = []
    for known in range(1, len(lines) + 1):
        for each in step(rule, *lines[:known], living=living):
            living = each.alert
            told.append(each.event)
    assert living is not None
    assert living.is_living
    assert set(told) <= {Event.RAISED, Event.WORSE, Event.REPEATED}
    assert told.count(Event.RAISED) == 1


def silence_at(now: datetime, gateway_seen_at: datetime, **alerts: Alert | None) -> list[Step]:
    line = Line(gateways=(GatewaySeen(name="home", last_seen_at=gateway_seen_at),))
    readings = every_day(["07:00 bp 120/80"], first=10, last=3)
    found = evaluate(history(readings, line=line), standard_packs(), now)
    living, last = alerts.get("living"), alerts.get("last")
    mine = [each for each in adopt(found, [living] if living else []) if "silence" in each.rule]
    return advance(RULES["silence.no_data"], living=living, last=last, findings=mine, now=now)


def test_a_silence_is_told_though_the_line_came_back_before_it_began() -> None:
    # two days after the last reading while the line is dark, three days while it works
    (dark,) = silence_at(local_moment("08:00", 1), local_moment("08:00", 2))
    evening = local_moment("20:00", 1)
    (back,) = silence_at(evening, evening, living=dark.alert)
    assert (dark.event, back.event) == (Event.RAISED, Event.RECOVERED)
    assert silence_at(local_moment("06:59"), local_moment("06:59"), last=back.alert) == []
    (silent,) = silence_at(local_moment("07:00"), local_moment("07:00"), last=back.alert)
    assert (silent.event, silent.alert.severity) == (Event.RAISED, 2)


def test_one_silence_outlasts_the_line_that_comes_back_without_a_reading() -> None:
    long_ago = local_moment("08:00", 2)
    (dark,) = silence_at(local_moment("08:00", 1), long_ago)
    (still,) = silence_at(local_moment("08:00"), long_ago, living=dark.alert)
    (back,) = silence_at(NOW, NOW, living=still.alert)
    assert (still.event, back.event) == (Event.REPEATED, Event.REPEATED)


def test_what_was_withdrawn_and_is_found_again_lives_again() -> None:
    sitting = ("08:40 bp 185/100", "08:43 bp 160/95", "08:46 bp 210/110")
    (first,) = step("bp.severe", *sitting[:1])
    (gone,) = step("bp.severe", *sitting[:2], living=first.alert)
    assert gone.event is Event.WITHDRAWN
    (back,) = step("bp.severe", *sitting, last=gone.alert)
    assert (back.event, back.alert.severity) == (Event.RAISED, 3)
    assert back.alert.episode == first.alert.episode


def test_data_before_the_episode_do_not_make_it_a_second_alert() -> None:
    (first,) = step("glu.hypo.l2", LOW)
    steps = step("glu.hypo.l2", "08:20 glucose 2.9", LOW, living=first.alert)
    assert events(steps) == [Event.REPEATED]
    assert steps[0].finding is not None
    assert steps[0].finding.episode == first.alert.episode


def test_nothing_closed_ever_moves_again() -> None:
    assert not [state for state, _ in NEXT if state is State.CLOSED]


def test_every_living_state_knows_every_event_but_the_first() -> None:
    for state in (State.OPEN, State.ACKNOWLEDGED):
        assert {event for found, event in NEXT if found is state} == set(Event) - {Event.RAISED}
