"""The page on the rules is true, and says of each rule what a clinician must know."""

from pathlib import Path

from rules.document import document
from rules.pack import standard_packs

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "run: kangban rules document"


def test_every_rule_stands_there_with_source_status_and_words() -> None:
    page = document()
    for pack in standard_packs():
        assert pack.review_status in page
        for rule in pack.rules:
            section = page.split(f"### `{rule.id}`")[1].split("\n### ")[0]
            assert rule.source in section
            assert f"- Status: {rule.status}" in section
            assert rule.words["patient"].zh in section


def test_both_numbers_of_a_pair_stand_there() -> None:
    assert "glucose < 3.0 mmol/L / 54 mg/dL" in document()


def test_what_counts_as_worse_has_its_unit() -> None:
    page = document()
    assert "unless worse by 2 mmol/L" in page
    assert "unless worse by 10 mmHg" in page
