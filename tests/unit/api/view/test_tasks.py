"""Today's sessions as the patient sees them, and the one next step."""

from datetime import date, datetime, time, timedelta

import pytest
from page_builders import NOW, ago

from api.view.glance import Mood
from api.view.tasks import TaskShown, next_step, shown
from care_plans.adherence import Slot
from care_plans.plan import Schedule, Session, Task, Words
from care_plans.schedule import Due

SCHEDULE = Schedule(
    times=(time(7), time(20)),
    weekdays=(1, 2, 3, 4, 5, 6, 7),
    readings=2,
    words=Words(zh="量血压", en="Blood pressure"),
    hint=Words(zh="坐着休息5分钟。", en="Rest for 5 minutes."),
)
TASK = Task(session=Session.BP, schedule=SCHEDULE, starts_on=date(2026, 11, 1))


def slot(at: datetime, *taken_at: datetime) -> Slot:
    return Slot(due=Due(task=TASK, at=at, local=time(7)), taken_at=taken_at)


def one(at: datetime, *taken_at: datetime) -> TaskShown:
    (task,) = shown([slot(at, *taken_at)], locale="zh-CN", now=NOW)
    return task


@pytest.mark.parametrize(
    ("at", "taken", "word", "mood"),
    [
        (ago(hours=5), 2, "task_done", Mood.WELL),
        (ago(hours=5), 1, "task_part", Mood.LOOK),
        (ago(hours=5), 0, "task_missed", Mood.NONE),
        # on the minute it is due; two hours later it is missed
        (NOW, 0, "task_due", Mood.LOOK),
        (NOW - timedelta(hours=2), 0, "task_missed", Mood.NONE),
        (NOW + timedelta(minutes=1), 0, "task_later", Mood.NONE),
    ],
)
def test_each_state_has_its_word_and_mood(at: datetime, taken: int, word: str, mood: Mood) -> None:
    task = one(at, *[at] * taken)
    assert (task.word, task.mood) == (word, mood)
    assert (task.done, task.readings) == (taken, 2)


def test_a_task_is_in_the_readers_language() -> None:
    assert (one(NOW).what, one(NOW).hint) == ("量血压", "坐着休息5分钟。")
    (task,) = shown([slot(NOW)], locale="en", now=NOW)
    assert task.what == "Blood pressure"


def test_the_next_step_is_what_is_due_now_or_else_the_next_of_today() -> None:
    done, due = slot(ago(hours=5), ago(hours=5), ago(hours=5)), slot(NOW)
    later = slot(NOW + timedelta(hours=6))
    tasks = shown([done, due, later], locale="en", now=NOW)
    assert next_step(tasks) == tasks[1]
    assert next_step([tasks[0], tasks[2]]) == tasks[2]
    assert next_step([tasks[0]]) is None
    assert next_step([]) is None
