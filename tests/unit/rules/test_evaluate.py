"""Findings have names of their own: two of one name kept a patient from being judged at all."""

import random

import pytest

from rules.evaluate import evaluate
from rules.pack import standard_packs
from tests.rule_builders import NOW, history

PACKS = standard_packs()


def test_a_meter_of_whole_minutes_gives_one_finding_a_trouble() -> None:
    tested_twice = [f"08:30 glucose {value} mmol/L" for value in (2.5, 6.0, 2.6)]
    found = evaluate(history(tested_twice), PACKS, NOW)
    assert [each.episode for each in found if each.rule == "glu.hypo.l2"] == [
        "2026-11-22T00:30:00Z"
    ]


@pytest.mark.parametrize("seed", range(40))
def test_no_two_findings_of_a_rule_share_a_name(seed: int) -> None:
    chance = random.Random(seed)
    # few moments, so that many readings fall on each
    moments = [f"-{chance.randrange(9)}d {chance.randrange(24):02d}:30" for _ in range(6)]
    lines = [
        f"{chance.choice(moments)} "
        + chance.choice(["bp 200/125", "bp 120/78", "glucose 2.2 mmol/L", "glucose 6.1 mmol/L"])
        for _ in range(60)
    ]
    names = [(each.rule, each.episode) for each in evaluate(history(lines), PACKS, NOW)]
    assert len(names) == len(set(names))
    assert names
