"""The sample reports in the documents are what the command makes, and say what they are for."""

import pytest

from kangban.samples import FOLDER, LOCALES, files, report_of, samples
from rules.report.sections import MAX_ACTIONS
from rules.report.shape import Action


def test_the_samples_in_the_documents_are_what_the_command_makes() -> None:
    made = dict(files())
    kept = {each.name for each in FOLDER.iterdir() if each.suffix in (".pdf", ".png")}
    assert kept == set(made), "run python -m kangban.samples"
    different = [name for name, content in made.items() if (FOLDER / name).read_bytes() != content]
    assert different == [], "run python -m kangban.samples"


@pytest.mark.parametrize(
    ("number", "panels", "actions"),
    [
        (0, {"pressure"}, 0),
        (1, {"sensor", "profile"}, 3),
        (2, {"pressure", "glucose"}, 1),
    ],
)
def test_each_sample_shows_the_panels_that_it_stands_for(
    number: int, panels: set[str], actions: int
) -> None:
    report = report_of(samples()[number], "zh-CN")
    keys = {each.key for each in report.sections}
    assert keys & {"pressure", "sensor", "profile", "glucose"} == panels
    found = [
        block for each in report.sections for block in each.blocks if isinstance(block, Action)
    ]
    assert actions <= len(found) <= MAX_ACTIONS
    assert (not found) == (actions == 0)


def test_both_languages_tell_the_same_week() -> None:
    for sample in samples():
        first, second = (report_of(sample, locale) for locale in LOCALES)
        assert [each.key for each in first.sections] == [each.key for each in second.sections]
