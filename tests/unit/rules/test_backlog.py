"""A backlog of weeks arrives in order of age; no part of it is a silence that has just ended."""

from dataclasses import replace
from datetime import timedelta

from rule_builders import NOW, every_day, history

from rules.due import next_look
from rules.evaluate import evaluate
from rules.evaluators.silence import SETTLES
from rules.history import History
from rules.pack import standard_packs

PACKS = standard_packs()
SECOND = timedelta(seconds=1)


def three_weeks_old(received_ago: timedelta) -> History:
    """Two pressures a day until three weeks ago; the last of them committed so long ago."""
    known = history(every_day(["07:00 bp 130/80", "20:00 bp 128/79"], first=50, last=21))
    days = [replace(each, received_at=NOW - received_ago) for each in known.days]
    return replace(known, days=tuple(days))


def silences(known: History) -> list[str]:
    return [each.rule for each in evaluate(known, PACKS, NOW) if each.rule == "silence.no_data"]


def test_old_readings_that_are_arriving_are_no_silence() -> None:
    assert silences(three_weeks_old(SETTLES - SECOND)) == []


def test_a_silence_is_told_as_soon_as_the_backlog_has_settled() -> None:
    assert silences(three_weeks_old(SETTLES)) == ["silence.no_data"]
    assert silences(three_weeks_old(SETTLES + SECOND)) == ["silence.no_data"]


def test_the_patient_is_looked_at_again_when_the_backlog_has_settled() -> None:
    # committed four seconds ago
    known = three_weeks_old(4 * SECOND)
    again = next_look(known, PACKS, findings=(), living=(), now=NOW)
    assert again == NOW - 4 * SECOND + SETTLES
