"""The documents are true: trip, settings, commands, vitals, rules, decisions, links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

STEPS = [
    "notified",
    "decoded",
    "placed",
    "spooled",
    "published",
    "accepted",
    "loaded",
    "judged",
    "told",
    "reported",
]


def test_the_trip_names_its_ten_steps_in_order() -> None:
    text = (ROOT / "docs" / "trip.md").read_text(encoding="utf-8")
    assert re.findall(r"\| \d+ \| \*\*(\w+)\*\*", text) == STEPS


def test_every_file_that_the_documents_name_exists() -> None:
    missing = []
    for page in PAGES:
        for name in re.findall(r"`([\w./-]+\.(?:py|sql|toml|md|yml|sh))`", page.read_text("utf-8")):
            if "/" in name and not (ROOT / name).exists():
                missing.append(f"{page.name}: {name}")
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_within_the_documents_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://")) and not (page.parent / target).exists():
            broken.append(target)
    assert broken == []


def test_vitals_settings_and_commands_are_documented() -> None:
    from kangban.document import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m kangban.document"


def test_devices_are_documented() -> None:
    from kangban.devices_document import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m kangban.devices_document"


def test_rules_are_documented() -> None:
    from rules.document import document

    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == document(), (
        "run: kangban rules document"
    )


def test_every_command_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"`make ([\w-]+)", page.read_text("utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: make {target}"


def test_decisions_have_unique_numbers_a_status_and_a_place_in_the_list() -> None:
    files = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    numbers = [path.name[:4] for path in files]
    assert numbers == [f"{number:04d}" for number in range(1, len(files) + 1)]
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for path in files:
        assert "**Status.**" in path.read_text(encoding="utf-8"), path.name
        assert path.name in listed


def test_words_of_the_code_stand_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for word in [
        "Reading",
        "Measurement",
        "Finding",
        "Alert",
        "Proposal",
        "PatientWeek",
        "Receipt",
        "Household",
        "Rejection",
    ]:
        assert re.search(rf"\| {word}\b", glossary), word


def test_no_text_names_a_package_registry() -> None:
    bad = re.compile(r"pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian\.org")
    names = [
        path.relative_to(ROOT).as_posix()
        for pattern in ("*.py", "*.md", "*.txt", "*.toml", "*.sh", "*.yml", "Makefile")
        for path in ROOT.rglob(pattern)
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
        and path.name != "test_docs.py"
        and bad.search(path.read_text(encoding="utf-8"))
    ]
    assert names == []
