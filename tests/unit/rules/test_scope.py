"""Which rules concern a patient: locale, condition, age, and what the doctor set."""

from datetime import date

import pytest
from rule_builders import NOW

from rules.history import Patient
from rules.pack import standard_packs
from rules.scope import concerning, of_locale

PACKS = standard_packs()


def ids(**patient: object) -> set[str]:
    found = concerning(PACKS, Patient(id=1, **patient), NOW)  # type: ignore[arg-type]
    return {rule.id for _, rule in found}


@pytest.mark.parametrize(
    ("conditions", "is_asked"),
    [
        ((), False),
        (("高血压",), False),
        (("高血压", "慢性心力衰竭"), True),
        (("心衰",), True),
        (("Heart Failure (HFrEF)",), True),
        (("heart", "failure"), False),
    ],
)
def test_the_weight_of_a_failing_heart_is_asked_where_it_is_written(
    conditions: tuple[str, ...], is_asked: bool
) -> None:
    assert ("hf.weight.3d" in ids(conditions=conditions)) == is_asked


def test_an_age_that_is_not_known_is_no_age() -> None:
    assert "activity.steps.halved" not in ids()
    assert "activity.steps.halved" in ids(born_on=date(1961, 11, 22))
    assert "activity.steps.halved" not in ids(born_on=date(1961, 11, 23))


def test_the_doctors_aim_for_oxygen_changes_one_safety_row_for_another() -> None:
    usual, aimed = ids(), ids(targets={"spo2_low_percent": 88})
    assert usual - aimed == {"spo2.severe", "spo2.low", "spo2.low.repeat"}
    assert aimed - usual == {"spo2.severe.copd"}


@pytest.mark.parametrize(("locale", "diastolic"), [("zh-CN", 110), ("zh", 110), ("en", 120)])
def test_a_locale_has_its_own_numbers(locale: str, diastolic: float) -> None:
    packs = of_locale(PACKS, Patient(id=1, locale=locale))
    (rule,) = (rule for pack in packs for rule in pack.rules if rule.id == "bp.severe")
    assert list(rule.when[1].by_unit.values()) == [diastolic]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_line_of_the_mean_is_the_one_that_the_report_draws(locale: str) -> None:
    packs = of_locale(PACKS, Patient(id=1, locale=locale))
    (rule,) = (rule for pack in packs for rule in pack.rules if rule.id == "bp.high.7d")
    assert [list(each.by_unit.values()) for each in rule.when] == [[135], [85]]


def test_the_variant_never_runs_beside_the_default() -> None:
    here, abroad = (of_locale(PACKS, Patient(id=1, locale=each)) for each in ("zh-CN", "en-GB"))
    names = [[rule.id for pack in packs for rule in pack.rules] for packs in (here, abroad)]
    assert names[0] == names[1]
    assert {pack.version for pack in abroad if pack.id == "hypertension"} == {"1.1.0-intl"}


def test_every_variant_changes_rules_that_there_are() -> None:
    variants = [pack for pack in PACKS if pack.international]
    assert {pack.id for pack in variants} == {"diabetes", "hypertension"}
    for pack in variants:
        assert pack.international is not None
        assert pack.international.locale == "intl"
        mine = {rule.id: rule for rule in pack.rules}
        for rule in pack.international.rules:
            assert rule.severity == mine[rule.id].severity
            assert rule.personal == mine[rule.id].personal


def test_choosing_twice_is_choosing_once() -> None:
    there = Patient(id=1, locale="en")
    once = of_locale(PACKS, there)
    assert of_locale(once, there) == once
