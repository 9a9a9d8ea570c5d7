"""The templates that ship, and how a broken one is refused."""

import tomllib
from importlib import resources

import pytest

from care_plans.plan import Session
from care_plans.template import names, read, template
from vitals.errors import MendData


def test_four_templates_ship() -> None:
    assert names() == ("both", "hypertension", "type2_diabetes", "type2_diabetes_premix")


@pytest.mark.parametrize("name", names())
def test_a_hint_is_a_whole_sentence_for_it_also_stands_alone(name: str) -> None:
    for _, schedule in template(name).tasks:
        assert schedule.hint.zh.endswith("。")
        assert schedule.hint.en.endswith(".")


def test_premixed_insulin_is_measured_before_both_doses_every_day() -> None:
    schedules = [schedule for _, schedule in template("type2_diabetes_premix").tasks]
    assert [[each.isoformat("minutes") for each in one.times] for one in schedules] == [
        ["06:30"],
        ["17:30"],
    ]
    assert all(len(one.weekdays) == 7 for one in schedules)


@pytest.mark.parametrize("name", names())
def test_a_template_awaits_its_clinician_and_has_both_languages(name: str) -> None:
    found = template(name)
    assert found.name == name
    assert found.review_status == "pending clinician sign-off"
    texts = [found.title]
    for _, schedule in found.tasks:
        texts += [schedule.words, schedule.hint]
    assert all(each.zh and each.en for each in texts)


@pytest.mark.parametrize("name", names())
def test_every_task_names_its_source_and_status(name: str) -> None:
    file = resources.files("care_plans").joinpath(f"templates/{name}.toml")
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    for each in document.get("task", []) + [document[key] for key in document if key == "protocol"]:
        assert each["source"]
        assert each["status"] in {"confirmed", "unconfirmed"}


def test_the_ordinary_week_can_just_give_a_valid_mean() -> None:
    found = template("hypertension")
    ((_, schedule),) = found.tasks
    assert found.protocol is not None
    assert len(schedule.weekdays) == found.protocol.min_days == 3
    assert schedule.readings_a_week == found.protocol.min_readings == 12


def test_both_is_the_tasks_of_both() -> None:
    found = template("both")
    assert found.tasks == template("hypertension").tasks + template("type2_diabetes").tasks
    assert found.protocol == template("hypertension").protocol


def test_two_to_four_finger_sticks_a_week() -> None:
    tasks = template("type2_diabetes").tasks
    assert {session for session, _ in tasks} == {Session.GLUCOSE}
    assert 2 <= sum(schedule.readings_a_week for _, schedule in tasks) <= 4


def test_a_template_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(MendData, match="hypertension"):
        template("../packs/hypertension")


@pytest.mark.parametrize(
    "text",
    ["not toml", "name = 'x'", "name = 'x'\nversion = '1'\n[[task]]\ntask = 'sleep'\n"],
)
def test_a_broken_template_is_refused(text: str) -> None:
    with pytest.raises(MendData):
        read(text)
