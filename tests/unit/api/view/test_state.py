"""The one word over a person: call, look in, not known, well."""

from page_builders import NOW, ago, alert_row, cuff

from api.view import alerts
from api.view.alerts import AlertShown, Reader
from api.view.glance import Mood
from api.view.latest import Shown, shown
from api.view.state import State, state_of, urgency


def seen(**changes: object) -> list[AlertShown]:
    return alerts.shown([alert_row(**changes)], reader=Reader.FAMILY, locale="en")


def values(systolic: int = 120, **changes: object) -> list[Shown]:
    return shown(cuff(systolic, 75, **changes), targets={}, now=NOW)


def state(
    found: list[AlertShown] | None = None,
    lines: list[Shown] | None = None,
    *,
    is_broken: bool = False,
) -> State:
    return state_of(
        found or [], values=values() if lines is None else lines, is_broken=is_broken, now=NOW
    )


def test_recent_readings_and_no_alert_are_well() -> None:
    assert state().mood is Mood.WELL


def test_a_grave_open_alert_says_call() -> None:
    assert state(seen()).word == "state_call"


def test_a_grave_alert_that_somebody_took_says_look_in() -> None:
    taken = seen(state="acknowledged", acknowledged_at=ago(minutes=5), acknowledged_by="王小明")
    assert state(taken).word == "state_look"


def test_a_closed_alert_is_over() -> None:
    assert state(seen(state="closed", closed_at=ago(minutes=5))).mood is Mood.WELL


def test_a_moderate_alert_says_look_in() -> None:
    assert state(seen(severity=2)).word == "state_look"


def test_a_value_far_outside_is_not_green_before_any_rule_has_spoken() -> None:
    assert state(lines=values(185)).why == "why_value"


def test_a_broken_line_is_never_green() -> None:
    assert state(is_broken=True).why == "why_broken"


def test_nothing_measured_and_nothing_recent_are_not_known_and_never_green() -> None:
    assert state(lines=[]).why == "why_no_data"
    assert state(lines=values(taken_at=ago(days=2, minutes=1))).why == "why_old"
    assert state(lines=values(taken_at=ago(days=2))).mood is Mood.WELL


def test_an_alert_goes_before_old_data() -> None:
    assert state(seen(), []).word == "state_call"


def test_whoever_must_be_called_comes_first_and_the_well_come_last() -> None:
    states = [
        state(),
        state(lines=[]),
        state(seen(severity=2)),
        state(seen()),
    ]
    words = [each.word for each in sorted(states, key=urgency)]
    assert words == ["state_call", "state_look", "state_none", "state_well"]
