"""Packs: those that ship are sound, and each fault is named with file, line and reason."""

import pytest
from rule_builders import NOW, every_day, history

from rules.evaluate import EVALUATORS
from rules.form import FORMS
from rules.history import Patient
from rules.pack import AUDIENCES, REVIEW, Rule, load, problems, standard_packs
from rules.personal import CHOOSING, PERSONAL, TARGET_KEYS, with_targets
from vitals.errors import MendData

RULES = {rule.id: rule for pack in standard_packs() for rule in pack.rules}

SOUND = """
[pack]
id = "try"
version = "1"
locale = "zh-CN"
review_status = "pending clinician sign-off"
title = { zh = "试", en = "Try" }

[[rule]]
id = "glu.low"
evaluator = "single"
title = { zh = "低", en = "Low" }
kind = "glucose"
when = [{ kind = "glucose", is = "<", "mmol/L" = 3.9, "mg/dL" = 70 }]
clear = [{ kind = "glucose", is = ">=", "mmol/L" = 4.4, "mg/dL" = 80 }]
severity = 1
gap_h = 6
fresh_h = 2
stale_h = 24
cooldown_h = 1
source = "ADA"
status = "confirmed"
[rule.words]
patient.zh = "{value}"
patient.en = "{value}"
family.zh = "{value}"
family.en = "{value}"
doctor.zh = "{value}"
doctor.en = "{value}"
"""


def test_a_sound_pack_has_no_problems() -> None:
    assert problems(SOUND, name="try.toml") == []
    assert load(SOUND, name="try.toml").rules[0].severity == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"mg/dL" = 70', '"mg/dL" = 90', "are not a pair"),
        (', "mg/dL" = 70', "", "needs the published pair"),
        ('is = "<"', 'is = "under"', "'is' must be one of"),
        ("severity = 1", "severity = 7", "'severity' must be 0-4, not 7"),
        ("severity = 1\n", "", "'severity' is missing"),
        ("gap_h = 6", "gap_h = 6\napart_min = 3", "'apart_min' is not known here"),
        ('source = "ADA"', 'source = " "', "'source' is empty"),
        ('status = "confirmed"', 'status = "sure"', "'status' must be one of"),
        ('evaluator = "single"', 'evaluator = "guess"', "evaluator 'guess' is not one of"),
        ('family.en = "{value}"', "", "words.family' needs words in zh and en"),
        ('patient.zh = "{value}"', 'patient.zh = "{dose}"', "{dose} is not one of"),
        ('patient.zh = "{value}"', 'patient.zh = "请加药"', "must not say '加药'"),
        ("severity = 1", "severity = 4", "severity 4 must say to call 120"),
        ('kind = "glucose"\nwhen', 'kind = "sugar"\nwhen', "cannot be read"),
        ("fresh_h = 2", 'fresh_h = "two"', "'fresh_h' must be hours"),
        ("gap_h = 6", "gap_h = 6\nfrom_age = 0", "'from_age' must be a whole number, 1 or more"),
        ("gap_h = 6", "gap_h = 6\nwith_target = 3", "'with_target' must be the name of a target"),
        ('version = "1"', 'version = "1"\nconditions = "HF"', "'conditions' must be a list"),
    ],
)
def test_a_fault_is_named_with_file_line_and_reason(old: str, new: str, says: str) -> None:
    assert old in SOUND
    found = problems(SOUND.replace(old, new, 1), name="try.toml")
    assert any(says in each for each in found), found
    assert all(each.startswith("try.toml:") for each in found)
    with pytest.raises(MendData, match="Mend the rule pack"):
        load(SOUND.replace(old, new, 1), name="try.toml")


