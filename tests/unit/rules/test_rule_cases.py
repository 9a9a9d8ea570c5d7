"""Each rule against its data tests in `tests/rules/*.toml`: history in, findings out.

A case names its rule, says what it is about, gives readings as lines (`rule_builders`) and the
findings of that rule that must come out: "S1" for a living one, "S1 over" for one that has ended.
`edge` marks cases at a limit; every limit of every rule must have one below, on it and above.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from rule_builders import NOW, every_day, history, local_moment

from rules.evaluate import evaluate
from rules.history import DeviceSeen, GatewaySeen, Line, Patient
from rules.pack import standard_packs
from vitals.kinds import Kind

FOLDER = Path(__file__).parents[2] / "rules"
CASES: list[dict[str, Any]] = [
    {**case, "file": path.stem}
    for path in sorted(FOLDER.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
RULES = {rule.id: rule for pack in standard_packs() for rule in pack.rules}
ABROAD = [
    rule for pack in standard_packs() if pack.international for rule in pack.international.rules
]


def name_of(case: dict[str, Any]) -> str:
    return f"{case['rule']}: {case['says']}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_history_gives_the_findings_its_case_expects(case: dict[str, Any]) -> None:
    now = local_moment(case["now"]) if "now" in case else NOW
    lines = list(case.get("readings", []))
    for span in case.get("every_day", []):
        lines += every_day(span["readings"], first=span["from"], last=span["to"])
    there = history(lines, patient=patient(case), line=line(case))
    found = [each for each in evaluate(there, standard_packs(), now) if each.rule == case["rule"]]
    said = [f"S{each.severity}{' over' if each.ended_at else ''}" for each in found]
    assert said == case["expect"]
    for audience, words in case.get("words", {}).items():
        assert words in found[-1].sentences[audience].zh


def patient(case: dict[str, Any]) -> Patient:
    return Patient(
        id=1,
        name="王建国",
        targets=case.get("targets", {}),
        conditions=tuple(case.get("conditions", ())),
        born_on=case.get("born_on"),
        locale=case.get("locale", "zh-CN"),
    )


def line(case: dict[str, Any]) -> Line:
    def ago(text: str) -> Any:
        days, clock = text.split()
        return local_moment(clock, -int(days.rstrip("d")))

    given = case.get("line", {})
    return Line(
        gateways=tuple(
            GatewaySeen(
                name=f"g{number}",
                last_seen_at=ago(each["seen"]),
                spooled=each["spooled"],
                troubles=tuple(each.get("troubles", ())),
            )
            for number, each in enumerate(given.get("gateways", []))
        ),
        devices=tuple(
            DeviceSeen(
                name=each["kind"],
                kinds=(Kind(each["kind"]),),
                last_seen_at=ago(each["seen"]),
                battery_percent=each.get("battery"),
            )
            for each in given.get("devices", [])
        ),
        server_seen_at=ago(given["server"]) if "server" in given else None,
    )


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda each: each.id)
def test_every_rule_has_a_case_that_fires_and_one_that_does_not(rule: Any) -> None:
    outcomes = {bool(case["expect"]) for case in CASES if case["rule"] == rule.id}
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("rule", "locale"),
    [
        *((each, "zh-CN") for each in RULES.values() if each.when),
        *((each, "en") for each in ABROAD),
    ],
    ids=lambda each: getattr(each, "id", each),
)
def test_every_limit_is_tested_below_on_and_above(rule: Any, locale: str) -> None:
    tested = {
        case["edge"]
        for case in CASES
        if case["rule"] == rule.id and "edge" in case and case.get("locale", "zh-CN") == locale
    }
    wanted = {
        f"{limit.kind} {number:g} {unit} {side}"
        for limit in (*rule.when, *rule.unless)
        for unit, number in limit.by_unit.items()
        for side in ("below", "on", "above")
    }
    assert wanted - tested == set()


def test_a_median_above_its_target_does_not_read_like_the_target() -> None:
    values = (7.0, 7.0, 7.1, 7.1)
    lines = [f"-{ago}d 07:00 glucose {value} fasting" for ago, value in enumerate(values)]
    (found,) = evaluate(history(lines), standard_packs(), NOW)
    assert "中位数 7.05 mmol/L（4次），高于参考目标 7.0" in found.sentences["patient"].zh


def test_a_median_on_its_limit_is_not_called_above_it() -> None:
    lines = [f"-{ago}d 09:00 glucose 10.0 postprandial" for ago in (1, 2, 3)]
    (found,) = evaluate(history(lines), standard_packs(), NOW)
    assert "中位数 10.0 mmol/L（3次），达到或高于参考上限 10.0" in found.sentences["patient"].zh
    assert "at or above the limit of 10.0" in found.sentences["family"].en


def test_no_case_is_about_a_rule_that_is_not_there() -> None:
    assert {case["rule"] for case in CASES} <= RULES.keys()
