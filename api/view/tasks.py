"""Today's measuring tasks as the patient sees them: done, now, next, missed; and one next step.

May hold: the words and icons of a slot's state. May not: what is due (`care_plans`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from api.moment import is_chinese
from api.view.glance import Mood
from care_plans.adherence import Slot, State

_LOOK = {
    State.DONE: (Mood.WELL, "task_done"),
    State.PART: (Mood.LOOK, "task_part"),
    State.DUE: (Mood.LOOK, "task_due"),
    State.LATER: (Mood.NONE, "task_later"),
    State.MISSED: (Mood.NONE, "task_missed"),
}
ICON = {
    State.DONE: "well",
    State.PART: "next",
    State.DUE: "bell",
    State.LATER: "later",
    State.MISSED: "missed",
}


class _Words(Protocol):
    @property
    def zh(self) -> str: ...

    @property
    def en(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskShown:
    """One session of today. `done` of `readings`; `word` is a key."""

    at: datetime
    time: str
    what: str
    hint: str
    readings: int
    done: int
    mood: Mood
    icon: str
    word: str
    is_ahead: bool


def shown(slots: Sequence[Slot], *, locale: str, now: datetime) -> list[TaskShown]:
    """The sessions of the day in order of time."""
    return [_shown(slot, locale=locale, now=now) for slot in slots]


def next_step(tasks: Sequence[TaskShown]) -> TaskShown | None:
    """What to do next: what is due now, or else the next of today."""
    return next((task for task in tasks if task.is_ahead), None)


def _shown(slot: Slot, *, locale: str, now: datetime) -> TaskShown:
    state = slot.state(now)
    mood, word = _LOOK[state]
    schedule = slot.due.task.schedule
    return TaskShown(
        at=slot.due.at,
        time=slot.due.local.strftime("%H:%M"),
        what=_in(schedule.words, locale),
        hint=_in(schedule.hint, locale),
        readings=schedule.readings,
        done=len(slot.taken_at),
        mood=mood,
        icon=ICON[state],
        word=word,
        is_ahead=state in (State.DUE, State.LATER),
    )


def _in(words: _Words, locale: str) -> str:
    return words.zh if is_chinese(locale) else words.en