CHANGE = """
[[rule]]
id = "w.gain"
evaluator = "change"
title = { zh = "重", en = "Gain" }
kind = "weight"
when = [{ kind = "weight", is = ">", "kg" = 2.0, "[lb_av]" = 4.4 }]
clear = [{ kind = "weight", is = "<=", "kg" = 1.5, "[lb_av]" = 3.3 }]
over_days = 3
within_days = 5
severity = 1
fresh_h = 2
stale_h = 24
cooldown_h = 1
source = "ESC"
status = "confirmed"
[rule.words]
patient.zh = "{change}"
patient.en = "{change}"
family.zh = "{change}"
family.en = "{change}"
doctor.zh = "{change}"
doctor.en = "{change}"
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (', "[lb_av]" = 4.4', "", 'weight needs the published pair: "kg" and "[lb_av]"'),
        ('"[lb_av]" = 4.4', '"[lb_av]" = 2.0', "are not a pair"),
        ("over_days = 3\n", "", "'over_days' is missing"),
        ("over_days = 3", "over_days = 2.5", "'over_days' must be a whole number"),
        ("within_days = 5", 'within_days = 5\nmeasure = "speed"', "'measure' must be one of"),
        ("within_days = 5", 'within_days = 5\nmeasure = "percent"', "it must be in: %"),
    ],
)
def test_a_fault_of_a_change_is_named_too(old: str, new: str, says: str) -> None:
    assert problems(SOUND + CHANGE, name="try.toml") == []
    assert old in CHANGE
    found = problems(SOUND + CHANGE.replace(old, new, 1), name="try.toml")
    assert any(says in each for each in found), found
    assert all(each.startswith("try.toml:") for each in found)


def test_every_target_that_a_rule_names_is_one_that_a_doctor_can_set() -> None:
    rules = [rule for pack in standard_packs() for rule in pack.rules]
    assert {rule.personal for rule in rules} - {""} <= set(PERSONAL)
    chosen = {name for rule in rules for name in (rule.with_target, rule.without_target)}
    assert chosen - {""} <= set(CHOOSING)


def test_a_safety_row_that_gives_way_leaves_another_in_its_place() -> None:
    rules = [r for pack in standard_packs() for r in pack.rules if r.severity >= 3]
    for name in {rule.without_target for rule in rules} - {""}:
        assert name in {rule.with_target for rule in rules}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda each: each.id)
def test_no_target_moves_a_number_of_a_safety_row(rule: Rule) -> None:
    keys = [key for keys in TARGET_KEYS.values() for key in keys]
    patient = Patient(id=1, targets=dict.fromkeys([*keys, *CHOOSING], 1.0))
    moved = with_targets(rule, patient) != rule
    assert moved == bool(rule.personal)
    assert not (moved and rule.severity >= 3)


def test_the_line_of_a_fault_is_that_of_its_rule() -> None:
    (found,) = problems(SOUND.replace("severity = 1", "severity = 9"), name="try.toml")
    assert found.startswith("try.toml:10: rule glu.low:")


def test_two_rules_of_one_name_are_a_fault() -> None:
    again = SOUND + SOUND[SOUND.index("[[rule]]") :]
    assert any("used twice" in each for each in problems(again, name="try.toml"))


def test_what_is_not_toml_is_said_to_be_so() -> None:
    assert "not TOML" in problems("[pack", name="try.toml")[0]


def test_every_pack_waits_for_a_clinician_and_says_so() -> None:
    assert {pack.review_status for pack in standard_packs()} == {REVIEW}


def test_no_two_packs_share_a_rule() -> None:
    ids = [rule.id for pack in standard_packs() for rule in pack.rules]
    assert len(ids) == len(set(ids))


def test_safety_rules_take_no_personal_target() -> None:
    for pack in standard_packs():
        for rule in pack.rules:
            if rule.severity >= 3:
                assert rule.personal == "", rule.id


def test_every_form_has_an_evaluator() -> None:
    assert FORMS.keys() == EVALUATORS.keys()


# One history for each evaluator, in which it sees something.
SEEN = {
    "single": ["08:40 glucose 2.8"],
    "repeat": ["-1d 08:00 glucose 3.5", "08:40 glucose 3.5"],
    "median": [f"-{ago}d 06:30 glucose 8.0 fasting" for ago in (3, 2, 1)],
    "session": ["08:30 bp 190/112", "08:36 bp 190/112"],
    "block": [f"-{ago}d 07:0{n} bp 150/90" for ago in range(4) for n in range(4)],
    "trend": [f"-{ago}d 07:00 bp {170 - ago}/80" for ago in range(40, -1, -1)],
    "irregular": ["08:30 bp 130/80 #irregular_pulse", "08:31 bp 130/80 #irregular_pulse"],
    "change": ["-3d 07:00 weight 70.0", "07:00 weight 72.1"],
    "week": every_day(["20:00 pulse 70"], first=34, last=7)
    + every_day(["20:00 pulse 81"], first=6)
    + every_day(["20:00 sleep_duration 290"], first=6),
    "silence": [f"-{ago}d 07:00 bp 130/80" for ago in range(20, 4, -1)],
}


@pytest.mark.parametrize("evaluator", FORMS)
def test_an_evaluator_fills_exactly_its_placeholders(evaluator: str) -> None:
    rules = [r for pack in standard_packs() for r in pack.rules if r.evaluator == evaluator]
    seen = [
        each
        for rule in rules
        for each in EVALUATORS[evaluator](rule, history(SEEN[evaluator]), NOW)
    ]
    assert seen
    for each in seen:
        assert each.texts.keys() == FORMS[evaluator].placeholders
    assert {audience for rule in rules for audience in rule.words} == set(AUDIENCES)
