"""Is somebody well, as far as numbers tell: the one word over a person, and why.

Never green on old data: without a reading of the last two days the word is that nothing is known. A
grave alert that somebody acknowledged is in hands, but not over. May hold: this judgement and the
keys of its words. May not: alerts being moved, SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.view.alerts import GRAVE, AlertShown
from api.view.glance import Mood, is_fresh
from api.view.latest import Shown, newest


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A mood, the key of its word, and the key of the sentence that says why."""

    mood: Mood
    word: str
    why: str


def state_of(
    alerts: Sequence[AlertShown], *, values: Sequence[Shown], is_broken: bool, now: datetime
) -> State:
    """The state of one person from the alerts that this reader sees, the line, and the values."""
    newest_at = newest(values)
    living = [alert for alert in alerts if not alert.is_closed]
    if any(alert.is_open and alert.severity >= GRAVE for alert in living):
        return State(mood=Mood.CALL, word="state_call", why="why_grave")
    if living:
        return State(mood=Mood.LOOK, word="state_look", why="why_alert")
    if is_broken:
        return State(mood=Mood.LOOK, word="state_look", why="why_broken")
    if any(value.glance.mood is Mood.CALL for value in values):
        return State(mood=Mood.LOOK, word="state_look", why="why_value")
    if newest_at is None:
        return State(mood=Mood.NONE, word="state_none", why="why_no_data")
    if not is_fresh(newest_at, now):
        return State(mood=Mood.NONE, word="state_none", why="why_old")
    return State(mood=Mood.WELL, word="state_well", why="why_well")


# who needs a look first
ORDER = (Mood.CALL, Mood.LOOK, Mood.NONE, Mood.WELL)


def urgency(state: State) -> int:
    """Where this state stands in the order of need: 0 comes first."""
    return ORDER.index(state.mood)
