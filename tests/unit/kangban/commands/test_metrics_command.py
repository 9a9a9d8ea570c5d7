"""`kangban metrics`: options as people write them, and a table that says what was left out."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kangban.commands.metrics import app
from vitals.errors import MendData


def written(folder: Path, *lines: str) -> Path:
    path = folder / "readings.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def numbers(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json"))
    return found


def glucose_file(folder: Path) -> Path:
    return written(
        folder,
        "who,when,mmol",
        *(f"a,2026-11-22 07:{minute:02d},{5 + minute / 10:.1f}" for minute in range(0, 60, 5)),
        "a,2026-11-22 08:00,",
        "b,2026-11-22 07:00,HI",
    )


WORDS = (
    *("--time-column", "when", "--value-column", "mmol", "--group-column", "who"),
    *("--unit", "mmol/L", "--timezone", "Asia/Shanghai"),
)


def test_one_object_is_printed_for_each_group(tmp_path: Path) -> None:
    found = numbers("glucose", str(glucose_file(tmp_path)), *WORDS)
    assert list(found) == ["a", "b"]
    assert (found["a"]["n"], found["a"]["unit"], found["a"]["days"]) == (12, "mmol/L", 0.0)
    assert (found["b"]["n"], found["b"]["n_high"], found["b"]["mean"]) == (1, 1, None)


def test_the_table_says_what_was_not_used(tmp_path: Path) -> None:
    text = run("glucose", str(glucose_file(tmp_path)), *WORDS)
    assert "1 row(s): no value (lines 14)" in text
    assert "episodes.hypo.lv1.total_episodes" in text


def test_numbers_may_be_chosen_for_lo_and_hi(tmp_path: Path) -> None:
    found = numbers("glucose", str(glucose_file(tmp_path)), *WORDS, "--high-as", "27.8")
    assert found["b"]["mean"] == 27.8


@pytest.mark.parametrize(
    "words",
    [
        ("--value-column", "s", "--value-column", "d", "--value-column", "p"),
        ("--systolic-column", "s", "--diastolic-column", "d", "--pulse-column", "p"),
    ],
)
def test_pressures_are_named_in_either_way(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = written(tmp_path, "at,s,d,p", "2026-11-22 07:00,130,80,70")
    found = numbers("bp", str(path), "--time-column", "at", "--unit", "mmHg", *words)["all"]
    means = [found[key]["mean"] for key in ("systolic", "diastolic", "pulse")]
    assert means == [130, 80, 70]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("glucose", "--unit", "g"), "the values are in mg/dL or mmol/L"),
        (("bp", "--unit", "mg/dL"), "the values are in mmHg or kPa"),
        (("glucose", "--source", "blood"), "choose one of auto, cgm, smbg"),
        (("glucose", "--date-order", "YDM"), "choose one of DMY, MDY"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_those_that_are(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    command, *options = words
    with pytest.raises(MendData, match=says):
        run(command, str(glucose_file(tmp_path)), *options)
